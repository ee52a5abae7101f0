# SPDX-License-Identifier: LGPL-2.1-or-later
"""Virtual networks on D-Bus, as libvirt-dbus has them."""

from gi.repository import GLib

from conftest import CONNECT, PROPERTIES, ROOT, wait_for

NETWORK = "org.libvirt.Network"
UUID = "c0ffee00-1111-2222-3333-444455556666"
PATH = f"{ROOT}/network/_{UUID.replace('-', '_')}"
XML = f"<network><name>lan</name><uuid>{UUID}</uuid><forward mode='bridge'/><bridge name='br0'/></network>"


def properties(daemon):
    return daemon.call(PATH, PROPERTIES, "GetAll", "(s)", NETWORK)


def test_define_start_stop_undefine(daemon):
    with daemon.signals("org.libvirt.Connect") as seen:
        assert daemon.call(ROOT, CONNECT, "NetworkDefineXML", "(s)", XML) == PATH
        assert daemon.call(ROOT, CONNECT, "NetworkLookupByName", "(s)", "lan") == PATH
        assert daemon.call(ROOT, CONNECT, "NetworkLookupByUUID", "(s)", UUID) == PATH
        assert properties(daemon) == {"Active": False, "Autostart": False, "Name": "lan", "Persistent": True, "UUID": UUID}
        daemon.call(PATH, PROPERTIES, "Set", "(ssv)", NETWORK, "Autostart", GLib.Variant("b", True))
        daemon.call(PATH, NETWORK, "Create")
        assert properties(daemon) == {"Active": True, "Autostart": True, "Name": "lan", "Persistent": True, "UUID": UUID}
        assert daemon.call(ROOT, CONNECT, "ListNetworks", "(u)", 2) == [PATH]
        assert daemon.call(PATH, NETWORK, "GetDHCPLeases", "(su)", "", 0) == []
        daemon.call(PATH, NETWORK, "Update", "(uuisu)", 3, 9, -1, "<portgroup name='p'/>", 0)
        assert "<portgroup name='p'>" in daemon.call(PATH, NETWORK, "GetXMLDesc", "(u)", 0)
        daemon.call(PATH, NETWORK, "Destroy")
        assert "portgroup" not in daemon.call(PATH, NETWORK, "GetXMLDesc", "(u)", 0)
        daemon.call(PATH, NETWORK, "Undefine")
        wait_for(lambda: len(seen) >= 4, "the signals")
    assert [(name, arguments) for _path, name, arguments in seen] == [
        ("org.libvirt.Connect.NetworkEvent", (PATH, event)) for event in (0, 2, 3, 1)]
    assert daemon.call(ROOT, CONNECT, "ListNetworks", "(u)", 0) == []


def test_transient_network(daemon):
    assert daemon.call(ROOT, CONNECT, "NetworkCreateXML", "(s)", XML) == PATH
    assert properties(daemon)["Persistent"] is False
    daemon.call(PATH, NETWORK, "Destroy")
    name, text = daemon.error(PATH, NETWORK, "GetXMLDesc", "(u)", 0)
    assert "Network" in text or "object" in text, (name, text)


def test_mistakes_are_libvirts(daemon):
    assert daemon.error(ROOT, CONNECT, "NetworkLookupByName", "(s)", "none")[1] == (
        "Network not found: no network with matching name 'none'")
    daemon.call(ROOT, CONNECT, "NetworkDefineXML", "(s)", XML)
    assert daemon.error(PATH, NETWORK, "Destroy")[1] == "Requested operation is not valid: network 'lan' is not active"
    daemon.call(PATH, NETWORK, "Create")
    assert daemon.error(PATH, NETWORK, "Create")[1] == "Requested operation is not valid: network is already active"
    assert daemon.error(PATH, NETWORK, "GetDHCPLeases", "(su)", "zz", 0)[1].startswith("invalid MAC address")


def test_a_running_network_is_found_again(daemon):
    daemon.call(ROOT, CONNECT, "NetworkDefineXML", "(s)", XML)
    daemon.call(PATH, NETWORK, "Create")
    daemon.kill()
    daemon.start()
    assert properties(daemon)["Active"] is True
    daemon.call(PATH, NETWORK, "Destroy")
    assert list((daemon.root / "run/domaind/networks").iterdir()) == []
