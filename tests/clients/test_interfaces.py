# SPDX-License-Identifier: LGPL-2.1-or-later
"""The host's interfaces, as virsh, libvirt's Python module and D-Bus clients see and change them: bridges, taps and
cards of a network namespace, and a host whose network ifupdown configures."""

import contextlib
import json
import os
import re
import subprocess

import libvirt
import pytest
from gi.repository import Gio, GLib

from conftest import BUILD, CONNECT, PROPERTIES, ROOT, Bus, wait_for
from host import Host, SystemDaemon, needs

VIRSH = "/usr/bin/virsh"
DOMCTL = BUILD / "cli" / "domctl"
pytestmark = needs(VIRSH, "libvirt-clients")

BRIDGE_MAC = "02:00:00:00:00:04"
LINKS = """
link add br0 address 02:00:00:00:00:04 type bridge stp_state 1 forward_delay 400
link add br1 address 02:00:00:00:00:05 type bridge
link add ve0 address 02:00:00:00:00:06 mtu 1400 type veth peer name ve1 address 02:00:00:00:00:07
link set ve0 up
link set ve1 up
link set ve1 master br0
link set br0 up
tuntap add tap0 mode tap
link set tap0 address 02:00:00:00:00:08
link set tap0 master br0
"""
# What libvirt 11.3 says of these.
DOCUMENTS = {
    "lo": """<interface type='ethernet' name='lo'>
  <mtu size='65536'/>
  <link state='unknown'/>
  <mac address='00:00:00:00:00:00'/>
</interface>
""",
    "br0": """<interface type='bridge' name='br0'>
  <mtu size='1500'/>
  <bridge stp='on' delay='400'>
    <interface type='ethernet' name='tap0'>
      <link state='down'/>
      <mac address='02:00:00:00:00:08'/>
    </interface>
    <interface type='ethernet' name='ve1'>
      <link speed='10000' state='up'/>
      <mac address='02:00:00:00:00:07'/>
    </interface>
  </bridge>
</interface>
""",
    "br1": """<interface type='bridge' name='br1'>
  <mtu size='1500'/>
  <bridge stp='off' delay='1500'>
  </bridge>
</interface>
""",
    "ve0": """<interface type='ethernet' name='ve0'>
  <mtu size='1400'/>
  <link speed='10000' state='up'/>
  <mac address='02:00:00:00:00:06'/>
</interface>
""",
}
# A stand-in for ifupdown, which would need the whole of /etc: it knows the bridges of the files it is given.
IFUP = """#!/bin/sh
[ "$1" = --force ] && shift
file=HOST/etc/network/interfaces.d/domaind-$1
[ -e "$file" ] || { echo "ifup: unknown interface $1" >&2; exit 1; }
grep -q bridge_ports "$file" && ip link add "$1" type bridge
ip link set "$1" up
"""
IFDOWN = """#!/bin/sh
[ "$1" = --force ] && shift
ip link delete "$1"
"""


class InANamespace(SystemDaemon):
    """In a network namespace of its own, that of the process @self.holder."""

    def __init__(self, root, bus, holder, path):
        super().__init__(root, bus)
        self.prefix = ("nsenter", f"--net=/proc/{holder.pid}/ns/net", "env", f"PATH={path}:{os.environ['PATH']}")


@pytest.fixture
def holder():
    process = subprocess.Popen(["unshare", "--net", "sh", "-c", "ip link set lo up && echo ready && exec cat"],
                               stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    if process.stdout.readline() != "ready\n":
        pytest.skip("no network namespaces here")
    yield process
    process.stdin.close()
    process.wait()
    process.stdout.close()


def ip(holder, *words):
    subprocess.run(["nsenter", f"--net=/proc/{holder.pid}/ns/net", "ip", *words], check=True)


@pytest.fixture
def network(holder, tmp_path):
    """A daemon in @holder's namespace; no program configures its network until a test writes `interfaces`."""
    for line in LINKS.strip().splitlines():
        ip(holder, *line.split())
    programs = tmp_path / "bin"
    programs.mkdir()
    directory = tmp_path / "etc" / "domaind"
    directory.mkdir(parents=True)
    (directory / "domaind.conf").write_text("[places]\nhost-directory = /host\n")
    (tmp_path / "host").mkdir()
    for name, text in (("ifup", IFUP), ("ifdown", IFDOWN)):
        (programs / name).write_text(text.replace("HOST", str(tmp_path / "host")))
        (programs / name).chmod(0o755)
    bus = Bus(tmp_path)
    daemon = InANamespace(tmp_path, bus, holder, programs)
    daemon.start()
    yield Host(daemon)
    daemon.stop()
    bus.stop()


@pytest.fixture
def ifupdown(network):
    directory = network.daemon.root / "host" / "etc" / "network"
    directory.mkdir(parents=True)
    (directory / "interfaces").write_text("auto lo\niface lo inet loopback\niface ve0 inet dhcp\n"
                                          "source /etc/network/interfaces.d/*\n")
    return directory / "interfaces.d"


@contextlib.contextmanager
def connected(network):
    it = libvirt.open(f"qemu:///system?socket={network.daemon.root}/run/domaind/libvirt-sock")
    try:
        yield it
    finally:
        it.close()


@pytest.fixture
def connection(network):
    with connected(network) as it:
        yield it


def error_of(call, *arguments):
    with pytest.raises(libvirt.libvirtError) as caught:
        call(*arguments)
    return caught.value.get_error_code(), caught.value.get_error_domain(), caught.value.get_error_message()


def define(network, text, status=0):
    file = network.daemon.root / "interface.xml"
    file.write_text(text)
    return network.virsh("iface-define", file, status=status)


def test_lists(network, connection):
    every = ["br0", "br1", "lo", "ve0", "ve1"]
    active = ["br0", "ve0", "ve1"]
    wait_for(lambda: connection.interfaceLookupByName("br0").isActive(), "the bridge's carrier")
    assert [one.name() for one in connection.listAllInterfaces()] == every
    assert [one.name() for one in connection.listAllInterfaces(libvirt.VIR_CONNECT_LIST_INTERFACES_ACTIVE)] == active
    assert [one.name() for one in connection.listAllInterfaces(libvirt.VIR_CONNECT_LIST_INTERFACES_INACTIVE)] == [
        "br1", "lo"]
    assert connection.listInterfaces() == active
    assert connection.numOfInterfaces() == 3
    assert connection.listDefinedInterfaces() == ["br1"]
    assert connection.numOfDefinedInterfaces() == 1
    assert re.findall(r"(\S+) +(\S+) +(\S+)", network.virsh("iface-list", "--all")) == [
        ("br0", "active", "02:00:00:00:00:04"), ("br1", "inactive", "02:00:00:00:00:05"),
        ("lo", "inactive", "00:00:00:00:00:00"), ("ve0", "active", "02:00:00:00:00:06"),
        ("ve1", "active", "02:00:00:00:00:07")]


@pytest.mark.parametrize("name", DOCUMENTS)
def test_documents(network, connection, name):
    interface = connection.interfaceLookupByName(name)
    assert interface.XMLDesc() == DOCUMENTS[name]
    assert interface.XMLDesc(libvirt.VIR_INTERFACE_XML_INACTIVE) == DOCUMENTS[name]


def test_lookups(network, connection, holder):
    assert connection.interfaceLookupByMACString("02:00:00:00:00:06").name() == "ve0"
    assert connection.interfaceLookupByName("tap0").MACString() == "02:00:00:00:00:08"
    assert error_of(connection.interfaceLookupByName, "nosuch") == (
        57, 26, "Interface not found: couldn't find interface named 'nosuch'")
    for mac in ("02:00:00:00:00:99", "02:00:00:00:00:08", ""):  # nobody's, a tap's, none
        assert error_of(connection.interfaceLookupByMACString, mac) == (
            57, 26, f"Interface not found: couldn't find interface with MAC address '{mac}'")
    interface = connection.interfaceLookupByName("br1")
    ip(holder, "link", "set", "br1", "address", BRIDGE_MAC)
    assert error_of(connection.interfaceLookupByMACString, BRIDGE_MAC)[:2] == (
        libvirt.VIR_ERR_MULTIPLE_INTERFACES, 26)
    ip(holder, "link", "delete", "br1")
    assert error_of(interface.isActive)[:2] == (57, 26)
    assert error_of(interface.XMLDesc)[:2] == (57, 26)


def test_nobody_configures_the_network(network, connection):
    interface = connection.interfaceLookupByName("br1")
    for call, *arguments in ((connection.interfaceDefineXML, DOCUMENTS["br1"]), (interface.undefine,),
                             (interface.create,), (interface.destroy,), (connection.changeBegin,),
                             (connection.changeCommit,), (connection.changeRollback,)):
        code, domain, words = error_of(call, *arguments)
        assert (code, domain) == (libvirt.VIR_ERR_NO_SUPPORT, 26)
        assert words.startswith("this function is not supported by the connection driver: virInterface")
        assert "neither NetworkManager nor systemd-networkd nor ifupdown configures this host's network" in words


NEW = """<interface type='bridge' name='br7'>
  <start mode='onboot'/>
  <mtu size='1300'/>
  <protocol family='ipv4'>
    <ip address='10.7.0.1' prefix='24'/>
  </protocol>
  <bridge stp='off' delay='0'>
  </bridge>
</interface>
"""


def test_define_and_start(network, ifupdown):
    define(network, NEW)
    assert (ifupdown / "domaind-br7").read_text().splitlines()[1:] == [
        "auto br7", "iface br7 inet static", "    address 10.7.0.1/24", "    mtu 1300", "    bridge_ports none",
        "    bridge_stp off", "    bridge_fd 0"]
    assert "br7" in network.virsh("iface-list", "--inactive")
    assert network.virsh("iface-dumpxml", "br7").strip() == NEW.strip()
    network.daemon.stop()
    network.daemon.start()
    network.virsh("iface-start", "br7")
    assert "<mtu size='1500'/>" in network.virsh("iface-dumpxml", "br7")
    assert network.virsh("iface-dumpxml", "--inactive", "br7").strip() == NEW.strip()
    with connected(network) as connection:
        connection.interfaceLookupByName("br7").destroy()  # virsh 9.0 says of it that it has failed
    assert "interface is not running" in network.virsh("iface-destroy", "br7", status=1)
    network.virsh("iface-undefine", "br7")
    assert list(ifupdown.iterdir()) == []
    assert "couldn't find interface named 'br7'" in network.virsh("iface-start", "br7", status=1)


def test_refusals(network, ifupdown):
    assert "interface 've0' is configured in" in define(
        network, "<interface type='ethernet' name='ve0'/>", status=1)
    assert "'../x' cannot be the name of an interface" in define(
        network, "<interface type='ethernet' name='../x'/>", status=1)
    assert "ifupdown cannot make a VLAN of that name" in define(
        network, "<interface type='vlan' name='blue'><vlan tag='7'><interface name='ve0'/></vlan></interface>", status=1)
    assert "interface 'br1' has no definition that was made here" in network.virsh("iface-undefine", "br1", status=1)
    assert "ifup: unknown interface br1" in network.virsh("iface-start", "br1", status=1)
    assert "interface is already running" in network.virsh("iface-start", "ve0", status=1)
    assert not ifupdown.exists() or list(ifupdown.iterdir()) == []
    define(network, "<interface type='bridge' name='br7'><bridge><interface type='ethernet' name='ve1'/></bridge></interface>")
    assert "interface 've1' is in the definition of 'br7' already" in define(
        network, "<interface type='ethernet' name='ve1'/>", status=1)


def test_transactions(network, ifupdown):
    define(network, NEW)
    assert "no transaction running, nothing to be committed." in network.virsh("iface-commit", status=1)
    assert "no transaction running, nothing to rollback." in network.virsh("iface-rollback", status=1)
    network.virsh("iface-begin")
    assert "there is another transaction running." in network.virsh("iface-begin", status=1)
    define(network, NEW.replace("br7", "br8"))
    define(network, NEW.replace("1300", "1200"))
    network.virsh("iface-start", "br8")
    network.daemon.stop()
    network.daemon.start()
    network.virsh("iface-rollback")
    assert [path.name for path in ifupdown.iterdir()] == ["domaind-br7"]
    assert network.virsh("iface-dumpxml", "--inactive", "br7").strip() == NEW.strip()
    assert "br8" not in network.virsh("iface-list", "--all")
    network.virsh("iface-begin")
    network.virsh("iface-undefine", "br7")
    network.virsh("iface-commit")
    assert list(ifupdown.iterdir()) == []
    network.virsh("iface-begin")


def test_dbus(network, ifupdown):
    bus = network.daemon.bus.connection

    def call(path, interface, method, signature=None, *arguments):
        parameters = GLib.Variant(signature, arguments) if signature else None
        return bus.call_sync("org.libvirt", path, interface, method, parameters, None, Gio.DBusCallFlags.NONE, -1,
                             None).unpack()

    path = f"{ROOT}/interface/02_3a00_3a00_3a00_3a00_3a06"
    assert call(ROOT, CONNECT, "InterfaceLookupByName", "(s)", "ve0") == (path,)
    assert call(ROOT, CONNECT, "InterfaceLookupByMAC", "(s)", "02:00:00:00:00:06") == (path,)
    assert path in call(ROOT, CONNECT, "ListInterfaces", "(u)", 0)[0]
    assert call(path, PROPERTIES, "GetAll", "(s)", "org.libvirt.Interface") == (
        {"Active": True, "MAC": "02:00:00:00:00:06", "Name": "ve0"},)
    assert call(path, "org.libvirt.Interface", "GetXMLDesc", "(u)", 0) == (DOCUMENTS["ve0"],)
    with pytest.raises(GLib.Error, match="couldn't find interface with MAC address '02:ff'"):
        call(f"{ROOT}/interface/02_3aff", "org.libvirt.Interface", "GetXMLDesc", "(u)", 0)
    new = NEW.replace("<mtu", f"<mac address='{BRIDGE_MAC[:-1]}9'/><mtu")
    made, = call(ROOT, CONNECT, "InterfaceDefineXML", "(su)", new, 0)
    assert made == f"{ROOT}/interface/02_3a00_3a00_3a00_3a00_3a09"
    call(ROOT, CONNECT, "InterfaceChangeBegin", "(u)", 0)
    call(ROOT, CONNECT, "InterfaceChangeCommit", "(u)", 0)
    call(made, "org.libvirt.Interface", "Undefine")
    assert list(ifupdown.iterdir()) == []


def test_read_only_clients_change_nothing(network, ifupdown):
    it = libvirt.openReadOnly(f"qemu:///system?socket={network.daemon.root}/run/domaind/libvirt-sock-ro")
    assert it.interfaceLookupByName("ve0").XMLDesc() == DOCUMENTS["ve0"]
    with pytest.raises(libvirt.libvirtError, match="read only access prevents"):
        it.changeBegin()
    it.close()


def domctl(network, *words, status=0):
    done = subprocess.run([DOMCTL, *words], capture_output=True, text=True, check=False,
                          env=dict(network.environment, LC_ALL="C.UTF-8"))
    assert done.returncode == status, done.stderr
    return done.stderr if status else done.stdout


def test_domctl(network, ifupdown, holder):
    ip(holder, "link", "delete", "br0")
    ip(holder, "link", "set", "br1", "address", "02:00:00:00:00:06")  # as a bridge has one with a port
    assert domctl(network, "iface-list", "--inactive") == """ Name   State      MAC Address
--------------------------------------
 br1    inactive   02:00:00:00:00:06
 lo     inactive   00:00:00:00:00:00

"""
    rows = json.loads(domctl(network, "iface-list", "--all", "--json"))
    assert {"name": "ve0", "active": True, "mac": "02:00:00:00:00:06"} in rows
    assert domctl(network, "iface-dumpxml", "br1") == DOCUMENTS["br1"]
    file = network.daemon.root / "br7.xml"
    file.write_text(NEW)
    domctl(network, "iface-begin")
    assert domctl(network, "iface-define", file) == f"Interface br7 defined from {file}\n\n"
    assert json.loads(domctl(network, "iface-dumpxml", "br7", "--inactive", "--json")) == {"document": NEW}
    assert json.loads(domctl(network, "iface-start", "br7", "--json")) == {
        "interface": "br7", "message": "Interface br7 started"}
    domctl(network, "iface-destroy", "br7")
    domctl(network, "iface-undefine", "br7")
    domctl(network, "iface-rollback")
    assert domctl(network, "iface-commit", status=1).splitlines() == [
        "error: Failed to commit network config change transaction",
        "error: Requested operation is not valid: no transaction running, nothing to be committed."]
    file.write_text("<interface type='bridge' name='br7'>\n<bridge what='1'/></interface>")
    assert f"{file}:2:9: error: " in domctl(network, "iface-define", file, status=1)
    assert "couldn't find interface named 'a.b'" in domctl(network, "iface-dumpxml", "a.b", status=1)
