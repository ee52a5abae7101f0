# SPDX-License-Identifier: LGPL-2.1-or-later
"""The daemon killed at each command of a conversation with QEMU: the next one finishes or undoes what it finds."""

import contextlib
import json
import re
import socket
import subprocess
import xml.etree.ElementTree as ElementTree

import pytest
from gi.repository import GLib

from conftest import BUILD, CONNECT, DOMAIN, ROOT, Daemon, domain_path, domain_xml, wait_for

UUID = "c0757092-1366-410c-bb6e-fbc6f66ff7ae"
PATH = domain_path(UUID)
RUNNING, PAUSED, SHUTOFF = 1, 3, 5
LIVE = 1
COMMANDS_MAX = 40  # of one conversation


@pytest.fixture
def killed(root, bus, monkeypatch):
    """A daemon that can be told to be killed at a command."""
    sanitizer = subprocess.run(["gcc", "-print-file-name=libasan.so"], capture_output=True, text=True,
                               check=True).stdout.strip()
    sanitized = b"libasan" in subprocess.run(["ldd", BUILD / "daemon/domaind"], capture_output=True, check=True).stdout
    libraries = ([sanitizer] if sanitized else []) + [str(BUILD / "tests/kill-at.so")]
    it = Daemon(root, bus)
    it.kill_at = root / "kill-at"

    def start_to_be_killed():
        with monkeypatch.context() as patch:
            patch.setenv("LD_PRELOAD", " ".join(libraries))
            patch.setenv("KILL_AT", str(it.kill_at))
            it.start()

    def cut(moment, number, *call):
        """Begin @call, which is cut short. False: it was over before."""
        it.kill_at.write_text(f"{moment} {number}")
        answer = it.begin(*call)
        wait_for(lambda: answer, "the answer, or the end of the daemon")
        it.kill_at.unlink()
        over = not isinstance(answer[0], GLib.Error)
        if not over:
            assert it.process.wait() == -9, it.log()
        it.kill()
        return not over

    it.start_to_be_killed = start_to_be_killed
    it.cut = cut
    try:
        yield it
    finally:
        it.clean_up()


def ask(daemon, *commands):
    """QEMU itself, while no daemon is there."""
    (path,) = daemon.root.glob("run/domaind/machines/*/monitor*")
    answers = []
    with socket.socket(socket.AF_UNIX) as monitor:
        monitor.connect(str(path))
        stream = monitor.makefile("rw")
        json.loads(stream.readline())
        for command, arguments in [("qmp_capabilities", {}), *commands]:
            stream.write(json.dumps({"execute": command, "arguments": arguments}) + "\n")
            stream.flush()
            while "event" in (answer := json.loads(stream.readline())):
                pass
            answers.append(answer.get("return"))
    return answers[1:]


def parts(daemon):
    """The names of all that QEMU has: devices, chardevs, nodes, objects, descriptors' owners."""
    devices, chardevs, nodes, objects, sets, info = ask(
        daemon, ("qom-list", {"path": "/machine/peripheral"}), ("query-chardev", {}),
        ("query-named-block-nodes", {"flat": True}), ("qom-list", {"path": "/objects"}), ("query-fdsets", {}),
        ("human-monitor-command", {"command-line": "info network"}))
    return (sorted(item["name"] for item in devices), sorted(item["label"] for item in chardevs),
            len(nodes), sorted(item["name"] for item in objects),
            sorted(fd.get("opaque", "") for item in sets for fd in item["fds"]),
            sorted(re.findall(r"\bhost\w+", info)))


DEVICES = {
    "disk": "<disk type='file' device='disk'><driver name='qemu' type='qcow2'/><source file='{root}/disk.qcow2'/>"
            "<target dev='vda' bus='virtio'/></disk>",
    "interface": "<interface type='user'><mac address='52:54:00:00:00:01'/><model type='virtio'/></interface>",
    "rng": "<rng model='virtio'><backend model='random'>/dev/urandom</backend></rng>",
    "channel": "<channel type='unix'><target type='virtio' name='org.example.0'/></channel>",
}
CONTROLLER = "<controller type='virtio-serial' index='0'/>"


@pytest.mark.parametrize("kind", DEVICES)
@pytest.mark.parametrize("moment", ["before", "after"])
def test_attach(killed, kind, moment):
    subprocess.run(["qemu-img", "create", "-q", "-f", "qcow2", killed.root / "disk.qcow2", "1M"], check=True)
    device = DEVICES[kind].format(root=killed.root)
    killed.start()
    killed.define(domain_xml("web", UUID, "<features><acpi/></features>", devices=CONTROLLER))
    without = with_it = None
    for number in range(1, COMMANDS_MAX):
        if killed.process is None:
            killed.start()
        killed.call(PATH, DOMAIN, "Create", "(u)", 0)
        killed.kill()
        without = without or parts(killed)
        killed.start_to_be_killed()
        wait_for(lambda: killed.call(PATH, DOMAIN, "GetState", "(u)", 0)[0] == RUNNING, "the machine")
        cut = killed.cut(moment, number, PATH, DOMAIN, "AttachDevice", "(su)", device, LIVE)
        killed.start()
        document = wait_for(lambda: answer_when_settled(killed), "the document")
        has_it = f"<{kind} " in document
        # It can be attached, or taken out and attached again, as if nothing had been.
        if not has_it:
            killed.call(PATH, DOMAIN, "AttachDevice", "(su)", device, LIVE)
        killed.kill()
        assert list(killed.root.glob("run/domaind/machines/*/hotplug-*")) == []
        now = parts(killed)
        with_it = with_it or now
        assert now == with_it, f"{moment} {number}: {'finished' if has_it else 'undone'}"
        killed.start()
        killed.call(PATH, DOMAIN, "Destroy", "(u)", 0)
        if not cut:
            assert number > 2
            return
    assert False, "the conversation has no end"


def answer_when_settled(daemon):
    """The document, when the machine was taken up: what changes it waits for that, and this is such a call."""
    daemon.call(PATH, DOMAIN, "Suspend")
    daemon.call(PATH, DOMAIN, "Resume")
    return daemon.call(PATH, DOMAIN, "GetXMLDesc", "(u)", 0)


def processors(daemon):
    """The vCPUs and I/O threads that QEMU has, as their numbers."""
    vcpus, iothreads = ask(daemon, ("query-cpus-fast", {}), ("query-iothreads", {}))
    return len(vcpus), sorted(int(thread["id"].removeprefix("iothread")) for thread in iothreads)


CHANGES = {
    "vcpus": (DOMAIN, "SetVcpus", "(uu)", 3, LIVE),
    "iothread": (DOMAIN, "AddIOThread", "(uu)", 7, LIVE),
    "no-iothread": (DOMAIN, "DelIOThread", "(uu)", 1, LIVE),
}


@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize("moment", ["before", "after"])
def test_vcpus_and_iothreads(killed, change, moment):
    """What QEMU has is what the document says, and the rest of the change can be made."""
    killed.start()
    machine = domain_xml("web", UUID, "<features><acpi/></features><iothreads>1</iothreads>")
    killed.define(machine.replace("<vcpu>1</vcpu>", "<vcpu current='1'>3</vcpu>"))
    for number in range(1, COMMANDS_MAX):
        killed.call(PATH, DOMAIN, "Create", "(u)", 0)
        killed.kill()
        killed.start_to_be_killed()
        wait_for(lambda: killed.call(PATH, DOMAIN, "GetState", "(u)", 0)[0] == RUNNING, "the machine")
        cut = killed.cut(moment, number, PATH, *CHANGES[change])
        has = processors(killed)
        killed.start()
        document = ElementTree.fromstring(answer_when_settled(killed))
        vcpu, threads = document.find("vcpu"), document.findall("iothreadids/iothread")
        count = int(document.findtext("iothreads") or 0)
        assert int(vcpu.get("current", vcpu.text)) == has[0], f"{moment} {number}"
        assert (sorted(int(thread.get("id")) for thread in threads) or list(range(1, count + 1))) == has[1], f"{moment} {number}"
        with contextlib.suppress(GLib.Error):  # it may have been made
            killed.call(PATH, *CHANGES[change])
        killed.kill()
        assert processors(killed) == {"vcpus": (3, [1]), "iothread": (1, [1, 7]), "no-iothread": (1, [])}[change]
        killed.start()
        killed.call(PATH, DOMAIN, "Destroy", "(u)", 0)
        if not cut:
            assert number > 1
            return
    assert False, "the conversation has no end"


DRIVE = "<disk type='file' device='cdrom'><driver name='qemu' type='{format}'/>{source}<target dev='hda' bus='ide'/></disk>"
MEDIA = {"first.iso": 1 << 20, "second.iso": 2 << 20, "third.qcow2": 4 << 20}


def drive(root, name):
    source = f"<source file='{root}/{name}'/>" if name else ""
    return DRIVE.format(format="qcow2" if name and name.endswith("qcow2") else "raw", source=source)


def medium(daemon):
    """The size of the medium that QEMU has in its drive, None for none; how many nodes and descriptors it has."""
    drives, nodes, sets = ask(daemon, ("query-block", {}), ("query-named-block-nodes", {"flat": True}), ("query-fdsets", {}))
    (found,) = [item for item in drives if "ide0-0-0" in item.get("qdev", "")]
    assert not found["tray_open"]
    return found.get("inserted", {}).get("image", {}).get("virtual-size"), len(nodes), len(sets)


@pytest.mark.parametrize("old, new", [("first.iso", "second.iso"), ("first.iso", None), (None, "second.iso"),
                                      ("third.qcow2", "first.iso"), ("first.iso", "third.qcow2")])
@pytest.mark.parametrize("moment", ["before", "after"])
def test_change_of_a_medium(killed, moment, old, new):
    """The drive has what the document says it has, and nothing of the other medium is left."""
    for name, size in MEDIA.items():
        if name.endswith("iso"):
            (killed.root / name).write_bytes(bytes(size))
    subprocess.run(["qemu-img", "create", "-q", "-f", "qcow2", "-b", killed.root / "second.iso", "-F", "raw",
                    killed.root / "third.qcow2", str(MEDIA["third.qcow2"])], check=True)
    killed.start()
    killed.define(domain_xml("web", UUID, devices=drive(killed.root, old)))
    parts_of = {}
    for number in range(1, COMMANDS_MAX):
        killed.call(PATH, DOMAIN, "Create", "(u)", 0)
        killed.kill()
        parts_of[old] = medium(killed)
        killed.start_to_be_killed()
        wait_for(lambda: killed.call(PATH, DOMAIN, "GetState", "(u)", 0)[0] == RUNNING, "the machine")
        change = (PATH, DOMAIN, "UpdateDevice", "(su)", drive(killed.root, new), LIVE)
        cut = killed.cut(moment, number, *change)
        killed.start()
        source = ElementTree.fromstring(answer_when_settled(killed)).find("devices/disk/source")
        name = source.get("file").rpartition("/")[2] if source is not None else None
        killed.kill()
        now = medium(killed)
        assert now[0] == MEDIA.get(name), f"{moment} {number}: the document says {name}"
        assert now == parts_of.setdefault(name, now), f"{moment} {number}"
        assert list(killed.root.glob("run/domaind/machines/*/hotplug-*")) == []
        killed.start()
        killed.call(*change)
        killed.kill()
        now = medium(killed)
        assert now == parts_of.setdefault(new, now) and now[0] == MEDIA.get(new), f"{moment} {number}"
        killed.start()
        killed.call(PATH, DOMAIN, "Destroy", "(u)", 0)
        if not cut:
            assert number > 2
            return
    assert False, "the conversation has no end"


@pytest.mark.parametrize("moment", ["before", "after"])
@pytest.mark.parametrize("managed", [True, False])
def test_restore(killed, managed, moment):
    killed.start()
    killed.define(domain_xml("web", UUID))
    image = killed.root / "web.save"
    for number in range(1, COMMANDS_MAX):
        killed.call(PATH, DOMAIN, "Create", "(u)", 0)
        if managed:
            killed.call(PATH, DOMAIN, "ManagedSave", "(u)", 0)
        else:
            killed.call(PATH, DOMAIN, "Save", "(ssu)", str(image), "", 0)
        killed.kill()
        killed.start_to_be_killed()
        call = ((PATH, DOMAIN, "Create", "(u)", 0) if managed
                else (ROOT, CONNECT, "DomainRestore", "(ssu)", str(image), "", 0))
        cut = killed.cut(moment, number, *call)
        killed.start()
        state = wait_for(lambda: settled_state(killed), "the machine's state")
        has_image = bool(killed.call(PATH, DOMAIN, "HasManagedSaveImage", "(u)", 0))
        assert (state, has_image) in [(RUNNING, False), (SHUTOFF, managed)], f"{moment} {number}"
        with contextlib.suppress(GLib.Error):
            killed.call(PATH, DOMAIN, "Destroy", "(u)", 0)
        if has_image:
            killed.call(PATH, DOMAIN, "ManagedSaveRemove", "(u)", 0)
        if not cut:
            assert number > 3
            return
    assert False, "the conversation has no end"


def settled_state(daemon):
    state = daemon.call(PATH, DOMAIN, "GetState", "(u)", 0)[0]
    return state if state in (RUNNING, SHUTOFF) else None


@pytest.mark.parametrize("flags", [0, 1], ids=["running", "paused"])
def test_a_device_that_the_guest_lets_go_of_meanwhile(daemon, flags):
    """It leaves the document, and what was behind it leaves QEMU."""
    daemon.define(domain_xml("web", UUID, "<features><acpi/></features>", devices=CONTROLLER + DEVICES["channel"]))
    daemon.call(PATH, DOMAIN, "Create", "(u)", flags)
    daemon.kill()
    ask(daemon, ("device_del", {"id": "channel0"}))
    assert "channel0" not in parts(daemon)[0]
    with daemon.signals() as seen:
        daemon.start()
        wait_for(lambda: [member for _, member, _ in seen if member == f"{DOMAIN}.DeviceRemoved"], "the event")
    wait_for(lambda: "org.example.0" not in daemon.call(PATH, DOMAIN, "GetXMLDesc", "(u)", 0), "the document")
    wait_for(lambda: list(daemon.root.glob("run/domaind/machines/*/hotplug-*")) == [], "the end of the back-end")
    daemon.kill()
    assert "charchannel0" not in parts(daemon)[1], daemon.log()


def test_a_machine_that_was_killed_with_the_daemon_has_crashed(daemon):
    daemon.define(domain_xml("web", UUID))
    daemon.call(PATH, DOMAIN, "Create", "(u)", 0)
    daemon.kill()
    for pid in daemon.processes():
        subprocess.run(["kill", "-9", str(pid)], check=True)
    wait_for(lambda: daemon.processes() == set(), "its end")
    daemon.start()
    assert daemon.call(PATH, DOMAIN, "GetState", "(u)", 0) == (SHUTOFF, 3)


def test_what_was_cut_short_leaves_no_files(daemon):
    daemon.define(domain_xml("web", UUID))
    daemon.kill()
    left = [daemon.root / place for place in ("etc/domaind/domains/.aside-a", "etc/domaind/storage/.aside-b",
                                              "etc/domaind/storage/autostart/.aside-c",
                                              "run/domaind/machines/87291af1-1366-410c-bb6e-fbc6f66ff7ae/live.xml")]
    for path in left:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("cut sho")
    daemon.start()
    assert [path for path in left if path.exists()] == []
    assert list((daemon.root / "run/domaind/machines").iterdir()) == []
