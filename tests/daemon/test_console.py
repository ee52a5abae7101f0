# SPDX-License-Identifier: LGPL-2.1-or-later
"""Consoles over RPC: a stream, as virsh and virt-manager use it. The firmware talks on the serial line."""

import socket
import stat
import xml.etree.ElementTree as ElementTree

import libvirt
import pytest

from conftest import domain_xml, wait_for

TALKING = "<bios useserial='yes'/>"


def talking_xml(name):
    xml = domain_xml(name, devices="<serial type='pty'/>")
    return xml.replace("</os>", f"{TALKING}</os>")


@pytest.fixture
def connection(daemon):
    it = libvirt.open(f"qemu:///session?socket={daemon.root}/run/domaind/libvirt-sock")
    yield it
    it.close()


def test_the_firmware_is_heard(daemon, connection):
    domain = connection.createXML(talking_xml("web"), libvirt.VIR_DOMAIN_START_PAUSED)
    stream = connection.newStream(libvirt.VIR_STREAM_NONBLOCK)
    domain.openConsole(None, stream, 0)
    domain.resume()
    got = b""

    def more():
        nonlocal got
        domain.isActive()  # a call makes the client read its socket
        piece = stream.recv(4096)
        if piece != -2:
            got += piece
        return b"SeaBIOS" in got

    wait_for(more, "SeaBIOS on the console")
    with pytest.raises(libvirt.libvirtError, match="Active console session exists"):
        domain.openConsole(None, connection.newStream(), 0)
    stream.abort()
    for name in "serial0", "console0":
        again = connection.newStream()
        domain.openConsole(name, again, 0)
        again.finish()
    domain.destroy()


def test_the_end_of_the_machine_is_the_end_of_the_stream(daemon, connection):
    domain = connection.createXML(talking_xml("web"))
    stream = connection.newStream()
    domain.openConsole(None, stream, 0)
    domain.destroy()
    while stream.recv(4096):
        pass
    stream.finish()


@pytest.mark.parametrize("append,kept", [("on", b"before\n"), ("off", b"")])
def test_the_log_is_opened_by_the_daemon(daemon, connection, append, kept):
    """In a directory of root's own, which no emulator's account can enter."""
    directory = daemon.root / "private"
    directory.mkdir(0o700)
    log = directory / "console.log"
    log.write_bytes(b"before\n")
    xml = talking_xml("web").replace("<serial type='pty'/>",
                                     f"<serial type='pty'><log file='{log}' append='{append}'/></serial>")
    domain = connection.createXML(xml)
    wait_for(lambda: b"SeaBIOS" in log.read_bytes(), "SeaBIOS in the log")
    assert log.read_bytes().startswith(kept) and (b"before" in log.read_bytes()) == bool(kept)
    domain.destroy()


@pytest.mark.parametrize("device, opening", [
    ("<channel type='unix'><target type='virtio' name='org.test.0'/></channel>", "openChannel"),
    ("<serial type='unix'><source mode='bind' path='{root}/run/serial.sock'/></serial>", "openConsole"),
])
def test_a_socket_is_opened_again_at_once(daemon, connection, device, opening):
    """QEMU takes one client after the other, and its queue is short: who comes when it is full waits for a place."""
    domain = connection.createXML(domain_xml("web", devices=device.format(root=daemon.root)))
    for _ in range(8):
        stream = connection.newStream()
        getattr(domain, opening)(None, stream, 0)
        stream.abort()
    domain.destroy()


def test_only_the_first_console_shows_its_terminal_as_an_attribute(connection):
    virtio = "<console type='pty'><target type='virtio'/></console>"
    domain = connection.createXML(domain_xml("web", devices=f"<serial type='pty'/>{virtio}"))
    consoles = ElementTree.fromstring(domain.XMLDesc()).findall("devices/console")
    paths = [console.find("source").get("path") for console in consoles]
    assert [console.get("tty") for console in consoles] == [paths[0], None]
    domain.destroy()


@pytest.fixture
def private(daemon):
    """A directory that no emulator's account can enter."""
    directory = daemon.root / "private"
    directory.mkdir(0o700)
    return directory


def test_a_socket_of_the_document_is_made_by_the_daemon(daemon, connection, private):
    path = private / "serial.sock"
    domain = connection.createXML(talking_xml("web").replace(
        "<serial type='pty'/>", f"<serial type='unix'><source mode='bind' path='{path}'/></serial>"), libvirt.VIR_DOMAIN_START_PAUSED)
    with socket.socket(socket.AF_UNIX) as client:
        client.connect(str(path))
        domain.resume()
        heard = b""
        while b"SeaBIOS" not in heard:
            heard += client.recv(4096)
    daemon.stop()
    daemon.start()
    again = libvirt.open(connection.getURI())
    stream = again.newStream()
    again.lookupByName("web").openConsole("serial0", stream, 0)
    stream.abort()
    again.lookupByName("web").destroy()
    wait_for(lambda: not path.exists(), "the end of the socket")
    again.close()


def test_a_socket_is_plugged_in_and_out(daemon, connection, private):
    channel = f"<channel type='unix'><source mode='bind' path='{private}/channel.sock'/><target type='virtio' name='a'/></channel>"
    domain = connection.createXML(domain_xml("web", devices="<controller type='virtio-serial'/>"))
    domain.attachDevice(channel)
    assert stat.S_ISSOCK((private / "channel.sock").stat().st_mode)
    domain.detachDevice(channel)
    wait_for(lambda: not (private / "channel.sock").exists(), "the end of the socket")
    domain.destroy()


@pytest.mark.parametrize("name, says", [("kept", "Unable to bind to UNIX socket path '.*/kept': Address already in use"),
                                        ("none/x", "Unable to bind to UNIX socket path '.*/none/x': No such file or directory"),
                                        ("x" * 120, "UNIX socket path '.*' too long")])
def test_a_socket_that_cannot_be_made(daemon, connection, private, name, says):
    (private / "kept").write_text("a file of somebody's")
    with pytest.raises(libvirt.libvirtError, match=says):
        connection.createXML(domain_xml("web", devices=f"<serial type='unix'><source mode='bind' path='{private}/{name}'/></serial>"))
    assert (private / "kept").read_text() == "a file of somebody's"
