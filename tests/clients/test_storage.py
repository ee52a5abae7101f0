# SPDX-License-Identifier: LGPL-2.1-or-later
"""Directory storage pools and their volumes, as virsh and libvirt's Python module use them."""

import contextlib
import os
import re
import socket
import subprocess
import threading
import xml.etree.ElementTree as ElementTree

import libvirt
import pytest

from conftest import domain_xml, wait_for
from host import host, needs  # noqa: F401

VIRSH = "/usr/bin/virsh"
pytestmark = needs(VIRSH, "libvirt-clients")

MIB = 1024 * 1024


@pytest.fixture(scope="session", autouse=True)
def little_linux():
    """No guest runs here."""


@pytest.fixture
def pool(host):
    """A running pool `p`; its directory."""
    directory = host.images / "p"
    host.virsh("pool-create-as", "p", "dir", "--target", directory, "--build")
    return directory


@pytest.fixture
def connection(host):
    it = libvirt.open(f"qemu:///system?socket={host.daemon.root}/run/domaind/libvirt-sock")
    yield it
    it.close()


def fields(text):
    """What an -info command prints, by name."""
    return dict(re.split(r":\s+", line, maxsplit=1) for line in text.splitlines() if line)


def image(path):
    return subprocess.run(["qemu-img", "info", "-U", path], check=True, capture_output=True, text=True).stdout


def test_a_pools_life(host):
    directory = host.images / "deep" / "pool"
    host.virsh("pool-define-as", "p", "dir", "--target", directory)
    assert fields(host.virsh("pool-info", "p"))["State"] == "inactive"
    assert "cannot open directory" in host.virsh("pool-start", "p", status=1)
    host.virsh("pool-build", "p")
    assert directory.stat().st_mode & 0o777 == 0o711
    host.virsh("pool-start", "p")
    info = fields(host.virsh("pool-info", "p"))
    assert (info["State"], info["Persistent"], info["Autostart"]) == ("running", "yes", "no")
    assert "is already active" in host.virsh("pool-start", "p", status=1)
    assert "is already active" in host.virsh("pool-build", "p", status=1)
    host.virsh("pool-autostart", "p")
    assert re.split(r" +", host.virsh("pool-list")) == ["p", "active", "yes"]
    assert host.virsh("pool-uuid", "p") == info["UUID"]
    assert host.virsh("pool-name", info["UUID"]) == "p"
    for command in ("pool-undefine", "pool-delete"):
        assert "storage pool 'p' is still active" in host.virsh(command, "p", status=1)
    (directory / "file").touch()
    host.virsh("pool-destroy", "p")
    for command in ("pool-destroy", "pool-refresh", "vol-list"):
        assert "storage pool 'p' is not active" in host.virsh(command, "p", status=1)
    assert "Directory not empty" in host.virsh("pool-delete", "p", status=1)
    (directory / "file").unlink()
    host.virsh("pool-delete", "p")
    assert not directory.exists()
    host.virsh("pool-undefine", "p")
    assert host.virsh("pool-list", "--all") == ""


def test_the_documents_are_libvirts(host, pool):
    document = host.virsh("pool-dumpxml", "p")
    assert re.fullmatch(r"""<pool type='dir'>
  <name>p</name>
  <uuid>[0-9a-f-]{36}</uuid>
  <capacity unit='bytes'>\d+</capacity>
  <allocation unit='bytes'>\d+</allocation>
  <available unit='bytes'>\d+</available>
  <source>
  </source>
  <target>
    <path>""" + str(pool) + r"""</path>
    <permissions>
      <mode>0711</mode>
      <owner>0</owner>
      <group>0</group>
    </permissions>
  </target>
</pool>""", document)
    host.virsh("vol-create-as", "p", "v", "1M", "--allocation", "0")
    assert re.fullmatch(rf"""<volume type='file'>
  <name>v</name>
  <key>{pool}/v</key>
  <capacity unit='bytes'>1048576</capacity>
  <allocation unit='bytes'>0</allocation>
  <physical unit='bytes'>1048576</physical>
  <target>
    <path>{pool}/v</path>
    <format type='raw'/>
    <permissions>
      <mode>0600</mode>
      <owner>0</owner>
      <group>0</group>
    </permissions>
    <timestamps>
      <atime>[\d.]+</atime>
      <mtime>[\d.]+</mtime>
      <ctime>[\d.]+</ctime>
      <btime>0</btime>
    </timestamps>
  </target>
</volume>""", host.virsh("vol-dumpxml", "--pool", "p", "v"))


def test_volumes_are_made_found_and_deleted(host, pool):
    host.virsh("vol-create-as", "p", "raw", "4M")
    host.virsh("vol-create-as", "p", "sparse", "4M", "--allocation", "0")
    host.virsh("vol-create-as", "p", "base", "4M", "--format", "qcow2")
    host.virsh("vol-create-as", "p", "top", "8M", "--format", "qcow2", "--backing-vol", "base",
               "--backing-vol-format", "qcow2")
    host.virsh("vol-create-as", "p", "filled", "4M", "--format", "qcow2", "--prealloc-metadata")
    details = [line.split() for line in host.virsh("vol-list", "p", "--details").splitlines()]
    assert [(row[0], row[1], " ".join(row[2:5])) for row in details] == [
        ("base", f"{pool}/base", "file 4.00 MiB"), ("filled", f"{pool}/filled", "file 4.00 MiB"),
        ("raw", f"{pool}/raw", "file 4.00 MiB"), ("sparse", f"{pool}/sparse", "file 4.00 MiB"),
        ("top", f"{pool}/top", "file 8.00 MiB")]
    assert (pool / "raw").stat().st_blocks * 512 == 4 * MIB
    assert (pool / "sparse").stat().st_blocks == 0
    assert f"backing file: {pool}/base" in image(pool / "top")
    assert f"<path>{pool}/base</path>" in host.virsh("vol-dumpxml", "--pool", "p", "top")
    assert host.virsh("vol-path", "--pool", "p", "raw") == host.virsh("vol-key", "--pool", "p", "raw") == f"{pool}/raw"
    assert host.virsh("vol-pool", pool / "raw") == "p"
    assert host.virsh("vol-name", pool / "raw") == "raw"
    assert fields(host.virsh("vol-info", pool / "sparse"))["Capacity"] == "4.00 MiB"
    for name in ("top", "base", "raw", "sparse", "filled"):
        host.virsh("vol-delete", "--pool", "p", name)
    assert list(pool.iterdir()) == []
    assert "no storage vol with matching path 'raw'" in host.virsh("vol-info", "--pool", "p", "raw", status=1)


@pytest.mark.parametrize("name, words", [
    ("../evil", "cannot contain '/'"), ("a/b", "cannot contain '/'"), ("/etc/evil", "cannot contain '/'"),
    ("..", "no name of a file"), (".", "no name of a file"), ("n" * 256, "longer than 255 bytes")])
def test_a_name_never_leaves_the_directory(host, pool, name, words):
    for form in ("raw", "qcow2"):
        assert words in host.virsh("vol-create-as", "p", name, "1M", "--format", form, status=1)
    assert list(pool.iterdir()) == [] and [entry.name for entry in host.images.iterdir()] == ["p"]


def test_a_name_that_xml_cannot_say_is_no_other_name(connection, pool):
    for name in "ab", "a\x01b", "a\x1fb", "a\tb", "a\rb", "a\x7fb":
        (pool / name).touch()
    found = connection.storagePoolLookupByName("p")
    found.refresh()
    assert sorted(found.listVolumes()) == ["a\tb", "a\rb", "ab", "a\x7fb"]
    for volume in found.listAllVolumes():
        assert ElementTree.fromstring(volume.XMLDesc()).findtext("name") == volume.name()


def test_a_link_leads_nowhere_that_is_written(host, pool):
    outside = host.images / "outside"
    outside.write_text("precious")
    (pool / "link").symlink_to(outside)
    assert "already exists" in host.virsh("vol-create-as", "p", "link", "1M", status=1)
    host.virsh("pool-refresh", "p")
    assert fields(host.virsh("vol-info", "--pool", "p", "link"))["Capacity"] == "8.00 B"
    up = host.images / "up"
    up.write_text("evil")
    for words in (("vol-upload", "--pool", "p", "link", up), ("vol-wipe", "--pool", "p", "link"),
                  ("vol-resize", "--pool", "p", "link", "1M")):
        assert "is a symbolic link" in host.virsh(*words, status=1)
    host.virsh("vol-delete", "--pool", "p", "link")
    assert outside.read_text() == "precious" and not (pool / "link").is_symlink()


def test_refresh_sees_what_others_did(host, pool):
    host.virsh("vol-create-as", "p", "gone", "1M")
    (pool / "gone").unlink()
    (pool / "new").write_bytes(b"12345")
    (pool / "folder").mkdir()
    os.mkfifo(pool / "fifo")
    (pool / "dangling").symlink_to("nowhere")
    subprocess.run(["qemu-img", "create", "-q", "-f", "qcow2", pool / "image", "3M"], check=True)
    host.virsh("pool-refresh", "p")
    listed = [line.split()[:5] for line in host.virsh("vol-list", "p", "--details").splitlines()]
    assert [(row[0], row[2], " ".join(row[3:5])) for row in listed] == [
        ("folder", "dir", "0.00 B"), ("image", "file", "3.00 MiB"), ("new", "file", "5.00 B")]


def test_resizing(host, pool):
    host.virsh("vol-create-as", "p", "raw", "4M", "--allocation", "0")
    host.virsh("vol-create-as", "p", "qcow2", "4M", "--format", "qcow2")
    for name in ("raw", "qcow2"):
        host.virsh("vol-resize", "--pool", "p", name, "8M")
        host.virsh("vol-resize", "--pool", "p", name, "2M", "--delta")
        assert fields(host.virsh("vol-info", "--pool", "p", name))["Capacity"] == "10.00 MiB"
        assert "unless shrink flag" in host.virsh("vol-resize", "--pool", "p", name, "1M", status=1)
        host.virsh("vol-resize", "--pool", "p", name, "1M", "--shrink")
        assert fields(host.virsh("vol-info", "--pool", "p", name))["Capacity"] == "1.00 MiB"
    assert "Not enough space left" in host.virsh("vol-resize", "--pool", "p", "raw", "1E", "--allocate", status=1)
    host.virsh("vol-create-as", "p", "full", "4M")
    assert "below existing allocation" in host.virsh("vol-resize", "--pool", "p", "full", "1M", "--shrink", status=1)


def overlay(path, backing, backing_format="raw"):
    """An image with a header as a guest may write it: what it names need not be there."""
    subprocess.run(["qemu-img", "create", "-q", "-u", "-f", "qcow2", "-b", backing, "-F", backing_format, path, "1M"],
                   check=True)


@pytest.mark.parametrize("change", [("vol-resize", "--pool", "p", "v", "8M"), ("vol-clone", "--pool", "p", "v", "copy")],
                         ids=["resize", "clone"])
def test_an_images_header_leads_to_no_network_and_no_fifo(host, pool, change):
    place = host.daemon.root / "nbd"
    os.mkfifo(pool / "fifo")
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(place))
        server.listen()
        server.setblocking(False)
        for backing, said in (f"nbd:unix:{place}", "is not (a local file|absolute)"), (pool / "fifo", "neither a file nor a block"):
            overlay(pool / "v", backing)
            before = (pool / "v").read_bytes()
            host.virsh("pool-refresh", "p")
            assert re.search(said, host.virsh(*change, status=1))
            assert (pool / "v").read_bytes() == before
            assert not (pool / "copy").exists()
        with pytest.raises(BlockingIOError):  # nobody has come
            server.accept()


def test_a_header_that_a_guest_writes_is_no_format(host, pool):
    """What was made raw stays raw, also for the next daemon; what else is found is what its header says."""
    secret = host.images / "secret"
    secret.write_bytes(b"secret" * 1000)
    host.virsh("vol-create-as", "p", "disk", "4M")
    overlay(host.images / "header", secret)
    with open(pool / "disk", "r+b") as disk:  # as the guest does it, in place
        disk.write((host.images / "header").read_bytes()[:MIB])
    overlay(pool / "found", secret)
    for restart in False, True:
        if restart:
            host.daemon.stop()
            host.daemon.start()
        host.virsh("pool-refresh", "p")
        document = host.virsh("vol-dumpxml", "--pool", "p", "disk")
        assert "<format type='raw'/>" in document and "backingStore" not in document
        assert "<capacity unit='bytes'>4194304</capacity>" in document
        assert "<format type='qcow2'/>" in host.virsh("vol-dumpxml", "--pool", "p", "found")
    host.virsh("vol-clone", "--pool", "p", "disk", "copy")
    assert (pool / "copy").read_bytes() == (pool / "disk").read_bytes()
    host.virsh("vol-resize", "--pool", "p", "disk", "8M")
    assert (pool / "disk").stat().st_size == 8 * MIB
    # A file in its place is another one, and so is what a client has put into it.
    (pool / "disk").unlink()
    overlay(pool / "disk", secret)
    host.virsh("pool-refresh", "p")
    assert "<format type='qcow2'/>" in host.virsh("vol-dumpxml", "--pool", "p", "disk")
    host.virsh("vol-create-as", "p", "up", "4M")
    host.virsh("vol-upload", "--pool", "p", "up", host.images / "header")
    assert "<format type='qcow2'/>" in host.virsh("vol-dumpxml", "--pool", "p", "up")


def test_resizing_and_cloning_of_an_overlay(host, pool):
    (pool / "base").write_bytes(b"below" * 1000 + bytes(MIB - 5000))
    overlay(pool / "v", pool / "base")
    host.virsh("pool-refresh", "p")
    host.virsh("vol-resize", "--pool", "p", "v", "2M")
    assert f"backing file: {pool / 'base'}" in image(pool / "v")
    host.virsh("vol-clone", "--pool", "p", "v", "copy")
    assert "backing file" not in image(pool / "copy")
    subprocess.run(["qemu-img", "convert", "-O", "raw", pool / "copy", host.images / "flat"], check=True)
    assert (host.images / "flat").read_bytes() == (pool / "base").read_bytes() + bytes(MIB)


def test_a_stream_that_is_over_has_let_go_of_its_volume(host, connection, pool, tmp_path):
    """What is begun when the client has heard the end is never told that the volume is still in use."""
    (tmp_path / "v").write_bytes(b"text" * 20000)
    host.virsh("vol-create-as", "p", "v", "1M", "--allocation", "0")
    volume = connection.storagePoolLookupByName("p").storageVolLookupByName("v")
    got = []
    for round in range(40):
        up = connection.newStream()
        volume.upload(up, 0, 80000)
        with open(tmp_path / "v", "rb") as file:
            up.sendAll(lambda _stream, count, data: data.read(count), file)
        up.finish()
        down = connection.newStream()
        volume.download(down, 0, 80000)
        got.clear()
        down.recvAll(lambda _stream, data, _opaque: got.append(data), None)
        down.finish()
        volume.resize(MIB + round, 0)
        assert b"".join(got) == b"text" * 20000
        connection.storagePoolLookupByName("p").refresh()


def test_up_and_down(host, pool, tmp_path):
    data = os.urandom(3 * MIB + 17)
    up, down = tmp_path / "up", tmp_path / "down"
    up.write_bytes(data)
    host.virsh("vol-create-as", "p", "v", "4M", "--allocation", "0")
    host.virsh("vol-upload", "--pool", "p", "v", up)
    assert (pool / "v").read_bytes() == data + bytes(4 * MIB - len(data))
    host.virsh("vol-download", "--pool", "p", "v", down)
    assert down.read_bytes() == (pool / "v").read_bytes()
    host.virsh("vol-download", "--pool", "p", "v", down, "--offset", "1000", "--length", "100000")
    assert down.read_bytes() == data[1000:101000]
    host.virsh("vol-upload", "--pool", "p", "v", up, "--offset", "1048576")
    assert (pool / "v").read_bytes() == data[:MIB] + data
    assert "more bytes come than were announced" in host.virsh("vol-upload", "--pool", "p", "v", up, "--length", "9",
                                                               status=1)


def test_holes_stay_holes(host, pool, tmp_path):
    up, down = tmp_path / "up", tmp_path / "down"
    with open(up, "wb") as file:
        file.truncate(2048 * MIB)
        file.seek(1000 * MIB)
        file.write(b"in the middle")
    host.virsh("vol-create-as", "p", "v", "2G", "--allocation", "0")
    host.virsh("vol-upload", "--pool", "p", "v", up, "--sparse")
    host.virsh("vol-download", "--pool", "p", "v", down, "--sparse")
    for copy in (pool / "v", down):
        assert copy.stat().st_size == 2048 * MIB and copy.stat().st_blocks * 512 < MIB
        with open(copy, "rb") as file:
            file.seek(1000 * MIB)
            assert file.read(14) == b"in the middle\0"


def test_cloning_and_wiping(host, pool):
    data = os.urandom(MIB)
    (pool / "raw").write_bytes(data)
    host.virsh("pool-refresh", "p")
    host.virsh("vol-clone", "--pool", "p", "raw", "copy")
    assert (pool / "copy").read_bytes() == data
    host.virsh("vol-create-as", "p", "qcow2", "2M", "--format", "qcow2")
    host.virsh("vol-clone", "--pool", "p", "qcow2", "copy.qcow2")
    assert "file format: qcow2" in image(pool / "copy.qcow2")
    host.virsh("vol-create-from", "p", write(host.images / "x.xml", """<volume><name>changed</name>
        <capacity unit='MiB'>5</capacity><target><format type='qcow2'/></target></volume>"""), "raw", "--inputpool", "p")
    assert "virtual size: 5 MiB" in image(pool / "changed")
    host.virsh("vol-wipe", "--pool", "p", "copy")
    assert (pool / "copy").read_bytes() == bytes(MIB)
    assert "'zero' (0) is" in host.virsh("vol-wipe", "--pool", "p", "copy", "--algorithm", "nnsa", status=1)


def write(path, text):
    path.write_text(text)
    return path


@pytest.fixture
def small(host):
    """A pool `small` on a file system of 2 MiB; its directory."""
    directory = host.images / "small"
    directory.mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=2m", "none", directory], check=False).returncode:
        pytest.skip("a file system cannot be mounted here")
    try:
        # The mount is seen by a daemon in this namespace, which it is.
        host.virsh("pool-create-as", "small", "dir", "--target", directory)
        yield directory
        host.virsh("pool-destroy", "small")
    finally:
        subprocess.run(["umount", directory], check=True)


def test_a_full_disk_leaves_nothing_half_made(host, small, tmp_path):
    assert "No space left on device" in host.virsh("vol-create-as", "small", "v", "8M", status=1)
    assert list(small.iterdir()) == []
    up = tmp_path / "up"
    up.write_bytes(os.urandom(4 * MIB))
    host.virsh("vol-create-as", "small", "sparse", "8M", "--allocation", "0")
    assert "No space left on device" in host.virsh("vol-upload", "--pool", "small", "sparse", up, status=1)
    host.virsh("vol-delete", "--pool", "small", "sparse")


@pytest.mark.parametrize("words, message", [
    (("a/b", "dir", "--target", "/x"), "name a/b cannot contain '/'"),
    (("q", "dir"), "missing storage pool target path"),
    (("q", "nfs", "--target", "/x"), "Invalid value for attribute 'type' in element 'pool': 'nfs'"),
    (("q", "netfs", "--target", "/x"), "storage pools of type 'netfs' are not supported"),
])
def test_pools_that_cannot_be(host, words, message):
    assert message in host.virsh("pool-define-as", *words, status=1)


def test_a_relative_directory_is_seen_from_the_root(host, tmp_path):
    host.virsh("pool-define-as", "q", "dir", "--target", f".{tmp_path}/q")
    assert f"<path>{tmp_path}/q</path>" in host.virsh("pool-dumpxml", "q")
    host.virsh("pool-build", "q")
    host.virsh("pool-start", "q")
    host.virsh("vol-create-as", "q", "v", "1M")
    assert (tmp_path / "q" / "v").stat().st_size == 1 << 20
    host.virsh("pool-destroy", "q")


@pytest.mark.parametrize("format, capacity", [("raw", 3 << 20), ("qcow2", 1 << 20)])
def test_more_place_than_capacity(host, pool, format, capacity):
    host.virsh("vol-create-as", "p", "v", "1M", "--allocation", "3M", "--format", format)
    assert f"Capacity: {capacity} bytes" in re.sub(" +", " ", host.virsh("vol-info", "--pool", "p", "v", "--bytes"))


def test_two_pools_have_neither_name_nor_directory_in_common(host, pool):
    assert "Storage source conflict with pool: 'p'" in host.virsh("pool-define-as", "q", "dir", "--target", pool,
                                                                  status=1)
    assert "pool 'p' already exists with uuid" in host.virsh("pool-define-as", "p", "dir", "--target", "/x", status=1)


def test_pools_survive_the_daemon(host, pool):
    host.virsh("vol-create-as", "p", "v", "1M")
    host.virsh("pool-define-as", "kept", "dir", "--target", host.images / "kept")
    host.virsh("pool-build", "kept")
    host.virsh("pool-autostart", "kept")
    host.virsh("pool-start", "kept")
    host.virsh("pool-define-as", "idle", "dir", "--target", host.images / "idle")
    host.daemon.kill()
    host.daemon.start()
    wait_for(lambda: host.virsh("pool-list", "--name").split() == ["kept", "p"], "the pools")
    assert host.virsh("pool-list", "--all", "--name").split() == ["idle", "kept", "p"]
    assert host.virsh("pool-list", "--all", "--transient", "--name") == "p"
    assert host.virsh("vol-list", "p").split()[0] == "v"
    host.virsh("pool-destroy", "kept")
    host.daemon.kill()
    host.daemon.start()  # autostart is for the host's start, not for each of the daemon's
    assert "kept" not in host.virsh("pool-list", "--name").split()


def test_a_transient_pool_is_gone_when_it_stops(host, pool):
    assert fields(host.virsh("pool-info", "p"))["Persistent"] == "no"
    assert "internal error: pool has no config file" in host.virsh("pool-autostart", "p", status=1)
    assert "storage pool 'p' is still active" in host.virsh("pool-undefine", "p", status=1)
    host.virsh("pool-destroy", "p")
    assert host.virsh("pool-list", "--all") == ""
    assert "no storage pool with matching name 'p'" in host.virsh("pool-info", "p", status=1)


def test_a_definition_of_an_active_pool_is_for_its_next_start(host):
    first, second = host.images / "first", host.images / "second"
    for directory in (first, second):
        directory.mkdir()
    host.virsh("pool-define-as", "p", "dir", "--target", first)
    host.virsh("pool-start", "p")
    redefined = host.virsh("pool-dumpxml", "p", "--inactive").replace(str(first), str(second))
    host.virsh("pool-define", write(host.images / "p.xml", redefined))
    assert str(first) in host.virsh("pool-dumpxml", "p")
    assert str(second) in host.virsh("pool-dumpxml", "p", "--inactive")
    host.virsh("pool-destroy", "p")
    assert str(second) in host.virsh("pool-dumpxml", "p")


def test_what_is_not_there_says_so(host):
    assert "does not support source discovery" in host.virsh("find-storage-pool-sources", "dir", status=1)
    assert "<pool type='dir' supported='yes'>" in host.virsh("pool-capabilities")
    assert "<pool type='rbd' supported='no'/>" in host.virsh("pool-capabilities")


def code_of(function, *arguments):
    with pytest.raises(libvirt.libvirtError) as caught:
        function(*arguments)
    return caught.value.get_error_code()


def test_codes_lists_and_lookups(connection, pool):
    it = connection.storagePoolLookupByName("p")
    volume = it.createXML("<volume><name>v</name><capacity>1024</capacity></volume>", 0)
    assert connection.numOfStoragePools() == 1 and connection.listStoragePools() == ["p"]
    assert connection.numOfDefinedStoragePools() == 0 and connection.listDefinedStoragePools() == []
    assert [found.name() for found in connection.listAllStoragePools(libvirt.VIR_CONNECT_LIST_STORAGE_POOLS_DIR)] == ["p"]
    assert connection.listAllStoragePools(libvirt.VIR_CONNECT_LIST_STORAGE_POOLS_NETFS) == []
    assert it.numOfVolumes() == 1 and it.listVolumes() == ["v"] and [v.name() for v in it.listAllVolumes()] == ["v"]
    assert connection.storagePoolLookupByUUIDString(it.UUIDString()).name() == "p"
    assert connection.storagePoolLookupByTargetPath(f"{pool}/").name() == "p"
    assert connection.storageVolLookupByKey(volume.key()).path() == f"{pool}/v"
    assert connection.storageVolLookupByPath(f"{pool}//v").name() == "v"
    assert volume.storagePoolLookupByVolume().name() == "p"
    assert volume.info() == [libvirt.VIR_STORAGE_VOL_FILE, 1024, 4096]
    assert volume.infoFlags(libvirt.VIR_STORAGE_VOL_GET_PHYSICAL)[2] == 1024
    assert code_of(connection.storagePoolLookupByName, "nope") == libvirt.VIR_ERR_NO_STORAGE_POOL
    assert code_of(connection.storageVolLookupByPath, f"{pool}/nope") == libvirt.VIR_ERR_NO_STORAGE_VOL
    assert code_of(it.createXML, "<volume><name>v</name><capacity>1</capacity></volume>") \
        == libvirt.VIR_ERR_STORAGE_VOL_EXIST
    volume.delete()
    assert code_of(volume.info) == libvirt.VIR_ERR_NO_STORAGE_VOL
    it.destroy()
    assert code_of(it.info) == libvirt.VIR_ERR_NO_STORAGE_POOL


def test_a_read_only_client_changes_nothing(host, connection, pool):
    connection.storagePoolLookupByName("p").createXML("<volume><name>v</name><capacity>1</capacity></volume>")
    reader = libvirt.openReadOnly(f"qemu:///system?socket={host.daemon.root}/run/domaind/libvirt-sock-ro")
    it = reader.storagePoolLookupByName("p")
    assert it.isActive() and it.listVolumes() == ["v"] and it.storageVolLookupByName("v").XMLDesc()
    for forbidden in (it.refresh, it.destroy, it.undefine, it.storageVolLookupByName("v").delete):
        assert code_of(forbidden) == libvirt.VIR_ERR_OPERATION_DENIED
    reader.close()


def test_events(host):
    libvirt.virEventRegisterDefaultImpl()
    connection = libvirt.open(f"qemu:///system?socket={host.daemon.root}/run/domaind/libvirt-sock")
    told = []
    connection.storagePoolEventRegisterAny(
        None, libvirt.VIR_STORAGE_POOL_EVENT_ID_LIFECYCLE, lambda _, it, event, detail, _2: told.append((it.name(), event)), None)
    connection.storagePoolEventRegisterAny(
        None, libvirt.VIR_STORAGE_POOL_EVENT_ID_REFRESH, lambda _, it, _2: told.append((it.name(), "refresh")), None)
    timer = libvirt.virEventAddTimeout(100, lambda *_: None, None)  # a turn of the loop ends
    host.virsh("pool-define-as", "p", "dir", "--target", host.images / "p")
    for command in ("build", "start", "refresh", "destroy", "delete", "undefine"):
        host.virsh(f"pool-{command}", "p")
    wait_for(lambda: libvirt.virEventRunDefaultImpl() == 0 and len(told) >= 7, "the events")
    libvirt.virEventRemoveTimeout(timer)
    connection.close()
    assert told == [("p", event) for event in (
        libvirt.VIR_STORAGE_POOL_EVENT_DEFINED, libvirt.VIR_STORAGE_POOL_EVENT_CREATED,
        libvirt.VIR_STORAGE_POOL_EVENT_STARTED, "refresh", libvirt.VIR_STORAGE_POOL_EVENT_STOPPED,
        libvirt.VIR_STORAGE_POOL_EVENT_DELETED, libvirt.VIR_STORAGE_POOL_EVENT_UNDEFINED)]


def test_a_streaming_client_that_vanishes_frees_the_volume(host, connection, pool):
    it = connection.storagePoolLookupByName("p")
    it.createXML("<volume><name>v</name><capacity unit='MiB'>64</capacity><allocation>0</allocation></volume>")
    other = libvirt.open(f"qemu:///system?socket={host.daemon.root}/run/domaind/libvirt-sock")
    stream = other.newStream()
    other.storagePoolLookupByName("p").storageVolLookupByName("v").upload(stream, 0, 0)
    stream.send(b"x" * 1000)
    assert code_of(it.storageVolLookupByName("v").delete) == libvirt.VIR_ERR_OPERATION_INVALID  # still in use
    assert code_of(it.refresh) == libvirt.VIR_ERR_INTERNAL_ERROR  # as libvirt: asynchronous jobs
    with contextlib.suppress(libvirt.libvirtError):
        stream.abort()
    del stream
    other.close()

    def deleted():
        with contextlib.suppress(libvirt.libvirtError):
            it.storageVolLookupByName("v").delete()
            return True
        return False
    wait_for(deleted, "the end of the upload")


def test_many_at_once(host, pool):
    """Two dozen clients' volumes in one pool, made side by side."""
    failures = []

    def make(number):
        with contextlib.closing(libvirt.open(
                f"qemu:///system?socket={host.daemon.root}/run/domaind/libvirt-sock")) as client:
            it = client.storagePoolLookupByName("p")
            try:
                for form in ("raw", "qcow2"):
                    it.createXML(f"<volume><name>{form}{number}</name><capacity>65536</capacity>"
                                 f"<target><format type='{form}'/></target></volume>")
                it.storageVolLookupByName(f"raw{number}").delete()
            except libvirt.libvirtError as error:
                failures.append(str(error))

    threads = [threading.Thread(target=make, args=(number,)) for number in range(24)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    assert sorted(host.virsh("vol-list", "p").split()[::2]) == sorted(f"qcow2{number}" for number in range(24))


def test_clients_that_pull_at_one_pool(host):
    """Whatever order calls come in, each is answered, and the pool is as good as new afterwards."""
    directory = host.images / "p"
    directory.mkdir()
    xml = f"<pool type='dir'><name>p</name><uuid>0d2e5b4e-2a57-4f3f-9d43-d3f31d3ea26d</uuid>" \
        f"<target><path>{directory}</path></target></pool>"
    unexpected = []

    def pull(number):
        client = libvirt.open(f"qemu:///system?socket={host.daemon.root}/run/domaind/libvirt-sock")
        volume = f"<volume><name>v{number}</name><capacity>4096</capacity></volume>"
        steps = [lambda it: it.create(), lambda it: it.refresh(), lambda it: it.createXML(volume),
                 lambda it: it.storageVolLookupByName(f"v{number}").info(),
                 lambda it: it.storageVolLookupByName(f"v{number}").delete(), lambda it: it.destroy(),
                 lambda it: it.undefine()]
        for _ in range(20):
            for step in (lambda: client.storagePoolDefineXML(xml), lambda: client.storagePoolCreateXML(xml),
                         *[lambda step=step: step(client.storagePoolLookupByName("p")) for step in steps]):
                try:
                    step()
                except libvirt.libvirtError as error:
                    if error.get_error_code() not in (
                            libvirt.VIR_ERR_OPERATION_INVALID, libvirt.VIR_ERR_NO_STORAGE_POOL, libvirt.VIR_ERR_NO_STORAGE_VOL,
                            libvirt.VIR_ERR_STORAGE_VOL_EXIST, libvirt.VIR_ERR_INTERNAL_ERROR, libvirt.VIR_ERR_INVALID_ARG):
                        unexpected.append(str(error))
        client.close()

    libvirt.registerErrorHandler(lambda *_: None, None)
    threads = [threading.Thread(target=pull, args=(number,)) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert unexpected == []
    for step in ("pool-destroy", "pool-undefine"):
        host.virsh(step, "p", status=None)
    for leftover in directory.iterdir():
        leftover.unlink()
    host.virsh("pool-define-as", "p", "dir", "--target", directory)
    host.virsh("pool-start", "p")
    host.virsh("vol-create-as", "p", "v", "1M")


VOLUME_DISK = """<disk type='volume'><driver name='qemu' type='qcow2'/><source pool='p' volume='{name}'/>
  <target dev='{target}' bus='usb'/></disk>"""


def test_disks_by_the_names_of_pool_and_volume(host, pool):
    """The definition keeps the names, the machine has the file."""
    for name in ("data", "more"):
        host.virsh("vol-create-as", "p", name, "32M", "--format", "qcow2")
    path = write(host.images / "web.xml", domain_xml("web", devices=VOLUME_DISK.format(name="data", target="sda")).replace(
        "model='none'/>", "model='qemu-xhci'/>", 1))
    host.virsh("define", path)
    host.virsh("start", "web")
    assert host.virsh("domblklist", "web").split() == ["sda", f"{pool}/data"]
    assert host.virsh("domblklist", "web", "--inactive").split() == ["sda", "data"]

    more = write(host.images / "more.xml", VOLUME_DISK.format(name="more", target="sdb"))
    host.virsh("attach-device", "web", more, "--live", "--config")
    assert host.virsh("domblklist", "web").split() == ["sda", f"{pool}/data", "sdb", f"{pool}/more"]
    assert host.virsh("domblklist", "web", "--inactive").split() == ["sda", "data", "sdb", "more"]
    host.daemon.kill()
    host.daemon.start()
    assert host.virsh("domblklist", "web").split() == ["sda", f"{pool}/data", "sdb", f"{pool}/more"]

    gone = write(host.images / "gone.xml", VOLUME_DISK.format(name="gone", target="sdc"))
    assert "no storage vol with matching name 'gone'" in host.virsh("attach-device", "web", gone, "--live", status=1)
    host.virsh("destroy", "web")
    host.virsh("vol-delete", "more", "p")
    assert "no storage vol with matching name 'more'" in host.virsh("start", "web", status=1)
    host.virsh("pool-destroy", "p")
    assert "no storage pool with matching name 'p'" in host.virsh("start", "web", status=1)
