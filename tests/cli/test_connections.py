# SPDX-License-Identifier: LGPL-2.1-or-later
"""Which daemon domctl talks to, what it says without one, and who else is there."""

import grp
import json
import os
import pathlib
import pty
import re
import shutil
import subprocess
import sys
import tempfile

import pytest
from gi.repository import GLib

from conftest import BUILD, BUS_CONFIG, PATIENCE, TOP, Bus, Daemon, domain_xml, kill_and_wait, wait_for

sys.path.insert(0, str(TOP / "tests" / "clients"))

from host import SystemDaemon  # noqa: E402

USER = 65534  # "nobody": in no group that counts
NOBODYS_BUS = "unix:path=/nonexistent"
needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="becoming another user takes root")


def run(*words, system=NOBODYS_BUS, session=NOBODYS_BUS, user=None, program=BUILD / "cli/domctl"):
    def become_user():
        if user is not None:
            os.setgroups([])
            os.setresgid(user, user, user)
            os.setresuid(user, user, user)

    return subprocess.run([program, *map(str, words)], capture_output=True, text=True, timeout=PATIENCE, check=False,
                          preexec_fn=become_user, cwd="/",
                          env=dict(os.environ, LC_ALL="C.UTF-8", DBUS_SYSTEM_BUS_ADDRESS=system, DBUS_SESSION_BUS_ADDRESS=session))


# Without a daemon.

def test_version_knows_domctls_own(bus):
    done = run("version", session=bus.address, system=bus.address)
    assert (done.returncode, done.stdout) == (0, "Using domctl: 0.1.0\n")
    assert "domaind does not run on the system bus: start" in done.stderr
    assert run("version", "--daemon", system=bus.address).returncode == 1
    assert json.loads(run("version", "--json", system=bus.address).stdout) == {"domctl": "0.1.0", "api": None, "hypervisor": None}


@pytest.mark.parametrize("words", [["event", "--all", "--loop"], ["event", "--event", "lifecycle", "web"]])
def test_events_that_nobody_sends_are_not_waited_for(bus, words):
    done = run("--connect", "session", *words, session=bus.address)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == "error: domaind does not run on the session bus: start 'domaind --session'\n"


@pytest.mark.parametrize("words, said", [
    (["lst"], "unknown command 'lst': did you mean 'list'?"),
    (["help", "strat"], "unknown command 'strat': did you mean 'start'?"),
    (["qqqqqq"], "unknown command 'qqqqqq'"),
    (["--conect", "system", "list"], "unknown option '--conect': did you mean '--connect'?"),
    (["start", "--pased", "web"], "unknown option '--pased': did you mean '--paused'?"),
    (["translate", "--fromat=json", "web"], "unknown option '--fromat': did you mean '--format'?"),
    (["list", "-c", "qemu:///sistem"], "'qemu:///sistem' is no connection: expected 'system', 'session', "
                                       "'qemu:///system' or 'qemu:///session'"),
    (["-c", "qemu+ssh://host/system", "list"], "'qemu+ssh://host/system' is no connection: expected 'system', 'session', "
                                               "'qemu:///system' or 'qemu:///session'"),
])
def test_what_was_meant(words, said):
    done = run(*words)
    assert (done.returncode, done.stderr.splitlines()[0]) == (2, f"error: {said}")


def test_help_is_a_command():
    assert run("help").stdout == run("--help").stdout
    assert run("help", "start").stdout == run("start", "--help").stdout


# With one.

@pytest.mark.parametrize("words", [
    ["-c", "session", "list"], ["list", "-c", "session"], ["list", "--connect=qemu:///session"],
    ["-c", "system", "list", "-c", "session"], ["list", "-c", "qemu:///session?x=1"],
])
def test_the_daemon_is_named_anywhere(daemon, words):
    done = run(*words, session=daemon.bus.address)
    assert (done.returncode, done.stderr.splitlines()[-1]) == (0, "No such machines at qemu:///session")
    assert ("are not used" in done.stderr) == ("?" in words[-1])
    daemon.define(domain_xml("web"))
    assert run(*words, "--all", "--name", session=daemon.bus.address).stdout == "web\n"


# The bus of a system, with the rules that are installed.

GROUP = 1  # "daemon" stands for the group libvirt, which not every host has;
MEMBER = 1  # the account of that name, for a member: the bus asks the host who is in a group

SYSTEM_BUS_CONFIG = """<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN"
 "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig>
  <type>system</type>
  <listen>{address}</listen>
  <auth>EXTERNAL</auth>
  <policy context="default">
    <allow user="*"/>
    <deny own="*"/>
    <deny send_type="method_call"/>
    <allow send_type="signal"/>
    <allow send_requested_reply="true" send_type="method_return"/>
    <allow send_requested_reply="true" send_type="error"/>
    <allow receive_type="method_call"/>
    <allow receive_type="method_return"/>
    <allow receive_type="error"/>
    <allow receive_type="signal"/>
    <allow send_destination="org.freedesktop.DBus"/>
  </policy>
  <include>{directory}/domaind.conf</include>
  {more}
</busconfig>
"""


class SystemBus(Bus):
    def __init__(self, directory, group, more=""):
        self.address = f"unix:path={directory}/bus"
        self.directory = directory
        self.config = directory / "bus.conf"
        self.config.write_text(SYSTEM_BUS_CONFIG.format(address=self.address, directory=directory, more=more))
        self.install_policy(group)
        self.start()

    def install_policy(self, group):
        policy = (TOP / "data/dbus/org.libvirt.conf").read_text()
        (self.directory / "domaind.conf").write_text(policy.replace('group="libvirt"', f'group="{group}"'))


@pytest.fixture
def place():
    """Where another user can go, with a domctl: the build may be where only root can."""
    directory = pathlib.Path(tempfile.mkdtemp(prefix="d"))
    directory.chmod(0o755)
    shutil.copy(BUILD / "cli/domctl", directory)
    yield directory
    shutil.rmtree(directory)


@pytest.fixture
def system_bus(place):
    it = SystemBus(place, grp.getgrgid(GROUP).gr_name)
    yield it
    it.stop()


@pytest.fixture
def system_daemon(root, system_bus):
    it = SystemDaemon(root, system_bus)
    try:
        yield it.start()
    finally:
        it.clean_up()


@pytest.fixture
def as_user(place):
    def runner(*words, user=USER, **options):
        return run(*words, user=user, program=place / "domctl", **options)

    return runner


@needs_root
def test_a_member_of_the_group_sees_the_systems_machines(system_daemon, as_user):
    system_daemon.define(domain_xml("web"))
    address = system_daemon.bus.address
    assert as_user("list", "--all", "--name", system=address, user=MEMBER).stdout == "web\n"
    assert as_user("list", system=address, user=MEMBER).stderr == "No such machines at qemu:///system\n"
    stranger = as_user("list", "--all", "--name", system=address)
    assert (stranger.returncode, stranger.stdout) == (1, "")
    assert "cannot reach the session bus" in stranger.stderr
    told = as_user("list", "-c", "system", system=address)
    assert told.stderr == ("error: Failed to list domains\nerror: the system's machines are for root and the group "
                           "'libvirt': become a member, or use --connect session\n")


@needs_root
def test_a_member_uses_the_session_where_only_that_runs(daemon, system_bus, as_user):
    done = run("list", system=system_bus.address, session=daemon.bus.address)
    assert done.returncode == 1 and "does not run on the system bus" in done.stderr  # root
    done = as_user("version", system=system_bus.address, user=MEMBER)
    assert "cannot reach the session bus" in done.stderr


@pytest.fixture
def activatable(root, place):
    """The bus of a system that starts the daemon when it is asked for; it is given back, and the daemon's pid."""
    started = place / "pid"
    start = place / "start"
    start.write_text(f"""#!/bin/sh
echo $$ > {started}
export DBUS_SYSTEM_BUS_ADDRESS=unix:path={place}/bus
exec {BUILD}/daemon/domaind --system --root {root} 2>> {root}/daemon.log
""")
    start.chmod(0o755)
    service = (TOP / "data/dbus/org.domaind1.system.service.in").read_text()
    (place / "org.domaind1.service").write_text(re.sub("Exec=.*", f"Exec={start}", service).replace("SystemdService=domaind.service", ""))
    bus = SystemBus(place, grp.getgrgid(GROUP).gr_name, f"<servicedir>{place}</servicedir>")
    yield bus, started
    if started.exists():
        kill_and_wait(int(started.read_text()))
    bus.stop()


@needs_root
def test_a_member_has_the_systems_daemon_started_and_no_empty_session(activatable, as_user):
    bus, started = activatable
    stranger = as_user("list", system=bus.address)
    assert "cannot reach the session bus" in stranger.stderr and not started.exists()
    member = as_user("list", system=bus.address, user=MEMBER)
    assert member.stderr == "No such machines at qemu:///system\n"
    assert bus.has("org.domaind1")


@needs_root
def test_a_group_that_was_made_after_the_bus_began(root, place, as_user):
    """As sysusers makes it: the bus has dropped the rules for a group that it did not know."""
    bus = SystemBus(place, "no-such-group")
    daemon = SystemDaemon(root, bus)
    try:
        bus.install_policy(grp.getgrgid(GROUP).gr_name)
        daemon.start()
        wait_for(lambda: as_user("list", "-c", "system", system=bus.address, user=MEMBER).returncode == 0,
                 "the bus's rules for the group")
    finally:
        daemon.clean_up()
        bus.stop()


# Beside others.

def test_who_owns_libvirts_name_is_not_taken_for_the_daemon(root, bus):
    owner = bus.connect()
    owner.call_sync("org.freedesktop.DBus", "/org/freedesktop/DBus", "org.freedesktop.DBus", "RequestName",
                    GLib.Variant("(su)", ("org.libvirt", 0)), None, 0, -1, None)
    daemon = Daemon(root, bus)
    try:
        daemon.start(ready=lambda: bus.has("org.domaind1"))
        wait_for(lambda: "org.libvirt on the session bus belongs to another program" in daemon.log(), "the log's word")
        assert run("-c", "session", "list", session=bus.address).stderr == "No such machines at qemu:///session\n"
        assert json.loads(run("-c", "session", "version", "--json", session=bus.address).stdout)["beside"][0] == {
            "place": "org.libvirt", "program": pathlib.Path("/proc/self/comm").read_text().strip(), "pid": os.getpid()}
        assert "warning: 'org.libvirt' belongs to" in run("-c", "session", "version", session=bus.address).stderr
    finally:
        daemon.clean_up()
        owner.close_sync()


# The log.

def test_a_daemon_that_the_bus_starts_does_not_write_to_the_terminal(root, tmp_path):
    """A bus that was started from a terminal gives it to what it starts."""
    services = tmp_path / "services"
    services.mkdir()
    (services / "org.domaind1.service").write_text(
        f"[D-BUS Service]\nName=org.domaind1\nExec={BUILD}/daemon/domaind --session --root {root}\n")
    config = tmp_path / "bus.conf"
    config.write_text(BUS_CONFIG.format(address=f"unix:path={tmp_path}/bus").replace(
        "<auth>", f"<servicedir>{services}</servicedir><auth>"))
    terminal, slave = pty.openpty()
    bus = subprocess.Popen(["dbus-daemon", f"--config-file={config}", "--nofork", "--print-address=1"], stderr=slave,
                           stdout=subprocess.PIPE, text=True)
    os.close(slave)
    daemon = root / "run/domaind/domaind.pid"
    try:
        bus.stdout.readline()
        done = run("-c", "session", "list", session=f"unix:path={tmp_path}/bus")
        assert (done.returncode, done.stderr) == (0, "No such machines at qemu:///session\n")
        assert "ready" in (root / "var/lib/domaind/daemon.log").read_text()
        os.set_blocking(terminal, False)
        shown = ""
        while True:
            try:
                shown += os.read(terminal, 4096).decode()
            except BlockingIOError:
                break
        assert "ready" not in shown and "info" not in shown
    finally:
        if daemon.exists():
            kill_and_wait(int(daemon.read_text()))
        bus.kill()
        bus.wait()
        bus.stdout.close()
        os.close(terminal)
