# SPDX-License-Identifier: LGPL-2.1-or-later
"""What one user's connections to the bus may take of the daemon, and that it leaves the others theirs."""

import os
import pwd
import subprocess

import pytest

from conftest import CONNECT, DOMAIN, ROOT, Bus, domain_xml, wait_for
from host import SystemDaemon

NOBODY = pwd.getpwnam("nobody").pw_uid
PLACES = 60  # of all users; one without rights has a quarter
LIMITED = "org.freedesktop.DBus.Error.LimitsExceeded"

# It probes as QEMU, and is silent as a machine: who calls its domain waits.
SILENT = """#!/bin/sh
case "$*" in *"guest="*) exec sleep 1000 ;; esac
exec /usr/bin/qemu-system-x86_64 "$@"
"""

# Another user: so many connections, each with a call, or five of so many bytes; what the first answers say.
OTHER = """
import sys
from gi.repository import Gio, GLib
address, path, count, size = sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4])
flags = Gio.DBusConnectionFlags.AUTHENTICATION_CLIENT | Gio.DBusConnectionFlags.MESSAGE_BUS_CONNECTION
def answered(source, result):
    try:
        source.call_finish(result)
        print("served", flush=True)
    except GLib.Error as error:
        print(Gio.DBusError.get_remote_error(error), flush=True)
connections = [Gio.DBusConnection.new_for_address_sync(address, flags, None, None) for _ in range(count)]
for connection in connections * (5 if size else 1):
    member, arguments = ("Create", GLib.Variant("(u)", (0,))) if size == 0 else (
        "SetMetadata", GLib.Variant("(isssu)", (0, "x" * size, "", "", 0)))
    connection.call("org.libvirt", path, "org.libvirt.Domain", member, arguments, None, 0, -1, None, answered)
GLib.MainLoop().run()
"""


@pytest.fixture
def bus(root):
    if os.geteuid() != 0:
        pytest.skip("being another user takes root")
    root.chmod(0o711)
    it = Bus(root)
    yield it
    it.stop()


@pytest.fixture
def system(root, bus):
    (root / "etc" / "domaind").mkdir(parents=True)
    (root / "etc" / "domaind" / "domaind.conf").write_text(f"[clients]\nmax-clients = {PLACES}\n")
    it = SystemDaemon(root, bus)
    try:
        it.start()
        yield it
    finally:
        it.clean_up()


@pytest.fixture
def waiting(system):
    """The path of a domain whose start does not come to an end."""
    emulator = system.root / "emulator"
    emulator.write_text(SILENT)
    emulator.chmod(0o755)
    path = system.define(domain_xml("slow", devices=f"<emulator>{emulator}</emulator>"))
    start = system.begin(path, DOMAIN, "Create", "(u)", 0)
    wait_for(lambda: list((system.root / "run/domaind/machines").glob("*/status.json")), "the process")
    yield path
    system.call(path, DOMAIN, "Destroy", "(u)", 0)
    wait_for(lambda: start, "the end of the start")


def as_nobody(system, path, count, size=0):
    return subprocess.Popen(["setpriv", f"--reuid={NOBODY}", "--clear-groups", "/usr/bin/python3", "-c", OTHER,
                             system.bus.address, path, str(count), str(size)], stdout=subprocess.PIPE, text=True, cwd="/")


def test_a_user_has_a_share_of_the_places(system, waiting):
    other = as_nobody(system, waiting, PLACES // 4 + 3)
    try:
        assert [other.stdout.readline().strip() for _ in range(3)] == [LIMITED] * 3
        another = as_nobody(system, waiting, 1)
        assert another.stdout.readline().strip() == LIMITED
        another.kill()
        another.wait()
        assert waiting in system.call(ROOT, CONNECT, "ListDomains", "(u)", 0)
    finally:
        other.kill()
        other.wait()


def test_the_calls_of_a_user_have_a_share_of_memory(system, waiting):
    other = as_nobody(system, waiting, 12, 3 << 20)  # 180 MiB in all; 128 are its share
    try:
        assert other.stdout.readline().strip() == LIMITED
        assert waiting in system.call(ROOT, CONNECT, "ListDomains", "(u)", 0)
    finally:
        other.kill()
        other.wait()
