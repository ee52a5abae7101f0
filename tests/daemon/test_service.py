# SPDX-License-Identifier: LGPL-2.1-or-later
"""As a service: readiness is told, and sockets of a service manager are taken."""

import os
import socket
import stat
import subprocess

import libvirt
import pytest

from conftest import BUILD, PATIENCE, Daemon, domain_xml

# What libvirt's Python binding prints on stderr by itself.
libvirt.registerErrorHandler(lambda _context, _error: None, None)


@pytest.fixture
def here(root, bus):
    """A daemon that has not been started."""
    it = Daemon(root, bus)
    yield it
    it.clean_up()


def test_readiness_and_end_are_told(here, monkeypatch):
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(str(here.root / "notify"))
        manager.settimeout(PATIENCE)
        monkeypatch.setenv("NOTIFY_SOCKET", str(here.root / "notify"))
        here.start(ready=lambda: manager.recv(100) == b"READY=1")
        here.stop()
        assert manager.recv(100) == b"STOPPING=1"


@pytest.fixture
def activated(root, bus):
    """The paths of two sockets that systemd's own tool listens on, and gives to a daemon that it then becomes."""
    sockets = [root / "served", root / "served-ro"]
    log = root / "daemon.log"
    with open(log, "w", encoding="utf-8") as stderr:
        process = subprocess.Popen(
            ["systemd-socket-activate", f"--listen={sockets[0]}", f"--listen={sockets[1]}",
             "--setenv=DBUS_SESSION_BUS_ADDRESS", "--setenv=ASAN_OPTIONS", "--setenv=UBSAN_OPTIONS",
             BUILD / "daemon/domaind", "--session", "--root", root],
            env=dict(os.environ, DBUS_SESSION_BUS_ADDRESS=bus.address), stderr=stderr)
    here = Daemon(root, bus)
    here.process = process
    while "as 4" not in log.read_text():
        assert process.poll() is None, log.read_text()
    yield sockets
    here.clean_up()


def test_first_client_starts_the_daemon(activated):
    connection = libvirt.open(f"qemu:///session?socket={activated[0]}")
    assert connection.listAllDomains() == []
    connection.defineXML(domain_xml("defined"))
    assert [domain.name() for domain in connection.listAllDomains()] == ["defined"]
    connection.close()


def test_a_socket_whose_name_says_so_only_reads(activated):
    connection = libvirt.open(f"qemu:///session?socket={activated[1]}")
    with pytest.raises(libvirt.libvirtError, match="read only access"):
        connection.defineXML(domain_xml("refused"))
    connection.close()


def test_the_managers_sockets_stay_and_libvirts_places_are_served(activated):
    connection = libvirt.open(f"qemu:///session?socket={activated[0]}")
    beside = activated[0].parent / "run" / "libvirt" / "virtqemud-sock"
    other = libvirt.open(f"qemu:///session?socket={beside}")
    assert other.getHostname() == connection.getHostname()
    other.close()
    connection.close()
    assert stat.S_ISSOCK(activated[0].stat().st_mode)
