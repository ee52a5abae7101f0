# SPDX-License-Identifier: LGPL-2.1-or-later
"""Network filters as clients see them: definitions, bindings, and those of a machine's cards."""

import json
import os
import subprocess

import libvirt
import pytest

import frames
from conftest import domain_xml, kill_and_wait, wait_for

UUID = "0a81f5b2-8403-7b23-c8d6-21ccc2f80d6f"
MAC = "52:54:00:11:22:33"
OWNER = f"<owner><name>m</name><uuid>{UUID}</uuid></owner>"
needs_rights = pytest.mark.skipif(frames.why_not() is not None, reason=frames.why_not() or "")


@pytest.fixture
def uri(daemon):
    libvirt.registerErrorHandler(lambda context, error: None, None)
    return f"qemu:///session?socket={daemon.root}/run/domaind/libvirt-sock"


@pytest.fixture
def connection(uri):
    it = libvirt.open(uri)
    yield it
    it.close()


@pytest.fixture
def bridge():
    frames.ip("link", "add", "fbr1", "type", "bridge")
    frames.ip("link", "set", "fbr1", "up")
    yield "fbr1"
    frames.ip("link", "delete", "fbr1")
    subprocess.run(["nft", "delete table bridge domaind-nwfilter"], capture_output=True, check=False)


def virsh(uri, *words):
    done = subprocess.run(["virsh", "-q", "-c", uri, *words], capture_output=True, text=True, check=False,
                          env=dict(os.environ, LC_ALL="C"))
    return done.stdout.strip() or done.stderr.strip()


def error_of(function, *arguments):
    with pytest.raises(libvirt.libvirtError) as caught:
        function(*arguments)
    return caught.value.get_error_code(), caught.value.get_error_domain(), caught.value.get_error_message()


def filter_of(name, body="", more=""):
    return f"<filter name='{name}'{more}>{body}</filter>"


DROP_IP = "<rule action='drop' direction='out'><ip/></rule>"


def table():
    listed = subprocess.run(["nft", "-j", "list", "table", "bridge", "domaind-nwfilter"], capture_output=True, text=True, check=False)
    return json.loads(listed.stdout or '{"nftables": []}')["nftables"]


def chains(device):
    return {item["chain"]["name"] for item in table() if item.get("chain", {}).get("name", "").startswith(device + "/")}


def test_a_filter_from_its_definition_to_its_end(connection, uri):
    made = connection.nwfilterDefineXMLFlags(filter_of("own", f"<uuid>{UUID}</uuid>" + DROP_IP, " chain='ipv4'"),
                                             libvirt.VIR_NWFILTER_DEFINE_VALIDATE)
    assert (made.name(), made.UUIDString()) == ("own", UUID)
    assert made.XMLDesc() == (f"<filter name='own' chain='ipv4' priority='-700'>\n  <uuid>{UUID}</uuid>\n"
                              "  <rule action='drop' direction='out' priority='500'>\n    <ip/>\n  </rule>\n</filter>\n")
    assert connection.listNWFilters() == ["own"] and connection.numOfNWFilters() == 1
    assert [each.name() for each in connection.listAllNWFilters()] == ["own"]
    assert connection.nwfilterLookupByUUIDString(UUID).name() == "own"
    assert virsh(uri, "nwfilter-list") == f"{UUID}   own"
    assert virsh(uri, "nwfilter-undefine", "own") == ""
    assert connection.listNWFilters() == []


def test_filters_outlive_the_daemon(daemon, uri):
    with libvirt.open(uri) as connection:
        connection.nwfilterDefineXML(filter_of("own", DROP_IP))
        before = connection.nwfilterLookupByName("own").XMLDesc()
    daemon.kill()
    daemon.start()
    with libvirt.open(uri) as connection:
        assert connection.nwfilterLookupByName("own").XMLDesc() == before


@pytest.mark.parametrize("xml, code, words", [
    ("<filter/>", libvirt.VIR_ERR_INTERNAL_ERROR, "filter has no name"),
    (filter_of("a", more=" chain='foo'"), libvirt.VIR_ERR_INVALID_ARG, "Invalid chain name 'foo'"),
    (filter_of("a", more=" chain='mac' priority='1001'"), libvirt.VIR_ERR_INVALID_ARG, "is outside valid range of [-1000,1000]"),
    (filter_of("a", "<rule action='drop' direction='in'><ip srcipaddr='1.2.3.400'/></rule>"), libvirt.VIR_ERR_INTERNAL_ERROR,
     "srcipaddr has illegal value 1.2.3.400"),
    (filter_of("a", "<filterref filter='a'/>"), libvirt.VIR_ERR_OPERATION_FAILED, "filter would introduce a loop"),
    (filter_of("own"), libvirt.VIR_ERR_OPERATION_FAILED, "filter 'own' already exists with uuid"),
    ("<other/>", libvirt.VIR_ERR_XML_ERROR, "expecting root element of 'filter', not 'other'"),
])
def test_definitions_that_are_refused(connection, xml, code, words):
    connection.nwfilterDefineXML(filter_of("own"))
    refused = error_of(connection.nwfilterDefineXML, xml)
    assert refused[0] == code and words in refused[2]
    assert connection.listNWFilters() == ["own"]


def test_loops_over_others_are_refused(connection):
    known = connection.nwfilterDefineXML(filter_of("a")).UUIDString()
    connection.nwfilterDefineXML(filter_of("b", "<filterref filter='a'/>"))
    assert "loop" in error_of(connection.nwfilterDefineXML, filter_of("a", f"<uuid>{known}</uuid><filterref filter='b'/>"))[2]


def test_what_there_is_not(connection):
    assert error_of(connection.nwfilterLookupByName, "x")[:2] == (libvirt.VIR_ERR_NO_NWFILTER, libvirt.VIR_FROM_NWFILTER)
    assert error_of(connection.nwfilterBindingLookupByPortDev, "x")[0] == libvirt.VIR_ERR_NO_NWFILTER_BINDING


@needs_rights
def test_a_binding_by_hand(connection, uri, bridge):
    connection.nwfilterDefineXML(filter_of("own", DROP_IP))
    xml = (f"<filterbinding>{OWNER}<portdev name='fhand0'/><mac address='{MAC}'/>"
           "<filterref filter='own'><parameter name='B' value='2'/><parameter name='A' value='1'/></filterref></filterbinding>")
    binding = connection.nwfilterBindingCreateXML(xml)
    assert (binding.portDev(), binding.filterName()) == ("fhand0", "own")
    assert binding.XMLDesc().index("'A'") < binding.XMLDesc().index("'B'")
    assert virsh(uri, "nwfilter-binding-list") == "fhand0   own"
    assert chains("fhand0") == {"fhand0/link-from"}
    assert error_of(connection.nwfilterBindingCreateXML, xml)[0] == libvirt.VIR_ERR_OPERATION_FAILED
    assert error_of(connection.nwfilterLookupByName("own").undefine) == (
        libvirt.VIR_ERR_OPERATION_INVALID, libvirt.VIR_FROM_NWFILTER, "Requested operation is not valid: nwfilter is in use")
    binding.delete()
    assert chains("fhand0") == set() and connection.listAllNWFilterBindings() == []
    connection.nwfilterLookupByName("own").undefine()


@pytest.mark.parametrize("xml, words", [
    (f"<filterbinding>{OWNER}<portdev name='x'/><mac address='{MAC}'/></filterbinding>", "filter binding has no filter reference"),
    (f"<filterbinding>{OWNER}<portdev name='x'/><filterref filter='own'/></filterbinding>", "filter binding has no MAC address"),
    (f"<filterbinding>{OWNER}<portdev name='a/b'/><mac address='{MAC}'/><filterref filter='own'/></filterbinding>",
     "cannot be the name of a network device"),
    (f"<filterbinding>{OWNER}<portdev name='x'/><mac address='{MAC}'/><filterref filter='nobodys'/></filterbinding>",
     "referenced filter 'nobodys' is missing"),
    (f"<filterbinding>{OWNER}<portdev name='x'/><mac address='{MAC}'/><filterref filter='needs'/></filterbinding>",
     "Cannot instantiate filter due to unresolvable variables or unavailable list elements: X"),
    (f"<filterbinding>{OWNER}<portdev name='x'/><mac address='{MAC}'/><filterref filter='needs'>"
     "<parameter name='X' value='nonsense'/></filterref></filterbinding>", "which cannot be the srcipaddr of <ip>"),
])
def test_bindings_that_are_refused(connection, xml, words):
    connection.nwfilterDefineXML(filter_of("own"))
    connection.nwfilterDefineXML(filter_of("needs", "<rule action='drop' direction='in'><ip srcipaddr='$X'/></rule>"))
    assert words in error_of(connection.nwfilterBindingCreateXML, xml)[2]
    assert connection.listAllNWFilterBindings() == []


def card(name):
    return (f"<interface type='bridge'><mac address='{MAC}'/><source bridge='fbr1'/><model type='virtio'/>"
            + (f"<filterref filter='{name}'/>" if name else "") + "</interface>")


@needs_rights
def test_a_machines_card_is_filtered_while_it_is_there(connection, bridge):
    for name in ("one", "two"):
        connection.nwfilterDefineXML(filter_of(name, DROP_IP if name == "one" else "<rule action='drop' direction='in'/>"))
    domain = connection.defineXML(domain_xml("filtered", devices=card("one")))
    domain.create()
    [binding] = connection.listAllNWFilterBindings()
    tap = binding.portDev()
    assert f"<name>filtered</name>\n    <uuid>{domain.UUIDString()}</uuid>" in binding.XMLDesc() and MAC in binding.XMLDesc()
    assert chains(tap) == {tap + "/link-from"}
    domain.updateDeviceFlags(card("two"), libvirt.VIR_DOMAIN_AFFECT_LIVE)
    assert connection.nwfilterBindingLookupByPortDev(tap).filterName() == "two" and chains(tap) == {tap + "/link-to"}
    assert "refused" not in domain.XMLDesc() and "<filterref filter='two'/>" in domain.XMLDesc()
    assert "missing" in error_of(domain.updateDeviceFlags, card("nobodys"), libvirt.VIR_DOMAIN_AFFECT_LIVE)[2]
    assert connection.nwfilterBindingLookupByPortDev(tap).filterName() == "two" and chains(tap) == {tap + "/link-to"}
    domain.updateDeviceFlags(card(None), libvirt.VIR_DOMAIN_AFFECT_LIVE)
    assert connection.listAllNWFilterBindings() == [] and chains(tap) == set()
    domain.updateDeviceFlags(card("one"), libvirt.VIR_DOMAIN_AFFECT_LIVE)
    domain.destroy()
    wait_for(lambda: connection.listAllNWFilterBindings() == [] and chains(tap) == set(), "the end of the binding")


@needs_rights
def test_a_filtered_card_survives_the_daemon_and_ends_with_the_machine(daemon, uri, bridge):
    with libvirt.open(uri) as connection:
        connection.nwfilterDefineXML(filter_of("one", DROP_IP))
        domain = connection.defineXML(domain_xml("filtered", devices=card("one")))
        domain.create()
        tap = connection.listAllNWFilterBindings()[0].portDev()
    before = chains(tap)
    daemon.kill()
    assert chains(tap) == before != set()
    daemon.start()
    with libvirt.open(uri) as connection:
        assert [each.portDev() for each in connection.listAllNWFilterBindings()] == [tap] and chains(tap) == before
        assert "in use" in error_of(connection.nwfilterLookupByName("one").undefine)[2]
    daemon.kill()
    for machine in daemon.machines().values():
        kill_and_wait(machine)
    daemon.start()
    with libvirt.open(uri) as connection:
        wait_for(lambda: connection.listAllNWFilterBindings() == [], "the end of the binding")
    assert chains(tap) == set()


@needs_rights
def test_a_start_that_fails_leaves_no_rules(connection, bridge):
    connection.nwfilterDefineXML(filter_of("one", DROP_IP))
    second = card("nobodys").replace("33'", "44'")
    domain = connection.defineXML(domain_xml("filtered", devices=card("one") + second))
    assert "referenced filter 'nobodys' is missing" in error_of(domain.create)[2]
    wait_for(lambda: connection.listAllNWFilterBindings() == [], "the end of the bindings")
    assert not [item for item in table() if "/" in item.get("chain", {}).get("name", "")]
