# SPDX-License-Identifier: LGPL-2.1-or-later
"""The life of a machine: what each call does in each state, and how every end is told."""

import os
import signal

import pytest

from conftest import CONNECT, DOMAIN, ROOT, domain_xml, wait_for

UUID = "87291af1-1366-410c-bb6e-fbc6f66ff7ae"
RUNNING, PAUSED, SHUTOFF = 1, 3, 5
START_PAUSED, DESTROY_GRACEFUL = 1, 1

# Probes as QEMU, and is silent as a machine: its monitor never opens.
SILENT_EMULATOR = """#!/bin/sh
case "$*" in *"guest="*) exec sleep 1000 ;; esac
exec /usr/bin/qemu-system-x86_64 "$@"
"""
# Probes as QEMU, and ends at once as a machine.
FAILING_EMULATOR = """#!/bin/sh
case "$*" in *"guest="*) echo "qemu: the moon is in the wrong phase" >&2; exit 1 ;; esac
exec /usr/bin/qemu-system-x86_64 "$@"
"""


def emulator(daemon, script):
    path = daemon.root / "emulator"
    path.write_text(script)
    path.chmod(0o755)
    return f"<emulator>{path}</emulator>"


def state(daemon, path):
    return daemon.call(path, DOMAIN, "GetState", "(u)", 0)


def events(seen):
    return [arguments[1:] for _, member, arguments in seen if member == f"{CONNECT}.DomainEvent"]


def test_states(daemon):
    path = daemon.define(domain_xml("web", UUID))
    assert state(daemon, path) == (SHUTOFF, 0)
    daemon.call(path, DOMAIN, "Create", "(u)", 0)
    assert state(daemon, path) == (RUNNING, 1)
    daemon.call(path, DOMAIN, "Suspend")
    assert state(daemon, path) == (PAUSED, 1)
    daemon.call(path, DOMAIN, "Suspend")  # again: nothing to do
    daemon.call(path, DOMAIN, "Resume")
    assert state(daemon, path) == (RUNNING, 5)
    daemon.call(path, DOMAIN, "Reset", "(u)", 0)
    assert state(daemon, path)[0] == RUNNING
    daemon.call(path, DOMAIN, "Destroy", "(u)", 0)
    assert state(daemon, path) == (SHUTOFF, 2)
    assert not daemon.processes()
    daemon.call(path, DOMAIN, "Create", "(u)", 0)
    assert daemon.get(path, DOMAIN, "Id") == 2


@pytest.mark.parametrize("method, signature, arguments, running, text", [
    ("Create", "(u)", (0,), True, "domain is already running"),
    ("Resume", "()", (), True, "domain is already running"),
    ("Rename", "(su)", ("other", 0), True, "cannot rename active domain"),
    ("Create", "(u)", (1 << 20,), False, "unsupported flags (0x100000)"),
    ("Destroy", "(u)", (0,), False, "domain is not running"),
    ("Suspend", "()", (), False, "domain is not running"),
    ("Resume", "()", (), False, "domain is not running"),
    ("Shutdown", "(u)", (0,), False, "domain is not running"),
    ("Reboot", "(u)", (0,), False, "domain is not running"),
    ("Reset", "(u)", (0,), False, "domain is not running"),
    ("InjectNMI", "(u)", (0,), False, "domain is not running"),
    ("Shutdown", "(u)", (2,), True, "domain is not running"),
    ("Rename", "(su)", ("web", 0), False, "Can't rename domain to itself"),
    ("Rename", "(su)", ("a/b", 0), False, "name a/b cannot contain '/'"),
    ("Undefine", "(u)", (12,), False, "cannot both keep and delete nvram"),
])
def test_what_a_state_does_not_allow(daemon, method, signature, arguments, running, text):
    path = daemon.define(domain_xml("web", UUID))
    if running:
        daemon.call(path, DOMAIN, "Create", "(u)", START_PAUSED if method != "Resume" else 0)
    assert text in daemon.error(path, DOMAIN, method, signature, *arguments)[1]


def test_start_paused(daemon):
    path = daemon.define(domain_xml("web", UUID))
    with daemon.signals() as seen:
        daemon.call(path, DOMAIN, "Create", "(u)", START_PAUSED)
        wait_for(lambda: len(events(seen)) >= 2, "the events of a start")
    assert state(daemon, path) == (PAUSED, 1)
    assert events(seen) == [(2, 0), (3, 0)]
    daemon.call(path, DOMAIN, "Resume")
    assert state(daemon, path)[0] == RUNNING


def test_a_transient_machine_is_gone_at_its_end(daemon):
    path = daemon.create(domain_xml("web", UUID))
    assert daemon.get(path, DOMAIN, "Persistent") is False
    assert "transient" in daemon.error(path, DOMAIN, "Undefine", "(u)", 0)[1]
    daemon.call(path, DOMAIN, "Destroy", "(u)", 0)
    assert "Domain not found" in daemon.error(path, DOMAIN, "GetState", "(u)", 0)[1]
    assert daemon.call(ROOT, CONNECT, "ListDomains", "(u)", 0) == []


def test_defined_and_undefined_while_it_runs(daemon):
    path = daemon.create(domain_xml("web", UUID))
    assert daemon.define(domain_xml("web", UUID)) == path
    assert daemon.get(path, DOMAIN, "Persistent") is True
    daemon.call(path, DOMAIN, "Undefine", "(u)", 0)
    assert daemon.get(path, DOMAIN, "Persistent") is False
    assert state(daemon, path)[0] == RUNNING
    daemon.define(domain_xml("web", UUID))
    daemon.call(path, DOMAIN, "Destroy", "(u)", 0)
    assert state(daemon, path)[0] == SHUTOFF


def test_running_twice_is_refused(daemon):
    daemon.create(domain_xml("web", UUID))
    assert "domain 'web' is already active" in \
        daemon.error(ROOT, CONNECT, "DomainCreateXML", "(su)", domain_xml("web", UUID), 0)[1]
    assert len(daemon.processes()) == 1


def test_a_crash_is_told(daemon):
    path = daemon.define(domain_xml("web", UUID))
    daemon.call(path, DOMAIN, "Create", "(u)", 0)
    with daemon.signals() as seen:
        os.kill(daemon.machines()["web"], signal.SIGKILL)
        wait_for(lambda: events(seen), "the stopped event")
    assert events(seen) == [(5, 5)]  # as libvirt tells it; the state says "crashed"
    assert state(daemon, path) == (SHUTOFF, 3)
    daemon.call(path, DOMAIN, "Create", "(u)", 0)
    assert state(daemon, path)[0] == RUNNING


def test_a_wedged_machine_is_destroyed(daemon):
    path = daemon.define(domain_xml("web", UUID))
    daemon.call(path, DOMAIN, "Create", "(u)", 0)
    os.kill(daemon.machines()["web"], signal.SIGSTOP)
    pending = daemon.begin(path, DOMAIN, "Suspend")
    daemon.call(path, DOMAIN, "Destroy", "(u)", 0)
    assert state(daemon, path) == (SHUTOFF, 2)
    wait_for(lambda: pending, "the answer of the call that was under way")
    assert not daemon.processes()


def test_a_graceful_destroy_kills_nobody(daemon):
    path = daemon.define(domain_xml("web", UUID))
    daemon.call(path, DOMAIN, "Create", "(u)", 0)
    daemon.call(path, DOMAIN, "Destroy", "(u)", DESTROY_GRACEFUL)
    assert state(daemon, path) == (SHUTOFF, 2)


def test_a_start_that_hangs_is_given_up(daemon):
    slow = daemon.define(domain_xml("slow", UUID, devices=emulator(daemon, SILENT_EMULATOR)))
    pending = daemon.begin(slow, DOMAIN, "Create", "(u)", 0)
    waiting = daemon.begin(slow, DOMAIN, "Create", "(u)", 0)
    wait_for(lambda: list((daemon.root / "run/domaind/machines").glob("*/status.json")), "the process")
    other = daemon.create(domain_xml("other"))  # nobody waits for it
    assert state(daemon, other)[0] == RUNNING
    assert state(daemon, slow)[0] == SHUTOFF
    assert not pending
    daemon.call(slow, DOMAIN, "Destroy", "(u)", 0)
    wait_for(lambda: pending, "the answer of the start")
    assert isinstance(pending[0], Exception)
    assert not waiting  # the one that waited has its turn, and is given up as well
    daemon.call(slow, DOMAIN, "Destroy", "(u)", 0)
    wait_for(lambda: waiting, "the answer of the start that waited")
    assert state(daemon, slow)[0] == SHUTOFF
    assert not list((daemon.root / "run/domaind/machines").glob(f"{UUID}/*"))


def test_a_start_that_stands_at_a_file_is_given_up(daemon):
    """Opening a FIFO that nobody reads stands still, as opening a file of a dead network file system does."""
    fifo = daemon.root / "fifo"
    os.mkfifo(fifo)
    path = daemon.define(domain_xml("web", UUID, devices=f"<serial type='file'><source path='{fifo}'/></serial>"))
    start = daemon.begin(path, DOMAIN, "Create", "(u)", 0)
    wait_for(lambda: "blocking" in daemon.threads(), "the thread that opens it")
    daemon.call(path, DOMAIN, "Destroy", "(u)", 0)
    wait_for(lambda: start, "the answer of the start")
    assert "the machine is being ended" in start[0].message
    assert state(daemon, path)[0] == SHUTOFF
    assert "blocking" in daemon.threads()  # it stands there still, and nobody waits for it
    os.close(os.open(fifo, os.O_RDONLY | os.O_NONBLOCK))
    wait_for(lambda: "blocking" not in daemon.threads(), "its end")


def test_a_start_that_fails_leaves_nothing(daemon):
    broken = emulator(daemon, FAILING_EMULATOR)
    path = daemon.define(domain_xml("web", UUID, devices=broken))
    text = daemon.error(path, DOMAIN, "Create", "(u)", 0)[1]
    assert "the moon is in the wrong phase" in text
    assert state(daemon, path)[0] == SHUTOFF
    text = daemon.error(ROOT, CONNECT, "DomainCreateXML", "(su)", domain_xml("gone", devices=broken), 0)[1]
    assert "the moon is in the wrong phase" in text
    assert daemon.call(ROOT, CONNECT, "ListDomains", "(u)", 0) == [path]
    assert not list((daemon.root / "run/domaind/machines").iterdir())


def test_a_missing_image_is_named(daemon):
    disk = "<disk type='file' device='disk'><driver name='qemu' type='raw'/>" \
           "<source file='/nowhere/disk.img'/><target dev='vda' bus='virtio'/></disk>"
    path = daemon.define(domain_xml("web", UUID, devices=disk))
    text = daemon.error(path, DOMAIN, "Create", "(u)", 0)[1]
    assert "/nowhere/disk.img" in text and "No such file" in text
    assert not daemon.processes()


def test_a_locked_image_is_named_with_who_has_it(daemon, tmp_path):
    image = tmp_path / "disk"
    image.write_bytes(bytes(1 << 20))
    disk = f"<disk type='file' device='disk'><source file='{image}'/><target dev='vda' bus='virtio'/></disk>"
    holder, other, bare = (daemon.define(domain_xml(name, devices=devices, more="<features><acpi/></features>"))
                           for name, devices in (("holder", disk), ("other", disk), ("bare", "")))
    daemon.call(holder, DOMAIN, "Create", "(u)", 0)
    daemon.call(bare, DOMAIN, "Create", "(u)", 0)
    for said in (daemon.error(other, DOMAIN, "Create", "(u)", 0)[1],
                 daemon.error(bare, DOMAIN, "AttachDevice", "(su)", disk, 1)[1]):
        assert f"domain 'holder' uses '{image}'" in said
        assert "fdset" not in said


def test_rename(daemon):
    """To any name, and not with a saved state, which is kept under the old one."""
    path = daemon.define(domain_xml("web", UUID))
    for name in (" a b ", "web"):
        assert daemon.call(path, DOMAIN, "Rename", "(su)", name, 0) in (0, None)
        assert daemon.get(path, DOMAIN, "Name") == name
        daemon.stop()
        daemon.start()
        assert daemon.get(path, DOMAIN, "Name") == name
    daemon.call(path, DOMAIN, "Create", "(u)", 0)
    daemon.call(path, DOMAIN, "ManagedSave", "(u)", 0)
    assert daemon.error(path, DOMAIN, "Rename", "(su)", "new", 0)[1].endswith(
        "domain with a managed saved state can't be renamed")
