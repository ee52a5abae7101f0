# SPDX-License-Identifier: LGPL-2.1-or-later
"""Random sequences of what can be done with snapshots, beside a model of what each block should be: no block that a
snapshot or the machine should read is another, and no image has an error, whatever came before and though the
daemon is killed in between. A sequence is known by its number; SNAPSHOT_SEQUENCES says how many are tried."""

import contextlib
import os
import random

import libvirt
import pytest

from test_snapshots import DISK_ONLY, Machine

STEPS = 14
BLOCKS = 4
SEQUENCES = int(os.environ.get("SNAPSHOT_SEQUENCES", "4"))


class Model:
    """What the disks hold, and what they held at each snapshot."""

    def __init__(self):
        self.now = [0] * BLOCKS
        self.snapshots = {}


@pytest.mark.parametrize("number", range(SEQUENCES))
def test_no_block_is_lost(daemon, number):
    chance = random.Random(number)
    machine, model = Machine(daemon), Model()
    done = []
    for step in range(STEPS):
        verb = chance.choice(["write", "write", "internal", "external", "external", "revert", "delete", "kill"])
        name = chance.choice(sorted(model.snapshots)) if model.snapshots else None
        done.append((verb, name))
        if verb == "write":
            block, value = chance.randrange(BLOCKS), chance.randrange(1, 255)
            machine.write(value, block)
            model.now[block] = value
        elif verb in ("internal", "external"):
            machine.snapshot(f"s{step}", DISK_ONLY if verb == "external" else 0)
            model.snapshots[f"s{step}"] = list(model.now)
        elif verb == "kill":
            daemon.kill()
            daemon.start()
            machine.again()
        elif name is not None:
            snapshot = machine.domain.snapshotLookupByName(name)
            if verb == "delete":
                snapshot.delete()
                del model.snapshots[name]
            else:
                with contextlib.suppress(libvirt.libvirtError):  # one inside of an image that is needed as it is
                    machine.domain.revertToSnapshot(snapshot)
                    model.now = list(model.snapshots[name])
        assert all(machine.has(value, block) for block, value in enumerate(model.now)), done
        assert sorted(machine.domain.snapshotListNames()) == sorted(model.snapshots), done
    for name, blocks in model.snapshots.items():
        try:
            machine.domain.revertToSnapshot(machine.domain.snapshotLookupByName(name))
        except libvirt.libvirtError as refused:
            assert "it must be deleted before" in str(refused), done
            continue
        assert all(machine.has(value, block) for block, value in enumerate(blocks)), (done, name)
    machine.check()
