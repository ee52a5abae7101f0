# SPDX-License-Identifier: LGPL-2.1-or-later
"""A daemon, a client or a QEMU that is killed in the midst of a migration: one machine runs, and both sides know."""

import subprocess
import time

import pytest

from conftest import BUILD, PATIENCE, kill_and_wait
from migration import UUID, migrate, pair, start, words  # noqa: F401

COMMANDS_MAX = 60  # of one side of a migration


def preloaded():
    sanitizer = subprocess.run(["gcc", "-print-file-name=libasan.so"], capture_output=True, text=True,
                               check=True).stdout.strip()
    sanitized = b"libasan" in subprocess.run(["ldd", BUILD / "daemon/domaind"], capture_output=True, check=True).stdout
    return " ".join(([sanitizer] if sanitized else []) + [str(BUILD / "tests/kill-at.so")])


def state(virsh):
    """"running", "paused", or None where it is shut off or not there."""
    done = subprocess.run(virsh.command("domstate", "web"), env=virsh.environment, capture_output=True, text=True,
                          timeout=PATIENCE, check=False)
    word = done.stdout.strip()
    return None if done.returncode != 0 or word == "shut off" else word


def settle(source, target):
    """The side on which the machine runs, once it runs on one and the other has nothing of it."""
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        # The target is asked first: what runs there by then no longer runs on the source.
        states = [state(virsh) for virsh in (target, source)][::-1]
        assert states != ["running", "running"], "it runs twice"
        if sorted(states, key=str) == [None, "running"] and \
                len(source.daemon.processes() | target.daemon.processes()) == 1:
            return source if states[0] == "running" else target
        time.sleep(0.05)
    raise AssertionError(f"it does not run: {states}\n{source.daemon.log()}\n{target.daemon.log()}")


@pytest.mark.parametrize("moment", ["before", "after"])
@pytest.mark.parametrize("killed", ["source", "target"])
def test_a_daemon_is_killed(pair, monkeypatch, killed, moment):  # noqa: F811
    victim = pair[killed == "target"].daemon
    kill_at = victim.root / "kill-at"
    source, target = pair
    start(source)
    for number in range(1, COMMANDS_MAX):
        victim.stop()
        with monkeypatch.context() as patch:
            patch.setenv("LD_PRELOAD", preloaded())
            patch.setenv("KILL_AT", str(kill_at))
            victim.start()
        assert settle(source, target) is source
        kill_at.write_text(f"{moment} {number}")
        moving = source.start(*words(target, "--live", "--p2p"))
        while moving.poll() is None and victim.process.poll() is None:
            time.sleep(0.01)
        if moving.poll():  # it has failed: the end of the daemon is on its way
            victim.process.wait(PATIENCE)
        kill_at.unlink()
        cut = victim.process.poll() is not None
        if cut:
            victim.kill()
            victim.start()
        moving.communicate()
        where = settle(source, target)
        if where is target:
            migrate(target, source, "--live")
        if not cut:
            return
    raise AssertionError("the migration has more commands than that")


@pytest.mark.parametrize("way", [[], ["--p2p"]], ids=" ".join)
@pytest.mark.parametrize("killed", ["source", "target"])
def test_a_qemu_is_killed(pair, killed, way):  # noqa: F811
    source, target = pair
    start(source)
    source("migrate-setspeed", "web", "1")
    victim = pair[killed == "target"].daemon
    moving = source.start(*words(target, "--live", *way))
    while moving.poll() is None and not target.daemon.machines():
        time.sleep(0.001)
    if moving.poll() is None:
        for pid in victim.processes():
            kill_and_wait(pid)
    moving.communicate()
    if killed == "target":
        assert settle(source, target) is source or moving.returncode == 0
    else:
        # A machine whose QEMU is killed has crashed, unless it was the other side's already.
        deadline = time.monotonic() + PATIENCE
        while source.daemon.processes() or (moving.returncode != 0 and target.daemon.processes()):
            assert time.monotonic() < deadline
            time.sleep(0.05)


def test_a_client_is_killed(pair):  # noqa: F811
    source, target = pair
    start(source)
    for delay in (0.02, 0.05, 0.1, 0.2, 0.3, 0.4):
        moving = source.start(*words(target, "--live"))
        time.sleep(delay)  # any instant is as good as another
        moving.kill()
        moving.communicate()
        deadline = time.monotonic() + PATIENCE
        refusal = None
        while True:
            # The target is asked first: what runs there by then no longer runs on the source.
            states = [state(virsh) for virsh in (target, source)][::-1]
            assert states != ["running", "running"], "it runs twice"
            # Who knows whether the target runs it has gone: it stays with whom it is, standing still.
            if states in (["running", None], [None, "running"]):
                break
            try:  # refused where it has gone on meanwhile
                if states == ["paused", None]:
                    source("resume", "web")
                if states == ["paused", "running"]:
                    source("destroy", "web")
            except AssertionError as error:
                refusal = error
            assert time.monotonic() < deadline, f"{states}: {refusal}\n{source.daemon.log()}\n{target.daemon.log()}"
            time.sleep(0.05)
        if states[1] == "running":
            migrate(target, source, "--live")
