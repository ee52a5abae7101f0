# SPDX-License-Identifier: LGPL-2.1-or-later
"""Devices of the host: found, taken from its drivers, had by one machine only, and given back, on a host that is made
up. A function that the guest does not see (<address type='unassigned'/>) is taken like any other, and the machine runs."""

import os
import re
import subprocess

import libvirt
import pytest

import conftest
from conftest import Daemon, kill_and_wait, wait_for
from made_up_host import MadeUpHost

ONE, OTHER = "5b7e4c2a-6f0d-4d0e-9a35-0d1c6b3f7a21", "5b7e4c2a-6f0d-4d0e-9a35-0d1c6b3f7a22"
CARD, SECOND, BRIDGE = "0000:06:12.5", "0000:06:12.6", "0000:06:00.0"
UNSEEN = "<address type='unassigned'/>"
CONFIG, LIVE = libvirt.VIR_DOMAIN_AFFECT_CONFIG, libvirt.VIR_DOMAIN_AFFECT_LIVE


def domain_xml(name, uuid, devices=""):
    """With a USB controller."""
    return conftest.domain_xml(name, uuid, devices=devices).replace("<controller type='usb' model='none'/>", "")


def pci(name=CARD, managed="yes", inside=UNSEEN, driver=""):
    bus, slot, function = name[5:7], name[8:10], name[11:]
    return (f"<hostdev mode='subsystem' type='pci' managed='{managed}'>{driver}<source>"
            f"<address domain='0x0000' bus='0x{bus}' slot='0x{slot}' function='0x{function}'/></source>{inside}</hostdev>")


def usb(source, policy=""):
    return f"<hostdev mode='subsystem' type='usb'><source{policy}>{source}</source></hostdev>"


IDS = "<vendor id='0x46d'/><product id='0xc52b'/>"


@pytest.fixture
def host(root):
    with MadeUpHost(root / "host") as it:
        it.add_function(CARD, 7)
        yield it


@pytest.fixture
def daemon(root, bus, host):
    (root / "domaind.conf").write_text(f"[places]\nhost-directory = /host\n")
    it = Daemon(root, bus, "--config", root / "domaind.conf")
    try:
        it.start()
        yield it
    finally:
        it.clean_up()


@pytest.fixture
def connect(daemon):
    opened = []

    def it():
        opened.append(libvirt.open(f"qemu:///session?socket={daemon.root}/run/domaind/libvirt-sock"))
        return opened[-1]

    libvirt.registerErrorHandler(lambda context, error: None, None)
    yield it
    for connection in opened:
        connection.close()


def refusal(call, *arguments):
    with pytest.raises(libvirt.libvirtError) as caught:
        call(*arguments)
    return caught.value.get_error_code(), str(caught.value)


def records(daemon):
    directory = daemon.root / "run/domaind/host-devices"
    return {path.name: re.search("^machine=(.*)$", path.read_text(), re.M)[1] for path in directory.glob("*")}


def test_function_is_taken_and_given_back(daemon, host, connect):
    node = host.top / "dev/vfio/7"
    domain = connect().createXML(domain_xml("one", ONE, devices=pci()))
    assert host.driver(CARD) == "vfio-pci"
    assert records(daemon) == {CARD: ONE}
    process = daemon.machines()["one"]
    assert node.stat().st_uid == os.stat(f"/proc/{process}").st_uid
    domain.destroy()
    wait_for(lambda: host.driver(CARD) == "host-driver", "the host's driver")
    wait_for(lambda: records(daemon) == {}, "the record's end")
    assert node.stat().st_uid == 0


def test_one_machine_has_it(daemon, host, connect):
    connection = connect()
    one = connection.createXML(domain_xml("one", ONE, devices=pci()))
    other = domain_xml("other", OTHER, devices=pci())
    used = (libvirt.VIR_ERR_OPERATION_INVALID, f"Requested operation is not valid: PCI device {CARD} is in use by "
            "driver QEMU, domain one")
    assert refusal(connection.createXML, other) == used
    assert host.driver(CARD) == "vfio-pci"
    # It goes from one to the other by way of the host, and a machine that is started again finds it.
    one.destroy()
    for _ in range(3):
        connection.createXML(other).destroy()
    connection.createXML(other)
    assert refusal(connection.createXML, domain_xml("one", ONE, devices=pci())) == (
        used[0], used[1].replace("domain one", "domain other"))


@pytest.mark.parametrize("end", ["kill", "stop"])
def test_another_daemon_knows_who_has_it(daemon, host, connect, end):
    connect().createXML(domain_xml("one", ONE, devices=pci()))
    getattr(daemon, end)()
    daemon.start()
    connection = connect()
    assert refusal(connection.createXML, domain_xml("other", OTHER, devices=pci()))[1].endswith(
        f"PCI device {CARD} is in use by driver QEMU, domain one")
    connection.lookupByName("one").destroy()
    wait_for(lambda: host.driver(CARD) == "host-driver", "the host's driver")


def test_given_back_after_a_crash_of_both(daemon, host, connect):
    connect().createXML(domain_xml("one", ONE, devices=pci()))
    process = daemon.machines()["one"]
    daemon.kill()
    kill_and_wait(process)
    assert host.driver(CARD) == "vfio-pci"
    daemon.start()
    wait_for(lambda: host.driver(CARD) == "host-driver", "the host's driver")
    wait_for(lambda: records(daemon) == {}, "the record's end")
    connect().createXML(domain_xml("one", ONE, devices=pci()))
    assert host.driver(CARD) == "vfio-pci"


def test_one_that_was_being_attached_is_the_machines(daemon, host, connect):
    """It is in no definition yet, and whether QEMU has it shows when it is asked."""
    connect().createXML(domain_xml("one", ONE))
    daemon.kill()
    (daemon.root / "run/domaind/host-devices").mkdir()
    (daemon.root / "run/domaind/host-devices" / CARD).write_text(f"[function]\nmachine={ONE}\nbound=true\n")
    daemon.start()
    assert refusal(connect().createXML, domain_xml("other", OTHER, devices=pci()))[1].endswith(
        f"PCI device {CARD} is in use by driver QEMU, domain one")


def test_conventional_function_gets_a_conventional_slot(host, connect):
    q35 = domain_xml("one", ONE, devices=pci(inside="")).replace("'pc'", "'q35'")
    assert "pcie-to-pci-bridge" not in connect().defineXML(q35).XMLDesc()
    connect().lookupByName("one").undefine()
    (host.pci / "devices" / CARD / "config").write_bytes(bytes(256))
    assert "pcie-to-pci-bridge" in connect().defineXML(q35).XMLDesc()


def test_driver_that_does_not_take_it(daemon, host, connect):
    host.refusing.add("vfio-pci")
    assert refusal(connect().createXML, domain_xml("one", ONE, devices=pci())) == (
        libvirt.VIR_ERR_INTERNAL_ERROR, f"internal error: Failed to bind PCI device '{CARD}' to vfio-pci: the driver does "
        "not take it, or its module is not loaded")
    wait_for(lambda: host.driver(CARD) == "host-driver", "the host's driver")


def test_driver_of_its_own(host, connect):
    host.add_driver("mlx5_vfio_pci")
    connect().createXML(domain_xml("one", ONE, devices=pci(driver="<driver model='mlx5_vfio_pci'/>")))
    assert host.driver(CARD) == "mlx5_vfio_pci"


def test_group_is_taken_as_a_whole(host, connect):
    connection = connect()
    host.add_function(BRIDGE, 7, "pcieport", "0x060400")
    host.add_function(SECOND, 7, "snd")
    assert refusal(connection.createXML, domain_xml("one", ONE, devices=pci())) == (
        libvirt.VIR_ERR_CONFIG_UNSUPPORTED, f"unsupported configuration: PCI device {CARD} is not assignable: {SECOND} is in "
        f"the same IOMMU group (7), and the host's driver 'snd' uses it; both have to be given to the machine, or {SECOND} "
        "be detached from its driver")
    assert host.driver(CARD) == "host-driver"
    connection.createXML(domain_xml("one", ONE, devices=pci() + pci(SECOND)))
    assert [host.driver(name) for name in (CARD, SECOND, BRIDGE)] == ["vfio-pci", "vfio-pci", "pcieport"]


def test_group_of_another_machine(host, connect):
    connection = connect()
    host.add_function(SECOND, 7, None)
    connection.createXML(domain_xml("one", ONE, devices=pci()))
    assert refusal(connection.createXML, domain_xml("other", OTHER, devices=pci(SECOND)))[1].endswith(
        f"PCI device {CARD} is in use by driver QEMU, domain one")


def without(*paths):
    def change(host):
        for path in paths:
            (host.top / path).rename(host.top / "away")

    return change


def nothing(_):
    pass


REFUSED = [
    (pci("0000:06:13.0"), nothing, libvirt.VIR_ERR_SYSTEM_ERROR, "Device 0000:06:13.0 not found: could not access "),
    (pci(managed="no"), nothing, libvirt.VIR_ERR_OPERATION_INVALID,
     f"Unmanaged PCI device {CARD} must be manually detached from the host: it is used by driver host-driver"),
    (pci(), without("sys/kernel/iommu_groups"), libvirt.VIR_ERR_CONFIG_UNSUPPORTED,
     "host doesn't support passthrough of host PCI devices: the kernel knows of no IOMMU"),
    (pci(), without("dev/vfio/vfio"), libvirt.VIR_ERR_CONFIG_UNSUPPORTED,
     "host doesn't support passthrough of host PCI devices: there is no "),
    (pci(), without(f"sys/bus/pci/devices/{CARD}/iommu_group"), libvirt.VIR_ERR_CONFIG_UNSUPPORTED,
     f"host doesn't support passthrough of host PCI devices: {CARD} is in no IOMMU group"),
    (usb(IDS), nothing, libvirt.VIR_ERR_INTERNAL_ERROR, "Did not find USB device 046d:c52b"),
    (usb(IDS), lambda host: [host.add_usb(0x46d, 0xc52b, 1, number) for number in (2, 3)],
     libvirt.VIR_ERR_OPERATION_FAILED, "Multiple USB devices for 46d:c52b, use <address> to specify one"),
    (usb("<address bus='1' device='2'/>"), nothing, libvirt.VIR_ERR_INTERNAL_ERROR,
     "Did not find USB device bus:1 device:2"),
    (usb(IDS + "<address bus='1' device='2'/>"), lambda host: host.add_usb(0x46d, 0xc52b, 1, 3),
     libvirt.VIR_ERR_INTERNAL_ERROR, "Did not find USB device 046d:c52b bus:1 device:2"),
    ("<hostdev type='scsi'><source><adapter name='scsi_host3'/><address bus='0' target='1' unit='2'/></source></hostdev>",
     nothing, libvirt.VIR_ERR_SYSTEM_ERROR, "3:0:1:2/scsi_generic': No such file or directory"),
    ("<hostdev type='scsi_host'><source protocol='vhost' wwpn='naa.5123456789abcde0'/></hostdev>", nothing,
     libvirt.VIR_ERR_CONFIG_UNSUPPORTED, "dev/vhost-scsi' cannot be found"),
    (f"<hostdev type='mdev' model='vfio-pci'><source><address uuid='{ONE}'/></source></hostdev>", nothing,
     libvirt.VIR_ERR_DEVICE_MISSING, f"mediated device '{ONE}' not found"),
    ("<interface type='hostdev' managed='yes'><source><address type='pci' bus='6' slot='0x12' function='5'/></source></interface>",
     nothing, libvirt.VIR_ERR_CONFIG_UNSUPPORTED,
     "Interface type hostdev is currently supported on SR-IOV Virtual Functions only"),
]


@pytest.mark.parametrize("device, change, code, words", REFUSED, ids=range(len(REFUSED)))
def test_refused_by_name_before_anything_starts(daemon, host, connect, device, change, code, words):
    change(host)
    told, message = refusal(connect().createXML, domain_xml("one", ONE, devices=device))
    assert (told, words in message) == (code, True), message
    assert (daemon.processes(), records(daemon)) == (set(), {})
    assert host.driver(CARD) == "host-driver"


CARD_OF = "0000:06:10.0"
INTERFACE = ("<interface type='hostdev' managed='yes'><mac address='52:54:00:00:00:07'/><source><address type='pci' "
             "bus='6' slot='0x12' function='5'/></source>{inside}</interface>")


def test_virtual_function_of_a_card(daemon, host, connect):
    """The kernel is asked to give it the MAC address; a card that knows no virtual functions says so."""
    if subprocess.run(["ip", "link", "add", "card0", "type", "bridge"], check=False).returncode != 0:
        pytest.skip("no link can be made here")
    try:
        card = host.add_function(CARD_OF, 6)
        (card / "net/card0").mkdir(parents=True)
        (card / "virtfn0").symlink_to(host.pci / "devices" / SECOND)
        (card / "virtfn1").symlink_to(host.pci / "devices" / CARD)
        (host.pci / "devices" / CARD / "physfn").symlink_to(card)
        told = refusal(connect().createXML, domain_xml("one", ONE, devices=INTERFACE.format(inside="")))
        assert told == (libvirt.VIR_ERR_SYSTEM_ERROR, "Cannot set the MAC address and the VLAN of virtual function 1 of "
                        "'card0': Operation not supported")
        wait_for(lambda: host.driver(CARD) == "host-driver", "the host's driver")
        assert records(daemon) == {}
        trunk = INTERFACE.format(inside="<vlan trunk='yes'><tag id='4'/><tag id='5'/></vlan>")
        assert refusal(connect().createXML, domain_xml("one", ONE, devices=trunk))[1].endswith(
            "vlan trunking is not supported by SR-IOV network devices")
    finally:
        subprocess.run(["ip", "link", "delete", "card0"], check=True)


def test_optional_usb_device_may_be_missing(host, connect):
    connection = connect()
    optional = usb(IDS, " startupPolicy='optional'")
    domain = connection.createXML(domain_xml("one", ONE, devices=optional))
    assert "<source startupPolicy='optional' missing='yes'>" in domain.XMLDesc()
    domain.destroy()
    host.add_usb(0x46d, 0xc52b, 3, 4)  # no device that QEMU could open; it says so
    assert "hostdev0" in refusal(connection.createXML, domain_xml("one", ONE, devices=optional))[1]


GIVEN_TO_QEMU = [
    (usb(IDS), lambda host: host.add_usb(0x46d, 0xc52b, 3, 4), "usb-host"),
    (usb("<address bus='3' device='4'/>"), lambda host: host.add_usb(0x46d, 0xc52b, 3, 4), "usb-host"),
    ("<hostdev type='scsi'><source><adapter name='scsi_host3'/><address bus='0' target='1' unit='2'/></source></hostdev>",
     lambda host: host.add_scsi("3:0:1:2", 5), "dev/sg5"),
    ("<hostdev type='scsi_host'><source protocol='vhost' wwpn='naa.5123456789abcde0'/></hostdev>",
     lambda host: (host.top / "dev/vhost-scsi").touch(), "vhost"),
]


@pytest.mark.parametrize("device, change, words", GIVEN_TO_QEMU, ids=range(len(GIVEN_TO_QEMU)))
def test_node_that_is_no_device_is_refused_by_qemu(daemon, host, connect, device, change, words):
    """All of ours has been done: what the node is, QEMU finds."""
    change(host)
    _, message = refusal(connect().createXML, domain_xml("one", ONE, devices=device))
    assert "process exited while connecting to monitor" in message and words in message, message
    assert daemon.processes() == set()


def test_what_qemu_refuses_goes_back(daemon, host, connect):
    _, message = refusal(connect().createXML, domain_xml("one", ONE, devices=pci(inside="")))
    # Before QEMU is asked, it has to be allowed to lock the guest's memory.
    assert CARD in message or "cannot limit locked memory" in message
    wait_for(lambda: host.driver(CARD) == "host-driver", "the host's driver")
    wait_for(lambda: records(daemon) == {}, "the record's end")


def test_attached_and_detached(daemon, host, connect):
    connection = connect()
    domain = connection.defineXML(domain_xml("one", ONE))
    domain.create()
    domain.attachDeviceFlags(pci(), LIVE | CONFIG)
    assert host.driver(CARD) == "vfio-pci"
    assert domain.XMLDesc().count(UNSEEN) == 1
    assert domain.XMLDesc(libvirt.VIR_DOMAIN_XML_INACTIVE).count(UNSEEN) == 1
    assert refusal(domain.attachDeviceFlags, pci(), CONFIG) == (
        libvirt.VIR_ERR_OPERATION_INVALID, "Requested operation is not valid: device is already in the domain configuration")
    domain.detachDeviceFlags(pci(), LIVE | CONFIG)
    wait_for(lambda: host.driver(CARD) == "host-driver", "the host's driver")
    assert "hostdev" not in domain.XMLDesc()
    assert refusal(domain.detachDeviceFlags, pci(), LIVE)[1].endswith(f"host pci device {CARD} not found")

    # What QEMU does not take, neither machine nor host keeps.
    message = refusal(domain.attachDeviceFlags, pci(inside=""), LIVE)[1]
    assert CARD in message or "cannot limit locked memory" in message
    wait_for(lambda: host.driver(CARD) == "host-driver", "the host's driver")
    assert "hostdev" not in domain.XMLDesc()
    card = "<interface type='hostdev' managed='yes'><source><address type='pci' bus='6' slot='0x12' function='5'/></source></interface>"
    assert "on SR-IOV Virtual Functions only" in refusal(domain.attachDeviceFlags, card, LIVE)[1]
    assert "interface" not in domain.XMLDesc()
    assert refusal(domain.attachDeviceFlags, usb(IDS), LIVE)[1] == "internal error: Did not find USB device 046d:c52b"
    domain.attachDeviceFlags(usb(IDS), CONFIG)
    assert refusal(domain.detachDeviceFlags, usb(IDS.replace("46d", "46e")), CONFIG)[1].endswith(
        "host usb device vendor=0x046e product=0xc52b not found")
    domain.detachDeviceFlags(usb(IDS), CONFIG)
