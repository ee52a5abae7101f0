# SPDX-License-Identifier: LGPL-2.1-or-later
"""What virsh prints of a machine is the same with us as with the real libvirtd: fields, words and order.

The same document is defined and started, paused, with one daemon and then with the other; everything virsh prints on
the way is compared line by line. What cannot be equal is in two lists below: values of the moment and of the host, and
differences that are known.
"""

import difflib
import os
import re
import subprocess

import golden
import pytest

NAME = "parity"
LOOKS = [
    ["list", "--all"],
    ["list", "--all", "--title"],
    ["list", "--all", "--uuid"],
    ["list", "--all", "--name", "--persistent"],
    ["dominfo", NAME],
    ["domstate", NAME, "--reason"],
    ["domstats", NAME],
    ["domstats", NAME, "--block", "--backing"],
    ["blkdeviotune", NAME, "vda"],
    ["blkdeviotune", NAME, "vdb"],
    ["blkdeviotune", NAME, "none"],
    ["domiftune", NAME, "52:54:00:0a:0b:0c"],
    ["domblkinfo", NAME, "vda"],
    ["domblkinfo", NAME, "vdb"],
    ["domblklist", NAME],
    ["domblklist", NAME, "--details"],
    ["domblkinfo", NAME, "--all"],
    ["domiflist", NAME],
    ["dumpxml", NAME],
    ["dumpxml", NAME, "--inactive"],
    ["dumpxml", NAME, "--security-info"],
    ["dumpxml", NAME, "--update-cpu"],
    ["dumpxml", NAME, "--migratable"],
    ["dumpxml", NAME, "--inactive", "--security-info"],
    ["dumpxml", NAME, "--inactive", "--update-cpu"],
    ["dumpxml", NAME, "--inactive", "--migratable"],
    ["vcpucount", NAME],
    ["domid", NAME],
    ["domuuid", NAME],
    ["domname", "3b4a1f5e-9a5c-4f4e-8c0d-0a6a5f1c2d3e"],
    ["domcontrol", NAME],
    ["domblkstat", NAME, "vda"],
    ["domblkerror", NAME],
    ["dommemstat", NAME],
    ["domifstat", NAME, "vnet0"],
    ["domifaddr", NAME],
    ["vncdisplay", NAME],
    ["snapshot-list", NAME],
    ["checkpoint-list", NAME],
    ["metadata", NAME, "https://example.org/none"],
    ["desc", NAME],
    ["autostart", NAME, "--disable"],
]
LOOKS_AT_RUNNING = [
    ["vcpuinfo", NAME],
    ["vcpuinfo", NAME, "--pretty"],
    ["domjobinfo", NAME],
    ["domdisplay", NAME],
    ["domblkstat", NAME],
]
# On what runs and on what does not: each is refused, or done, in the same words.
STORY = [
    ["start", NAME],
    ["domrename", NAME, "other"],
    ["resume", NAME],
    ["resume", NAME],
    ["suspend", NAME],
    ["domstate", NAME, "--reason"],
    ["destroy", NAME],
    ["destroy", NAME],
    ["shutdown", NAME],
    ["suspend", NAME],
    ["reset", NAME],
    ["domstate", NAME, "--reason"],
    ["list", "--all"],
    ["undefine", NAME],
    ["undefine", NAME],
    ["net-info", "nobody"],
    ["pool-info", "nobody"],
    ["nodedev-dumpxml", "nobody"],
    ["nwfilter-dumpxml", "nobody"],
    ["secret-dumpxml", "3b4a1f5e-9a5c-4f4e-8c0d-0a6a5f1c2d3e"],
    ["iface-dumpxml", "nobody"],
]

# Values of the moment and of the host: what is found is replaced on both sides.
OF_THE_MOMENT = [
    (r"(?m)^ \d+ +(parity)", r" - \1"),
    (r"\A\d+\n", "-\n"),
    (r"(Id: +)\d+", r"\1-"),
    (r"(<domain type='qemu' id=')\d+", r"\1-"),
    (r"(block\.\d+\.physical=)\d+", r"\1-"),
    (r"(vd[ab] +\d+ +)\d+", r"\1-"),
    (r"(Allocation: +)\d+", r"\1-"),
    (r"(CPU time: +)[\d.]+s", r"\1-"),
    (r"((?:cpu\.(?:time|user|system)|balloon\.rss|vcpu\.\d+\.(?:time|wait|delay)|block\.\d+\.(?:rd|wr|fl)\.times)=)\d+", r"\1-"),
    (r"(\w+_total_times )\d+", r"\1-"),
    (r"(rss )\d+", r"\1-"),
    (r"(CPU: +)(?:\d+|N/A)", r"\1-"),
    (r"(port=')\d+(' autoport='yes')", r"\1-\2"),
    (r"127\.0\.0\.1:\d+", "127.0.0.1:-"),
    (r"/dev/pts/\d+", "/dev/pts/-"),
    (r"(mode='bind' path=')[^']+", r"\1-"),
    (r"(<emulator>)[^<]+", r"\1-"),
    (r"(Memory size: +)\d+", r"\1-"),
    (r"(CPU frequency: +)\d+", r"\1-"),
]

# Known differences: lines that only libvirtd's answer has, or that differ, and why.
KNOWN = [
    (r"^Messages: +tainted: running with undesirable elevated privileges\n", "the private libvirtd starts QEMU as root"),
    (r"^ +<resource>\n +<partition>/machine</partition>\n +</resource>\n", "a cgroup of libvirt's own layout"),
    (r"^ +<seclabel type='dynamic' model='dac'.*?</seclabel>\n", "the driver that lets libvirt start QEMU as root"),
    (r"(<driver name='qemu') type='raw'/>", "libvirt forgets the format of a drive that is empty"),
    (r"<driver name='qemu'/>", "likewise"),
    (r"^ +<watchdog model='itco' action='reset'(?:/>|>\n +<alias name='watchdog0'/>\n +</watchdog>)\n",
     "a q35 machine's own, which libvirt shows since 9.1"),
]

# The same, of machines that do not run.
KNOWN_OF_STOPPED = [
    (r"^ +cpu\.(?:time|user|system)=-\n", "there is no process; libvirtd takes its own"),
]

DOCUMENT = """<domain type='qemu'>
  <name>parity</name>
  <uuid>3b4a1f5e-9a5c-4f4e-8c0d-0a6a5f1c2d3e</uuid>
  <title>The same twice</title>
  <description>compared line by line</description>
  <memory unit='MiB'>64</memory>
  <vcpu current='1'>2</vcpu>
  <os><type arch='x86_64' machine='{machine}'>hvm</type></os>
  <features><acpi/><apic/></features>
  <devices>
    <disk type='file' device='disk'>
      <driver name='qemu' type='qcow2'/><source file='{image}'/><target dev='vda' bus='virtio'/>
    </disk>
    <disk type='file' device='disk'>
      <driver name='qemu' type='raw'/><source file='{directory}/raw.img'/><target dev='vdb' bus='virtio'/>
      <iotune><total_bytes_sec>1000000</total_bytes_sec><read_iops_sec>50</read_iops_sec></iotune>
    </disk>
    <disk type='file' device='cdrom'><target dev='{cdrom}' bus='{bus}'/><readonly/></disk>
    <interface type='user'><mac address='52:54:00:0a:0b:0c'/><model type='virtio'/></interface>
    <serial type='pty'/>
    <channel type='unix'><target type='virtio' name='org.qemu.guest_agent.0'/></channel>
    <graphics type='vnc' port='-1' passwd='secret'/>
    <video><model type='virtio'/></video>
    <rng model='virtio'><backend model='random'>/dev/urandom</backend></rng>
  </devices>
</domain>
"""


def normalize(text, running=False):
    for pattern, replacement in OF_THE_MOMENT:
        text = re.sub(pattern, replacement, text)
    for pattern, _ in KNOWN + ([] if running else KNOWN_OF_STOPPED):
        text = re.sub(pattern, "", text, flags=re.M | re.S)
    return text


def virsh(uri, *words):
    """Exit status and everything printed."""
    done = subprocess.run(["virsh", "-c", uri, *map(str, words)], env=dict(os.environ, LC_ALL="C"), text=True,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
    return f"{done.stdout}exit status {done.returncode}\n"


def tell(uri, document, tmp_path):
    """[(when, command, what it printed)] of the whole story with one daemon."""
    told = []

    def look(when, commands):
        told.extend((when, " ".join(map(str, words)), normalize(virsh(uri, *words), when == "started"))
                    for words in commands)

    path = tmp_path / "domain.xml"
    path.write_text(document)
    look("first", [["define", path]])
    # Once more, completed: a document that was read twice is the same for good.
    path.write_text(virsh(uri, "dumpxml", NAME).rpartition("exit status")[0])
    try:
        look("defined", [["define", path], *LOOKS])
        look("started", [["start", NAME, "--paused"], *LOOKS, *LOOKS_AT_RUNNING])
        look("story", STORY)
    finally:
        virsh(uri, "destroy", NAME)
        virsh(uri, "undefine", NAME)
    return told


@pytest.mark.parametrize("machine, cdrom, cdrom_bus", [("q35", "sda", "sata"), ("pc", "hda", "ide")])
def test_a_machine(uris, machine, cdrom, cdrom_bus, tmp_path):
    image = tmp_path / "disk.qcow2"
    subprocess.run(["qemu-img", "create", "-q", "-f", "qcow2", tmp_path / "base.qcow2", "16M"], check=True)
    subprocess.run(["qemu-img", "create", "-q", "-f", "qcow2", "-b", "base.qcow2", "-F", "qcow2", image], check=True)
    subprocess.run(["qemu-img", "create", "-q", "-f", "raw", tmp_path / "raw.img", "4M"], check=True)
    document = DOCUMENT.format(machine=machine, image=image, directory=tmp_path, cdrom=cdrom, bus=cdrom_bus)
    ours, theirs = (tell(uri, document, tmp_path) for uri in uris)
    different = [line for (when, command, left), (_, _, right) in zip(ours, theirs)
                 for line in difflib.unified_diff(right.splitlines(), left.splitlines(), f"{when}: {command} (libvirtd)",
                                                  "domaind", lineterm="", n=1)]
    assert not different, "\n".join(different)
    assert len(ours) == len(theirs) > 2 * len(LOOKS)


@pytest.mark.parametrize("command", [["nodeinfo"], ["maxvcpus"], ["nodecpumap"], ["version"], ["hostname"], ["sysinfo"],
                                     ["node-memory-tune"], ["freecell", "--cellno", "7"]], ids=" ".join)
def test_the_host(uris, command):
    ours, theirs = (normalize(virsh(uri, *command)) for uri in uris)
    assert ours == theirs


@pytest.mark.parametrize("command", [["nodecpustats"], ["nodecpustats", "--percent"], ["nodememstats"], ["freecell"],
                                     ["freecell", "--all"], ["freepages", "--all"]], ids=" ".join)
def test_the_host_s_counters(uris, command):
    ours, theirs = (re.sub(r"\d+(\.\d+)?(?=%| KiB|$)|(?<= )\d{4,}", "-", virsh(uri, *command), flags=re.M) for uri in uris)
    assert re.sub(" +", " ", ours) == re.sub(" +", " ", theirs)


# Of the host, libvirt says more than we do: parts of its document, and why ours has none.
MORE_OF_THE_HOST = {
    "host/uuid": "without DMI each daemon makes its own",
    "host/migration_features": "there is no migration yet",
    "host/secmodel": "libvirtd's drivers, as it is set up here",
    "guest/features/disksnapshot": "", "guest/features/externalSnapshot": "there are no snapshots yet",
    "host/topology/cells/cell/memory": "", "host/topology/cells/cell/pages": "values of the host's memory",
}


def test_capabilities(uris):
    """The emulators that both know are described in the same words; the host's parts come in the same order."""
    ours, theirs = (golden.etree.fromstring(virsh(uri, "capabilities").rpartition("exit status")[0].encode()) for uri in uris)
    for root in (ours, theirs):
        for path in MORE_OF_THE_HOST:
            for element in root.findall(path):
                element.getparent().remove(element)
        for element in root.iter():
            element.text = (element.text or "").strip()
            element.tail = None

    def host(root):
        return golden.etree.tostring(root.find("host")).decode()

    def guest(root, arch):
        element = next(guest for guest in root.findall("guest") if guest.find("arch").get("name") == arch)
        machines = sorted((m.text, m.get("canonical") or "", m.get("maxCpus"), m.get("deprecated") or "")
                          for m in element.iter("machine"))
        for machine in element.findall("arch/machine") + element.findall("arch/domain/machine"):
            machine.getparent().remove(machine)
        return machines, golden.etree.tostring(element).decode()

    assert host(ours) == host(theirs)
    architectures, known = ([element.get("name") for element in root.findall("guest/arch")] for root in (theirs, ours))
    # Each knows some that the other does not: libvirt 9.0 no LoongArch, ours none that no machine is completed for.
    assert [name for name in known if name in architectures] == [name for name in architectures if name in known]
    for arch in ("i686", "x86_64"):
        assert guest(ours, arch) == guest(theirs, arch)
