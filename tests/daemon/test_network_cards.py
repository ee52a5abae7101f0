# SPDX-License-Identifier: LGPL-2.1-or-later
"""Machines' interfaces on virtual networks: their ports, what they become in a running machine, and what is left of
them when a card, a machine or a daemon is gone. All of it in a network namespace of its own."""

import contextlib
import re
import subprocess
import xml.etree.ElementTree as ET

import libvirt
import pytest

from conftest import Bus, Daemon, domain_xml, kill_and_wait, wait_for
from test_attach import boot  # noqa: F401
from test_guest import guest  # noqa: F401

MACS = ["52:54:00:00:00:01", "52:54:00:00:00:02", "52:54:00:00:00:03"]
ISOLATED = "<network><name>isolated</name><bridge name='virbr7'/><mac address='52:54:00:aa:00:07'/></network>"
OTHER = "<network><name>other</name><bridge name='virbr8'/><mac address='52:54:00:aa:00:08'/></network>"
BRIDGED = """<network><name>bridged</name><forward mode='bridge'/><bridge name='host0'/>
  <portgroup name='slow' default='yes'><bandwidth><inbound average='1000'/></bandwidth></portgroup></network>"""


class InANamespace(Daemon):
    mode = "--system"

    def __init__(self, root, bus, holder):
        super().__init__(root, bus)
        self.prefix = ("nsenter", f"--net=/proc/{holder.pid}/ns/net")


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


@pytest.fixture
def daemon(holder, tmp_path):
    bus = Bus(tmp_path)
    it = InANamespace(tmp_path, bus, holder)
    it.start()
    yield it
    with connected(it) as connection:
        for one in connection.listAllDomains(libvirt.VIR_CONNECT_LIST_DOMAINS_ACTIVE):
            one.destroy()
        for one in connection.listAllNetworks(libvirt.VIR_CONNECT_LIST_NETWORKS_ACTIVE):
            one.destroy()
    it.stop()
    bus.stop()


@contextlib.contextmanager
def connected(daemon):
    it = libvirt.open(f"qemu:///{daemon.mode[2:]}?socket={daemon.root}/run/domaind/libvirt-sock")
    try:
        yield it
    finally:
        it.close()


@pytest.fixture
def connection(daemon):
    with connected(daemon) as it:
        yield it


def inside(holder, *words):
    return subprocess.run(["nsenter", f"--net=/proc/{holder.pid}/ns/net", *words], check=True, capture_output=True,
                          text=True).stdout


def ports_of(holder, bridge):
    return sorted(re.findall(r"^\d+: (vnet\d+)", inside(holder, "ip", "-o", "link", "show", "master", bridge), re.MULTILINE))


def card(network, mac=MACS[0], more=""):
    return (f"<interface type='network'><mac address='{mac}'/><source network='{network}'/>"
            f"<model type='virtio'/>{more}</interface>")


def start(connection, name, devices):
    domain = connection.defineXML(domain_xml(name, devices=devices))
    domain.create()
    return domain


def cards(domain, flags=0):
    return ET.fromstring(domain.XMLDesc(flags)).findall("devices/interface")


def port_ids(network):
    return sorted(port.UUIDString() for port in network.listAllPorts())


def error_of(call, *arguments):
    with pytest.raises(libvirt.libvirtError) as caught:
        call(*arguments)
    return caught.value.get_error_code(), caught.value.get_error_message()


@pytest.fixture
def network(connection):
    it = connection.networkDefineXML(ISOLATED)
    it.create()
    return it


def test_two_machines_on_one_bridge(connection, network, holder):
    domains = [start(connection, name, card("isolated", mac)) for name, mac in (("a", MACS[0]), ("b", MACS[1]))]
    taps = []
    for domain, mac in zip(domains, MACS):
        interface, = cards(domain)
        source = interface.find("source").attrib
        taps.append(interface.find("target").get("dev"))
        assert interface.get("type") == "network"
        assert list(source) == ["network", "portid", "bridge"]
        assert (source["network"], source["bridge"]) == ("isolated", "virbr7")
        port = ET.fromstring(network.portLookupByUUIDString(source["portid"]).XMLDesc())
        assert port.findtext("owner/name") == domain.name()
        assert port.findtext("owner/uuid") == domain.UUIDString()
        assert port.find("mac").get("address") == mac
        assert dict(port.find("plug").attrib) == {"type": "network", "bridge": "virbr7"}
        assert list(cards(domain, libvirt.VIR_DOMAIN_XML_INACTIVE)[0].find("source").attrib) == ["network"]
        assert len(domain.interfaceStats(taps[-1])) == 8
    assert ports_of(holder, "virbr7") == sorted(taps)
    assert "connections='2'" in network.XMLDesc()
    domains[0].destroy()
    wait_for(lambda: len(network.listAllPorts()) == 1, "the end of the port")
    assert ports_of(holder, "virbr7") == [taps[1]]


def test_missing_and_inactive_networks(connection, network):
    domain = connection.defineXML(domain_xml("a", devices=card("isolated") + card("nosuch", MACS[1])))
    assert error_of(domain.create) == (
        libvirt.VIR_ERR_NO_NETWORK, "Network not found: no network with matching name 'nosuch'")
    wait_for(lambda: network.listAllPorts() == [], "the end of the first card's port")
    connection.networkDefineXML(OTHER)
    domain = connection.defineXML(domain_xml("b", devices=card("other")))
    assert error_of(domain.create) == (
        libvirt.VIR_ERR_OPERATION_INVALID, "Requested operation is not valid: network 'other' is not active")


def test_attach_and_detach(connection, network, holder):
    domain = connection.defineXML(domain_xml("a", more="<features><acpi/></features>"))
    domain.create()
    domain.attachDevice(card("isolated"))
    interface, = cards(domain)
    assert interface.find("source").get("portid") in port_ids(network)
    assert ports_of(holder, "virbr7") == [interface.find("target").get("dev")]
    assert error_of(domain.attachDevice, card("nosuch", MACS[1]))[0] == libvirt.VIR_ERR_NO_NETWORK
    assert error_of(domain.attachDevice, card("isolated", MACS[1], "<address type='pci' bus='77'/>"))
    wait_for(lambda: port_ids(network) == [interface.find("source").get("portid")], "the end of the refused cards' ports")


def test_the_guest_lets_go_of_a_card(connection, network, holder, boot):  # noqa: F811
    boot(card("isolated"))
    domain = connection.lookupByName("linux")
    tap = cards(domain)[0].find("target").get("dev")
    assert ports_of(holder, "virbr7") == [tap]
    domain.detachDevice(card("isolated"))
    wait_for(lambda: network.listAllPorts() == [], "the end of the port")
    assert (cards(domain), ports_of(holder, "virbr7")) == ([], [])


# A spanning tree's bridge forwards nothing of a port in its first seconds, in which a fast guest has given up asking.
LEASED = """<network><name>leased</name><bridge name='virbr9' stp='off'/><mac address='52:54:00:aa:00:09'/>
  <bandwidth><inbound average='2000' peak='4000'/></bandwidth>
  <ip address='192.168.77.1' netmask='255.255.255.0'><dhcp><range start='192.168.77.10' end='192.168.77.20'/>
    <host mac='52:54:00:00:00:01' name='web' ip='192.168.77.15'/></dhcp></ip></network>"""


def test_leases_and_floor(connection, holder, boot):  # noqa: F811
    network = connection.networkDefineXML(LEASED)
    network.create()
    boot(card("leased", more="<bandwidth><inbound floor='500'/></bandwidth>"))
    domain = connection.lookupByName("linux")
    tap = cards(domain)[0].find("target").get("dev")
    port, = network.listAllPorts()
    assert ET.fromstring(port.XMLDesc()).find("bandwidth/inbound").get("floor") == "500"
    greedy = connection.defineXML(domain_xml("b", devices=card(
        "leased", MACS[1], "<bandwidth><inbound floor='9000'/></bandwidth>")))
    assert "would overcommit" in error_of(greedy.create)[1]
    assert ports_of(holder, "virbr9") == [tap]
    assert wait_for(lambda: domain.interfaceAddresses(libvirt.VIR_DOMAIN_INTERFACE_ADDRESSES_SRC_LEASE), "the lease") == {
        tap: {"hwaddr": MACS[0], "addrs": [{"addr": "192.168.77.15", "prefix": 24, "type": 0}]}}
    assert domain.hostname(libvirt.VIR_DOMAIN_GET_HOSTNAME_LEASE) == "web"
    assert domain.interfaceStats(tap)[0] > 0  # what the guest has sent


def test_floor_changes_while_the_machine_runs(connection, holder):
    """By domiftune and by update-device: the port, the traffic of the bridge, and what is left for others."""
    def classes():
        return re.findall(r"class htb 1:(\w+) .* rate (\w+) ceil", inside(holder, "tc", "class", "show", "dev", "virbr9"))

    def floor():
        inbound = ET.fromstring(network.listAllPorts()[0].XMLDesc()).find("bandwidth/inbound")
        return inbound.get("floor") if inbound is not None else None

    network = connection.networkDefineXML(LEASED)
    network.create()
    domain = start(connection, "a", card("leased", more="<bandwidth><inbound floor='500'/></bandwidth>"))
    tap = cards(domain)[0].find("target").get("dev")
    assert ("3", "4Mbit") in classes()
    domain.setInterfaceParameters(tap, {"inbound.average": 700, "inbound.floor": 250})
    assert (floor(), domain.interfaceParameters(tap)["inbound.average"]) == ("250", 700)
    assert ("3", "2Mbit") in classes()
    greedy = {"inbound.average": 700, "inbound.floor": 9000}
    assert "would overcommit" in error_of(domain.setInterfaceParameters, tap, greedy)[1]
    assert (floor(), domain.interfaceParameters(tap)["inbound.floor"]) == ("250", 250)
    domain.updateDeviceFlags(card("leased", more="<bandwidth><inbound floor='1000'/></bandwidth>"))
    assert floor() == cards(domain)[0].find("bandwidth/inbound").get("floor") == "1000" and ("3", "8Mbit") in classes()
    wrong = card("leased", more="<bandwidth><inbound floor='9000'/></bandwidth>")
    assert "would overcommit" in error_of(domain.updateDeviceFlags, wrong)[1]
    assert floor() == "1000" and ("3", "8Mbit") in classes()
    domain.updateDeviceFlags(card("leased"))
    assert floor() is None and "3" not in [number for number, _ in classes()]


def test_mac_table_of_ours(holder, connection):
    """The bridge learns nothing from such a port and floods nothing to it: it knows the card's own address."""
    inside(holder, "ip", "link", "add", "host0", "type", "bridge")
    connection.networkDefineXML(BRIDGED.replace("name='host0'", "name='host0' macTableManager='libvirt'")).create()
    domain = start(connection, "a", card("bridged"))
    assert cards(domain)[0].find("source").get("macTableManager") == "libvirt"
    tap, = ports_of(holder, "host0")
    port = inside(holder, "ip", "-d", "link", "show", tap)
    assert re.search(r" learning (\w+) flood (\w+)", port).groups() == ("off", "off")
    known = [line.split() for line in inside(holder, "bridge", "fdb", "show", "dev", tap).splitlines()]
    assert [MACS[0], "master", "host0", "static"] in known


def test_update(connection, network, holder):
    connection.networkDefineXML(OTHER).create()
    domain = start(connection, "a", card("isolated"))
    tap = cards(domain)[0].find("target").get("dev")
    first = cards(domain)[0].find("source").get("portid")
    domain.updateDeviceFlags(card("isolated", more="<link state='down'/><bandwidth><inbound average='500'/></bandwidth>"))
    interface, = cards(domain)
    assert interface.find("link").get("state") == "down"
    assert interface.find("bandwidth/inbound").get("average") == "500"
    assert interface.find("source").get("portid") == first
    domain.updateDeviceFlags(card("other"))
    source = cards(domain)[0].find("source").attrib
    assert (source["network"], source["bridge"]) == ("other", "virbr8")
    assert source["portid"] != first
    assert (ports_of(holder, "virbr7"), ports_of(holder, "virbr8")) == ([], [tap])
    wait_for(lambda: network.listAllPorts() == [], "the end of the old port")
    assert port_ids(connection.networkLookupByName("other")) == [source["portid"]]


def test_bridge_of_the_host(connection, holder):
    inside(holder, "ip", "link", "add", "host0", "type", "bridge")
    network = connection.networkDefineXML(BRIDGED)
    network.create()
    domain = start(connection, "a", card("bridged"))
    interface, = cards(domain)
    assert interface.get("type") == "bridge"
    assert list(interface.find("source").attrib) == ["network", "portid", "bridge"]
    assert interface.find("bandwidth/inbound").get("average") == "1000"
    assert cards(domain, libvirt.VIR_DOMAIN_XML_INACTIVE)[0].get("type") == "network"
    assert ports_of(holder, "host0") == [interface.find("target").get("dev")]
    domain.updateDeviceFlags(ET.tostring(interface, encoding="unicode"))
    assert cards(domain, libvirt.VIR_DOMAIN_XML_MIGRATABLE)[0].get("type") == "network"
    domain.managedSave()
    wait_for(lambda: network.listAllPorts() == [], "the end of the saved machine's port")
    domain.create()
    assert cards(domain)[0].get("type") == "bridge"
    assert port_ids(network) == [cards(domain)[0].find("source").get("portid")]
    domain.destroy()
    wait_for(lambda: network.listAllPorts() == [], "the end of the port")


@pytest.fixture
def session(holder, tmp_path):
    (tmp_path / "s").mkdir()
    bus = Bus(tmp_path / "s")
    it = InANamespace(tmp_path / "s", bus, holder)
    it.mode = "--session"
    it.start()
    with connected(it) as connection:
        yield connection
        for one in connection.listAllDomains(libvirt.VIR_CONNECT_LIST_DOMAINS_ACTIVE):
            one.destroy()
    it.stop()
    bus.stop()


def test_the_same_document_in_a_session(session, holder):
    for line in ("link add host0 type bridge", "link add up0 type veth peer name up1", "link set up0 up", "link set up1 up",
                 "addr add 10.9.9.1/24 dev up0", "route add default via 10.9.9.2"):  # passt wants a way out
        inside(holder, "ip", *line.split())
    domain = start(session, "a", card("default"))
    assert cards(domain)[0].get("type") == "user"
    inactive = cards(domain, libvirt.VIR_DOMAIN_XML_INACTIVE)[0]
    assert (inactive.get("type"), inactive.find("source").attrib) == ("network", {"network": "default"})
    session.networkDefineXML(BRIDGED)
    domain = start(session, "b", card("bridged", MACS[1]))
    assert cards(domain)[0].get("type") == "bridge"
    assert ports_of(holder, "host0") == [cards(domain)[0].find("target").get("dev")]
    session.networkDefineXML(ISOLATED)
    for network, code in (("isolated", libvirt.VIR_ERR_CONFIG_UNSUPPORTED), ("nosuch", libvirt.VIR_ERR_NO_NETWORK)):
        domain = session.defineXML(domain_xml(network, devices=card(network, MACS[2])))
        assert error_of(domain.create)[0] == code


def test_everything_is_found_again(daemon, holder):
    with connected(daemon) as connection:
        network = connection.networkDefineXML(ISOLATED)
        network.create()
        for name, mac in (("a", MACS[0]), ("b", MACS[1])):
            start(connection, name, card("isolated", mac))
        ids = port_ids(network)
        xml = connection.lookupByName("a").XMLDesc()
        tap = cards(connection.lookupByName("a"))[0].find("target").get("dev")
        pid = daemon.machines()["b"]
    daemon.kill()
    kill_and_wait(pid)
    daemon.start()
    with connected(daemon) as connection:
        network = connection.networkLookupByName("isolated")
        wait_for(lambda: len(network.listAllPorts()) == 1, "the end of the dead machine's port")
        assert port_ids(network)[0] in ids
        assert connection.lookupByName("a").XMLDesc() == xml
        assert ports_of(holder, "virbr7") == [tap]


def test_a_network_that_was_started_anew(daemon, holder):
    with connected(daemon) as connection:
        network = connection.networkDefineXML(ISOLATED)
        network.create()
        domain = start(connection, "a", card("isolated", more="<port isolated='yes'/>"))
        source = dict(cards(domain)[0].find("source").attrib)
        network.destroy()
        assert domain.isActive()
        network.create()
        assert (port_ids(network), ports_of(holder, "virbr7")) == ([], [])
    daemon.stop()
    daemon.start()
    with connected(daemon) as connection:
        network = connection.networkLookupByName("isolated")
        wait_for(lambda: port_ids(network) == [source["portid"]], "the port")
        wait_for(lambda: len(ports_of(holder, "virbr7")) == 1, "the tap in the bridge")
        assert dict(cards(connection.lookupByName("a"))[0].find("source").attrib) == source
        wait_for(lambda: " isolated on " in inside(holder, "ip", "-d", "link", "show", *ports_of(holder, "virbr7")),
                 "what the card says of its port")


def findings(daemon, domain):
    from conftest import domain_path  # noqa: PLC0415

    return daemon.call(domain_path(domain.UUIDString()), "org.domaind1.Domain", "Check", "(u)", 0)[1]


def test_a_check_plugs_in_thought_only(daemon, holder, connection, network):
    """It says what a start would: the network is not active; then nothing, and there is no port. Another table that drops
    what is forwarded, as Docker's does, is a warning."""
    domain = connection.defineXML(domain_xml("web", devices=card("isolated")))
    if network.isActive():
        network.destroy()
    [(name, severity, _, _, what, cure)] = findings(daemon, domain)
    assert (name, severity, what, cure) == ("network", 2, "network 'isolated' is not active", "domctl net-start isolated")
    assert "network 'isolated' is not active" in error_of(domain.create)[1]
    network.create()
    assert findings(daemon, domain) == [] and network.listAllPorts() == []

    routed = connection.networkDefineXML("<network><name>out</name><bridge name='virbr9'/><forward mode='nat'/>"
                                         "<ip address='192.0.2.1' prefix='24'/></network>")
    try:
        routed.create()
    except libvirt.libvirtError as error:
        pytest.skip(f"no network with NAT here: {error}")
    inside(holder, "nft", "add table ip filter; add chain ip filter FORWARD { type filter hook forward priority 0; policy drop; }")
    domain = connection.defineXML(domain_xml("out", devices=card("out")))
    [(name, severity, _, _, what, cure)] = [one for one in findings(daemon, domain) if "drop" in one[4]]
    assert (name, severity) == ("network", 1)
    assert what.startswith("network 'out': ") and "FORWARD" in what and cure != ""
    assert routed.listAllPorts() == []
    routed.destroy()
    network.destroy()
