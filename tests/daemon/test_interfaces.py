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
from test_attach import Shell, boot  # noqa: F401
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
    path = daemon.define(domain_xml(name, more="<features><acpi/></features>", devices=xml))
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
    path = daemon.define(domain_xml("netted", devices=card("<source network='lan'/>", "network")))
    error = daemon.error(path, DOMAIN, "Create", "(u)", 0)[1]
    assert "no network with matching name 'lan'" in error


@pytest.mark.parametrize("more, words", [
    ("<source bridge='dbr0'/><filterref filter='nobodys'/>", "referenced filter 'nobodys' is missing"),
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


def test_a_card_comes_and_goes_with_its_tap(daemon, bridges, boot):  # noqa: F811
    linux = boot()
    linux.attach(card())
    name = target(daemon, linux.path)
    assert links()[name]["master"] == "dbr0"
    linux.shell.until("cat /sys/class/net/eth0/address 2>/dev/null", MAC)
    assert target(daemon, linux.path, 2) is None  # only the running machine has it

    linux.detach(card())
    linux.shell.until("ls /sys/class/net", "lo")
    wait_for(lambda: name not in links(), "the end of the tap")
    assert live(daemon, linux.path).find("devices/interface") is None


def test_a_card_joins_both_machine_and_definition(daemon, bridges):
    path = start(daemon, "")
    daemon.call(path, DOMAIN, "AttachDevice", "(su)", card(), BOTH)
    assert target(daemon, path) in links()
    assert live(daemon, path, 2).find("devices/interface/mac").get("address") == MAC


@pytest.mark.parametrize("more, words", [
    ("<source bridge='nowhere'/>", "Cannot get interface MTU on 'nowhere'"),
    ("<source bridge='dbr0'/><filterref filter='x'/>", "referenced filter 'x' is missing"),
])
def test_an_attachment_that_fails_leaves_nothing(daemon, bridges, more, words):
    path = start(daemon, "")
    before = set(links())
    assert words in daemon.error(path, DOMAIN, "AttachDevice", "(su)", card(more), BOTH)[1]
    assert set(links()) == before
    assert all(live(daemon, path, flags).find("devices/interface") is None for flags in (0, 2))


def test_an_attached_macvtap_goes_with_its_machine(daemon, parent):
    path = start(daemon, "")
    daemon.call(path, DOMAIN, "AttachDevice", "(su)", card(f"<source dev='{parent}' mode='bridge'/>", "direct"), LIVE)
    name = target(daemon, path)
    assert name in links()
    destroy(daemon, path)
    wait_for(lambda: name not in links(), "the end of the macvtap")


def update(daemon, path, xml, flags=LIVE):
    daemon.call(path, DOMAIN, "UpdateDevice", "(su)", xml, flags)


def test_another_bridge_another_link_state(daemon, bridges):
    path = start(daemon, card())
    name = target(daemon, path)
    update(daemon, path, card("<source bridge='dbr1'/><link state='down'/>"))
    assert links()[name]["master"] == "dbr1"
    interface = live(daemon, path).find("devices/interface")
    assert (interface.find("source").get("bridge"), interface.find("link").get("state")) == ("dbr1", "down")
    assert live(daemon, path, 2).find("devices/interface/source").get("bridge") == "dbr0"

    error = daemon.error(path, DOMAIN, "UpdateDevice", "(su)", card("<source bridge='nowhere'/>"), LIVE)[1]
    assert error == f"operation failed: cannot add domain a device {name} to nonexistent bridge nowhere"
    assert links()[name]["master"] == "dbr1"


@pytest.mark.parametrize("more, kind, words", [
    ("<source bridge='dbr0'/><target dev='other'/>", "bridge", "cannot modify network device tap name"),
    ("<source bridge='dbr0'/><mtu size='1300'/>", "bridge", "cannot modify MTU"),
    ("<source bridge='dbr0'/><driver queues='2'/>", "bridge", "cannot modify virtio network device driver attributes"),
    ("<source bridge='dbr0'/><script path='/x'/>", "bridge", "cannot modify network device script attribute"),
    ("", "user", "unable to change config on 'user' network type"),
])
def test_what_cannot_change_while_it_runs(daemon, bridges, more, kind, words):
    path = start(daemon, card())
    assert daemon.error(path, DOMAIN, "UpdateDevice", "(su)", card(more, kind), LIVE)[1] == f"Operation not supported: {words}"


def disciplines(name):
    return subprocess.run(["tc", "qdisc", "show", "dev", name], capture_output=True, text=True, check=True).stdout


@pytest.fixture
def limits(bridges):
    """Traffic control as the tests need it."""
    tried = subprocess.run(["tc", "qdisc", "add", "dev", "dbr1", "root", "handle", "1:", "htb"], capture_output=True,
                           check=False)
    if tried.returncode != 0:
        pytest.skip("this kernel has no htb")
    subprocess.run(["tc", "qdisc", "del", "dev", "dbr1", "root"], check=True)


def test_the_bandwidth_is_limited(daemon, limits):
    path = start(daemon, card("<source bridge='dbr0'/><bandwidth><inbound average='500' peak='1000' burst='64'/></bandwidth>"))
    name = target(daemon, path)
    rates = subprocess.run(["tc", "class", "show", "dev", name], capture_output=True, text=True, check=True).stdout
    assert "rate 4Mbit ceil 8Mbit" in rates
    update(daemon, path, card())
    assert "htb" not in disciplines(name)


def test_two_guests_talk_over_a_bridge(daemon, bridges, guest):  # noqa: F811
    shells = []
    for number in (1, 2):
        path = daemon.define(f"""<domain type='qemu'>
  <name>talker{number}</name>
  <memory unit='MiB'>128</memory>
  <os>
    <type arch='x86_64' machine='q35'>hvm</type>
    <kernel>{guest}/vmlinuz</kernel>
    <initrd>{guest}/initrd.img</initrd>
    <cmdline>console=ttyS0 quiet</cmdline>
  </os>
  <devices><serial type='pty'/>{card(mac=f'52:54:00:11:22:3{number}')}</devices>
</domain>
""")
        daemon.call(path, DOMAIN, "Create", "(u)", 0)
        shells.append(Shell(live(daemon, path).find("devices/serial/source").get("path")))
    for number, shell in enumerate(shells, 1):
        shell.until(f"ip addr add 10.77.0.{number}/24 dev eth0", "")
    shells[0].until("ping -qc1 10.77.0.2 >/dev/null && echo heard", "heard")
    assert "52:54:00:11:22:32" in shells[0].run("cat /proc/net/arp")


def passts(daemon):
    """The processes that are passt and a machine's of this namespace."""
    here = os.readlink("/proc/self/ns/net")
    found = set()
    for process in pathlib.Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            words = (process / "cmdline").read_bytes().split(b"\0")
            if b"passt" in words[0] and os.readlink(process / "ns/net") == here:
                found.add(int(process.name))
    return found


PASST = "<backend type='passt'/><portForward proto='tcp'><range start='20222' to='22'/></portForward>"


def test_passt_serves_its_machine_and_ends_with_it(daemon, routed):
    path = start(daemon, card(PASST, "user"))
    assert len(passts(daemon)) == 1
    with socket.create_connection(("10.55.0.1", 20222), 5):
        pass  # passt listens
    daemon.kill()
    assert len(passts(daemon)) == 1
    daemon.start()
    destroy(daemon, path)
    wait_for(lambda: not passts(daemon), "the end of passt")


def test_passt_comes_and_goes_with_its_card(daemon, routed, boot):  # noqa: F811
    linux = boot()
    linux.attach(card(PASST, "user"))
    linux.shell.until("cat /sys/class/net/eth0/address 2>/dev/null", MAC)
    assert len(passts(daemon)) == 1
    linux.detach(card(PASST, "user"))
    wait_for(lambda: not passts(daemon), "the end of passt")


def test_what_passt_says_is_in_the_error(daemon, routed):
    path = daemon.define(domain_xml("netted", devices=card(f"<source dev='nowhere'/>{PASST}", "user")))
    assert "passt' (net0-passt): it ended with status 1: " in daemon.error(path, DOMAIN, "Create", "(u)", 0)[1]
    assert not passts(daemon)
