# SPDX-License-Identifier: LGPL-2.1-or-later
"""Checkpoints and backups of a running machine, begun and read by libvirt's clients and QEMU's tools."""

import json
import os
import subprocess
from xml.etree import ElementTree

import pytest
from conftest import domain_xml, wait_for
from virsh import virsh  # noqa: F401  (a fixture)

NAME = "copied"
UUID = "5b0f2a31-6f0d-4f0a-9b4e-1a2b3c4d5e6f"
CLUSTER = 64 * 1024
DEVICE = "/machine/peripheral/virtio-disk{}/virtio-backend"


def document(root):
    """A chain of two qcow2 images, a qcow2 and a raw image, a CD and an empty drive."""
    return domain_xml(NAME, UUID, "<features><acpi/></features>", devices=f"""
    <disk type='file' device='disk'>
      <driver name='qemu' type='qcow2'/><source file='{root}/a.qcow2'/><target dev='vda' bus='virtio'/>
    </disk>
    <disk type='file' device='disk'>
      <driver name='qemu' type='qcow2'/><source file='{root}/b.qcow2'/><target dev='vdb' bus='virtio'/>
    </disk>
    <disk type='file' device='disk'>
      <driver name='qemu' type='raw'/><source file='{root}/c.raw'/><target dev='vdc' bus='virtio'/>
    </disk>
    <disk type='file' device='cdrom'><source file='{root}/d.iso'/><target dev='hda' bus='ide'/><readonly/></disk>
    <disk type='file' device='cdrom'><target dev='hdb' bus='ide'/><readonly/></disk>""")


def image(*words):
    return subprocess.run(["qemu-img", *map(str, words)], check=True, capture_output=True, text=True).stdout


class Machine:
    """A machine that runs, with words to write to its disks and to read copies of them."""

    def __init__(self, daemon, virsh):  # noqa: F811
        self.root, self.virsh = daemon.root, virsh

    def write(self, number, pattern, offset, length=CLUSTER):
        """As its guest would. What QEMU says of it goes to its log."""
        for command in f"write -P {pattern} {offset} {length}", "flush":
            said = self.virsh("qemu-monitor-command", NAME, "--hmp", f'qemu-io -d {DEVICE.format(number)} "{command}"')
            assert not said.strip(), said

    def checkpoint(self, name, *disks):
        out = "vda", "vdb", "vdc"
        words = [word for disk in out
                 for word in ("--diskspec", disk if disk in disks else f"{disk},checkpoint=no")]
        self.virsh("checkpoint-create-as", NAME, name, *words)

    def begin(self, text, checkpoint=None, *words):
        (self.root / "backup.xml").write_text(text)
        if checkpoint is not None:
            (self.root / "checkpoint.xml").write_text(checkpoint)
            words = (self.root / "checkpoint.xml", *words)
        return self.virsh("backup-begin", NAME, self.root / "backup.xml", *words)

    def refused(self, text, checkpoint=None):
        (self.root / "backup.xml").write_text(text)
        words = []
        if checkpoint is not None:
            (self.root / "checkpoint.xml").write_text(checkpoint)
            words = [self.root / "checkpoint.xml"]
        return self.virsh.fails("backup-begin", NAME, self.root / "backup.xml", *words).strip()

    def completed(self):
        """The fields of the last job, once there is one."""
        def over():
            said = self.virsh("domjobinfo", NAME, "--completed", "--keep-completed", "--rawstats")
            return said if "success" in said else None
        said = wait_for(over, "the end of the backup")
        self.virsh("domjobinfo", NAME, "--completed")
        return dict(line.split(": ", 1) for line in said.splitlines() if ": " in line)

    def nodes(self):
        answer = json.loads(self.virsh("qemu-monitor-command", NAME,
                                       '{"execute": "query-named-block-nodes", "arguments": {"flat": true}}'))
        return {node["node-name"]: node for node in answer["return"]}

    def bitmaps(self):
        """{node: names} of those nodes that have any."""
        found = {name: sorted(bitmap["name"] for bitmap in node.get("dirty-bitmaps", []))
                 for name, node in self.nodes().items()}
        return {name: names for name, names in found.items() if names}

    def same(self, copy, number_or_path, expected=True):
        """Has the copy the bytes of the image? Both are read while the machine has them open."""
        done = subprocess.run(["qemu-img", "compare", "-U", copy, number_or_path], capture_output=True, text=True,
                              check=False)
        assert done.returncode == (0 if expected else 1), done.stdout + done.stderr


@pytest.fixture
def machine(daemon, virsh):  # noqa: F811
    root = daemon.root
    image("create", "-q", "-f", "qcow2", root / "base.qcow2", "16M")
    subprocess.run(["qemu-io", "-f", "qcow2", "-c", "write -q -P 1 0 1M", root / "base.qcow2"], check=True)
    image("create", "-q", "-f", "qcow2", "-b", root / "base.qcow2", "-F", "qcow2", root / "a.qcow2")
    image("create", "-q", "-f", "qcow2", root / "b.qcow2", "8M")
    image("create", "-q", "-f", "raw", root / "c.raw", "4M")
    image("create", "-q", "-f", "raw", root / "d.iso", "1M")
    (root / "domain.xml").write_text(document(root))
    virsh("define", root / "domain.xml")
    virsh("start", NAME)
    return Machine(daemon, virsh)


def shape(xml):
    """A document without what differs from run to run."""
    return [line.strip() for line in xml.strip().splitlines() if "creationTime" not in line]


# Checkpoints.

def test_checkpoint_is_completed_and_kept(daemon, machine):
    virsh = machine.virsh  # noqa: F811
    machine.checkpoint("c1", "vda", "vdb")
    assert shape(virsh("checkpoint-dumpxml", NAME, "c1", "--no-domain")) == [
        "<domaincheckpoint>", "<name>c1</name>", "<disks>",
        "<disk name='vda' checkpoint='bitmap' bitmap='c1'/>", "<disk name='vdb' checkpoint='bitmap' bitmap='c1'/>",
        "<disk name='vdc' checkpoint='no'/>", "<disk name='hda' checkpoint='no'/>",
        "<disk name='hdb' checkpoint='no'/>", "</disks>", "</domaincheckpoint>"]
    assert virsh("checkpoint-dumpxml", NAME, "c1").count("<domain type='qemu'>") == 1
    machine.checkpoint("c2", "vda")
    assert "<parent>" in virsh("checkpoint-dumpxml", NAME, "c2", "--no-domain")
    assert sorted(machine.bitmaps().values()) == [["c1"], ["c1", "c2"]]
    before = virsh("checkpoint-dumpxml", NAME, "c2")
    daemon.kill()
    daemon.start()
    assert virsh("checkpoint-dumpxml", NAME, "c2") == before
    machine.checkpoint("c3", "vda")
    assert [row[0] for row in virsh.table("checkpoint-list", NAME)] == ["c1", "c2", "c3"]
    assert virsh("checkpoint-parent", NAME, "c3").strip() == "c2"
    assert virsh("list", "--with-checkpoint", "--name").split() == [NAME]
    # The bitmaps are in the images, for the next start.
    virsh("destroy", NAME)
    info = json.loads(image("info", "--output=json", machine.root / "a.qcow2"))
    assert {bitmap["name"] for bitmap in info["format-specific"]["data"]["bitmaps"]} == {"c1", "c2", "c3"}
    virsh("start", NAME)
    assert sorted(machine.bitmaps().values()) == [["c1"], ["c1", "c2", "c3"]]


def test_lists_and_relations(machine):
    virsh = machine.virsh  # noqa: F811
    for name in "c1", "c2", "c3":
        machine.checkpoint(name, "vda")
    def names(*words):
        return [row[0] for row in virsh.table("checkpoint-list", NAME, *words)]
    assert names() == names("--topological") == ["c1", "c2", "c3"]
    assert names("--roots") == ["c1"]
    assert names("--leaves") == ["c3"]
    assert names("--no-leaves") == ["c1", "c2"]
    assert names("--from", "c1") == ["c2"]
    assert names("--from", "c1", "--descendants") == ["c2", "c3"]
    info = virsh.fields("checkpoint-info", NAME, "c2")
    assert (info["Parent"], info["Children"], info["Descendants"]) == ("c1", "1", "1")


def test_size_since(machine):
    machine.checkpoint("c1", "vda")
    machine.write(0, 7, 0, 3 * CLUSTER)
    xml = ElementTree.fromstring(machine.virsh("checkpoint-dumpxml", NAME, "c1", "--no-domain", "--size"))
    assert xml.find("disks/disk[@name='vda']").get("size") == str(3 * CLUSTER)
    assert list(machine.bitmaps().values()) == [["c1"]]


def test_delete(machine):
    virsh = machine.virsh  # noqa: F811
    for name in "c1", "c2", "c3", "c4":
        machine.checkpoint(name, "vda", "vdb")
    virsh("checkpoint-delete", NAME, "c2")
    assert virsh("checkpoint-parent", NAME, "c3").strip() == "c1"
    assert set(map(tuple, machine.bitmaps().values())) == {("c1", "c3", "c4")}
    virsh("checkpoint-delete", NAME, "c3", "--children-only")
    assert [row[0] for row in virsh.table("checkpoint-list", NAME)] == ["c1", "c3"]
    machine.checkpoint("c5", "vda")
    assert virsh("checkpoint-parent", NAME, "c5").strip() == "c3"
    virsh("checkpoint-delete", NAME, "c5", "--metadata")
    assert "c5" in str(machine.bitmaps())
    virsh("checkpoint-delete", NAME, "c1", "--children")
    assert virsh.table("checkpoint-list", NAME) == []
    assert machine.bitmaps() and all(names == ["c5"] for names in machine.bitmaps().values())
    assert "does not exist" not in virsh("undefine", NAME)


def test_redefine(machine):
    virsh, root = machine.virsh, machine.root  # noqa: F811
    for name in "c1", "c2":
        machine.checkpoint(name, "vda")
    files = {name: root / f"{name}.xml" for name in ("c1", "c2")}
    for name, path in files.items():
        path.write_text(virsh("checkpoint-dumpxml", NAME, name))
    whole = files["c2"].read_text()
    virsh("checkpoint-delete", NAME, "c1", "--children", "--metadata")
    virsh("checkpoint-create", NAME, files["c1"], "--redefine", "--redefine-validate")
    virsh("checkpoint-create", NAME, files["c2"], "--redefine")
    assert virsh("checkpoint-dumpxml", NAME, "c2") == whole
    machine.checkpoint("c3", "vda")
    assert virsh("checkpoint-parent", NAME, "c3").strip() == "c2"

    def refused(old, new, *words):
        path = root / "changed.xml"
        path.write_text(whole.replace(old, new))
        return virsh.fails("checkpoint-create", NAME, path, "--redefine", *words).strip()
    created = next(line for line in whole.splitlines() if "creationTime" in line)
    assert refused(created, "") == "error: internal error: missing creationTime from existing checkpoint"
    assert refused("  <name>c2</name>\n", "").endswith("XML error: a redefined checkpoint must have a name")
    assert refused(UUID, UUID.replace("5b0f", "6b0f")) == \
        f"error: invalid argument: definition for checkpoint c2 must use uuid {UUID}"
    assert refused("<name>c1<", "<name>c9<") == "error: invalid argument: parent c9 for moment c2 not found"
    assert refused("<name>c1<", "<name>c2<") == "error: invalid argument: cannot set moment c2 as its own parent"
    assert refused("<name>c1<", "<name>c3<") == "error: invalid argument: parent c3 would create cycle to c2"
    virsh("qemu-monitor-command", NAME, json.dumps({
        "execute": "block-dirty-bitmap-remove",
        "arguments": {"node": next(iter(machine.bitmaps())), "name": "c2"}}))
    assert refused("", "", "--redefine-validate") == \
        "error: checkpoint inconsistent: missing or broken bitmap 'c2' for disk 'vda'"


@pytest.mark.parametrize("text, words", [
    ("<disks><disk name='vda'/><disk name='vda'/></disks>", "unsupported configuration: disk 'vda' specified twice"),
    ("<disks><disk name='vdz'/></disks>", "unsupported configuration: no disk named 'vdz'"),
    ("<disks><disk name='hdb'/></disks>", "unsupported configuration: disk 'hdb' is empty or readonly"),
    ("<disks><disk name='hda'/></disks>", "unsupported configuration: disk 'hda' is empty or readonly"),
    ("<disks><disk name='vdc'/></disks>",
     "unsupported configuration: checkpoint for disk vdc unsupported for storage type raw"),
    ("", "unsupported configuration: checkpoint for disk vdc unsupported for storage type raw"),
    ("<name>n</name><disks><disk name='vda' bitmap='m'/></disks>",
     "unsupported configuration: bitmap for disk 'vda' must match checkpoint name 'n'"),
    ("<name>c1</name><disks><disk name='vda'/></disks>", "operation failed: domain moment c1 already exists"),
])
def test_checkpoint_refused(machine, text, words):
    machine.checkpoint("c1", "vda")
    path = machine.root / "checkpoint.xml"
    path.write_text(f"<domaincheckpoint>{text}</domaincheckpoint>")
    assert machine.virsh.fails("checkpoint-create", NAME, path).strip() == f"error: {words}"
    assert [row[0] for row in machine.virsh.table("checkpoint-list", NAME)] == ["c1"]


# Push.

def test_push_full_and_incremental(machine):
    virsh, root = machine.virsh, machine.root  # noqa: F811
    nodes = set(machine.nodes())
    machine.write(0, 5, CLUSTER)
    full = root / "full.qcow2"
    machine.begin(f"<domainbackup><disks><disk name='vda' type='file'><target file='{full}'/></disk></disks></domainbackup>",
                  "<domaincheckpoint><name>c1</name><disks><disk name='vda'/></disks></domaincheckpoint>")
    fields = machine.completed()
    assert (fields["operation"], fields["success"], fields["disk_remaining"]) == ("9", "1", "0")
    assert fields["disk_total"] == fields["disk_processed"] == str(16 << 20)
    machine.same(full, root / "a.qcow2")
    assert set(machine.nodes()) == nodes
    machine.write(0, 6, 5 * CLUSTER, 2 * CLUSTER)
    increment = root / "increment.qcow2"
    machine.begin(f"<domainbackup><incremental>c1</incremental><disks><disk name='vda' type='file'>"
                  f"<target file='{increment}'/></disk></disks></domainbackup>")
    assert machine.completed()["disk_total"] == str(2 * CLUSTER)
    extents = json.loads(image("map", "--output=json", "-U", increment))
    assert [(e["start"], e["length"]) for e in extents if e["depth"] == 0 and e["data"]] == \
        [(5 * CLUSTER, 2 * CLUSTER)]
    image("rebase", "-u", "-b", full, "-F", "qcow2", increment)
    machine.same(increment, root / "a.qcow2")
    assert set(machine.nodes()) == nodes and list(machine.bitmaps().values()) == [["c1"]]
    assert not list(root.glob("machines/*/backup.json"))


def test_push_names_its_files(machine):
    machine.begin("<domainbackup/>")
    machine.completed()
    for disk in "a.qcow2", "b.qcow2", "c.raw":
        copies = list(machine.root.glob(f"{disk}.*"))
        assert len(copies) == 1
        assert json.loads(image("info", "--output=json", copies[0]))["format"] == "qcow2"
        machine.same(copies[0], machine.root / disk)


@pytest.mark.parametrize("form", ["raw", "qcow2", "vdi"])
def test_push_formats(machine, form):
    target = machine.root / f"copy.{form}"
    machine.write(1, 9, 0)
    machine.begin(f"<domainbackup><disks><disk name='vdb' type='file'><driver type='{form}'/><target file='{target}'/>"
                  "</disk></disks></domainbackup>")
    assert machine.completed()["success"] == "1"
    assert image("compare", "-U", "-f", form, "-F", "qcow2", target, machine.root / "b.qcow2")


def test_push_into_what_is_there(machine):
    target = machine.root / "ready.qcow2"
    image("create", "-q", "-f", "qcow2", target, "8M")
    machine.begin(f"<domainbackup><disks><disk name='vdb' type='file'><target file='{target}'/></disk></disks></domainbackup>",
                  None, "--reuse-external")
    assert machine.completed()["success"] == "1"
    machine.same(target, machine.root / "b.qcow2")


# Pull.

def pull(machine, more="", disks="<disk name='vda'/>", checkpoint=None, server=None):
    server = server or f"transport='unix' socket='{machine.root}/nbd'"
    machine.begin(f"<domainbackup mode='pull'>{more}<server {server}/><disks>{disks}</disks></domainbackup>", checkpoint)


def url(machine, export="vda"):
    return f"nbd+unix:///{export}?socket={machine.root}/nbd"


def test_pull(daemon, machine):
    virsh, root = machine.virsh, machine.root  # noqa: F811
    nodes = set(machine.nodes())
    machine.checkpoint("c1", "vda")
    machine.write(0, 4, 3 * CLUSTER)
    image("convert", "-U", "-O", "raw", root / "a.qcow2", root / "then.raw")
    pull(machine, "<incremental>c1</incremental>",
         checkpoint="<domaincheckpoint><name>c2</name><disks><disk name='vda'/></disks></domaincheckpoint>")
    assert shape(virsh("backup-dumpxml", NAME)) == shape(f"""
<domainbackup mode='pull'>
  <incremental>c1</incremental>
  <server transport='unix' socket='{root}/nbd'/>
  <disks>
    <disk name='vda' backup='yes' type='file' backupmode='incremental' incremental='c1' exportname='vda' exportbitmap='backup-vda' index='{next_index(nodes)}'>
      <driver type='qcow2'/>
      <scratch file='{root}/a.qcow2.c2'/>
    </disk>
    <disk name='vdb' backup='no'/>
    <disk name='vdc' backup='no'/>
    <disk name='hda' backup='no'/>
    <disk name='hdb' backup='no'/>
  </disks>
</domainbackup>""")
    # What the guest writes from now on is not in what is read.
    machine.write(0, 8, 3 * CLUSTER)
    machine.write(0, 8, 9 * CLUSTER)
    image("compare", "-f", "raw", "-F", "raw", url(machine), root / "then.raw")
    info = subprocess.run(["nbdinfo", "--json", "--map=qemu:dirty-bitmap:backup-vda", url(machine)], check=True,
                          capture_output=True, text=True).stdout
    assert [(e["offset"], e["length"]) for e in json.loads(info) if e["type"] == 1] == [(3 * CLUSTER, CLUSTER)]
    stats = dict(line.split(": ", 1) for line in virsh("domjobinfo", NAME, "--rawstats").splitlines() if ": " in line)
    assert stats["Job type"] == "2" and stats["operation"] == "9" and stats["disk_temp_total"] == str(16 << 20)
    assert machine.refused("<domainbackup/>").endswith("another backup job is already running")
    assert virsh.fails("save", NAME, root / "saved").strip() == \
        "error: Failed to save domain 'copied' to " + f"{root}/saved\nerror: Timed out during operation: cannot " \
        "acquire state change lock (held by monitor=remoteDispatchDomainBackupBegin)"
    virsh("domjobabort", NAME)
    fields = machine.completed()
    assert (fields["success"], fields["errmsg"]) == ("1", "Operation canceled")
    assert "no domain backup job present" in virsh.fails("backup-dumpxml", NAME)
    assert set(machine.nodes()) == nodes
    assert not (root / "nbd").exists() and not (root / "a.qcow2.c2").exists()
    assert list(machine.bitmaps().values()) == [["c1", "c2"]]


def next_index(nodes):
    return max(int(name.split("-")[1]) for name in nodes if name.startswith("libvirt-")) + 1


def test_pull_over_tcp(machine):
    pull(machine, server="name='localhost' port='10811'", disks="<disk name='vdb'/>")
    assert image("compare", "-U", "nbd://localhost:10811/vdb", machine.root / "b.qcow2")
    machine.virsh("domjobabort", NAME)
    machine.completed()


@pytest.mark.parametrize("text, words", [
    ("<disks><disk name='vda'/><disk name='vda'/></disks>", "unsupported configuration: disk 'vda' specified twice"),
    ("<disks><disk name='vdz'/></disks>", "unsupported configuration: no disk named 'vdz'"),
    ("<disks><disk name='hdb'/></disks>", "unsupported configuration: disk 'hdb' has no media"),
    ("<disks><disk name='vda' backup='no'/></disks>", "unsupported configuration: no disks selected for backup"),
    ("<incremental>nope</incremental><disks><disk name='vda'/></disks>",
     "Domain checkpoint not found: Checkpoint 'nope' for incremental backup of disk 'vda' not found"),
    ("<incremental>c1</incremental><disks><disk name='vdb'/></disks>",
     "checkpoint inconsistent: missing or broken bitmap 'c1' for disk 'vdb'"),
    ("<disks><disk name='vda' backupmode='incremental'/></disks>",
     "unsupported configuration: 'incremental' backup mode of disk 'vda' requires setting 'incremental' field for disk "
     "or backup"),
    ("<disks><disk name='vda' type='file'><target file='{root}/a.qcow2'/></disk></disks>",
     "invalid argument: store '{root}/a.qcow2' for backup of 'vda' exists"),
    ("<disks><disk name='vda' type='file'><target file='{root}/none/x'/></disk></disks>",
     "failed to create image file '{root}/none/x': No such file or directory"),
])
def test_backup_refused(machine, text, words):
    machine.checkpoint("c1", "vda")
    nodes, files = set(machine.nodes()), sorted(os.listdir(machine.root))
    text = f"<domainbackup>{text.replace('{root}', str(machine.root))}</domainbackup>"
    assert machine.refused(text) == "error: " + words.replace("{root}", str(machine.root))
    assert set(machine.nodes()) == nodes
    assert set(os.listdir(machine.root)) - set(files) <= {"backup.xml"}


def test_pull_without_a_port(machine):
    assert machine.refused("<domainbackup mode='pull'><server name='localhost'/></domainbackup>") == \
        "error: Operation not supported: <domainbackup> must specify TCP port for now"


def test_same_export_twice(machine):
    said = machine.refused(f"<domainbackup mode='pull'><server transport='unix' socket='{machine.root}/nbd'/><disks>"
                           "<disk name='vda' exportname='x'/><disk name='vdb' exportname='x'/></disks></domainbackup>")
    assert said.endswith("NBD server already has export named 'x'")
    assert not (machine.root / "nbd").exists()


# Cut short.

@pytest.fixture
def slow(machine):
    """A disk of 4 MiB whose bytes come at 64 KiB a second."""
    source = machine.root / "slow.raw"
    source.write_bytes(bytes([3]) * (4 << 20))
    server = subprocess.Popen(["qemu-nbd", "--persistent", "--shared=4", "--port=10812", "--bind=127.0.0.1",
                               "--object", "throttle-group,id=slow,x-bps-total=65536", "--image-opts",
                               f"driver=throttle,throttle-group=slow,file.driver=file,file.filename={source}"])
    wait_for(lambda: subprocess.run(["nbdinfo", "--size", "nbd://127.0.0.1:10812"], capture_output=True,
                                    check=False).returncode == 0, "the slow server")
    path = machine.root / "disk.xml"
    path.write_text("""<disk type='network' device='disk'><driver name='qemu' type='raw'/>
<source protocol='nbd'><host name='127.0.0.1' port='10812'/></source><target dev='vdd' bus='virtio'/></disk>""")
    machine.virsh("attach-device", NAME, path, "--live")
    yield machine
    server.kill()
    server.wait()


def begin_slowly(machine):
    target = machine.root / "slow.qcow2"
    machine.begin("<domainbackup><disks><disk name='vda' type='file'><target file='%s'/></disk>"
                  "<disk name='vdd' type='file'><target file='%s'/></disk></disks></domainbackup>"
                  % (machine.root / "fast.qcow2", target))
    return target


def test_push_given_up(slow):
    target = begin_slowly(slow)
    assert target.exists()
    slow.virsh("domjobabort", NAME)
    fields = slow.completed()
    assert fields["Job type"] == "5" and fields["success"] == "0"
    assert not target.exists()


def test_killed_during_a_push(daemon, slow):
    target = begin_slowly(slow)
    shown = slow.virsh("backup-dumpxml", NAME)
    daemon.kill()
    daemon.start()
    wait_for(lambda: "Unbounded" in slow.virsh("domjobinfo", NAME), "the backup to be found")
    assert slow.virsh("backup-dumpxml", NAME) == shown
    slow.virsh("domjobabort", NAME)
    slow.completed()
    assert not target.exists()


def test_killed_during_a_pull(daemon, machine):
    root = machine.root
    machine.checkpoint("c1", "vda")
    machine.write(0, 4, 3 * CLUSTER)
    nodes = set(machine.nodes())
    image("convert", "-U", "-O", "raw", root / "a.qcow2", root / "then.raw")
    pull(machine, "<incremental>c1</incremental>")
    shown = machine.virsh("backup-dumpxml", NAME)
    scratch = next(root.glob("a.qcow2.*"))
    daemon.kill()
    daemon.start()
    wait_for(lambda: "Unbounded" in machine.virsh("domjobinfo", NAME), "the backup to be found")
    assert machine.virsh("backup-dumpxml", NAME) == shown
    machine.write(0, 8, 3 * CLUSTER)
    image("compare", "-f", "raw", "-F", "raw", url(machine), root / "then.raw")
    machine.virsh("domjobabort", NAME)
    assert machine.completed()["success"] == "1"
    assert set(machine.nodes()) == nodes
    assert not scratch.exists() and not (root / "nbd").exists()


def test_machine_ends_during_a_pull(daemon, machine):
    pull(machine)
    scratch = next(machine.root.glob("a.qcow2.*"))
    with daemon.signals() as seen:  # noqa: F841
        machine.virsh("destroy", NAME)
    wait_for(lambda: not scratch.exists() and not (machine.root / "nbd").exists(), "the scratch file to go")
    machine.virsh("start", NAME)
    pull(machine)
    # And while no daemon is there.
    scratch = next(machine.root.glob("a.qcow2.*"))
    pid = daemon.machines()[NAME]
    daemon.kill()
    os.kill(pid, 9)
    wait_for(lambda: NAME not in daemon.machines(), "QEMU's end")
    daemon.start()
    wait_for(lambda: not scratch.exists() and not (machine.root / "nbd").exists(), "the scratch file to go")


# Images that change.

def since(machine, checkpoint, expected):
    """Back up what has changed since, and see which clusters that is; and that with them a full copy is the disk."""
    copy = machine.root / "since.qcow2"
    machine.begin(f"<domainbackup><incremental>{checkpoint}</incremental><disks><disk name='vda' type='file'>"
                  f"<target file='{copy}'/></disk></disks></domainbackup>")
    assert machine.completed()["success"] == "1"
    extents = json.loads(image("map", "--output=json", "-U", copy))
    changed = {offset for e in extents if e["depth"] == 0 for offset in range(e["start"], e["start"] + e["length"], CLUSTER)}
    assert set(expected) <= changed
    return changed


@pytest.fixture
def layered(machine):
    """The disk has changed since c1 before and after another image took its place."""
    virsh, root = machine.virsh, machine.root  # noqa: F811
    machine.checkpoint("c1", "vda")
    machine.write(0, 2, 2 * CLUSTER)
    virsh("blockcopy", NAME, "vda", root / "copy.qcow2", "--wait", "--pivot", "--transient-job")
    machine.write(0, 3, 7 * CLUSTER)
    return machine


def test_bitmaps_go_with_a_copy(layered):
    assert list(layered.bitmaps().values()) == [["c1"]]
    assert since(layered, "c1", [2 * CLUSTER, 7 * CLUSTER]) == {2 * CLUSTER, 7 * CLUSTER}


def test_bitmaps_survive_an_active_commit(machine):
    machine.checkpoint("c1", "vda")
    machine.write(0, 2, 2 * CLUSTER)
    machine.virsh("blockcommit", NAME, "vda", "--active", "--wait", "--pivot")
    machine.write(0, 3, 7 * CLUSTER)
    assert list(machine.bitmaps().values()) == [["c1"]]
    since(machine, "c1", [2 * CLUSTER, 7 * CLUSTER])


def test_bitmaps_survive_a_pull(machine):
    machine.checkpoint("c1", "vda")
    machine.write(0, 2, 2 * CLUSTER)
    machine.virsh("blockpull", NAME, "vda", "--wait")
    machine.write(0, 3, 7 * CLUSTER)
    since(machine, "c1", [2 * CLUSTER, 7 * CLUSTER])


def test_a_disk_has_one_job(machine):
    pull(machine)
    assert machine.virsh.fails("blockcopy", NAME, "vda", machine.root / "copy.qcow2",
                               "--transient-job").strip() == \
        "error: Operation not supported: disk 'vda' already in active block job"
    machine.virsh("domjobabort", NAME)
    machine.completed()


def test_bitmaps_go_on_above_a_snapshot(machine):
    machine.checkpoint("c1", "vda")
    machine.write(0, 2, 2 * CLUSTER)
    snapshot = machine.root / "snapshot.xml"
    snapshot.write_text("<domainsnapshot><name>s</name><disks><disk name='vda' snapshot='external'/>"
                        "<disk name='vdb' snapshot='no'/><disk name='vdc' snapshot='no'/></disks></domainsnapshot>")
    machine.virsh("snapshot-create", NAME, snapshot, "--disk-only")
    machine.write(0, 3, 7 * CLUSTER)
    assert list(machine.bitmaps().values()) == [["c1"], ["c1"]]
    assert since(machine, "c1", [2 * CLUSTER, 7 * CLUSTER]) == {2 * CLUSTER, 7 * CLUSTER}
    xml = ElementTree.fromstring(machine.virsh("checkpoint-dumpxml", NAME, "c1", "--no-domain", "--size"))
    assert xml.find("disks/disk[@name='vda']").get("size") == str(2 * CLUSTER)
    pull(machine)
    snapshot.write_text(snapshot.read_text().replace("<name>s<", "<name>t<"))
    assert "cannot acquire state change lock" in machine.virsh.fails("snapshot-create", NAME, snapshot, "--disk-only")
    machine.virsh("domjobabort", NAME)
    machine.completed()
