# SPDX-License-Identifier: LGPL-2.1-or-later
"""The D-Bus interface: what clients of libvirt-dbus rely on, and our own beside it."""

import csv
import os
import signal
import socket
import uuid
import xml.etree.ElementTree as ElementTree

import pytest
from gi.repository import Gio, GLib

from conftest import CONNECT, DOMAIN, Daemon, FACTS, PROPERTIES, ROOT, domain_path, domain_xml, wait_for

MANAGER = "org.freedesktop.DBus.ObjectManager"
OWN_CONNECT = "org.domaind1.Connect"
OWN_DOMAIN = "org.domaind1.Domain"
EMITS = "org.freedesktop.DBus.Property.EmitsChangedSignal"
UUID = "87291af1-1366-410c-bb6e-fbc6f66ff7ae"


def members(interface):
    with open(FACTS / "libvirt-dbus.tsv", encoding="utf-8") as table:
        return [row for row in csv.DictReader(table, delimiter="\t") if row["interface"] == interface]


def introspect(daemon, path):
    text = daemon.call(path, "org.freedesktop.DBus.Introspectable", "Introspect")
    return ElementTree.fromstring(text)


def member_rows(interface):
    """An introspected interface in the columns of the facts table."""
    for element in interface:
        row = {"kind": element.tag, "member": element.get("name"), "in_sig": "", "in_names": [], "out_sig": "",
               "out_names": [], "access": "-", "emits_changed": "-"}
        for argument in element.iter("arg"):
            way = "in" if argument.get("direction") == "in" else "out"
            row[f"{way}_sig"] += argument.get("type")
            row[f"{way}_names"].append(argument.get("name"))
        if element.tag == "property":
            row["out_sig"] = element.get("type")
            row["access"] = element.get("access")
            row["emits_changed"] = element.find(f"annotation[@name='{EMITS}']").get("value")
        yield row


def test_introspection_is_libvirt_dbus_s(daemon):
    daemon.define(domain_xml("web", UUID))
    for interface, path in ((CONNECT, ROOT), (DOMAIN, domain_path(UUID))):
        found = introspect(daemon, path).find(f"interface[@name='{interface}']")
        expected = [{"kind": row["kind"], "member": row["member"],
                     "in_sig": row["in_sig"].strip("-"), "in_names": row["in_names"].strip("-").split(),
                     "out_sig": row["out_sig"].strip("-"), "out_names": row["out_names"].strip("-").split(),
                     "access": row["access"], "emits_changed": row["emits_changed"]} for row in members(interface)]

        def by_name(row):
            return row["kind"], row["member"]

        assert sorted(member_rows(found), key=by_name) == sorted(expected, key=by_name)


def test_children_are_enumerated(daemon):
    for name in ("a", "b"):
        daemon.define(domain_xml(name))
    nodes = {node.get("name") for node in introspect(daemon, f"{ROOT}/domain").iter("node") if node.get("name")}
    assert {f"{ROOT}/domain/{node}" for node in nodes} == set(daemon.call(ROOT, CONNECT, "ListDomains", "(u)", 0))
    assert {node.get("name") for node in introspect(daemon, ROOT).findall("node")} == {
        "domain", "domaincheckpoint", "domainsnapshot", "interface", "network", "nwfilter", "secret", "storagepool",
        "storagevol"}


def test_own_interfaces_are_there(daemon):
    path = daemon.define(domain_xml("web", UUID))
    assert path == domain_path(UUID)
    root = {interface.get("name") for interface in introspect(daemon, ROOT).findall("interface")}
    domain = {interface.get("name") for interface in introspect(daemon, path).findall("interface")}
    assert {CONNECT, OWN_CONNECT, MANAGER, PROPERTIES} <= root
    assert {DOMAIN, OWN_DOMAIN, PROPERTIES} <= domain
    assert daemon.bus.has("org.domaind1")


def test_domain_properties(daemon):
    path = daemon.define(domain_xml("web", UUID))
    before = {"Active": False, "Autostart": False, "Id": 0, "Name": "web", "OSType": "hvm", "Persistent": True,
              "Updated": False, "UUID": UUID}
    for name, value in before.items():
        assert daemon.get(path, DOMAIN, name) == value, name
    daemon.call(path, DOMAIN, "Create", "(u)", 0)
    assert daemon.get(path, DOMAIN, "Active") is True
    assert daemon.get(path, DOMAIN, "Id") > 0


def test_get_wraps_once_and_get_all_twice(daemon):
    path = daemon.define(domain_xml("web", UUID))
    connection = daemon.bus.connection

    def properties(method, signature, *arguments):
        return connection.call_sync("org.libvirt", path, PROPERTIES, method, GLib.Variant(signature, arguments),
                                    None, 0, -1, None).print_(True)

    assert properties("Get", "(ss)", DOMAIN, "Name") == "(<'web'>,)"
    everything = properties("GetAll", "(s)", DOMAIN)
    assert "'Name': <<'web'>>" in everything
    assert "'Id': <<uint32 0>>" in everything
    assert "'Active': <<false>>" in everything
    assert f"'UUID': <<'{UUID}'>>" in everything
    # Our own interface answers as D-Bus means it.
    assert properties("GetAll", "(s)", OWN_DOMAIN) == "({'Messages': <@as []>, 'AutostartOnce': <false>},)"


def test_connect_properties(daemon):
    assert daemon.get(ROOT, CONNECT, "Encrypted") is False
    assert daemon.get(ROOT, CONNECT, "Secure") in (True, False)
    assert daemon.get(ROOT, CONNECT, "LibVersion") == 11003000
    assert daemon.get(ROOT, CONNECT, "Version") >= 7000000
    assert daemon.get(ROOT, CONNECT, "Hostname") != ""
    everything = daemon.call(ROOT, PROPERTIES, "GetAll", "(s)", CONNECT)
    assert set(everything) == {"Encrypted", "Hostname", "LibVersion", "Secure", "Version"}


def test_autostart_is_set(daemon):
    with daemon.signals("org.freedesktop.DBus.ObjectManager") as seen:
        path = daemon.define(domain_xml("web", UUID))
        wait_for(lambda: seen, "InterfacesAdded")  # what changes before it is in it
    with daemon.signals(PROPERTIES, path) as seen:
        daemon.call(path, PROPERTIES, "Set", "(ssv)", DOMAIN, "Autostart", GLib.Variant("b", True))
        wait_for(lambda: seen, "PropertiesChanged")
    assert daemon.get(path, DOMAIN, "Autostart") is True
    assert seen == [(path, f"{PROPERTIES}.PropertiesChanged", (DOMAIN, {"Autostart": True}, []))]


@pytest.mark.parametrize("name, value, error", [
    ("Autostart", GLib.Variant("s", "yes"), "org.freedesktop.DBus.Error.InvalidArgs"),
    ("Name", GLib.Variant("s", "other"), "org.freedesktop.DBus.Error.InvalidArgs"),
    ("Nothing", GLib.Variant("b", True), "org.freedesktop.DBus.Error.InvalidArgs"),
])
def test_properties_that_cannot_be_set(daemon, name, value, error):
    path = daemon.define(domain_xml("web", UUID))
    assert daemon.error(path, PROPERTIES, "Set", "(ssv)", DOMAIN, name, value)[0] == error


def test_life_cycle_signals(daemon):
    with daemon.signals() as seen:
        path = daemon.define(domain_xml("web", UUID))
        daemon.call(path, DOMAIN, "Create", "(u)", 0)
        daemon.call(path, DOMAIN, "Suspend")
        daemon.call(path, DOMAIN, "Resume")
        daemon.call(path, DOMAIN, "Destroy", "(u)", 0)
        daemon.call(path, DOMAIN, "Undefine", "(u)", 0)
        wait_for(lambda: [one for one in seen if one[1].endswith("InterfacesRemoved")], "InterfacesRemoved")

    events = [arguments for _, member, arguments in seen if member == f"{CONNECT}.DomainEvent"]
    assert events == [(path, 0, 0), (path, 4, 0), (path, 2, 0), (path, 3, 0), (path, 4, 0), (path, 5, 1), (path, 1, 0)]
    added = [arguments for _, member, arguments in seen if member == f"{MANAGER}.InterfacesAdded"]
    assert [(where, set(interfaces)) for where, interfaces in added] == [(path, {DOMAIN, OWN_DOMAIN})]
    assert added[0][1][DOMAIN]["Name"] == "web"
    assert (ROOT, f"{MANAGER}.InterfacesRemoved", (path, [DOMAIN, OWN_DOMAIN])) in seen
    changes = [arguments[1] for where, member, arguments in seen
               if member == f"{PROPERTIES}.PropertiesChanged" and where == path]
    assert [change["Active"] for change in changes if "Active" in change] == [True, False]
    assert [change["Id"] > 0 for change in changes if "Id" in change] == [True, False]


def test_metadata_and_reset_are_signalled(daemon):
    path = daemon.create(domain_xml("web", UUID))
    with daemon.signals(DOMAIN, path) as seen:
        daemon.call(path, DOMAIN, "SetMetadata", "(isssu)", 1, "A title", "", "", 0)
        daemon.call(path, DOMAIN, "Reset", "(u)", 0)
        wait_for(lambda: len(seen) == 2, "two signals")
    assert seen == [(path, f"{DOMAIN}.MetadataChange", (1, "")), (path, f"{DOMAIN}.Reboot", ())]


def test_a_viewer_is_signalled(daemon):
    listener = daemon.root / "vnc"
    viewer = socket.socket(socket.AF_UNIX)
    path = daemon.create(domain_xml("web", UUID, devices=f"<graphics type='vnc' socket='{listener}'/>"))
    with daemon.signals(DOMAIN, path) as seen:
        viewer.connect(str(listener))
        wait_for(lambda: seen, "Graphics")
        viewer.close()
    phase, local, remote, scheme, identities = seen[0][2]
    assert (seen[0][1], phase, scheme, identities) == (f"{DOMAIN}.Graphics", 0, "none", [])
    assert local[0] == remote[0] == 2  # a UNIX socket


def test_managed_objects(daemon):
    assert daemon.call(ROOT, MANAGER, "GetManagedObjects") == {}
    paths = [daemon.define(domain_xml(f"machine{number}")) for number in range(5)]
    objects = daemon.call(ROOT, MANAGER, "GetManagedObjects")
    assert sorted(objects) == sorted(paths)
    for number, path in enumerate(paths):
        assert set(objects[path]) == {DOMAIN, OWN_DOMAIN}
        assert objects[path][DOMAIN]["Name"] == f"machine{number}"
        assert objects[path][DOMAIN]["OSType"] == "hvm"
        assert objects[path][OWN_DOMAIN]["Messages"] == []


def test_lookups(daemon):
    path = daemon.define(domain_xml("web", UUID))
    assert daemon.call(ROOT, CONNECT, "DomainLookupByName", "(s)", "web") == path
    assert daemon.call(ROOT, CONNECT, "DomainLookupByUUID", "(s)", UUID) == path
    daemon.call(path, DOMAIN, "Create", "(u)", 0)
    assert daemon.call(ROOT, CONNECT, "DomainLookupByID", "(i)", daemon.get(path, DOMAIN, "Id")) == path


@pytest.mark.parametrize("method, signature, argument, text", [
    ("DomainLookupByName", "(s)", "nosuch", "Domain not found: no domain with matching name 'nosuch'"),
    ("DomainLookupByUUID", "(s)", UUID, f"Domain not found: no domain with matching uuid '{UUID}'"),
    ("DomainLookupByID", "(i)", 4711, "Domain not found: no domain with matching id 4711"),
    ("DomainLookupByUUID", "(s)", "what", "Invalid UUID"),
])
def test_failed_lookups(daemon, method, signature, argument, text):
    name, message = daemon.error(ROOT, CONNECT, method, signature, argument)
    assert name == "org.libvirt.Error"
    assert text in message


@pytest.mark.parametrize("element, text", [
    ("_" + UUID.replace("-", "_"), "Domain not found"),
    ("web", "Invalid UUID"),
    ("_87291af1", "Invalid UUID"),
    ("_" + "f" * 36, "Invalid UUID"),
])
def test_bad_paths(daemon, element, text):
    path = f"{ROOT}/domain/{element}"
    for call in ((path, DOMAIN, "GetState", "(u)", 0), (path, PROPERTIES, "Get", "(ss)", DOMAIN, "Name"),
                 (path, PROPERTIES, "GetAll", "(s)", DOMAIN)):
        name, message = daemon.error(*call)
        assert (name, text in message) == ("org.libvirt.Error", True), message


def test_a_path_lives_as_long_as_its_domain(daemon):
    path = daemon.define(domain_xml("web", UUID))
    daemon.call(path, DOMAIN, "Undefine", "(u)", 0)
    assert "Domain not found" in daemon.error(path, DOMAIN, "GetXMLDesc", "(u)", 0)[1]
    assert daemon.define(domain_xml("again", UUID)) == path
    assert daemon.get(path, DOMAIN, "Name") == "again"


def test_what_is_not_there_says_so(daemon):
    path = daemon.define(domain_xml("web", UUID))
    name, message = daemon.error(path, DOMAIN, "SendProcessSignal", "(xuu)", 1, 15, 0)
    assert name == "org.libvirt.Error"
    assert message.startswith("this function is not supported by the connection driver: ")


@pytest.mark.parametrize("method", ["ListNetworks", "ListStoragePools", "ListNodeDevices", "ListNWFilters",
                                    "ListSecrets", "ListDomains"])
def test_lists_of_what_is_not_there_are_empty(daemon, method):
    assert daemon.call(ROOT, CONNECT, method, "(u)", 0) == []


def test_unknown_members_are_d_bus_s_own_errors(daemon):
    assert daemon.error(ROOT, CONNECT, "NoSuchMethod")[0] == "org.freedesktop.DBus.Error.UnknownMethod"
    assert daemon.error(ROOT, CONNECT, "ListDomains", "(s)", "0")[0] == "org.freedesktop.DBus.Error.InvalidArgs"
    assert daemon.error(ROOT, PROPERTIES, "Get", "(ss)", CONNECT, "No")[0] == "org.freedesktop.DBus.Error.InvalidArgs"


def test_parameters_are_checked(daemon):
    path = daemon.define(domain_xml("web", UUID))

    def set_memory(parameters):
        return daemon.error(path, DOMAIN, "SetMemoryParameters", "(a{sv}u)", parameters, 0)[1]

    assert "a value of type 'ay'" in set_memory({"x": GLib.Variant("ay", b"1")})
    assert "a value of type 'v'" in set_memory({"x": GLib.Variant("v", GLib.Variant("i", 1))})
    assert "17 items where at most 16 are allowed" in set_memory({f"x{n}": GLib.Variant("i", n) for n in range(17)})
    assert "80 bytes where at most 79" in set_memory({"x" * 80: GLib.Variant("i", 1)})


def test_big_arguments(daemon):
    assert "at most 4194304" in daemon.error(ROOT, CONNECT, "DomainDefineXML", "(s)", "x" * (4194304 + 1))[1]
    name, _ = daemon.error(ROOT, CONNECT, "DomainDefineXML", "(s)", "<domain>" + "<a>" * 100000)
    assert name == "org.libvirt.Error"
    assert daemon.call(ROOT, CONNECT, "ListDomains", "(u)", 0) == []


def test_statistics_have_libvirt_dbus_s_form(daemon):
    path = daemon.define(domain_xml("web", UUID))
    answer = daemon.bus.connection.call_sync("org.libvirt", path, DOMAIN, "GetStats", GLib.Variant("(uu)", (1, 0)),
                                             None, 0, -1, None)
    assert answer.get_type_string() == "(a{sv})"
    assert "'state.state': <<5>>" in answer.print_(True)
    records = daemon.call(ROOT, CONNECT, "GetAllDomainStats", "(uu)", 1, 0)
    assert [name for name, _ in records] == ["web"]


def test_node_calls(daemon):
    cpu = daemon.call(ROOT, CONNECT, "NodeGetCPUStats", "(iu)", -1, 0)
    assert {"kernel", "user", "idle", "iowait"} <= set(cpu)
    memory = daemon.call(ROOT, CONNECT, "NodeGetMemoryStats", "(iu)", -1, 0)
    assert {"total", "free"} <= set(memory)
    assert daemon.call(ROOT, CONNECT, "NodeGetCPUMap", "(u)", 0).count(True) >= 1
    model, total, cpus, *_ = daemon.call(ROOT, OWN_CONNECT, "NodeGetInfo")
    assert model == "x86_64" and total > 0 and cpus >= 1


def test_metadata_without_namespace_is_an_empty_string(daemon):
    path = daemon.define(domain_xml("web", UUID, more="<title>A title</title>"))
    assert daemon.call(path, DOMAIN, "GetMetadata", "(isu)", 1, "", 0) == "A title"


def test_many_calls_at_once_are_all_answered(daemon):
    paths = [daemon.define(domain_xml(f"machine{number}", str(uuid.uuid4()))) for number in range(10)]
    answers = [daemon.begin(path, DOMAIN, "GetXMLDesc", "(u)", 0) for path in paths * 50]
    wait_for(lambda: all(answers), "500 answers")
    assert not [answer[0] for answer in answers if isinstance(answer[0], GLib.Error)]


def stall(daemon, name="stalled"):
    """The path of a running machine whose QEMU no longer answers."""
    path = daemon.create(domain_xml(name))
    os.kill(daemon.machines()[name], signal.SIGSTOP)
    return path


def test_a_stalled_guest_holds_up_nobody_else(daemon):
    path = stall(daemon)
    other = daemon.define(domain_xml("other"))
    waiting = daemon.begin(path, DOMAIN, "Suspend")
    assert daemon.call(other, DOMAIN, "GetState", "(u)", 0) == (5, 0)
    daemon.call(other, DOMAIN, "Create", "(u)", 0)
    assert daemon.get(path, DOMAIN, "Active") is True
    assert "stalled" in daemon.call(path, DOMAIN, "GetXMLDesc", "(u)", 0)
    assert not waiting
    daemon.call(path, DOMAIN, "Destroy", "(u)", 0)
    wait_for(lambda: waiting, "the answer of Suspend")  # an error, unless QEMU, woken to be ended, obeyed it first
    assert "stalled" not in daemon.machines()


def test_the_daemon_ends_while_calls_wait(daemon):
    path = stall(daemon)
    answers = [daemon.begin(path, DOMAIN, method, *arguments) for method, *arguments in (
        ("Suspend",), ("Resume",), ("GetStats", "(uu)", 0, 0), ("Shutdown", "(u)", 0))]
    daemon.call(ROOT, CONNECT, "ListDomains", "(u)", 0)
    daemon.stop()
    wait_for(lambda: all(answers), "four answers")
    daemon.start()
    assert daemon.get(path, DOMAIN, "Active") is True


def test_calls_in_flight_are_bounded(daemon):
    # A domain has 65 calls waiting at most, and a client 256.
    paths = [stall(daemon, f"stalled{number}") for number in range(4)]
    answers = [daemon.begin(path, DOMAIN, "Suspend") for path in paths for _ in range(65)]
    beyond = daemon.error(paths[0], DOMAIN, "GetState", "(u)", 0)
    assert beyond[0] == "org.freedesktop.DBus.Error.LimitsExceeded"
    assert "256 calls of this client wait" in beyond[1]
    # Another client is not this client.
    other = daemon.bus.connect()
    assert daemon.call(paths[0], DOMAIN, "GetState", "(u)", 0, connection=other) == (1, 1)
    for path in paths:
        daemon.call(path, DOMAIN, "Destroy", "(u)", 0, connection=other)
    wait_for(lambda: all(answers), "260 answers")
    assert daemon.call(ROOT, CONNECT, "ListDomains", "(u)", 0) == []
    other.close_sync()


def test_the_bus_may_come_late_and_go(daemon):
    path = daemon.define(domain_xml("web", UUID))
    daemon.bus.stop()
    daemon.bus.start()
    wait_for(lambda: daemon.bus.has("org.libvirt"), "org.libvirt")
    assert daemon.get(path, DOMAIN, "Name") == "web"
    daemon.stop()
    daemon.bus.stop()
    daemon.start(ready=lambda: "no session bus" in daemon.log())
    daemon.bus.start()
    wait_for(lambda: daemon.bus.has("org.libvirt"), "org.libvirt")
    assert daemon.get(path, DOMAIN, "Name") == "web"


def test_the_name_may_be_taken(root, bus):
    other = bus.connect()
    owner = Gio.bus_own_name_on_connection(other, "org.libvirt", 0, None, None)
    wait_for(lambda: bus.has("org.libvirt"), "the other's name")
    daemon = Daemon(root, bus)
    try:
        daemon.start(ready=lambda: bus.has("org.domaind1") and "belongs to another program" in daemon.log())
        answer = bus.connection.call_sync("org.domaind1", ROOT, CONNECT, "ListDomains", GLib.Variant("(u)", (0,)),
                                          None, 0, -1, None)
        assert answer.unpack() == ([],)
        Gio.bus_unown_name(owner)
        other.close_sync()
        wait_for(lambda: bus.has("org.libvirt"), "org.libvirt")
        assert daemon.call(ROOT, CONNECT, "ListDomains", "(u)", 0) == []
    finally:
        daemon.clean_up()


CONSOLE = "<serial type='pty'/><channel type='unix'><target type='virtio' name='org.example.0'/></channel>"


def open_console(daemon, path, device="", flags=0):
    """The descriptor of a console."""
    _, descriptors = daemon.bus.connection.call_with_unix_fd_list_sync(
        "org.libvirt", path, OWN_DOMAIN, "OpenConsole", GLib.Variant("(su)", (device, flags)), None, 0, -1, None, None)
    return descriptors.get(0)


def test_a_console_is_a_descriptor(daemon):
    path = daemon.create(domain_xml("web", UUID, devices=CONSOLE))
    console = open_console(daemon, path)
    live = ElementTree.fromstring(daemon.call(path, DOMAIN, "GetXMLDesc", "(u)", 0))
    assert os.ttyname(console) == live.find("devices/serial/source").get("path")
    # One at a time, unless forced; and the next one when it is closed.
    assert "Active console session exists for this domain" in daemon.error(path, OWN_DOMAIN, "OpenConsole", "(su)", "", 0)[1]
    os.close(open_console(daemon, path, "serial0", 1))
    os.close(console)
    os.close(open_console(daemon, path))
    assert "cannot find character device nosuch" in daemon.error(path, OWN_DOMAIN, "OpenConsole", "(su)", "nosuch", 0)[1]
    daemon.call(path, DOMAIN, "Destroy", "(u)", 0)


def test_consoles_need_a_running_machine(daemon):
    path = daemon.define(domain_xml("web", UUID, devices=CONSOLE))
    assert "domain is not running" in daemon.error(path, OWN_DOMAIN, "OpenConsole", "(su)", "", 0)[1]
