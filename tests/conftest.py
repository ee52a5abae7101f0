# SPDX-License-Identifier: LGPL-2.1-or-later
"""The real daemon on a private bus, in a directory of its own, with the real QEMU.

A test takes `daemon`: running, empty, and gone afterwards with every machine it started. A daemon that does not
end cleanly (a leak, undefined behaviour, a crash) fails the test it served.
"""

import contextlib
import json
import os
import pathlib
import select
import shutil
import signal
import subprocess
import tempfile
import time
import uuid

import gi
import pytest

gi.require_version("Gio", "2.0")
from gi.repository import Gio, GLib  # noqa: E402

TOP = pathlib.Path(__file__).resolve().parent.parent
BUILD = pathlib.Path(os.environ.get("DOMAIND_BUILD", TOP / "build"))
FACTS = TOP / "tests" / "facts"

ROOT = "/org/libvirt/QEMU"
CONNECT = "org.libvirt.Connect"
DOMAIN = "org.libvirt.Domain"
PROPERTIES = "org.freedesktop.DBus.Properties"
PATIENCE = 60  # seconds: far more than anything takes, so that only what never comes fails
TEST_LIMIT = 600  # seconds a test has: what waits for ever fails by itself, and the others still run
TEST_LIMIT_AGAIN = 30  # seconds after which what cleans up is interrupted too, and again


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_protocol(item):
    def out_of_time(number, frame):
        raise TimeoutError(f"{item.nodeid} has not ended after {TEST_LIMIT} s")

    before = signal.signal(signal.SIGALRM, out_of_time)
    signal.setitimer(signal.ITIMER_REAL, TEST_LIMIT, TEST_LIMIT_AGAIN)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def wait_for(condition, what):
    """Run the main context until @condition() is true; its value."""
    deadline = time.monotonic() + PATIENCE
    context = GLib.MainContext.default()
    while not (value := condition()):
        assert time.monotonic() < deadline, f"{what} did not come"
        if not context.iteration(False):
            time.sleep(0.005)
    return value


def kill_and_wait(pid):
    """SIGKILL to @pid, and the end of it: its descriptors, unlike its /proc/PID/exe, last until its pidfd is ready."""
    descriptor = os.pidfd_open(pid)
    try:
        signal.pidfd_send_signal(descriptor, signal.SIGKILL)
        assert select.select([descriptor], [], [], PATIENCE)[0], f"process {pid} did not end"
    finally:
        os.close(descriptor)


def domain_path(domain_uuid):
    return f"{ROOT}/domain/_{domain_uuid.replace('-', '_')}"


def domain_xml(name, domain_uuid=None, more="", domain_type="qemu", devices=""):
    """A machine with nothing in it: it starts fast and runs its firmware for ever."""
    return f"""<domain type='{domain_type}'>
  <name>{name}</name>
  <uuid>{domain_uuid or uuid.uuid4()}</uuid>
  <memory unit='MiB'>32</memory>
  <vcpu>1</vcpu>
  <os><type arch='x86_64' machine='pc'>hvm</type></os>
  {more}
  <devices>
    <controller type='usb' model='none'/>
    {devices}
    <memballoon model='none'/>
  </devices>
</domain>
"""


# Nothing is started by being called: what a host has installed (libvirt-dbus, say) stays out of the tests.
BUS_CONFIG = """<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN"
 "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig>
  <type>session</type>
  <listen>{address}</listen>
  <auth>EXTERNAL</auth>
  <policy context="default">
    <allow user="*"/>
    <allow send_destination="*" eavesdrop="true"/>
    <allow eavesdrop="true"/>
    <allow own="*"/>
  </policy>
  <limit name="max_replies_per_connection">50000</limit>
</busconfig>
"""


class Bus:
    """A private message bus and our connection to it."""

    def __init__(self, directory):
        self.address = f"unix:path={directory}/bus"
        self.config = directory / "bus.conf"
        self.config.write_text(BUS_CONFIG.format(address=self.address))
        self.start()

    def start(self):
        self.process = subprocess.Popen(
            ["dbus-daemon", f"--config-file={self.config}", "--nofork", "--print-address"],
            stdout=subprocess.PIPE, text=True)
        assert self.process.stdout.readline().startswith(self.address)
        self.connection = self.connect()

    def connect(self):
        flags = Gio.DBusConnectionFlags
        return Gio.DBusConnection.new_for_address_sync(
            self.address, flags.AUTHENTICATION_CLIENT | flags.MESSAGE_BUS_CONNECTION, None, None)

    def has(self, name):
        answer = self.connection.call_sync("org.freedesktop.DBus", "/org/freedesktop/DBus", "org.freedesktop.DBus",
                                           "NameHasOwner", GLib.Variant("(s)", (name,)), None, 0, -1, None)
        return answer.unpack()[0]

    def stop(self):
        self.connection.close_sync()
        self.process.kill()
        self.process.wait()
        self.process.stdout.close()


class Daemon:
    """One domaind and what it keeps under its root."""

    mode = "--session"
    prefix = ()  # words before its command

    def __init__(self, root, bus, *arguments):
        self.root = root
        self.bus = bus
        self.arguments = arguments
        self.had_the_name = False
        self.process = None

    def start(self, ready=None):
        """Start it; @ready is what tells that it can be used (default: it has its name on the bus)."""
        if self.had_the_name and not self.bus.connection.is_closed():  # the bus may not have noticed the end yet
            wait_for(lambda: not self.bus.has("org.libvirt"), "the end of the name's old owner")
            self.had_the_name = False
        environment = dict(os.environ, LC_ALL="C.UTF-8", G_DEBUG="fatal-criticals", DBUS_SESSION_BUS_ADDRESS=self.bus.address,
                           DBUS_SYSTEM_BUS_ADDRESS=self.bus.address)
        with open(self.root / "daemon.log", "a", encoding="utf-8") as log:
            self.process = subprocess.Popen(
                [*self.prefix, BUILD / "daemon" / "domaind", self.mode, "--root", self.root, *self.arguments],
                env=environment, stdin=subprocess.DEVNULL, stderr=log, stdout=log)
        is_ready = ready or (lambda: self.bus.has("org.libvirt"))
        wait_for(lambda: is_ready() or self.process.poll() is not None, "org.libvirt")
        assert self.process.poll() is None, self.log()
        return self

    def log(self):
        return (self.root / "daemon.log").read_text(errors="replace")

    def stop(self):
        """End it as a service manager would."""
        self.process.terminate()
        status = self.process.wait(PATIENCE)
        self.process = None
        self.had_the_name = True
        assert status == 0, f"domaind ended with {status}:\n{self.log()}"

    def kill(self):
        self.process.kill()
        self.process.wait()
        self.process = None
        self.had_the_name = True

    def machines(self):
        """{name: pid} of every QEMU of this root that still runs, from what the daemon wrote down."""
        found = {}
        for status in self.root.glob("run/domaind/machines/*/status.json"):
            with contextlib.suppress(OSError, ValueError):
                machine = json.loads(status.read_text())
                process = pathlib.Path("/proc") / str(machine["pid"])
                fields = (process / "stat").read_text().rpartition(")")[2].split()
                if fields[0] != "Z" and int(fields[19]) == machine["start-time"]:
                    found[machine["name"]] = machine["pid"]
        return found

    def processes(self):
        """The pids of every QEMU of this root, whether the daemon knows of it or not."""
        found = set()
        for process in pathlib.Path("/proc").glob("[0-9]*"):
            with contextlib.suppress(OSError):
                if "qemu" in os.readlink(process / "exe") and os.fsencode(self.root) in (process / "environ").read_bytes():
                    found.add(int(process.name))
        return found

    def remove_control_groups(self):
        """Those of machines that no daemon has seen the end of."""
        for machine in self.root.glob("run/domaind/machines/*"):
            for group in pathlib.Path("/sys/fs/cgroup").glob(f"**/domaind/{machine.name}"):
                for directory in [*(part for part in group.iterdir() if part.is_dir()), group]:
                    with contextlib.suppress(OSError):
                        directory.rmdir()

    def clean_up(self):
        try:
            if self.process is not None:
                self.stop()
        finally:
            if self.process is not None:
                self.kill()
            for pid in self.processes():
                with contextlib.suppress(ProcessLookupError):
                    kill_and_wait(pid)
            self.remove_control_groups()
            shutil.rmtree(self.root, ignore_errors=True)

    def threads(self):
        """The names of the daemon's threads."""
        tasks = pathlib.Path(f"/proc/{self.process.pid}/task")
        return [(task / "comm").read_text().strip() for task in tasks.iterdir() if task.exists()]

    # Calls. Arguments in GVariant's text types: call(ROOT, CONNECT, "ListDomains", "(u)", 0).

    def call(self, path, interface, method, signature="()", *arguments, connection=None):
        answer = (connection or self.bus.connection).call_sync(
            "org.libvirt", path, interface, method, GLib.Variant(signature, arguments), None, 0, PATIENCE * 1000, None)
        values = answer.unpack()
        return values[0] if len(values) == 1 else values or None

    def begin(self, path, interface, method, signature="()", *arguments, connection=None):
        """The same without waiting: a list that will hold the answer or the error."""
        result = []

        def done(source, task):
            try:
                result.append(source.call_finish(task))
            except GLib.Error as error:
                result.append(error)

        (connection or self.bus.connection).call("org.libvirt", path, interface, method,
                                                 GLib.Variant(signature, arguments), None, 0, PATIENCE * 1000, None, done)
        return result

    def error(self, *call, **options):
        """(D-Bus error name, text) of a call that must fail."""
        with pytest.raises(GLib.Error) as caught:
            self.call(*call, **options)
        return Gio.DBusError.get_remote_error(caught.value), caught.value.message.split(": ", 1)[1]

    def get(self, path, interface, name):
        return self.call(path, PROPERTIES, "Get", "(ss)", interface, name)

    def define(self, xml):
        return self.call(ROOT, CONNECT, "DomainDefineXML", "(s)", xml)

    def create(self, xml, flags=0):
        return self.call(ROOT, CONNECT, "DomainCreateXML", "(su)", xml, flags)

    @contextlib.contextmanager
    def signals(self, interface=None, path=None):
        """The signals of the daemon since, as a growing list of (path, interface.member, arguments)."""
        seen = []

        def handler(_connection, _sender, object_path, signal_interface, member, arguments):
            seen.append((object_path, f"{signal_interface}.{member}", arguments.unpack()))

        number = self.bus.connection.signal_subscribe("org.libvirt", interface, None, path, None, 0, handler)
        # The bus answers in order: from here on it knows of the subscription, whatever causes the next signal.
        self.bus.connection.call_sync("org.freedesktop.DBus", "/org/freedesktop/DBus", "org.freedesktop.DBus", "GetId", None,
                                      None, Gio.DBusCallFlags.NONE, -1, None)
        try:
            yield seen
        finally:
            self.bus.connection.signal_unsubscribe(number)


@pytest.fixture
def bus(tmp_path_factory):
    private = Bus(tmp_path_factory.mktemp("bus"))
    yield private
    private.stop()


@pytest.fixture
def root():
    """A directory with a short name: sockets below it have paths of at most 107 bytes."""
    place = pathlib.Path(tempfile.mkdtemp(prefix="d"))
    yield place
    shutil.rmtree(place, ignore_errors=True)


def initrd_with(directory, script):
    """The example guest's initial ramdisk with @script, a shell's, run before the guest is ready: a file in @directory."""
    guest, root = BUILD / "guest", directory / "root"
    subprocess.run([TOP / "examples/guest/make", guest], check=True)
    (root / "etc" / "rc").mkdir(parents=True)
    (root / "etc" / "rc" / "script").write_text(script)
    (root / "etc" / "rc" / "script").chmod(0o755)
    more = subprocess.run("find . | cpio -o -H newc --quiet | gzip -1", shell=True, cwd=root, check=True,
                          stdout=subprocess.PIPE).stdout
    file = directory / "initrd.img"
    file.write_bytes((guest / "initrd.img").read_bytes() + more)
    return file


@pytest.fixture
def system_daemon(bus):
    """A system daemon, whose machines have accounts of their own: below a directory that each of them can reach."""
    place = pathlib.Path(tempfile.mkdtemp(prefix="s", dir="/var/tmp"))
    place.chmod(0o755)
    it = Daemon(place / "root", bus)
    it.mode = "--system"
    it.root.mkdir()
    try:
        yield it.start()
    finally:
        it.clean_up()
        shutil.rmtree(place, ignore_errors=True)


@pytest.fixture
def daemon(root, bus):
    it = Daemon(root, bus)
    try:
        it.start()
        yield it
    finally:
        it.clean_up()


@pytest.fixture
def routed():
    """A way out of the namespace, which passt looks for."""
    def ip(*words):
        return subprocess.run(["ip", *words], capture_output=True, text=True, check=False)

    if shutil.which("passt") is None:
        pytest.skip("passt is not installed")
    if ip("link", "add", "dpw0", "type", "veth", "peer", "name", "dpw1").returncode != 0:
        pytest.skip("no pair of links can be made here")
    for name in ("dpw0", "dpw1"):
        ip("link", "set", name, "up")
    ip("address", "add", "10.55.0.1/24", "dev", "dpw0")
    ip("route", "add", "default", "via", "10.55.0.2", "dev", "dpw0")
    yield "dpw0"
    ip("link", "delete", "dpw0")
