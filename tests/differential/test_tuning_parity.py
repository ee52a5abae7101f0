# SPDX-License-Identifier: LGPL-2.1-or-later
"""What virsh prints while a machine is tuned: the same words as with the real libvirtd, refusals too.

libvirtd is run without control groups, so a running machine's limits are left out; tests/clients has them.
"""

import difflib
import re

import pytest
from test_output_parity import virsh

NAME = "tuned"
DOCUMENT = """<domain type='qemu'>
  <name>tuned</name>
  <uuid>3b4a1f5e-9a5c-4f4e-8c0d-0a6a5f1c2d3f</uuid>
  <memory unit='MiB'>64</memory>
  <vcpu>2</vcpu>
  <iothreads>2</iothreads>
  <os><type arch='x86_64' machine='q35'>hvm</type></os>
  <devices><memballoon model='none'/></devices>
</domain>
"""

OF_A_DEFINITION = [
    "memtune --config",
    "memtune --config --hard-limit 100M --soft-limit 50M",
    "memtune --config --hard-limit 100M --swap-hard-limit 200M",
    "memtune --config --min-guarantee 5",
    "memtune --config",
    "memtune --live",
    "memtune --live --config",
    "blkiotune --config",
    "blkiotune --config --weight 300 --device-weights /dev/sda,500,/dev/sdb,5",
    "blkiotune --config --device-weights /dev/sda,0 --device-write-iops-sec /dev/sdc,7",
    "blkiotune --config --device-weights /dev/sda",
    "blkiotune --config --device-weights /dev/sda,x",
    "blkiotune --config --device-read-bytes-sec /dev/sda,99999999999999999999",
    "blkiotune --config",
    "numatune --config",
    "numatune --config --mode preferred",
    "numatune --config --nodeset 0",
    "numatune --config --mode interleave",
    "numatune --config --nodeset x",
    "numatune --config",
    "vcpupin",
    "vcpupin --vcpu 0 --cpulist 0 --config",
    "vcpupin --vcpu 7 --cpulist 0 --config",
    "vcpupin --vcpu 0 --cpulist 0 --live",
    "vcpupin --config",
    "emulatorpin",
    "emulatorpin --cpulist 0 --config",
    "emulatorpin --config",
    "iothreadinfo",
    "iothreadadd --id 5 --config",
    "iothreadadd --id 5 --config",
    "iothreadadd --id 0 --config",
    "iothreadadd --id 6 --live",
    "iothreadpin --iothread 5 --cpulist 0 --config",
    "iothreadpin --iothread 9 --cpulist 0 --config",
    "iothreadset --id 5 --config --thread-pool-min 2 --thread-pool-max 8",
    "iothreadset --id 5 --config --thread-pool-min 9",
    "iothreadset --id 5 --config --thread-pool-max 0",
    "iothreadset --id 9 --config --thread-pool-max 1",
    "iothreaddel --id 9 --config",
    "iothreaddel --id 2 --config",
    "iothreadinfo --config",
    "perf --enable cmt,cache_misses --disable cpu_cycles --config",
    "perf --config",
    "perf --disable cmt,cache_misses --config",
    "vcpuinfo",
    "vcpuinfo --pretty",
    "dumpxml --inactive",
]

OF_A_RUNNING_MACHINE = [
    "vcpupin --vcpu 1 --cpulist 0 --live",
    "vcpupin --vcpu 7 --cpulist 0 --live",
    "vcpupin",
    "emulatorpin --cpulist 0 --live",
    "emulatorpin",
    "iothreadadd --id 7 --live",
    "iothreadadd --id 7 --live",
    "iothreadpin --iothread 7 --cpulist 0 --live",
    "iothreadpin --iothread 9 --cpulist 0 --live",
    "iothreadset --id 7 --live --poll-max-ns 5 --thread-pool-max 9",
    "iothreadset --id 7 --live --thread-pool-min 10 --thread-pool-max 9",
    "iothreadset --id 7 --live --thread-pool-max -1",
    "iothreadset --id 9 --live --poll-max-ns 5",
    "iothreadinfo",
    "domstats --iothread",
    "iothreaddel --id 9 --live",
    "iothreaddel --id 7 --live",
    "iothreadinfo",
    "numatune",
    "vcpuinfo --pretty",
]



ITCO = re.compile(r"^ +<watchdog model='itco' action='reset'(?:/>|>\n +<alias name='watchdog0'/>\n +</watchdog>)\n", re.MULTILINE)


def lines_of(command, text):
    """QEMU tells of its threads in no order that means anything; libvirt shows a q35's own watchdog since 9.1."""
    text = ITCO.sub("", text)
    if command.startswith(("iothreadinfo", "domstats")):
        return sorted(text.splitlines())
    return [line for line in text.splitlines() if not line.startswith(("CPU time:", "CPU:", "    <emulator>"))]


def tell(uri, tmp_path):
    path = tmp_path / "tuned.xml"
    path.write_text(DOCUMENT)
    virsh(uri, "define", path)
    try:
        told = [(command, lines_of(command, say(uri, command))) for command in OF_A_DEFINITION]
        # What waits for the host's control groups is taken out again.
        path.write_text(DOCUMENT)
        virsh(uri, "define", path)
        virsh(uri, "start", NAME, "--paused")
        told += [(command, lines_of(command, say(uri, command))) for command in OF_A_RUNNING_MACHINE]
    finally:
        virsh(uri, "destroy", NAME)
        virsh(uri, "undefine", NAME)
    return told


def say(uri, command):
    name, _, rest = command.partition(" ")
    return virsh(uri, name, NAME, *rest.split())


def test_the_same_words(uris, tmp_path):
    ours, theirs = (tell(uri, tmp_path) for uri in uris)
    different = [line for (command, left), (_, right) in zip(ours, theirs)
                 for line in difflib.unified_diff(right, left, f"{command} (libvirtd)", "domaind", lineterm="", n=1)]
    assert not different, "\n".join(different)
    assert len(ours) == len(theirs) == len(OF_A_DEFINITION) + len(OF_A_RUNNING_MACHINE)


@pytest.mark.parametrize("part, words", [
    ("<cputune><quota>20000</quota></cputune>", "cgroup cpu is required for scheduler tuning"),
    ("<numatune><memory mode='strict' nodeset='4000'/></numatune>", "NUMA node 4000 is unavailable"),
    ("<cputune><vcpusched vcpus='0' scheduler='fifo' priority='300'/></cputune>",
     "Scheduler priority 300 out of range [1, 99]"),
])
def test_machines_that_do_not_start(uris, tmp_path, part, words):
    """Refused with the same words, where the host has what is asked for and where it has not."""
    path = tmp_path / "tuned.xml"
    path.write_text(DOCUMENT.replace("<os>", part + "<os>"))
    ours, theirs = (virsh(uri, "create", path, "--paused") for uri in uris)
    for uri in uris:
        virsh(uri, "destroy", NAME)
    assert words in theirs
    assert words in ours or "quota" in part
