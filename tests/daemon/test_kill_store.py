# SPDX-License-Identifier: LGPL-2.1-or-later
"""The daemon killed at each step in which a definition goes from the disk: it is whole afterwards, or gone with all it
had, and the next object of its name is a new one."""

from gi.repository import GLib

from conftest import CONNECT, PROPERTIES, ROOT
from test_cut_short import killed  # noqa: F401: a fixture

POOL = "org.libvirt.StoragePool"
UUID = "11111111-2222-3333-4444-555555555555"
PATH = f"{ROOT}/storagepool/_11111111_2222_3333_4444_555555555555"
STEPS_MAX = 60


def files(daemon, *folders):
    return sorted(str(path.relative_to(daemon.root)) for folder in folders for path in (daemon.root / folder).rglob("*")
                  if path.name != "index" and not path.is_dir())


def define_pool(daemon, directory):
    daemon.call(ROOT, CONNECT, "StoragePoolDefineXML", "(su)", f"""<pool type='dir'><name>p</name><uuid>{UUID}</uuid>
        <target><path>{directory}</path></target></pool>""", 0)


def test_no_autostart_is_left_of_a_pool(killed, tmp_path):  # noqa: F811
    folders = ("etc/domaind/storage", "var/lib/domaind/storage")
    for step in range(1, STEPS_MAX):
        killed.start_to_be_killed()
        define_pool(killed, tmp_path)
        killed.call(PATH, PROPERTIES, "Set", "(ssv)", POOL, "Autostart", GLib.Variant("b", True))
        over = not killed.cut("disk", step, PATH, POOL, "Undefine")
        killed.start()
        if not killed.call(ROOT, CONNECT, "ListStoragePools", "(u)", 0):
            assert files(killed, *folders) == [], step
            define_pool(killed, tmp_path)
            assert killed.get(PATH, POOL, "Autostart") is False, step
        else:
            assert killed.get(PATH, POOL, "Autostart") is True, step
        killed.call(PATH, POOL, "Undefine")
        killed.stop()
        if over:
            break
    assert over and step > 4


SECRET_UUID = "0a81f5b2-8403-7b23-c8d6-21ccc2f80d6f"
SECRET_PATH = f"{ROOT}/secret/_{SECRET_UUID.replace('-', '_')}"
SECRET = "org.libvirt.Secret"


def define_secret(daemon):
    daemon.call(ROOT, CONNECT, "SecretDefineXML", "(su)", f"<secret><uuid>{SECRET_UUID}</uuid></secret>", 0)


def test_no_value_is_left_of_a_secret(killed):  # noqa: F811
    folders = ("etc/domaind/secrets", "var/lib/domaind/secrets")
    for step in range(1, STEPS_MAX):
        killed.start_to_be_killed()
        define_secret(killed)
        killed.call(SECRET_PATH, SECRET, "SetValue", "(ayu)", b"a", 0)
        over = not killed.cut("disk", step, SECRET_PATH, SECRET, "Undefine")
        killed.start()
        if not killed.call(ROOT, CONNECT, "ListSecrets", "(u)", 0):
            assert files(killed, *folders) == [], step
            define_secret(killed)
            assert "does not have a value" in killed.error(SECRET_PATH, SECRET, "GetValue", "(u)", 0)[1], step
        else:
            assert bytes(killed.call(SECRET_PATH, SECRET, "GetValue", "(u)", 0)) == b"a", step
        killed.call(SECRET_PATH, SECRET, "Undefine")
        killed.stop()
        if over:
            break
    assert over and step > 4


def test_a_value_is_the_old_one_or_the_new_one(killed):  # noqa: F811
    for step in range(1, STEPS_MAX):
        killed.start_to_be_killed()
        define_secret(killed)
        killed.call(SECRET_PATH, SECRET, "SetValue", "(ayu)", b"old", 0)
        over = not killed.cut("disk", step, SECRET_PATH, SECRET, "SetValue", "(ayu)", b"new", 0)
        killed.start()
        value = bytes(killed.call(SECRET_PATH, SECRET, "GetValue", "(u)", 0))
        assert value == b"new" if over else value in (b"old", b"new"), step
        values = killed.root / "var/lib/domaind/secrets/values"
        assert [path.name for path in values.iterdir()] == [SECRET_UUID], step
        killed.call(SECRET_PATH, SECRET, "Undefine")
        killed.stop()
        if over:
            break
    assert over and step > 1


NETWORK = "org.libvirt.Network"
NETWORK_PATH = f"{ROOT}/network/_11111111_2222_3333_4444_555555555555"
NETWORK_XML = f"""<network> <!-- mine -->
  <name>n</name>
  <uuid>{UUID}</uuid>
  <forward mode='bridge'/>
  <bridge name='br0'/>
</network>
"""


def test_no_autostart_is_left_of_a_network(killed):  # noqa: F811
    folders = ("etc/domaind/networks", "var/lib/domaind/networks")
    for step in range(1, STEPS_MAX):
        killed.start_to_be_killed()
        killed.call(ROOT, CONNECT, "NetworkDefineXML", "(s)", NETWORK_XML)
        killed.call(NETWORK_PATH, PROPERTIES, "Set", "(ssv)", NETWORK, "Autostart", GLib.Variant("b", True))
        over = not killed.cut("disk", step, NETWORK_PATH, NETWORK, "Undefine")
        killed.start()
        if not killed.call(ROOT, CONNECT, "ListNetworks", "(u)", 0):
            assert files(killed, *folders) == [], step
            killed.call(ROOT, CONNECT, "NetworkDefineXML", "(s)", NETWORK_XML)
            assert killed.get(NETWORK_PATH, NETWORK, "Autostart") is False, step
        else:
            assert killed.get(NETWORK_PATH, NETWORK, "Autostart") is True, step
        killed.call(NETWORK_PATH, NETWORK, "Undefine")
        killed.stop()
        if over:
            break
    assert over and step > 4


def test_an_update_is_whole_or_has_not_been(killed):  # noqa: F811
    """Of the stored definition: the user's text and the completed one are of one definition at each step."""
    changed = NETWORK_XML.replace("</network>", "  <portgroup name='p'/>\n</network>")
    for step in range(1, STEPS_MAX):
        killed.start_to_be_killed()
        killed.call(ROOT, CONNECT, "NetworkDefineXML", "(s)", NETWORK_XML)
        over = not killed.cut("disk", step, NETWORK_PATH, NETWORK, "Update", "(uuisu)", 3, 9, -1, "<portgroup name='p'/>", 2)
        killed.start()
        source = (killed.root / "etc/domaind/networks/n.xml").read_text()
        assert source in (NETWORK_XML, changed), step
        assert ("portgroup" in killed.call(NETWORK_PATH, NETWORK, "GetXMLDesc", "(u)", 0)) == (source == changed), step
        killed.call(NETWORK_PATH, NETWORK, "Undefine")
        killed.stop()
        if over:
            break
    assert over and step > 2


FILTER = "org.libvirt.NWFilter"
FILTER_PATH = f"{ROOT}/nwfilter/_{SECRET_UUID.replace('-', '_')}"


def test_a_filter_is_the_old_one_or_the_new_one(killed):  # noqa: F811
    """Its definition and its end, cut at each step on the disk."""
    folders = ("etc/domaind/nwfilters", "var/lib/domaind/nwfilters")
    old, new = (f"<filter name='f' chain='{chain}'><uuid>{SECRET_UUID}</uuid></filter>" for chain in ("arp", "mac"))
    for step in range(1, STEPS_MAX):
        killed.start_to_be_killed()
        killed.call(ROOT, CONNECT, "NWFilterDefineXML", "(s)", old)
        over = not killed.cut("disk", step, ROOT, CONNECT, "NWFilterDefineXML", "(s)", new)
        killed.start()
        chain = killed.call(FILTER_PATH, FILTER, "GetXMLDesc", "(u)", 0).split("'")[3]
        assert chain == "mac" if over else chain in ("arp", "mac"), step
        killed.call(FILTER_PATH, FILTER, "Undefine")
        assert files(killed, *folders) == [], step
        killed.stop()
        if over:
            break
    assert over and step > 4
