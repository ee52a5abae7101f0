# SPDX-License-Identifier: LGPL-2.1-or-later
"""Storage pools and volumes on D-Bus: libvirt-dbus's objects, and the signals about them."""

from conftest import CONNECT, PROPERTIES, ROOT, wait_for

POOL = "org.libvirt.StoragePool"
VOLUME = "org.libvirt.StorageVol"
UUID = "11111111-2222-3333-4444-555555555555"
PATH = f"{ROOT}/storagepool/_11111111_2222_3333_4444_555555555555"


def define(daemon, directory):
    return daemon.call(ROOT, CONNECT, "StoragePoolDefineXML", "(su)", f"""<pool type='dir'><name>p</name>
        <uuid>{UUID}</uuid><target><path>{directory}</path></target></pool>""", 0)


def create(daemon, name, more=""):
    return daemon.call(PATH, POOL, "StorageVolCreateXML", "(su)",
                       f"<volume><name>{name}</name><capacity>4096</capacity>{more}</volume>", 0)


def test_a_pool_and_its_volumes(daemon, tmp_path):
    directory = tmp_path / "pool"
    with daemon.signals() as seen:
        assert define(daemon, directory) == PATH
        daemon.call(PATH, POOL, "Build", "(u)", 0)
        daemon.call(PATH, POOL, "Create", "(u)", 0)
        daemon.call(PATH, POOL, "Refresh", "(u)", 0)
        wait_for(lambda: (PATH, f"{POOL}.Refresh", ()) in seen, "the signal")
    assert [arguments for _, member, arguments in seen if member == f"{CONNECT}.StoragePoolEvent"] == [
        (PATH, 0, 0), (PATH, 4, 0), (PATH, 2, 0)]
    assert daemon.call(ROOT, CONNECT, "ListStoragePools", "(u)", 0) == [PATH]
    assert daemon.call(ROOT, CONNECT, "StoragePoolLookupByName", "(s)", "p") == PATH
    assert daemon.call(ROOT, CONNECT, "StoragePoolLookupByUUID", "(s)", UUID) == PATH
    state, capacity, allocation, available = daemon.call(PATH, POOL, "GetInfo")
    assert state == 2 and capacity == allocation + available
    assert daemon.call(PATH, PROPERTIES, "GetAll", "(s)", POOL) == {
        "Active": True, "Autostart": False, "Name": "p", "Persistent": True, "UUID": UUID}

    volume = create(daemon, "a b.raw")
    key = f"{directory}/a b.raw"
    assert volume.startswith(f"{ROOT}/storagevol/_2f") and volume.endswith("_2fa_20b_2eraw")
    assert daemon.call(PATH, POOL, "ListStorageVolumes", "(u)", 0) == [volume]
    assert daemon.call(PATH, POOL, "StorageVolLookupByName", "(s)", "a b.raw") == volume
    assert daemon.call(ROOT, CONNECT, "StorageVolLookupByKey", "(s)", key) == volume
    assert daemon.call(ROOT, CONNECT, "StorageVolLookupByPath", "(s)", key) == volume
    assert daemon.call(volume, PROPERTIES, "GetAll", "(s)", VOLUME) == {"Key": key, "Name": "a b.raw", "Path": key}
    assert f"<path>{key}</path>" in daemon.call(volume, VOLUME, "GetXMLDesc", "(u)", 0)
    daemon.call(volume, VOLUME, "Resize", "(tu)", 8192, 0)
    assert daemon.call(volume, VOLUME, "GetInfo", "(u)", 0) == (0, 8192, 4096)
    daemon.call(volume, VOLUME, "Wipe", "(uu)", 0, 0)
    copy = daemon.call(PATH, POOL, "StorageVolCreateXMLFrom", "(ssu)", "<volume><name>c</name></volume>", key, 0)
    assert daemon.call(copy, VOLUME, "GetInfo", "(u)", 0)[1] == 8192
    for path in (volume, copy):
        daemon.call(path, VOLUME, "Delete", "(u)", 0)
    assert "no storage vol with matching key" in daemon.error(volume, VOLUME, "GetInfo", "(u)", 0)[1]
    daemon.call(PATH, POOL, "Destroy")
    daemon.call(PATH, POOL, "Delete", "(u)", 0)
    daemon.call(PATH, POOL, "Undefine")
    assert "no storage pool with matching uuid" in daemon.error(PATH, POOL, "GetInfo")[1]


def test_paths_that_mean_nothing(daemon):
    assert "is no encoded key" in daemon.error(f"{ROOT}/storagevol/_zz", VOLUME, "GetInfo", "(u)", 0)[1]
    assert "Invalid UUID" in daemon.error(f"{ROOT}/storagepool/p", POOL, "GetInfo")[1]


COMMENTED = f"""<!-- ask Grace -->
<pool   type="dir"><name>p</name><uuid>{UUID}</uuid>
  <target><path>%s</path></target> </pool>
"""


def marked(daemon):
    return daemon.root / "etc/domaind/storage/autostart/p.xml"


def restart(daemon):
    daemon.stop()
    daemon.start()


def test_the_document_is_kept_as_it_is(daemon, tmp_path):
    text = COMMENTED % (tmp_path / "p")
    daemon.call(ROOT, CONNECT, "StoragePoolDefineXML", "(su)", text, 0)
    file = daemon.root / "etc/domaind/storage/p.xml"
    assert file.read_text() == text
    daemon.call(PATH, PROPERTIES, "Set", "(ssv)", POOL, "Autostart", boolean(True))
    assert marked(daemon).resolve() == file
    xml = daemon.call(PATH, POOL, "GetXMLDesc", "(u)", 0)
    restart(daemon)
    assert daemon.get(PATH, POOL, "Autostart") is True
    assert daemon.call(PATH, POOL, "GetXMLDesc", "(u)", 0) == xml
    daemon.call(PATH, POOL, "Undefine")
    assert not file.exists() and not marked(daemon).is_symlink()


def test_a_document_put_there_by_hand_gets_its_uuid_once(daemon, tmp_path):
    daemon.stop()
    file = daemon.root / "etc/domaind/storage/p.xml"
    file.write_text((COMMENTED % (tmp_path / "p")).replace(f"<uuid>{UUID}</uuid>", ""))
    daemon.start()
    path = daemon.call(ROOT, CONNECT, "StoragePoolLookupByName", "(s)", "p")
    restart(daemon)
    assert daemon.call(ROOT, CONNECT, "StoragePoolLookupByName", "(s)", "p") == path
    assert "<uuid>" not in file.read_text()


def boolean(value):
    from gi.repository import GLib
    return GLib.Variant("b", value)


def state(daemon):
    return daemon.call(PATH, POOL, "GetInfo")[0]


def restart(daemon):
    daemon.process.kill()
    daemon.process.wait()
    daemon.start()


def test_a_pool_is_active_only_if_that_is_written_down(daemon, tmp_path):
    define(daemon, tmp_path)
    records = daemon.root / "run/domaind/storage"
    records.write_text("in the directory's place")
    assert "run/domaind/storage" in daemon.error(PATH, POOL, "Create", "(u)", 0)[1]
    assert state(daemon) == 0
    records.unlink()
    daemon.call(PATH, POOL, "Create", "(u)", 0)
    restart(daemon)
    assert state(daemon) == 2


def test_a_pool_whose_record_stays_is_still_active(daemon, tmp_path):
    define(daemon, tmp_path)
    daemon.call(PATH, POOL, "Create", "(u)", 0)
    record = daemon.root / "run/domaind/storage/p.xml"
    text = record.read_text()
    record.unlink()
    record.mkdir()
    assert "cannot remove" in daemon.error(PATH, POOL, "Destroy")[1]
    assert state(daemon) == 2
    record.rmdir()
    record.write_text(text)
    daemon.call(PATH, POOL, "Destroy")
    restart(daemon)
    assert state(daemon) == 0
