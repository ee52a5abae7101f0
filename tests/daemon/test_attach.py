# SPDX-License-Identifier: LGPL-2.1-or-later
"""Devices attached, detached and updated: in a running Linux that has to let go of them, and in definitions."""

import os
import pathlib
import re
import select
import subprocess
import time
import xml.etree.ElementTree as ElementTree

import libvirt
import pytest

from conftest import DOMAIN, PATIENCE, GLib, domain_xml, wait_for
from test_guest import guest  # noqa: F401

LIVE, CONFIG, FORCE = 1, 2, 4
INACTIVE = 2
PORTS = "<controller type='pci' model='pcie-root'/>" + "<controller type='pci' model='pcie-root-port'/>" * 10


class Shell:
    """The shell a guest has on its serial port."""

    def __init__(self, path):
        self.terminal = os.open(path, os.O_RDWR | os.O_NOCTTY)
        self.seen = b""
        self.expect(rb"guest: ready.*# ")

    def expect(self, pattern):
        deadline = time.monotonic() + PATIENCE
        while not (found := re.search(pattern, self.seen, re.DOTALL)):
            assert time.monotonic() < deadline, f"no {pattern} in {self.seen}"
            if select.select([self.terminal], [], [], 1)[0]:
                self.seen += os.read(self.terminal, 65536)
        self.seen = self.seen[found.end():]
        return found

    def run(self, command):
        """What @command printed."""
        os.write(self.terminal, f"{command}; echo end'of'it\n".encode())
        return self.expect(rb"end'of'it\r?\n(.*?)endofit").group(1).decode().strip()

    def until(self, command, answer):
        """The guest needs a moment: run @command in it until it prints @answer."""
        wait_for(lambda: self.run(command) == answer, f"{answer!r} from {command!r}")


class Linux:
    """A running guest and what the tests look at of it."""

    def __init__(self, daemon, path):
        self.daemon = daemon
        self.path = path
        self.shell = Shell(self.xml().find("devices/serial/source").get("path"))

    def xml(self, flags=0):
        return ElementTree.fromstring(self.daemon.call(self.path, DOMAIN, "GetXMLDesc", "(u)", flags))

    def attach(self, xml, flags=LIVE):
        self.daemon.call(self.path, DOMAIN, "AttachDevice", "(su)", xml, flags)

    def detach(self, xml, flags=LIVE):
        self.daemon.call(self.path, DOMAIN, "DetachDevice", "(su)", xml, flags)

    def update(self, xml, flags=LIVE):
        self.daemon.call(self.path, DOMAIN, "UpdateDevice", "(su)", xml, flags)

    def error(self, method, xml, flags=LIVE):
        return self.daemon.error(self.path, DOMAIN, method, "(su)", xml, flags)[1]

    def targets(self, flags=0):
        return [target.get("dev") for target in self.xml(flags).findall("devices/disk/target")]

    def open_files(self):
        """The images QEMU holds open, each once: it keeps the descriptor it was given and a copy."""
        names = set()
        for link in pathlib.Path(f"/proc/{self.daemon.machines()['linux']}/fd").iterdir():
            names.add(os.path.basename(os.readlink(link)))
        return sorted(name for name in names if name.endswith((".qcow2", ".raw", ".iso")))


@pytest.fixture
def images(daemon):
    directory = daemon.root / "images"
    directory.mkdir()

    def make(name, size="16M", backing=None):
        options = ["-F", "qcow2", "-b", backing] if backing else []
        image_format = "qcow2" if name.endswith(".qcow2") else "raw"
        subprocess.run(["qemu-img", "create", "-q", "-f", image_format, *options, name, size], cwd=directory, check=True)
        return directory / name

    return make


@pytest.fixture
def boot(daemon, guest):  # noqa: F811
    def boot_with(devices="", machine="q35"):
        path = daemon.define(f"""<domain type='qemu'>
  <name>linux</name>
  <memory unit='MiB'>160</memory>
  <os>
    <type arch='x86_64' machine='{machine}'>hvm</type>
    <kernel>{guest}/vmlinuz</kernel>
    <initrd>{guest}/initrd.img</initrd>
    <cmdline>console=ttyS0 quiet</cmdline>
  </os>
  <features><acpi/><apic/></features>
  <devices>
    {PORTS if machine == 'q35' else ''}
    <serial type='pty'/>
    {devices}
  </devices>
</domain>
""")
        daemon.call(path, DOMAIN, "Create", "(u)", 0)
        return Linux(daemon, path)

    return boot_with


def disk(path, target, bus="virtio", image_format=None, more=""):
    image_format = image_format or ("qcow2" if path.suffix == ".qcow2" else "raw")
    return (f"<disk type='file'><driver name='qemu' type='{image_format}'/><source file='{path}'/>"
            f"<target dev='{target}' bus='{bus}'/>{more}</disk>")


@pytest.mark.parametrize("machine", ["q35", "pc"])
def test_a_disk_comes_stays_and_goes(daemon, boot, images, machine):
    linux = boot(machine=machine)
    images("below.qcow2")
    top = images("top.qcow2", "24M", backing="below.qcow2")
    before = linux.open_files()

    with daemon.signals(DOMAIN, linux.path) as seen:
        linux.attach(disk(top, "vdb"))
        wait_for(lambda: seen, "the signal")
    assert seen == [(linux.path, f"{DOMAIN}.DeviceAdded", ("virtio-disk1",))]
    linux.shell.until("cat /sys/block/vda/size 2>/dev/null", "49152")
    assert linux.open_files() == sorted([*before, "below.qcow2", "top.qcow2"])
    device = linux.xml().find("devices/disk")
    assert device.find("alias").get("name") == "virtio-disk1"
    assert device.find("address").get("type") == "pci"
    assert linux.targets(INACTIVE) == []

    daemon.kill()
    daemon.start()
    assert linux.targets() == ["vdb"]

    with daemon.signals(DOMAIN, linux.path) as seen:
        linux.detach("<disk><target dev='vdb'/></disk>")
        wait_for(lambda: seen, "the signal")
    assert seen == [(linux.path, f"{DOMAIN}.DeviceRemoved", ("virtio-disk1",))]
    assert linux.targets() == []
    assert linux.shell.run("ls /sys/block") == ""
    assert linux.open_files() == before
    linux.attach(disk(top, "vda"))  # its names and its image are free again
    linux.shell.until("cat /sys/block/vda/size 2>/dev/null", "49152")


def test_a_refused_attach_leaves_nothing_behind(boot, images):
    image = images("one.raw")
    linux = boot(disk(image, "vda"))
    before, xml = linux.open_files(), ElementTree.tostring(linux.xml())

    assert "write" in linux.error("AttachDevice", disk(image, "vdb"))  # its device is refused, behind two nodes
    assert "target 'vda' duplicated for disk sources" in linux.error("AttachDevice", disk(images("two.raw"), "vda"))
    assert "No such file" in linux.error("AttachDevice", disk(image.with_name("none.raw"), "vdb"))
    assert "cannot be hotplugged" in linux.error("AttachDevice", disk(images("three.raw"), "sda", "sata"))
    assert "unknown device type" in linux.error("AttachDevice", "<diskette/>")
    assert linux.open_files() == before
    assert ElementTree.tostring(linux.xml()) == xml
    linux.attach(disk(images("four.raw"), "vdb"))
    linux.shell.until("cat /sys/block/vdb/size 2>/dev/null", "32768")


def test_what_is_refused_live_is_not_defined_either(daemon, boot, images):
    image = images("one.raw")
    linux = boot(disk(image, "vda"))
    source = daemon.root.joinpath("etc/domaind/domains/linux.xml").read_text()
    linux.error("AttachDevice", disk(image, "vdb"), LIVE | CONFIG)
    assert linux.targets(INACTIVE) == ["vda"]
    assert daemon.root.joinpath("etc/domaind/domains/linux.xml").read_text() == source


MANY = {
    "interface": ("<interface type='user'><mac address='52:54:00:01:02:03'/><model type='virtio'/></interface>",
                  "ls /sys/class/net | grep -c eth1"),
    "interface without a MAC": ("<interface type='user'><model type='e1000e'/></interface>", None),
    "rng": ("<rng model='virtio'><backend model='random'>/dev/urandom</backend></rng>", None),
    "scsi controller": ("<controller type='scsi' index='0' model='virtio-scsi'/>", None),
    "virtio-serial": ("<controller type='virtio-serial' index='1'/>", None),
    "channel": ("<channel type='unix'><target type='virtio' name='org.test.0'/></channel>", None),
    "tablet": ("<input type='tablet' bus='usb'/>", None),
    "keyboard": ("<input type='keyboard' bus='virtio'/>", None),
}


def aliases(linux, kind):
    return [alias.get("name") for alias in linux.xml().findall(f"devices/{kind}/alias")]


def test_every_kind_that_can_be_plugged_in(boot):
    linux = boot("<interface type='user'><model type='virtio'/></interface><controller type='virtio-serial'/>"
                 "<controller type='usb' model='qemu-xhci'/>")
    for what, (xml, command) in MANY.items():
        kind = xml[1:].split(maxsplit=1)[0]
        before = aliases(linux, kind)
        linux.attach(xml)
        added = set(aliases(linux, kind)) - set(before)
        assert len(added) == 1, what
        if command:
            linux.shell.until(command, "1")
        device = next(device for device in linux.xml().findall(f"devices/{kind}")
                      if device.find("alias") is not None and device.find("alias").get("name") in added)
        linux.detach(ElementTree.tostring(device, encoding="unicode"))
        wait_for(lambda kind=kind, before=before: aliases(linux, kind) == before, f"the end of the {what}")


def test_a_watchdog(boot):
    linux = boot(machine="pc")
    linux.attach("<watchdog model='i6300esb' action='reset'/>")
    assert aliases(linux, "watchdog") == ["watchdog0"]
    linux.detach("<watchdog model='i6300esb' action='reset'/>")
    wait_for(lambda: aliases(linux, "watchdog") == [], "the end of the watchdog")


def test_a_scsi_disk_on_a_controller_that_was_plugged_in(boot, images):
    linux = boot()
    linux.attach("<controller type='scsi' index='0' model='virtio-scsi'/>")
    linux.attach(disk(images("s.raw"), "sda", "scsi"))
    assert linux.open_files() == ["s.raw"]
    controller = "<controller type='scsi' index='0' model='virtio-scsi'/>"
    assert "device is busy" in linux.error("DetachDevice", controller)
    linux.detach("<disk><target dev='sda'/></disk>")
    wait_for(lambda: linux.targets() == [], "the end of the disk")
    linux.detach(controller)


def test_no_slot_left(boot, images):
    linux = boot()
    for number in range(20):
        image = images(f"d{number}.raw", "1M")
        target = "vd" + chr(ord("a") + number)
        try:
            linux.attach(disk(image, target))
        except Exception as problem:  # noqa: BLE001
            assert "No more available PCI slots" in str(problem)
            break
    else:
        pytest.fail("twenty disks in ten ports")
    assert target not in linux.targets()
    assert f"d{number}.raw" not in linux.open_files()


def test_media(daemon, boot, images):
    first, second = images("first.iso", "2M"), images("second.iso", "4M")
    linux = boot("<disk type='file' device='cdrom'><target dev='sda' bus='sata'/><readonly/></disk>")

    def drive(path=None):
        source = f"<source file='{path}'/>" if path else ""
        return (f"<disk type='file' device='cdrom'><driver name='qemu' type='raw'/>{source}"
                "<target dev='sda' bus='sata'/><readonly/></disk>")

    with daemon.signals(DOMAIN, linux.path) as seen:
        linux.update(drive(first))
        wait_for(lambda: len(seen) == 2, "the tray")
    assert [arguments for _, _, arguments in seen] == [("sata0-0-0", 0), ("sata0-0-0", 1)]
    assert linux.open_files() == ["first.iso"]
    linux.update(drive(second))
    assert linux.open_files() == ["second.iso"]
    assert linux.xml().find("devices/disk/source").get("file") == str(second)
    assert linux.xml(INACTIVE).find("devices/disk/source") is None

    assert "No such file" in linux.error("UpdateDevice", drive(second.with_name("none.iso")))
    assert linux.open_files() == ["second.iso"]
    assert "cannot modify field 'target/@bus'" in linux.error("UpdateDevice", drive(first).replace("sata", "scsi"))

    linux.update(drive())
    assert linux.open_files() == []
    assert linux.xml().find("devices/disk/source") is None
    linux.update(drive(first), LIVE | CONFIG)
    assert linux.xml(INACTIVE).find("devices/disk/source").get("file") == str(first)


def test_a_tray_that_the_guest_has_locked(daemon, boot, images):
    """Linux locks it while its drive is open. The change waits for the guest, and gives up when it does nothing."""
    first, second = images("first.iso", "2M"), images("second.iso", "4M")
    drive = ("<disk type='file' device='cdrom'><driver name='qemu' type='raw'/><source file='{}'/>"
             "<target dev='sda' bus='scsi'/><readonly/></disk>")
    linux = boot("<controller type='scsi' model='virtio-scsi'/>" + drive.format(first))
    linux.shell.until("cat /sys/block/sr0/size", "4096")
    linux.shell.run("exec 3</dev/sr0")
    assert linux.error("UpdateDevice", drive.format(second)).endswith("timed out waiting to open tray of 'sda'")
    assert linux.open_files() == ["first.iso"]
    assert linux.xml().find("devices/disk/source").get("file") == str(first)

    answer = daemon.begin(linux.path, DOMAIN, "UpdateDevice", "(su)", drive.format(second), LIVE)
    linux.shell.run("echo 1 > /proc/sys/dev/cdrom/autoeject; exec 3<&-; echo 0 > /proc/sys/dev/cdrom/autoeject")
    answered = wait_for(lambda: answer, "the answer")[0]
    assert answered.unpack() == (), answered
    assert linux.open_files() == ["second.iso"]

    linux.shell.run("exec 3</dev/sr0")
    linux.update(drive.format(first), LIVE | FORCE)
    assert linux.open_files() == ["first.iso"]


def test_a_link_is_cut_and_mended(boot):
    linux = boot("<interface type='user'><mac address='52:54:00:01:02:03'/><model type='virtio'/></interface>")
    card = ("<interface type='user'><mac address='52:54:00:01:02:03'/><model type='virtio'/>"
            "<link state='{}'/></interface>")
    linux.shell.until("cat /sys/class/net/eth0/carrier", "1")
    linux.update(card.format("down"))
    linux.shell.until("cat /sys/class/net/eth0/carrier", "0")
    assert linux.xml().find("devices/interface/link").get("state") == "down"
    linux.update(card.format("up"))
    linux.shell.until("cat /sys/class/net/eth0/carrier", "1")
    assert "model from virtio to e1000" in linux.error("UpdateDevice", card.format("up").replace("virtio", "e1000"))
    assert "matching MAC address" in linux.error("UpdateDevice", card.format("up").replace("01:02", "99:99"))


def test_a_guest_that_does_not_let_go(daemon, images):
    """The firmware of a PC answers no unplug: the call is answered, and the device stays."""
    path = daemon.define(domain_xml("silent", more="<features><acpi/></features>", devices=disk(images("held.raw"), "vda")))
    daemon.call(path, DOMAIN, "Create", "(u)", 0)
    daemon.call(path, DOMAIN, "DetachDevice", "(su)", "<disk><target dev='vda'/></disk>", LIVE)
    assert "vda" in daemon.call(path, DOMAIN, "GetXMLDesc", "(u)", 0)
    daemon.call(path, DOMAIN, "Destroy", "(u)", 0)


def test_a_machine_that_ends_while_a_device_is_awaited(daemon, images):
    path = daemon.define(domain_xml("silent", more="<features><acpi/></features>", devices=disk(images("held.raw"), "vda")))
    daemon.call(path, DOMAIN, "Create", "(u)", 0)
    answer = daemon.begin(path, DOMAIN, "DetachDevice", "(su)", "<disk><target dev='vda'/></disk>", LIVE)
    daemon.call(path, DOMAIN, "Destroy", "(u)", 0)
    wait_for(lambda: answer, "the answer")
    assert "vda" in daemon.call(path, DOMAIN, "GetXMLDesc", "(u)", INACTIVE)


SOURCE = """<!-- kept in git -->
<domain type='qemu'>
  <name>own</name>
  <memory unit='MiB'>32</memory>
  <os><type arch='x86_64' machine='pc'>hvm</type></os>
  <devices>
      <!-- the system -->
      <disk type="file"><source file="/images/system.raw"/><target dev="vda" bus="virtio"/></disk>
      <rng model='virtio'><backend model='random'>/dev/urandom</backend></rng> <!-- the only one -->
      <interface type='user'/>
  </devices>
</domain>
"""


def test_the_document_is_edited_where_the_device_stands(daemon):
    path = daemon.define(SOURCE)
    file = daemon.root / "etc/domaind/domains/own.xml"

    daemon.call(path, DOMAIN, "AttachDevice", "(su)",
                "<?xml version='1.0'?>\n<disk type='file'>\n  <source file='/images/more.raw'/>\n  <target dev='vdb'/>\n</disk>\n",
                CONFIG)
    assert file.read_text() == SOURCE.replace("      <interface type='user'/>\n", """      <interface type='user'/>
      <disk type='file'>
        <source file='/images/more.raw'/>
        <target dev='vdb'/>
      </disk>
""")
    daemon.call(path, DOMAIN, "DetachDevice", "(su)", "<disk><target dev='vdb'/></disk>", CONFIG)
    assert file.read_text() == SOURCE
    mac = re.search("mac address='(.*?)'", daemon.call(path, DOMAIN, "GetXMLDesc", "(u)", INACTIVE)).group(1)
    daemon.call(path, DOMAIN, "DetachDevice", "(su)", f"<interface type='user'><mac address='{mac}'/></interface>", CONFIG)
    assert file.read_text() == SOURCE.replace("      <interface type='user'/>\n", "")

    file.write_text(SOURCE)
    _, text = daemon.error(path, DOMAIN, "DetachDevice", "(su)", "<disk><target dev='vda'/></disk>", CONFIG)
    assert "changed by hand" in text
    assert file.read_text() == SOURCE


@pytest.mark.parametrize("xml, flags, words", [
    ("<disk><target dev='vdz'/></disk>", CONFIG, "device not found: no target device vdz"),
    ("<interface type='user'><mac address='52:54:00:99:99:99'/></interface>", CONFIG,
     "device not found: no device found at address '(<null>)' matching MAC address '52:54:00:99:99:99' and alias '(<null>)'"),
    ("<disk><target dev='vda'/></disk>", LIVE, "domain is not running"),
    ("<disk><target dev='vda'/>", CONFIG, "line 1"),
    ("<disk><target dev='vda'/></disk>", 1 << 9, "unsupported flags (0x200)"),
    ("<memballoon model='virtio'/>", CONFIG, "persistent detach of device 'memballoon' is not supported"),
])
def test_what_cannot_be_detached(daemon, xml, flags, words):
    path = daemon.define(SOURCE)
    assert words in daemon.error(path, DOMAIN, "DetachDevice", "(su)", xml, flags)[1]


NIC = "<interface type='user'><model type='virtio'/><address type='pci' bus='0x04' slot='0x00' function='0x{}'/></interface>"
CHANNEL = "<channel type='unix'><target type='virtio' name='org.test.0'/></channel>"
SERIAL = "<serial type='pty'><target type='{}' port='0'/></serial>"


@pytest.fixture
def paused(daemon):
    """A machine with free ports, whose guest does not run; its path."""
    xml = domain_xml("silent", more="<features><acpi/></features>", devices=PORTS + CHANNEL).replace("'pc'", "'q35'")
    path = daemon.define(xml.replace("<controller type='usb' model='none'/>", ""))
    daemon.call(path, DOMAIN, "Create", "(u)", 1)
    return path


def test_a_slot_is_plugged_in_by_its_function_0(daemon, paused):
    for function, flags in (1, LIVE), (7, LIVE | CONFIG):
        assert daemon.error(paused, DOMAIN, "AttachDevice", "(su)", NIC.format(function), flags)[1].endswith(
            ": Only PCI device addresses with function=0 are supported")
    daemon.call(paused, DOMAIN, "AttachDevice", "(su)", NIC.format(1), CONFIG)
    daemon.call(paused, DOMAIN, "AttachDevice", "(su)", NIC.format(0), LIVE)


@pytest.mark.parametrize("device, flags", [(CHANNEL, LIVE), (CHANNEL, CONFIG), (SERIAL.format("isa-serial"), CONFIG),
                                           ("<parallel type='pty'><target port='0'/></parallel>", CONFIG)])
def test_the_same_character_device_twice(daemon, paused, device, flags):
    if device != CHANNEL:
        daemon.call(paused, DOMAIN, "AttachDevice", "(su)", device, flags)
    assert daemon.error(paused, DOMAIN, "AttachDevice", "(su)", device, flags)[1].endswith(": chardev already exists")


@pytest.mark.parametrize("device", [CHANNEL.replace("org.test.0", "org.test.1"), SERIAL.format("usb-serial"),
                                    CHANNEL.replace("'unix'", "'pty'")])
def test_character_devices_that_differ_in_their_name_or_end(daemon, paused, device):
    daemon.call(paused, DOMAIN, "AttachDevice", "(su)", device, CONFIG)


@pytest.mark.parametrize("ports, says", [
    ((0, 0), "target port '0' already allocated"), ((1, 3, 1), "target port '1' already allocated"),
    ((4,), "Maximum supported number of ISA serial ports is '4'"),
])
def test_isa_ports_that_a_pc_has_not(daemon, ports, says):
    path = daemon.define(domain_xml("pc", devices="".join(f"<serial type='null'><target port='{port}'/></serial>" for port in ports)))
    name, text = daemon.error(path, DOMAIN, "Create", "(u)", 0)
    assert text.endswith(says)


def test_who_names_a_device_by_its_alias_does_not_wait(daemon, images):
    """The firmware of a PC answers no unplug. Asked later, and answered before the call that waits for it."""
    silent = [daemon.create(domain_xml(name, more="<features><acpi/></features>", devices=disk(images(f"{name}.raw"), "vda")))
              for name in ("first", "second")]
    waits = daemon.begin(silent[0], DOMAIN, "DetachDevice", "(su)", "<disk><target dev='vda'/></disk>", LIVE)
    connection = libvirt.open(f"qemu:///session?socket={daemon.root}/run/domaind/libvirt-sock")
    connection.lookupByName("second").detachDeviceAlias("virtio-disk0", LIVE)
    connection.close()
    daemon.call(silent[1], DOMAIN, "GetXMLDesc", "(u)", 0)  # what was answered before is here now
    while GLib.MainContext.default().iteration(False):
        pass
    assert not waits
    wait_for(lambda: waits, "the end of the wait")


def test_an_interface_is_known_by_its_address(daemon, paused):
    daemon.call(paused, DOMAIN, "AttachDevice", "(su)", NIC.format(0), CONFIG)
    by_address = re.sub("<model.*?/>", "", NIC.format(0))
    daemon.call(paused, DOMAIN, "DetachDevice", "(su)", by_address, CONFIG)
    assert "no device found at address '0000:04:00.0'" in daemon.error(paused, DOMAIN, "DetachDevice", "(su)", by_address, CONFIG)[1]
