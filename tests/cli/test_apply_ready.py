# SPDX-License-Identifier: LGPL-2.1-or-later
"""domctl apply and machines that others wait for: when they are ready, and --wait."""

import json
import os
import re
import socket
import subprocess

import pytest

from conftest import BUILD
from test_apply import apply, fleet, machine, run, states  # noqa: F401

SERIAL = "<serial type='pty'/>"


def loud(*arguments):
    """Its firmware talks on the serial line."""
    return machine(*arguments, devices=SERIAL).replace("</os>", "<bios useserial='yes'/></os>")


@pytest.fixture
def port():
    """One at which nobody listens."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        return server.getsockname()[1]


def on(port, timeout=300):
    return f"<ready timeout='{timeout}'><port number='{port}' address='127.0.0.1'/></ready>"


def lines(said):
    return [line for line in said.splitlines() if re.fullmatch("domain .*: (started|ready)", line)]


def test_each_waits_for_those_before_it(daemon, run, fleet):  # noqa: F811
    fleet("db", loud("db", "state='running'", "<ready><console>SeaBIOS</console></ready>"))
    fleet("web", machine("web", "state='running'", "<start><requires>db</requires></start>"))
    _, said, _ = apply(run, "--wait")
    assert lines(said) == ["domain db: started", "domain web: started", "domain db: ready"]
    assert "Applied." in said
    assert run("apply", "fleet", "--wait")[0] == 0  # nobody is asked where there is nothing to do


def test_a_delay_takes_nobodys_place(daemon, run, fleet):  # noqa: F811
    fleet("a", machine("a", "state='running'", "<start delay='1'/>"))
    fleet("b", machine("b", "state='running'"))
    assert lines(apply(run, "--parallel", "1")[1]) == ["domain b: started", "domain a: started"]


def test_those_that_are_late_are_named(daemon, run, fleet, port):  # noqa: F811
    fleet("db", machine("db", "state='running'", on(port, timeout=1)))
    fleet("web", machine("web", "state='running'", "<start><requires>db</requires></start>"))
    fleet("spare", machine("spare", "state='running'", "<start><after>db</after></start>"))
    late = f"not ready after 1 seconds: port {port} at 127.0.0.1 takes no connection: "
    status, _, errors = run("apply", "fleet", "--yes", "--wait")
    assert status == 1
    assert f"error: domain db: {late}" in errors
    assert f"error: domain web: operation failed: 'web' is not started: it requires 'db', which is {late}" in errors
    assert states(daemon) == {"db": True, "web": False, "spare": True}
    (fleet.directory / "web.xml").unlink()
    status, said, _ = run("apply", "fleet", "--yes", "--wait", "--json")
    results = json.loads(said)
    assert (status, results["failed"], results["notReady"]) == (1, 0, 1)
    assert [(each["name"], each["notReady"].startswith(late)) for each in results["objects"]] == [("db", True)]


def test_nobody_need_wait(daemon, run, fleet, tmp_path, port):  # noqa: F811
    """While one waits another apply is done, and one that waits may be ended."""
    def wait():
        it = subprocess.Popen([BUILD / "cli" / "domctl", "--connect", "session", "apply", "fleet", "--yes", "--wait"],
                              cwd=tmp_path, stdout=subprocess.PIPE, text=True,
                              env=os.environ | {"DBUS_SESSION_BUS_ADDRESS": daemon.bus.address, "LC_ALL": "C.UTF-8"})
        assert any(re.fullmatch(f"domain db: not ready yet: port {port} at 127.0.0.1 takes no connection(: .*)?\n", line)
                   for line in it.stdout)
        return it

    fleet("db", machine("db", "state='running'", on(port)))
    with wait() as given_up:
        given_up.kill()
    with wait() as waiting:
        fleet("web", machine("web", "state='running'"))
        apply(run)
        with socket.create_server(("127.0.0.1", port)):
            assert [line.strip() for line in waiting.stdout if line.strip()][-2:] == ["domain db: ready", "Applied."]
    assert waiting.returncode == 0
    assert states(daemon) == {"db": True, "web": True}
