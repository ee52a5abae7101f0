# SPDX-License-Identifier: LGPL-2.1-or-later
"""What virsh and python3-libvirt read out of a machine's disks and memory, and change of its disks and interfaces."""

import os
import signal

import libvirt
import pytest

from conftest import domain_xml, wait_for
from virsh import virsh  # noqa: F401  (a fixture)

NAME = "blocks"


@pytest.fixture
def running(daemon, virsh):  # noqa: F811
    path = daemon.root / "blocks.xml"
    path.write_text(domain_xml(NAME))
    virsh("create", path)
    return virsh


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
    other = domain_xml("kept")
    (daemon.root / "kept.xml").write_text(other)
    running("define", daemon.root / "kept.xml")
    running("start", "kept")
    with daemon.signals() as seen:
        running("dump", "kept", daemon.root / "crash.dump", "--memory-only", "--crash")
        wait_for(lambda: [a for _, m, a in seen if m.endswith(".DomainEvent") and a[1:] == (5, 2)], "the crash")
    assert running("domstate", "kept", "--reason").strip() == "shut off (crashed)"


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
