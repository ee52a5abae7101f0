# SPDX-License-Identifier: LGPL-2.1-or-later
"""What virsh and python3-libvirt read out of a machine's disks and memory, and change of its disks and interfaces."""

import json
import os
import signal
import subprocess
from xml.etree import ElementTree

import gi
import libvirt
import pytest

gi.require_version("Gio", "2.0")
from gi.repository import GLib  # noqa: E402

from conftest import DOMAIN, domain_path, domain_xml, wait_for  # noqa: E402
from virsh import virsh  # noqa: E402, F401  (a fixture)

NAME = "blocks"
UUID = "6f0e4f6c-2f3b-4d62-9a55-1f1d6c9f7b10"
PATH = domain_path(UUID)
MIB = 1 << 20


def document(root):
    """A raw and a qcow2 disk, a CD and an empty drive."""
    return domain_xml(NAME, UUID, "<features><acpi/></features>", devices=f"""
    <disk type='file' device='disk'>
      <driver name='qemu' type='qcow2'/><source file='{root}/a.qcow2'/><target dev='vda' bus='virtio'/>
    </disk>
    <disk type='file' device='disk'>
      <driver name='qemu' type='raw'/><source file='{root}/b.raw'/><target dev='vdb' bus='virtio'/>
    </disk>
    <disk type='file' device='cdrom'><source file='{root}/c.iso'/><target dev='hda' bus='ide'/><readonly/></disk>
    <disk type='file' device='cdrom'><target dev='hdb' bus='ide'/><readonly/></disk>
    <interface type='user'><mac address='52:54:00:0a:0b:0c'/><model type='virtio'/></interface>""")


@pytest.fixture
def defined(daemon, virsh):  # noqa: F811
    subprocess.run(["qemu-img", "create", "-q", "-f", "qcow2", daemon.root / "a.qcow2", "16M"], check=True)
    (daemon.root / "b.raw").write_bytes(b"begin" + bytes(4 * MIB - 8) + b"end")
    (daemon.root / "c.iso").write_bytes(bytes(MIB))
    path = daemon.root / "blocks.xml"
    path.write_text(document(daemon.root))
    virsh("define", path)
    return virsh


@pytest.fixture
def running(defined):
    defined("start", NAME)
    return defined


@pytest.fixture
def domain(daemon, running):
    libvirt.registerErrorHandler(lambda context, error: None, None)
    connection = libvirt.open(running.uri)
    yield connection.lookupByName(NAME)
    connection.close()


def error_of(call, *arguments):
    with pytest.raises(libvirt.libvirtError) as caught:
        call(*arguments)
    return caught.value.get_error_code(), caught.value.get_error_message()


def state(shell):
    return shell("domstate", NAME, "--reason").strip()


# Dumps.

def test_dump(daemon, running):
    to = daemon.root / "all.dump"
    with daemon.signals() as seen:
        running("dump", NAME, to)
        wait_for(lambda: any(member.endswith("JobCompleted") for _, member, _ in seen), "the end of the job")
    assert to.read_bytes()[:4] == b"QEVM"  # what migration writes, as libvirt's dumps are
    assert to.stat().st_mode & 0o777 == 0o600
    assert [arguments[1:] for _, member, arguments in seen if member.endswith(".DomainEvent")] == [(3, 0), (4, 0)]
    [completed] = [arguments[0] for _, member, arguments in seen if member.endswith("JobCompleted")]
    assert completed["operation"] == 8 and completed["memory_remaining"] == 0
    assert state(running) == "running (unpaused)"
    assert running.fields("domjobinfo", NAME, "--completed")["Operation"] == "Dump"


def test_dump_of_a_machine_that_goes_on(daemon, running):
    to = daemon.root / "live.dump"
    running("dump", NAME, to, "--live", "--bypass-cache", "--verbose")
    assert to.read_bytes()[:4] == b"QEVM"
    assert state(running) == "running (unpaused)"


def test_dump_of_the_memory(daemon, running):
    to = daemon.root / "memory.dump"
    running("dump", NAME, to, "--memory-only")
    assert to.read_bytes()[:4] == b"\x7fELF" and to.stat().st_size > 32 << 20
    running("suspend", NAME)
    running("dump", NAME, to, "--memory-only", "--format", "elf", "--reset")
    assert state(running) == "paused (user)"
    running("resume", NAME)
    running("dump", NAME, to, "--memory-only", "--format", "kdump-zlib")
    assert to.read_bytes()[:12] == b"makedumpfile"


def test_dump_of_a_crash(daemon, running):
    with daemon.signals() as seen:
        running("dump", NAME, daemon.root / "crash.dump", "--memory-only", "--crash")
        wait_for(lambda: [a for _, m, a in seen if m.endswith(".DomainEvent") and a[1:] == (5, 2)], "the crash")
    assert state(running) == "shut off (crashed)"


def test_dumps_that_cannot_be(daemon, running):
    to = daemon.root / "no.dump"
    for words, error in [
        ([to, "--memory-only", "--format", "win-dmp"], "memory-only dump failed: win-dump: invalid vmcoreinfo note size"),
        ([to, "--live", "--crash"], "Flags 'VIR_DUMP_CRASH' and 'VIR_DUMP_LIVE' are mutually exclusive"),
        (["/nonexistent/x"], "No such file or directory"),
        ([daemon.root], "no regular file"),
    ]:
        assert error in running.fails("dump", NAME, *words)
        assert state(running) == "running (unpaused)"
    assert not to.exists()
    assert list(daemon.root.glob("no.dump*")) == []


def test_a_dump_is_given_up(daemon, running):
    pid = daemon.machines()[NAME]
    os.kill(pid, signal.SIGSTOP)
    dump = running.start("dump", NAME, daemon.root / "all.dump")
    wait_for(lambda: running.fields("domjobinfo", NAME).get("Operation") == "Dump", "the job")
    running("domjobabort", NAME)
    os.kill(pid, signal.SIGCONT)
    assert "canceled by client" in dump.communicate()[1]
    assert not (daemon.root / "all.dump").exists()
    assert state(running) == "running (unpaused)"

    os.kill(pid, signal.SIGSTOP)
    dump = running.start("dump", NAME, daemon.root / "memory.dump", "--memory-only")
    wait_for(lambda: running.fields("domjobinfo", NAME).get("Operation") == "Dump", "the job")
    assert "cannot abort memory-only dump" in running.fails("domjobabort", NAME)
    os.kill(pid, signal.SIGCONT)
    assert dump.wait() == 0
    dump.communicate()


def test_dump_errors_as_programs_see_them(daemon, domain):
    to = str(daemon.root / "x")
    assert error_of(domain.coreDumpWithFormat, to, 1, 0) == (
        libvirt.VIR_ERR_OPERATION_UNSUPPORTED,
        "Operation not supported: kdump-compressed format is only supported with memory-only dump")
    assert error_of(domain.coreDumpWithFormat, to, 2, libvirt.VIR_DUMP_MEMORY_ONLY) == (
        libvirt.VIR_ERR_INVALID_ARG, "invalid argument: unsupported dumpformat 'kdump-lzo' for this QEMU binary")
    assert error_of(domain.coreDump, to, 128)[0] == libvirt.VIR_ERR_INVALID_ARG


# Sizes, thresholds, looks.

def test_resize(daemon, running):
    for target, words, size in [("vda", ["32M"], 32 * MIB), ("vdb", [8 * 1024], 8 * MIB), ("vdb", ["1000448b"], 1000448),
                                (daemon.root / "a.qcow2", ["33554433b"], 33554944)]:
        running("blockresize", NAME, target, *words)
        assert running.fields("domblkinfo", NAME, target)["Capacity"] == str(size), (target, words)
    assert (daemon.root / "b.raw").stat().st_size == 1000448


def test_resizes_that_cannot_be(running, domain):
    for target, size, flags, error in [
        ("hda", 1024, 0, (84, "Operation not supported: can't resize empty or readonly disk 'hda'")),
        ("hdb", 1024, 0, (84, "Operation not supported: can't resize empty or readonly disk 'hdb'")),
        ("nope", 1024, 0, (8, "invalid argument: disk 'nope' was not found in the domain config")),
        ("vdb", 1 << 60, 0, (82, "numerical overflow: size must be less than 18014398509481983")),
        ("vdb", 0, 2, (8, "invalid argument: block resize to full capacity supported only with 'raw' local block "
                          "devices, 'vdb' is none")),
    ]:
        assert error_of(domain.blockResize, target, size, flags) == error
    assert error_of(domain.blockResize, "vdb", 1024, 64)[0] == libvirt.VIR_ERR_INVALID_ARG
    domain.destroy()
    assert error_of(domain.blockResize, "vdb", 1024, 0) == (
        55, "Requested operation is not valid: domain is not running")


def block_events(seen):
    return [arguments for path, member, arguments in seen if member == f"{DOMAIN}.BlockThreshold" and path == PATH]


def write(shell, number, length):
    device = f"/machine/peripheral/virtio-disk{number}/virtio-backend"
    assert not shell("qemu-monitor-command", NAME, "--hmp", f'qemu-io -d {device} "write 0 {length}"').strip()


def test_threshold(daemon, running):
    index = ElementTree.fromstring(running("dumpxml", NAME)).findall("devices/disk/source")[1].get("index")
    raw = str(daemon.root / "b.raw")
    with daemon.signals() as seen:
        running("domblkthreshold", NAME, "vdb", "64k")
        write(running, 1, "128k")
        wait_for(lambda: len(block_events(seen)) >= 2, "the event")
        running("domblkthreshold", NAME, f"vdb[{index}]", "64k")
        write(running, 1, "96k")
        wait_for(lambda: len(block_events(seen)) >= 3, "the event")
    assert block_events(seen) == [("vdb", raw, 65536, 65536), (f"vdb[{index}]", raw, 65536, 65536),
                                  (f"vdb[{index}]", raw, 65536, 32768)]
    for name in ("nope", "vda[99]", "vda[", "vda[x]", raw):
        assert f"failed to find disk '{name}'" in running.fails("domblkthreshold", NAME, name, "1")
    assert "no image" in running.fails("domblkthreshold", NAME, "hdb", "1")
    assert [node for node in json.loads(running("qemu-monitor-command", NAME, '{"execute":"query-named-block-nodes"}'))
            ["return"] if node["write_threshold"]] == []


def test_look_at_a_disk(daemon, running, domain):
    raw = str(daemon.root / "b.raw")
    for name in ("vdb", raw):
        assert domain.blockPeek(name, 0, 5) == b"begin"
        assert domain.blockPeek(name, 4 * MIB - 3, 3) == b"end"
    assert domain.blockPeek("hda", 0, MIB) == bytes(MIB)
    assert domain.blockPeek("vdb", 0, 4 * MIB)[:5] == b"begin"
    for name, offset, error in [
        ("vda", 0, (84, "Operation not supported: peeking is only supported for disk with 'raw' format not 'qcow2'")),
        ("hdb", 0, (84, "Operation not supported: peeking is only supported for disk with 'raw' format not 'none'")),
        ("nope", 0, (8, "invalid argument: disk 'nope' not found in domain")),
        ("vdb", 4 * MIB - 8, (8, f"invalid argument: 'vdb' starting from {4 * MIB - 8} has only 8 bytes available")),
        ("vdb", 1 << 63, (8, f"invalid argument: 'vdb' starting from {1 << 63} has only 0 bytes available")),
    ]:
        if offset < 1 << 63:
            assert error_of(domain.blockPeek, name, offset, 16) == error
    domain.destroy()
    assert domain.blockPeek("vdb", 0, 5) == b"begin"
    assert bytes(daemon.call(PATH, DOMAIN, "BlockPeek", "(sttu)", "vdb", 0, 5, 0)) == b"begin"
    assert "1 bytes available" in daemon.error(PATH, DOMAIN, "BlockPeek", "(sttu)", "vdb", 4 * MIB - 1, 2, 0)[1]
    assert daemon.error(PATH, DOMAIN, "BlockPeek", "(sttu)", "vdb", (1 << 64) - 1, 2, 0)[1].endswith("0 bytes available")
    assert "maximum buffer size" in daemon.error(PATH, DOMAIN, "BlockPeek", "(sttu)", "vdb", 0, 4 * MIB + 1, 0)[1]


def test_look_at_memory(daemon, running, domain):
    start = 0xffff0  # where the processor begins: the firmware's first jump

    def paused_and_looked():
        """What is there; nothing for the moment in which the firmware copies itself from its ROM into memory."""
        domain.suspend()
        seen = domain.memoryPeek(start, 16, libvirt.VIR_MEMORY_PHYSICAL)
        if not any(seen):
            domain.resume()
        return any(seen) and seen

    physical = wait_for(paused_and_looked, "the firmware")
    assert len(physical) == 16
    assert domain.memoryPeek(start, 16, libvirt.VIR_MEMORY_VIRTUAL) == physical
    assert len(domain.memoryPeek(0, 4 * MIB, libvirt.VIR_MEMORY_PHYSICAL)) == 4 * MIB
    assert bytes(daemon.call(PATH, DOMAIN, "MemoryPeek", "(ttu)", start, 16, 2)) == physical
    assert daemon.error(PATH, DOMAIN, "MemoryPeek", "(ttu)", 0, 64, 0)[1].endswith(
        "flags parameter must be VIR_MEMORY_VIRTUAL or VIR_MEMORY_PHYSICAL")
    assert "mutually exclusive" in daemon.error(PATH, DOMAIN, "MemoryPeek", "(ttu)", 0, 64, 3)[1]
    assert "maximum buffer size" in daemon.error(PATH, DOMAIN, "MemoryPeek", "(ttu)", 0, 4 * MIB + 1, 2)[1]
    assert list(daemon.root.glob("run/domaind/machines/*/qemu/memory*")) == []
    domain.destroy()
    assert error_of(domain.memoryPeek, 0, 1, 1) == (55, "Requested operation is not valid: domain is not running")


def test_read_only_clients_do_not_look(daemon, running):
    connection = libvirt.openReadOnly(running.uri)
    there = connection.lookupByName(NAME)
    for call, arguments in [(there.blockPeek, ("vdb", 0, 5)), (there.memoryPeek, (0, 5, 1)),
                            (there.blockResize, ("vdb", 5, 0)), (there.coreDump, ("/tmp/x", 0))]:
        assert error_of(call, *arguments)[0] == libvirt.VIR_ERR_OPERATION_DENIED
    connection.close()


# Limits of disks.

def iotune(shell, *words):
    """What is not 0 of a disk's limits."""
    return {name: value for name, value in shell.fields("blkdeviotune", NAME, *words).items() if value not in ("0", "")}


def source(daemon):
    return (daemon.root / f"etc/domaind/domains/{NAME}.xml").read_text()


def test_limits_of_a_definition(daemon, defined):
    before = source(daemon)
    defined("blkdeviotune", NAME, "vdb", "--total-bytes-sec", "1000", "--total-bytes-sec-max", "2000", "--group-name", "g")
    assert iotune(defined, "vdb") == {"total_bytes_sec": "1000", "total_bytes_sec_max": "2000", "group_name": "g"}
    # Whoever joins a group has its limits, and what changes for one changes for all.
    defined("blkdeviotune", NAME, "vda", "--group-name", "g", "--config")
    defined("blkdeviotune", NAME, "vda", "--read-iops-sec", "30", "--config")
    assert iotune(defined, "vda") == iotune(defined, "vdb") == {
        "total_bytes_sec": "1000", "read_iops_sec": "30", "total_bytes_sec_max": "2000", "group_name": "g"}
    assert source(daemon).count("""
      <iotune>
        <total_bytes_sec>1000</total_bytes_sec>
        <read_iops_sec>30</read_iops_sec>
        <total_bytes_sec_max>2000</total_bytes_sec_max>
        <group_name>g</group_name>
      </iotune>
""") == 2
    for disk in "vda", "vdb":
        daemon.call(PATH, DOMAIN, "SetBlockIOTune", "(sa{sv}u)", disk, {"group_name": GLib.Variant("s", "")}, 2)
    for disk in "vda", "vdb":
        defined("blkdeviotune", NAME, disk, "--total-bytes-sec", "0", "--total-bytes-sec-max", "0", "--read-iops-sec", "0",
                "--config")
    assert source(daemon) == before


def test_limits_of_a_running_machine(daemon, running):
    before = source(daemon)
    with daemon.signals() as seen:
        running("blkdeviotune", NAME, "vdb", "--total-bytes-sec", "1000000", "--read-iops-sec", "30")
        wait_for(lambda: any(member == f"{DOMAIN}.Tunable" for _, member, _ in seen), "the event")
    assert [arguments for _, member, arguments in seen if member == f"{DOMAIN}.Tunable"] == [
        ({"blkdeviotune.disk": "vdb", "blkdeviotune.total_bytes_sec": 1000000, "blkdeviotune.read_iops_sec": 30},)]
    # Nobody has named a group: QEMU has named it after the disk.
    assert iotune(running, "vdb") == {"total_bytes_sec": "1000000", "read_iops_sec": "30",
                                      "group_name": "/machine/peripheral/virtio-disk1/virtio-backend"}
    assert iotune(running, "vdb", "--config") == {}
    running("blkdeviotune", NAME, "vdb", "--total-bytes-sec-max", "2000000", "--total-bytes-sec-max-length", "4",
            "--group-name", "g", "--live", "--config")
    assert iotune(running, daemon.root / "b.raw", "--live") == {
        "total_bytes_sec": "1000000", "read_iops_sec": "30", "total_bytes_sec_max": "2000000",
        "total_bytes_sec_max_length": "4", "group_name": "g"}
    assert iotune(running, "vdb", "--config") == {
        "total_bytes_sec_max": "2000000", "total_bytes_sec_max_length": "4", "group_name": "g"}
    assert source(daemon) != before
    assert "<read_iops_sec>30</read_iops_sec>" in running("dumpxml", NAME)


def test_limits_that_cannot_be(daemon, running, domain):
    for disk, limits, flags, error in [
        ("vdb", {"total_bytes_sec": 1000, "read_bytes_sec": 5}, 0,
         (8, "invalid argument: total and read/write of bytes_sec cannot be set at the same time")),
        ("vdb", {"total_bytes_sec": 10**15 + 1}, 2,
         (74, "argument unsupported: block I/O throttle limit value must be no more than 1000000000000000")),
        ("vdb", {"total_bytes_sec_max": 5}, 0,
         (67, "unsupported configuration: cannot reset 'total_bytes_sec' when 'total_bytes_sec_max' is set")),
        ("vdb", {"total_bytes_sec": 10, "total_bytes_sec_max": 5}, 0,
         (67, "unsupported configuration: value 'total_bytes_sec_max' cannot be smaller than 'total_bytes_sec'")),
    ]:
        assert error_of(domain.setBlockIoTune, disk, limits, flags) == error
    assert "burst length set without burst rate" in running.fails(
        "blkdeviotune", NAME, "vdb", "--total-bytes-sec-max-length", "4")
    assert iotune(running, "vdb") == {}
    assert error_of(domain.blockIoTune, "nope", 0) == (8, "invalid argument: disk 'nope' not found in domain")
    text = daemon.error(PATH, DOMAIN, "SetBlockIOTune", "(sa{sv}u)", "vdb", {"bogus": GLib.Variant("t", 5)}, 0)[1]
    assert text.endswith("parameter 'bogus' not supported")
    text = daemon.error(PATH, DOMAIN, "SetBlockIOTune", "(sa{sv}u)", "vdb", {"group_name": GLib.Variant("t", 5)}, 0)[1]
    assert text.endswith("invalid type for parameter 'group_name', expected string")


def test_limits_by_dbus(daemon, running):
    daemon.call(PATH, DOMAIN, "SetBlockIOTune", "(sa{sv}u)", "vdb",
                {"write_iops_sec": GLib.Variant("t", 7), "group_name": GLib.Variant("s", "x")}, 3)
    limits = daemon.call(PATH, DOMAIN, "GetBlockIOTune", "(su)", "vdb", 2)
    assert limits["write_iops_sec"] == 7 and limits["group_name"] == "x" and len(limits) == 20
    assert list(limits)[:3] == ["total_bytes_sec", "read_bytes_sec", "write_bytes_sec"]


def test_a_machine_starts_with_its_limits(daemon, defined):
    defined("blkdeviotune", NAME, "vda", "--write-iops-sec", "70", "--size-iops-sec", "4096")
    defined("blkdeviotune", NAME, "hda", "--read-bytes-sec", "1000")
    defined("start", NAME)
    assert iotune(defined, "vda")["write_iops_sec"] == "70"
    assert iotune(defined, "vda")["size_iops_sec"] == "4096"
    assert iotune(defined, "hda")["read_bytes_sec"] == "1000"
    path = daemon.root / "disk.xml"
    path.write_text(f"<disk type='file'><driver name='qemu'/><source file='{daemon.root}/d.raw'/>"
                    "<target dev='vdc' bus='virtio'/><iotune><total_iops_sec>9</total_iops_sec></iotune></disk>")
    (daemon.root / "d.raw").write_bytes(bytes(MIB))
    defined("attach-device", NAME, path)
    assert iotune(defined, "vdc")["total_iops_sec"] == "9"


# Bandwidth of interfaces.

MAC = "52:54:00:0a:0b:0c"


def test_bandwidth(daemon, defined):
    names = ["inbound.average", "inbound.peak", "inbound.burst", "inbound.floor",
             "outbound.average", "outbound.peak", "outbound.burst"]
    before = source(daemon)
    assert defined.fields("domiftune", NAME, MAC) == dict.fromkeys(names, "0")
    defined("domiftune", NAME, MAC, "--inbound", "1000,2000,128", "--outbound", "500")
    assert list(defined.fields("domiftune", NAME, MAC).values()) == ["1000", "2000", "128", "0", "500", "0", "0"]
    assert ("<bandwidth><inbound average='1000' peak='2000' burst='128'/><outbound average='500'/></bandwidth></interface>"
            in source(daemon))
    defined("domiftune", NAME, MAC, "--inbound", "0")
    assert list(defined.fields("domiftune", NAME, MAC).values()) == ["0", "0", "0", "0", "500", "0", "0"]
    assert "'vnet9' is not a known interface" in defined.fails("domiftune", NAME, "vnet9", "--inbound", "5", "--config")

    defined("start", NAME)
    assert "is not limited" in daemon.log()
    assert defined.fields("domiftune", NAME, MAC)["outbound.average"] == "500"
    assert "setting bandwidth on interfaces of type 'user' is not implemented yet" in defined.fails(
        "domiftune", NAME, MAC, "--outbound", "5")
    daemon.call(PATH, DOMAIN, "SetInterfaceParameters", "(sa{sv}u)", MAC, {"outbound.average": GLib.Variant("u", 0)}, 2)
    assert set(daemon.call(PATH, DOMAIN, "GetInterfaceParameters", "(su)", MAC, 2).values()) == {0}
    assert daemon.call(PATH, DOMAIN, "GetInterfaceParameters", "(su)", MAC, 1)["outbound.average"] == 500
    assert source(daemon) == before
    assert daemon.error(PATH, DOMAIN, "SetInterfaceParameters", "(sa{sv}u)", MAC,
                        {"inbound.color": GLib.Variant("u", 1)}, 2)[1].endswith("parameter 'inbound.color' not supported")


# Chains of images.

@pytest.fixture
def chain(daemon, virsh):  # noqa: F811
    """top.qcow2 on middle.qcow2 on base.raw, as vda; the document does not say so."""
    def image(*words):
        subprocess.run(["qemu-img", "create", "-q", *words], check=True, cwd=daemon.root)

    image("-f", "raw", "base.raw", "1M")
    image("-f", "qcow2", "-b", "base.raw", "-F", "raw", "middle.qcow2")
    image("-f", "qcow2", "-b", "middle.qcow2", "-F", "qcow2", "top.qcow2")

    def define(backing=""):
        path = daemon.root / "chain.xml"
        path.write_text(domain_xml(NAME, UUID, devices=f"""
            <disk type='file'><driver name='qemu' type='qcow2'/><source file='{daemon.root}/top.qcow2'/>{backing}
            <target dev='vda' bus='virtio'/></disk>
            <disk type='file' device='cdrom'><target dev='hda' bus='ide'/></disk>"""))
        virsh("define", path)
        return virsh

    return define


def shown(shell, *words):
    """The files of vda's chain with their formats and indexes, and whether its end is said."""
    disk = ElementTree.fromstring(shell("dumpxml", NAME, *words)).find("devices/disk")
    index = disk.find("source").get("index")
    images = [(os.path.basename(disk.find("source").get("file")), disk.find("driver").get("type"), index and int(index))]
    backing = disk.find("backingStore")
    while backing is not None and backing.find("source") is not None:
        images.append((os.path.basename(backing.find("source").get("file")), backing.find("format").get("type"),
                       int(backing.get("index")) if backing.get("index") else None))
        backing = backing.find("backingStore")
    return images, backing is not None


WHOLE = [("top.qcow2", "qcow2", 2), ("middle.qcow2", "qcow2", 3), ("base.raw", "raw", 4)]


def nodes(shell):
    answer = json.loads(shell("qemu-monitor-command", NAME, '{"execute":"query-named-block-nodes","arguments":{"flat":true}}'))
    return sorted(node["node-name"] for node in answer["return"])


def test_the_chain_is_shown(daemon, chain):
    shell = chain()
    shell("start", NAME)
    assert shown(shell) == (WHOLE, True)
    assert shown(shell, "--inactive") == ([("top.qcow2", "qcow2", None)], False)
    assert nodes(shell) == [f"libvirt-{n}-{kind}" for n in (2, 3, 4) for kind in ("format", "storage")]
    stats = shell.fields("domstats", NAME, "--block", "--backing")
    assert "block.count=4" in shell("domstats", NAME, "--block", "--backing")
    assert f"block.2.path={daemon.root}/base.raw" in stats
    assert "block.2.backingIndex=4" in stats and "block.2.capacity=1048576" in stats
    assert "block.count=2" in shell("domstats", NAME, "--block")

    daemon.kill()
    daemon.start()
    assert shown(shell) == (WHOLE, True)
    shell("domblkthreshold", NAME, "vda[4]", "1")
    assert "vda[5]" in shell.fails("domblkthreshold", NAME, "vda[5]", "1")
    shell("managedsave", NAME)
    shell("start", NAME)
    assert shown(shell) == (WHOLE, True)


def test_a_chain_that_is_spelled_out(daemon, chain):
    """The live document defined again; and one that ends the chain early, at images that are taken at its word."""
    shell = chain()
    shell("start", NAME)
    path = daemon.root / "live.xml"
    path.write_text(shell("dumpxml", NAME))
    shell("destroy", NAME)
    shell("define", path)
    spelled = [(name, kind, None) for name, kind, _ in WHOLE]
    assert shown(shell) == (spelled, True)
    shell("start", NAME)
    assert shown(shell) == (WHOLE, True) and shown(shell, "--inactive") == (spelled, True)
    shell("destroy", NAME)

    shell = chain("<backingStore/>")
    shell("start", NAME)
    assert shown(shell) == (WHOLE[:1], True) and nodes(shell) == ["libvirt-2-format", "libvirt-2-storage"]
    shell("destroy", NAME)

    shell = chain(f"<backingStore type='file'><format type='qcow2'/><source file='{daemon.root}/middle.qcow2'/></backingStore>")
    shell("start", NAME)
    assert shown(shell) == (WHOLE, True)
    shell("destroy", NAME)

    shell = chain(f"<backingStore type='file'><format type='qcow2'/><source file='{daemon.root}/nothing'/></backingStore>")
    assert "nothing" in shell.fails("start", NAME)


def test_a_chain_that_comes_back_to_itself(daemon, chain):
    shell = chain()
    subprocess.run(["qemu-img", "rebase", "-u", "-b", "top.qcow2", "-F", "qcow2", "middle.qcow2"], check=True,
                   cwd=daemon.root)
    assert "comes back to" in shell.fails("start", NAME)


def test_sizes_of_what_does_not_run(daemon, defined):
    stats = defined("domstats", NAME, "--block")
    for figure in ("block.0.capacity=16777216", f"block.1.capacity={4 * MIB}", f"block.1.physical={4 * MIB}",
                   f"block.2.capacity={MIB}"):
        assert f"  {figure}\n" in stats
    assert "block.3.capacity" not in stats
    (daemon.root / "b.raw").write_bytes(bytes(2 * MIB))
    assert f"  block.1.capacity={2 * MIB}\n" in defined("domstats", NAME, "--block")
    (daemon.root / "b.raw").unlink()
    assert "block.1.capacity" not in defined("domstats", NAME, "--block")
