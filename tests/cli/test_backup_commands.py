# SPDX-License-Identifier: LGPL-2.1-or-later
"""Checkpoints and backups in domctl's words, and for programs."""

import json
import os
import signal
import subprocess

import pytest
from conftest import BUILD, PATIENCE, domain_xml, wait_for

UUID = "0f6f4a1c-2d3e-4f5a-8b9c-1d2e3f4a5b6c"


class Domctl:
    def __init__(self, daemon):
        self.environment = dict(os.environ, DBUS_SESSION_BUS_ADDRESS=daemon.bus.address, LC_ALL="C.UTF-8")

    def start(self, *words):
        return subprocess.Popen([BUILD / "cli" / "domctl", "--connect", "session", *map(str, words)], text=True,
                                env=self.environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE)

    def __call__(self, *words, status=0):
        process = self.start(*words)
        out, error = process.communicate(timeout=PATIENCE)
        assert process.returncode == status, f"{words}: {process.returncode}\n{out}{error}"
        return error if status else out


@pytest.fixture
def domctl(daemon):
    root = daemon.root
    subprocess.run(["qemu-img", "create", "-q", "-f", "qcow2", root / "a.qcow2", "4M"], check=True)
    path = root / "machine.xml"
    path.write_text(domain_xml("web", UUID, devices=f"""<disk type='file' device='disk'>
<driver name='qemu' type='qcow2'/><source file='{root}/a.qcow2'/><target dev='vda' bus='virtio'/></disk>"""))
    run = Domctl(daemon)
    run("define", path)
    run("start", "web")
    return run


def test_checkpoints(daemon, domctl):
    assert domctl("checkpoint-create-as", "web", "one", "the first") == "Domain checkpoint one created\n"
    domctl("checkpoint-create-as", "web", "two", "--diskspec=vda")
    listed = json.loads(domctl("checkpoint-list", "web", "--json"))
    assert [(item["name"], item["parent"], item["description"]) for item in listed] == \
        [("one", None, "the first"), ("two", "one", None)]
    assert [line.split()[0] for line in domctl("checkpoint-list", "web", "--leaves").splitlines()[2:] if line] == ["two"]
    assert "size='0'" in domctl("checkpoint-dumpxml", "web", "one", "--no-domain", "--size")
    assert domctl("checkpoint-parent", "web", "two") == "one\n"
    assert "no parent" in domctl("checkpoint-parent", "web", "one", status=1)
    whole = daemon.root / "one.xml"
    whole.write_text(domctl("checkpoint-dumpxml", "web", "one"))
    assert domctl("checkpoint-delete", "web", "one", "--metadata") == "Domain checkpoint one deleted\n"
    domctl("checkpoint-create", "web", whole, "--redefine", "--redefine-validate")
    domctl("checkpoint-delete", "web", "one")
    assert "no domain checkpoint with matching name 'one'" in domctl("checkpoint-dumpxml", "web", "one", status=1)


def test_push_waited_for(daemon, domctl):
    document, checkpoint = daemon.root / "backup.xml", daemon.root / "checkpoint.xml"
    document.write_text(f"<domainbackup><disks><disk name='vda' type='file'><target file='{daemon.root}/copy'/></disk>"
                        "</disks></domainbackup>")
    checkpoint.write_text("<domaincheckpoint><name>c</name></domaincheckpoint>")
    assert domctl("backup-begin", "web", document, "--checkpoint", checkpoint, "--wait") == \
        "Backup of domain 'web' completed\n"
    assert [item["name"] for item in json.loads(domctl("checkpoint-list", "web", "--json"))] == ["c"]
    subprocess.run(["qemu-img", "compare", "-U", daemon.root / "copy", daemon.root / "a.qcow2"], check=True,
                   stdout=subprocess.DEVNULL)
    assert "exists" in domctl("backup-begin", "web", document, status=1)


def test_pull_given_up_by_ctrl_c(daemon, domctl):
    document, socket = daemon.root / "backup.xml", daemon.root / "nbd"
    document.write_text(f"<domainbackup mode='pull'><server transport='unix' socket='{socket}'/></domainbackup>")
    waiting = domctl.start("backup-begin", "web", document, "--wait")
    wait_for(lambda: "disk_temp_total" in domctl("domjobinfo", "web"), "the job")
    assert "unbounded" in domctl("domjobinfo", "web")
    assert json.loads(domctl("domjobinfo", "web", "--json"))["disk_temp_total"] == 4 << 20
    assert str(socket) in domctl("backup-dumpxml", "web")
    waiting.send_signal(signal.SIGINT)
    out, error = waiting.communicate(timeout=PATIENCE)
    assert (waiting.returncode, out) == (0, "Backup of domain 'web' completed\n"), error
    assert not socket.exists()
    assert "no job is active" in domctl("domjobabort", "web", status=1)
