# SPDX-License-Identifier: LGPL-2.1-or-later
"""Block jobs: real QEMU and chains of qcow2 images, whose content is compared after each job; the daemon and QEMU
killed at each step."""

import contextlib
import re
import shutil
import subprocess
import xml.etree.ElementTree as ElementTree

import pytest
from gi.repository import GLib

from conftest import DOMAIN, domain_path, domain_xml, kill_and_wait, wait_for
from test_cut_short import ask, killed  # noqa: F401

UUID = "c0757092-1366-410c-bb6e-fbc6f66ff7ae"
PATH = domain_path(UUID)
RUNNING, SHUTOFF = 1, 5
COMPLETED, FAILED, CANCELED, READY = range(4)
PULL, COPY, COMMIT, ACTIVE_COMMIT = 1, 2, 3, 4  # virDomainBlockJobType
COMMIT_SHALLOW, COMMIT_RELATIVE, COMMIT_ACTIVE = 1, 8, 4
COPY_SHALLOW, COPY_REUSE, COPY_TRANSIENT, COPY_SYNCHRONOUS = 1, 2, 4, 8
ABORT_ASYNC, ABORT_PIVOT = 1, 2
INACTIVE = 2
MIB = 1024 * 1024
COMMANDS_MAX = 60  # of one conversation

# What each image of the chain holds, and what a guest sees of all three: (byte, from MiB, length in MiB).
WRITTEN = {"a": [(1, 0, 8)], "b": [(2, 1, 4)], "c": [(3, 2, 4)]}
SEEN = [(1, 0, 1), (2, 1, 1), (3, 2, 4), (1, 6, 2), (0, 8, 8)]


def image(*words):
    return subprocess.run(["qemu-img", *map(str, words)], check=True, capture_output=True, text=True).stdout


def make_chain(root, names="abc", backing="{root}/{below}.qcow2"):
    below = None
    for name in names:
        path = root / f"{name}.qcow2"
        under = ["-b", backing.format(root=root, below=below), "-F", "qcow2"] if below else []
        image("create", "-q", "-f", "qcow2", *under, path, "16M")
        for byte, start, length in WRITTEN.get(name, []):
            subprocess.run(["qemu-io", "-c", f"write -P {byte} {start}M {length}M", path], check=True,
                           stdout=subprocess.DEVNULL)
        below = name
    return below


def disk_xml(root, name="c", more="", target="vda"):
    return (f"<disk type='file' device='disk'><driver name='qemu' type='qcow2'/><source file='{root}/{name}.qcow2'/>"
            f"<target dev='{target}' bus='virtio'/>{more}</disk>")


LEAKED = 3  # what qemu-img check ends with where clusters are only wasted: a killed QEMU may leave that


def check_content(path, form="qcow2", seen=SEEN, cut_short=False):
    if form == "qcow2":
        status = subprocess.run(["qemu-img", "check", "-q", "-f", form, path], check=False).returncode
        assert status == 0 or (cut_short and status == LEAKED), f"{path}: {status}"
    for byte, start, length in seen:
        answer = subprocess.run(["qemu-io", "-r", "-f", form, "-c", f"read -P {byte} {start}M {length}M", path],
                                check=True, capture_output=True, text=True).stdout
        assert "verification failed" not in answer, f"{path} at {start} MiB: {answer}"


def backing_of(path):
    found = re.search(r"^backing file: (\S+)", image("info", "-U", path), re.M)
    return found[1] if found else None


def disk_of(daemon, flags=0):
    devices = ElementTree.fromstring(daemon.call(PATH, DOMAIN, "GetXMLDesc", "(u)", flags)).find("devices")
    return devices.find("disk[@device='disk']")


def chain_of(disk):
    """[(name of the file, index)] of the live chain."""
    images, element = [(disk.find("source").get("file").rpartition("/")[2], disk.find("source").get("index"))], disk
    while (element := element.find("backingStore")) is not None and element.find("source") is not None:
        images.append((element.find("source").get("file").rpartition("/")[2], element.get("index")))
    return images


def job(daemon, disk="vda"):
    return daemon.call(PATH, DOMAIN, "GetBlockJobInfo", "(su)", disk, 0)


class Jobs:
    """The signals of block jobs."""

    def __init__(self, seen):
        self.seen = seen

    def all(self):
        return [arguments for _, member, arguments in self.seen if member == "org.libvirt.Domain.BlockJob"]

    def wait(self, kind, status):
        wait_for(lambda: ("vda", kind, status) in self.all(), f"{kind} to be {status}")


@pytest.fixture
def jobs(daemon):
    with daemon.signals(DOMAIN) as seen:
        yield Jobs(seen)


@pytest.fixture
def machine(daemon):
    """Running, on a chain of three images."""
    make_chain(daemon.root)
    daemon.define(domain_xml("web", UUID, devices=disk_xml(daemon.root)))
    daemon.call(PATH, DOMAIN, "Create", "(u)", 0)
    return daemon


def end(daemon):
    daemon.call(PATH, DOMAIN, "Destroy", "(u)", 0)
    wait_for(lambda: daemon.call(PATH, DOMAIN, "GetState", "(u)", 0)[0] == SHUTOFF, "its end")


def nodes_and_sets(daemon):
    """What QEMU has open, while no daemon is there: names of nodes, and how many descriptors it was given."""
    nodes, sets, queued = ask(daemon, ("query-named-block-nodes", {"flat": True}), ("query-fdsets", {}), ("query-jobs", {}))
    return sorted(node["node-name"] for node in nodes), sum(len(one["fds"]) for one in sets), queued


def settled(daemon):
    """No block job, and none whose end is still to be done."""
    wait_for(lambda: job(daemon) == (0, 0, 0, 0) and not list(daemon.root.glob("run/domaind/machines/*/blockjob-*")),
             "the end of the job")


def names(*indexes):
    return sorted(f"libvirt-{index}-{layer}" for index in indexes for layer in ("format", "storage"))


def test_commit_of_an_image_below(machine, jobs):
    assert chain_of(disk_of(machine)) == [("c.qcow2", "1"), ("b.qcow2", "2"), ("a.qcow2", "3")]
    machine.call(PATH, DOMAIN, "BlockCommit", "(ssstu)", "vda", "vda[3]", "vda[2]", 0, 0)
    jobs.wait(COMMIT, COMPLETED)
    settled(machine)
    assert chain_of(disk_of(machine)) == [("c.qcow2", "1"), ("a.qcow2", "3")]
    assert backing_of(machine.root / "c.qcow2") == f"{machine.root}/a.qcow2"
    machine.kill()
    nodes, descriptors, queued = nodes_and_sets(machine)
    assert (nodes, descriptors, queued) == (names(1, 3), 2, [])
    machine.start()
    end(machine)
    check_content(machine.root / "c.qcow2")
    assert (machine.root / "b.qcow2").exists(), "no file is removed"


def test_active_commit(machine, jobs):
    before = ElementTree.tostring(disk_of(machine, INACTIVE))
    machine.call(PATH, DOMAIN, "BlockCommit", "(ssstu)", "vda", "", "", 0, COMMIT_ACTIVE)
    jobs.wait(ACTIVE_COMMIT, READY)
    mirror = disk_of(machine).find("mirror")
    assert mirror.attrib == {"type": "file", "job": "active-commit", "ready": "yes"}
    assert mirror.find("source").attrib == {"file": f"{machine.root}/a.qcow2", "index": "3"}
    assert mirror.find("backingStore") is None
    assert job(machine)[0] == ACTIVE_COMMIT
    # It is given up, and begun anew.
    machine.call(PATH, DOMAIN, "BlockJobAbort", "(su)", "vda", 0)
    assert job(machine) == (0, 0, 0, 0)
    jobs.wait(ACTIVE_COMMIT, CANCELED)
    assert disk_of(machine).find("mirror") is None
    assert ElementTree.tostring(disk_of(machine, INACTIVE)) == before
    jobs.seen.clear()
    settled(machine)
    machine.call(PATH, DOMAIN, "BlockCommit", "(ssstu)", "vda", "", "", 0, COMMIT_ACTIVE)
    jobs.wait(ACTIVE_COMMIT, READY)
    machine.call(PATH, DOMAIN, "BlockJobAbort", "(su)", "vda", ABORT_PIVOT)
    assert chain_of(disk_of(machine)) == [("a.qcow2", "3")]
    assert disk_of(machine, INACTIVE).find("source").get("file") == f"{machine.root}/a.qcow2"
    jobs.wait(ACTIVE_COMMIT, COMPLETED)
    settled(machine)
    machine.kill()
    assert nodes_and_sets(machine) == (names(3), 1, [])
    machine.start()
    end(machine)
    check_content(machine.root / "a.qcow2")
    machine.call(PATH, DOMAIN, "Create", "(u)", 0)
    assert chain_of(disk_of(machine)) == [("a.qcow2", "1")]


def test_active_commit_shallow(machine, jobs):
    machine.call(PATH, DOMAIN, "BlockCommit", "(ssstu)", "vda", "", "", 0, COMMIT_ACTIVE | COMMIT_SHALLOW)
    jobs.wait(ACTIVE_COMMIT, READY)
    machine.call(PATH, DOMAIN, "BlockJobAbort", "(su)", "vda", ABORT_PIVOT)
    assert chain_of(disk_of(machine)) == [("b.qcow2", "2"), ("a.qcow2", "3")]
    end(machine)
    check_content(machine.root / "b.qcow2")


@pytest.mark.parametrize("base, chain", [("vda[3]", [("c.qcow2", "1"), ("a.qcow2", "3")]), ("", [("c.qcow2", "1")])])
def test_pull(machine, jobs, base, chain):
    machine.call(PATH, DOMAIN, "BlockRebase", "(sstu)", "vda", base, 0, 0)
    jobs.wait(PULL, COMPLETED)
    settled(machine)
    assert chain_of(disk_of(machine)) == chain
    assert backing_of(machine.root / "c.qcow2") == (f"{machine.root}/a.qcow2" if base else None)
    machine.kill()
    assert nodes_and_sets(machine) == (names(*(index for _, index in chain)), len(chain), [])
    machine.start()
    end(machine)
    check_content(machine.root / "c.qcow2")


def test_speed_and_abort_of_a_pull(machine, jobs):
    machine.call(PATH, DOMAIN, "BlockPull", "(stu)", "vda", MIB, 64)  # bytes
    kind, speed, current, total = job(machine)
    assert (kind, speed, total) == (PULL, 1, 16 * MIB) and current < total
    assert machine.call(PATH, DOMAIN, "GetBlockJobInfo", "(su)", "vda", 1)[1] == MIB
    machine.call(PATH, DOMAIN, "BlockJobSetSpeed", "(stu)", "vda", 2, 0)
    assert job(machine)[1] == 2
    assert "not ready for pivot yet" in machine.error(PATH, DOMAIN, "BlockJobAbort", "(su)", "vda", ABORT_PIVOT)[1]
    assert "already in active block job" in machine.error(PATH, DOMAIN, "BlockPull", "(stu)", "vda", 0, 0)[1]
    machine.call(PATH, DOMAIN, "BlockJobAbort", "(su)", "vda", ABORT_ASYNC)
    jobs.wait(PULL, CANCELED)
    settled(machine)
    assert len(chain_of(disk_of(machine))) == 3
    end(machine)
    check_content(machine.root / "c.qcow2")


def destination(path, form):
    return f"<disk type='file'><driver type='{form}'/><source file='{path}'/></disk>"


@pytest.mark.parametrize("form, flags", [("raw", 0), ("qcow2", COPY_SYNCHRONOUS), ("qcow2", COPY_SHALLOW)])
def test_copy(machine, jobs, form, flags):
    to = machine.root / "copy.img"
    machine.call(PATH, DOMAIN, "BlockCopy", "(ssa{sv}u)", "vda", destination(to, form), {}, flags | COPY_TRANSIENT)
    jobs.wait(COPY, READY)
    mirror = disk_of(machine).find("mirror")
    assert mirror.attrib == {"type": "file", "file": str(to), "format": form, "job": "copy", "ready": "yes"}
    assert (mirror.find("backingStore") is None) == bool(flags & COPY_SHALLOW)
    machine.call(PATH, DOMAIN, "BlockJobAbort", "(su)", "vda", ABORT_PIVOT)
    below = [("b.qcow2", "2"), ("a.qcow2", "3")] if flags & COPY_SHALLOW else []
    assert [name for name, _ in chain_of(disk_of(machine))] == ["copy.img"] + [name for name, _ in below]
    stored = disk_of(machine, INACTIVE)
    assert (stored.find("source").get("file"), stored.find("driver").get("type")) == (str(to), form)
    settled(machine)
    machine.kill()
    assert nodes_and_sets(machine)[1:] == (1 + len(below), [])
    machine.start()
    end(machine)
    check_content(to, form)
    check_content(machine.root / "c.qcow2")


def test_copy_given_up_is_whole(machine, jobs):
    """A copy that was ready and is not pivoted to is the disk of that moment."""
    to = machine.root / "copy.img"
    image("create", "-q", "-f", "qcow2", "-b", machine.root / "b.qcow2", "-F", "qcow2", to)
    machine.call(PATH, DOMAIN, "BlockCopy", "(ssa{sv}u)", "vda", destination(to, "qcow2"), {},
                 COPY_SHALLOW | COPY_REUSE | COPY_TRANSIENT)
    jobs.wait(COPY, READY)
    assert len(chain_of(disk_of(machine).find("mirror"))) == 3
    machine.call(PATH, DOMAIN, "BlockJobAbort", "(su)", "vda", 0)
    assert len(chain_of(disk_of(machine))) == 3
    settled(machine)
    machine.kill()
    assert nodes_and_sets(machine) == (names(1, 2, 3), 3, [])
    machine.start()
    end(machine)
    check_content(to)
    check_content(machine.root / "c.qcow2")


# The daemon killed at each command.

def cut_job(daemon, moment, number, call):
    """Make the call, and follow the job to its end or its being ready, in a daemon that is killed at that command. FALSE:
    it was over before."""
    daemon.kill_at.write_text(f"{moment} {number}")
    answer = daemon.begin(PATH, DOMAIN, *call)
    wait_for(lambda: answer or daemon.process.poll() is not None, "the answer, or the end of the daemon")

    def is_over():
        if daemon.process.poll() is not None:
            return True
        with contextlib.suppress(GLib.Error):
            state = disk_of(daemon).find("mirror")
            ready = state is not None and state.get("ready") == "yes"
            return ready or not list(daemon.root.glob("run/domaind/machines/*/blockjob-*"))
        return False

    wait_for(is_over, "the end of the job, or of the daemon")
    cut = daemon.process.poll() is not None
    daemon.kill_at.unlink()
    daemon.kill()
    return cut


def ready_or_over(daemon):
    """Found again: the job goes on until it is ready, or is over."""
    def settled_now():
        mirror = disk_of(daemon).find("mirror")
        if mirror is not None:
            return mirror.get("ready") == "yes"
        return not list(daemon.root.glob("run/domaind/machines/*/blockjob-*"))

    wait_for(settled_now, "the job to be ready or over")
    return disk_of(daemon).find("mirror") is not None


def prepare(daemon):
    """The same machine on the same chain, each time anew."""
    for name in "abc":
        shutil.copy(daemon.root / f"{name}.kept", daemon.root / f"{name}.qcow2")
    (daemon.root / "copy.img").unlink(missing_ok=True)
    daemon.define(domain_xml("web", UUID, devices=disk_xml(daemon.root)))
    daemon.call(PATH, DOMAIN, "Create", "(u)", 0)


def compare_with_qemu(daemon):
    """While no daemon is there: QEMU has the nodes of the document and no others."""
    nodes, descriptors, queued = nodes_and_sets(daemon)
    live = ElementTree.parse(next(daemon.root.glob("run/domaind/machines/*/live.xml"))).getroot()
    chain = chain_of(live.find("devices/disk"))
    assert nodes == names(*(index for _, index in chain))
    assert (descriptors, queued) == (len(chain), [])
    assert list(daemon.root.glob("run/domaind/machines/*/blockjob-*")) == []


JOBS = {
    "pull": ("BlockRebase", "(sstu)", "vda", "vda[3]", 0, 0),
    "commit": ("BlockCommit", "(ssstu)", "vda", "vda[3]", "vda[2]", 0, 0),
    "active": ("BlockCommit", "(ssstu)", "vda", "", "", 0, COMMIT_ACTIVE),
    "copy": ("BlockCopy", "(ssa{sv}u)", "vda", "<disk type='file'><driver type='qcow2'/><source file='{root}/copy.img'/></disk>",
             {}, COPY_TRANSIENT),
}


@pytest.mark.parametrize("what", JOBS)
def test_daemon_killed_while_a_job_begins(killed, what):  # noqa: F811
    make_chain(killed.root)
    for name in "abc":
        (killed.root / f"{name}.qcow2").rename(killed.root / f"{name}.kept")
    call = [word.replace("{root}", str(killed.root)) if isinstance(word, str) else word for word in JOBS[what]]
    killed.start()
    for number in range(1, COMMANDS_MAX):
        prepare(killed)
        killed.kill()
        killed.start_to_be_killed()
        wait_for(lambda: killed.call(PATH, DOMAIN, "GetState", "(u)", 0)[0] == RUNNING, "the machine")
        cut = cut_job(killed, "after", number, call)
        killed.start()
        if ready_or_over(killed):
            killed.call(PATH, DOMAIN, "BlockJobAbort", "(su)", "vda", ABORT_PIVOT if number % 2 else 0)
            settled(killed)
        killed.kill()
        compare_with_qemu(killed)
        killed.start()
        end(killed)
        check_content(disk_of(killed, INACTIVE).find("source").get("file"))
        if not cut:
            assert number > 3
            return
    assert False, "the conversation has no end"


@pytest.mark.parametrize("what", ["active", "copy"])
@pytest.mark.parametrize("moment", ["before", "after"])
def test_daemon_killed_while_a_job_pivots(killed, what, moment):  # noqa: F811
    make_chain(killed.root)
    for name in "abc":
        (killed.root / f"{name}.qcow2").rename(killed.root / f"{name}.kept")
    call = [word.replace("{root}", str(killed.root)) if isinstance(word, str) else word for word in JOBS[what]]
    killed.start()
    seen = set()
    for number in range(1, COMMANDS_MAX):
        prepare(killed)
        killed.call(PATH, DOMAIN, *call)
        assert ready_or_over(killed)
        killed.kill()
        killed.start_to_be_killed()
        assert wait_for(lambda: ready_or_over(killed), "the job")
        cut = cut_job(killed, moment, number, ("BlockJobAbort", "(su)", "vda", ABORT_PIVOT))
        killed.start()
        pivoted = not ready_or_over(killed)
        seen.add(pivoted)
        if not pivoted:
            killed.call(PATH, DOMAIN, "BlockJobAbort", "(su)", "vda", 0)
        settled(killed)
        named = disk_of(killed, INACTIVE).find("source").get("file")
        assert named == disk_of(killed).find("source").get("file"), "the stored definition names what the machine has"
        assert named.endswith("c.qcow2") != pivoted
        killed.kill()
        compare_with_qemu(killed)
        killed.start()
        end(killed)
        check_content(named)
        if not cut:
            assert number > 3 and True in seen
            return
    assert False, "the conversation has no end"


# QEMU killed.

@pytest.mark.parametrize("what", JOBS)
@pytest.mark.parametrize("pivot", [False, True])
def test_qemu_killed(machine, jobs, what, pivot):
    """Whichever image the stored definition names then, it has all that was written."""
    call = [word.replace("{root}", str(machine.root)) if isinstance(word, str) else word for word in JOBS[what]]
    machine.call(PATH, DOMAIN, *call)
    answer = None
    if what in ("active", "copy"):
        jobs.wait(ACTIVE_COMMIT if what == "active" else COPY, READY)
        answer = machine.begin(PATH, DOMAIN, "BlockJobAbort", "(su)", "vda", ABORT_PIVOT if pivot else 0)
    elif pivot:
        pytest.skip("it ends without a pivot")
    kill_and_wait(machine.machines()["web"])
    wait_for(lambda: machine.call(PATH, DOMAIN, "GetState", "(u)", 0)[0] == SHUTOFF, "its end")
    if answer is not None:
        wait_for(lambda: answer, "the answer of who waits for the end")
    check_content(disk_of(machine, INACTIVE).find("source").get("file"), cut_short=True)
    machine.call(PATH, DOMAIN, "Create", "(u)", 0)
    assert job(machine) == (0, 0, 0, 0)


@pytest.mark.parametrize("what, kind", [("pull", PULL), ("commit", COMMIT)])
def test_qemu_killed_as_a_job_ends(machine, jobs, what, kind):
    """Its end is a header's change: what was copied is in the image's file by then, and not in QEMU's memory alone."""
    machine.call(PATH, DOMAIN, *JOBS[what])
    jobs.wait(kind, COMPLETED)
    kill_and_wait(machine.machines()["web"])
    path = disk_of(machine, INACTIVE).find("source").get("file")
    assert backing_of(path) != str(machine.root / "b.qcow2")
    wait_for(lambda: machine.call(PATH, DOMAIN, "GetState", "(u)", 0)[0] == SHUTOFF, "its end")
    check_content(path, cut_short=True)


# What is refused, in libvirt's words.

REFUSED = [
    ("BlockPull", "(stu)", ("vdz", 0, 0), "invalid argument: disk 'vdz' not found in domain"),
    ("BlockJobAbort", "(su)", ("vda", 0), "invalid argument: disk vda does not have an active block job"),
    ("BlockJobSetSpeed", "(stu)", ("vda", 5, 0), "invalid argument: disk vda does not have an active block job"),
    ("BlockRebase", "(sstu)", ("vda", "/x.qcow2", 0, 0),
     "invalid argument: could not find image '/x.qcow2' beneath '{root}/c.qcow2' in chain for 'vda'"),
    ("BlockRebase", "(sstu)", ("vda", "vdb[2]", 0, 0), "invalid argument: requested target 'vdb' does not match target 'vda'"),
    ("BlockRebase", "(sstu)", ("vda", "vda[9]", 0, 0),
     "invalid argument: could not find backing store index '9' in chain for 'vda'"),
    ("BlockRebase", "(sstu)", ("vda", "", 0, 16),
     "invalid argument: flag VIR_DOMAIN_BLOCK_REBASE_RELATIVE is valid only with non-null base"),
    ("BlockRebase", "(sstu)", ("vda", "vda[3]", 0, 16),
     "Requested operation is not valid: can't keep relative backing relationship"),
    ("BlockRebase", "(sstu)", ("vda", "", 1 << 60, 0), "numerical overflow: bandwidth must be less than 8796093022207"),
    ("BlockCommit", "(ssstu)", ("vda", "", "", 0, 0), "invalid argument: commit of 'vda' active layer requires active flag"),
    ("BlockCommit", "(ssstu)", ("vda", "vda[3]", "vda[2]", 0, COMMIT_ACTIVE),
     "invalid argument: active commit requested but '{root}/b.qcow2' is not active"),
    ("BlockCommit", "(ssstu)", ("vda", "", "vda[3]", 0, 0), "invalid argument: could not find base image in chain for 'vda'"),
    ("BlockCommit", "(ssstu)", ("vda", "vda[3]", "", 0, COMMIT_ACTIVE | COMMIT_SHALLOW),
     "invalid argument: base '{root}/a.qcow2' is not immediately below '{root}/c.qcow2' in chain for '{root}/c.qcow2'"),
    ("BlockCopy", "(ssa{sv}u)", ("vda", "<disk type='file'><source file='{root}/c.qcow2'/></disk>", {}, COPY_TRANSIENT),
     "unsupported configuration: external destination file for disk vda already exists and is not a block device: "
     "{root}/c.qcow2"),
    ("BlockCopy", "(ssa{sv}u)", ("vda", "<disk type='file'><source file='{root}/no.img'/></disk>", {},
                                 COPY_TRANSIENT | COPY_REUSE),
     "missing destination file for disk vda: {root}/no.img: No such file or directory"),
    ("BlockCopy", "(ssa{sv}u)", ("vda", "<disk type='file'><driver type='raw'/><source file='{root}/no.img'/></disk>", {},
                                 COPY_TRANSIENT | COPY_SHALLOW),
     "unsupported configuration: shallow copy of disk 'vda' into a raw file is not possible"),
    ("BlockCopy", "(ssa{sv}u)", ("vda", "<disk type='file'><source file='{root}/no.img'/></disk>", {}, 0),
     "Requested operation is not valid: domain is not transient"),
    ("BlockCopy", "(ssa{sv}u)", ("vda", "<disk type='file'><source file='{root}/no.img'/></disk>",
                                 {"granularity": GLib.Variant("u", 3)}, COPY_TRANSIENT),
     "invalid argument: granularity must be power of 2"),
]


def test_refusals(machine):
    for method, signature, arguments, words in REFUSED:
        given = [word.replace("{root}", str(machine.root)) if isinstance(word, str) else word for word in arguments]
        said = machine.error(PATH, DOMAIN, method, signature, *given)[1]
        assert words.replace("{root}", str(machine.root)) in said, (method, arguments)
    settled(machine)
    assert not (machine.root / "no.img").exists()
    assert len(chain_of(disk_of(machine))) == 3


def test_what_a_job_keeps_from_happening(machine, jobs):
    machine.call(PATH, DOMAIN, *JOBS["active"])
    jobs.wait(ACTIVE_COMMIT, READY)
    for call, words in [
            (("DetachDevice", "(su)", disk_xml(machine.root), 1), "disk 'vda' already in active block job"),
            (("Save", "(ssu)", str(machine.root / "web.save"), "", 0), "domain has active block job"),
            (("ManagedSave", "(u)", 0), "domain has active block job"),
            (("BlockPull", "(stu)", "vda", 0, 0), "disk 'vda' already in active block job")]:
        assert words in machine.error(PATH, DOMAIN, *call)[1], call
    machine.call(PATH, DOMAIN, "BlockJobAbort", "(su)", "vda", 0)


def test_names_stay_relative(daemon, jobs):
    make_chain(daemon.root, backing="{below}.qcow2")
    daemon.define(domain_xml("web", UUID, devices=disk_xml(daemon.root)))
    daemon.call(PATH, DOMAIN, "Create", "(u)", 0)
    daemon.call(PATH, DOMAIN, "BlockCommit", "(ssstu)", "vda", "vda[3]", "vda[2]", 0, COMMIT_RELATIVE)
    jobs.wait(COMMIT, COMPLETED)
    assert backing_of(daemon.root / "c.qcow2") == "a.qcow2"
    end(daemon)
    check_content(daemon.root / "c.qcow2")
