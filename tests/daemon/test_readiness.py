# SPDX-License-Identifier: LGPL-2.1-or-later
"""Machines that others wait for, and when they count as started. Their firmware talks on the serial line, and the tests
have the ports."""

import contextlib
import re
import socket
import subprocess

import pytest
from gi.repository import GLib

from conftest import BUILD, DOMAIN, PROPERTIES, TOP, domain_path, domain_xml, wait_for
from test_start_order import OWN, boot, left, number

WEB, DB, SPARE = (f"66666666-6666-4666-8666-66666666666{number}" for number in range(3))
POLICY = "<metadata><policy xmlns='https://domaind.org/xmlns/policy/1'>{}</policy></metadata>"
REFUSED = "operation failed: domain 'web' is not started: it requires 'db', which "


def define(daemon, name, uuid, policy, serial="<serial type='pty'/>"):
    """A machine that starts with the host."""
    xml = domain_xml(name, uuid, more=POLICY.format(policy), devices=serial)
    path = daemon.define(xml.replace("</os>", "<bios useserial='yes'/></os>") if serial else xml)
    daemon.bus.connection.call_sync("org.libvirt", path, PROPERTIES, "Set",
                                    GLib.Variant("(ssv)", (DOMAIN, "Autostart", GLib.Variant("b", True))), None, 0, -1, None)


def messages(daemon, uuid):
    return daemon.get(domain_path(uuid), OWN, "Messages")


def words(daemon, uuid):
    end = wait_for(lambda: daemon.call(domain_path(uuid), OWN, "GetLastEnd"), "the record of the start")
    return end["words"]


@contextlib.contextmanager
def listening(number=0):
    with socket.create_server(("127.0.0.1", number)) as server:
        yield server.getsockname()[1]


@pytest.fixture
def port():
    """One at which nobody listens."""
    with listening() as number:
        return number


def on(port):
    return f"<port number='{port}' address='127.0.0.1'/>"


def test_what_the_console_says(daemon):
    define(daemon, "db", DB, "<ready><console>SeaBIOS (version</console><console>Booting from</console></ready>")
    define(daemon, "web", WEB, "<start><requires>db</requires></start>")
    boot(daemon)
    wait_for(lambda: number(daemon, WEB), "the start of the second")
    assert messages(daemon, DB) == []
    assert number(daemon, DB) < number(daemon, WEB)
    assert "<log" not in daemon.call(domain_path(DB), DOMAIN, "GetXMLDesc", "(u)", 0)


def test_a_port_is_waited_for_by_the_next_daemon_too(daemon, port):
    define(daemon, "db", DB, f"<ready><console>SeaBIOS</console>{on(port)}</ready>")
    define(daemon, "web", WEB, "<start><after>db</after></start>")
    boot(daemon)
    waiting = f"not ready yet: port {port} at 127.0.0.1 takes no connection: Could not connect to 127.0.0.1: Connection refused"
    wait_for(lambda: messages(daemon, DB) == [waiting], "what is missing")
    assert left(daemon) == {WEB} and not number(daemon, WEB)
    daemon.kill()
    daemon.start()
    # What its console wrote before is not known any more: it is reset, and writes it again.
    wait_for(lambda: any("SeaBIOS" in text for text in messages(daemon, DB)), "what is missing now")
    daemon.call(domain_path(DB), DOMAIN, "Reset", "(u)", 0)
    wait_for(lambda: messages(daemon, DB) == [waiting], "the console's text")
    assert left(daemon) == {WEB} and not number(daemon, WEB)
    with listening(port):
        wait_for(lambda: number(daemon, WEB), "the start of the second")
    daemon.kill()
    daemon.start()
    assert messages(daemon, DB) == []  # though nobody listens any more


def test_one_that_is_late(daemon):
    log = daemon.root / "console.log"
    log.write_text("later\n")  # another machine's
    define(daemon, "db", DB, "<ready timeout='1'><console>later</console></ready>",
           f"<serial type='pty'><log file='{log}' append='on'/></serial>")
    define(daemon, "web", WEB, "<start><requires>db</requires></start>")
    define(daemon, "spare", SPARE, "<start><after>db</after></start>")
    boot(daemon)
    late = "not ready after 1 seconds: its console has not written 'later'"
    assert words(daemon, WEB) == f"{REFUSED}is {late}"
    wait_for(lambda: number(daemon, SPARE), "the start of what only comes after it")
    assert messages(daemon, DB) == [late]
    assert f"domain 'db' is {late}" in daemon.log()
    with log.open("a") as file:
        file.write("la")
        file.flush()
        file.write("ter\n")
    wait_for(lambda: messages(daemon, DB) == [], "its readiness")
    assert "domain 'db' is ready now, after its policy's time of 1 seconds" in daemon.log()


def test_one_that_goes_on_has_written_it(daemon):
    define(daemon, "db", DB, "<ready><console>what no firmware says</console></ready>")
    daemon.call(domain_path(DB), DOMAIN, "Create", "(u)", 0)
    assert messages(daemon, DB) == ["not ready yet: its console has not written 'what no firmware says'"]
    daemon.call(domain_path(DB), DOMAIN, "ManagedSave", "(u)", 0)
    assert messages(daemon, DB) == []  # it does not run
    daemon.call(domain_path(DB), DOMAIN, "Create", "(u)", 0)
    wait_for(lambda: messages(daemon, DB) == [], "its readiness")


def test_one_that_ends_before(daemon, port):
    define(daemon, "db", DB, f"<ready>{on(port)}</ready>")
    define(daemon, "web", WEB, "<start><requires>db</requires></start>")
    boot(daemon)
    wait_for(lambda: number(daemon, DB), "the first")
    daemon.call(domain_path(DB), DOMAIN, "Destroy", "(u)", 0)
    assert words(daemon, WEB) == f"{REFUSED}does not run"
    assert left(daemon) == set()


def test_a_console_that_cannot_be_read(daemon):
    define(daemon, "db", DB, "<ready timeout='1'><console>ready</console></ready>", "")
    define(daemon, "web", WEB, "<start><requires>db</requires></start>")
    boot(daemon)
    assert words(daemon, WEB) == (
        f"{REFUSED}is not ready after 1 seconds: its console, which cannot be read here, has not written 'ready'")


def test_a_real_guest(daemon, port):
    """Its agent answers, it has an address, and it says so; the address that only the agent tells of has no such port."""
    for command in ([TOP / "examples/guest/make", BUILD / "guest"],
                    [TOP / "tests/agent-guest/make", BUILD / "guest", BUILD / "agent-guest"]):
        subprocess.run(command, check=True)
    kernel = (f"<kernel>{BUILD}/guest/vmlinuz</kernel><initrd>{BUILD}/agent-guest/initrd.img</initrd>"
              "<cmdline>console=ttyS0 quiet</cmdline>")
    devices = """<interface type='user'><model type='virtio'/></interface><serial type='pty'/>
                 <channel type='unix'><target type='virtio' name='org.qemu.guest_agent.0'/></channel>"""
    ready = f"<ready><agent/><address/><console>guest: ready</console><port number='{port}'/>{on(port)}</ready>"
    xml = domain_xml("db", DB, more=POLICY.format(ready) + "<features><acpi/></features>", devices=devices)
    daemon.define(xml.replace("</os>", f"{kernel}</os>").replace("'MiB'>32", "'MiB'>192"))
    daemon.call(domain_path(DB), DOMAIN, "Create", "(u)", 0)
    assert re.fullmatch("not ready yet: its guest agent does not answer; no address of it is known; "
                        rf"port {port} takes no connection; port {port} at 127.0.0.1 takes no connection(: .*)?; "
                        "its console has not written 'guest: ready'", messages(daemon, DB)[0])
    with listening(port):
        wait_for(lambda: re.fullmatch(rf"not ready yet: port {port} takes no connection: .*192\.0\.2\.7.*", messages(daemon, DB)[0]),
                 "all that the guest itself does")
