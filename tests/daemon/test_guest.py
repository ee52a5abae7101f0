# SPDX-License-Identifier: LGPL-2.1-or-later
"""A real Linux inside: what the guest does to its machine, and what the document says is to follow."""

import re
import subprocess

import pytest

from conftest import BUILD, CONNECT, DOMAIN, TOP, domain_path, wait_for

UUID = "87291af1-1366-410c-bb6e-fbc6f66ff7ae"
RUNNING, PAUSED, SHUTOFF = 1, 3, 5
READY = b"guest: ready"
RESUMED, STARTED, SHUTDOWN, STOPPED, CRASHED = 4, 2, 6, 5, 8


@pytest.fixture(scope="session")
def guest():
    directory = BUILD / "guest"
    subprocess.run([TOP / "examples/guest/make", directory], check=True)
    return directory


@pytest.fixture
def linux(daemon, guest):
    """Defines and starts a Linux with more words on its command line, and more in its document."""
    console = daemon.root / "console.log"

    def boot(words="", more="", devices=""):
        path = daemon.define(f"""<domain type='qemu'>
  <name>linux</name>
  <uuid>{UUID}</uuid>
  <memory unit='MiB'>128</memory>
  <os>
    <type arch='x86_64' machine='q35'>hvm</type>
    <kernel>{guest}/vmlinuz</kernel>
    <initrd>{guest}/initrd.img</initrd>
    <cmdline>console=ttyS0 quiet {words}</cmdline>
  </os>
  <features><acpi/><apic/></features>
  {more}
  <devices>
    <serial type='file'><source path='{console}'/></serial>
    {devices}
  </devices>
</domain>
""")
        daemon.call(path, DOMAIN, "Create", "(u)", 0)
        return path

    boot.console = console
    return boot


def heard(linux, words, times=1):
    wait_for(lambda: linux.console.exists() and linux.console.read_bytes().count(words) >= times,
             f"{words} on the console")


def events(seen):
    return [arguments[1:] for _, member, arguments in seen if member == f"{CONNECT}.DomainEvent"]


def state(daemon, path=domain_path(UUID)):
    return daemon.call(path, DOMAIN, "GetState", "(u)", 0)


def test_shutdown_and_reboot_by_the_power_button(daemon, linux):
    path = linux()
    heard(linux, READY)
    pid = daemon.machines()["linux"]
    with daemon.signals() as seen:
        daemon.call(path, DOMAIN, "Reboot", "(u)", 0)
        heard(linux, READY, times=2)
    assert daemon.machines()["linux"] == pid
    assert state(daemon)[0] == RUNNING
    assert events(seen) == []
    assert f"{DOMAIN}.Reboot" in [member for _, member, _ in seen]

    with daemon.signals() as seen:
        daemon.call(path, DOMAIN, "Shutdown", "(u)", 0)
        wait_for(lambda: (STOPPED, 0) in events(seen), "the stopped event")
    assert [event for event, _ in events(seen)] == [SHUTDOWN, STOPPED]
    assert state(daemon) == (SHUTOFF, 1)
    assert linux.console.read_bytes().count(b"power button pressed") == 2
    assert daemon.processes() == set()


def test_a_reset_starts_it_anew(daemon, linux):
    path = linux()
    heard(linux, READY)
    with daemon.signals(DOMAIN, path) as seen:
        daemon.call(path, DOMAIN, "Reset", "(u)", 0)
        heard(linux, READY, times=2)
    assert state(daemon)[0] == RUNNING
    assert {member for _, member, _ in seen} == {f"{DOMAIN}.Reboot"}  # the firmware resets once more


def test_a_guest_that_powers_off(daemon, linux):
    with daemon.signals() as seen:
        linux("guest.poweroff")
        wait_for(lambda: (STOPPED, 0) in events(seen), "the stopped event")
    assert events(seen)[-2:] == [(SHUTDOWN, 1), (STOPPED, 0)]
    assert state(daemon) == (SHUTOFF, 1)


def test_on_poweroff_restart(daemon, linux):
    linux("guest.poweroff", more="<on_poweroff>restart</on_poweroff>")
    pid = daemon.machines()["linux"]
    heard(linux, b"guest: powering off", times=2)
    assert daemon.machines()["linux"] == pid
    daemon.call(domain_path(UUID), DOMAIN, "Destroy", "(u)", 0)
    assert state(daemon) == (SHUTOFF, 2)


def test_on_crash_preserve(daemon, linux):
    with daemon.signals() as seen:
        path = linux("guest.panic", more="<on_crash>preserve</on_crash>",
                     devices="<panic model='isa'><address type='isa' iobase='0x505'/></panic>")
        wait_for(lambda: CRASHED in [event for event, _ in events(seen)], "the crashed event")
    assert state(daemon)[0] == 6
    daemon.call(path, DOMAIN, "Destroy", "(u)", 0)
    assert state(daemon) == (SHUTOFF, 2)


def test_suspended_by_us_it_stands_still(daemon, linux):
    path = linux()
    heard(linux, READY)
    daemon.call(path, DOMAIN, "Suspend")
    still = daemon.call(path, DOMAIN, "GetStats", "(uu)", 8, 0)["vcpu.0.time"]
    assert daemon.call(path, DOMAIN, "GetStats", "(uu)", 8, 0)["vcpu.0.time"] == still
    daemon.kill()  # it stays suspended while the daemon is away
    daemon.start()
    assert state(daemon) == (PAUSED, 1)
    daemon.call(path, DOMAIN, "Resume")
    daemon.call(path, DOMAIN, "Shutdown", "(u)", 0)
    wait_for(lambda: state(daemon) == (SHUTOFF, 1), "the end")


def test_it_shuts_down_while_the_daemon_is_away(daemon, linux):
    path = linux()
    heard(linux, READY)
    daemon.call(path, DOMAIN, "Shutdown", "(u)", 0)
    daemon.kill()
    heard(linux, b"power button pressed")
    daemon.start()
    wait_for(lambda: state(daemon)[0] == SHUTOFF, "the end")
    assert daemon.processes() == set()


PANIC = "<panic model='isa'><address type='isa' iobase='0x505'/></panic>"


def dumps(daemon):
    return sorted((daemon.root / "var/lib/domaind/dump").glob("*"))


def test_on_crash_coredump_destroy(daemon, linux):
    with daemon.signals() as seen:
        path = linux("guest.panic", more="<on_crash>coredump-destroy</on_crash>", devices=PANIC)
        wait_for(lambda: (STOPPED, 2) in events(seen), "the stopped event")
    assert daemon.call(path, "org.domaind1.Domain", "GetLastEnd")["panicked"] is True
    assert events(seen)[-2:] == [(CRASHED, 0), (STOPPED, 2)]
    assert state(daemon) == (SHUTOFF, 3)
    [dump] = dumps(daemon)
    assert re.fullmatch(r"1-linux-\d{4}-\d\d-\d\d-\d\d:\d\d:\d\d", dump.name)
    assert dump.read_bytes()[:4] == b"\x7fELF" and dump.stat().st_size > 128 << 20
    assert dump.stat().st_mode & 0o777 == 0o600 and dump.parent.stat().st_mode & 0o777 == 0o700


def test_on_crash_coredump_restart(daemon, linux):
    path = linux("guest.panic", more="<on_crash>coredump-restart</on_crash>", devices=PANIC)
    pid = daemon.machines()["linux"]
    wait_for(lambda: len(dumps(daemon)) >= 2, "two dumps")
    assert daemon.machines()["linux"] == pid
    daemon.call(path, DOMAIN, "Destroy", "(u)", 0)


def test_a_crashed_machine_that_cannot_be_dumped_stays(daemon, linux):
    (daemon.root / "var/lib/domaind").mkdir(parents=True, exist_ok=True)
    (daemon.root / "var/lib/domaind/dump").write_text("in the way")
    linux("guest.panic", more="<on_crash>coredump-destroy</on_crash>", devices=PANIC)
    wait_for(lambda: "could not be dumped" in daemon.log(), "the warning")
    assert state(daemon)[0] == 6
    daemon.call(domain_path(UUID), DOMAIN, "Destroy", "(u)", 0)
