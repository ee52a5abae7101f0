# SPDX-License-Identifier: LGPL-2.1-or-later
"""The host's shutdown, as logind and systemd tell of it: stand-ins for both on the private bus, a real Linux inside."""

import os

import pytest
from gi.repository import Gio, GLib

from conftest import DOMAIN, Daemon, domain_path, domain_xml, wait_for
from test_guest import READY, RUNNING, SHUTOFF, UUID, guest, heard, linux  # noqa: F401

SHUT_DOWN, DESTROYED, SAVED = 1, 2, 5  # virDomainShutoffReason
PLAIN = "33333333-3333-4333-8333-333333333333"
INTERFACES = Gio.DBusNodeInfo.new_for_xml("""<node>
  <interface name='org.freedesktop.login1.Manager'>
    <method name='Inhibit'>
      <arg type='s' direction='in'/><arg type='s' direction='in'/><arg type='s' direction='in'/>
      <arg type='s' direction='in'/><arg type='h' direction='out'/>
    </method>
    <signal name='PrepareForShutdown'><arg type='b'/></signal>
  </interface>
  <interface name='org.freedesktop.systemd1.Manager'>
    <property name='SystemState' type='s' access='read'/>
  </interface>
</node>""").interfaces


class Host:
    """logind and systemd, as far as the daemon asks them."""

    def __init__(self, bus):
        self.connection = bus.connect()
        self.state = "running"
        self.asked = []  # what for
        self.locks = []  # our ends of the delay locks
        for name, path, interface in (("org.freedesktop.login1", "/org/freedesktop/login1", INTERFACES[0]),
                                      ("org.freedesktop.systemd1", "/org/freedesktop/systemd1", INTERFACES[1])):
            self.connection.register_object(path, interface, self.inhibit, lambda *_: GLib.Variant("s", self.state), None)
            self.connection.call_sync("org.freedesktop.DBus", "/org/freedesktop/DBus", "org.freedesktop.DBus",
                                      "RequestName", GLib.Variant("(su)", (name, 0)), None, 0, -1, None)

    def inhibit(self, _connection, _sender, _path, _interface, _method, arguments, invocation):
        ours, theirs = os.pipe()
        files = Gio.UnixFDList.new()
        files.append(theirs)
        os.close(theirs)
        os.set_blocking(ours, False)
        self.asked.append(arguments.unpack())
        self.locks.append(ours)
        invocation.return_value_with_unix_fd_list(GLib.Variant("(h)", (0,)), files)

    def prepare(self, coming=True):
        self.connection.emit_signal(None, "/org/freedesktop/login1", "org.freedesktop.login1.Manager",
                                    "PrepareForShutdown", GLib.Variant("(b)", (coming,)))

    def is_delayed(self):
        """Does the daemon hold its last lock?"""
        try:
            return os.read(self.locks[-1], 1) != b""
        except BlockingIOError:
            return True

    def close(self):
        for lock in self.locks:
            os.close(lock)
        self.connection.close_sync()


@pytest.fixture
def host(bus):
    it = Host(bus)
    yield it
    it.close()


@pytest.fixture
def settings():
    return ""


@pytest.fixture
def daemon(host, root, bus, settings):
    (root / "domaind.conf").write_text(f"[machines]\n{settings}\n")
    it = Daemon(root, bus, "--config", root / "domaind.conf")
    try:
        it.start()
        wait_for(lambda: host.locks or "none" in settings, "the daemon's lock")
        yield it
    finally:
        it.clean_up()


def state_of(daemon, uuid):
    return tuple(daemon.call(domain_path(uuid), DOMAIN, "GetState", "(u)", 0))


def start_plain(daemon):
    """A machine whose firmware hears no power button."""
    path = daemon.define(domain_xml("plain", PLAIN))
    daemon.call(path, DOMAIN, "Create", "(u)", 0)
    return path


def test_the_lock_is_a_delay(daemon, host):
    assert [lock[0:2] + lock[3:] for lock in host.asked] == [("shutdown", "domaind", "delay")]
    assert host.is_delayed()
    host.prepare()
    wait_for(lambda: not host.is_delayed(), "the end of the delay, without any machine")
    host.prepare(False)  # called off: the next one is delayed again
    wait_for(lambda: len(host.locks) == 2, "another lock")
    assert host.is_delayed()


@pytest.mark.parametrize("settings", ["host-shutdown-timeout = 60"])
def test_a_guest_is_asked_and_awaited(daemon, host, linux):  # noqa: F811
    linux()
    heard(linux, READY)
    host.prepare()
    wait_for(lambda: state_of(daemon, UUID) == (SHUTOFF, SHUT_DOWN), "the guest's own end")
    assert b"power button pressed" in linux.console.read_bytes()
    wait_for(lambda: not host.is_delayed(), "the end of the delay")
    end = daemon.call(domain_path(UUID), "org.domaind1.Domain", "GetLastEnd")
    assert (end["asked-wire"], end["asked-call"], end["off"]) == ("host-shutdown", "DOMAIN_SHUTDOWN_FLAGS", True)


@pytest.mark.parametrize("settings", ["host-shutdown-timeout = 1"])
def test_one_that_does_not_follow_is_ended(daemon, host):
    start_plain(daemon)
    host.prepare()
    wait_for(lambda: state_of(daemon, PLAIN) == (SHUTOFF, DESTROYED), "its end")
    wait_for(lambda: not host.is_delayed(), "the end of the delay")
    assert "domain 'plain' did not shut down within 1 seconds and is ended" in daemon.log()
    assert daemon.call(domain_path(PLAIN), "org.domaind1.Domain", "GetLastEnd")["asked-wire"] == "host-shutdown"


@pytest.mark.parametrize("settings", ["on-host-shutdown = save"])
def test_it_is_saved_where_the_settings_say_so(daemon, host):
    start_plain(daemon)
    host.prepare()
    wait_for(lambda: state_of(daemon, PLAIN) == (SHUTOFF, SAVED), "its end")
    wait_for(lambda: not host.is_delayed(), "the end of the delay")
    daemon.call(domain_path(PLAIN), DOMAIN, "Create", "(u)", 0)
    assert state_of(daemon, PLAIN)[0] == RUNNING


def test_a_paused_one_is_saved(daemon, host):
    daemon.call(start_plain(daemon), DOMAIN, "Suspend")
    host.prepare()
    wait_for(lambda: state_of(daemon, PLAIN) == (SHUTOFF, SAVED), "its end")


@pytest.mark.parametrize("settings", ["host-shutdown-timeout = 1"])
def test_the_daemon_stays_while_systemd_stops_the_host(daemon, host):
    start_plain(daemon)
    host.state = "stopping"
    daemon.process.terminate()
    wait_for(lambda: daemon.process.poll() is not None, "the daemon's end")
    assert daemon.process.returncode == 0, daemon.log()
    daemon.process, daemon.had_the_name = None, True
    assert "is ended" in daemon.log() and not daemon.processes()


@pytest.mark.parametrize("settings,state", [("", "running"), ("", "degraded"), ("on-host-shutdown = none", "stopping")])
def test_a_daemon_that_only_ends_leaves_machines_alone(daemon, host, state):
    start_plain(daemon)
    running = daemon.machines()
    host.state = state
    daemon.process.terminate()
    wait_for(lambda: daemon.process.poll() is not None, "the daemon's end")
    assert daemon.process.returncode == 0, daemon.log()
    daemon.process, daemon.had_the_name = None, True
    assert daemon.machines() == running


POLICY = "<metadata><policy xmlns='https://domaind.org/xmlns/policy/1'>%s</policy></metadata>"


def start_with(daemon, name, number, policy):
    """One more machine whose firmware hears no power button."""
    uuid = f"44444444-4444-4444-8444-44444444444{number}"
    daemon.call(daemon.define(domain_xml(name, uuid, more=POLICY % policy)), DOMAIN, "Create", "(u)", 0)
    return uuid


@pytest.mark.parametrize("settings", ["", "on-host-shutdown = none"])
def test_its_policy_has_it_saved(daemon, host, settings):
    uuid = start_with(daemon, "saved", 1, "<shutdown action='save'/>")
    wait_for(lambda: host.locks, "the daemon's lock")
    host.prepare()
    wait_for(lambda: state_of(daemon, uuid) == (SHUTOFF, SAVED), "its end")
    wait_for(lambda: not host.is_delayed(), "the end of the delay")


def test_its_policy_leaves_it_alone(daemon, host):
    left = start_with(daemon, "left", 1, "<shutdown action='leave'/>")
    ended = start_with(daemon, "ended", 2, "<shutdown action='shutdown' timeout='1'/><restart when='always' delay='0'/>")
    host.prepare()
    wait_for(lambda: not host.is_delayed(), "the end of the delay")
    assert (state_of(daemon, left)[0], state_of(daemon, ended)) == (RUNNING, (SHUTOFF, DESTROYED))
    assert "domain 'ended' did not shut down within 1 seconds and is ended" in daemon.log()


@pytest.mark.parametrize("settings", ["on-host-shutdown = save"])
def test_the_policy_is_that_of_the_newest_definition(daemon, host):
    uuid = start_with(daemon, "changed", 1, "<shutdown action='leave'/>")
    daemon.define(domain_xml("changed", uuid, more=POLICY % "<shutdown action='shutdown' timeout='1'/>"))
    host.prepare()
    wait_for(lambda: state_of(daemon, uuid) == (SHUTOFF, DESTROYED), "its end")


def test_what_starts_last_ends_first(daemon, host):
    """Each has nobody to follow it, and is ended by its time: the one that the others need is told last."""
    short = "<shutdown action='shutdown' timeout='1'/>"
    start_with(daemon, "db", 1, short)
    start_with(daemon, "app", 2, "<start><requires>db</requires></start>" + short)
    start_with(daemon, "web", 3, "<start><after>app</after><after>nowhere</after></start>" + short)
    with daemon.signals() as seen:
        host.prepare()
        wait_for(lambda: not host.is_delayed(), "the end of the delay")
        wait_for(lambda: len(stopped(seen)) == 3, "the events of their ends")
    assert stopped(seen) == [3, 2, 1]


def stopped(seen):
    return [int(path[-1]) for _, member, (path, event, _) in
            (signal for signal in seen if signal[1] == "org.libvirt.Connect.DomainEvent") if event == 5]


def test_those_that_wait_for_each_other_end_as_well(daemon, host):
    short = "<shutdown action='shutdown' timeout='1'/>"
    one = start_with(daemon, "one", 1, "<start><after>two</after></start>" + short)
    two = start_with(daemon, "two", 2, "<start><after>one</after></start>" + short)
    host.prepare()
    wait_for(lambda: not host.is_delayed(), "the end of the delay")
    assert [state_of(daemon, uuid) for uuid in (one, two)] == [(SHUTOFF, DESTROYED)] * 2
