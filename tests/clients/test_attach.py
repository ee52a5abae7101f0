# SPDX-License-Identifier: LGPL-2.1-or-later
"""The commands a person uses to change the devices of a machine, by the unmodified virsh."""


import pytest

from host import host, little_linux, needs  # noqa: F401

pytestmark = needs("/usr/bin/virsh", "libvirt-clients")

MAC = "52:54:00:0a:0b:0c"


@pytest.fixture
def linux(host, tmp_path):  # noqa: F811
    document = tmp_path / "linux.xml"
    ports = "<controller type='pci' model='pcie-root'/>" + "<controller type='pci' model='pcie-root-port'/>" * 8
    drive = "<disk type='file' device='cdrom'><target dev='sda' bus='sata'/><readonly/></disk>"
    document.write_text(host.linux("linux", devices=ports + drive))
    host.virsh("define", document)
    host.virsh("start", "linux")
    assert "guest: ready" in host.console("linux", "guest: ready")
    return host


def rows(text):
    return [line.split() for line in text.splitlines()]


def test_disks(linux):
    image = linux.disk("more.qcow2")
    linux.virsh("attach-disk", "linux", image, "vdb", "--subdriver", "qcow2", "--live", "--config")
    assert rows(linux.virsh("domblklist", "linux")) == [["sda", "-"], ["vdb", str(image)]]
    assert rows(linux.virsh("domblklist", "linux", "--inactive")) == [["sda", "-"], ["vdb", str(image)]]
    assert "target 'vdb' duplicated for disk sources" in linux.virsh("attach-disk", "linux", image, "vdb", status=1)
    linux.virsh("detach-disk", "linux", "vdb", "--live", "--config")
    assert rows(linux.virsh("domblklist", "linux")) == [["sda", "-"]]
    assert rows(linux.virsh("domblklist", "linux", "--inactive")) == [["sda", "-"]]
    linux.virsh("attach-disk", "linux", image, "vdb", "--subdriver", "qcow2")
    linux.virsh("detach-device-alias", "linux", "virtio-disk1")


def test_media(linux):
    first, second = linux.disk("first.qcow2"), linux.disk("second.qcow2")
    linux.virsh("change-media", "linux", "sda", first, "--insert", "--live")
    linux.virsh("change-media", "linux", "sda", second, "--update", "--live", "--config")
    assert rows(linux.virsh("domblklist", "linux")) == [["sda", str(second)]]
    assert rows(linux.virsh("domblklist", "linux", "--inactive")) == [["sda", str(second)]]
    linux.virsh("change-media", "linux", "sda", "--eject", "--live")
    assert rows(linux.virsh("domblklist", "linux")) == [["sda", "-"]]


def test_interfaces(linux, tmp_path):
    card = tmp_path / "card.xml"
    card.write_text(f"<interface type='user'><mac address='{MAC}'/><model type='virtio'/></interface>")
    linux.virsh("attach-device", "linux", card, "--live", "--config")
    assert rows(linux.virsh("domiflist", "linux")) == [["-", "user", "-", "virtio", MAC]]
    linux.virsh("domif-setlink", "linux", MAC, "down")
    assert linux.virsh("domif-getlink", "linux", MAC) == f"{MAC} down"
    linux.virsh("domif-setlink", "linux", MAC, "up")
    card.write_text(f"<interface type='user'><mac address='{MAC}'/><model type='virtio'/><link state='down'/></interface>")
    linux.virsh("update-device", "linux", card, "--live", "--config")
    assert linux.virsh("domif-getlink", "linux", MAC, "--config") == f"{MAC} down"
    linux.virsh("detach-interface", "linux", "user", "--mac", MAC, "--live", "--config")
    assert linux.virsh("domiflist", "linux") == ""
    # A bridge that is not there is refused by name, and nothing is left of the card.
    refused = linux.virsh("attach-interface", "linux", "bridge", "br0", "--mac", MAC, "--model", "virtio", status=1)
    assert "Cannot get interface MTU on 'br0': No such device" in refused
    assert linux.virsh("domiflist", "linux") == ""
    linux.virsh("attach-interface", "linux", "bridge", "br0", "--mac", MAC, "--model", "virtio", "--config")
    assert rows(linux.virsh("domiflist", "linux", "--inactive")) == [["-", "bridge", "br0", "virtio", MAC]]
    linux.virsh("detach-interface", "linux", "bridge", "--mac", MAC, "--config")
    assert linux.virsh("domiflist", "linux", "--inactive") == ""
