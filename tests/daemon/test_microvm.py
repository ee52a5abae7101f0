# SPDX-License-Identifier: LGPL-2.1-or-later
"""QEMU's microvm with a real Linux in it: what can be done with any other machine, and what it says where it cannot."""

import re
import subprocess

import libvirt
import pytest

from conftest import BUILD, initrd_with, wait_for

UUID = "2f6a4f0e-63a5-4d58-8f0e-5c5d2f0b7a11"
RUNNING, PAUSED, SHUTOFF = libvirt.VIR_DOMAIN_RUNNING, libvirt.VIR_DOMAIN_PAUSED, libvirt.VIR_DOMAIN_SHUTOFF
DISK_ONLY = libvirt.VIR_DOMAIN_SNAPSHOT_CREATE_DISK_ONLY
LIVE = libvirt.VIR_DOMAIN_AFFECT_LIVE
DISK = """<disk type='file'><driver name='qemu' type='qcow2'/><source file='{path}'/>
  <target dev='{target}' bus='virtio'/></disk>"""
PCI = "<controller type='pci' model='pcie-root'/>"
EVERYTHING = """<disk type='file'><driver name='qemu' type='raw'/><source file='{root}/sda.img'/><target dev='sda' bus='scsi'/></disk>
  <filesystem type='mount' accessmode='mapped'><source dir='{root}'/><target dir='nine'/></filesystem>
  <interface type='user'/>
  <console type='pty'><target type='virtio'/></console>
  <input type='keyboard'/><input type='tablet'/>
  <graphics type='vnc' socket='{root}/vnc'/>
  <memballoon model='virtio'/>
  <panic/>"""

# What the guest tells of itself: its virtio devices by their numbers, and whether it has what it should not have.
SCRIPT = """#!/bin/sh
echo "guest: virtio $(cat /sys/bus/virtio/devices/*/device | sort | tr '\\n' ' ')"
[ -e /sys/bus/pci/devices/0000:00:00.0 ] && echo "guest: PCI" || echo "guest: no PCI"
"""
BLOCK, NET, CONSOLE, ENTROPY, BALLOON, SCSI, NINEP, GPU, INPUT = 2, 1, 3, 4, 5, 8, 9, 16, 18


def connect(daemon):
    return libvirt.open(f"qemu:///session?socket={daemon.root}/run/domaind/libvirt-sock")


class Linux:
    """A microvm whose Linux counts on its console."""

    def __init__(self, daemon, initrd):
        self.daemon = daemon
        self.initrd = initrd
        self.image = daemon.root / "vda.qcow2"
        self.console = daemon.root / "console.log"
        subprocess.run(["qemu-img", "create", "-q", "-f", "qcow2", self.image, "16M"], check=True)

    def define(self, devices="", words="guest.count"):
        self.domain = connect(self.daemon).defineXML(f"""<domain type='qemu'>
  <name>light</name>
  <uuid>{UUID}</uuid>
  <memory unit='MiB'>128</memory>
  <os><type arch='x86_64' machine='microvm'>hvm</type>
    <kernel>{BUILD}/guest/vmlinuz</kernel><initrd>{self.initrd}</initrd><cmdline>console=ttyS0 quiet {words}</cmdline></os>
  <devices>
    {DISK.format(path=self.image, target='vda')}
    <serial type='file'><source path='{self.console}'/></serial>
    <rng model='virtio'><backend model='random'>/dev/urandom</backend></rng>
    {devices}
  </devices>
</domain>""")
        return self

    def boot(self, *arguments, **options):
        self.define(*arguments, **options).domain.create()
        self.hear(b"guest: ready")
        return self

    def hear(self, words):
        return wait_for(lambda: self.console.exists() and self.console.read_bytes() if words in self.console.read_bytes()
                        else None, f"{words} on the console")

    def numbers(self):
        return [int(number) for number in re.findall(rb"guest: count (\d+)\r?\n", self.console.read_bytes())]

    def goes_on(self, number):
        """It counts on from about there, and has not booted again."""
        assert wait_for(self.numbers, "a number")[0] >= number
        last = self.numbers()[-1]
        wait_for(lambda: self.numbers()[-1] > last + 1, "the next number")

    def virtio(self):
        text = re.search(rb"guest: virtio ([0-9a-fx ]*)", self.console.read_bytes()).group(1)
        return sorted(int(number, 16) for number in text.split())

    def again(self):
        self.domain = connect(self.daemon).lookupByUUIDString(UUID)
        return self.domain

    def refusal(self, call, *arguments):
        with pytest.raises(libvirt.libvirtError) as caught:
            call(*arguments)
        return caught.value.get_error_message()


@pytest.fixture(scope="module")
def initrd(tmp_path_factory):
    return initrd_with(tmp_path_factory.mktemp("initrd"), SCRIPT)


@pytest.fixture
def linux(daemon, initrd):
    return Linux(daemon, initrd)


def test_all_its_devices_are_seen_by_the_guest(linux, daemon):
    (daemon.root / "sda.img").write_bytes(bytes(1024 * 1024))
    linux.boot(EVERYTHING.format(root=daemon.root))
    assert linux.virtio() == sorted([BLOCK, NET, CONSOLE, ENTROPY, BALLOON, SCSI, NINEP, GPU, INPUT, INPUT])
    assert b"guest: no PCI" in linux.console.read_bytes()


def test_a_killed_daemon_finds_it_again_and_it_ends_by_its_power_button(linux, daemon):
    linux.boot("<memballoon model='virtio'/><interface type='user'/>")
    pid = daemon.machines()["light"]
    daemon.kill()
    daemon.start()
    domain = linux.again()
    assert daemon.machines() == {"light": pid}
    linux.goes_on(1)

    domain.suspend()
    assert domain.state()[0] == PAUSED
    domain.resume()
    (_, seen), = domain.connect().domainListGetStats([domain])
    assert (seen["state.state"], seen["block.count"], seen["net.count"], seen["vcpu.current"]) == (RUNNING, 1, 1, 1)
    assert seen["block.0.rd.reqs"] > 0 and seen["cpu.time"] > 0 and seen["balloon.current"] == 128 * 1024

    domain.shutdown()
    wait_for(lambda: domain.state()[0] == SHUTOFF, "the guest's own end")
    assert daemon.processes() == set()


def test_saved_and_restored(linux, daemon):
    linux.boot()
    image = daemon.root / "light.save"
    last = linux.numbers()[-1] if linux.numbers() else 0
    linux.domain.save(str(image))
    assert linux.domain.state()[0] == SHUTOFF and daemon.processes() == set()
    linux.domain.connect().restore(str(image))
    linux.goes_on(last)

    last = linux.numbers()[-1]
    linux.domain.managedSave()
    assert linux.domain.hasManagedSaveImage() == 1
    linux.domain.create()
    assert linux.domain.hasManagedSaveImage() == 0
    linux.goes_on(last)


@pytest.mark.parametrize(("flags", "inside"), [
    (0, ""),
    (DISK_ONLY, ""),
    (0, "<memory snapshot='external' file='{root}/s.memory'/>"),
], ids=["internal", "external", "with-memory"])
def test_snapshots(linux, daemon, flags, inside):
    linux.boot()
    wait_for(linux.numbers, "a number")
    xml = f"<domainsnapshot><name>s</name>{inside.format(root=daemon.root)}</domainsnapshot>"
    snapshot = linux.domain.snapshotCreateXML(xml, flags)
    last = linux.numbers()[-1]
    if not flags:
        linux.domain.destroy()
        linux.domain.revertToSnapshot(snapshot)
        assert linux.domain.state()[0] == RUNNING
        linux.goes_on(last)
    else:
        assert linux.domain.XMLDesc().count("vda.s") == 1
        linux.goes_on(1)
    assert linux.domain.snapshotListNames() == ["s"]


def test_what_can_be_changed_while_it_runs(linux, daemon):
    linux.boot("<memballoon model='virtio'/><interface type='user'/>")
    other = daemon.root / "vdb.qcow2"
    subprocess.run(["qemu-img", "create", "-q", "-f", "qcow2", other, "16M"], check=True)
    before = linux.domain.XMLDesc()
    device = DISK.format(path=other, target="vdb")
    refusal = linux.refusal(linux.domain.attachDeviceFlags, device, LIVE)
    assert "cannot hot plug disk 'vdb': its place is in the machine's memory (virtio-mmio)" in refusal
    refusal = linux.refusal(linux.domain.detachDeviceFlags, "<disk type='file'><target dev='vda'/></disk>", LIVE)
    assert "cannot hot unplug disk 'vda': its place is in the machine's memory (virtio-mmio)" in refusal
    linux.refusal(linux.domain.setVcpusFlags, 2, LIVE)
    assert linux.domain.XMLDesc() == before

    linux.domain.blockResize("vda", 32 * 1024 * 1024, libvirt.VIR_DOMAIN_BLOCK_RESIZE_BYTES)
    assert linux.domain.blockInfo("vda")[0] == 32 * 1024 * 1024
    linux.domain.setMemory(96 * 1024)
    wait_for(lambda: linux.domain.memoryStats().get("actual") == 96 * 1024, "the balloon")

    linux.domain.attachDeviceFlags(device, libvirt.VIR_DOMAIN_AFFECT_CONFIG)
    linux.domain.destroy()
    linux.console.unlink()
    linux.domain.create()
    linux.hear(b"guest: ready")
    assert linux.virtio().count(BLOCK) == 2


def test_with_pci_devices_come_and_go(linux, daemon):
    linux.boot(PCI + "<controller type='pci' model='pcie-root-port'/>" * 4)
    assert b"guest: PCI" in linux.console.read_bytes()
    other = daemon.root / "vdb.qcow2"
    subprocess.run(["qemu-img", "create", "-q", "-f", "qcow2", other, "16M"], check=True)
    device = DISK.format(path=other, target="vdb")
    linux.domain.attachDeviceFlags(device, LIVE)
    assert linux.domain.XMLDesc().count("<target dev='vdb'") == 1
    linux.domain.detachDeviceFlags(device, LIVE)
    wait_for(lambda: linux.domain.XMLDesc().count("<target dev='vdb'") == 0, "the disk's end")


def test_capabilities_know_it(daemon):
    connection = connect(daemon)
    assert re.search("<machine[^>]*>microvm</machine>", connection.getCapabilities())
    xml = connection.getDomainCapabilities(None, "x86_64", "microvm", "qemu")
    assert "<machine>microvm</machine>" in xml
    assert not re.search("<value>(ide|fdc|floppy|pflash)</value>", xml)
