# SPDX-License-Identifier: LGPL-2.1-or-later
"""What a machine gets of its host, by virsh and python3-libvirt: seen in the kernel, in the stored document, and again in
what is printed."""

import os
import pathlib

import libvirt
import pytest

from conftest import domain_xml, wait_for
from virsh import virsh  # noqa: F401  (a fixture)

NAME = "tuned"
SOURCE = domain_xml(NAME, more="<iothreads>2</iothreads>\n  <!-- mine -->").replace("<vcpu>1", "<vcpu>2")
LIVE, CONFIG = libvirt.VIR_DOMAIN_AFFECT_LIVE, libvirt.VIR_DOMAIN_AFFECT_CONFIG


def controllers():
    """The controllers of control groups that a machine of this host can have."""
    found = set()
    for line in pathlib.Path("/proc/self/mountinfo").read_text().splitlines():
        place, kind = line.split()[4], line.split(" - ")[1].split()
        if not os.access(place, os.W_OK):
            continue
        if kind[0] == "cgroup":
            found.update(kind[2].split(","))
        elif kind[0] == "cgroup2":
            found.update((pathlib.Path(place) / "cgroup.controllers").read_text().replace("io", "blkio").split())
    return found


def needs(controller):
    return pytest.mark.skipif(controller not in controllers() or pathlib.Path("/run/systemd/system").exists(),
                              reason=f"this host has no control group with '{controller}' for us")


@pytest.fixture
def defined(daemon, virsh):  # noqa: F811
    path = daemon.root / "tuned.xml"
    path.write_text(SOURCE)
    virsh("define", path)
    return virsh


@pytest.fixture
def running(defined):
    defined("start", NAME)
    return defined


def source(daemon):
    return (daemon.root / f"etc/domaind/domains/{NAME}.xml").read_text()


def affinities(daemon):
    """{thread's name: the processors it may run on}, of a machine's process; workers that come and go left out."""
    found = {}
    for task in pathlib.Path(f"/proc/{daemon.machines()[NAME]}/task").iterdir():
        fields = dict(line.split(":\t", 1) for line in (task / "status").read_text().splitlines() if ":\t" in line)
        if fields["Name"] != "worker":
            found[fields["Name"]] = fields["Cpus_allowed_list"]
    return found


def group(daemon, controller):
    """The directory of the machine's group in a hierarchy of version 1."""
    for line in pathlib.Path(f"/proc/{daemon.machines()[NAME]}/cgroup").read_text().splitlines():
        _, names, path = line.split(":", 2)
        if controller in names.split(","):
            return pathlib.Path("/sys/fs/cgroup") / controller / path.removeprefix("/")
    pytest.skip(f"'{controller}' is in a hierarchy of version 2")
    return None


def value(directory, file):
    return (directory / file).read_text().strip()


# Processors.

def test_vcpus_are_pinned_while_they_run(daemon, running):
    running("vcpupin", NAME, "1", "0", "--live")
    assert affinities(daemon)["CPU 1/TCG"] == "0"
    assert running.table("vcpupin", NAME)[1] == ["1", "0"]
    assert "<vcpupin vcpu='1' cpuset='0'/>" in running("dumpxml", NAME)
    assert "cputune" not in source(daemon)
    assert running.fields("vcpuinfo", NAME, "--pretty")["CPU Affinity"].startswith("0 (out of ")


def test_pins_of_a_definition_hold_when_it_starts(daemon, defined):
    defined("vcpupin", NAME, "0", "0", "--config")
    defined("emulatorpin", NAME, "0", "--config")
    defined("iothreadpin", NAME, "2", "0", "--config")
    text = source(daemon)
    assert "<!-- mine -->" in text and "<emulatorpin cpuset='0'/>" in text and "<iothreadpin iothread='2' cpuset='0'/>" in text
    defined("start", NAME)
    found = affinities(daemon)
    assert (found["CPU 0/TCG"], found["qemu-system-x86"], found["IO iothread2"]) == ("0", "0", "0")
    assert found["CPU 1/TCG"] == affinities_of_the_test()


def affinities_of_the_test():
    return next(line.split(":\t")[1] for line in pathlib.Path("/proc/self/status").read_text().splitlines()
                if line.startswith("Cpus_allowed_list"))


def test_a_machines_own_processors_are_all_its_threads(daemon, virsh):  # noqa: F811
    path = daemon.root / "tuned.xml"
    path.write_text(SOURCE.replace("<vcpu>", "<vcpu cpuset='0'>"))
    virsh("define", path)
    virsh("start", NAME)
    assert set(affinities(daemon).values()) == {"0"}


def test_turns_of_threads(daemon, virsh):  # noqa: F811
    path = daemon.root / "tuned.xml"
    path.write_text(SOURCE.replace("<!-- mine -->", "<cputune><vcpusched vcpus='0-1' scheduler='batch'/>"
                                                    "<iothreadsched iothreads='1' scheduler='idle'/></cputune>"))
    virsh("define", path)
    virsh("start", NAME)
    policies = {}
    for task in pathlib.Path(f"/proc/{daemon.machines()[NAME]}/task").iterdir():
        policies[(task / "comm").read_text().strip()] = (task / "stat").read_text().rpartition(")")[2].split()[38]
    assert (policies["CPU 0/TCG"], policies["CPU 1/TCG"], policies["IO iothread1"]) == ("3", "3", "5")
    assert policies["IO iothread2"] == "0"


@pytest.mark.parametrize("words, error", [
    (("vcpupin", NAME, "5", "0", "--config"), "vcpu 5 is out of range of persistent cpu count 2"),
    (("vcpupin", NAME, "5", "0", "--live"), "vcpu 5 is out of range of live cpu count 2"),
    (("iothreadpin", NAME, "9", "0", "--config"), "iothreadid 9 not found"),
    (("iothreadpin", NAME, "9", "0", "--live"), "iothread 9 not found"),
    (("schedinfo", NAME, "--config", "vcpu_period=10"), "value of 'vcpu_period' is out of range [1000, 1000000]"),
    (("schedinfo", NAME, "--config", "global_quota=10"), "value of 'global_quota' is out of range [1000, 17592186044415]"),
    (("iothreadadd", NAME, "2", "--config"), "an IOThread is already using iothread_id '2'"),
    (("iothreaddel", NAME, "9", "--live"), "cannot find IOThread '9' in iothreadids list"),
    (("iothreadset", NAME, "2", "--live", "--thread-pool-min", "3", "--thread-pool-max", "2"),
     "thread_pool_min (3) can't be greater than thread_pool_max (2)"),
    (("iothreadset", NAME, "9", "--live", "--poll-max-ns", "3"), "cannot find IOThread '9' in iothreadids"),
    (("memtune", NAME, "--config", "--hard-limit", "2G", "--swap-hard-limit", "1G"),
     "memory hard_limit tunable value must be lower than or equal to swap_hard_limit"),
    (("memtune", NAME, "--config", "--min-guarantee", "1G"), "parameter 'min_guarantee' not supported"),
    (("blkiotune", NAME, "--config", "--device-weights", "/dev/sda"), "unable to parse blkio device 'device_weight' '/dev/sda'"),
    (("blkiotune", NAME, "--config", "--device-weights", "/dev/sda,x"),
     "invalid value 'x' for parameter 'device_weight' of device '/dev/sda'"),
    (("numatune", NAME, "--config", "--mode", "preferred"),
     "nodeset for NUMA memory tuning must be set if 'placement' is 'static'"),
    (("perf", NAME, "--live", "--enable", "cmt"), "unable to enable host cpu perf event for cmt"),
])
def test_what_cannot_be(running, words, error):
    assert error in running.fails(*words)


def test_schedulers_parameters_of_a_definition(daemon, defined):
    assert set(defined.fields("schedinfo", NAME).values()) == {"posix", "0"}
    defined("schedinfo", NAME, "--config", "cpu_shares=512", "vcpu_quota=20000", "vcpu_period=50000", "emulator_quota=-1")
    assert "<shares>512</shares>" in source(daemon) and "<!-- mine -->" in source(daemon)
    found = defined.fields("schedinfo", NAME, "--config")
    assert [found[name] for name in ("cpu_shares", "vcpu_period", "vcpu_quota", "emulator_quota", "global_quota")] == [
        "512", "50000", "20000", "-1", "0"]


@needs("cpu")
def test_processor_time_of_a_running_machine(daemon, running):
    found = running.fields("schedinfo", NAME)
    assert (found["vcpu_period"], found["vcpu_quota"], found["global_quota"]) == ("100000", "-1", "-1")
    running("schedinfo", NAME, "--live", "cpu_shares=77", "vcpu_quota=20000", "vcpu_period=50000", "global_quota=80000")
    found = running.fields("schedinfo", NAME)
    assert [found[name] for name in ("cpu_shares", "vcpu_period", "vcpu_quota", "global_quota", "emulator_quota")] == [
        "77", "50000", "20000", "80000", "-1"]
    assert "<quota>20000</quota>" in running("dumpxml", NAME) and "cputune" not in source(daemon)
    directory = group(daemon, "cpu")
    assert (value(directory, "cpu.shares"), value(directory, "cpu.cfs_quota_us")) == ("77", "80000")
    assert [value(directory / f"vcpu{i}", "cpu.cfs_quota_us") for i in range(2)] == ["20000", "20000"]
    assert len(value(directory / "vcpu1", "tasks").split()) == 1
    assert "must be in range [2, 262144]" in running.fails("schedinfo", NAME, "--live", "cpu_shares=1")


@needs("cpu")
def test_groups_are_gone_with_the_machine(daemon, running):
    running("schedinfo", NAME, "--live", "vcpu_quota=20000")
    directory = group(daemon, "cpu")
    assert (directory / "vcpu0").is_dir()
    running("destroy", NAME)
    wait_for(lambda: not directory.exists(), "the end of the control group")


# Memory, disks, nodes.

@needs("memory")
def test_memory_of_a_running_machine(daemon, running):
    assert set(running.fields("memtune", NAME).values()) == {"unlimited"}
    running("memtune", NAME, "--live", "--hard-limit", "900M", "--swap-hard-limit", "1800M", "--soft-limit", "800M")
    found = running.fields("memtune", NAME)
    assert (found["hard_limit"], found["soft_limit"], found["swap_hard_limit"]) == ("921600", "819200", "1843200")
    assert "<hard_limit unit='KiB'>921600</hard_limit>" in running("dumpxml", NAME)
    running("memtune", NAME, "--live", "--hard-limit", "-1", "--swap-hard-limit", "-1", "--soft-limit", "-1")
    assert set(running.fields("memtune", NAME).values()) == {"unlimited"}
    assert "memtune" not in running("dumpxml", NAME)


@needs("memory")
def test_limits_of_a_definition_hold_when_it_starts(daemon, defined):
    defined("memtune", NAME, "--config", "--hard-limit", "900M")
    defined("schedinfo", NAME, "--config", "cpu_shares=99", "iothread_quota=30000")
    defined("start", NAME)
    assert defined.fields("memtune", NAME)["hard_limit"] == "921600"
    directory = group(daemon, "memory")
    assert value(directory, "memory.limit_in_bytes") == str(900 << 20)
    cpu = group(daemon, "cpu")
    assert (value(cpu, "cpu.shares"), value(cpu / "iothread2", "cpu.cfs_quota_us")) == ("99", "30000")


def test_disks_of_a_definition(daemon, defined):
    defined("blkiotune", NAME, "--config", "--weight", "300", "--device-read-bytes-sec", "/dev/sda,1000,/dev/sdb,7")
    defined("blkiotune", NAME, "--config", "--device-weights", "/dev/sdb,200", "--device-read-bytes-sec", "/dev/sda,0")
    found = defined.fields("blkiotune", NAME)
    assert (found["weight"], found["device_weight"], found["device_read_bytes_sec"]) == ("300", "/dev/sdb,200", "/dev/sdb,7")
    assert "/dev/sda" not in source(daemon)


@needs("blkio")
def test_weight_of_a_running_machine(running):
    before = running.fields("blkiotune", NAME)["weight"]
    if before == "0":
        pytest.skip("no scheduler of this host's disks knows weights")
    running("blkiotune", NAME, "--live", "--weight", "300")
    assert running.fields("blkiotune", NAME)["weight"] == "300"
    assert "must be a block device" in running.fails("blkiotune", NAME, "--live", "--device-read-iops-sec", "/dev/null,5")


def test_nodes_of_a_definition(daemon, defined):
    defined("numatune", NAME, "--config", "--mode", "interleave", "--nodeset", "0")
    assert "<memory mode='interleave' nodeset='0'/>" in source(daemon)
    found = defined.fields("numatune", NAME)
    assert (found["numa_mode"], found["numa_nodeset"]) == ("interleave", "0")


@needs("cpuset")
def test_nodes_of_a_running_machine(daemon, virsh):  # noqa: F811
    path = daemon.root / "tuned.xml"
    path.write_text(SOURCE.replace("<!-- mine -->", "<numatune><memory mode='restrictive' nodeset='0'/></numatune>"))
    virsh("define", path)
    virsh("start", NAME)
    assert virsh.fields("numatune", NAME)["numa_mode"] == "restrictive"
    virsh("numatune", NAME, "--live", "--nodeset", "0")
    assert "can't change numatune mode for running domain" in virsh.fails("numatune", NAME, "--live", "--mode", "strict")
    assert value(group(daemon, "cpuset"), "cpuset.mems") == "0"


def test_counted_events_of_a_definition(daemon, defined):
    defined("perf", NAME, "--config", "--enable", "cache_misses,cmt", "--disable", "cpu_cycles")
    found = defined.fields("perf", NAME)
    assert [found[name] for name in ("cmt", "cache_misses", "cpu_cycles")] == ["enabled", "enabled", "disabled"]
    assert "<event name='cpu_cycles' enabled='no'/>" in source(daemon)


# I/O threads.

def test_io_threads_of_a_running_machine(daemon, running):
    running("iothreadadd", NAME, "7", "--live")
    assert "IO iothread7" in affinities(daemon)
    running("iothreadpin", NAME, "7", "0", "--live")
    assert affinities(daemon)["IO iothread7"] == "0"
    assert ["7", "0"] in running.table("iothreadinfo", NAME)
    running("iothreadset", NAME, "7", "--live", "--poll-max-ns", "5", "--poll-grow", "3", "--thread-pool-max", "9")
    stats = running("domstats", NAME, "--iothread")
    assert all(line in stats for line in ("iothread.count=3", "iothread.7.poll-max-ns=5", "iothread.7.poll-grow=3"))
    running("iothreaddel", NAME, "7", "--live")
    wait_for(lambda: "IO iothread7" not in affinities(daemon), "the end of the thread")
    assert "iothread='7'" not in running("dumpxml", NAME) and "iothread.count=2" in running("domstats", NAME, "--iothread")


def test_io_threads_of_a_definition(daemon, defined):
    defined("iothreadadd", NAME, "5", "--config")
    defined("iothreadset", NAME, "5", "--config", "--thread-pool-min", "2", "--thread-pool-max", "8")
    defined("iothreaddel", NAME, "1", "--config")
    text = source(daemon)
    assert "<iothreads>2</iothreads>" in text and "<!-- mine -->" in text
    assert "<iothread id='5' thread_pool_min='2' thread_pool_max='8'/>" in text and "id='1'" not in text
    assert [row[0] for row in defined.table("iothreadinfo", NAME)] == ["2", "5"]


def test_an_io_thread_in_use_stays(daemon, virsh):  # noqa: F811
    image = daemon.root / "disk.img"
    image.write_bytes(bytes(1 << 20))
    path = daemon.root / "tuned.xml"
    path.write_text(SOURCE.replace("<memballoon", f"<disk type='file'><driver name='qemu' type='raw' iothread='2'/>"
                                                  f"<source file='{image}'/><target dev='vda' bus='virtio'/></disk><memballoon"))
    virsh("define", path)
    virsh("start", NAME)
    for flag in ("--live", "--config"):
        assert "cannot remove IOThread 2 since it is being used by disk 'vda'" in virsh.fails("iothreaddel", NAME, "2", flag)


# python3-libvirt.

@pytest.fixture
def connection(daemon):
    libvirt.registerErrorHandler(lambda context, error: None, None)
    libvirt.virEventRegisterDefaultImpl()
    connection = libvirt.open(f"qemu:///session?socket={daemon.root}/run/domaind/libvirt-sock")
    yield connection
    connection.close()


def test_names_order_and_types(running, connection):
    domain = connection.lookupByName(NAME)
    assert domain.schedulerType() == ("posix", 9)
    assert list(domain.schedulerParametersFlags(CONFIG)) == [
        "cpu_shares", "vcpu_period", "vcpu_quota", "emulator_period", "emulator_quota", "global_period", "global_quota",
        "iothread_period", "iothread_quota"]
    assert domain.memoryParameters(CONFIG) == dict.fromkeys(("hard_limit", "soft_limit", "swap_hard_limit"), 9007199254740991)
    assert domain.numaParameters(CONFIG) == {"numa_mode": 0, "numa_nodeset": ""}
    assert domain.blkioParameters(CONFIG)["weight"] == 0
    assert len(domain.perfEvents(CONFIG)) == 22
    for get in (domain.memoryParameters, domain.emulatorPinInfo, domain.ioThreadInfo, domain.perfEvents):
        with pytest.raises(libvirt.libvirtError) as refused:
            get(64)
        assert refused.value.get_error_code() == libvirt.VIR_ERR_INVALID_ARG


def test_pins_as_python_has_them(running, connection):
    domain = connection.lookupByName(NAME)
    cpus = len(domain.emulatorPinInfo(LIVE))
    only_first = (True,) + (False,) * (cpus - 1)
    domain.pinVcpu(1, only_first)
    domain.pinEmulator(only_first, CONFIG)
    assert domain.vcpuPinInfo(LIVE)[1] == only_first and all(domain.vcpuPinInfo(LIVE)[0])
    assert domain.emulatorPinInfo(CONFIG) == only_first and all(domain.emulatorPinInfo(LIVE))
    assert domain.vcpus()[1][1] == only_first
    assert domain.ioThreadInfo(LIVE) == [(1, [True] * cpus), (2, [True] * cpus)]
    with pytest.raises(libvirt.libvirtError) as refused:
        domain.pinVcpu(0, (False,) * cpus)
    assert "Empty cpu list for pinning" in str(refused.value)


def test_parameters_of_another_name_or_type(running, connection):
    domain = connection.lookupByName(NAME)
    for values, words in (({"foo": 1}, "parameter 'foo' not supported"),
                          ({"poll_max_ns": 3_000_000_000}, "must be less than or equal to 2147483647"),
                          ({"thread_pool_max": 0}, "must be a positive number or -1")):
        with pytest.raises(libvirt.libvirtError) as refused:
            domain.setIOThreadParams(1, values, LIVE)
        assert words in str(refused.value)


def test_a_change_while_it_runs_is_an_event(running, connection):
    domain = connection.lookupByName(NAME)
    seen = []
    connection.domainEventRegisterAny(domain, libvirt.VIR_DOMAIN_EVENT_ID_TUNABLE,
                                      lambda _connection, _domain, parameters, _data: seen.append(parameters), None)
    cpus = len(domain.emulatorPinInfo(LIVE))
    domain.pinVcpuFlags(0, (True,) + (False,) * (cpus - 1), LIVE)
    domain.pinIOThread(2, (True,) + (False,) * (cpus - 1), LIVE | CONFIG)
    domain.pinEmulator((True,) + (False,) * (cpus - 1), CONFIG)

    def both():
        libvirt.virEventRunDefaultImpl()
        return len(seen) >= 2

    libvirt.virEventAddTimeout(50, lambda *_: None, None)
    wait_for(both, "the events")
    assert seen == [{"cputune.vcpupin0": "0"}, {"cputune.iothreadpin2": "0"}]
