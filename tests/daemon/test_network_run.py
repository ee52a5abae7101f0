# SPDX-License-Identifier: LGPL-2.1-or-later
"""Virtual networks that run beside the daemon: what outlives it, what is mended under it, and what it finds in the way."""

import json
import os
import pathlib
import shutil
import subprocess
import sys

import pytest

from conftest import CONNECT, ROOT, kill_and_wait, wait_for

NETWORK, OURS = "org.libvirt.Network", "org.domaind1.Network"
UUID = "c0ffee00-1111-2222-3333-444455556667"
PATH = f"{ROOT}/network/_{UUID.replace('-', '_')}"
XML = f"""<network><name>nrlan</name><uuid>{UUID}</uuid><forward mode='nat'/><bridge name='nrbr7' stp='off'/>
<ip address='192.168.237.1' netmask='255.255.255.0'><dhcp><range start='192.168.237.2' end='192.168.237.99'/></dhcp></ip>
</network>"""


def run(*words):
    return subprocess.run(words, capture_output=True, text=True, check=False)


def why_not():
    if os.geteuid() != 0:
        return "needs root"
    for program in ("dnsmasq", "nft", "ip"):
        if shutil.which(program) is None:
            return f"needs {program}"
    if run("ip", "link", "add", "nrprobe", "type", "bridge").returncode != 0:
        return "no bridge can be made here"
    run("ip", "link", "delete", "nrprobe")
    if run("nft", "list", "ruleset").returncode != 0:
        return "the kernel has no nf_tables here"
    if os.access("/proc/sys/net/ipv4/ip_forward", os.W_OK) is False:
        return "the host's forwarding cannot be switched here"
    return None


WHY_NOT = why_not()
pytestmark = pytest.mark.skipif(WHY_NOT is not None, reason=WHY_NOT or "")


@pytest.fixture
def network(daemon):
    """A network that runs, and is stopped in the end: it would outlive its daemon."""
    daemon.call(ROOT, CONNECT, "NetworkDefineXML", "(s)", XML)
    daemon.call(PATH, NETWORK, "Create")
    yield daemon
    if daemon.process is None:
        daemon.start()
    if "nrlan" in [daemon.call(path, "org.freedesktop.DBus.Properties", "Get", "(ss)", NETWORK, "Name")
                   for path in daemon.call(ROOT, CONNECT, "ListNetworks", "(u)", 2)]:
        daemon.call(PATH, NETWORK, "Destroy")


def service(daemon):
    """The pid of its dnsmasq; None: there is none."""
    for record in daemon.root.glob(f"run/domaind/networks/{UUID}/helper-dnsmasq-*.json"):
        pid = json.loads(record.read_text())["pid"]
        if pathlib.Path(f"/proc/{pid}/cmdline").exists() and pathlib.Path(f"/proc/{pid}/cmdline").read_bytes():
            return pid
    return None


def test_it_outlives_the_daemon(network):
    pid = service(network)
    assert pid is not None
    network.kill()
    assert service(network) == pid
    network.start()
    assert service(network) == pid
    assert network.call(PATH, OURS, "Check") == []
    network.call(PATH, NETWORK, "Destroy")
    assert run("ip", "link", "show", "nrbr7").returncode != 0
    assert service(network) is None
    assert "nrbr7" not in run("nft", "list", "ruleset").stdout


def test_what_died_while_the_daemon_was_away_runs_again(network):
    pid = service(network)
    network.kill()
    kill_and_wait(pid)
    run("nft", "flush", "ruleset")
    network.start()
    wait_for(lambda: service(network) not in (None, pid), "another dnsmasq")
    assert network.call(PATH, OURS, "Check") == []


def test_what_dies_under_the_daemon_runs_again(network):
    pid = service(network)
    kill_and_wait(pid)
    wait_for(lambda: service(network) not in (None, pid), "another dnsmasq")
    run("nft", "flush", "ruleset")
    wait_for(lambda: "nrbr7" in run("nft", "list", "ruleset").stdout, "the rules")


def test_what_is_in_the_way_is_found_with_its_cure(network):
    run("nft", "add table ip nrother; add chain ip nrother FORWARD { type filter hook forward priority 0; policy drop; }")
    try:
        (what, cure), = network.call(PATH, OURS, "Check")
        assert what.startswith("the table 'ip nrother' drops what is forwarded by policy")
        assert subprocess.run(cure, shell=True, check=False).returncode == 0
        assert network.call(PATH, OURS, "Check") == []
    finally:
        run("nft", "delete table ip nrother")


def test_a_taken_subnet_is_refused_with_both_names(network):
    other = XML.replace("nrlan", "second").replace("nrbr7", "nrbr8").replace(UUID, UUID.replace("c0ffee00", "c0ffee01"))
    text = network.error(ROOT, CONNECT, "NetworkCreateXML", "(s)", other)[1]
    assert "Network is already in use by interface nrbr7" in text
    assert "of network 'nrlan'" in text and "of network 'second'" in text
    assert run("ip", "link", "show", "nrbr8").returncode != 0


SERVICES = """
import sys, dbus, dbus.service, dbus.mainloop.glib
from gi.repository import GLib
dbus.mainloop.glib.DBusGMainLoop(set_as_default=True)
bus = dbus.bus.BusConnection(sys.argv[1])
ZONE, RESOLVER = "org.fedoraproject.FirewallD1.zone", "org.freedesktop.resolve1.Manager"

def said(*words):
    print(*words, flush=True)

class Firewall(dbus.service.Object):
    @dbus.service.method(ZONE, in_signature="", out_signature="as")
    def getZones(self):
        return ["public", "libvirt", "libvirt-routed"]

    @dbus.service.method(ZONE, in_signature="ss", out_signature="s")
    def changeZoneOfInterface(self, zone, link):
        said("change", zone, link)
        return zone

    @dbus.service.method(ZONE, in_signature="ss", out_signature="s")
    def removeInterface(self, zone, link):
        said("remove", zone, link)
        return zone

class Resolver(dbus.service.Object):
    @dbus.service.method(RESOLVER, in_signature="ia(iay)", out_signature="")
    def SetLinkDNS(self, link, servers):
        said("server", *[".".join(map(str, map(int, address))) for _family, address in servers])

    @dbus.service.method(RESOLVER, in_signature="ia(sb)", out_signature="")
    def SetLinkDomains(self, link, domains):
        said("domains", *[f"{name} {bool(only)}" for name, only in domains])

names = [dbus.service.BusName(name, bus) for name in ("org.fedoraproject.FirewallD1", "org.freedesktop.resolve1")]
objects = [Firewall(bus, "/org/fedoraproject/FirewallD1"), Resolver(bus, "/org/freedesktop/resolve1")]
said("ready")
GLib.MainLoop().run()
"""


@pytest.fixture
def services(daemon):
    """firewalld and systemd-resolved, as far as a network asks them: what they are told, line by line."""
    process = subprocess.Popen([sys.executable, "-c", SERVICES, daemon.bus.address], stdout=subprocess.PIPE, text=True)
    assert process.stdout.readline() == "ready\n"
    yield lambda: process.stdout.readline().strip()
    process.kill()
    process.wait()


@pytest.mark.parametrize("changed, zone", [
    (XML, "libvirt"),
    (XML.replace("mode='nat'", "mode='route'"), "libvirt-routed"),
    (XML.replace("name='nrbr7'", "name='nrbr7' zone='public'"), "public"),
])
def test_firewalld_gets_the_bridge_in_its_zone(daemon, services, changed, zone):
    daemon.call(ROOT, CONNECT, "NetworkCreateXML", "(s)", changed)
    assert services() == f"change {zone} nrbr7"
    daemon.call(PATH, NETWORK, "Destroy")
    assert services() == f"remove {zone} nrbr7"


def test_a_zone_nobody_knows_is_refused(daemon, services):
    text = daemon.error(ROOT, CONNECT, "NetworkCreateXML", "(s)", XML.replace("name='nrbr7'", "name='nrbr7' zone='none'"))[1]
    assert "requested firewalld zone 'none' does not exist" in text
    assert run("ip", "link", "show", "nrbr7").returncode != 0


def test_the_hosts_resolver_is_told_of_the_domain(daemon, services):
    changed = XML.replace("<bridge", "<domain name='nr.test' localOnly='yes' register='yes'/><bridge")
    daemon.call(ROOT, CONNECT, "NetworkCreateXML", "(s)", changed)
    assert [services() for _ in range(3)] == ["change libvirt nrbr7", "server 192.168.237.1", "domains nr.test True"]
    daemon.call(PATH, NETWORK, "Destroy")


def test_without_a_resolver_it_is_refused(daemon):
    changed = XML.replace("<bridge", "<domain name='nr.test' localOnly='yes' register='yes'/><bridge")
    text = daemon.error(ROOT, CONNECT, "NetworkCreateXML", "(s)", changed)[1]
    assert "failed to register name server" in text
    assert run("ip", "link", "show", "nrbr7").returncode != 0
