# SPDX-License-Identifier: LGPL-2.1-or-later
"""A machine as one file: out of one daemon and into another, whole or not at all."""

import contextlib
import hashlib
import io
import json
import os
import pathlib
import shutil
import signal
import subprocess
import tarfile
import tempfile
import xml.etree.ElementTree as ElementTree

import libvirt
import pytest

from conftest import BUILD, PATIENCE, Daemon, domain_xml, wait_for

UUID = "7c1d9a52-3a0b-4a7c-9f43-2f0a7f6d9b31"
NVRAM_AND_TPM = libvirt.VIR_DOMAIN_UNDEFINE_NVRAM | libvirt.VIR_DOMAIN_UNDEFINE_TPM


class Domctl:
    """domctl of one daemon; its words of success, or of refusal."""

    def __init__(self, daemon):
        self.daemon = daemon
        self.environment = dict(os.environ, LC_ALL="C.UTF-8", DBUS_SESSION_BUS_ADDRESS=daemon.bus.address)

    def start(self, *words, **options):
        return subprocess.Popen([BUILD / "cli" / "domctl", "--connect", "session", *map(str, words)], env=self.environment,
                                stdin=options.pop("stdin", subprocess.DEVNULL), stdout=options.pop("stdout", subprocess.PIPE),
                                stderr=subprocess.PIPE, **options)

    def __call__(self, *words, status=0, data=None):
        done = subprocess.run([BUILD / "cli" / "domctl", "--connect", "session", *map(str, words)], env=self.environment,
                              input=data, capture_output=True, timeout=PATIENCE * 3, check=False)
        assert done.returncode == status, (done.stdout[-500:], done.stderr)
        return done.stdout if status == 0 else done.stderr.decode()


@pytest.fixture
def domctl(daemon):
    return Domctl(daemon)


@pytest.fixture
def connection(daemon):
    it = libvirt.open(f"qemu:///session?socket={daemon.root}/run/domaind/libvirt-sock")
    yield it
    with contextlib.suppress(libvirt.libvirtError):  # closed before its daemon was stopped
        it.close()


def image(path, *arguments):
    subprocess.run(["qemu-img", "create", "-q", *map(str, arguments[:-1]), path, arguments[-1]], check=True)
    return path


def write(path, *commands):
    subprocess.run(["qemu-io", "-f", "qcow2", *[word for command in commands for word in ("-c", command)], path], check=True,
                   stdout=subprocess.DEVNULL)


def reads(path, pattern, offset, form="qcow2"):
    """Has the image that byte in its sectors from @offset on?"""
    done = subprocess.run(["qemu-io", "-r", "-f", form, "-c", f"read -P {pattern} {offset} 64k", path], capture_output=True,
                          check=False)
    return b"Pattern verification failed" not in done.stdout and done.returncode == 0


def disk(path, target, form="qcow2"):
    return f"<disk type='file' device='disk'><driver name='qemu' type='{form}'/><source file='{path}'/>" \
           f"<target dev='{target}' bus='virtio'/></disk>"


@pytest.fixture
def place(tmp_path):
    """A directory of images: an overlay, what is below it, and a sparse raw one with data at both ends."""
    directory = tmp_path / "srv"
    directory.mkdir()
    image(directory / "base.qcow2", "-f", "qcow2", "8M")
    write(directory / "base.qcow2", "write -P 0x11 0 64k", "write -P 0x22 1M 64k")
    image(directory / "top.qcow2", "-f", "qcow2", "-F", "qcow2", "-b", directory / "base.qcow2", "8M")
    write(directory / "top.qcow2", "write -P 0x33 1M 64k")
    with open(directory / "data.raw", "wb") as raw:
        raw.write(b"begin" * 1000)
        raw.seek(64 * 1024 * 1024)
        raw.write(b"end" * 1000)
    return directory


def document(place, name="web", more=""):
    return "<!-- kept in git -->\n" + domain_xml(name, UUID, devices=f"""
    <!-- the system -->
    {disk(place / 'top.qcow2', 'vda')}
    {disk(place / 'data.raw', 'vdb', 'raw')}
    <interface type='user'><model type='virtio'/></interface>{more}""")


@pytest.fixture
def archive(domctl, daemon, connection, place, tmp_path):
    """Of the machine of the documents above, which is gone from the host with its images."""
    source = document(place)
    daemon.define(source)
    domctl("export", "web", tmp_path / "web.domaind")
    connection.lookupByName("web").undefine()
    shutil.move(place, tmp_path / "moved")
    return tmp_path / "web.domaind"


def entries(archive):
    """The archive's files, in order: (TarInfo, bytes)."""
    plain = subprocess.run(["zstd", "-dqc", archive], check=True, capture_output=True).stdout
    with tarfile.open(fileobj=io.BytesIO(plain)) as tar:
        return [(member, tar.extractfile(member).read()) for member in tar]


def without_holes(files):
    """The same archive by a program that knows no sparse files, whose sums are of all bytes."""
    head = json.loads(files[0][1])
    for file in head["files"]:
        file["stored"] = file["size"]
    files = [regular("bundle.json", json.dumps(head).encode()), *[regular(member.name, data) for member, data in files[1:-1]]]
    lines = [{"name": member.name, "size": len(data), "sha256": hashlib.sha256(data).hexdigest()} for member, data in files]
    manifest = {"format": "domaind-manifest", "version": 1, "files": lines}
    return [*files, regular("manifest.json", json.dumps(manifest).encode())]


def pack(path, files):
    """An archive of (TarInfo, bytes), as anybody can make it."""
    plain = io.BytesIO()
    with tarfile.open(fileobj=plain, mode="w", format=tarfile.PAX_FORMAT) as tar:
        for member, data in files:
            tar.addfile(member, io.BytesIO(data))
    path.write_bytes(subprocess.run(["zstd", "-qc"], input=plain.getvalue(), check=True, capture_output=True).stdout)
    return path


def regular(name, data):
    member = tarfile.TarInfo(name)
    member.size = len(data)
    return member, data


def hardware(domain):
    """What the guest sees, without the host's paths."""
    root = ElementTree.fromstring(domain.XMLDesc(libvirt.VIR_DOMAIN_XML_INACTIVE))
    for parent in root.iter():
        for source in [child for child in parent if child.tag in ("source", "nvram", "kernel", "initrd")]:
            parent.remove(source)
    return ElementTree.tostring(root)


def nothing_left(daemon, directory=None):
    state = daemon.root / "var/lib/domaind"
    assert not list(state.glob("import/*"))
    assert not list(state.glob("domains/*.xml"))
    for where in (state, directory):
        if where is not None and where.exists():
            assert not [path for path in where.rglob("*") if "aside" in path.name or path.suffix in (".qcow2", ".raw")]


def test_out_and_in(domctl, daemon, connection, place, tmp_path):
    source = document(place)
    daemon.define(source)
    before = hardware(connection.lookupByName("web"))
    domctl("export", "web", tmp_path / "web.domaind")
    connection.lookupByName("web").undefine()
    data = (place / "data.raw").read_bytes()
    shutil.rmtree(place)

    said = domctl("import", tmp_path / "web.domaind", "--directory", tmp_path / "new").decode()
    new = tmp_path / "new/web"
    assert f"change: '{place}/top.qcow2' will be '{new}/top.qcow2'" in said
    domain = connection.lookupByName("web")
    assert hardware(domain) == before
    assert domain.UUIDString() == UUID
    assert (new / "data.raw").read_bytes() == data
    assert (new / "data.raw").stat().st_blocks * 512 < 1024 * 1024, "the hole is none any more"
    info = json.loads(subprocess.run(["qemu-img", "info", "--output=json", new / "top.qcow2"], check=True,
                                     capture_output=True).stdout)
    assert info["backing-filename"] == str(new / "base.qcow2")
    assert reads(new / "top.qcow2", "0x11", 0) and reads(new / "top.qcow2", "0x33", "1M")
    # the user's document is the same but for the paths
    kept = (daemon.root / "etc/domaind/domains/web.xml").read_text()
    assert kept == source.replace(str(place), str(new))
    domain.create()
    domain.destroy()


def test_the_manifest_says_what_sha256sum_says(archive):
    files = {member.name: data for member, data in entries(archive)}
    manifest = json.loads(files["manifest.json"])
    assert [line["name"] for line in manifest["files"]] == [*files][:-1]
    plain = [line for line in manifest["files"] if "sha256" in line]
    assert "domain.xml" in [line["name"] for line in plain]
    for line in plain:
        assert hashlib.sha256(files[line["name"]]).hexdigest() == line["sha256"]
    sparse, = [line for line in manifest["files"] if line["name"].endswith("data.raw")]
    assert sparse["size"] == len(files[sparse["name"]]) and len(sparse["sparse-sha256"]) == 64


def test_through_pipes(domctl, daemon, connection, place, tmp_path):
    daemon.define(document(place))
    stream = domctl("export", "web", "-")
    connection.lookupByName("web").undefine()
    domctl("import", "-", "--directory", tmp_path / "new", data=stream)
    assert connection.lookupByName("web").UUIDString() == UUID


def test_a_new_name_and_identity(domctl, daemon, connection, archive, tmp_path):
    domctl("import", archive, "--directory", tmp_path / "one")
    first = connection.lookupByName("web")
    refusal = domctl("import", archive, "--directory", tmp_path / "two", status=1)
    assert "is here already" in refusal or "already exists" in refusal
    domctl("import", archive, "--directory", tmp_path / "two", "--name", "copy", "--new-identity")
    copy = connection.lookupByName("copy")
    assert copy.UUIDString() != UUID
    macs = [ElementTree.fromstring(domain.XMLDesc()).find("devices/interface/mac").get("address") for domain in (first, copy)]
    assert macs[0] != macs[1]
    assert (tmp_path / "two/copy/top.qcow2").exists()


def test_maps(domctl, connection, archive, place, tmp_path):
    domctl("import", archive, "--map", f"{place}={tmp_path}/elsewhere", "--map", f"{place}/base.qcow2={tmp_path}/bases/debian.qcow2")
    assert reads(tmp_path / "elsewhere/top.qcow2", "0x11", 0)
    assert (tmp_path / "bases/debian.qcow2").exists()
    assert "maps nothing" in domctl("import", archive, "--map", "relative=/a", status=1)


def test_check_says_what_would_be(domctl, daemon, archive, tmp_path):
    said = domctl("import", archive, "--check", "--directory", tmp_path / "new").decode()
    assert "will be" in said
    nothing_left(daemon, tmp_path / "new")


def test_a_host_that_does_not_fit(domctl, daemon, connection, place, tmp_path):
    daemon.define(document(place, more="<interface type='bridge'><source bridge='br-missing'/></interface>"))
    domctl("export", "web", tmp_path / "web.domaind")
    connection.lookupByName("web").undefine()
    assert "there is no bridge 'br-missing'" in domctl("import", tmp_path / "web.domaind", status=1)
    nothing_left(daemon)
    findings = json.loads(domctl("--json", "import", tmp_path / "web.domaind", "--force").decode())["findings"]
    assert {"kind": "problem", "message": "there is no bridge 'br-missing'"} in findings


def test_flattened(domctl, daemon, connection, place, tmp_path):
    daemon.define(document(place))
    domctl("export", "web", tmp_path / "web.domaind", "--flatten")
    assert not [member for member, _ in entries(tmp_path / "web.domaind") if "base" in member.name]
    connection.lookupByName("web").undefine()
    shutil.rmtree(place)
    domctl("import", tmp_path / "web.domaind", "--directory", tmp_path / "new")
    top = tmp_path / "new/web/top.qcow2"
    assert reads(top, "0x11", 0) and reads(top, "0x33", "1M")


def test_an_archive_of_another_program(domctl, connection, archive, tmp_path):
    """With the zeros of its holes in it: sparse again all the same."""
    domctl("import", pack(tmp_path / "plain.domaind", without_holes(entries(archive))), "--directory", tmp_path / "new")
    assert connection.lookupByName("web").UUIDString() == UUID
    assert (tmp_path / "new/web/data.raw").stat().st_blocks * 512 < 1024 * 1024


def snapshot(name, parent, definition):
    return f"<domainsnapshot><name>{name}</name>{parent}<creationTime>1700000000</creationTime><state>shutoff</state>" \
           f"<memory snapshot='no'/><disks><disk name='vda' snapshot='internal'/></disks>{definition}</domainsnapshot>"


def test_snapshots_go_with_it(domctl, daemon, connection, place, tmp_path):
    daemon.define(document(place))
    domain = connection.lookupByName("web")
    subprocess.run(["qemu-img", "snapshot", "-c", "first, 50 %", place / "top.qcow2"], check=True)
    redefine = libvirt.VIR_DOMAIN_SNAPSHOT_CREATE_REDEFINE
    definition = domain.XMLDesc()
    domain.snapshotCreateXML(snapshot("first, 50 %", "", definition), redefine)
    domain.snapshotCreateXML(snapshot("second", "<parent><name>first, 50 %</name></parent>", definition),
                             redefine | libvirt.VIR_DOMAIN_SNAPSHOT_CREATE_CURRENT)
    domctl("export", "web", tmp_path / "web.domaind")
    domain.undefineFlags(libvirt.VIR_DOMAIN_UNDEFINE_SNAPSHOTS_METADATA)
    shutil.rmtree(place)

    domctl("import", tmp_path / "web.domaind", "--directory", tmp_path / "new")

    def check(machine):
        assert sorted(machine.snapshotListNames()) == ["first, 50 %", "second"]
        assert machine.snapshotCurrent().getName() == "second"
        assert machine.snapshotLookupByName("second").getParent().getName() == "first, 50 %"
        text = machine.snapshotLookupByName("second").getXMLDesc()
        assert str(tmp_path / "new/web/top.qcow2") in text and str(place) not in text
    check(connection.lookupByName("web"))
    listed = subprocess.run(["qemu-img", "snapshot", "-l", tmp_path / "new/web/top.qcow2"], check=True, capture_output=True)
    assert b"first, 50 %" in listed.stdout
    connection.close()
    daemon.stop()
    daemon.start()
    again = libvirt.open(f"qemu:///session?socket={daemon.root}/run/domaind/libvirt-sock")
    check(again.lookupByName("web"))
    again.close()


# What somebody else may make of an archive: refused by name, and nothing has changed.

def change_head(files, change):
    head = json.loads(files[0][1])
    change(head)
    return [regular("bundle.json", json.dumps(head).encode()), *files[1:]]


def renamed(name):
    def change(head):
        old, head["files"][2]["name"] = head["files"][2]["name"], name
        for file in head["files"]:
            if file.get("backing") == old:
                file["backing"] = name
    return change


def link(kind):
    def change(files):
        member = tarfile.TarInfo(files[3][0].name)
        member.type, member.linkname = kind, "/etc/passwd"
        return [*files[:3], (member, b""), *files[4:]]
    return change


def repack(change):
    return lambda path, files: pack(path, change(files))


def flip(path, files):
    """One bit of a disk, in an archive that is none the less well-formed."""
    index = next(i for i, (member, _) in enumerate(files) if member.name.endswith("top.qcow2"))
    data = bytearray(files[index][1])
    data[len(data) // 2] ^= 1
    return pack(path, [*files[:index], regular(files[index][0].name, bytes(data)), *files[index + 1:]])


def flip_outside(path, files):
    pack(path, files)
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)


def cut(part):
    def change(path, files):
        pack(path, files)
        data = path.read_bytes()
        path.write_bytes(data[:int(len(data) * part)])
    return change


def pad(path, files):
    pack(path, files)
    path.write_bytes(path.read_bytes() + b"and more")


def set_version(head):
    head["version"] = 7


def set_path(value):
    def change(head):
        head["files"][2]["path"] = value
    return change


def set_huge(head):
    head["files"][2]["size"] = head["files"][2]["stored"] = 1 << 62


def set_smaller(head):
    head["files"][2]["stored"] = 4096


def twice(head):
    head["files"].append(dict(head["files"][2]))


SPOILT = {
    "newer version": (repack(lambda files: change_head(files, set_version)), "version 7: this domaind reads up to version 1"),
    "name upwards": (repack(lambda files: change_head(files, renamed("images/../../../etc/cron.d/x"))), "expected letters, digits"),
    "absolute name": (repack(lambda files: change_head(files, renamed("/etc/cron.d/x"))), "expected letters, digits"),
    "path upwards": (repack(lambda files: change_head(files, set_path("/srv/../etc/passwd"))), "without '.' and '..'"),
    "name twice": (repack(lambda files: change_head(files, twice)), "twice"),
    "symbolic link": (repack(link(tarfile.SYMTYPE)), "is no regular file"),
    "hard link": (repack(link(tarfile.LNKTYPE)), "is no regular file"),
    "device": (repack(link(tarfile.CHRTYPE)), "is no regular file"),
    "directory": (repack(link(tarfile.DIRTYPE)), "is no regular file"),
    "file twice": (repack(lambda files: [*files[:4], files[3], *files[4:]]), "is expected"),
    "file left out": (repack(lambda files: [*files[:3], *files[4:]]), "is expected"),
    "files behind the end": (repack(lambda files: [*files, regular("etc/passwd", b"root")]), "behind its end"),
    "no manifest": (repack(lambda files: files[:-1]), "has its end where 'manifest.json' is expected"),
    "larger than any disk": (repack(lambda files: change_head(files, set_huge)), "are needed there"),
    "more than announced": (repack(lambda files: change_head(files, set_smaller)), "more data than the archive's beginning said"),
    "a flipped bit": (flip, "is damaged: its SHA-256 is"),
    "a flipped bit outside": (flip_outside, "archive"),
    "padded": (pad, "cannot be read"),
    "cut in the documents": (cut(0.02), "cannot be read"),
    "cut in a disk": (cut(0.5), "cannot be read"),
    "cut at the end": (cut(0.98), "cannot be read"),
    "nothing": (lambda path, files: path.write_bytes(b""), "cannot be read"),
    "no archive": (lambda path, files: path.write_bytes(b"no archive " * 1000), "cannot be read"),
}


@pytest.mark.parametrize("spoil, words", SPOILT.values(), ids=[name.replace(" ", "-") for name in SPOILT])
def test_bad_archives(domctl, daemon, archive, tmp_path, spoil, words):
    bad = tmp_path / "bad.domaind"
    spoil(bad, without_holes(entries(archive)))
    refusal = domctl("import", bad, "--directory", tmp_path / "new", status=1)
    assert words in refusal, refusal
    nothing_left(daemon, tmp_path / "new")
    assert not (tmp_path / "new/web").exists()


def test_a_bomb_of_zeros(domctl, daemon, archive, tmp_path):
    """Terabytes that are no data at all are a sparse file; the same as data are more than was announced."""
    files = without_holes(entries(archive))
    index = next(i for i, (member, _) in enumerate(files) if member.name.endswith("data.raw"))
    bomb = bytes(256 * 1024 * 1024)

    def announce(head):
        head["files"][index - 1].update(size=len(bomb), stored=4096)
    changed = change_head([*files[:index], regular(files[index][0].name, bomb), *files[index + 1:]], announce)
    bad = pack(tmp_path / "bomb.domaind", changed)
    assert bad.stat().st_size < 1024 * 1024
    refusal = domctl("import", bad, "--directory", tmp_path / "new", status=1)
    assert "more data than the archive's beginning said" in refusal
    nothing_left(daemon, tmp_path / "new")


def test_what_is_there_is_not_overwritten(domctl, daemon, archive, tmp_path):
    (tmp_path / "new/web").mkdir(parents=True)
    (tmp_path / "new/web/data.raw").write_text("mine")
    assert "is there already" in domctl("import", archive, "--directory", tmp_path / "new", status=1)
    assert (tmp_path / "new/web/data.raw").read_text() == "mine"
    (tmp_path / "there").write_text("mine, too")
    domctl("import", archive, "--directory", tmp_path / "other")
    assert "is there already" in domctl("export", "web", tmp_path / "there", status=1)
    assert (tmp_path / "there").read_text() == "mine, too"


# Cut short.

def slow_reader(archive, at):
    """What sends @at bytes of the archive, and then nothing more."""
    return subprocess.Popen(["sh", "-c", f"head -c {at} '{archive}'; exec sleep infinity"], stdout=subprocess.PIPE)


def parts(directory):
    return list(directory.rglob(".aside-import-*")) if directory.exists() else []


@pytest.mark.parametrize("how", ["kill", "interrupt"])
def test_an_import_cut_short_leaves_nothing(domctl, daemon, archive, tmp_path, how):
    big = tmp_path / "big.domaind"  # more than what is in flight, so that the disks have begun
    files = without_holes(entries(archive))
    index = next(i for i, (member, _) in enumerate(files) if member.name.endswith("data.raw"))
    noise = os.urandom(8 * 1024 * 1024)

    def announce(head):
        head["files"][index - 1].update(size=len(noise), stored=len(noise))
    pack(big, change_head([*files[:index], regular(files[index][0].name, noise), *files[index + 1:]], announce))
    reader = slow_reader(big, big.stat().st_size // 2)
    client = domctl.start("import", "-", "--directory", tmp_path / "new", stdin=reader.stdout)
    try:
        reader.stdout.close()
        wait_for(lambda: any(part.stat().st_size == len(noise) for part in parts(tmp_path / "new")), "a part of the disk")
        if how == "kill":
            daemon.kill()
            assert client.wait(PATIENCE) == 1
            assert parts(tmp_path / "new")
            daemon.start()
        else:
            client.send_signal(signal.SIGINT)
            assert client.wait(PATIENCE) == 1
            assert b"given up by client" in client.stderr.read()
    finally:
        reader.kill()
        reader.wait()
    nothing_left(daemon, tmp_path / "new")
    assert not (tmp_path / "new/web").exists()
    domctl("import", archive, "--directory", tmp_path / "new")


@pytest.mark.parametrize("moved", [0, 1, 2])
def test_a_commit_cut_short_is_finished(daemon, connection, domctl, archive, tmp_path, moved):
    """The daemon was killed when so many files had their names: as the journal has it then."""
    domctl("import", archive, "--directory", tmp_path / "new")
    connection.lookupByName("web").undefine()
    connection.close()
    daemon.stop()
    journal = daemon.root / "var/lib/domaind/import/3b0c8f9e-6a54-4c55-8d1b-0e9c6f6b7a10"
    journal.mkdir()
    names = ["top.qcow2", "base.qcow2", "data.raw"]
    new = tmp_path / "new/web"
    lines = [{"part": f"{new}/.aside-import-x-{i}", "target": f"{new}/{name}"} for i, name in enumerate(names)]
    for line in lines[moved:]:
        pathlib.Path(line["target"]).rename(line["part"])
    documents = {member.name: data for member, data in entries(archive)}
    for name in ("source.xml", "domain.xml"):
        (journal / name).write_bytes(documents[name])
    (journal / "journal.json").write_text(json.dumps({"uuid": UUID, "name": "web", "uid": 0, "client": "x", "call": "Import",
                                                      "committed": True, "files": lines}))
    daemon.start()
    assert daemon.get(f"/org/libvirt/QEMU/domain/_{UUID.replace('-', '_')}", "org.libvirt.Domain", "Name") == "web"
    assert sorted(path.name for path in new.iterdir()) == sorted(names)
    assert not journal.exists()


def test_an_export_whose_reader_goes(domctl, daemon, connection, place):
    daemon.define(document(place))
    with open(place / "data.raw", "r+b") as raw:
        raw.write(os.urandom(8 * 1024 * 1024))
    read, write_end = os.pipe()
    client = domctl.start("export", "web", "-", stdout=write_end)
    os.close(write_end)
    os.read(read, 100)
    os.close(read)
    assert client.wait(PATIENCE) == 1
    assert b"Broken pipe" in client.stderr.read()
    domain = connection.lookupByName("web")
    domain.create()  # its lock is free again
    domain.destroy()


# Machines that run.

@pytest.fixture(scope="session")
def guest():
    directory = BUILD / "guest"
    subprocess.run([pathlib.Path(__file__).parents[2] / "examples/guest/make", directory], check=True)
    return directory


def counting(daemon, guest, place):
    return f"""<domain type='qemu'>
  <name>web</name><uuid>{UUID}</uuid>
  <memory unit='MiB'>128</memory>
  <os><type arch='x86_64' machine='q35'>hvm</type><kernel>{guest}/vmlinuz</kernel><initrd>{guest}/initrd.img</initrd>
  <cmdline>console=ttyS0 quiet guest.count</cmdline></os>
  <features><acpi/><apic/></features>
  <devices>{disk(place / 'top.qcow2', 'vda')}
  <serial type='file'><source path='{daemon.root}/console.log'/></serial></devices>
</domain>"""


def counts_to(daemon, number):
    def seen():
        console = daemon.root / "console.log"
        numbers = [int(line.split()[-1]) for line in console.read_bytes().splitlines() if line.startswith(b"guest: count ")] \
            if console.exists() else []
        return [one for one in numbers if one >= number]
    return wait_for(seen, f"the number {number}")[-1]


def test_memory_goes_with_it(domctl, daemon, connection, place, guest, tmp_path):
    daemon.define(counting(daemon, guest, place))
    domain = connection.lookupByName("web")
    domain.create()
    reached = counts_to(daemon, 3)
    domctl("export", "web", tmp_path / "web.domaind", "--memory")
    assert domain.state() == [libvirt.VIR_DOMAIN_RUNNING, libvirt.VIR_DOMAIN_RUNNING_UNPAUSED]
    counts_to(daemon, reached + 2)  # it runs on
    domain.destroy()
    domain.undefine()
    shutil.rmtree(place)
    domctl("import", tmp_path / "web.domaind", "--directory", tmp_path / "new")
    (daemon.root / "console.log").unlink()
    domain = connection.lookupByName("web")
    assert domain.hasManagedSaveImage()
    domain.create()
    counts_to(daemon, reached + 1)
    assert b"guest: count 1\r" not in (daemon.root / "console.log").read_bytes(), "it began anew"
    assert str(tmp_path / "new/web/top.qcow2") in domain.XMLDesc()
    domain.destroy()
    assert "keeps its identity" in domctl("import", tmp_path / "web.domaind", "--directory", tmp_path / "two", "--name", "two",
                                          "--new-identity", status=1)


def test_the_guest_runs_on_after_the_daemon_was_killed(domctl, daemon, connection, place, tmp_path):
    daemon.define(document(place))
    connection.lookupByName("web").create()
    with open(place / "data.raw", "r+b") as raw:
        raw.write(os.urandom(8 * 1024 * 1024))
    read, write_end = os.pipe()
    client = domctl.start("export", "web", "-", stdout=write_end)
    os.close(write_end)
    wait_for(lambda: connection.lookupByName("web").state()[0] == libvirt.VIR_DOMAIN_PAUSED, "the pause")
    daemon.kill()
    client.wait(PATIENCE)
    os.close(read)
    daemon.start()
    path = f"/org/libvirt/QEMU/domain/_{UUID.replace('-', '_')}"
    wait_for(lambda: daemon.call(path, "org.libvirt.Domain", "GetState", "(u)", 0)[0] == libvirt.VIR_DOMAIN_RUNNING, "running")
    daemon.call(path, "org.libvirt.Domain", "Destroy", "(u)", 0)


UEFI = """<domain type='qemu'>
  <name>office</name>
  <memory unit='MiB'>256</memory>
  <os firmware='efi'><type arch='x86_64' machine='q35'>hvm</type>
    <kernel>{guest}/vmlinuz</kernel><initrd>{guest}/initrd.img</initrd><cmdline>console=ttyS0 quiet</cmdline></os>
  <features><acpi/></features>
  <devices>{disk}
    <interface type='user'/>
    <tpm model='tpm-crb'><backend type='emulator' version='2.0'/></tpm>
    <serial type='file'><source path='{console}'/></serial>
  </devices>
</domain>
"""


@pytest.mark.skipif(shutil.which("swtpm_setup") is None, reason="needs swtpm-tools")
@pytest.mark.skipif(not pathlib.Path("/usr/share/OVMF/OVMF_CODE_4M.fd").exists(), reason="needs the package ovmf")
def test_uefi_and_tpm_on_another_host(domctl, daemon, connection, place, guest, tmp_path, bus):
    """From one daemon's root into another's, and up to the guest's own word."""
    console = tmp_path / "console.log"

    def boots(domain):
        console.unlink(missing_ok=True)
        domain.create()
        wait_for(lambda: console.exists() and b"guest: ready" in console.read_bytes(), "the guest")
        domain.destroy()

    daemon.define(UEFI.format(guest=guest, disk=disk(place / "top.qcow2", "vda"), console=console))
    domain = connection.lookupByName("office")
    boots(domain)
    before, uuid = hardware(domain), domain.UUIDString()
    tpm = daemon.root / f"var/lib/domaind/tpm/{uuid}/tpm2/tpm2-00.permall"
    nvram = pathlib.Path(ElementTree.fromstring(domain.XMLDesc()).findtext("os/nvram"))
    state = tpm.read_bytes(), nvram.read_bytes()
    domctl("export", "office", tmp_path / "office.domaind")
    domain.undefineFlags(NVRAM_AND_TPM)
    shutil.rmtree(place)
    connection.close()
    daemon.stop()

    other = Daemon(pathlib.Path(tempfile.mkdtemp(prefix="e")), bus)  # swtpm's socket has a path of at most 107 bytes
    root = other.root
    other.had_the_name = True
    try:
        other.start()
        Domctl(other)("import", tmp_path / "office.domaind")
        there = libvirt.open(f"qemu:///session?socket={root}/run/domaind/libvirt-sock")
        domain = there.lookupByName("office")
        assert domain.UUIDString() == uuid
        assert hardware(domain) == before
        new = pathlib.Path(ElementTree.fromstring(domain.XMLDesc()).findtext("os/nvram"))
        assert root in new.parents
        assert ((root / f"var/lib/domaind/tpm/{uuid}/tpm2/tpm2-00.permall").read_bytes(), new.read_bytes()) == state
        assert (root / "var/lib/domaind/images/office/top.qcow2").exists()
        boots(domain)
        there.close()
    finally:
        other.clean_up()


# Signatures.

@pytest.fixture
def key(tmp_path):
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", tmp_path / "key"], check=True)
    public = (tmp_path / "key.pub").read_text().split()
    (tmp_path / "allowed").write_text(f"anna@example.org {public[0]} {public[1]}\n")
    return tmp_path / "key"


def test_signatures(domctl, daemon, connection, place, key, tmp_path):
    daemon.define(document(place))
    domctl("export", "web", tmp_path / "signed.domaind", "--sign", key)
    domctl("export", "web", tmp_path / "plain.domaind")
    assert "ssh-keygen" in domctl("export", "web", tmp_path / "none.domaind", "--sign", tmp_path / "missing", status=1)
    assert not list(tmp_path.glob("none.domaind*"))
    connection.lookupByName("web").undefine()
    verify = ["--directory", tmp_path / "new", "--verify", tmp_path / "allowed", "--signer"]

    assert "is not signed" in domctl("import", tmp_path / "plain.domaind", *verify, "anna@example.org", status=1)
    assert "is not accepted" in domctl("import", tmp_path / "signed.domaind", *verify, "eve@example.org", status=1)
    files = entries(tmp_path / "signed.domaind")
    assert files[-1][0].name == "manifest.json.sig"
    forged = [*without_holes(files[:-1]), regular(files[-1][0].name, files[-1][1])]
    pack(tmp_path / "forged.domaind", forged)
    assert "is not accepted" in domctl("import", tmp_path / "forged.domaind", *verify, "anna@example.org", status=1)
    nothing_left(daemon, tmp_path / "new")
    domctl("import", tmp_path / "signed.domaind", *verify, "anna@example.org")


def test_a_document_with_an_image_beside_it(domctl, daemon, connection, place, tmp_path):
    (place / "web.xml").write_text(document(place))
    moved = tmp_path / "stick"
    shutil.copytree(place, moved)
    shutil.rmtree(place)
    said = domctl("import", moved / "web.xml", "--check").decode()
    assert f"change: '{place}/data.raw' will be '{moved}/data.raw'" in said
    assert connection.listDefinedDomains() == []
    domctl("import", moved / "web.xml", "--name", "shop")
    sources = ElementTree.fromstring(connection.lookupByName("shop").XMLDesc()).findall("devices/disk/source")
    assert [source.get("file") for source in sources] == [str(moved / "top.qcow2"), str(moved / "data.raw")]
    assert "with --name and --check alone" in domctl("import", moved / "web.xml", "--force", status=2)
    (moved / "bad.xml").write_text("<domain><nonsense/></domain>")
    assert "bad.xml:1:" in domctl("import", moved / "bad.xml", status=1)


# OVAs.

OVF = "{http://schemas.dmtf.org/ovf/envelope/1}"
RASD = "{http://schemas.dmtf.org/wbem/wscim/1/cim-schema/2/CIM_ResourceAllocationSettingData}"


@pytest.fixture
def ova(domctl, daemon, connection, place, tmp_path):
    daemon.define(document(place))
    domctl("export", "web", tmp_path / "web.ova", "--format", "ova")
    connection.lookupByName("web").undefine()
    shutil.rmtree(place)
    return tmp_path / "web.ova"


def members(ova):
    with tarfile.open(ova) as tar:
        return [(member, tar.extractfile(member).read()) for member in tar]


def write_ova(path, files):
    with tarfile.open(path, "w", format=tarfile.USTAR_FORMAT) as tar:
        for member, data in files:
            tar.addfile(member, io.BytesIO(data))
    return path


def test_an_ova_as_others_read_it(ova):
    files = members(ova)
    assert [member.name for member, _ in files] == ["web.ovf", "web.mf", "web-disk1.vmdk", "web-disk2.vmdk"]
    contents = {member.name: data for member, data in files}
    for line in contents["web.mf"].decode().splitlines():
        name, _, sum256 = line.removeprefix("SHA256(").partition(")= ")
        assert hashlib.sha256(contents[name]).hexdigest() == sum256
    root = ElementTree.fromstring(contents["web.ovf"])
    hrefs = [file.get(f"{OVF}href") for file in root.iter(f"{OVF}File")]
    assert hrefs == ["web-disk1.vmdk", "web-disk2.vmdk"]
    assert [disk.get(f"{OVF}capacity") for disk in root.iter(f"{OVF}Disk")][0] == str(8 * 1024 * 1024)
    items = [(item.findtext(f"{RASD}ResourceType"), item.findtext(f"{RASD}HostResource")) for item in root.iter(f"{OVF}Item")]
    assert items == [("3", None), ("4", None), ("20", None), ("17", "ovf:/disk/vmdisk1"), ("17", "ovf:/disk/vmdisk2"), ("10", None)]
    assert b"streamOptimized" in contents["web-disk1.vmdk"][:4096]


def test_an_ova_comes_back(domctl, connection, ova, tmp_path):
    mac = [item.findtext(f"{RASD}Address") for item in ElementTree.fromstring(members(ova)[0][1]).iter(f"{OVF}Item")][-1]
    domctl("import", ova, "--directory", tmp_path / "new")
    domain = connection.lookupByName("web")
    top = tmp_path / "new/web/web-disk1.qcow2"
    assert reads(top, "0x11", 0) and reads(top, "0x33", "1M")
    assert domain.maxMemory() == 32 * 1024
    disks = ElementTree.fromstring(domain.XMLDesc()).findall("devices/disk/source")
    assert [source.get("file") for source in disks] == [str(top), str(tmp_path / "new/web/web-disk2.qcow2")]
    cards = ElementTree.fromstring(domain.XMLDesc()).findall("devices/interface/mac")
    assert [card.get("address") for card in cards] == [mac]


def spoil_disk(files):
    data = bytearray(files[2][1])
    data[-2000] ^= 1
    return [*files[:2], regular(files[2][0].name, bytes(data)), *files[3:]]


def rename_file(name):
    def change(files):
        text = files[0][1].replace(b"web-disk1.vmdk", name.encode())
        return [regular("web.ovf", text), *files[2:]]
    return change


def not_a_vmdk(files):
    data = b"QFI\xfb" + bytes(1020)
    text = files[0][1].replace(f"ovf:size='{files[2][0].size}'".encode(), b"ovf:size='1024'", 1)
    return [regular("web.ovf", text), regular(files[2][0].name, data), *files[3:]]


BAD_OVAS = {
    "flipped bit": (spoil_disk, "is damaged"),
    "name upwards": (rename_file("../../etc/passwd"), "expected letters"),
    "disk missing": (lambda files: files[:-1], "is not in the archive"),
    "disk twice": (lambda files: [*files, files[-1]], "is in the archive twice"),
    "more files": (lambda files: [*files, regular("virus", b"x")], "of which its document says nothing"),
    "no hardware": (lambda files: [regular("web.ovf", b"<Envelope/>"), *files[1:]], "has no virtual system"),
    "no document": (lambda files: [regular("web.ovf", b"garbage"), *files[1:]], "cannot be read"),
    "no VMDK": (not_a_vmdk, "is no VMDK"),
}


@pytest.mark.parametrize("spoil, words", BAD_OVAS.values(), ids=[name.replace(" ", "-") for name in BAD_OVAS])
def test_bad_ovas(domctl, daemon, ova, tmp_path, spoil, words):
    bad = write_ova(tmp_path / "bad.ova", spoil(members(ova)))
    refusal = domctl("import", bad, "--directory", tmp_path / "new", status=1)
    assert words in refusal, refusal
    nothing_left(daemon, tmp_path / "new")


QUICKEMU = """#!/usr/bin/quickemu --vm
guest_os="linux"
disk_img="shop/disk.qcow2"
iso="shop/gone.iso"   # of its installation
fixed_iso='shop/tools.iso'
ram="64M"
cpu_cores=1
boot="legacy"
macaddr="52:54:00:AB:51:AE"
network=""
port_forwards=("22220:22")
"""


@pytest.fixture
def quickemu(tmp_path):
    """A directory as quickget leaves it."""
    (tmp_path / "vms/shop").mkdir(parents=True)
    subprocess.run(["qemu-img", "create", "-q", "-f", "qcow2", tmp_path / "vms/shop/disk.qcow2", "1M"], check=True)
    (tmp_path / "vms/shop/tools.iso").write_bytes(bytes(2048))
    (tmp_path / "vms/shop.conf").write_text(QUICKEMU)
    return tmp_path / "vms"


def test_a_machine_of_quickemus(domctl, connection, quickemu):
    said = domctl("import", quickemu).decode()
    assert said == (f"change: 'port_forwards=(\"22220:22\")' is left out\n"
                    f"change: '{quickemu}/shop/gone.iso' is left out: it is not there\nDomain 'shop' imported\n")
    domain = connection.lookupByName("shop")
    xml = domain.XMLDesc()
    for expected in (f"<source file='{quickemu}/shop/disk.qcow2'/>", f"<source file='{quickemu}/shop/tools.iso'/>",
                     "<mac address='52:54:00:ab:51:ae'/>", "<memory unit='KiB'>65536</memory>", "<vcpu placement='static'>1</vcpu>"):
        assert expected in xml
    domain.create()
    assert domain.isActive()
    domain.destroy()
    domctl("import", quickemu / "shop.conf", "--name", "again", "--check")
    assert [found.name() for found in connection.listAllDomains()] == ["shop"]
    domctl("import", quickemu / "shop.conf", "--name", "again")
    assert {found.name() for found in connection.listAllDomains()} == {"shop", "again"}


def test_a_windows_of_quickemus(domctl, connection, quickemu):
    (quickemu / "shop.conf").write_text('guest_os="windows"\ndisk_img="shop/disk.qcow2"\ntpm="on"\nsecureboot="on"\nnetwork="br7"\n')
    said = domctl("import", quickemu).decode()
    assert said == ("change: the firmware's variables are made anew\nchange: the TPM is a new one\nDomain 'shop' imported\n")
    xml = connection.lookupByName("shop").XMLDesc()
    for expected in ("<clock offset='localtime'", "<smm state='on'", "secure='yes'", "<tpm model='tpm-crb'>", "<source bridge='br7'/>"):
        assert expected in xml


@pytest.mark.parametrize("line, message", [
    ("ram=\"lots\"", "the ram 'lots' is no size such as '4G' or '2048M'"),
    ("guest_os=\"macos\"", "the guest_os 'macos' is none of linux, windows"),
    ("tpm=\"yes\"", "the tpm 'yes' is none of off, on"),
    ("network=\"restrict\"", "a network that is restricted to the machine itself is not supported"),
    ("disk_img=\"\"", "nothing says disk_img, the machine's image"),
    ("disk_img=\"$HOME/disk.qcow2\"", ":13: 'disk_img=\"$HOME/disk.qcow2\"' is not understood"),
    ("ram=$(reboot)", ":13: 'ram=$(reboot)' is not understood"),
    ("if true; then", ":13: 'if true; then' is not understood"),
    ("#" * 70000, "has more than 65536 bytes"),
])
def test_a_file_of_quickemus_that_means_nothing_here(domctl, connection, quickemu, line, message):
    (quickemu / "shop.conf").write_text(QUICKEMU + "\n" + line + "\n")
    assert message in domctl("import", quickemu, status=1)
    assert connection.listAllDomains() == []


def test_a_conf_of_others_is_no_quickemus(domctl, tmp_path):
    (tmp_path / "100.conf").write_text("cores: 2\nmemory: 2048\n")
    assert ("100.conf' is a config of Proxmox VE, and none of quickemu's: 'domctl import-config' makes a document of it"
            in domctl("import", tmp_path / "100.conf", status=1))


def test_a_directory_of_several_of_quickemus(domctl, quickemu):
    (quickemu / "other.conf").write_text(QUICKEMU)
    assert "has 2 files of quickemu's (*.conf): expected one" in domctl("import", quickemu, status=1)
