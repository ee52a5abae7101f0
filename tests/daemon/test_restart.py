# SPDX-License-Identifier: LGPL-2.1-or-later
"""The daemon goes and comes back: machines run on, are found again, and none is started twice."""

import os
import signal
import subprocess
import time

import pytest
from gi.repository import GLib

from conftest import BUILD, CONNECT, DOMAIN, PROPERTIES, ROOT, domain_path, domain_xml, kill_and_wait, wait_for

UUID = "87291af1-1366-410c-bb6e-fbc6f66ff7ae"
RUNNING, PAUSED, SHUTOFF = 1, 3, 5


def state(daemon, path):
    return daemon.call(path, DOMAIN, "GetState", "(u)", 0)


@pytest.fixture
def machines(daemon):
    """A running, a paused and a transient one; what is known of each."""
    running = daemon.define(domain_xml("running"))
    daemon.call(running, DOMAIN, "Create", "(u)", 0)
    paused = daemon.define(domain_xml("paused"))
    daemon.call(paused, DOMAIN, "Create", "(u)", 1)
    transient = daemon.create(domain_xml("transient"))
    return {path: known(daemon, path) for path in (running, paused, transient)}


def known(daemon, path):
    return (state(daemon, path), daemon.get(path, DOMAIN, "Id"), daemon.get(path, DOMAIN, "Persistent"),
            daemon.call(path, DOMAIN, "GetXMLDesc", "(u)", 0))


@pytest.mark.parametrize("end", ["kill", "stop"])
def test_machines_outlive_the_daemon(daemon, machines, end):
    pids = daemon.processes()
    assert len(pids) == 3
    getattr(daemon, end)()
    assert daemon.processes() == pids
    daemon.start()
    assert daemon.processes() == pids
    assert {path: known(daemon, path) for path in daemon.call(ROOT, CONNECT, "ListDomains", "(u)", 1)} == machines

    # They are ours as before: they answer, they end, and their ends are told.
    running, paused, transient = machines
    daemon.call(paused, DOMAIN, "Resume")
    assert state(daemon, paused)[0] == RUNNING
    daemon.call(running, DOMAIN, "Suspend")
    assert state(daemon, running) == (PAUSED, 1)
    with daemon.signals(CONNECT) as seen:
        daemon.call(transient, DOMAIN, "Destroy", "(u)", 0)
        wait_for(lambda: seen, "the stopped event")
    assert [arguments for _, _, arguments in seen] == [(transient, 5, 1)]
    new = daemon.create(domain_xml("new"))
    assert daemon.get(new, DOMAIN, "Id") not in {values[1] for values in machines.values()}


def test_a_second_restart_finds_them_too(daemon, machines):
    for _ in range(2):
        daemon.kill()
        daemon.start()
    assert {path: known(daemon, path) for path in daemon.call(ROOT, CONNECT, "ListDomains", "(u)", 1)} == machines


def test_machines_that_ended_meanwhile(daemon, machines):
    running, paused, transient = machines
    daemon.kill()
    for pid in daemon.processes():
        kill_and_wait(pid)
    daemon.start()
    assert set(daemon.call(ROOT, CONNECT, "ListDomains", "(u)", 0)) == {running, paused}
    assert state(daemon, running)[0] == SHUTOFF
    assert list((daemon.root / "run/domaind/machines").iterdir()) == []
    daemon.call(running, DOMAIN, "Create", "(u)", 0)


def test_a_wedged_machine_holds_up_no_start(daemon, machines):
    running, paused, _ = machines
    daemon.kill()
    wedged = daemon.machines()["running"]
    os.kill(wedged, signal.SIGSTOP)
    daemon.start()
    assert state(daemon, running)[0] == RUNNING  # the last that is known
    daemon.call(paused, DOMAIN, "Resume")
    daemon.call(running, DOMAIN, "Destroy", "(u)", 0)
    assert state(daemon, running) == (SHUTOFF, 2)
    assert wedged not in daemon.processes()


def answers(daemon, path, method):
    try:
        daemon.call(path, DOMAIN, method)
        return True
    except GLib.Error:
        return False


def test_a_wedged_machine_that_goes_on_is_taken_up(daemon):
    path = daemon.define(domain_xml("wedged"))
    daemon.call(path, DOMAIN, "Create", "(u)", 0)
    daemon.kill()
    (daemon.root / "etc/domaind/domaind.conf").write_text("[machines]\ncall-timeout = 1\n")
    (machine,) = daemon.processes()
    os.kill(machine, signal.SIGSTOP)
    daemon.start()
    wait_for(lambda: "its monitor does not answer" in daemon.log(), "the first asking's end")
    said = daemon.error(path, DOMAIN, "Suspend")[1]
    assert said.startswith("Timed out during operation: ") and "destroy still works" in said
    os.kill(machine, signal.SIGCONT)
    wait_for(lambda: answers(daemon, path, "Suspend"), "the monitor")
    assert state(daemon, path) == (PAUSED, 1)
    assert daemon.processes() == {machine}


@pytest.mark.parametrize("file", ["status.json", "live.xml"])
def test_a_machine_of_damaged_state_is_not_started_twice(daemon, file):
    path = daemon.define(domain_xml("web", UUID))
    daemon.call(path, DOMAIN, "Create", "(u)", 0)
    (machine,) = daemon.processes()
    daemon.kill()
    (daemon.root / "run/domaind/machines" / UUID / file).write_text("damaged")
    daemon.start()
    assert state(daemon, path)[0] == SHUTOFF
    assert "that the daemon does not know of still runs" in daemon.error(path, DOMAIN, "Create", "(u)", 0)[1]
    assert daemon.processes() == {machine}
    kill_and_wait(machine)
    daemon.call(path, DOMAIN, "Create", "(u)", 0)
    assert state(daemon, path)[0] == RUNNING


def test_ended_while_a_guest_is_asked(daemon):
    """Calls that wait for a silent QEMU get their end, and the daemon ends cleanly."""
    path = daemon.define(domain_xml("web", UUID, devices="<disk type='file' device='cdrom'><target dev='sda'/></disk>"))
    daemon.call(path, DOMAIN, "Create", "(u)", 0)
    (machine,) = daemon.processes()
    os.kill(machine, signal.SIGSTOP)
    for _ in range(3):
        daemon.begin(path, DOMAIN, "GetStats", "(uu)", 0, 0)
    daemon.call(ROOT, CONNECT, "ListDomains", "(u)", 0)  # the questions before it were asked
    daemon.stop()
    assert daemon.processes() == {machine}


def test_killed_while_it_starts_one(daemon):
    path = daemon.define(domain_xml("web", UUID))
    for instant in range(8):
        daemon.begin(path, DOMAIN, "Create", "(u)", 0)
        deadline = time.monotonic() + instant * 0.02
        wait_for(lambda: time.monotonic() >= deadline, "the instant")
        daemon.kill()
        daemon.start()
        daemon.begin(path, DOMAIN, "Create", "(u)", 0)  # whether it runs already or not
        wait_for(lambda: state(daemon, path)[0] == RUNNING, "the machine")
        assert len(daemon.processes()) == 1
        daemon.call(path, DOMAIN, "Destroy", "(u)", 0)
        assert daemon.processes() == set()
        assert state(daemon, path)[0] == SHUTOFF


def test_ended_while_it_starts_one(daemon):
    path = daemon.define(domain_xml("web", UUID))
    for instant in range(6):
        daemon.begin(path, DOMAIN, "Create", "(u)", 0)
        deadline = time.monotonic() + instant * 0.02
        wait_for(lambda: time.monotonic() >= deadline, "the instant")
        daemon.stop()
        daemon.start()
        daemon.begin(path, DOMAIN, "Create", "(u)", 0)
        wait_for(lambda: state(daemon, path)[0] == RUNNING, "the machine")
        assert len(daemon.processes()) == 1
        daemon.call(path, DOMAIN, "Destroy", "(u)", 0)


def test_autostart(daemon):
    marked = daemon.define(domain_xml("marked"))
    plain = daemon.define(domain_xml("plain"))
    daemon.call(marked, PROPERTIES, "Set", "(ssv)", DOMAIN, "Autostart", GLib.Variant("b", True))
    broken = daemon.define(domain_xml("broken", devices="<disk type='file' device='disk'>"
                                      "<source file='/nowhere/disk'/><target dev='vda'/></disk>"))
    daemon.call(broken, PROPERTIES, "Set", "(ssv)", DOMAIN, "Autostart", GLib.Variant("b", True))
    assert not daemon.processes()
    daemon.stop()
    daemon.start()  # the daemon's start, not the host's
    assert not daemon.processes()
    daemon.stop()
    (daemon.root / "run/domaind/domains.autostarted").unlink()  # as after a boot: the run directory is new
    daemon.start()
    wait_for(lambda: state(daemon, marked)[0] == RUNNING, "the marked machine")
    wait_for(lambda: "/nowhere/disk" in daemon.log(), "what is wrong with the broken one")
    assert state(daemon, plain)[0] == SHUTOFF
    assert state(daemon, broken)[0] == SHUTOFF
    pids = daemon.processes()
    daemon.kill()  # one that runs is not started again
    daemon.start()
    assert state(daemon, marked)[0] == RUNNING
    assert daemon.processes() == pids
    daemon.call(marked, DOMAIN, "Destroy", "(u)", 0)
    daemon.stop()
    daemon.start()  # what was stopped by hand stays stopped
    assert state(daemon, marked)[0] == SHUTOFF
    assert not daemon.processes()


def test_autostart_once(daemon):
    own = "org.domaind1.Domain"
    path = daemon.define(domain_xml("once"))
    daemon.call(path, PROPERTIES, "Set", "(ssv)", own, "AutostartOnce", GLib.Variant("b", True))
    assert daemon.get(path, own, "AutostartOnce") is True
    assert daemon.get(path, DOMAIN, "Autostart") is False
    daemon.stop()
    daemon.start()  # the daemon's start, not the host's
    assert not daemon.processes() and daemon.get(path, own, "AutostartOnce") is True
    daemon.stop()
    for mark in daemon.root.glob("run/domaind/domains.autostarted"):
        mark.unlink()
    daemon.start()
    wait_for(lambda: state(daemon, path)[0] == RUNNING, "the marked machine")
    assert daemon.get(path, own, "AutostartOnce") is False
    daemon.call(path, DOMAIN, "Destroy", "(u)", 0)
    daemon.stop()
    (daemon.root / "run/domaind/domains.autostarted").unlink()
    daemon.start()
    assert state(daemon, path)[0] == SHUTOFF
    transient = daemon.create(domain_xml("transient"))
    message = daemon.error(transient, PROPERTIES, "Set", "(ssv)", own, "AutostartOnce", GLib.Variant("b", True))[1]
    assert "cannot set autostart for transient domain" in message


def run_domaind(daemon, *arguments):
    return subprocess.run([BUILD / "daemon" / "domaind", "--session", "--root", daemon.root, *arguments],
                          capture_output=True, text=True, timeout=60,
                          env=dict(os.environ, DBUS_SESSION_BUS_ADDRESS=daemon.bus.address, LC_ALL="C.UTF-8"))


def test_one_daemon_a_root(daemon):
    daemon.define(domain_xml("web", UUID))
    second = run_domaind(daemon)
    assert second.returncode == 1
    assert f"another domaind (process {daemon.process.pid})" in second.stderr
    assert state(daemon, domain_path(UUID))[0] == SHUTOFF


@pytest.mark.parametrize("arguments, status, text", [
    (["--version"], 0, "domaind "),
    (["--help"], 0, "--log-level=LEVEL"),
    (["--nonsense"], 2, "--nonsense"),
    (["extra"], 2, "unexpected argument 'extra'"),
    (["--system"], 2, "--system and --session exclude each other"),
    (["--log-level", "loud"], 1, "'loud' is none of"),
    (["--config", "/nowhere.conf"], 1, "/nowhere.conf"),
])
def test_command_line(daemon, arguments, status, text):
    result = run_domaind(daemon, *arguments)
    assert (result.returncode, text in result.stdout + result.stderr) == (status, True), result.stderr


def test_a_misspelt_setting_is_named(daemon):
    daemon.stop()
    (daemon.root / "etc/domaind/domaind.conf").write_text("[machines]\nsandbx = yes\n")
    result = run_domaind(daemon)
    assert result.returncode == 1
    assert "domaind.conf: [machines] unknown key 'sandbx'; did you mean 'sandbox'?" in result.stderr
