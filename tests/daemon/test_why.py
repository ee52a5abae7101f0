# SPDX-License-Identifier: LGPL-2.1-or-later
"""How a machine last ended: whoever ended it, and whatever became of the daemon and the host meanwhile."""

import os
import signal
import time

from conftest import DOMAIN, domain_path, domain_xml, kill_and_wait, wait_for

UUID = "7e0c7c9c-2a39-4b2b-8f0a-6c2c1f0a9d11"
PATH = domain_path(UUID)
OWN = "org.domaind1.Domain"
SHUTDOWN, DESTROYED, CRASHED, FAILED = 1, 2, 3, 6  # virDomainShutoffReason


def why(daemon):
    return daemon.call(PATH, OWN, "GetLastEnd")


def words(daemon, needed):
    """The record, once its job has completed it."""
    return wait_for(lambda: (end := why(daemon)) and needed in end and end, needed)


def run(daemon, **more):
    daemon.define(domain_xml("web", UUID, **more))
    daemon.call(PATH, DOMAIN, "Create", "(u)", 0)
    return daemon.machines()["web"]


def is_off(daemon):
    return not daemon.get(PATH, DOMAIN, "Active")


def test_nothing_is_known_at_first(daemon):
    daemon.define(domain_xml("web", UUID))
    assert why(daemon) in ({}, None)


def test_destroyed_and_by_whom(daemon):
    before = time.time()
    run(daemon)
    daemon.call(PATH, DOMAIN, "Destroy", "(u)", 0)
    end = why(daemon)
    assert (end["reason"], end["status"]) == (DESTROYED, 0)  # QEMU ends in order when it is told to
    assert end["asked-wire"] == f"D-Bus ({daemon.bus.connection.get_unique_name()})"
    assert (end["asked-call"], end["asked-uid"]) == ("DOMAIN_DESTROY_FLAGS", os.getuid())
    assert before * 1e6 <= end["started"] <= end["asked-at"] <= end["ended"] <= time.time() * 1e6


def test_killed_by_somebody_else(daemon):
    pid = run(daemon)
    os.kill(pid, signal.SIGSEGV)
    wait_for(lambda: is_off(daemon), "its end")
    end = why(daemon)
    assert (end["reason"], end["signal"]) == (CRASHED, signal.SIGSEGV)
    assert "asked-wire" not in end


def test_it_is_kept_over_a_restart_and_goes_with_the_definition(daemon):
    run(daemon)
    daemon.call(PATH, DOMAIN, "Destroy", "(u)", 0)
    before = words(daemon, "words")
    daemon.kill()
    daemon.start()
    assert why(daemon) == before
    assert list(daemon.root.glob("var/lib/domaind/ends/*")) == [daemon.root / "var/lib/domaind/ends" / f"{UUID}.json"]
    daemon.call(PATH, DOMAIN, "Undefine", "(u)", 0)
    assert list(daemon.root.glob("var/lib/domaind/ends/*")) == []


def test_who_asked_is_known_to_the_next_daemon(daemon):
    """A shutdown that the guest ignores is asked for; then the daemon is killed, and the machine while it is away."""
    pid = run(daemon)
    daemon.call(PATH, DOMAIN, "Shutdown", "(u)", 0)
    daemon.kill()
    kill_and_wait(pid)
    daemon.start()
    end = words(daemon, "unseen")
    assert (end["asked-call"], end["reason"]) == ("DOMAIN_SHUTDOWN_FLAGS", CRASHED)


def test_a_start_that_fails(daemon):
    daemon.define(domain_xml("web", UUID, devices="<disk type='file'><source file='/nowhere/web.img'/>"
                                                  "<target dev='vda' bus='virtio'/></disk>"))
    text = daemon.error(PATH, DOMAIN, "Create", "(u)", 0)[1]
    end = why(daemon)
    assert end["reason"] == FAILED and text in end["words"]


def test_what_qemu_said(daemon):
    pid = run(daemon)
    log, = daemon.root.glob("var/log/domaind/web.log")
    with log.open("a") as file:
        file.write("qemu-system-x86_64: terrible things\n")
    os.kill(pid, signal.SIGABRT)
    wait_for(lambda: is_off(daemon), "its end")
    assert words(daemon, "words")["words"] == "qemu-system-x86_64: terrible things"


def test_the_hosts_own_end(daemon):
    """After a power cut there is no running state, and the boot is another one."""
    pid = run(daemon)
    mark, = daemon.root.glob("var/lib/domaind/ends/*.running")
    daemon.kill()
    kill_and_wait(pid)
    for left in (daemon.root / "run/domaind/machines").glob("*/*"):
        if left.is_file():
            left.unlink()
    boot, started = mark.read_text().split()
    mark.write_text(f"{boot[::-1]} {started}\n")
    daemon.start()
    end = why(daemon)
    assert (end["host"], end["unseen"], end["started"]) == (True, True, int(started))
    assert not mark.exists()
    daemon.call(PATH, DOMAIN, "Create", "(u)", 0)
    assert mark.exists() and why(daemon) == end


def test_a_damaged_record_is_said(daemon):
    run(daemon)
    daemon.call(PATH, DOMAIN, "Destroy", "(u)", 0)
    words(daemon, "words")
    record, = daemon.root.glob("var/lib/domaind/ends/*.json")
    for text in ["", "[]", "{", "x" * 100000]:
        record.write_text(text)
        assert daemon.error(PATH, OWN, "GetLastEnd")[1] != ""
    record.write_text('{"reason": 99, "signal": "x", "helpers": [1, null], "words": 7, "ended": -1}')
    assert why(daemon) == {"reason": 8}
