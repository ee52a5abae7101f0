# SPDX-License-Identifier: LGPL-2.1-or-later
"""The disk that holds the definitions is full: each change is made in the machine and its definition, or in neither."""

import contextlib
import os
import subprocess
import xml.etree.ElementTree as ElementTree

import libvirt
import pytest

import namespaces
from conftest import Daemon

BOTH = libvirt.VIR_DOMAIN_AFFECT_LIVE | libvirt.VIR_DOMAIN_AFFECT_CONFIG
INACTIVE = libvirt.VIR_DOMAIN_XML_INACTIVE
MACHINE = """<domain type='qemu'>
  <name>web</name>
  <memory unit='MiB'>32</memory>
  <vcpu current='1'>2</vcpu>
  <iothreads>1</iothreads>
  <os><type arch='x86_64' machine='pc'>hvm</type></os>
  <features><acpi/></features>
  <devices>
    <controller type='usb' model='none'/>
    <disk type='file' device='disk'><source file='{images}/c'/><target dev='vda' bus='virtio'/></disk>
    <disk type='file' device='cdrom'><source file='{images}/a'/><target dev='sda' bus='sata'/><readonly/></disk>
    <memballoon model='virtio'/>
  </devices>
</domain>
"""
RNG = "<rng model='virtio'><backend model='random'>/dev/urandom</backend></rng>"
OTHER_MEDIUM = "<disk type='file' device='cdrom'><source file='{images}/b'/><target dev='sda' bus='sata'/><readonly/></disk>"


class Small:
    """A small file system, filled and emptied at will."""

    def __init__(self, places):
        self.places = places

    def fill(self):
        for place in self.places:
            with contextlib.suppress(OSError), open(place / "fill", "wb", buffering=0) as file:
                while True:
                    file.write(bytes(4096))

    def free(self):
        for place in self.places:
            (place / "fill").unlink()

    @contextlib.contextmanager
    def full(self):
        self.fill()
        try:
            yield
        finally:
            self.free()


@pytest.fixture
def small(root, bus):
    """(daemon, its small disk): definitions and lasting state are on it, what is running is not."""
    namespaces.need()
    places = [root / "etc/domaind", root / "var/lib/domaind"]
    daemon = Daemon(root, bus)
    with contextlib.ExitStack() as mounts:
        for place in places:
            place.mkdir(parents=True)
            subprocess.run(["mount", "-t", "tmpfs", "-o", "size=512k", "none", place], check=True)
            mounts.callback(subprocess.run, ["umount", "-l", place], check=True)
        try:
            daemon.start()
            yield daemon, Small(places)
        finally:
            daemon.clean_up()


@pytest.fixture
def connection(small):
    it = libvirt.open(f"qemu:///session?socket={small[0].root}/run/domaind/libvirt-sock")
    yield it
    with contextlib.suppress(libvirt.libvirtError):  # a test may have ended the daemon
        it.close()


@pytest.fixture
def images(small, tmp_path):
    for name in "abc":
        with open(tmp_path / name, "wb") as file:
            file.truncate(1 << 20)
    return tmp_path


@pytest.fixture
def web(connection, images):
    domain = connection.defineXML(MACHINE.format(images=images))
    domain.create()
    return domain


def both_documents(domain):
    return [ElementTree.canonicalize(domain.XMLDesc(flags), strip_text=True) for flags in (0, INACTIVE)]


CHANGES = {
    "attach": lambda web, images: web.attachDeviceFlags(RNG, BOTH),
    "update": lambda web, images: web.updateDeviceFlags(OTHER_MEDIUM.format(images=images), BOTH),
    "setvcpus": lambda web, images: web.setVcpusFlags(2, BOTH),
    "setmem": lambda web, images: web.setMemoryFlags(16 * 1024, BOTH),
    "iothreads": lambda web, images: web.addIOThread(7, BOTH),
    "tuning": lambda web, images: web.pinEmulator((True,), BOTH),
    "metadata": lambda web, images: web.setMetadata(libvirt.VIR_DOMAIN_METADATA_DESCRIPTION, "x", None, None, BOTH),
}


@pytest.mark.parametrize("change", CHANGES)
def test_a_change_of_both_is_made_in_neither(small, web, images, change):
    before = both_documents(web)
    with small[1].full():
        with pytest.raises(libvirt.libvirtError, match="No space left on device"):
            CHANGES[change](web, images)
        assert both_documents(web) == before
    CHANGES[change](web, images)
    live, config = both_documents(web)
    assert config != before[1]
    assert live != before[0] or change == "setmem"  # a guest without a driver keeps its memory
    assert not list(small[0].root.rglob(".aside-*"))


def test_detach(small, web, images):
    web.attachDeviceFlags(RNG, libvirt.VIR_DOMAIN_AFFECT_CONFIG)
    web.destroy()
    web.create()
    before = both_documents(web)
    with small[1].full():
        with pytest.raises(libvirt.libvirtError, match="No space left on device"):
            web.detachDeviceFlags(RNG, BOTH)
        assert both_documents(web) == before


def test_define_and_undefine(small, connection, web):
    daemon, disk = small
    document = MACHINE.replace("web", "other").format(images="/nowhere")
    with disk.full():
        with pytest.raises(libvirt.libvirtError, match="No space left on device"):
            connection.defineXML(document)
        assert [domain.name() for domain in connection.listAllDomains()] == ["web"]
        with pytest.raises(libvirt.libvirtError, match="No space left on device"):
            connection.defineXML(web.XMLDesc(INACTIVE).replace("<features>", "<title>t</title><features>"))
        assert "<title>" not in web.XMLDesc(INACTIVE)
        web.undefine()  # makes room, and needs none
        assert not web.isPersistent()
    web.destroy()
    daemon.stop()
    assert daemon.start().call("/org/libvirt/QEMU", "org.libvirt.Connect", "ListDomains", "(u)", 0) == []


def test_pool_and_volume(small, connection):
    daemon, disk = small
    place = daemon.root / "var/lib/domaind/pool"
    place.mkdir()
    document = f"<pool type='dir'><name>p</name><target><path>{place}</path></target></pool>"
    volume = "<volume><name>v</name><capacity>1048576</capacity><target><format type='qcow2'/></target></volume>"
    with disk.full():
        with pytest.raises(libvirt.libvirtError, match="No space left on device"):
            connection.storagePoolDefineXML(document)
        assert connection.listAllStoragePools() == []
    pool = connection.storagePoolDefineXML(document)
    pool.create()
    with disk.full():
        with pytest.raises(libvirt.libvirtError, match="No space left on device"):
            pool.createXML(volume)
        assert os.listdir(place) == []
        assert pool.listVolumes() == []
    assert pool.createXML(volume).name() == "v"


def test_managed_save(small, web):
    with small[1].full():
        with pytest.raises(libvirt.libvirtError):
            web.managedSave()
        assert web.isActive() and not web.hasManagedSaveImage()
    assert web.state()[0] == libvirt.VIR_DOMAIN_RUNNING
