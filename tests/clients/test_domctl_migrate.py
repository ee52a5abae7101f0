# SPDX-License-Identifier: LGPL-2.1-or-later
"""`domctl migrate` between two daemons: a machine that runs, a definition, copied disks; ctrl-C; and what is refused."""

import json
import os
import signal
import subprocess

import pytest

from conftest import BUILD, PATIENCE, domain_xml, wait_for
from migration import UUID, is_alone, pair, start, write  # noqa: F401


@pytest.fixture
def domctl(pair):  # noqa: F811
    """`domctl migrate` of the source's machine "web" to the target."""
    source, target = pair
    environment = dict(os.environ, DBUS_SESSION_BUS_ADDRESS=source.daemon.bus.address, LC_ALL="C.UTF-8")
    peer = target.uri.replace("qemu:", "qemu+unix:")

    def command(*words):
        return [BUILD / "cli" / "domctl", "--connect", "session", "migrate", "web", peer,
                "--migrateuri=tcp://127.0.0.1", *words]

    def run(*words, status=0):
        done = subprocess.run(command(*words), capture_output=True, text=True, timeout=PATIENCE, env=environment, check=False)
        assert done.returncode == status, f"{words}: {done.returncode}\n{done.stdout}\n{done.stderr}"
        return done.stderr if status else done.stdout

    run.start = lambda *words: subprocess.Popen(command(*words), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                                                env=environment)
    run.peer = peer
    return run


def test_a_machine_moves(pair, domctl):  # noqa: F811
    source, target = pair
    start(source)
    document = source("dumpxml", "web", "--migratable").replace("</name>", "</name>\n<title>there</title>")
    said = json.loads(domctl("--live", "--persistent", "--undefinesource", "--parallel", "--parallel-connections=2",
                             f"--xml={write(source, document)}", "--json"))
    assert said == {"domain": "web", "message": f"Domain 'web' migrated to '{domctl.peer}'"}
    is_alone(source, target)
    assert target("domstate", "web", "--reason").strip() == "running (migrated)"
    assert target("desc", "web", "--title").strip() == "there"
    assert source("list", "--all", "--name").split() == []


def test_a_definition_moves(pair, domctl):  # noqa: F811
    source, target = pair
    source("define", write(source, domain_xml("web", UUID)))
    assert "persistent flag" in domctl("--offline", status=1)
    assert domctl("--offline", "--persistent") == f"Domain 'web' migrated to '{domctl.peer}'\n"
    assert target("domuuid", "web").strip() == UUID


def test_disks_are_copied(pair, domctl):  # noqa: F811
    source, target = pair
    paths = [virsh.daemon.root / "disk.qcow2" for virsh in pair]
    disks = [f"<disk type='file'><driver name='qemu' type='qcow2'/><source file='{path}'/><target dev='vda' bus='virtio'/></disk>"
             for path in paths]
    for path in paths:
        subprocess.run(["qemu-img", "create", "-q", "-f", "qcow2", path, "2M"], check=True)
    subprocess.run(["qemu-io", "-c", "write -P 0x5a 64k 1M", paths[0]], check=True, stdout=subprocess.DEVNULL)
    start(source, devices=disks[0])
    document = source("dumpxml", "web", "--migratable").replace(str(paths[0]), str(paths[1]))
    domctl("--live", "--copy-storage-all", "--migrate-disk=vda", f"--xml={write(source, document)}")
    is_alone(source, target)
    target("destroy", "web")
    read = subprocess.run(["qemu-io", "-r", "-c", "read -P 0x5a 64k 1M", paths[1]], check=True, capture_output=True, text=True)
    assert "verification failed" not in read.stdout


def test_ctrl_c_gives_it_up(pair, domctl):  # noqa: F811
    source, target = pair
    start(source)
    source("migrate-setspeed", "web", "1")
    with domctl.start("--live") as moving:
        wait_for(lambda: "Unbounded" in source("domjobinfo", "web"), "the migration")
        moving.send_signal(signal.SIGINT)
        _, said = moving.communicate(timeout=PATIENCE)
    assert moving.returncode == 1 and "canceled by client" in said
    assert source("domstate", "web").strip() == "running"
    wait_for(lambda: target("list", "--all", "--name").split() == [], "the target to forget it")


@pytest.mark.parametrize("words, status, said", [
    (["--timeout-postcopy"], 2, "--timeout-suspend and --timeout-postcopy need --timeout"),
    (["--timeout=5", "--timeout-suspend", "--timeout-postcopy"], 2, "exclude each other"),
    (["--bandwidth=-1"], 2, "are not negative"),
    (["--copy-storage-all", "--copy-storage-inc"], 1, "mutually exclusive"),
    (["--xml=/no/such/file"], 1, "/no/such/file"),
])
def test_what_cannot_be(pair, domctl, words, status, said):  # noqa: F811
    start(pair[0])
    assert said in domctl(*words, status=status)
    assert pair[0]("domstate", "web").strip() == "running"
