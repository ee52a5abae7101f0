# SPDX-License-Identifier: LGPL-2.1-or-later
"""Descriptors that go with calls and answers, on either wire: consoles held and taken over, displays, files for QEMU's
monitor, pictures of every screen."""

import json
import os
import socket

import libvirt
import libvirt_qemu
import pytest
from gi.repository import Gio, GLib

from conftest import CONNECT, DOMAIN, PATIENCE, ROOT, domain_path, domain_xml, wait_for

OURS = "org.domaind1.Domain"
VNC = "<graphics type='vnc' autoport='yes' passwd='secret'/><video><model type='vga'/></video>"
TALKING = domain_xml("web", devices="<serial type='pty'/>").replace("</os>", "<bios useserial='yes'/></os>")


@pytest.fixture
def connection(daemon):
    libvirt.registerErrorHandler(lambda context, error: None, None)
    it = libvirt.open(f"qemu:///session?socket={daemon.root}/run/domaind/libvirt-sock")
    yield it
    it.close()


def call(daemon, path, interface, method, arguments, files=()):
    """(answer, descriptors) of a call on D-Bus that may carry some."""
    sent = Gio.UnixFDList.new()
    for file in files:
        sent.append(file)
    answer, received = daemon.bus.connection.call_with_unix_fd_list_sync(
        "org.libvirt", path, interface, method, arguments, None, 0, PATIENCE * 1000, sent, None)
    return answer.unpack(), received.steal_fds() if received is not None else []


def refusal(*arguments, **options):
    with pytest.raises(GLib.Error) as caught:
        call(*arguments, **options)
    return caught.value.message


def open_console(daemon, domain, flags=0):
    _, files = call(daemon, domain_path(domain.UUIDString()), OURS, "OpenConsole", GLib.Variant("(su)", ("", flags)))
    assert len(files) == 1
    return files[0]


def stream_of(connection, domain, flags=0):
    stream = connection.newStream(libvirt.VIR_STREAM_NONBLOCK)
    domain.openConsole(None, stream, flags)
    return stream


def test_a_stream_is_cut_off_by_force_on_the_bus(daemon, connection):
    domain = connection.createXML(TALKING, libvirt.VIR_DOMAIN_START_PAUSED)
    held = stream_of(connection, domain)
    path = domain_path(domain.UUIDString())
    assert "Active console session exists for this domain" in refusal(daemon, path, OURS, "OpenConsole",
                                                                      GLib.Variant("(su)", ("", 0)))
    console = open_console(daemon, domain, libvirt.VIR_DOMAIN_CONSOLE_FORCE)

    def cut_off():
        domain.isActive()  # a call makes the client read its socket
        try:
            return held.recv(16) != -2
        except libvirt.libvirtError as error:
            return "another client has taken this console over" in str(error)

    wait_for(cut_off, "the end of the first client's stream")
    domain.resume()
    heard = b""

    def firmware():
        nonlocal heard
        try:
            heard += os.read(console, 4096)
        except BlockingIOError:
            pass
        return b"SeaBIOS" in heard

    wait_for(firmware, "the firmware's words")
    os.close(console)
    domain.destroy()


def test_a_descriptor_on_the_bus_holds_the_console_as_long_as_it_is_open(daemon, connection):
    domain = connection.createXML(TALKING, libvirt.VIR_DOMAIN_START_PAUSED)
    console = open_console(daemon, domain)
    with pytest.raises(libvirt.libvirtError, match="Active console session exists for this domain"):
        stream_of(connection, domain)
    stream_of(connection, domain, libvirt.VIR_DOMAIN_CONSOLE_FORCE).abort()
    os.close(console)

    def is_free():
        try:
            stream_of(connection, domain).abort()
        except libvirt.libvirtError:
            return False
        return True

    wait_for(is_free, "the console")
    domain.destroy()


def test_a_display_on_the_bus(daemon, connection):
    domain = connection.createXML(domain_xml("web", devices=VNC))
    path = domain_path(domain.UUIDString())
    _, files = call(daemon, path, DOMAIN, "OpenGraphicsFD",
                    GLib.Variant("(uu)", (0, libvirt.VIR_DOMAIN_OPEN_GRAPHICS_SKIPAUTH)))
    with socket.socket(fileno=files[0]) as display:
        assert display.recv(12) == b"RFB 003.008\n"
        display.sendall(b"RFB 003.008\n")
        assert display.recv(2) == b"\x01\x01"  # one way to authenticate: none, for it was let off
    assert "No graphics backend with index 7" in refusal(daemon, path, DOMAIN, "OpenGraphicsFD", GLib.Variant("(uu)", (7, 0)))
    domain.destroy()


@pytest.mark.parametrize("name", [None, "org.qemu.guest_agent.0", "channel0"])
def test_the_agents_channel_stays_the_daemons(connection, name):
    """Whoever had it, QEMU would let nobody else ask the agent."""
    domain = connection.createXML(domain_xml("web", devices="<channel type='unix'><target type='virtio' "
                                                            "name='org.qemu.guest_agent.0'/></channel>"), 0)
    for flags in (0, libvirt.VIR_DOMAIN_CHANNEL_FORCE):
        with pytest.raises(libvirt.libvirtError, match="talk with the guest agent") as caught:
            domain.openChannel(name, connection.newStream(), flags)
        assert caught.value.get_error_code() == libvirt.VIR_ERR_OPERATION_FAILED


def test_descriptors_at_a_start_are_refused_as_libvirt_refuses_them(daemon, connection):
    """Only a container's first process could take them."""
    xml = domain_xml("web")
    domain = connection.defineXML(xml)
    with open("/dev/null", "rb") as file:
        one = GLib.Variant("(ahu)", ([0], 0))
        assert "not supported by the connection driver: virDomainCreateWithFiles" in refusal(
            daemon, domain_path(domain.UUIDString()), DOMAIN, "CreateWithFiles", one, files=[file.fileno()])
        assert "not supported by the connection driver: virDomainCreateXMLWithFiles" in refusal(
            daemon, ROOT, CONNECT, "DomainCreateXMLWithFiles", GLib.Variant("(sahu)", (xml, [0], 0)), files=[file.fileno()])
        for start in (lambda: domain.createWithFiles([file.fileno()], 0), lambda: connection.createXMLWithFiles(xml, [file.fileno()], 0)):
            with pytest.raises(libvirt.libvirtError) as caught:
                start()
            assert (caught.value.get_error_code(), caught.value.get_error_domain()) == (
                libvirt.VIR_ERR_NO_SUPPORT, libvirt.VIR_FROM_DOMAIN)
    assert domain.isActive() == 0
    call(daemon, domain_path(domain.UUIDString()), DOMAIN, "CreateWithFiles", GLib.Variant("(ahu)", ([], 0)))
    assert domain.isActive() == 1
    domain.destroy()
    domain.undefine()


def test_a_file_for_the_monitor(connection, tmp_path):
    domain = connection.createXML(domain_xml("web", devices=VNC))
    picture = tmp_path / "picture"
    writing = os.open(picture, os.O_WRONLY | os.O_CREAT, 0o600)
    add = json.dumps({"execute": "add-fd", "arguments": {"fdset-id": 7, "opaque": "ours"}})
    answer, _ = libvirt_qemu.qemuMonitorCommandWithFiles(domain, add, [writing], 0)
    assert json.loads(answer)["return"]["fdset-id"] == 7
    os.close(writing)
    sets = json.loads(libvirt_qemu.qemuMonitorCommand(domain, '{"execute":"query-fdsets"}', 0))["return"]
    assert [(each["fdset-id"], [fd["opaque"] for fd in each["fds"]]) for each in sets if each["fdset-id"] == 7] == [(7, ["ours"])]
    answer = libvirt_qemu.qemuMonitorCommand(
        domain, '{"execute":"screendump","arguments":{"filename":"/dev/fdset/7"}}', 0)
    assert json.loads(answer)["return"] == {}
    assert picture.read_bytes().startswith(b"P6")  # QEMU, which could not have opened it, has written to our file
    with open("/dev/null", "rb") as file, pytest.raises(libvirt.libvirtError, match="at most 1 fd"):
        libvirt_qemu.qemuMonitorCommandWithFiles(domain, add, [file.fileno(), file.fileno()], 0)
    assert "tainted" in " ".join(domain.messages(libvirt.VIR_DOMAIN_MESSAGE_TAINTING))
    domain.destroy()


SCREENS = [
    ("<video><model type='vga'/></video>", 1),
    ("<video><model type='virtio' heads='2'/></video>", 2),
    ("<video><model type='vga'/></video><video><model type='virtio' heads='2'/></video>", 3),
]


@pytest.mark.parametrize("video, count", SCREENS, ids=["vga", "virtio", "both"])
def test_a_picture_of_every_screen(connection, video, count):
    domain = connection.createXML(domain_xml("web", devices=f"<graphics type='vnc' autoport='yes'/>{video}"))
    for screen in range(count):
        stream = connection.newStream()
        assert domain.screenshot(stream, screen) == "image/png"
        picture = b""
        while piece := stream.recv(65536):
            picture += piece
        stream.finish()
        assert picture.startswith(b"\x89PNG\r\n") and picture.endswith(b"IEND\xaeB`\x82")
    with pytest.raises(libvirt.libvirtError, match="no such screen ID"):
        domain.screenshot(connection.newStream(), count)
    domain.destroy()
