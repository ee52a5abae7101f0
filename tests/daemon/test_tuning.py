# SPDX-License-Identifier: LGPL-2.1-or-later
"""Tuning by D-Bus, and what is tuned across a restart of the daemon."""

import pathlib

import pytest
from gi.repository import GLib

from conftest import DOMAIN, domain_path, domain_xml, wait_for

UUID = "87291af1-1366-410c-bb6e-fbc6f66ff7af"
XML = domain_xml("tuned", UUID, more="<iothreads>1</iothreads>").replace("<vcpu>1", "<vcpu>2")
PATH = domain_path(UUID)
LIVE, CONFIG = 1, 2
CAP_SYS_RESOURCE = 24


@pytest.fixture
def running(daemon):
    daemon.define(XML)
    daemon.call(PATH, DOMAIN, "Create", "(u)", 0)
    return daemon


def affinity(daemon, name):
    for task in pathlib.Path(f"/proc/{daemon.machines()['tuned']}/task").iterdir():
        if (task / "comm").read_text().strip() == name:
            return next(line.split()[1] for line in (task / "status").read_text().splitlines()
                        if line.startswith("Cpus_allowed_list"))
    return None


def source(daemon):
    return (daemon.root / "etc/domaind/domains/tuned.xml").read_text()


def test_pins(running):
    cpus = len(running.call(PATH, DOMAIN, "GetEmulatorPinInfo", "(u)", LIVE))
    everywhere, first = [True] * cpus, [True] + [False] * (cpus - 1)
    assert running.call(PATH, DOMAIN, "GetVcpuPinInfo", "(u)", LIVE) == [everywhere, everywhere]
    assert running.call(PATH, DOMAIN, "GetIOThreadInfo", "(u)", LIVE) == [(1, everywhere)]

    running.call(PATH, DOMAIN, "PinVcpu", "(uabu)", 1, first, LIVE)
    running.call(PATH, DOMAIN, "PinEmulator", "(abu)", first, LIVE | CONFIG)
    running.call(PATH, DOMAIN, "PinIOThread", "(uabu)", 1, first, CONFIG)
    assert (affinity(running, "CPU 1/TCG"), affinity(running, "qemu-system-x86")) == ("0", "0")
    assert running.call(PATH, DOMAIN, "GetVcpuPinInfo", "(u)", LIVE) == [everywhere, first]
    assert running.call(PATH, DOMAIN, "GetEmulatorPinInfo", "(u)", CONFIG) == first
    assert running.call(PATH, DOMAIN, "GetIOThreadInfo", "(u)", LIVE) == [(1, everywhere)]
    assert running.call(PATH, DOMAIN, "GetIOThreadInfo", "(u)", CONFIG) == [(1, first)]
    assert "<iothreadpin iothread='1' cpuset='0'/>" in source(running)
    assert "vcpu 9 is out of range" in running.error(PATH, DOMAIN, "PinVcpu", "(uabu)", 9, first, LIVE)[1]


def test_io_threads(running):
    running.call(PATH, DOMAIN, "AddIOThread", "(uu)", 4, LIVE | CONFIG)
    assert [number for number, _ in running.call(PATH, DOMAIN, "GetIOThreadInfo", "(u)", LIVE)] == [1, 4]
    assert affinity(running, "IO iothread4") is not None
    assert "<iothread id='4'/>" in source(running)
    running.call(PATH, DOMAIN, "DelIOThread", "(uu)", 4, LIVE)
    wait_for(lambda: affinity(running, "IO iothread4") is None, "the end of the thread")
    assert "already using" in running.error(PATH, DOMAIN, "AddIOThread", "(uu)", 4, CONFIG)[1]


def parameters(daemon, method, flags):
    return daemon.call(PATH, DOMAIN, method, "(u)", flags)


def test_parameters_of_a_definition(daemon):
    daemon.define(XML)
    for kind, values in (
            ("Scheduler", {"cpu_shares": GLib.Variant("t", 512), "vcpu_quota": GLib.Variant("x", 20000)}),
            ("Memory", {"hard_limit": GLib.Variant("t", 900000)}),
            ("BlockIO", {"weight": GLib.Variant("u", 300), "device_weight": GLib.Variant("s", "/dev/sda,5")}),
            ("Numa", {"numa_mode": GLib.Variant("i", 2), "numa_nodeset": GLib.Variant("s", "0")})):
        daemon.call(PATH, DOMAIN, f"Set{kind}Parameters", "(a{sv}u)", values, CONFIG)
        found = parameters(daemon, f"Get{kind}Parameters", CONFIG)
        assert {name: found[name] for name in values} == {name: value.unpack() for name, value in values.items()}
    daemon.call(PATH, DOMAIN, "SetPerfEvents", "(a{sv}u)", {"cmt": GLib.Variant("b", True)}, CONFIG)
    assert parameters(daemon, "GetPerfEvents", CONFIG)["cmt"] is True
    text = source(daemon)
    assert all(part in text for part in ("<shares>512</shares>", "<hard_limit unit='KiB'>900000</hard_limit>",
                                         "<weight>300</weight>", "<memory mode='interleave' nodeset='0'/>",
                                         "<event name='cmt' enabled='yes'/>"))


@pytest.mark.parametrize("kind, values, words", [
    ("Scheduler", {"foo": ("t", 5)}, "parameter 'foo' not supported"),
    ("Scheduler", {"cpu_shares": ("s", "5")}, "invalid type 'string' for parameter 'cpu_shares', expected 'ullong'"),
    ("Scheduler", {"vcpu_period": ("t", 5)}, "value of 'vcpu_period' is out of range [1000, 1000000]"),
    ("Memory", {"hard_limit": ("u", 5)}, "invalid type 'uint' for parameter 'hard_limit', expected 'ullong'"),
    ("Memory", {"hard_limit": ("t", 5), "swap_hard_limit": ("t", 4)}, "must be lower than or equal to swap_hard_limit"),
    ("BlockIO", {"device_weight": ("s", "/dev/sda")}, "unable to parse blkio device 'device_weight' '/dev/sda'"),
    ("Numa", {"numa_mode": ("i", 9)}, "unsupported numatune mode: '9'"),
    ("Numa", {"numa_nodeset": ("s", "x")}, "Failed to parse bitmap 'x'"),
])
def test_wrong_parameters(daemon, kind, values, words):
    daemon.define(XML)
    given = {name: GLib.Variant(*value) for name, value in values.items()}
    assert words in daemon.error(PATH, DOMAIN, f"Set{kind}Parameters", "(a{sv}u)", given, CONFIG)[1]
    assert source(daemon) == XML


def test_a_change_is_told(running):
    with running.signals(DOMAIN, PATH) as seen:
        running.call(PATH, DOMAIN, "PinVcpu", "(uabu)", 0, [True], LIVE)
        told = wait_for(lambda: [arguments for _, name, arguments in seen if name.endswith(".Tunable")], "Tunable")
    assert told == [({"cputune.vcpupin0": "0"},)]


def test_a_later_daemon_finds_what_was_tuned(running):
    running.call(PATH, DOMAIN, "PinVcpu", "(uabu)", 1, [True], LIVE)
    running.call(PATH, DOMAIN, "AddIOThread", "(uu)", 4, LIVE)
    running.kill()
    running.start()
    assert running.call(PATH, DOMAIN, "GetVcpuPinInfo", "(u)", LIVE)[1][0] is True
    assert [number for number, _ in running.call(PATH, DOMAIN, "GetIOThreadInfo", "(u)", LIVE)] == [1, 4]
    running.call(PATH, DOMAIN, "PinIOThread", "(uabu)", 4, [True], LIVE)
    assert affinity(running, "IO iothread4") == "0"


def test_memory_of_another_kind(daemon):
    """Shared memory in a file, and nodes of the guest's own, as the running QEMU has them."""
    xml = XML.replace("<vcpu>2", "<memoryBacking><source type='memfd'/><access mode='shared'/></memoryBacking><vcpu>2")
    xml = xml.replace("<os>", "<cpu><numa><cell cpus='0' memory='16384'/><cell cpus='1' memory='16384'/></numa></cpu><os>")
    daemon.define(xml)
    daemon.call(PATH, DOMAIN, "Create", "(u)", 0)
    words = pathlib.Path(f"/proc/{daemon.machines()['tuned']}/cmdline").read_text().split("\0")
    assert "node,nodeid=1,cpus=1,memdev=ram-node1" in words
    assert sum("memory-backend-memfd" in word and '"share":true' in word for word in words) == 2


def may_raise_limits():
    capabilities = next(line.split()[1] for line in pathlib.Path("/proc/self/status").read_text().splitlines()
                        if line.startswith("CapEff"))
    return bool(int(capabilities, 16) >> CAP_SYS_RESOURCE & 1)


def test_locked_memory(daemon):
    """Its limit goes up with it; where nobody may raise limits, the machine does not start, and it is said why."""
    daemon.define(XML.replace("<vcpu>2", "<memoryBacking><locked/></memoryBacking><vcpu>2"))
    if not may_raise_limits():
        assert "cannot limit locked memory of process" in daemon.error(PATH, DOMAIN, "Create", "(u)", 0)[1]
        assert daemon.machines() == {}
        return
    daemon.call(PATH, DOMAIN, "Create", "(u)", 0)
    limits = pathlib.Path(f"/proc/{daemon.machines()['tuned']}/limits").read_text()
    assert next(line for line in limits.splitlines() if line.startswith("Max locked memory")).split()[3] == "unlimited"
