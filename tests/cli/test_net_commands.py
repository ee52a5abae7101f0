# SPDX-License-Identifier: LGPL-2.1-or-later
"""domctl's commands about virtual networks, with a session's daemon."""

import json
import subprocess

from conftest import BUILD
from test_machines import domctl  # noqa: F401: a fixture

UUID = "c0ffee00-1111-2222-3333-444455556666"
LAN = f"""<network>
  <name>lan</name> <!-- kept -->
  <uuid>{UUID}</uuid>
  <forward mode='bridge'/>
  <bridge name='br0'/>
</network>
"""


def test_a_networks_story(domctl, tmp_path):  # noqa: F811
    (tmp_path / "lan.xml").write_text(LAN)
    assert domctl("net-define", tmp_path / "lan.xml") == f"Network 'lan' defined from {tmp_path}/lan.xml\n"
    assert domctl("net-start", UUID) == "Network 'lan' started\n"
    assert domctl("net-autostart", "lan") == "Network 'lan' marked as autostarted\n"
    assert domctl("net-list") == (" Name   State    Autostart   Persistent\n"
                                  "-----------------------------------------\n"
                                  " lan    active   yes         yes\n\n")
    assert json.loads(domctl("--json", "net-info", "lan")) == {
        "name": "lan", "uuid": UUID, "bridge": "br0", "active": True, "autostart": True, "persistent": True}
    assert domctl("net-update", "lan", "add", "portgroup", "<portgroup name='p'/>", "--config", "--live") == (
        "Updated network 'lan'\n")
    assert domctl("net-dumpxml", "--source", "lan") == LAN.replace(
        "</network>", "  <portgroup name='p'/>\n</network>")
    assert "<portgroup name='p'>" in domctl("net-dumpxml", "lan")
    assert json.loads(domctl("--json", "net-dhcp-leases", "lan")) == []
    assert domctl("net-destroy", "lan") == "Network 'lan' destroyed\n"
    assert "network 'lan' is not active" in domctl("net-check", "lan", status=1)
    assert domctl("net-undefine", "lan") == "Network 'lan' has been undefined\n"
    assert json.loads(domctl("--json", "net-list", "--all")) == []
    assert domctl("net-info", "lan", status=1) == (
        "error: failed to get network 'lan'\n"
        "error: Network not found: no network with matching name 'lan'\n")
    assert domctl("trash", "restore", "lan") == "'lan' is defined again\n"
    assert "<portgroup name='p'/>" in domctl("net-dumpxml", "--source", "lan")
    domctl("net-undefine", "--no-trash", "lan")
    assert json.loads(domctl("--json", "trash", "list")) == []


def test_default_takes_the_next_free_subnet(domctl):  # noqa: F811
    assert domctl("net-define", "--default") == "Network 'default' defined with 192.168.122.0/24\n"
    xml = domctl("net-dumpxml", "default")
    assert "<bridge name='virbr0' stp='on' delay='0'/>" in xml
    assert "<range start='192.168.122.2' end='192.168.122.254'/>" in xml
    domctl("net-undefine", "default")
    domctl("net-define", "-", stdin="<network><name>other</name><ip address='192.168.122.129' prefix='25'/></network>")
    assert domctl("net-define", "--default") == (
        "Network 'default' defined with 192.168.123.0/24: libvirt's 192.168.122.0/24 is used already\n")
    assert "<bridge name='virbr1'" in domctl("net-dumpxml", "default")


def test_edit(domctl, tmp_path):  # noqa: F811
    domctl("net-define", "-", stdin=LAN)
    assert domctl("net-edit", "lan", EDITOR="true") == "Network 'lan' XML configuration not changed\n"
    assert domctl("net-edit", "lan", EDITOR="sed -i s/br0/br7/") == "Network 'lan' XML configuration edited\n"
    assert domctl("net-dumpxml", "--source", "lan") == LAN.replace("br0", "br7")
    refusal = domctl("net-edit", "lan", status=1, EDITOR="sed -i s/bridge/brdige/", TMPDIR=str(tmp_path))
    assert "did you mean 'bridge'?" in refusal and "your text is kept in" in refusal


def test_mistakes_have_places(tmp_path):
    document = tmp_path / "net.xml"
    document.write_text("<network>\n  <name>a/b</name>\n  <forward mode='nta'/>\n  <brdige name='x'/>\n</network>\n")
    done = subprocess.run([BUILD / "cli" / "domctl", "validate", document], capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert [line.partition(": ")[0] for line in done.stderr.splitlines()] == [
        f"{document}:2:3", f"{document}:3:12", f"{document}:4:3"]
    assert "did you mean 'nat'?" in done.stderr and "did you mean 'bridge'?" in done.stderr


def test_normalize(tmp_path):
    document = tmp_path / "net.xml"
    document.write_text(LAN)
    done = subprocess.run([BUILD / "cli" / "domctl", "normalize", document], capture_output=True, text=True, check=True)
    assert done.stdout == LAN.replace(" <!-- kept -->", "")
