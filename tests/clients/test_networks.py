# SPDX-License-Identifier: LGPL-2.1-or-later
"""Virtual networks as virsh and libvirt's Python module use them. None here touches the host: those that are started
have no addresses to serve (forward mode "bridge", or an isolated one without an <ip>)."""

import contextlib
import os
import re
import xml.etree.ElementTree as ElementTree

import libvirt
import pytest

from conftest import wait_for
from host import host, needs  # noqa: F401

VIRSH = "/usr/bin/virsh"
pytestmark = needs(VIRSH, "libvirt-clients")

UUID = "c0ffee00-1111-2222-3333-444455556666"
BRIDGED = f"<network><name>lan</name><uuid>{UUID}</uuid><forward mode='bridge'/><bridge name='br0'/></network>"
NAT = """<network>
  <!-- what the machines of the shop are in -->
  <name>shop</name>
  <forward mode='nat'/>
  <bridge name='vshop0'/> <!-- short -->
  <ip address='192.168.77.1' netmask='255.255.255.0'>
    <dhcp>
      <range start='192.168.77.10' end='192.168.77.99'/>
    </dhcp>
  </ip>
</network>
"""


@pytest.fixture(scope="session", autouse=True)
def little_linux():
    """No guest runs here."""


@pytest.fixture
def connection(host):  # noqa: F811
    it = libvirt.open(f"qemu:///system?socket={host.daemon.root}/run/domaind/libvirt-sock")
    yield it
    it.close()


@pytest.fixture
def reader(host):  # noqa: F811
    it = libvirt.openReadOnly(f"qemu:///system?socket={host.daemon.root}/run/domaind/libvirt-sock-ro")
    yield it
    it.close()


def fields(text):
    """What an -info command prints, by name."""
    return dict(re.split(r":\s+", line, maxsplit=1) for line in text.splitlines() if line)


def refused(call, *arguments):
    """(number, text) of a call that must fail."""
    with pytest.raises(libvirt.libvirtError) as caught:
        call(*arguments)
    return caught.value.get_error_code(), caught.value.get_error_message()


def source(host, name):  # noqa: F811
    return (host.daemon.root / "etc/domaind/networks" / f"{name}.xml").read_text()


def test_a_networks_life(host, tmp_path):  # noqa: F811
    (tmp_path / "lan.xml").write_text(BRIDGED)
    host.virsh("net-define", tmp_path / "lan.xml")
    assert source(host, "lan") == BRIDGED
    assert fields(host.virsh("net-info", "lan")) == {
        "Name": "lan", "UUID": UUID, "Active": "no", "Persistent": "yes", "Autostart": "no", "Bridge": "br0"}
    host.virsh("net-start", "lan")
    assert "network is already active" in host.virsh("net-start", "lan", status=1)
    host.virsh("net-autostart", "lan")
    assert fields(host.virsh("net-info", "lan"))["Active"] == "yes"
    assert host.virsh("net-list").split() == ["lan", "active", "yes", "yes"]
    assert host.virsh("net-uuid", "lan") == UUID
    assert host.virsh("net-name", UUID) == "lan"
    assert "not active" not in host.virsh("net-undefine", "lan")
    assert host.virsh("net-list", "--transient").split() == ["lan", "active", "no", "no"]
    host.virsh("net-destroy", "lan")
    assert host.virsh("net-list", "--all") == ""
    assert "no network with matching name 'lan'" in host.virsh("net-info", "lan", status=1)
    assert not (host.daemon.root / "etc/domaind/networks/autostart/lan.xml").is_symlink()


def test_transient_network(host, connection):  # noqa: F811
    network = connection.networkCreateXML(BRIDGED)
    assert (network.isActive(), network.isPersistent(), network.UUIDString()) == (1, 0, UUID)
    assert refused(network.setAutostart, 1) == (
        libvirt.VIR_ERR_OPERATION_INVALID,
        "Requested operation is not valid: cannot set autostart for transient network")
    assert refused(connection.networkCreateXML, BRIDGED) == (
        libvirt.VIR_ERR_OPERATION_INVALID, "Requested operation is not valid: network is already active as 'lan'")
    network.destroy()
    assert connection.listAllNetworks() == []
    assert refused(network.isActive)[0] == libvirt.VIR_ERR_NO_NETWORK


def test_names_and_uuids_belong_together(connection):
    connection.networkDefineXML(BRIDGED)
    other = "c0ffee00-1111-2222-3333-444455556667"
    assert refused(connection.networkDefineXML, BRIDGED.replace(UUID, other)) == (
        libvirt.VIR_ERR_OPERATION_FAILED, f"operation failed: network 'lan' already exists with uuid {UUID}")
    assert refused(connection.networkDefineXML, BRIDGED.replace("lan", "wan")) == (
        libvirt.VIR_ERR_OPERATION_FAILED, f"operation failed: network 'lan' is already defined with uuid {UUID}")


def test_bridges_get_free_names(connection):
    plain = "<network><name>{}</name>{}</network>"
    names = [connection.networkDefineXML(plain.format(name, bridge)).bridgeName()
             for name, bridge in (("a", ""), ("b", "<bridge name='virbr1'/>"), ("c", ""), ("d", "<bridge name='lan%d'/>"))]
    assert names == ["virbr0", "virbr1", "virbr2", "lan0"]
    again = connection.networkDefineXML(plain.format("a", "").replace(
        "</name>", f"</name><uuid>{connection.networkLookupByName('a').UUIDString()}</uuid>"))
    assert again.bridgeName() == "virbr0"
    assert refused(connection.networkDefineXML, plain.format("e", "<bridge name='virbr1'/>")) == (
        libvirt.VIR_ERR_INTERNAL_ERROR, "internal error: bridge name 'virbr1' already in use.")
    passing = connection.networkDefineXML("<network><name>f</name><forward mode='passthrough' dev='eth9'/></network>")
    assert refused(passing.bridgeName) == (
        libvirt.VIR_ERR_INTERNAL_ERROR, "internal error: network 'f' does not have a bridge name.")


def test_old_and_new_lists(connection):
    for name in "abc":
        connection.networkDefineXML(f"<network><name>{name}</name><forward mode='bridge'/><bridge name='br{name}'/></network>")
    connection.networkLookupByName("b").create()
    connection.networkLookupByName("c").setAutostart(1)
    connection.networkCreateXML("<network><name>t</name><forward mode='bridge'/><bridge name='brt'/></network>")
    assert (connection.numOfNetworks(), connection.numOfDefinedNetworks()) == (2, 2)
    assert (connection.listNetworks(), connection.listDefinedNetworks()) == (["b", "t"], ["a", "c"])

    def names(flags):
        return "".join(network.name() for network in connection.listAllNetworks(flags))

    assert names(0) == "abct"
    assert names(libvirt.VIR_CONNECT_LIST_NETWORKS_ACTIVE) == "bt"
    assert names(libvirt.VIR_CONNECT_LIST_NETWORKS_INACTIVE) == "ac"
    assert names(libvirt.VIR_CONNECT_LIST_NETWORKS_TRANSIENT) == "t"
    assert names(libvirt.VIR_CONNECT_LIST_NETWORKS_PERSISTENT | libvirt.VIR_CONNECT_LIST_NETWORKS_ACTIVE) == "b"
    assert names(libvirt.VIR_CONNECT_LIST_NETWORKS_AUTOSTART) == "c"
    assert refused(connection.listAllNetworks, 1 << 20)[0] == libvirt.VIR_ERR_INVALID_ARG


def test_events(host):  # noqa: F811
    with host.start("virsh", "net-event", "--event", "lifecycle", "--loop", stdout=-1) as process:
        seen = []
        try:
            # virsh has registered once the first event comes: define until it does.
            os.set_blocking(process.stdout.fileno(), False)

            def told(words):
                def check():
                    with contextlib.suppress(BlockingIOError):
                        seen.append(os.read(process.stdout.fileno(), 65536).decode())
                    return words in "".join(seen)
                return check

            connection = libvirt.open(f"qemu:///system?socket={host.daemon.root}/run/domaind/libvirt-sock")

            def defined():
                connection.networkDefineXML(BRIDGED)
                return told("event 'lifecycle' for network lan: Defined")()

            wait_for(defined, "the event of a definition")
            network = connection.networkLookupByName("lan")
            network.create()
            network.destroy()
            network.undefine()
            wait_for(told("Undefined"), "the last event")
            connection.close()
        finally:
            process.kill()
    words = re.findall(r"lan: (\w+)", "".join(seen))
    assert [word for word in words if word != "Defined"] == ["Started", "Stopped", "Undefined"]


UPDATES = [
    # section, command, element; libvirt's refusal, or what is in the definition then
    ("dns-host", "add", "<host ip='192.168.77.5'><hostname>a</hostname></host>", "<hostname>a</hostname>"),
    ("dns-host", "add", "<host ip='192.168.77.5'><hostname>b</hostname></host>",
     "Requested operation is not valid: there is already at least one DNS HOST record with a matching field in network shop"),
    ("dns-host", "modify", "<host ip='192.168.77.5'><hostname>b</hostname></host>", "<hostname>b</hostname>"),
    ("dns-host", "delete", "<host ip='192.168.77.6'/>",
     "Requested operation is not valid: couldn't locate a matching DNS HOST record in network shop"),
    ("dns-host", "delete", "<host><hostname>b</hostname></host>", None),
    ("dns-txt", "add", "<txt name='t' value='one'/>", "<txt name='t' value='one'/>"),
    ("dns-txt", "add", "<txt name='t' value='two'/>",
     "Requested operation is not valid: there is already a DNS TXT record with name 't' in network shop"),
    ("dns-txt", "modify", "<txt name='t' value='two'/>", "<txt name='t' value='two'/>"),
    ("dns-txt", "delete", "<txt name='u'/>",
     "Requested operation is not valid: couldn't locate a matching DNS TXT record in network shop"),
    ("dns-txt", "delete", "<txt name='t'/>", None),
    ("dns-srv", "add", "<srv service='s' protocol='tcp'/>", "<srv service='s' protocol='tcp'/>"),
    ("dns-srv", "add-first", "<srv service='s' protocol='udp' target='x' port='1'/>",
     "<srv service='s' protocol='udp' target='x' port='1'/>\n    <srv service='s' protocol='tcp'/>"),
    ("dns-srv", "delete", "<srv service='s'/>",
     "Requested operation is not valid: multiple DNS SRV records matching all specified fields were found in network shop"),
    ("dns-srv", "modify", "<srv service='s' protocol='tcp'/>",
     "Operation not supported: DNS SRV records cannot be modified, only added or deleted"),
    ("ip-dhcp-host", "add", "<host mac='52:54:00:00:00:01' name='m' ip='192.168.77.20'/>", "name='m' ip='192.168.77.20'"),
    ("ip-dhcp-host", "add", "<host mac='52:54:00:00:00:01' name='n' ip='192.168.77.21'/>",
     "Requested operation is not valid: there is an existing dhcp host entry in network 'shop' that matches "
     "\"<host mac='52:54:00:00:00:01' name='n' ip='192.168.77.21'/>\""),
    ("ip-dhcp-host", "modify", "<host mac='52:54:00:00:00:01' name='m' ip='192.168.77.22'/>", "ip='192.168.77.22'"),
    ("ip-dhcp-host", "modify", "<host mac='52:54:00:00:00:09' name='z' ip='192.168.77.23'/>",
     "Requested operation is not valid: couldn't locate an existing dhcp host entry with \"mac='52:54:00:00:00:09'\" "
     "\"name='z'\" \"ip='192.168.77.23'\" in network 'shop'"),
    ("ip-dhcp-host", "add", "<host mac='52:54:00:00:00:02' ip='10.0.0.1'/>",
     "unsupported configuration: static host address '10.0.0.1' is not within network 192.168.77.1/24 of network 'shop'"),
    ("ip-dhcp-host", "delete", "<host mac='52:54:00:00:00:01'/>", None),
    ("ip-dhcp-host", "delete", "<host mac='52:54:00:00:00:01'/>",
     "Requested operation is not valid: couldn't locate a matching dhcp host entry in network 'shop'"),
    ("ip-dhcp-range", "add", "<range start='192.168.77.100' end='192.168.77.120'/>", "start='192.168.77.100'"),
    ("ip-dhcp-range", "add", "<range start='192.168.77.100' end='192.168.77.120'/>",
     "Requested operation is not valid: there is an existing dhcp range entry in network 'shop' that matches "
     "\"<range start='192.168.77.100' end='192.168.77.120'/>\""),
    ("ip-dhcp-range", "modify", "<range start='192.168.77.100' end='192.168.77.120'/>",
     "Operation not supported: dhcp ranges cannot be modified, only added or deleted"),
    ("ip-dhcp-range", "delete", "<range start='192.168.77.100' end='192.168.77.120'/>", None),
    ("portgroup", "add", "<portgroup name='p' default='yes'/>", "<portgroup name='p' default='yes'>"),
    ("portgroup", "add", "<portgroup name='p'/>",
     "Requested operation is not valid: there is an existing portgroup entry in network 'shop' that matches "
     "\"<portgroup name='p'>\""),
    ("portgroup", "add", "<portgroup name='q' default='yes'/>",
     "Requested operation is not valid: a different portgroup entry in network 'shop' is already set as the default. "
     "Only one default is allowed."),
    ("portgroup", "modify", "<portgroup name='r'/>",
     "Requested operation is not valid: couldn't find a portgroup entry in network 'shop' matching <portgroup name='r'>"),
    ("portgroup", "delete", "<portgroup name='p'/>", None),
    ("forward-interface", "add", "<interface dev='eth7'/>", "<interface dev='eth7'/>"),
    ("forward-interface", "modify", "<interface dev='eth7'/>",
     "Operation not supported: forward interface entries cannot be modified, only added or deleted"),
    ("forward-interface", "delete", "<interface dev='eth8'/>",
     "Requested operation is not valid: couldn't find an interface entry in network 'shop' matching <interface dev='eth8'>"),
    ("forward-interface", "delete", "<interface dev='eth7'/>", None),
    ("forward-pf", "add", "<pf dev='eth7'/>", "Operation not supported: can't update 'forward pf' section of network 'shop'"),
    ("bridge", "modify", "<bridge/>", "Operation not supported: can't update 'bridge' section of network 'shop'"),
    ("dns-txt", "add", "<host/>", "XML error: unexpected element <host>, expecting <txt>, while updating network 'shop'"),
]


def test_every_section_is_updated(host, connection):  # noqa: F811
    """Of the stored definition; libvirt 11.3 says the same of the refused ones but of the host outside of its subnet."""
    connection.networkDefineXML(NAT)
    for section, command, element, outcome in UPDATES:
        words = ["net-update", "shop", command, section, element, "--config"]
        if outcome is not None and not outcome.startswith("<") and " " in outcome and ":" in outcome.split("'")[0]:
            assert outcome in host.virsh(*words, status=1), words
            continue
        host.virsh(*words)
        if outcome is not None:
            assert outcome in host.virsh("net-dumpxml", "--inactive", "shop"), words
    assert source(host, "shop").count("<!--") == 2
    assert [child.tag for child in ElementTree.fromstring(source(host, "shop"))].count("ip") == 1


def test_an_update_leaves_the_rest_of_the_text(host, connection):  # noqa: F811
    connection.networkDefineXML(NAT)
    host.virsh("net-update", "shop", "add", "dns-txt", "<txt name='a' value='b'/>", "--config")
    assert source(host, "shop") == NAT.replace(
        "</network>", "  <dns>\n    <txt name='a' value='b'/>\n  </dns>\n</network>")
    host.virsh("net-update", "shop", "delete", "dns-txt", "<txt name='a'/>", "--config")
    assert source(host, "shop") == NAT


def test_live_and_stored_are_apart(host, connection):  # noqa: F811
    network = connection.networkDefineXML(BRIDGED)
    group = "<portgroup name='{}'/>"
    with pytest.raises(libvirt.libvirtError, match="network is not running"):
        network.update(libvirt.VIR_NETWORK_UPDATE_COMMAND_ADD_LAST, libvirt.VIR_NETWORK_SECTION_PORTGROUP, -1,
                       group.format("x"), libvirt.VIR_NETWORK_UPDATE_AFFECT_LIVE)
    network.create()
    for name, flags in (("live", libvirt.VIR_NETWORK_UPDATE_AFFECT_LIVE), ("stored", libvirt.VIR_NETWORK_UPDATE_AFFECT_CONFIG),
                        ("both", 3), ("current", 0)):
        network.update(libvirt.VIR_NETWORK_UPDATE_COMMAND_ADD_LAST, libvirt.VIR_NETWORK_SECTION_PORTGROUP, -1,
                       group.format(name), flags)

    def names(flags):
        return [group.get("name") for group in ElementTree.fromstring(network.XMLDesc(flags)).iter("portgroup")]

    assert names(0) == ["live", "both", "current"]
    assert names(libvirt.VIR_NETWORK_XML_INACTIVE) == ["stored", "both"]
    host.daemon.kill()
    host.daemon.start()
    network = libvirt.open(f"qemu:///system?socket={host.daemon.root}/run/domaind/libvirt-sock").networkLookupByName("lan")
    assert network.isActive() == 1
    assert names(0) == ["live", "both", "current"]
    network.destroy()
    assert names(0) == ["stored", "both"]


def test_metadata(host, connection):  # noqa: F811
    network = connection.networkDefineXML(NAT)
    if not hasattr(network, "setMetadata"):
        pytest.skip("python3-libvirt is older than virNetworkSetMetadata")
    network.setMetadata(libvirt.VIR_NETWORK_METADATA_TITLE, "Shop", None, None, 0)
    assert network.metadata(libvirt.VIR_NETWORK_METADATA_TITLE, None, 0) == "Shop"


PORT = f"""<networkport>
  <uuid>5d744f21-ba4a-4d6e-bdb2-30a35ff3207d</uuid>
  <owner>
    <name>web</name>
    <uuid>06578fc1-c686-46fa-bc2c-83893b466a6f</uuid>
  </owner>
  <group>web</group>
  <mac address='52:54:00:7b:35:93'/>
</networkport>
"""


PORT_REFUSALS = [
    (lambda text: text.replace("<mac ", "<plug type='bridge' bridge='x'/><mac "),
     (libvirt.VIR_ERR_INVALID_ARG, "invalid argument: Port reclaim not requested but plug type is not none")),
    (lambda text: text.replace("<mac ", "<bandwidth><inbound average='5' floor='2'/></bandwidth><mac "),
     (libvirt.VIR_ERR_OPERATION_UNSUPPORTED,
      "Operation not supported: Invalid use of 'floor' on interface with MAC address 52:54:00:7b:35:93 - 'floor' is only "
      "supported for interface type 'network' with forward type 'nat', 'route', 'open' or none")),
]


def test_ports(host, connection):  # noqa: F811
    network = connection.networkCreateXML(BRIDGED.replace(
        "</network>", "<portgroup name='web'><bandwidth><inbound average='100'/></bandwidth></portgroup></network>"))
    port = network.portCreateXML(PORT, 0)
    assert port.XMLDesc(0) == PORT.replace("</networkport>", """  <bandwidth>
    <inbound average='100'/>
  </bandwidth>
  <plug type='bridge' bridge='br0'/>
</networkport>""")
    assert refused(network.portCreateXML, PORT, 0) == (  # libvirt's words, twice as there
        libvirt.VIR_ERR_NETWORK_PORT_EXIST,
        "network port Network port with UUID 5d744f21-ba4a-4d6e-bdb2-30a35ff3207d already exists exists already")
    port.setParameters({"inbound.average": 7, "inbound.peak": 9})
    assert port.parameters() == {"inbound.average": 7, "inbound.peak": 9, "inbound.floor": 0, "inbound.burst": 0}
    other = PORT.replace("207d", "207e")
    for text, refusal in PORT_REFUSALS:
        assert refused(network.portCreateXML, text(other), 0) == refusal
    assert [it.UUIDString() for it in network.listAllPorts()] == [port.UUIDString()]
    assert network.portLookupByUUIDString(port.UUIDString()).network().name() == "lan"
    assert "connections='1'" in network.XMLDesc(0)
    host.daemon.kill()
    host.daemon.start()
    connection = libvirt.open(f"qemu:///system?socket={host.daemon.root}/run/domaind/libvirt-sock")
    network = connection.networkLookupByName("lan")
    [port] = network.listAllPorts()
    port.delete()
    assert network.listAllPorts() == []
    assert refused(port.XMLDesc)[0] == libvirt.VIR_ERR_NO_NETWORK_PORT


def test_a_pool_serves_one_after_the_other(connection):
    network = connection.networkCreateXML("""<network><name>pool</name><forward mode='passthrough'>
        <interface dev='eth7'/><interface dev='eth8'/></forward></network>""")
    plain = PORT.replace("  <group>web</group>\n", "")
    uuids = [f"5d744f21-ba4a-4d6e-bdb2-30a35ff3207{digit}" for digit in "012"]
    ports = [network.portCreateXML(plain.replace("5d744f21-ba4a-4d6e-bdb2-30a35ff3207d", uuid), 0) for uuid in uuids[:2]]
    assert [re.search(r"<plug .*>", port.XMLDesc(0)).group() for port in ports] == [
        f"<plug type='direct' dev='{dev}' mode='passthrough'/>" for dev in ("eth7", "eth8")]
    assert refused(network.portCreateXML, plain.replace("5d744f21-ba4a-4d6e-bdb2-30a35ff3207d", uuids[2]), 0) == (
        libvirt.VIR_ERR_INTERNAL_ERROR,
        "internal error: network 'pool' requires exclusive access to interfaces, but none are available")
    assert refused(network.update, libvirt.VIR_NETWORK_UPDATE_COMMAND_DELETE, libvirt.VIR_NETWORK_SECTION_FORWARD_INTERFACE,
                   -1, "<interface dev='eth8'/>", 0) == (
        libvirt.VIR_ERR_OPERATION_INVALID,
        "Requested operation is not valid: unable to delete interface 'eth8' in network 'pool'. It is currently being "
        "used by 1 domains.")


def test_readers_change_nothing(connection, reader):
    connection.networkDefineXML(BRIDGED)
    network = reader.networkLookupByName("lan")
    assert "br0" in network.XMLDesc()
    for call, function in ((network.create, "virNetworkCreate"), (network.undefine, "virNetworkUndefine"),
                           (lambda: network.setAutostart(1), "virNetworkSetAutostart"),
                           (lambda: reader.networkDefineXML(BRIDGED), "virNetworkDefineXML")):
        code, text = refused(call)
        assert (code, function in text) == (libvirt.VIR_ERR_OPERATION_DENIED, True)
