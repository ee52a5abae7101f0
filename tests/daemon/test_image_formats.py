# SPDX-License-Identifier: LGPL-2.1-or-later
"""Disks whose images have other formats than raw and qcow2, alone and below another."""

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
