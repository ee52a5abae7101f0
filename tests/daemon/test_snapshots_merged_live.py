# SPDX-License-Identifier: LGPL-2.1-or-later
"""External snapshots deleted while the machine runs: its block jobs merge the images, what it wrote stays, and so does
what every other snapshot is; the daemon and QEMU killed meanwhile."""

import os
import re
import signal
import subprocess

import libvirt
import pytest

from conftest import domain_path, kill_and_wait, wait_for
from test_cut_short import killed  # noqa: F401
from test_snapshots import DISK_ONLY, UUID, Machine, memory

PATH = domain_path(UUID)
DOMAIN, SNAPSHOT = "org.libvirt.Domain", "org.libvirt.DomainSnapshot"
NAMES = ("one", "two", "three")
CHILDREN, METADATA, CHILDREN_ONLY = (libvirt.VIR_DOMAIN_SNAPSHOT_DELETE_CHILDREN,
                                     libvirt.VIR_DOMAIN_SNAPSHOT_DELETE_METADATA_ONLY,
                                     libvirt.VIR_DOMAIN_SNAPSHOT_DELETE_CHILDREN_ONLY)
STEPS_MAX = 120


def snapshot_path(name):
    return f"/org/libvirt/QEMU/domainsnapshot/_{UUID.replace('-', '_')}_{name}"


def guest_writes(machine, value, block=0):
    """As the guest would, through QEMU: @value into a block of each disk, and a flush."""
    for target in machine.images:
        xml = machine.domain.XMLDesc()
        alias = re.search(rf"<target dev='{target}'(?:(?!</disk>).)*?<alias name='([^']+)'", xml, re.S).group(1)
        for words in (f"write -P {value} {block * 65536} 64k", "flush"):
            answer = subprocess.run(
                ["virsh", "-c", f"qemu:///session?socket={machine.daemon.root}/run/domaind/libvirt-sock",
                 "qemu-monitor-command", "--hmp", "vm",
                 f"qemu-io -d /machine/peripheral/{alias}/virtio-backend \"{words}\""],
                check=True, capture_output=True, text=True).stdout
            assert "rror" not in answer, answer


def images(machine):
    return sorted(path.name for path in machine.daemon.root.glob("vd*"))


def make_three(machine, write, inside=lambda daemon, name: "", flags=DISK_ONLY):
    """Three snapshots; block 0 is 0x11, 0x22, 0x33 in them, and 0x44 now."""
    for number, name in enumerate(NAMES):
        write(machine, 0x11 * (number + 1))
        machine.snapshot(name, flags, inside(machine.daemon, name))
    write(machine, 0x44)


def check_all(machine, left):
    """What it has now, and what each snapshot is, after the machine has ended."""
    if machine.domain.isActive():
        machine.domain.destroy()
    machine.check()
    assert not machine.intent().exists()
    assert machine.has(0x44)
    assert sorted(machine.domain.snapshotListNames()) == sorted(left)
    for name in left:
        machine.domain.revertToSnapshot(machine.domain.snapshotLookupByName(name))
        if machine.domain.isActive():
            machine.domain.destroy()
        assert machine.has(0x11 * (NAMES.index(name) + 1)), name
    machine.check()


@pytest.mark.parametrize("made", ["off", "running", "with memory"])
@pytest.mark.parametrize("gone", NAMES)
def test_one_of_three(daemon, made, gone):
    machine = Machine(daemon)
    if made == "off":
        make_three(machine, Machine.write)
        machine.domain.create()
    else:
        machine.domain.create()
        make_three(machine, guest_writes, *([memory, 0] if made == "with memory" else []))
    machine.domain.snapshotLookupByName(gone).delete()
    assert machine.domain.isActive()
    assert images(machine) == sorted(f"{disk}.{name}" for disk in ("vda", "vdb")
                                     for name in ("qcow2", *NAMES) if name != gone)
    assert not (daemon.root / f"{gone}.memory").exists()
    guest_writes(machine, 0x55, block=1)
    machine.domain.destroy()
    assert machine.has(0x55, block=1)
    check_all(machine, [name for name in NAMES if name != gone])


@pytest.mark.parametrize("flags, left", [(CHILDREN, ["one"]), (CHILDREN_ONLY, ["one", "two"]),
                                         (METADATA, ["one", "three"])])
def test_with_what_follows(daemon, flags, left):
    machine = Machine(daemon)
    machine.domain.create()
    make_three(machine, guest_writes)
    machine.domain.snapshotLookupByName("two").delete(flags)
    names = NAMES if flags == METADATA else left
    assert images(machine) == sorted(f"{disk}.{name}" for disk in ("vda", "vdb") for name in ("qcow2", *names))
    assert machine.domain.snapshotCurrent().getName() == left[-1]
    check_all(machine, left)


def test_a_branch_that_the_machine_does_not_use(daemon):
    """Two branches: the images of the other one are merged by the daemon, for QEMU has them not."""
    machine = Machine(daemon)
    machine.write(0x11)
    machine.snapshot("one", DISK_ONLY)
    machine.write(0x22)
    machine.snapshot("two", DISK_ONLY)
    machine.write(0x33)
    machine.snapshot("three", DISK_ONLY)
    machine.domain.revertToSnapshot(machine.domain.snapshotLookupByName("one"))
    machine.write(0x44)
    machine.domain.create()
    machine.domain.snapshotLookupByName("two").delete()
    check_all(machine, ["one", "three"])


def test_clients_see_the_job(daemon):
    machine = Machine(daemon)
    machine.domain.create()
    machine.snapshot("one", DISK_ONLY)
    with daemon.signals(DOMAIN) as seen:
        machine.domain.snapshotLookupByName("one").delete()
        expected = [(target, 4, status) for target in ("vda", "vdb") for status in (3, 0)]
        wait_for(lambda: [arguments for _, member, arguments in seen if member == f"{DOMAIN}.BlockJob"] == expected,
                 "the events of two active commits")


def test_a_disk_with_a_job_of_its_own(daemon):
    machine = Machine(daemon)
    machine.domain.create()
    make_three(machine, guest_writes)
    copy = f"<disk type='file'><driver type='qcow2'/><source file='{daemon.root}/copy'/></disk>"
    machine.domain.blockCopy("vdb", copy, {}, libvirt.VIR_DOMAIN_BLOCK_COPY_TRANSIENT_JOB)
    with pytest.raises(libvirt.libvirtError, match="disk 'vdb' already in active block job"):
        machine.domain.snapshotLookupByName("three").delete()
    machine.domain.blockJobAbort("vdb")
    machine.domain.snapshotLookupByName("three").delete()
    check_all(machine, ["one", "two"])


def anew(killed):  # noqa: F811
    """The machine with its three snapshots, and nothing of what was before."""
    for image in killed.root.glob("vd*"):
        image.unlink()
    machine = Machine(killed)
    machine.domain.create()
    make_three(machine, guest_writes)
    return machine


@pytest.mark.parametrize("gone", ["two", "three"])
@pytest.mark.parametrize("moment", ["after", "disk"])
def test_the_daemon_killed_at_each_step(killed, gone, moment):  # noqa: F811
    """"three" is on top and pivots, "two" does not. Whatever was begun is ended by the next daemon."""
    over, number = False, 1
    while not over:
        assert number < STEPS_MAX
        killed.start()
        machine = anew(killed)
        killed.kill()
        killed.start_to_be_killed()
        machine.again()
        wait_for(lambda: machine.state() == libvirt.VIR_DOMAIN_RUNNING, "the machine")
        over = not killed.cut(moment, number, snapshot_path(gone), SNAPSHOT, "Delete", "(u)", 0)
        killed.start()
        machine.again()
        machine.domain.suspend()  # has the domain's lock after what was cut short
        machine.domain.resume()
        assert not machine.intent().exists(), killed.log()
        begun = gone not in machine.domain.snapshotListNames()
        assert begun or (not over and number <= 4), killed.log()
        guest_writes(machine, 0x66, block=2)
        machine.domain.destroy()
        assert machine.has(0x66, block=2)
        if begun:
            assert images(machine) == sorted(f"{disk}.{name}" for disk in ("vda", "vdb")
                                             for name in ("qcow2", *NAMES) if name != gone)
        check_all(machine, [name for name in NAMES if name != gone or not begun])
        machine.domain.undefineFlags(libvirt.VIR_DOMAIN_UNDEFINE_SNAPSHOTS_METADATA)
        killed.kill()
        number += max(1, number // 2)  # the first ones are the planning, the rest one disk like the other
    assert number > 3


@pytest.mark.parametrize("gone", ["two", "three"])
def test_the_machine_killed_meanwhile(daemon, gone):
    """The deletion fails, and what is left of the snapshot can be deleted, and nothing else."""
    machine = Machine(daemon)
    machine.domain.create()
    make_three(machine, guest_writes)
    (qemu,) = daemon.machines().values()
    os.kill(qemu, signal.SIGSTOP)
    answer = daemon.begin(snapshot_path(gone), SNAPSHOT, "Delete", "(u)", 0)
    wait_for(lambda: machine.intent().exists(), "the deletion to begin")
    kill_and_wait(qemu)
    wait_for(lambda: answer, "the answer")
    assert re.search("image '.*' of disk 'vda' cannot be merged into", str(answer[0]))
    with pytest.raises(libvirt.libvirtError, match=f"snapshot '{gone}' is being deleted"):
        machine.domain.revertToSnapshot(machine.domain.snapshotLookupByName(gone))
    machine.domain.snapshotLookupByName(gone).delete()
    check_all(machine, [name for name in NAMES if name != gone])
