# SPDX-License-Identifier: LGPL-2.1-or-later
"""`domctl check`: what it prints, and what programs get."""

import json
import os
import subprocess

import pytest

from conftest import BUILD, PATIENCE, domain_xml
from test_machines import domctl  # noqa: F401: a fixture

UUID = "f5c1e3ab-31d0-4f0c-8f3f-2d3b8f6f2a11"
DISK = "<disk type='file'><driver name='qemu' type='raw'/><source file='{}'/><target dev='vda' bus='virtio'/></disk>"


@pytest.fixture
def failing(daemon):
    """What domctl prints when it fails."""
    def run(*words):
        done = subprocess.run([BUILD / "cli" / "domctl", "--connect", "session", *map(str, words)], capture_output=True,
                              text=True, timeout=PATIENCE,
                              env=dict(os.environ, DBUS_SESSION_BUS_ADDRESS=daemon.bus.address, LC_ALL="C.UTF-8"))
        assert (done.returncode, done.stderr) == (1, "")
        return done.stdout

    return run


def test_a_machine(domctl, failing, tmp_path):  # noqa: F811
    image = tmp_path / "web.img"
    document = tmp_path / "web.xml"
    document.write_text(domain_xml("web", UUID, devices=DISK.format(image)))
    domctl("define", document)
    todo = f"qemu-img create -f qcow2 '{image}' SIZE makes an empty one; or correct its path"
    what = f"Cannot access storage file '{image}': No such file or directory (disk 'vda')"
    assert failing("check", "web") == f"web:10:5: error: {what} [document]\n    to do: {todo}\n"
    assert json.loads(failing("--json", "check", "web")) == [{"domain": "web", "starts": False, "findings": [{
        "check": "document", "severity": "error", "line": 10, "column": 5,
        "message": what, "todo": todo}]}]
    image.write_bytes(bytes(512))
    assert domctl("check", "web") == "web: nothing stands in the way of a start\n"
    domctl("start", "web")
    assert domctl("check", "web", document) == (
        "web: note: it runs: what it needs it has, and was not looked at [running]\n"
        "web: nothing stands in the way of a start\n") * 2


def test_a_directory(domctl, failing, tmp_path):  # noqa: F811
    """Every document of a machine in it; mistakes have their places."""
    (tmp_path / "good.xml").write_text(domain_xml("good", UUID))
    (tmp_path / "lan.xml").write_text("<network><name>lan</name></network>")
    (tmp_path / "notes.txt").write_text("none of ours")
    assert domctl("check", tmp_path) == "good: nothing stands in the way of a start\n"
    bad = tmp_path / "bad.xml"
    bad.write_text(domain_xml("bad").replace("<vcpu>1</vcpu>", "<vcpu>one</vcpu>"))
    output = failing("check", tmp_path)
    assert f"{bad}:5:" in output and "good: nothing stands in the way of a start\n" in output


def test_what_is_not_there(domctl, tmp_path):  # noqa: F811
    assert "no domain with matching name 'web'" in domctl("check", "web", status=1)
    assert "No such file" in domctl("check", tmp_path / "none.xml", status=1)
