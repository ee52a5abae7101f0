# SPDX-License-Identifier: LGPL-2.1-or-later
"""What follows a machine's end by its policy's <restart>: whoever ended it, and whatever became of the daemon."""

import json
import os
import signal

import pytest

from conftest import DOMAIN, domain_path, domain_xml, kill_and_wait, wait_for
from test_guest import READY, SHUTOFF, events, guest, heard, linux, state  # noqa: F401
from test_guest import UUID as GUEST_UUID

UUID = "7e0c7c9c-2a39-4b2b-8f0a-6c2c1f0a9d12"
PATH = domain_path(UUID)
GUEST = domain_path(GUEST_UUID)
OWN = "org.domaind1.Domain"
POLICY = "<metadata><policy xmlns='https://domaind.org/xmlns/policy/1'>%s</policy></metadata>"
ACTIVE = "Active"


def run(daemon, restart, more="", **options):
    daemon.define(domain_xml("web", UUID, more=POLICY % restart + more, **options))
    daemon.call(PATH, DOMAIN, "Create", "(u)", 0)
    return daemon.machines()["web"]


def another(daemon, pid):
    """The process that has taken the place of that one."""
    return wait_for(lambda: (now := daemon.machines().get("web")) not in (None, pid)
                    and daemon.get(PATH, DOMAIN, ACTIVE) and now, "the restart")


def said(daemon, word, path=PATH):
    """What `domctl why` and `domctl dominfo` say of it."""
    text = wait_for(lambda: (end := daemon.call(path, OWN, "GetLastEnd")) and word in end.get("restart", "")
                    and end["restart"], word)
    assert text in daemon.get(path, OWN, "Messages")
    return text


def is_off(daemon):
    return not daemon.get(PATH, DOMAIN, ACTIVE)


def record(daemon):
    return daemon.root / "run/domaind/restarts" / f"{UUID}.json"


def test_killed_it_is_started_again_until_the_limit(daemon):
    pid = run(daemon, "<restart when='on-failure' delay='0' limit='2'/>")
    with daemon.signals() as seen:
        for _ in range(2):
            os.kill(pid, signal.SIGKILL)
            pid = another(daemon, pid)
        failed, resumed, started = (5, 5), (4, 0), (2, 0)  # virDomainEventType and its detail
        wait_for(lambda: events(seen) == [failed, resumed, started] * 2, "the events of both restarts")
    assert said(daemon, "restart 2 of at most 2 within 600 seconds")
    os.kill(pid, signal.SIGKILL)
    assert said(daemon, "has given up") == \
        "its restart policy has given up: it was started again 2 times within 600 seconds, and 2 is the limit"
    assert is_off(daemon)
    # Somebody who starts it has it begin anew.
    daemon.call(PATH, DOMAIN, "Create", "(u)", 0)
    assert "restart" not in daemon.call(PATH, OWN, "GetLastEnd")
    pid = daemon.machines()["web"]
    os.kill(pid, signal.SIGKILL)
    another(daemon, pid)
    assert said(daemon, "restart 1 of at most 2")


@pytest.mark.parametrize("restart", ["", "<restart when='no'/>"])
def test_without_a_policy_nothing_follows(daemon, restart):
    pid = run(daemon, restart)
    os.kill(pid, signal.SIGKILL)
    wait_for(lambda: is_off(daemon), "its end")
    assert "restart" not in daemon.call(PATH, OWN, "GetLastEnd")
    assert not record(daemon).exists()


@pytest.mark.parametrize("restart,follows", [("<restart when='on-failure' delay='3600'/>", False),
                                             ("<restart when='always' delay='3600'/>", True)])
def test_a_guest_that_shuts_down(daemon, linux, restart, follows):  # noqa: F811
    linux("guest.poweroff", more=POLICY % restart)
    wait_for(lambda: state(daemon)[0] == SHUTOFF, "the guest's own end")
    assert daemon.call(GUEST, OWN, "GetLastEnd")["off"]
    if follows:
        said(daemon, "starts it again at", GUEST)
    else:
        assert "restart" not in daemon.call(GUEST, OWN, "GetLastEnd")


def test_a_guest_that_panics(daemon, linux):  # noqa: F811
    linux("guest.panic", more=POLICY % "<restart when='on-failure' delay='3600'/>",
          devices="<panic model='isa'><address type='isa' iobase='0x505'/></panic>")
    wait_for(lambda: state(daemon)[0] == SHUTOFF, "its end")
    assert daemon.call(GUEST, OWN, "GetLastEnd")["panicked"]
    said(daemon, "restart 1 of at most 5", GUEST)


def test_a_shutdown_that_was_asked_for(daemon, linux):  # noqa: F811
    linux(more=POLICY % "<restart when='always' delay='0'/>")
    heard(linux, READY)
    daemon.call(GUEST, DOMAIN, "Shutdown", "(u)", 0)
    wait_for(lambda: state(daemon)[0] == SHUTOFF, "its end")
    assert "restart" not in daemon.call(GUEST, OWN, "GetLastEnd")


@pytest.mark.parametrize("call", ["Destroy", "ManagedSave"])
def test_never_when_somebody_ended_it(daemon, call):
    run(daemon, "<restart when='always' delay='0'/>")
    daemon.call(PATH, DOMAIN, call, "(u)", 0)
    wait_for(lambda: is_off(daemon), "its end")
    assert not record(daemon).exists()
    assert "restart" not in daemon.call(PATH, OWN, "GetLastEnd")


@pytest.mark.parametrize("call,error", [("Destroy", "its restart by its policy is called off"),
                                        ("Shutdown", "its restart by its policy is called off")])
def test_what_is_due_can_be_called_off(daemon, call, error):
    os.kill(run(daemon, "<restart when='on-failure' delay='3600'/>"), signal.SIGKILL)
    said(daemon, "starts it again at")
    assert error in daemon.error(PATH, DOMAIN, call, "(u)", 0)[1]
    assert not record(daemon).exists()
    assert "restart" not in daemon.call(PATH, OWN, "GetLastEnd")
    assert error not in daemon.error(PATH, DOMAIN, call, "(u)", 0)[1]


def test_it_goes_with_the_definition(daemon):
    os.kill(run(daemon, "<restart when='on-failure' delay='3600'/>"), signal.SIGKILL)
    said(daemon, "starts it again at")
    daemon.call(PATH, DOMAIN, "Undefine", "(u)", 0)
    assert not record(daemon).exists()


def test_the_policy_that_counts_is_the_newest(daemon):
    pid = run(daemon, "<restart when='on-failure' delay='0'/>")
    daemon.define(domain_xml("web", UUID, more=POLICY % "<restart when='on-failure' limit='0'/>"))
    os.kill(pid, signal.SIGKILL)
    assert said(daemon, "has given up")


def test_what_is_due_is_the_next_daemons(daemon):
    os.kill(run(daemon, "<restart when='on-failure' delay='3600'/>"), signal.SIGKILL)
    said(daemon, "starts it again at")
    daemon.kill()
    daemon.start()
    said(daemon, "starts it again at")
    daemon.kill()
    due = json.loads(record(daemon).read_text())
    record(daemon).write_text(json.dumps(due | {"due": 1}))
    daemon.start()
    another(daemon, None)
    said(daemon, "restart 1 of at most 5")


def test_an_end_while_no_daemon_ran_is_a_failure(daemon):
    pid = run(daemon, "<restart when='on-failure' delay='0'/>")
    daemon.kill()
    kill_and_wait(pid)
    daemon.start()
    another(daemon, pid)
    assert said(daemon, "restart 1 of at most 5")


def test_a_restart_that_fails_is_tried_again(daemon, tmp_path):
    image = tmp_path / "web.img"
    image.write_bytes(b"\0" * 1024)
    os.chmod(tmp_path, 0o755)
    pid = run(daemon, "<restart when='on-failure' delay='0' limit='3'/>",
              devices=f"<disk type='file'><source file='{image}'/><target dev='vda' bus='virtio'/></disk>")
    image.unlink()
    os.kill(pid, signal.SIGKILL)
    said(daemon, "it was started again 3 times")
    assert str(image) in daemon.call(PATH, OWN, "GetLastEnd")["words"]


@pytest.mark.parametrize("text", ["", "[]", "{", '{"restarts": 7}', '{"restarts": [' + "1," * 5000 + "1]}"],
                         ids=["empty", "list", "open", "number", "long"])
def test_a_damaged_record_is_nothing(daemon, text):
    os.kill(run(daemon, "<restart when='on-failure' delay='3600'/>"), signal.SIGKILL)
    said(daemon, "starts it again at")
    daemon.kill()
    record(daemon).write_text(text)
    daemon.start()
    assert "restart" not in daemon.call(PATH, OWN, "GetLastEnd")
    assert not record(daemon).exists()
