# SPDX-License-Identifier: LGPL-2.1-or-later
"""What passes beside calls: consoles, channels, displays and pictures, the emulator's own monitor and the guest's agent,
by unmodified virsh and libvirt's Python module. The agent is a script on the channel's guest side."""

import json
import os
import select
import socket

import libvirt
import libvirt_qemu
import pytest

from conftest import domain_xml, wait_for
from host import host, needs, read_until  # noqa: F401

VIRSH = "/usr/bin/virsh"
pytestmark = needs(VIRSH, "libvirt-clients")

VNC = "<graphics type='vnc' autoport='yes' passwd='secret'/><video><model type='vga'/></video>"


def talking_xml(name):
    """A machine whose firmware speaks on the serial line."""
    xml = domain_xml(name, devices="<serial type='pty'/>")
    return xml.replace("</os>", "<bios useserial='yes'/></os>")


@pytest.fixture
def connection(host):
    it = libvirt.open(f"qemu:///system?socket={host.daemon.root}/run/domaind/libvirt-sock")
    yield it
    it.close()


def receive(connection, stream, until):
    """What comes from a stream that does not block, up to and with @until."""
    got = b""

    def more():
        nonlocal got
        connection.getLibVersion()  # a call makes the client read its socket
        piece = stream.recv(65536)
        if piece != -2:
            got += piece
        return until in got

    wait_for(more, until.decode(errors="replace"))
    return got


def test_virsh_shows_the_console(host, connection):
    domain = connection.createXML(talking_xml("web"), libvirt.VIR_DOMAIN_START_PAUSED)
    terminal, program = os.openpty()
    with host.start("virsh", "console", "web", stdin=program, stdout=program, stderr=program) as virsh:
        os.close(program)
        assert b"Connected to domain 'web'" in read_until(terminal, b"Escape character is")
        domain.resume()
        assert b"SeaBIOS" in read_until(terminal, b"SeaBIOS")
        os.write(terminal, b"\x1d")
        assert virsh.wait(60) == 0
    os.close(terminal)
    domain.destroy()


def test_a_console_is_one_clients_until_another_takes_it_by_force(host, connection):
    domain = connection.createXML(talking_xml("web"), libvirt.VIR_DOMAIN_START_PAUSED)
    first = connection.newStream(libvirt.VIR_STREAM_NONBLOCK)
    domain.openConsole(None, first, libvirt.VIR_DOMAIN_CONSOLE_SAFE)
    host.typed("virsh", "console", "web", until="Active console session exists for this domain")
    second = connection.newStream(libvirt.VIR_STREAM_NONBLOCK)
    domain.openConsole(None, second, libvirt.VIR_DOMAIN_CONSOLE_FORCE)
    with pytest.raises(libvirt.libvirtError, match="another client has taken this console over"):
        receive(connection, first, b"anything")
    domain.resume()
    assert b"SeaBIOS" in receive(connection, second, b"SeaBIOS")
    second.abort()
    domain.destroy()


def test_a_display_takes_a_clients_socket_and_gives_one(connection):
    domain = connection.createXML(domain_xml("web", devices=VNC))
    ours, theirs = socket.socketpair()
    domain.openGraphics(0, theirs.fileno(), 0)
    theirs.close()
    assert read_until(ours.fileno(), b"\n") == b"RFB 003.008\n"
    with socket.socket(fileno=domain.openGraphicsFD(0, libvirt.VIR_DOMAIN_OPEN_GRAPHICS_SKIPAUTH)) as given:
        assert read_until(given.fileno(), b"\n") == b"RFB 003.008\n"
        given.sendall(b"RFB 003.008\n")
        assert given.recv(2) == b"\x01\x01"  # one way to authenticate: none
    with pytest.raises(libvirt.libvirtError, match="No graphics backend with index 7"):
        domain.openGraphicsFD(7)
    with open("/dev/null", "rb") as no_socket, pytest.raises(libvirt.libvirtError, match="must be a socket"):
        domain.openGraphics(0, no_socket.fileno())
    ours.close()
    domain.destroy()


def test_a_screenshot_is_a_picture(host, connection):
    domain = connection.createXML(domain_xml("web", devices=VNC))
    picture = host.images / "screen"
    host.virsh("screenshot", "web", picture)
    assert picture.read_bytes().startswith(b"\x89PNG\r\n")
    assert picture.read_bytes().endswith(b"IEND\xaeB`\x82")
    with pytest.raises(libvirt.libvirtError, match="no such screen"):
        domain.screenshot(connection.newStream(), 1)
    domain.destroy()


def test_what_is_not_there_is_not_found(connection):
    lookups = [
        (connection.networkLookupByName, libvirt.VIR_ERR_NO_NETWORK),
        (connection.nodeDeviceLookupByName, libvirt.VIR_ERR_NO_NODE_DEVICE),
        (connection.interfaceLookupByName, libvirt.VIR_ERR_NO_INTERFACE),
        (connection.nwfilterLookupByName, libvirt.VIR_ERR_NO_NWFILTER),
        (connection.nwfilterBindingLookupByPortDev, libvirt.VIR_ERR_NO_NWFILTER_BINDING),
        (lambda name: connection.secretLookupByUsage(1, name), libvirt.VIR_ERR_NO_SECRET),
    ]
    for look_up, code in lookups:
        with pytest.raises(libvirt.libvirtError, match="nothing") as caught:
            look_up("nothing")
        assert caught.value.get_error_code() == code
    for listing in ("Networks", "DefinedNetworks", "DefinedInterfaces", "Secrets"):
        assert getattr(connection, f"list{listing}")() == []
    for listing in ("Networks", "Devices", "NWFilterBindings", "Secrets"):
        assert getattr(connection, f"listAll{listing}")() == []


def test_the_monitor_answers_people_and_programs(host, connection):
    domain = connection.createXML(domain_xml("web"))
    assert host.virsh("qemu-monitor-command", "web", "--hmp", "info status").startswith("VM status: running")
    answer = json.loads(host.virsh("qemu-monitor-command", "web", '{"execute":"query-status","id":"mine"}'))
    assert answer["return"]["status"] == "running" and answer["id"] == "mine"
    answer = json.loads(host.virsh("qemu-monitor-command", "web", '{"execute":"no-such-command"}'))
    assert answer["error"]["class"] == "CommandNotFound" and answer["id"].startswith("libvirt-")
    for nonsense in ("info status", "[1]", "[" * 1000):
        with pytest.raises(libvirt.libvirtError, match="one JSON object"):
            libvirt_qemu.qemuMonitorCommand(domain, nonsense, 0)
    assert "tainted: custom monitor control commands issued" in host.virsh("dominfo", "web")
    assert "is tainted: custom-monitor" in host.daemon.log()
    domain.destroy()


@pytest.mark.parametrize("filters", [["--event", "STOP"], ["--event", "^st.p$", "--regex", "--no-case"],
                                     ["--event", "stop", "--no-case"], []])
def test_the_monitors_own_events(host, connection, filters):
    domain = connection.createXML(domain_xml("web"))
    terminal, program = os.openpty()
    with host.start("virsh", "qemu-monitor-event", "--domain", "web", *filters, stdout=program) as listener:
        os.close(program)
        seen = b""

        def came():  # whether it is registered by now is nothing that virsh says
            nonlocal seen
            domain.suspend()
            domain.resume()
            if select.select([terminal], [], [], 0.05)[0]:
                seen += os.read(terminal, 65536)
            return seen.endswith(b"\n")

        wait_for(came, "STOP")
        listener.wait(60)
        seen += read_until(terminal, b"events received: 1")
    os.close(terminal)
    assert (b"event STOP at" in seen or not filters) and b"for domain 'web'" in seen and b"events received: 1" in seen
    domain.destroy()


def test_an_expression_that_is_none_is_refused(host, connection):
    domain = connection.createXML(domain_xml("web"))
    assert "failed to compile regex" in host.virsh("qemu-monitor-event", "--event", "(", "--regex", status=1)
    domain.destroy()


AGENT = """<controller type='virtio-serial'/>
<channel type='unix'><target type='virtio' name='org.qemu.guest_agent.0'/></channel>"""


def test_no_agent_is_said_in_libvirts_words(host, connection):
    without = connection.createXML(domain_xml("without"))
    domain = connection.createXML(domain_xml("web", devices=AGENT))
    asks = [
        ("domtime", "{}"), ("domfsinfo", "{}"), ("domfsfreeze", "{}"), ("domfsthaw", "{}"), ("domfstrim", "{}"),
        ("domhostname", "{}"), ("guestinfo", "{}"), ("guestvcpus", "{}"), ("set-user-password", "{}", "root", "x"),
        ("domifaddr", "{}", "--source", "agent"), ("shutdown", "{}", "--mode", "agent"),
        ("reboot", "{}", "--mode", "agent"), ("dompmsuspend", "{}", "mem"),
        ("qemu-agent-command", "{}", '{"execute":"guest-ping"}'),
    ]
    for command, *words in asks:
        assert "QEMU guest agent is not connected" in host.virsh(
            command, *(word.replace("{}", "web", 1) if word == "{}" else word for word in words), status=1), command
        assert "QEMU guest agent is not configured" in host.virsh(
            command, *(word.replace("{}", "without", 1) if word == "{}" else word for word in words), status=1), command
    with pytest.raises(libvirt.libvirtError) as caught:
        domain.getTime()
    assert caught.value.get_error_code() == libvirt.VIR_ERR_AGENT_UNRESPONSIVE
    domain.agentSetResponseTimeout(10)
    with pytest.raises(libvirt.libvirtError, match="less than the minimum"):
        domain.agentSetResponseTimeout(-3)
    domain.destroy()
    without.destroy()
