# SPDX-License-Identifier: LGPL-2.1-or-later
"""Disks whose images have other formats than raw and qcow2, alone and below another."""

import base64
import struct
import subprocess

import libvirt
import pytest

from conftest import domain_xml


@pytest.fixture
def connection(daemon):
    it = libvirt.open(f"qemu:///session?socket={daemon.root}/run/domaind/libvirt-sock")
    yield it
    it.close()


def disk(format, path):
    return (f"<disk type='file'><driver name='qemu' type='{format}'/><source file='{path}'/>"
            "<target dev='vda' bus='virtio'/></disk>")


@pytest.mark.parametrize("format", ["qcow", "qed", "vdi", "vmdk", "vpc"])
def test_image_of_another_format(connection, tmp_path, format):
    image, overlay = tmp_path / "image", tmp_path / "overlay.qcow2"
    exact = ["-o", "force_size=on"] if format == "vpc" else []  # it rounds to whole cylinders
    subprocess.run(["qemu-img", "create", "-q", "-f", format, *exact, image, "16M"], check=True)
    subprocess.run(["qemu-img", "create", "-q", "-f", "qcow2", "-b", image, "-F", format, overlay], check=True)
    for kind, path in (format, image), ("qcow2", overlay):
        domain = connection.createXML(domain_xml("web", devices=disk(kind, path)))
        assert domain.blockInfo("vda")[0] == 16 << 20
        domain.destroy()


def overlay_of(image, format):
    overlay = image.with_suffix(".qcow2")
    subprocess.run(["qemu-img", "create", "-q", "-f", "qcow2", "-b", image, "-F", format, overlay], check=True)
    return overlay


def test_vpc_of_fixed_size(connection, tmp_path):
    """Its footer says what it is; its beginning is the guest's own."""
    image = tmp_path / "image.vpc"
    subprocess.run(["qemu-img", "create", "-q", "-f", "vpc", "-o", "subformat=fixed,force_size=on", image, "16M"], check=True)
    for kind, path in ("vpc", image), ("qcow2", overlay_of(image, "vpc")):
        domain = connection.createXML(domain_xml("web", devices=disk(kind, path)))
        assert domain.blockInfo("vda")[0] == 16 << 20
        domain.destroy()
    with open(image, "r+b") as file:
        file.truncate(16 << 20)
    with pytest.raises(libvirt.libvirtError, match="is not in format 'vpc'"):
        connection.createXML(domain_xml("web", devices=disk("vpc", image)))


def dmg(path, sectors):
    """A disk image of Apple's with one part, stored as it is: the data, a table of parts in a property list, a trailer."""
    data = bytes(sectors * 512)
    part = struct.pack(">IIQQQQ", 1, 0, 0, sectors, 0, len(data))
    end = struct.pack(">IIQQQQ", 0xFFFFFFFF, 0, sectors, 0, len(data), 0)
    table = b"mish" + struct.pack(">IQQQII", 1, 0, sectors, 0, 0, 0) + bytes(24 + 136) + struct.pack(">I", 2) + part + end
    plist = b"<plist><dict><key>blkx</key><array><dict><data>" + base64.b64encode(table) + b"</data></dict></array></dict></plist>"
    trailer = bytearray(512)
    struct.pack_into(">4sII", trailer, 0, b"koly", 4, 512)
    struct.pack_into(">QQ", trailer, 24, 0, len(data))
    struct.pack_into(">QQ", trailer, 0xD8, len(data), len(plist))
    struct.pack_into(">Q", trailer, 0x1EC, sectors)
    path.write_bytes(data + plist + trailer)


def test_dmg(connection, tmp_path):
    image = tmp_path / "image.dmg"
    dmg(image, 4096)
    only_read = disk("dmg", image).replace("</disk>", "<readonly/></disk>")
    for xml in only_read, disk("qcow2", overlay_of(image, "dmg")):
        domain = connection.createXML(domain_xml("web", devices=xml))
        assert "type='dmg'" in domain.XMLDesc()
        domain.destroy()
