# SPDX-License-Identifier: LGPL-2.1-or-later
"""Network filters by their effect: which frames pass a filtered port of a bridge, and which do not. A row is a rule, a
frame, and whether it passes; the kernel is real, and so is the daemon that made its rules."""

import libvirt
import pytest

import frames
from conftest import wait_for
from frames import (AH, ARP, ESP, EVERYBODY, GUEST_IP, GUEST_IP6, GUEST_MAC, ICMP, IGMP, IPV6, PORT, RARP, SCTP, TCP, UDP,
                    UDPLITE, WORLD_IP, WORLD_IP6, WORLD_MAC, arp, dhcp, ether, icmp, ipv4, ipv6, ports, stp)

WHY_NOT = frames.why_not()
pytestmark = pytest.mark.skipif(WHY_NOT is not None, reason=WHY_NOT or "")
OTHER_MAC, OTHER_IP, OTHER_IP6 = "52:54:00:00:00:ff", "10.9.9.9", "fd00::99"
BACK = {"link": (WORLD_MAC, GUEST_MAC)}
HOME = {"src": WORLD_IP, "dst": GUEST_IP, **BACK}
HOME6 = {"src": WORLD_IP6, "dst": GUEST_IP6, **BACK}
OWNER = "<owner><name>m</name><uuid>0a81f5b2-8403-7b23-c8d6-21ccc2f80d6f</uuid></owner>"


@pytest.fixture
def connection(daemon):
    libvirt.registerErrorHandler(lambda context, error: None, None)
    it = libvirt.open(f"qemu:///session?socket={daemon.root}/run/domaind/libvirt-sock")
    yield it
    it.close()


@pytest.fixture
def wire():
    it = frames.Wire()
    yield it
    it.close()


def bind(connection, name, parameters=(), port=PORT):
    words = "".join(f"<parameter name='{key}' value='{value}'/>" for key, value in parameters)
    return connection.nwfilterBindingCreateXML(
        f"<filterbinding>{OWNER}<portdev name='{port}'/><mac address='{GUEST_MAC}'/>"
        f"<filterref filter='{name}'>{words}</filterref></filterbinding>")


def filter_of(body, name="test", chain="root"):
    return f"<filter name='{name}' chain='{chain}'>{body}</filter>"


def apply(connection, body, parameters=(), chain="root"):
    """The filter of the port is this, from now on."""
    filters = [each.name() for each in connection.listAllNWFilters()]
    definition = filter_of(body, chain=chain)
    if "test" in filters:
        known = connection.nwfilterLookupByName("test").UUIDString()
        definition = definition.replace(">", f"><uuid>{known}</uuid>", 1)
    connection.nwfilterDefineXML(definition)
    for binding in connection.listAllNWFilterBindings():
        binding.delete()
    return bind(connection, "test", parameters)


def rule(inner, action="drop", direction="out", more=""):
    return f"<rule action='{action}' direction='{direction}'{more}>{inner}</rule>"


# Frames that match and frames that do not, from the guest. The rule drops what matches; negated, where its one attribute
# is, it drops the rest.
MATCHES = [
    ("<mac/>", [ipv4(), arp()], []),
    ("<mac srcmacaddr='52:54:00:00:00:0a'/>", [ipv4()], [ipv4(link=(OTHER_MAC, WORLD_MAC))]),
    ("<mac dstmacaddr='52:54:00:00:00:0b'/>", [ipv4()], [arp()]),
    ("<mac srcmacaddr='52:54:00:00:00:00' srcmacmask='ff:ff:ff:ff:ff:00'/>", [ipv4(link=(OTHER_MAC, WORLD_MAC))],
     [ipv4(link=("52:54:00:00:01:00", WORLD_MAC))]),
    ("<mac dstmacaddr='01:00:00:00:00:00' dstmacmask='01:00:00:00:00:00'/>", [arp()], [ipv4()]),
    ("<mac protocolid='arp'/>", [arp()], [ipv4(), ipv6()]),
    ("<mac protocolid='0x88b6'/>", [ether(b"", 0x88B6)], [ipv4()]),
    ("<vlan/>", [ether(b"", 0x88B6, vlan=5)], [ipv4()]),
    ("<vlan vlanid='5'/>", [ether(b"", 0x88B6, vlan=5)], [ether(b"", 0x88B6, vlan=6), ipv4()]),
    ("<vlan vlanid='0x5' encap-protocol='0x88b6'/>", [ether(b"", 0x88B6, vlan=5)], [ether(b"", 0x88B7, vlan=5)]),
    ("<stp/>", [stp()], [ipv4()]),
    ("<stp type='0x80'/>", [stp(kind=0x80)], [stp()]),
    ("<stp flags='0x1'/>", [stp(flags=1)], [stp()]),
    ("<stp root-priority='100' root-priority-hi='200'/>", [stp(root_priority=100), stp(root_priority=200)], [stp(root_priority=201)]),
    ("<stp root-address='52:54:00:00:00:00' root-address-mask='ff:ff:ff:ff:ff:00'/>", [stp()], [stp(root="52:54:00:00:01:00")]),
    ("<stp root-cost='10' root-cost-hi='20'/>", [stp(cost=15)], [stp(cost=21)]),
    ("<stp sender-priority='7'/>", [stp(sender_priority=7)], [stp()]),
    ("<stp sender-address='52:54:00:00:00:ff'/>", [stp(sender=OTHER_MAC)], [stp()]),
    ("<stp port='5' age='6' max-age='7' hello-time='8' forward-delay='9'/>", [stp(port=5, age=6, max_age=7, hello=8, forward=9)],
     [stp(port=5, age=6, max_age=7, hello=8, forward=10), stp(port=4, age=6, max_age=7, hello=8, forward=9)]),
    ("<arp/>", [arp()], [ipv4(), arp(kind=RARP)]),
    ("<arp opcode='Request'/>", [arp()], [arp(opcode=2)]),
    ("<arp hwtype='6'/>", [arp(hardware=6)], [arp()]),
    ("<arp protocoltype='0x800'/>", [arp()], []),
    ("<arp arpsrcmacaddr='52:54:00:00:00:ff'/>", [arp(sha=OTHER_MAC)], [arp()]),
    ("<arp arpdstmacaddr='52:54:00:00:00:ff'/>", [arp(tha=OTHER_MAC)], [arp()]),
    ("<arp arpsrcipaddr='10.9.9.9'/>", [arp(spa=OTHER_IP)], [arp()]),
    ("<arp arpsrcipaddr='10.9.0.0' arpsrcipmask='16'/>", [arp(spa=OTHER_IP)], [arp()]),
    ("<arp arpdstipaddr='10.9.9.9'/>", [arp(tpa=OTHER_IP)], [arp()]),
    ("<arp gratuitous='yes'/>", [arp(spa=OTHER_IP, tpa=OTHER_IP)], [arp(), arp(tpa=OTHER_IP)]),
    ("<rarp/>", [arp(kind=RARP)], [arp()]),
    ("<rarp opcode='Request_Reverse' arpsrcipaddr='0.0.0.0'/>", [arp(opcode=3, spa="0.0.0.0", kind=RARP)], [arp(opcode=3, kind=RARP)]),
    ("<ip/>", [ipv4()], [arp(), ipv6()]),
    ("<ip srcipaddr='10.1.2.3'/>", [ipv4()], [ipv4(src=OTHER_IP)]),
    ("<ip srcipaddr='10.9.0.0' srcipmask='255.255.0.0'/>", [ipv4(src=OTHER_IP)], [ipv4()]),
    ("<ip dstipaddr='10.9.9.9' dstipmask='32'/>", [ipv4(dst=OTHER_IP)], [ipv4()]),
    ("<ip protocol='tcp'/>", [ports(1, 2, TCP)], [ports(1, 2)]),
    ("<ip protocol='udp' srcportstart='20' srcportend='22'/>", [ports(20, 1), ports(22, 1)], [ports(23, 1), ports(21, 1, TCP)]),
    ("<ip protocol='17' dstportstart='0x35'/>", [ports(1, 53)], [ports(53, 1)]),
    ("<ip dscp='10'/>", [ipv4(dscp=10)], [ipv4(dscp=11)]),
    ("<ipv6/>", [ipv6()], [ipv4()]),
    ("<ipv6 srcipaddr='fd00::' srcipmask='64'/>", [ipv6()], [ipv6(src="fe80::1")]),
    ("<ipv6 protocol='tcp' dstportstart='22'/>", [ports(1, 22, TCP, ip=ipv6)], [ports(1, 23, TCP, ip=ipv6), ports(1, 22, ip=ipv6)]),
    ("<ipv6 protocol='icmpv6' type='128' typeend='129' code='0'/>", [icmp(128, ip=ipv6), icmp(129, ip=ipv6)],
     [icmp(130, ip=ipv6), icmp(128, 1, ip=ipv6)]),
    ("<tcp/>", [ports(1, 2, TCP)], [ports(1, 2), arp()]),
    ("<tcp srcmacaddr='52:54:00:00:00:ff'/>", [ports(1, 2, TCP, link=(OTHER_MAC, WORLD_MAC))], [ports(1, 2, TCP)]),
    ("<tcp srcportstart='20' dstportstart='30' dstportend='32'/>", [ports(20, 31, TCP)], [ports(20, 33, TCP), ports(21, 31, TCP)]),
    ("<tcp flags='SYN,ACK/SYN'/>", [ports(1, 2, TCP)], [ports(1, 2, TCP, flags=0x12)]),
    ("<tcp flags='ALL/FIN,URG'/>", [ports(1, 2, TCP, flags=0x21)], [ports(1, 2, TCP, flags=0x31)]),
    ("<tcp dscp='5'/>", [ports(1, 2, TCP, dscp=5)], [ports(1, 2, TCP)]),
    ("<udp dstipfrom='10.9.9.1' dstipto='10.9.9.9'/>", [ports(1, 2, dst=OTHER_IP)], [ports(1, 2), ports(1, 2, dst="10.9.9.10")]),
    ("<udp srcipaddr='10.9.0.0' srcipmask='16' dstportstart='53'/>", [ports(1, 53, src=OTHER_IP)], [ports(1, 53)]),
    ("<udplite/>", [ports(1, 2, UDPLITE)], [ports(1, 2)]),
    ("<sctp dstportstart='9'/>", [ports(1, 9, SCTP)], [ports(1, 8, SCTP)]),
    ("<icmp/>", [icmp()], [ports(1, 2)]),
    ("<icmp type='8' code='0'/>", [icmp()], [icmp(0), icmp(8, 1)]),
    ("<igmp/>", [ipv4(bytes(8), IGMP)], [icmp()]),
    ("<esp/>", [ipv4(bytes(8), ESP)], [icmp()]),
    ("<ah/>", [ipv4(bytes(16), AH)], [icmp()]),
    ("<all/>", [icmp(), ports(1, 2)], [arp(), ipv6()]),
    ("<all srcipfrom='10.9.9.9' srcipto='10.9.9.9'/>", [icmp(src=OTHER_IP)], [icmp()]),
    ("<all-ipv6/>", [ipv6()], [ipv4()]),
    ("<tcp-ipv6 dstportstart='22'/>", [ports(1, 22, TCP, ip=ipv6)], [ports(1, 23, TCP, ip=ipv6)]),
    ("<udp-ipv6 srcipaddr='fd00::99'/>", [ports(1, 2, ip=ipv6, src=OTHER_IP6)], [ports(1, 2, ip=ipv6)]),
    ("<udplite-ipv6/>", [ports(1, 2, UDPLITE, ip=ipv6)], [ports(1, 2, ip=ipv6)]),
    ("<sctp-ipv6 srcportstart='1'/>", [ports(1, 2, SCTP, ip=ipv6)], [ports(2, 2, SCTP, ip=ipv6)]),
    ("<icmpv6 type='128'/>", [icmp(128, ip=ipv6)], [icmp(129, ip=ipv6)]),
    ("<esp-ipv6/>", [ipv6(bytes(8), ESP)], [icmp(128, ip=ipv6)]),
    ("<ah-ipv6 dstipfrom='fd00::1' dstipto='fd00::9'/>", [ipv6(bytes(16), AH)], [ipv6(bytes(16), AH, dst="fd00::10")]),
]


def attributes_of(inner):
    return inner.count("=")


def test_each_protocols_rules_from_a_machine(connection, wire):
    wrong = []
    for inner, matching, others in MATCHES:
        apply(connection, rule(inner))
        wrong += [(inner, "passes", frame.hex()) for frame in matching if wire.from_guest(frame)]
        wrong += [(inner, "does not pass", frame.hex()) for frame in others if not wire.from_guest(frame)]
        if attributes_of(inner) == 1:
            apply(connection, rule(inner.replace(" ", " match='no' ", 1)))
            wrong += [(inner, "negated: does not pass", frame.hex()) for frame in matching if not wire.from_guest(frame)]
    assert not wrong


def test_each_protocols_rules_to_a_machine(connection, wire):
    """The same rules for the other direction: what a rule says of sources is asked of who sends to the machine."""
    wrong = []
    for inner, matching, others in MATCHES:
        apply(connection, rule(inner, direction="in"))
        wrong += [(inner, "passes", frame.hex()) for frame in matching if wire.to_guest(frame)]
        wrong += [(inner, "does not pass", frame.hex()) for frame in others if not wire.to_guest(frame)]
    assert not wrong


def test_actions_priorities_and_chains(connection, wire):
    apply(connection, rule("<ip/>", "drop", more=" priority='10'") + rule("<ip protocol='tcp'/>", "accept", more=" priority='5'"))
    assert wire.from_guest(ports(1, 2, TCP)) and not wire.from_guest(ports(1, 2))
    apply(connection, rule("<ip protocol='tcp'/>", "return", more=" priority='5'") + rule("<ip/>"), chain="ipv4")
    assert wire.from_guest(ports(1, 2, TCP)) and not wire.from_guest(ports(1, 2)) and wire.from_guest(arp())
    apply(connection, rule("<ip/>", "continue", more=" priority='5'") + rule("<ip/>"), chain="ipv4-own")
    assert not wire.from_guest(ipv4())
    apply(connection, rule("<ip/>", "reject"))
    assert not wire.from_guest(ipv4())
    apply(connection, "<rule action='drop' direction='inout'/>")
    assert not wire.from_guest(arp()) and not wire.to_guest(arp(src=WORLD_MAC))
    apply(connection, rule("<all/>", "reject"))
    assert not wire.from_guest(ipv4()) and wire.from_guest(arp())


ONLY = "<rule action='drop' direction='inout' priority='900'><all/></rule><rule action='drop' direction='inout' priority='900'><all-ipv6/></rule>"


@pytest.mark.parametrize("inner, there, back, elsewhere", [
    ("<tcp dstportstart='22'/>", ports(1000, 22, TCP), ports(22, 1000, TCP, **HOME), ports(22, 1001, TCP, **HOME)),
    ("<udp dstportstart='53'/>", ports(1000, 53), ports(53, 1000, **HOME), ports(53, 1000, **{**HOME, "src": OTHER_IP})),
    ("<icmp/>", icmp(), icmp(0, **HOME), icmp(0, **{**HOME, "src": OTHER_IP})),
    ("<all/>", ports(7, 8, TCP), ports(8, 7, TCP, **HOME), ports(8, 9, TCP, **HOME)),
    ("<all/>", icmp(), icmp(0, **HOME), ports(8, 9, TCP, **HOME)),
    ("<tcp-ipv6 dstportstart='22'/>", ports(1000, 22, TCP, ip=ipv6), ports(22, 1000, TCP, ip=ipv6, **HOME6),
     ports(22, 1001, TCP, ip=ipv6, **HOME6)),
])
def test_replies_pass_once_something_was_sent(connection, wire, inner, there, back, elsewhere):
    apply(connection, rule(inner, "accept") + ONLY)
    assert not wire.to_guest(back)
    assert wire.from_guest(there)
    assert wire.to_guest(back)
    assert not wire.to_guest(elsewhere)


def test_replies_of_a_server(connection, wire):
    apply(connection, rule("<tcp dstportstart='22'/>", "accept", "in") + ONLY)
    assert not wire.from_guest(ports(22, 1000, TCP))
    assert wire.to_guest(ports(1000, 22, TCP, **HOME))
    assert wire.from_guest(ports(22, 1000, TCP)) and not wire.from_guest(ports(22, 1001, TCP))
    assert not wire.to_guest(ports(1000, 23, TCP, **HOME))


def test_states(connection, wire):
    apply(connection, rule("<tcp state='NEW,ESTABLISHED'/>", "accept") + rule("<tcp state='ESTABLISHED'/>", "accept", "in") + ONLY)
    assert not wire.to_guest(ports(2, 1, TCP, **HOME))
    assert wire.from_guest(ports(1, 2, TCP)) and wire.to_guest(ports(2, 1, TCP, **HOME))
    apply(connection, rule("<all state='NEW'/>", "drop", "in") + rule("<all state='RELATED'/>", "accept", "in"))
    assert not wire.to_guest(ports(5, 6, **HOME))
    assert wire.from_guest(ports(6, 5)) and wire.to_guest(ports(5, 6, **HOME))
    apply(connection, rule("<tcp dstportstart='22'/>", "accept", more=" statematch='false'") + ONLY)
    assert wire.to_guest(ports(22, 9, TCP, **HOME)) and wire.from_guest(ports(9, 22, TCP))


def test_both_directions_are_seen_from_who_sends_to_the_machine(connection, wire):
    apply(connection, rule("<ip srcipaddr='10.1.2.9'/>", "drop", "inout"))
    assert not wire.to_guest(ipv4(**HOME)) and not wire.from_guest(ipv4()) and wire.from_guest(ipv4(dst=OTHER_IP))
    apply(connection, rule("<udp srcportstart='53'/>", "drop", "inout"))
    assert not wire.to_guest(ports(53, 9, **HOME)) and not wire.from_guest(ports(9, 53)) and wire.from_guest(ports(53, 9))


def test_variables_that_are_lists(connection, wire):
    addresses = [("A", "10.1.1.1"), ("A", "10.1.1.2"), ("P", "1"), ("P", "2")]
    apply(connection, rule("<udp dstipaddr='$A' dstportstart='$P'/>"), addresses)
    assert [wire.from_guest(ports(9, port, dst=to)) for to, port in
            (("10.1.1.1", 1), ("10.1.1.2", 2), ("10.1.1.1", 2), ("10.1.1.3", 1))] == [False, False, True, True]
    apply(connection, rule("<udp dstipaddr='$A[@1]' dstportstart='$P[@2]'/>"), addresses)
    assert [wire.from_guest(ports(9, port, dst=to)) for to, port in
            (("10.1.1.1", 1), ("10.1.1.2", 2), ("10.1.1.1", 2), ("10.1.1.3", 1))] == [False, False, False, True]
    apply(connection, rule("<udp dstipaddr='$A[1]'/>"), addresses)
    assert wire.from_guest(ports(9, 9, dst="10.1.1.1")) and not wire.from_guest(ports(9, 9, dst="10.1.1.2"))


def stock(connection, daemon):
    """The filters of the program, in a daemon that is not the system's."""
    for file in (daemon_sources() / "data" / "nwfilter").glob("*.xml"):
        if "gresource" not in file.name:
            connection.nwfilterDefineXML(file.read_text(encoding="utf-8"))


def daemon_sources():
    import pathlib

    return pathlib.Path(__file__).resolve().parents[2]


def test_clean_traffic(connection, daemon, wire):
    stock(connection, daemon)
    bind(connection, "clean-traffic", [("IP", GUEST_IP)])
    passing = [ipv4(), ports(1, 2, TCP), arp(), arp(opcode=2), dhcp(1),
               arp(opcode=3, spa="0.0.0.0", tpa="0.0.0.0", tha=GUEST_MAC, kind=RARP)]
    spoofed = [ipv4(link=(OTHER_MAC, WORLD_MAC)), ipv4(src=OTHER_IP), arp(spa=OTHER_IP), arp(sha=OTHER_MAC), arp(src=OTHER_MAC),
               ipv6(), ether(b"", 0x88B6), arp(opcode=3, kind=RARP), ipv4(src="0.0.0.0", protocol=ICMP)]
    assert [frame.hex() for frame in passing if not wire.from_guest(frame)] == []
    assert [frame.hex() for frame in spoofed if wire.from_guest(frame)] == []
    assert wire.to_guest(ipv4(**HOME)) and wire.to_guest(arp(sha=WORLD_MAC, spa=WORLD_IP, src=WORLD_MAC))
    assert not wire.to_guest(ipv6(**HOME6))


@pytest.mark.parametrize("name, parameters, passing, stopped", [
    ("no-mac-spoofing", [], [ipv4(), arp()], [ipv4(link=(OTHER_MAC, WORLD_MAC))]),
    ("no-mac-broadcast", [], [ipv4()], [arp()]),
    ("no-ip-spoofing", [("IP", GUEST_IP)], [ipv4(), arp(), dhcp(1)], [ipv4(src=OTHER_IP)]),
    ("no-ip-multicast", [], [ipv4()], [ipv4(dst="224.0.0.5")]),
    ("no-arp-spoofing", [("IP", GUEST_IP)], [arp()], [arp(spa=OTHER_IP), arp(sha=OTHER_MAC)]),
    ("no-ipv6-spoofing", [("IPV6", GUEST_IP6)], [ipv6(), ipv6(src="fe80::1")], [ipv6(src=OTHER_IP6)]),
    ("no-other-l2-traffic", [], [], [ipv4(), arp()]),
    ("clean-traffic-gateway", [("IP", GUEST_IP), ("GATEWAY_MAC", WORLD_MAC)], [ipv4(), arp()],
     [ipv4(link=(GUEST_MAC, OTHER_MAC)), ipv4(src=OTHER_IP)]),
])
def test_stock_filters(connection, daemon, wire, name, parameters, passing, stopped):
    stock(connection, daemon)
    bind(connection, name, parameters)
    assert [frame.hex() for frame in passing if not wire.from_guest(frame)] == []
    assert [frame.hex() for frame in stopped if wire.from_guest(frame)] == []


def test_an_address_is_learnt_from_what_a_machine_sends(connection, wire):
    apply(connection, rule("<ip srcipaddr='$IP'/>", "return", more=" priority='1'") + rule("<ip/>"))
    wire.from_guest(arp())
    wait_for(lambda: not wire.from_guest(ipv4(src=OTHER_IP)), "the rules for the machine's address")
    assert wire.from_guest(ipv4())


def test_addresses_are_those_that_a_server_leases(connection, wire):
    apply(connection, rule("<ip srcipaddr='$IP'/>", "return", more=" priority='1'") + rule("<ip/>"),
          [("CTRL_IP_LEARNING", "dhcp"), ("DHCPSERVER", WORLD_IP)])
    assert wire.from_guest(dhcp(1)) and not wire.from_guest(ipv4()) and not wire.from_guest(arp())
    assert not wire.to_guest(dhcp(5, False, OTHER_IP, server="10.7.7.7"))
    assert wire.to_guest(dhcp(5, False, GUEST_IP))
    wait_for(lambda: wire.from_guest(ipv4()), "the rules for the lease")
    assert not wire.from_guest(ipv4(src=OTHER_IP))
    wire.from_guest(dhcp(7, True, GUEST_IP))
    wait_for(lambda: not wire.from_guest(ipv4()), "the end of the lease")


def test_a_filter_that_changes_changes_what_passes_at_once(connection, wire):
    apply(connection, rule("<ip/>"))
    assert not wire.from_guest(ipv4()) and wire.from_guest(arp())
    known = connection.nwfilterLookupByName("test").UUIDString()
    connection.nwfilterDefineXML(filter_of(f"<uuid>{known}</uuid>" + rule("<arp/>")))
    assert wire.from_guest(ipv4()) and not wire.from_guest(arp())
    with pytest.raises(libvirt.libvirtError, match="unresolvable variables"):
        connection.nwfilterDefineXML(filter_of(f"<uuid>{known}</uuid>" + rule("<ip srcipaddr='$NOBODY'/>")))
    assert "arp" in connection.nwfilterLookupByName("test").XMLDesc()
    assert wire.from_guest(ipv4()) and not wire.from_guest(arp())
    connection.nwfilterBindingLookupByPortDev(PORT).delete()
    assert wire.from_guest(arp())


def test_rules_stand_while_the_daemon_is_gone_and_are_its_own_again(daemon, wire):
    uri = f"qemu:///session?socket={daemon.root}/run/domaind/libvirt-sock"
    with libvirt.open(uri) as connection:
        apply(connection, rule("<ip/>"))
        apply(connection, rule("<ip/>"))
    daemon.kill()
    assert not wire.from_guest(ipv4())
    daemon.start()
    assert not wire.from_guest(ipv4())
    with libvirt.open(uri) as connection:
        binding = connection.nwfilterBindingLookupByPortDev(PORT)
        assert GUEST_MAC in binding.XMLDesc()
        known = connection.nwfilterLookupByName("test").UUIDString()
        connection.nwfilterDefineXML(filter_of(f"<uuid>{known}</uuid>" + rule("<arp/>")))
        assert wire.from_guest(ipv4()) and not wire.from_guest(arp())
        binding.delete()
        assert wire.from_guest(arp())


def test_rules_that_somebody_removed_come_back_with_the_next_change(connection, wire):
    import subprocess

    apply(connection, rule("<ip/>"))
    subprocess.run(["nft", "flush", "ruleset"], check=True)
    assert wire.from_guest(ipv4())
    bind(connection, "test", port="fport1")
    assert not wire.from_guest(ipv4())
