# SPDX-License-Identifier: LGPL-2.1-or-later
"""Machines that move between two daemons on one host, each with its own root, by an unmodified virsh."""

import re
import subprocess
import threading

import libvirt
import pytest

from conftest import domain_xml, initrd_with, wait_for
from migration import UUID, is_alone, migrate, pair, start, words, write  # noqa: F401
from virsh import guest  # noqa: F401


@pytest.mark.parametrize("way", [["--live"], [], ["--live", "--p2p"], ["--live", "--persistent", "--undefinesource"],
                                 ["--p2p", "--persistent", "--undefinesource"]], ids=" ".join)
def test_a_machine_moves(pair, way):
    source, target = pair
    start(source)
    migrate(source, target, *way)
    is_alone(source, target)
    assert target("domstate", "web", "--reason").strip() == "running (migrated)"
    assert ("web" in source("list", "--all", "--name")) == ("--undefinesource" not in way)
    assert target.fields("dominfo", "web")["Persistent"] == ("yes" if "--persistent" in way else "no")
    if "--undefinesource" not in way:
        assert source("domstate", "web", "--reason").strip() == "shut off (migrated)"


def test_a_paused_machine_stays_paused(pair):
    source, target = pair
    start(source)
    source("suspend", "web")
    migrate(source, target, "--live")
    is_alone(source, target)
    assert target("domstate", "web", "--reason").strip() == "paused (user)"
    target("resume", "web")
    assert target("domstate", "web").strip() == "running"


@pytest.mark.parametrize("way", [[], ["--p2p"]], ids=" ".join)
def test_a_definition_moves_without_its_machine(pair, way):
    source, target = pair
    source("define", write(source, domain_xml("web", UUID)))
    migrate(source, target, "--offline", "--persistent", "--undefinesource", *way)
    assert source("list", "--all", "--name").split() == []
    assert target("list", "--all", "--name").split() == ["web"]
    assert target("domuuid", "web").strip() == UUID
    target("start", "web")


def test_a_machine_gets_another_name(pair):
    source, target = pair
    start(source)
    migrate(source, target, "--live", "--persistent", "--dname", "other")
    assert target("list", "--name").split() == ["other"]
    assert "<name>other</name>" in target("dumpxml", "other", "--inactive")
    assert source("domstate", "web", "--reason").strip() == "shut off (migrated)"


def test_a_document_for_the_target(pair):
    source, target = pair
    start(source)
    document = source("dumpxml", "web", "--migratable")
    migrate(source, target, "--live", "--xml", write(source, document.replace("</name>", "</name>\n<title>there</title>")))
    assert target("desc", "web", "--title").strip() == "there"
    migrate(target, source, "--live")
    other = write(source, document.replace("<vcpu placement='static'>1</vcpu>", "<vcpu placement='static'>2</vcpu>"))
    with pytest.raises(AssertionError, match="vCPU|vcpu"):
        migrate(source, target, "--live", "--xml", other)
    assert source("domstate", "web").strip() == "running"
    assert target("list", "--all", "--name").split() == []


REFUSED = {
    "to itself": (["--live"], "Attempt to migrate guest to the same host"),
    "rdma": (["--live"], "RDMA migration is not supported"),
    "tunnelled": (["--live", "--p2p", "--tunnelled"], "tunnelled migration is not supported"),
    "zero-copy alone": (["--live", "--zerocopy"], "zero-copy is only available for parallel migration"),
    "offline without a place": (["--offline"], "offline migration must be specified with the persistent flag set"),
    "two kinds of copies": (["--live", "--copy-storage-all", "--copy-storage-inc"], "mutually exclusive"),
    "unknown method": (["--live", "--compressed", "--comp-methods", "magic"], "Unsupported compression method 'magic'"),
}


@pytest.mark.parametrize("what", REFUSED)
def test_what_cannot_be_is_refused_by_name(pair, what):
    source, target = pair
    more, reason = REFUSED[what]
    start(source)
    with pytest.raises(AssertionError) as refused:
        if what == "tunnelled":
            source("migrate", *more, "web", target.uri.replace("qemu:", "qemu+unix:"))
        else:
            migrate(source, source if what == "to itself" else target, *more,
                    uri="rdma://127.0.0.1" if what == "rdma" else "tcp://127.0.0.1")
    assert reason in str(refused.value)
    assert source("domstate", "web").strip() == "running"
    assert target("list", "--all", "--name").split() == []
    migrate(source, target, "--live")
    is_alone(source, target)


def test_a_disk_of_this_host_alone(pair):
    source, target = pair
    disk = source.daemon.root / "disk.raw"
    subprocess.run(["qemu-img", "create", "-q", "-f", "raw", disk, "1M"], check=True)
    start(source, devices=f"<disk type='file' device='disk'><driver name='qemu' type='raw'/><source file='{disk}'/>"
                          "<target dev='vda' bus='virtio'/></disk>")
    with pytest.raises(AssertionError, match="Migration without shared storage is unsafe"):
        migrate(source, target, "--live")
    migrate(source, target, "--live", "--unsafe")
    is_alone(source, target)


def test_a_display_whose_port_the_host_has_chosen(pair):
    source, target = pair
    start(source, devices="<graphics type='vnc' autoport='yes'/>")
    migrate(source, target, "--live")
    is_alone(source, target)
    assert "port='-1'" not in target("dumpxml", "web")


def test_labels_that_a_host_has_chosen_stay_there(pair):
    source, target = pair
    start(source)
    label = f"<seclabel type='dynamic' model='apparmor' relabel='yes'><label>libvirt-{UUID}</label></seclabel>\n</domain>"
    document = source("dumpxml", "web", "--migratable").replace("</domain>", label)
    migrate(source, target, "--live", "--xml", write(source, document))
    is_alone(source, target)
    assert "apparmor" not in target("dumpxml", "web")


def test_a_socket_instead_of_a_port(pair, tmp_path):
    source, target = pair
    start(source)
    migrate(source, target, "--live", "--p2p", uri=f"unix://{tmp_path}/state")
    is_alone(source, target)
    assert list(tmp_path.glob("state")) == []


@pytest.mark.parametrize("more", [["--parallel", "--parallel-connections", "3"], ["--compressed"], ["--auto-converge"],
                                  ["--parallel", "--compressed", "--comp-methods", "zstd"], ["--abort-on-error"],
                                  ["--bandwidth", "100"]], ids=" ".join)
def test_ways_of_sending(pair, more):
    source, target = pair
    start(source)
    migrate(source, target, "--live", *more)
    is_alone(source, target)
    assert target("domstate", "web").strip() == "running"


# A Linux that counts on its console and its disk: a number is said once its block is written.
COUNT = """(n=0; while n=$((n + 1)); do
  printf '%08d' $n | dd of=/dev/vda bs=512 seek=$n conv=notrunc,fsync 2>/dev/null && echo "guest: wrote $n"
done) &
"""
LINUX = """<domain type='qemu'>
  <name>web</name>
  <uuid>{uuid}</uuid>
  <memory unit='MiB'>160</memory>
  <os>
    <type arch='x86_64' machine='pc'>hvm</type>
    <kernel>{guest}/vmlinuz</kernel>
    <initrd>{initrd}</initrd>
    <cmdline>console=ttyS0 quiet</cmdline>
  </os>
  <features><acpi/><apic/></features>
  <devices>
    <disk type='file' device='disk'><driver name='qemu' type='{format}'/><source file='{disk}'/>
      <target dev='vda' bus='virtio'/></disk>
    <serial type='file'><source path='{console}' append='on'/></serial>
  </devices>
</domain>
"""


class Counter:
    """The Linux that counts, on the source."""

    def __init__(self, source, guest, place, image_format="raw"):  # noqa: F811
        self.source, self.place, self.format = source, place, image_format
        self.console = place / "console.log"
        self.disk = self.make_disk("disk")
        self.document = LINUX.format(uuid=UUID, guest=guest, initrd=initrd_with(place, COUNT), disk=self.disk,
                                     console=self.console, format=image_format)
        source("define", write(source, self.document))
        source("start", "web")
        self.reach(3)

    def make_disk(self, name):
        disk = self.place / name
        subprocess.run(["qemu-img", "create", "-q", "-f", self.format, disk, "64M"], check=True)
        return disk

    def numbers(self):
        return [int(n) for n in re.findall(rb"guest: wrote (\d+)\r?\n", self.console.read_bytes())]

    def reach(self, number):
        wait_for(lambda: self.console.exists() and [n for n in self.numbers() if n >= number], f"the number {number}")

    def goes_on(self):
        self.reach(self.numbers()[-1] + 3)

    def lost_nothing(self, disk):
        """Each number is said once, and is on the disk."""
        said = self.numbers()
        assert said == list(range(1, len(said) + 1))
        raw = self.place / "raw"
        subprocess.run(["qemu-img", "convert", "-O", "raw", disk, raw], check=True)
        content = raw.read_bytes()
        assert [int(content[512 * n:512 * n + 8]) for n in said] == said


@pytest.mark.parametrize("way", [[], ["--p2p"]], ids=" ".join)
def test_no_number_is_lost(pair, guest, tmp_path, way):  # noqa: F811
    source, target = pair
    counter = Counter(source, guest, tmp_path)
    migrate(source, target, "--live", "--unsafe", *way)
    is_alone(source, target)
    counter.goes_on()
    migrate(target, source, "--live", "--unsafe", *way)
    counter.goes_on()
    source("destroy", "web")
    counter.lost_nothing(counter.disk)


@pytest.mark.parametrize("how", ["--copy-storage-all", "--copy-storage-inc", "--copy-storage-synchronous-writes"])
def test_no_number_is_lost_without_shared_storage(pair, guest, tmp_path, how):  # noqa: F811
    source, target = pair
    counter = Counter(source, guest, tmp_path, "qcow2")
    there = counter.make_disk("copy")
    document = source("dumpxml", "web", "--migratable").replace(str(counter.disk), str(there))
    more = ["--copy-storage-all", how] if how.endswith("writes") else [how]
    migrate(source, target, "--live", *more, "--xml", write(source, document))
    is_alone(source, target)
    counter.goes_on()
    target("destroy", "web")
    counter.lost_nothing(there)


def test_a_migration_is_told_of_and_given_up(pair, guest, tmp_path):  # noqa: F811
    source, target = pair
    counter = Counter(source, guest, tmp_path)
    source("migrate-setspeed", "web", "1")
    assert source("migrate-getspeed", "web").strip() == "1"
    running = source.start(*words(target, "--live", "--unsafe"))
    wait_for(lambda: "Memory processed" in source("domjobinfo", "web"), "a figure")
    info = source.fields("domjobinfo", "web")
    assert info["Job type"] == "Unbounded"
    assert info["Operation"] == "Outgoing migration"
    assert target.fields("domjobinfo", "web")["Operation"] == "Incoming migration"
    source("migrate-setmaxdowntime", "web", "100")
    assert source("migrate-getmaxdowntime", "web").strip() == "100"
    assert "domain is locked" not in source("domstats", "web")
    source("domjobabort", "web")
    assert running.wait() == 1
    assert "canceled by client" in running.stderr.read()
    assert source("domstate", "web").strip() == "running"
    wait_for(lambda: target("list", "--all", "--name").split() == [], "the end of the target's machine")
    counter.goes_on()
    source("migrate-setspeed", "web", "0")
    migrate(source, target, "--live", "--unsafe")
    for virsh, operation in ((source, "Outgoing migration"), (target, "Incoming migration")):
        info = virsh.fields("domjobinfo", "web", "--completed")
        assert info["Job type"] == "Completed"
        assert info["Operation"] == operation
        assert int(info["Total downtime"].split()[0]) >= 0
    counter.goes_on()
    target("destroy", "web")
    counter.lost_nothing(counter.disk)


def test_events_of_both_sides(pair):
    source, target = pair
    start(source)
    seen = {source: [], target: []}
    libvirt.virEventRegisterDefaultImpl()
    connections = {virsh: libvirt.open(virsh.uri) for virsh in pair}

    def note(_connection, _domain, event, detail, virsh):
        seen[virsh].append((event, detail))

    for virsh, connection in connections.items():
        connection.domainEventRegisterAny(None, libvirt.VIR_DOMAIN_EVENT_ID_LIFECYCLE, note, virsh)
    moving = threading.Thread(target=migrate, args=(source, target, "--live", "--persistent", "--undefinesource"))
    moving.start()
    while moving.is_alive() or (libvirt.VIR_DOMAIN_EVENT_UNDEFINED, 0) not in seen[source]:
        libvirt.virEventRunDefaultImpl()
    moving.join()
    assert seen[source] == [(libvirt.VIR_DOMAIN_EVENT_SUSPENDED, libvirt.VIR_DOMAIN_EVENT_SUSPENDED_MIGRATED),
                            (libvirt.VIR_DOMAIN_EVENT_STOPPED, libvirt.VIR_DOMAIN_EVENT_STOPPED_MIGRATED),
                            (libvirt.VIR_DOMAIN_EVENT_UNDEFINED, libvirt.VIR_DOMAIN_EVENT_UNDEFINED_REMOVED)]
    assert seen[target] == [(libvirt.VIR_DOMAIN_EVENT_STARTED, libvirt.VIR_DOMAIN_EVENT_STARTED_MIGRATED),
                            (libvirt.VIR_DOMAIN_EVENT_DEFINED, libvirt.VIR_DOMAIN_EVENT_DEFINED_ADDED),
                            (libvirt.VIR_DOMAIN_EVENT_RESUMED, libvirt.VIR_DOMAIN_EVENT_RESUMED_MIGRATED)]
    for connection in connections.values():
        connection.close()
