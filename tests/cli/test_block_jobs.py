# SPDX-License-Identifier: LGPL-2.1-or-later
"""domctl's commands of block jobs: waited for, shown, given up by ctrl-C, and the same for programs."""

import json
import os
import signal
import subprocess

import pytest

from conftest import BUILD, PATIENCE, domain_xml, wait_for

UUID = "5c1b1f3e-6f0a-4b6e-9c55-0d1f0e3a7b12"


@pytest.fixture
def domctl(daemon):
    environment = dict(os.environ, DBUS_SESSION_BUS_ADDRESS=daemon.bus.address, LC_ALL="C.UTF-8")

    def command(*words):
        return [BUILD / "cli" / "domctl", "--connect", "session", *map(str, words)]

    def run(*words, status=0):
        done = subprocess.run(command(*words), capture_output=True, text=True, timeout=PATIENCE, env=environment, check=False)
        assert done.returncode == status, f"{words}: {done.returncode}\n{done.stdout}\n{done.stderr}\n{daemon.log()}"
        return done.stderr if status else done.stdout

    run.start = lambda *words: subprocess.Popen(command(*words), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                                                env=environment)
    below = []
    for name in "abc":
        path = daemon.root / f"{name}.qcow2"
        subprocess.run(["qemu-img", "create", "-q", "-f", "qcow2", *below, path, "16M"], check=True)
        if name == "a":  # what is above has nothing of its own: all is there to be pulled
            subprocess.run(["qemu-io", "-c", "write 0 12M", path], check=True, stdout=subprocess.DEVNULL)
        below = ["-b", path, "-F", "qcow2"]
    document = daemon.root / "web.xml"
    document.write_text(domain_xml("web", UUID, devices=f"<disk type='file' device='disk'><driver name='qemu' type='qcow2'/>"
                                   f"<source file='{daemon.root}/c.qcow2'/><target dev='vda' bus='virtio'/></disk>"))
    run("define", document)
    run("start", "web")
    return run


def test_each_job_is_waited_for(daemon, domctl):
    assert domctl("blockcommit", "web", "vda", "--top=vda[2]", "--base=vda[3]", "--wait") == "Block Commit complete\n"
    assert domctl("blockpull", "web", "vda", "--wait") == "Block Pull complete\n"
    copied = json.loads(domctl("blockcopy", "web", "vda", f"--dest={daemon.root}/copy.img", "--pivot", "--json"))
    assert copied == {"domain": "web", "message": "Successfully pivoted"}
    assert f"{daemon.root}/copy.img" in domctl("dumpxml", "web", "--inactive")
    assert domctl("blockjob", "web", "vda") == "No current block job\n"
    assert json.loads(domctl("blockjob", "web", "vda", "--json")) == {"type": "none", "bandwidth": 0, "current": 0, "end": 0}


def test_one_that_runs(domctl):
    assert domctl("blockpull", "web", "vda", "--bandwidth=65536", "--bytes") == "Block Pull started\n"
    shown = json.loads(domctl("blockjob", "web", "vda", "--bytes", "--json"))
    assert (shown["type"], shown["bandwidth"], shown["end"]) == ("Block Pull", 65536, 16 << 20)
    assert "already in active block job" in domctl("blockcommit", "web", "vda", "--active", status=1)
    assert domctl("blockjob", "web", "vda", "--bandwidth=1") == "The job's bandwidth is set\n"
    assert domctl("blockjob", "web", "vda", "--abort") == "The job is aborted\n"
    assert domctl("blockjob", "web", "vda") == "No current block job\n"


def test_ctrl_c_gives_it_up(domctl):
    with domctl.start("blockpull", "web", "vda", "--bandwidth=65536", "--bytes", "--wait") as waiting:
        wait_for(lambda: json.loads(domctl("blockjob", "web", "vda", "--json"))["type"] == "Block Pull", "the job")
        waiting.send_signal(signal.SIGINT)
        _, errors = waiting.communicate(timeout=PATIENCE)
    assert waiting.returncode == 1 and "Block Pull aborted" in errors
    assert domctl("blockjob", "web", "vda") == "No current block job\n"


def test_wrong_words(domctl):
    assert "one of --dest and --xml is needed" in domctl("blockcopy", "web", "vda", status=2)
    assert "--bandwidth" in domctl("blockpull", "web", "vda", "--bandwidth=fast", status=2)
    assert "not found in domain" in domctl("blockpull", "web", "vdz", status=1)
