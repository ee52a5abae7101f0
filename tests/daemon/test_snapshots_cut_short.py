# SPDX-License-Identifier: LGPL-2.1-or-later
"""The daemon killed at each step of making a snapshot, going back to one and deleting one: the next daemon
finishes or undoes it, no block is lost, and the domain can be worked with as if nothing had been."""

import libvirt
import pytest

from conftest import domain_path, wait_for
from test_cut_short import killed  # noqa: F401
from test_snapshots import DISK_ONLY, UUID, Machine

PATH = domain_path(UUID)
DOMAIN, SNAPSHOT = "org.libvirt.Domain", "org.libvirt.DomainSnapshot"
STEPS_MAX = 60


def snapshot_path(name):
    return f"/org/libvirt/QEMU/domainsnapshot/_{UUID.replace('-', '_')}_{name}"


def settled(machine):
    """After the kill: a new daemon, and nothing under way."""
    machine.daemon.start()
    machine.again()
    wait_for(lambda: not machine.intent().exists(), "the end of what was under way")
    machine.check()


@pytest.mark.parametrize("flags", [0, DISK_ONLY], ids=["internal", "external"])
def test_each_step_of_a_machine_that_is_off(killed, flags):  # noqa: F811
    killed.start()
    machine = Machine(killed)
    machine.write(0x11)
    machine.snapshot("first", flags)
    machine.write(0x22)
    whole = {"create": False, "revert": False, "delete": False}
    for number in range(1, STEPS_MAX):
        for verb in whole:
            if whole[verb]:
                continue
            name = f"n{number}{verb}"
            machine.write(0x33, block=1)
            if verb == "delete":
                machine.snapshot(name, flags)
                machine.write(0x44, block=1)
            killed.kill()
            killed.start_to_be_killed()
            call = {"create": (PATH, DOMAIN, "SnapshotCreateXML", "(su)",
                               f"<domainsnapshot><name>{name}</name></domainsnapshot>", flags),
                    "revert": (snapshot_path("first"), SNAPSHOT, "Revert", "(u)", 0),
                    "delete": (snapshot_path(name), SNAPSHOT, "Delete", "(u)", 0)}[verb]
            whole[verb] = not killed.cut("disk", number, *call)
            settled(machine)
            if verb == "revert":
                assert machine.has(0x11) or (machine.has(0x22) and machine.has(0x33, block=1))
                if not machine.has(0x11):
                    machine.domain.revertToSnapshot(machine.domain.snapshotLookupByName("first"))
                assert machine.has(0x11)
                machine.write(0x22)
            else:
                assert machine.has(0x22)
                assert machine.has(0x44 if verb == "delete" else 0x33, block=1)
            for left in machine.domain.listAllSnapshots():
                if left.getName() == name:
                    left.delete()
            assert machine.has(0x22)
        if all(whole.values()):
            break
    assert all(whole.values()), whole
    assert number > 3


@pytest.mark.parametrize("moment", ["before", "after"])
@pytest.mark.parametrize("kind", ["internal", "external", "with memory"])
def test_each_command_of_a_machine_that_runs(killed, kind, moment):  # noqa: F811
    killed.start()
    machine = Machine(killed)
    machine.write(0x11)
    over = False
    for number in range(1, STEPS_MAX):
        name = f"n{number}"
        machine.domain.create()
        killed.kill()
        killed.start_to_be_killed()
        inside = f"<memory snapshot='external' file='{killed.root}/{name}.memory'/>" if kind == "with memory" else ""
        over = not killed.cut(moment, number, PATH, DOMAIN, "SnapshotCreateXML", "(su)",
                              f"<domainsnapshot><name>{name}</name>{inside}</domainsnapshot>",
                              DISK_ONLY if kind == "external" else 0)
        killed.start()
        machine.again()
        machine.domain.suspend()  # has the domain's lock after what was cut short
        assert not machine.intent().exists(), killed.log()
        machine.domain.destroy()
        machine.check()
        assert machine.has(0x11)
        for left in machine.domain.listAllSnapshots():
            machine.domain.revertToSnapshot(left)
            if machine.domain.isActive():
                machine.domain.destroy()
            assert machine.has(0x11)
            left.delete()
        assert machine.has(0x11)
        assert not list(killed.root.glob("*.memory"))
        if over:
            break
    assert over and number > 3
