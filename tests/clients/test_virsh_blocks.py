# SPDX-License-Identifier: LGPL-2.1-or-later
"""What virsh and python3-libvirt read out of a machine's disks and memory, and change of its disks and interfaces."""

import json
import os
import signal
import subprocess
from xml.etree import ElementTree

import libvirt
import pytest

from conftest import DOMAIN, domain_path, domain_xml, wait_for
from virsh import virsh  # noqa: F401  (a fixture)

NAME = "blocks"
UUID = "6f0e4f6c-2f3b-4d62-9a55-1f1d6c9f7b10"
PATH = domain_path(UUID)
MIB = 1 << 20


def document(root):
    """A raw and a qcow2 disk, a CD and an empty drive."""
    return domain_xml(NAME, UUID, devices=f"""
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
    running("suspend", NAME)
    physical = domain.memoryPeek(0, 64, libvirt.VIR_MEMORY_PHYSICAL)
    assert len(physical) == 64 and any(physical)  # the firmware's vectors
    assert domain.memoryPeek(0, 64, libvirt.VIR_MEMORY_VIRTUAL) == physical
    assert len(domain.memoryPeek(0, 4 * MIB, libvirt.VIR_MEMORY_PHYSICAL)) == 4 * MIB
    assert bytes(daemon.call(PATH, DOMAIN, "MemoryPeek", "(ttu)", 0, 64, 2)) == physical
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
