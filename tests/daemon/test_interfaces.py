# SPDX-License-Identifier: LGPL-2.1-or-later
"""The host's ends of network cards: taps on real bridges and macvtaps, in the network namespace of the test."""

import contextlib
import json
import os
import pathlib
import re
import socket
import subprocess
import xml.etree.ElementTree as ElementTree

import pytest

from conftest import DOMAIN, domain_xml, wait_for
from test_attach import Linux, boot  # noqa: F401
from test_guest import guest  # noqa: F401

LIVE, CONFIG, BOTH = 1, 2, 3
MAC = "52:54:00:11:22:33"


def ip(*words):
    return subprocess.run(["ip", *words], capture_output=True, text=True, check=False)


def why_not():
    if os.geteuid() != 0:
        return "needs root"
    if not os.access("/dev/net/tun", os.W_OK):
        return "this host has no /dev/net/tun"
    if ip("link", "add", "domaind-probe", "type", "bridge").returncode != 0:
        return "no bridge can be made here"
    ip("link", "delete", "domaind-probe")
    return None


WHY_NOT = why_not()
pytestmark = pytest.mark.skipif(WHY_NOT is not None, reason=WHY_NOT or "")


def links(*words):
    """{name: what the kernel says of it}"""
    return {link["ifname"]: link for link in json.loads(ip("-d", "-s", "-j", "link", "show", *words).stdout or "[]")
            if link}


@pytest.fixture
def bridges():
    """Two of them, up; and nothing of the test is left behind in the end."""
    before = set(links())
    for name in ("dbr0", "dbr1"):
        ip("link", "add", name, "type", "bridge")
        ip("link", "set", name, "mtu", "1400", "up")
    yield
    for name in set(links()) - before:
        ip("link", "delete", name)


@pytest.fixture
def parent():
    """A card of the host's for macvtaps, one end of a pair."""
    if ip("link", "add", "dvp0", "type", "veth", "peer", "name", "dvp1").returncode != 0:
        pytest.skip("no pair of links can be made here")
    for name in ("dvp0", "dvp1"):
        ip("link", "set", name, "up")
    if ip("link", "add", "link", "dvp1", "name", "dvpx", "type", "macvtap").returncode != 0:
        ip("link", "delete", "dvp0")
        pytest.skip("no macvtap can be made here")
    ip("link", "delete", "dvpx")
    yield "dvp0"
    ip("link", "delete", "dvp0")


def card(more="<source bridge='dbr0'/>", kind="bridge", mac=MAC, model="virtio"):
    return f"<interface type='{kind}'><mac address='{mac}'/>{more}<model type='{model}'/></interface>"


def start(daemon, xml, name="netted"):
    path = daemon.define(domain_xml(name, devices=xml))
    daemon.call(path, DOMAIN, "Create", "(u)", 0)
    return path


def live(daemon, path, flags=0):
    return ElementTree.fromstring(daemon.call(path, DOMAIN, "GetXMLDesc", "(u)", flags))


def target(daemon, path, flags=0):
    found = live(daemon, path, flags).find("devices/interface/target")
    return found.get("dev") if found is not None else None


def destroy(daemon, path):
    daemon.call(path, DOMAIN, "Destroy", "(u)", 0)


def test_a_tap_is_made_on_the_bridge_and_goes_with_the_machine(daemon, bridges):
    path = start(daemon, card())
    name = target(daemon, path)
    tap = links()[name]
    assert re.fullmatch("vnet[0-9]+", name)
    assert (tap["master"], tap["mtu"], tap["address"]) == ("dbr0", 1400, "fe:54:00:11:22:33")
    assert "UP" in tap["flags"]
    assert tap["linkinfo"]["info_data"]["vnet_hdr"] is True
    assert target(daemon, path, 2) is None  # the next start gets another

    destroy(daemon, path)
    wait_for(lambda: name not in links(), "the end of the tap")


def test_names_count_up(daemon, bridges):
    first = start(daemon, card())
    before = target(daemon, first)
    destroy(daemon, first)
    daemon.call(first, DOMAIN, "Create", "(u)", 0)
    assert int(target(daemon, first)[4:]) > int(before[4:])


def test_what_the_document_says_of_the_tap(daemon, bridges):
    path = start(daemon, card("<source bridge='dbr0'/><target dev='lan0'/><driver queues='2'/><mtu size='1300'/>"))
    tap = links()["lan0"]
    assert (tap["mtu"], tap["linkinfo"]["info_data"]["multi_queue"]) == (1300, True)
    assert target(daemon, path, 2) == "lan0"


def test_a_start_that_fails_leaves_nothing(daemon, bridges):
    before = set(links())
    path = daemon.define(domain_xml("netted", devices=card() + card("<source bridge='nowhere'/>", mac="52:54:00:11:22:34")))
    error = daemon.error(path, DOMAIN, "Create", "(u)", 0)[1]
    assert error == "Cannot get interface MTU on 'nowhere': No such device"
    assert set(links()) == before


def test_a_network_that_is_not_defined(daemon):
    path = daemon.define(domain_xml("netted", devices=card("<source network='default'/>", "network")))
    error = daemon.error(path, DOMAIN, "Create", "(u)", 0)[1]
    assert "no network with matching name 'default'" in error


@pytest.mark.parametrize("more, words", [
    ("<source bridge='dbr0'/><filterref filter='clean-traffic'/>", "network filters are not supported"),
    ("<source bridge='dbr0'/><virtualport type='openvswitch'/>", "openvswitch-switch"),
    ("<source bridge='dbr0'/><target dev='averyveryverylongname'/>", "is too long"),
])
def test_what_cannot_be_is_refused_by_name(daemon, bridges, more, words):
    before = set(links())
    path = daemon.define(domain_xml("netted", devices=card(more)))
    if "openvswitch" in more and any((pathlib.Path(place) / "ovs-vsctl").exists() for place in os.environ["PATH"].split(":")):
        pytest.skip("Open vSwitch is installed")
    assert words in daemon.error(path, DOMAIN, "Create", "(u)", 0)[1]
    assert set(links()) == before


def test_an_ethernet_one_has_its_scripts_and_addresses(daemon, bridges, tmp_path):
    for name in ("up", "down"):
        script = tmp_path / name
        script.write_text(f"#!/bin/sh\necho {name} $1 >> {tmp_path}/said\n")
        script.chmod(0o755)
    path = start(daemon, card(f"<source><ip address='10.9.8.1' prefix='24'/></source><script path='{tmp_path}/up'/>"
                              f"<downscript path='{tmp_path}/down'/><target dev='eth7'/>", "ethernet"))
    assert "10.9.8.1/24" in ip("-o", "address", "show", "eth7").stdout
    destroy(daemon, path)
    said = tmp_path / "said"
    wait_for(lambda: said.read_text() == "up eth7\ndown eth7\n", "both scripts")


def test_a_tap_of_somebody_else_stays(daemon, bridges):
    ip("tuntap", "add", "dev", "mine", "mode", "tap")
    xml = card("<target dev='mine' managed='no'/>", "ethernet")
    path = start(daemon, xml)
    destroy(daemon, path)
    assert "mine" in links()
    ip("link", "delete", "mine")
    assert "doesn't exist" in daemon.error(path, DOMAIN, "Create", "(u)", 0)[1]


@pytest.mark.parametrize("mode", ["vepa", "bridge", "private", "passthrough"])
def test_a_macvtap(daemon, parent, mode):
    before = links()[parent]["address"]
    path = start(daemon, card(f"<source dev='{parent}' mode='{mode}'/>", "direct"))
    name = target(daemon, path)
    macvtap = links()[name]
    assert re.fullmatch("macvtap[0-9]+", name)
    assert macvtap["linkinfo"]["info_data"]["mode"] == mode.replace("passthrough", "passthru")
    assert macvtap["address"] == MAC
    assert links()[parent]["address"] == (MAC if mode == "passthrough" else before)
    destroy(daemon, path)
    wait_for(lambda: name not in links(), "the end of the macvtap")
    wait_for(lambda: links()[parent]["address"] == before, "the parent's own address")


def test_a_killed_daemon_finds_its_taps_again(daemon, bridges, parent):
    path = start(daemon, card() + card(f"<source dev='{parent}' mode='bridge'/>", "direct", mac="52:54:00:11:22:34"))
    names = [found.get("dev") for found in live(daemon, path).findall("devices/interface/target")]
    daemon.kill()
    assert set(names) <= set(links())
    daemon.start()
    assert [found.get("dev") for found in live(daemon, path).findall("devices/interface/target")] == names
    destroy(daemon, path)
    wait_for(lambda: not set(names) & set(links()), "the end of both")


def test_nobody_leaves_a_link_behind(daemon, bridges, parent):
    """Neither daemon nor machine is there any more."""
    path = start(daemon, card() + card(f"<source dev='{parent}' mode='bridge'/>", "direct", mac="52:54:00:11:22:34"))
    names = {found.get("dev") for found in live(daemon, path).findall("devices/interface/target")}
    machine = daemon.machines()["netted"]
    daemon.kill()
    os.kill(machine, 9)
    daemon.start()
    wait_for(lambda: not names & set(links()), "the end of both")


def test_counters_as_the_guest_sees_them(daemon, bridges):
    path = start(daemon, card())
    name = target(daemon, path)
    ip("address", "add", "10.9.7.1/24", "dev", "dbr0")
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asking, contextlib.suppress(OSError):
        asking.sendto(b"who has it?", ("10.9.7.2", 9))
    wait_for(lambda: links()[name]["stats64"]["tx"]["bytes"] > 0, "the question")
    host = links()[name]["stats64"]
    counters = daemon.call(path, "org.domaind1.Domain", "InterfaceStats", "(s)", MAC)
    assert counters[0] >= host["tx"]["bytes"] > 0
    assert counters[4] >= host["rx"]["bytes"]
