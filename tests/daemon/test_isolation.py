# SPDX-License-Identifier: LGPL-2.1-or-later
"""A program in QEMU's place, as a guest that has broken out is one, against its neighbour and the host."""

import json
import os
import pathlib
import re
import shutil
import stat
import tempfile

import pytest

from conftest import DOMAIN, Daemon, domain_path, domain_xml

QEMU = "/usr/bin/qemu-system-x86_64"
UUIDS = {"victim": "11111111-1111-4111-8111-111111111111", "hostile": "22222222-2222-4222-8222-222222222222"}

# What it tries, each in a line of its own: what is refused says so, what succeeds says that.
HOSTILE = r"""#!/usr/bin/python3 -B
import ctypes, json, os, signal, sys
target = json.loads(TARGET)
libc = ctypes.CDLL(None, use_errno=True)

def call(number, *arguments):
    result = libc.syscall(number, *arguments)
    if result < 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    return result

def pidfd_getfd():
    for number in range(3, 64):  # whichever is its disk
        try:
            return call(438, call(434, target["pid"], 0), number, 0)
        except OSError as error:
            if error.errno != 9:
                raise
    raise PermissionError("nothing")

def process_read():
    buffer = ctypes.create_string_buffer(16)
    local = (ctypes.c_size_t * 2)(ctypes.addressof(buffer), 16)
    remote = (ctypes.c_size_t * 2)(target["address"], 16)
    return call(310, target["pid"], local, 1, remote, 1, 0)

def ptrace():
    if libc.ptrace(16, target["pid"], 0, 0) < 0:
        raise OSError(ctypes.get_errno(), "ptrace")

def see_others():
    others = [name for name in os.listdir("/proc") if name.isdigit() and int(name) != os.getpid()]
    if not others:
        raise PermissionError("none is shown")
    return others

def write(path, flags=os.O_WRONLY):
    descriptor = os.open(path, flags)
    os.write(descriptor, b"broken")

attacks = {
    "take a descriptor": pidfd_getfd,
    "read memory": process_read,
    "read /proc/PID/mem": lambda: open(f"/proc/{target['pid']}/mem", "rb"),
    "open its files by /proc": lambda: os.listdir(f"/proc/{target['pid']}/fd"),
    "trace": ptrace,
    "end it": lambda: os.kill(target["pid"], signal.SIGKILL),
    "stop it": lambda: os.kill(target["pid"], signal.SIGSTOP),
    "slow it": lambda: os.setpriority(os.PRIO_PROCESS, target["pid"], 19),
    "limit it": lambda: __import__("resource").prlimit(target["pid"], 7, (0, 0)),
    "end the daemon": lambda: os.kill(target["daemon"], signal.SIGKILL),
    "see others": see_others,
    "open its disk": lambda: os.open(target["disk"], os.O_RDWR),
    "list its directory": lambda: os.listdir(target["directory"]),
    "connect to its monitor": lambda: __import__("socket").socket(1).connect(target["monitor"]),
    "change its state": lambda: write(target["status"]),
    "truncate its log": lambda: write(target["log"], os.O_WRONLY | os.O_TRUNC),
    "append to its log": lambda: write(target["log"], os.O_WRONLY | os.O_APPEND),
    "open its own log anew": lambda: os.open("/proc/self/fd/1", os.O_RDWR),
    "read its own log": lambda: os.read(1, 1),
    "read /etc/shadow": lambda: open("/etc/shadow"),
    "write to /tmp": lambda: open(target["tmp"], "w"),
    "make a device": lambda: os.mknod(target["tmp"] + ".sda", 0o60666, os.makedev(8, 0)),
    "mount": lambda: call(165, b"none", b"/mnt", b"tmpfs", 0, None),
    "become root": lambda: os.setresuid(0, 0, 0),
}
if any("guest=" in argument for argument in sys.argv):
    for name, attack in attacks.items():
        try:
            done = attack()
            print("HOSTILE", json.dumps([name, "done", repr(done)]), flush=True)
        except OSError as error:
            print("HOSTILE", json.dumps([name, "refused", str(error)]), flush=True)
os.execv("/usr/bin/qemu-system-x86_64", ["qemu-system-x86_64"] + sys.argv[1:])
"""


@pytest.fixture
def place():
    """A directory that every account can reach: what is inside is kept from them by its own owner and mode."""
    directory = pathlib.Path(tempfile.mkdtemp(prefix="i", dir="/var/tmp"))
    directory.chmod(0o755)
    yield directory
    shutil.rmtree(directory, ignore_errors=True)


@pytest.fixture(params=["--system", "--session"])
def daemon(request, place, bus):
    it = Daemon(place / "root", bus)
    it.mode = request.param
    it.root.mkdir()
    try:
        yield it.start()
    finally:
        it.clean_up()


def machine(name, devices="", emulator=QEMU):
    return domain_xml(name, UUIDS[name], devices=f"<emulator>{emulator}</emulator>{devices}")


def run_directory(daemon, name):
    return daemon.root / "run" / "domaind" / "machines" / UUIDS[name]


def log_of(daemon, name):
    return daemon.root / "var" / "log" / "domaind" / f"{name}.log"


def write_hostile(daemon, place, disk):
    victim = run_directory(daemon, "victim")
    pid = daemon.machines()["victim"]
    maps = pathlib.Path(f"/proc/{pid}/maps").read_text().split("-", 1)[0]
    target = {"pid": pid, "daemon": daemon.process.pid, "address": int(maps, 16), "disk": str(disk),
              "directory": str(victim / "qemu"), "monitor": str(victim / "monitor.sock"),
              "status": str(victim / "status.json"), "log": str(log_of(daemon, "victim")), "tmp": str(place / "open" / "x")}
    (place / "open").mkdir()
    (place / "open").chmod(0o1777)
    emulator = place / "emulator"
    emulator.write_text(HOSTILE.replace("TARGET", repr(json.dumps(target)), 1))
    emulator.chmod(0o755)
    return emulator


def attacks(daemon):
    lines = log_of(daemon, "hostile").read_text().splitlines()
    return {name: f"{outcome}: {said}" for name, outcome, said in
            (json.loads(line.removeprefix("HOSTILE ")) for line in lines if line.startswith("HOSTILE "))}


# As the daemon's own account, in a session, owners and modes are no fence: there it is Landlock and the descriptors.
ONE_ACCOUNT = {"open its disk", "list its directory", "connect to its monitor", "slow it", "limit it", "become root",
               "read /etc/shadow"}


def test_every_attack_is_refused(daemon, place):
    disk = place / "victim.img"
    disk.write_bytes(bytes(1 << 20))
    disk.chmod(0o600)
    daemon.create(machine("victim", f"<disk type='file'><source file='{disk}'/><target dev='vda' bus='virtio'/></disk>"))
    before = log_of(daemon, "victim").read_bytes()
    daemon.create(machine("hostile", emulator=write_hostile(daemon, place, disk)))
    outcome = attacks(daemon)
    assert len(outcome) == 24
    succeeded = {name: said for name, said in outcome.items() if not said.startswith("refused")}
    allowed = ONE_ACCOUNT if daemon.mode == "--session" else set()
    assert set(succeeded) <= allowed, succeeded
    assert log_of(daemon, "victim").read_bytes() == before
    assert set(daemon.machines()) == {"victim", "hostile"}


@pytest.mark.parametrize("daemon", ["--system"], indirect=True)
def test_each_machine_has_an_account(daemon):
    def owner(name):
        return os.stat(f"/proc/{daemon.machines()[name]}").st_uid, run_directory(daemon, name).joinpath("qemu").stat().st_uid

    daemon.create(machine("victim"))
    daemon.create(machine("hostile"))
    (one, directory), (other, _) = owner("victim"), owner("hostile")
    assert one == directory and one != other
    assert {one, other} <= set(range(2000000000, 2000065536))
    daemon.kill()
    daemon.start()  # it finds them again, and gives their accounts to nobody else
    daemon.call(domain_path(UUIDS["hostile"]), "org.libvirt.Domain", "Destroy", "(u)", 0)
    daemon.create(machine("hostile"))
    assert owner("victim")[0] == one and owner("hostile")[0] not in (one, 0)


def test_mounts_and_ipc_are_its_own(daemon):
    daemon.create(machine("victim"))
    for kind in ("mnt", "ipc"):
        assert os.readlink(f"/proc/{daemon.machines()['victim']}/ns/{kind}") != os.readlink(f"/proc/self/ns/{kind}")
    assert stat.S_IMODE(log_of(daemon, "victim").stat().st_mode) == 0o600


def test_isolation_can_be_left_out(place, bus):
    settings = place / "domaind.conf"
    settings.write_text("[machines]\nisolate = no\naccounts = no\n")
    it = Daemon(place / "root", bus, "--config", settings)
    it.mode = "--system"
    it.root.mkdir()
    try:
        it.start()
        it.create(machine("victim"))
        pid = it.machines()["victim"]
        assert os.readlink(f"/proc/{pid}/ns/mnt") == os.readlink("/proc/self/ns/mnt")
        assert os.stat(f"/proc/{pid}").st_uid not in range(2000000000, 2000065536)
    finally:
        it.clean_up()


def test_labels_of_a_machine(daemon):
    """Nobody labels machines; what DAC says is the account, which a session's machines do not have of their own."""
    path = daemon.define(machine("victim"))
    assert daemon.call(path, DOMAIN, "GetSecurityLabelList") == []
    daemon.call(path, DOMAIN, "Create", "(u)", 0)
    shown = re.findall("<seclabel[^>]* model='dac'.*?<label>(.*?)</label>", daemon.call(path, DOMAIN, "GetXMLDesc", "(u)", 0), re.DOTALL)
    assert len(shown) == (daemon.mode == "--system")
    assert daemon.call(path, DOMAIN, "GetSecurityLabelList") == [("", False), *((label, False) for label in shown)]
