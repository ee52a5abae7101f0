# SPDX-License-Identifier: LGPL-2.1-or-later
"""Snapshots of disks with something in them: what is in each after a snapshot, a change, and the way back."""

import pathlib
import re
import shutil
import subprocess

import libvirt
import pytest

from conftest import domain_path

UUID = "5c1f0a52-1366-410c-bb6e-fbc6f66ff7ae"
DISK_ONLY = libvirt.VIR_DOMAIN_SNAPSHOT_CREATE_DISK_ONLY
RUNNING, PAUSED, SHUTOFF = libvirt.VIR_DOMAIN_RUNNING, libvirt.VIR_DOMAIN_PAUSED, libvirt.VIR_DOMAIN_SHUTOFF
PATTERN = re.compile(r"pattern 0x(..)")


def connect(daemon):
    return libvirt.open(f"qemu:///session?socket={daemon.root}/run/domaind/libvirt-sock")


class Machine:
    """A machine with two disks, of which each block is told by a byte."""

    def __init__(self, daemon, formats=("qcow2", "qcow2"), more="", os=""):
        self.daemon = daemon
        self.images = {}
        disks = ""
        for target, kind in zip(("vda", "vdb"), formats):
            path = daemon.root / f"{target}.{kind}"
            subprocess.run(["qemu-img", "create", "-q", "-f", kind, path, "4M"], check=True)
            self.images[target] = path
            disks += (f"<disk type='file' device='disk'><driver name='qemu' type='{kind}'/><source file='{path}'/>"
                      f"<target dev='{target}' bus='virtio'/></disk>\n")
        self.xml = f"""<domain type='qemu'>
  <!-- kept by hand -->
  <name>vm</name><uuid>{UUID}</uuid><memory unit='MiB'>48</memory>
  <os><type arch='x86_64' machine='q35'>hvm</type>{os}</os><features><acpi/></features>
  <devices>{disks}{more}</devices>
</domain>"""
        self.domain = connect(daemon).defineXML(self.xml)

    def again(self):
        self.domain = connect(self.daemon).lookupByUUIDString(UUID)
        return self.domain

    def state(self):
        return self.domain.state()[0]

    def current(self, target):
        """The image a disk has now."""
        xml = self.domain.XMLDesc(libvirt.VIR_DOMAIN_XML_INACTIVE)
        return re.search(rf"<disk (?:(?!</disk>).)*?<source file='([^']+)'(?:(?!</disk>).)*?<target dev='{target}'", xml,
                         re.S).group(1)

    def write(self, value, block=0, target=None):
        """While it is off: @value into a block of each disk, or of one."""
        for one in [target] if target else self.images:
            image = self.current(one)
            kind = "raw" if image.endswith(".raw") else "qcow2"
            subprocess.run(["qemu-io", "-f", kind, "-c", f"write -P {value} {block * 65536} 64k", image], check=True,
                           stdout=subprocess.DEVNULL)

    def has(self, value, block=0, target=None):
        """Is that in the block of each disk?"""
        for one in [target] if target else self.images:
            image = self.current(one)
            kind = "raw" if image.endswith(".raw") else "qcow2"
            read = subprocess.run(["qemu-io", "-U", "-r", "-f", kind, "-c", f"read -P {value} {block * 65536} 64k", image],
                                  check=False, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
            assert read.returncode == 0 or "Pattern verification failed" in read.stdout, read.stdout
            if read.returncode != 0:
                return False
        return True

    def check(self):
        """No image of the directory has an error."""
        for image in self.daemon.root.glob("vd*"):
            if image.suffix != ".raw":
                subprocess.run(["qemu-img", "check", "-q", image], check=True)

    def snapshot(self, name, flags=0, inside=""):
        return self.domain.snapshotCreateXML(f"<domainsnapshot><name>{name}</name>{inside}</domainsnapshot>", flags)

    def intent(self):
        return self.daemon.root / "var/lib/domaind/snapshot" / UUID / "intent.json"


@pytest.fixture
def machine(daemon):
    return Machine(daemon)


def memory(daemon, name):
    return f"<memory snapshot='external' file='{daemon.root}/{name}.memory'/>"


KINDS = {
    "internal": (0, lambda daemon, name: ""),
    "external": (DISK_ONLY, lambda daemon, name: ""),
}
LIVE_KINDS = {**KINDS, "with memory": (0, memory)}


@pytest.mark.parametrize("kind", KINDS)
def test_a_machine_that_is_off_goes_back_and_forth(daemon, machine, kind):
    flags, inside = KINDS[kind]
    machine.write(0x11)
    one = machine.snapshot("one", flags, inside(daemon, "one"))
    machine.write(0x22)
    two = machine.snapshot("two", flags, inside(daemon, "two"))
    machine.write(0x33)
    for snapshot, value in ((one, 0x11), (two, 0x22), (one, 0x11), (one, 0x11)):
        machine.domain.revertToSnapshot(snapshot)
        assert machine.has(value)
        assert machine.domain.snapshotCurrent().getName() == snapshot.getName()
        machine.write(0x44)
    machine.check()
    assert machine.state() == SHUTOFF
    assert not machine.intent().exists()


@pytest.mark.parametrize("kind", LIVE_KINDS)
def test_a_machine_that_runs_goes_on(daemon, machine, kind):
    flags, inside = LIVE_KINDS[kind]
    machine.write(0x11)
    machine.domain.create()
    one = machine.snapshot("one", flags, inside(daemon, "one"))
    assert machine.state() == RUNNING
    machine.domain.destroy()
    assert machine.has(0x11)
    machine.write(0x22)
    machine.domain.revertToSnapshot(one)
    expected = SHUTOFF if kind == "external" else RUNNING
    assert machine.state() == expected
    if machine.domain.isActive():
        machine.domain.destroy()
    assert machine.has(0x11)
    machine.check()


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("gone", ["one", "two", "three"])
def test_one_of_three_is_deleted(machine, daemon, kind, gone):
    """What the machine has now stays, and each of the others can be gone back to."""
    flags, inside = KINDS[kind]
    for number, name in enumerate(("one", "two", "three")):
        machine.write(0x11 * (number + 1))
        machine.snapshot(name, flags, inside(daemon, name))
    machine.write(0x44)
    machine.domain.snapshotLookupByName(gone).delete()
    assert machine.has(0x44)
    machine.check()
    left = [name for name in ("one", "two", "three") if name != gone]
    assert sorted(machine.domain.snapshotListNames()) == sorted(left)
    for name in left:
        machine.domain.revertToSnapshot(machine.domain.snapshotLookupByName(name))
        assert machine.has(0x11 * (("one", "two", "three").index(name) + 1))
    machine.check()
    assert not machine.intent().exists()


def test_images_that_nobody_needs_are_gone(machine, daemon):
    machine.snapshot("one", DISK_ONLY)
    machine.snapshot("two", DISK_ONLY)
    assert sorted(path.name for path in daemon.root.glob("vd*")) == [
        "vda.one", "vda.qcow2", "vda.two", "vdb.one", "vdb.qcow2", "vdb.two"]
    machine.domain.snapshotLookupByName("one").delete(libvirt.VIR_DOMAIN_SNAPSHOT_DELETE_CHILDREN)
    assert sorted(path.name for path in daemon.root.glob("vd*")) == ["vda.qcow2", "vdb.qcow2"]
    assert machine.current("vda") == str(machine.images["vda"])
    assert machine.domain.snapshotNum() == 0


def test_an_image_that_another_stands_on_stays(machine, daemon):
    """One that nobody has told the daemon of: its header says so."""
    machine.write(0x11)
    machine.snapshot("one", DISK_ONLY)
    subprocess.run(["qemu-img", "create", "-q", "-f", "qcow2", "-b", daemon.root / "vda.one", "-F", "qcow2",
                    daemon.root / "mine"], check=True)
    machine.domain.revertToSnapshot(machine.domain.snapshotLookupByName("one"))
    assert (daemon.root / "vda.one").exists() and not (daemon.root / "vdb.one").exists()
    assert "'vda.one' stays" in daemon.log().replace(f"{daemon.root}/", "")


def test_going_back_inside_of_an_image_that_is_needed_is_refused(machine):
    machine.write(0x11)
    inside = machine.snapshot("inside")
    machine.write(0x22)
    machine.snapshot("outside", DISK_ONLY)
    with pytest.raises(libvirt.libvirtError, match="snapshot 'outside' is what that holds now"):
        machine.domain.revertToSnapshot(inside)
    machine.domain.snapshotLookupByName("outside").delete()
    assert machine.has(0x22)
    machine.domain.revertToSnapshot(inside)
    assert machine.has(0x11)


def test_the_document_is_the_one_of_then(machine):
    one = machine.snapshot("one")
    machine.domain.setMemoryFlags(32 * 1024, libvirt.VIR_DOMAIN_AFFECT_CONFIG)
    machine.domain.revertToSnapshot(one)
    assert "<currentMemory unit='KiB'>49152</currentMemory>" in machine.domain.XMLDesc()


def test_the_users_words_stay_where_only_disks_change(machine, daemon):
    machine.snapshot("one", DISK_ONLY)
    text = (daemon.root / "etc/domaind/domains/vm.xml").read_text()
    assert "<!-- kept by hand -->" in text and "vda.one" in text


@pytest.mark.parametrize("flag, state", [("RUNNING", RUNNING), ("PAUSED", PAUSED)])
@pytest.mark.parametrize("kind", KINDS)
def test_the_client_says_what_becomes_of_the_machine(machine, daemon, kind, flag, state):
    flags, inside = KINDS[kind]
    machine.domain.revertToSnapshot(machine.snapshot("one", flags, inside(daemon, "one")),
                                    getattr(libvirt, f"VIR_DOMAIN_SNAPSHOT_REVERT_{flag}"))
    assert machine.state() == state


@pytest.mark.parametrize("memory_kind", ["internal", "with memory"])
def test_a_paused_machine_is_paused_again(machine, daemon, memory_kind):
    machine.domain.create()
    machine.domain.suspend()
    one = machine.snapshot("one", *LIVE_KINDS[memory_kind][:1], LIVE_KINDS[memory_kind][1](daemon, "one"))
    assert machine.state() == PAUSED
    machine.domain.destroy()
    machine.domain.revertToSnapshot(one)
    assert machine.domain.state() == [PAUSED, libvirt.VIR_DOMAIN_PAUSED_FROM_SNAPSHOT]
    machine.domain.revertToSnapshot(one, libvirt.VIR_DOMAIN_SNAPSHOT_REVERT_RUNNING)
    assert machine.domain.state() == [RUNNING, libvirt.VIR_DOMAIN_RUNNING_FROM_SNAPSHOT]


def test_a_running_machine_ends_on_the_way_back(machine):
    one = machine.snapshot("one")
    machine.domain.create()
    machine.domain.revertToSnapshot(one)
    assert machine.domain.state() == [SHUTOFF, libvirt.VIR_DOMAIN_SHUTOFF_FROM_SNAPSHOT]


def test_a_machine_is_halted_after_its_snapshot(machine):
    machine.domain.create()
    machine.snapshot("one", libvirt.VIR_DOMAIN_SNAPSHOT_CREATE_HALT)
    assert machine.domain.state() == [SHUTOFF, libvirt.VIR_DOMAIN_SHUTOFF_FROM_SNAPSHOT]


def test_a_snapshot_without_a_name_left_behind(machine, daemon):
    machine.snapshot("one", DISK_ONLY | libvirt.VIR_DOMAIN_SNAPSHOT_CREATE_NO_METADATA)
    assert machine.domain.snapshotNum() == 0 and machine.current("vda") == str(daemon.root / "vda.one")


def test_an_image_of_the_clients_is_used(machine, daemon):
    for target, base in machine.images.items():
        subprocess.run(["qemu-img", "create", "-q", "-f", "qcow2", "-b", base, "-F", "qcow2",
                        daemon.root / f"{target}.one"], check=True)
    machine.snapshot("one", DISK_ONLY | libvirt.VIR_DOMAIN_SNAPSHOT_CREATE_REUSE_EXT)
    assert machine.current("vda") == str(daemon.root / "vda.one")


def test_a_moment_for_doing_it_by_hand(machine):
    machine.domain.create()
    machine.snapshot("one", DISK_ONLY, "<disks><disk name='vda' snapshot='manual'/></disks>")
    assert machine.domain.state() == [PAUSED, libvirt.VIR_DOMAIN_PAUSED_SNAPSHOT]


def test_an_internal_one_is_deleted_while_the_machine_runs(machine):
    machine.domain.create()
    machine.snapshot("one").delete()
    machine.domain.destroy()
    assert "one" not in subprocess.run(["qemu-img", "snapshot", "-l", machine.images["vda"]], check=True, text=True,
                                       stdout=subprocess.PIPE).stdout


def disk(target, where="", more=""):
    return f"<disk name='{target}'{f' snapshot={where!r}' if where else ''}>{more}</disk>"


@pytest.mark.parametrize("inside, flags, words, code", [
    ("<memory snapshot='internal'/>", 0, "memory state cannot be saved with offline or disk-only snapshot", "XML_ERROR"),
    ("<memory snapshot='external'/>", 0, "external memory snapshots require a filename", "XML_ERROR"),
    ("<memory snapshot='no' file='/x'/>", 0, "memory filename '/x' requires external snapshot", "XML_ERROR"),
    (f"<disks>{disk('vdz')}</disks>", 0, "no disk named 'vdz'", "CONFIG_UNSUPPORTED"),
    (f"<disks>{disk('vda')}{disk('vda')}</disks>", 0, "disk 'vda' specified twice", "CONFIG_UNSUPPORTED"),
    (f"<disks>{disk('vda', 'internal')}{disk('vdb', 'external')}</disks>", 0,
     "mixing internal and external targets for a snapshot is not yet supported", "CONFIG_UNSUPPORTED"),
    ("<disks>" + disk("vda", "internal", "<source file='/x'/>") + "</disks>", 0,
     "file '/x' for disk 'vda' requires use of external snapshot mode", "CONFIG_UNSUPPORTED"),
    ("<disks>" + disk("vda", "external", "<driver type='raw'/>") + "</disks>", DISK_ONLY,
     "external snapshot format for disk vda is unsupported: raw", "CONFIG_UNSUPPORTED"),
    ("<disks>" + disk("vda", "external", "<source file='{vda}'/>") + "</disks>", DISK_ONLY,
     "external snapshot file for disk vda already exists and is not a block device: {vda}", "CONFIG_UNSUPPORTED"),
    (f"<disks>{disk('vda', 'no')}{disk('vdb', 'no')}</disks>", DISK_ONLY, "nothing selected for snapshot",
     "CONFIG_UNSUPPORTED"),
    (f"<disks>{disk('vda', 'no')}{disk('vdb', 'no')}</disks>", 0, "disk 'vda' must use snapshot mode 'internal'",
     "CONFIG_UNSUPPORTED"),
    ("", libvirt.VIR_DOMAIN_SNAPSHOT_CREATE_LIVE, "live snapshot creation is supported only during full system snapshots",
     "OPERATION_UNSUPPORTED"),
    ("", libvirt.VIR_DOMAIN_SNAPSHOT_CREATE_QUIESCE, "Flag 'VIR_DOMAIN_SNAPSHOT_CREATE_DISK_ONLY' is required by flag "
     "'VIR_DOMAIN_SNAPSHOT_CREATE_QUIESCE'", "INVALID_ARG"),
    ("", DISK_ONLY | libvirt.VIR_DOMAIN_SNAPSHOT_CREATE_REUSE_EXT, "missing existing file for disk vda: {root}/vda.one",
     "SYSTEM_ERROR"),
])
def test_what_cannot_be_is_refused_in_libvirts_words(machine, daemon, inside, flags, words, code):
    places = {"vda": str(machine.images["vda"]), "root": str(daemon.root)}
    with pytest.raises(libvirt.libvirtError) as refused:
        machine.snapshot("one", flags, inside.replace("{vda}", places["vda"]))
    assert words.format(**places) in str(refused.value)
    assert refused.value.get_error_code() == getattr(libvirt, f"VIR_ERR_{code}")
    assert machine.domain.snapshotNum() == 0 and sorted(path.suffix for path in daemon.root.glob("vd*")) == [".qcow2"] * 2
    assert not machine.intent().exists()


def test_a_second_one_of_the_same_name_is_refused(machine):
    machine.snapshot("one")
    with pytest.raises(libvirt.libvirtError, match="domain moment one already exists"):
        machine.snapshot("one")


def test_a_raw_disk_goes_on_in_another_image(daemon):
    machine = Machine(daemon, ("raw", "qcow2"))
    with pytest.raises(libvirt.libvirtError, match="internal snapshot for disk vda unsupported for storage type raw"):
        machine.snapshot("one")
    machine.write(0x11)
    one = machine.snapshot("one", DISK_ONLY)
    machine.write(0x22)
    machine.domain.revertToSnapshot(one)
    assert machine.has(0x11)
    machine.write(0x33)
    one.delete()
    assert machine.has(0x33) and machine.current("vda") == str(machine.images["vda"])


FIRMWARE = pathlib.Path("/usr/share/OVMF/OVMF_CODE_4M.fd")


@pytest.mark.skipif(not FIRMWARE.exists() or shutil.which("swtpm_setup") is None, reason="needs OVMF and swtpm-tools")
@pytest.mark.parametrize("runs", [False, True], ids=["off", "running"])
@pytest.mark.parametrize("format", ["raw", "qcow2"])
def test_firmware_and_tpm_are_part_of_it(daemon, format, runs):
    """Their state is what it was, whatever the format of the variables; and the machine boots from it."""
    nvram = daemon.root / f"vars.{format}"
    subprocess.run(["qemu-img", "convert", "-O", format, "-f", "raw", FIRMWARE.with_name("OVMF_VARS_4M.fd"), nvram],
                   check=True)
    machine = Machine(daemon, os=f"<loader readonly='yes' type='pflash'>{FIRMWARE}</loader>"
                                 f"<nvram format='{format}'>{nvram}</nvram>",
                      more="<tpm model='tpm-crb'><backend type='emulator' version='2.0'/></tpm>")
    tpm = daemon.root / "var/lib/domaind/tpm" / UUID / "tpm2/tpm2-00.permall"
    machine.domain.create()
    if not runs:
        machine.domain.destroy()
    one = machine.snapshot("one")
    if runs:
        machine.domain.destroy()
    variables, state = nvram.read_bytes(), tpm.read_bytes()
    kind = f"-f {format}".split()
    subprocess.run(["qemu-io", *kind, "-c", "write -P 0x5a 4096 4096", nvram], check=True, stdout=subprocess.DEVNULL)
    tpm.write_bytes(b"another TPM")
    machine.write(0x22)
    machine.domain.revertToSnapshot(one)
    if runs:
        assert machine.domain.state() == [RUNNING, libvirt.VIR_DOMAIN_RUNNING_FROM_SNAPSHOT]
        machine.domain.destroy()
    else:
        assert nvram.read_bytes() == variables and tpm.read_bytes() == state
    assert machine.has(0)
    pattern = subprocess.run(["qemu-io", "-r", *kind, "-c", "read -P 0x5a 4096 4096", nvram], check=False, text=True,
                             stdout=subprocess.PIPE).stdout
    assert "verification failed" in pattern
    machine.domain.create()
    assert machine.state() == RUNNING


def test_the_bus_has_the_same(daemon, machine):
    path = daemon.call(domain_path(UUID), "org.libvirt.Domain", "SnapshotCreateXML", "(su)",
                       "<domainsnapshot><name>sn.1-ä</name></domainsnapshot>", 0)
    assert path == f"/org/libvirt/QEMU/domainsnapshot/_{UUID.replace('-', '_')}_sn_2e1_2d_c3_a4"
    assert daemon.call(domain_path(UUID), "org.libvirt.Domain", "ListDomainSnapshots", "(u)", 0) == [path]
    assert daemon.call(domain_path(UUID), "org.libvirt.Domain", "SnapshotCurrent", "(u)", 0) == path
    snapshot = "org.libvirt.DomainSnapshot"
    assert daemon.call(path, snapshot, "IsCurrent", "(u)", 0) is True
    assert "<name>sn.1-ä</name>" in daemon.call(path, snapshot, "GetXMLDesc", "(u)", 0)
    child = daemon.call(domain_path(UUID), "org.libvirt.Domain", "SnapshotCreateXML", "(su)",
                        "<domainsnapshot><name>two</name></domainsnapshot>", 0)
    assert daemon.call(child, snapshot, "GetParent", "(u)", 0) == path
    assert daemon.call(path, snapshot, "ListChildren", "(u)", 0) == [child]
    daemon.call(path, snapshot, "Revert", "(u)", 0)
    daemon.call(child, snapshot, "Delete", "(u)", 0)
    assert "no domain snapshot with matching name 'two'" in daemon.error(child, snapshot, "GetXMLDesc", "(u)", 0)[1]
