# SPDX-License-Identifier: LGPL-2.1-or-later
"""Somebody comes to a machine's display, by VNC: what clients of either daemon, and of D-Bus, are told of it."""

import contextlib
import re
import socket
import threading
import time

import libvirt
import pytest

PATIENCE = 30  # seconds: what never comes fails

DOCUMENT = """<domain type='qemu'>
  <name>shown</name>
  <uuid>5a1f8c5e-2a39-44a5-9c55-5d1a51f3f0aa</uuid>
  <memory unit='MiB'>32</memory>
  <os><type arch='x86_64' machine='pc'>hvm</type></os>
  <devices>
    <graphics type='vnc' autoport='yes' listen='{listen}'/>
    <video><model type='vga'/></video>
    <memballoon model='none'/>
  </devices>
</domain>
"""


@pytest.fixture(scope="module", autouse=True)
def event_loop():
    """The library's own loop, in a thread, for the life of the process: it cannot be taken back."""
    libvirt.registerErrorHandler(lambda context, error: None, None)
    libvirt.virEventRegisterDefaultImpl()

    def run():
        while True:
            libvirt.virEventRunDefaultImpl()

    threading.Thread(target=run, daemon=True).start()


def exactly(client, count):
    data = b""
    while len(data) < count:
        piece = client.recv(count - len(data))
        assert piece, data
        data += piece
    return data


def visit(port, listen):
    """A visit, up to the first picture; the visitor's own port."""
    with socket.create_connection((listen, port), PATIENCE) as client:
        assert exactly(client, 12) == b"RFB 003.008\n"
        client.sendall(b"RFB 003.008\n")
        assert exactly(client, 2) == b"\x01\x01"  # one way to authenticate: none
        client.sendall(b"\x01")
        assert exactly(client, 4) == bytes(4)
        client.sendall(b"\x01")  # others may look on
        exactly(client, 24)  # size and colours of the screen
        return client.getsockname()[1]


def told_of_visit(uri, listen):
    """[(phase, local, remote, authentication, subject)] of one visit, with the ports by whose they are."""
    connection = libvirt.open(uri)
    seen = []
    domain = connection.createXML(DOCUMENT.format(listen=listen), 0)
    try:
        number = connection.domainEventRegisterAny(
            domain, libvirt.VIR_DOMAIN_EVENT_ID_GRAPHICS, lambda _connection, _domain, *event: seen.append(event[:-1]), None)
        port = int(re.search(r"type='vnc' port='(\d+)'", domain.XMLDesc())[1])
        ports = {str(visit(port, listen)): "the visitor's", str(port): "the display's"}
        deadline = time.monotonic() + PATIENCE
        while len(seen) < 3 and time.monotonic() < deadline:
            time.sleep(0.01)
        connection.domainEventDeregisterAny(number)
    finally:
        domain.destroy()
        connection.close()

    def plain(address):
        return dict(address, service=ports.get(address["service"], address["service"]))

    return [(phase, plain(local), plain(remote), authentication, subject)
            for phase, local, remote, authentication, subject in seen]


@pytest.mark.parametrize("listen", ["127.0.0.1", "::1"])
def test_a_visit(uris, listen, daemon):
    if listen == "::1":
        with contextlib.closing(socket.socket(socket.AF_INET6)) as probe:
            try:
                probe.bind(("::1", 0))
            except OSError:
                pytest.skip("the host has no IPv6")
    with daemon.signals("org.libvirt.Domain") as signals:
        ours, theirs = (told_of_visit(uri, listen) for uri in uris)
        daemon.call("/org/libvirt/QEMU", "org.libvirt.Connect", "ListDomains", "(u)", 0)  # signals came before this answer
    assert ours == theirs
    assert [event[0] for event in ours] == [libvirt.VIR_DOMAIN_EVENT_GRAPHICS_CONNECT,
                                            libvirt.VIR_DOMAIN_EVENT_GRAPHICS_INITIALIZE,
                                            libvirt.VIR_DOMAIN_EVENT_GRAPHICS_DISCONNECT]
    on_the_bus = [arguments for _, member, arguments in signals if member == "org.libvirt.Domain.Graphics"]
    assert [(phase, local[0], local[1], remote[0], remote[1], authentication, identities)
            for phase, local, remote, authentication, identities in on_the_bus] == [
                (phase, local["family"], local["node"], remote["family"], remote["node"], authentication, subject)
                for phase, local, remote, authentication, subject in ours]
