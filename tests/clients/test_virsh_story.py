# SPDX-License-Identifier: LGPL-2.1-or-later
"""The life of a little Linux as unmodified virsh tells it, and everything virsh can ask of an empty host."""

import os
import pathlib
import re
import select
import signal
import subprocess
import uuid

import pytest

from conftest import wait_for
from virsh import guest, virsh  # noqa: F401

UUID = "87291af1-1366-410c-bb6e-fbc6f66ff7ae"
NAME = "little"
MAC = "52:54:00:11:22:33"
METADATA_URI = "https://example.org/owner"

DOCUMENT = """<domain type='qemu'>
  <name>{name}</name>
  <uuid>{uuid}</uuid>
  <memory unit='MiB'>128</memory>
  <vcpu current='1'>2</vcpu>
  <os>
    <type arch='x86_64' machine='q35'>hvm</type>
    <kernel>{guest}/vmlinuz</kernel>
    <initrd>{guest}/initrd.img</initrd>
    <cmdline>console=ttyS0 quiet</cmdline>
  </os>
  <features><acpi/><apic/></features>
  <devices>
    <disk type='file' device='disk'>
      <driver name='qemu' type='qcow2'/><source file='{image}'/><target dev='vda' bus='virtio'/>
    </disk>
    <disk type='file' device='cdrom'><target dev='sda' bus='sata'/><readonly/></disk>
    <interface type='user'><mac address='52:54:00:11:22:33'/><model type='virtio'/></interface>
    <serial type='pty'/>
    <channel type='unix'><target type='virtio' name='org.qemu.guest_agent.0'/></channel>
    <graphics type='vnc' port='-1'/>
    <video><model type='virtio'/></video>
    <rng model='virtio'><backend model='random'>/dev/urandom</backend></rng>
  </devices>
</domain>
"""


@pytest.fixture
def image(daemon):
    path = daemon.root / "disk.qcow2"
    subprocess.run(["qemu-img", "create", "-q", "-f", "qcow2", path, "16M"], check=True)
    return path


@pytest.fixture
def document(daemon, guest, image):
    path = daemon.root / "little.xml"
    path.write_text(DOCUMENT.format(name=NAME, uuid=UUID, guest=guest, image=image))
    return path


@pytest.fixture
def defined(virsh, document):
    assert virsh("define", document) == f"Domain '{NAME}' defined from {document}\n\n"
    return virsh


@pytest.fixture
def running(defined):
    assert defined("start", NAME) == f"Domain '{NAME}' started\n\n"
    return defined


def state(virsh, name=NAME):
    return virsh("domstate", name, "--reason").strip()


def read_until(stream, words):
    """What comes on a descriptor up to @words."""
    seen = b""
    while words not in seen:
        piece = os.read(stream, 4096)
        assert piece, seen
        seen += piece
    return seen


# Before there is a machine.

def test_an_empty_host(virsh):
    assert virsh("list", "--all").splitlines()[0].split() == ["Id", "Name", "State"]
    assert virsh("list", "--all", "--name").strip() == ""
    assert virsh.table("list", "--all") == []
    for command in (["net-list", "--all"], ["nwfilter-list"], ["nwfilter-binding-list"], ["secret-list"],
                    ["pool-list", "--all"]):
        assert virsh.table(*command) == [], command
    assert "lo" in [row[0] for row in virsh.table("iface-list", "--all")]
    assert virsh("nodedev-list").strip() == ""
    assert virsh("domstats").strip() == ""


@pytest.mark.parametrize("command, text", [
    (["dominfo", "nobody"], "failed to get domain 'nobody'"),
    (["domstate", UUID], f"failed to get domain '{UUID}'"),
    (["domstate", "7"], "failed to get domain '7'"),
    (["start", "nobody"], "failed to get domain 'nobody'"),
    (["net-info", "default"], "Network not found: no network with matching name 'default'"),
    (["pool-info", "default"], "Storage pool not found: no storage pool with matching name 'default'"),
    (["vol-list", "default"], "Storage pool not found"),
    (["nodedev-dumpxml", "pci_0"], "Node device not found: no node device with matching name 'pci_0'"),
    (["nwfilter-dumpxml", "clean"], "Network filter not found: no nwfilter with matching name 'clean'"),
    (["secret-dumpxml", UUID], f"Secret not found: no secret with matching uuid '{UUID}'"),
    (["iface-dumpxml", "eth9"], "Interface not found: couldn't find interface named 'eth9'"),
])
def test_what_is_not_there_is_not_found(virsh, command, text):
    assert text in virsh.fails(*command)


def test_the_connection_and_the_host(virsh, daemon):
    assert virsh("uri").strip() == virsh.uri
    assert virsh("hostname").strip() == virsh("hostname").strip() != ""
    assert re.search(r"^Running hypervisor: QEMU \d+\.\d+\.\d+$", virsh("version"), re.M)
    assert re.search(r"^Running against daemon: 11\.3\.0$", virsh("version", "--daemon"), re.M)
    assert int(virsh("maxvcpus", "qemu")) >= 1

    node = virsh.fields("nodeinfo")
    assert list(node) == ["CPU model", "CPU(s)", "CPU frequency", "CPU socket(s)", "Core(s) per socket", "Thread(s) per core",
                          "NUMA cell(s)", "Memory size"]
    assert int(node["CPU(s)"]) == os.cpu_count()
    assert list(virsh.fields("nodememstats")) == ["total", "free", "buffers", "cached"]
    assert list(virsh.fields("nodecpustats")) == ["user", "system", "idle", "iowait"]
    assert list(virsh.fields("nodecpustats", "--percent")) == ["usage", "user", "system", "idle", "iowait"]
    cpu_map = virsh.fields("nodecpumap", "--pretty")
    assert int(cpu_map["CPUs online"]) == os.cpu_count()
    assert virsh("freecell").startswith("Total: ")
    assert "4KiB:" in virsh("freepages", "--all")

    assert "<capabilities>" in virsh("capabilities")
    assert "<machine>" in virsh("domcapabilities", "--machine", "q35")
    assert "qemu64" in virsh("cpu-models", "x86_64").split()
    assert "nobody" in virsh.fails("cpu-models", "nobody")


# Definitions.

def test_definitions(defined, document):
    virsh = defined
    assert virsh.table("list") == []
    assert virsh.table("list", "--all") == [["-", NAME, "shut", "off"]]
    for flag in ("--inactive", "--persistent", "--no-autostart", "--without-managed-save", "--without-snapshot"):
        assert virsh.table("list", "--all", flag) == [["-", NAME, "shut", "off"]], flag
    for flag in ("--transient", "--autostart", "--with-managed-save", "--with-snapshot", "--state-running", "--state-paused"):
        assert virsh("list", "--all", "--name", flag).strip() == "", flag
    assert virsh("list", "--all", "--uuid").strip() == UUID
    assert state(virsh) == "shut off (unknown)"
    assert virsh("domid", NAME).strip() == "-"
    assert virsh("domuuid", NAME).strip() == UUID
    assert virsh("domname", UUID).strip() == NAME

    information = virsh.fields("dominfo", NAME)
    assert list(information) == ["Id", "Name", "UUID", "OS Type", "State", "CPU(s)", "Max memory", "Used memory", "Persistent",
                                 "Autostart", "Managed save", "Security model", "Security DOI"]
    assert information["Max memory"] == "131072 KiB"
    assert (information["Persistent"], information["Autostart"], information["Managed save"]) == ("yes", "disable", "no")

    virsh("autostart", NAME)
    assert virsh("list", "--all", "--name", "--autostart").strip() == NAME
    virsh("autostart", NAME, "--disable")
    assert virsh.fields("dominfo", NAME)["Autostart"] == "disable"

    virsh("desc", NAME, "--title", "A little Linux", "--config")
    virsh("desc", NAME, "for tests", "--config")
    assert virsh("desc", NAME, "--title").strip() == "A little Linux"
    assert virsh("desc", NAME).strip() == "for tests"
    assert "A little Linux" in virsh("list", "--all", "--title")
    virsh("metadata", NAME, METADATA_URI, "--key", "owner", "--set", "<who>me</who>", "--config")
    assert "<who>me</who>" in virsh("metadata", NAME, METADATA_URI)
    virsh("metadata", NAME, METADATA_URI, "--remove", "--config")
    assert "metadata" in virsh.fails("metadata", NAME, METADATA_URI)

    assert virsh("vcpucount", NAME, "--maximum", "--config").strip() == "2"
    assert virsh("vcpucount", NAME, "--config").strip() == "1"
    assert virsh("dumpxml", NAME, "--xpath", "/domain/title/text()").strip() == "A little Linux"

    virsh("domrename", NAME, "renamed")
    assert virsh("list", "--all", "--name").strip() == "renamed"
    virsh("domrename", "renamed", NAME)

    for refused, text in ((["suspend", NAME], "domain is not running"), (["shutdown", NAME], "domain is not running"),
                          (["destroy", NAME], "domain is not running"), (["reset", NAME], "domain is not running"),
                          (["domifaddr", NAME], "domain is not running"), (["domcontrol", NAME], "domain is not running")):
        assert text in virsh.fails(*refused), refused
    virsh("undefine", NAME)
    assert virsh("list", "--all", "--name").strip() == ""


def test_edit_by_an_editor(defined, daemon):
    editor = daemon.root / "editor"
    editor.write_text("#!/bin/sh\nsed -i 's/131072/262144/g' \"$1\"\n")
    editor.chmod(0o755)
    said = defined("edit", NAME, environment={"EDITOR": str(editor)})
    assert f"Domain '{NAME}' XML configuration edited." in said
    assert defined.fields("dominfo", NAME)["Max memory"] == "262144 KiB"

    editor.write_text("#!/bin/sh\ntrue\n")
    assert "not changed" in defined("edit", NAME, environment={"EDITOR": str(editor)})


@pytest.mark.parametrize("xml, text", [
    ("<domain", "Couldn't find end of Start Tag domain line 1"),
    ("<network><name>x</name></network>", "expecting root element of 'domain', not 'network'"),
    ("<domain type='qemu'><memory>1</memory><os><type>hvm</type></os></domain>", "missing name information"),
    ("<domain type='qemu'><name>x</name><os><type>hvm</type></os></domain>", "Memory size must be specified via <memory>"),
    ("<domain type='bogus'><name>x</name><memory>1</memory></domain>", "invalid domain type bogus"),
])
def test_a_document_that_is_none(virsh, daemon, xml, text):
    path = daemon.root / "bad.xml"
    path.write_text(xml)
    error = virsh.fails("define", path)
    assert error.startswith(f"error: Failed to define domain from {path}")
    assert text in error


def test_same_uuid_or_name_as_another(defined, document):
    text = document.read_text()
    document.write_text(text.replace(f">{NAME}<", ">other<"))
    assert f"domain '{NAME}' is already defined with uuid {UUID}" in defined.fails("define", document)
    document.write_text(text.replace(UUID, str(uuid.uuid4())))
    assert f"domain '{NAME}' already exists with uuid {UUID}" in defined.fails("define", document)


# A running machine.

def test_what_is_known_of_a_running_machine(running, image):
    virsh = running
    assert virsh.table("list") == [["1", NAME, "running"]]
    assert state(virsh) == "running (booted)"
    assert virsh("domid", NAME).strip() == "1"
    assert virsh("domname", "1").strip() == NAME
    assert virsh.fields("dominfo", NAME)["State"] == "running"
    assert virsh("domcontrol", NAME).strip() == "ok"
    assert "Domain is already active" in virsh.fails("start", NAME)

    assert virsh.table("domblklist", NAME) == [["vda", str(image)], ["sda", "-"]]
    assert virsh.table("domblklist", NAME, "--details") == [["file", "disk", "vda", str(image)], ["file", "cdrom", "sda", "-"]]
    assert virsh.fields("domblkinfo", NAME, "vda")["Capacity"] == str(16 << 20)
    assert [row[0] for row in virsh.table("domblkinfo", NAME, "--all")] == ["vda", "sda"]
    assert "invalid argument" in virsh.fails("domblkinfo", NAME, "vdz")
    assert [line.split()[1] for line in virsh("domblkstat", NAME, "vda").splitlines() if line] == [
        "rd_req", "rd_bytes", "wr_req", "wr_bytes", "flush_operations", "rd_total_times", "wr_total_times", "flush_total_times"]
    assert virsh("domblkstat", NAME) != ""
    assert "No errors found" in virsh("domblkerror", NAME)
    assert virsh.table("domiflist", NAME) == [["-", "user", "-", "virtio", MAC]]
    assert "'vnet7' is not a known interface" in virsh.fails("domifstat", NAME, "vnet7")
    assert virsh.table("domifaddr", NAME) == []

    memory = virsh.fields("dommemstat", NAME)
    assert memory["actual"] == "131072" and int(memory["rss"]) > 0
    assert [row for row in virsh("vcpucount", NAME).split("\n") if row] == [
        "maximum      config         2", "maximum      live           2", "current      config         1",
        "current      live           1"]
    vcpu = virsh.fields("vcpuinfo", NAME, "--pretty")
    assert vcpu["State"] == "running" and vcpu["CPU Affinity"].endswith(f"(out of {os.cpu_count()})")
    assert list(virsh.fields("cpu-stats", NAME, "--total"))[1:] == ["cpu_time", "user_time", "system_time"]

    assert virsh("domdisplay", NAME).startswith("vnc://127.0.0.1:")
    assert virsh("vncdisplay", NAME).startswith("127.0.0.1:")
    assert virsh("ttyconsole", NAME).startswith("/dev/pts/")
    live = virsh("dumpxml", NAME)
    assert live.startswith("<domain type='qemu' id='1'>")
    inactive = virsh("dumpxml", NAME, "--inactive")
    assert inactive.startswith("<domain type='qemu'>") and "<alias" not in inactive and UUID in inactive
    for flag in ("--security-info", "--update-cpu", "--migratable"):
        assert UUID in virsh("dumpxml", NAME, flag), flag
    assert virsh("domjobinfo", NAME).split()[:3] == ["Job", "type:", "None"]
    assert virsh.table("snapshot-list", NAME) == []
    assert virsh.table("checkpoint-list", NAME) == []
    assert "blocked" not in virsh("domstate", NAME)


GROUPS = {
    "state": ["state.state", "state.reason"],
    "cpu-total": ["cpu.time", "cpu.user", "cpu.system"],
    "balloon": ["balloon.current", "balloon.maximum", "balloon.rss"],
    "vcpu": ["vcpu.current", "vcpu.maximum", "vcpu.0.state", "vcpu.0.time", "vcpu.0.wait", "vcpu.0.delay"],
    "interface": ["net.count"],
    "block": ["block.count", "block.0.name", "block.0.path", "block.0.rd.reqs", "block.0.wr.bytes", "block.0.allocation",
              "block.0.capacity", "block.0.physical", "block.1.name"],
    "perf": [], "iothread": [], "memory": [], "dirtyrate": [], "vm": [],
}


@pytest.mark.parametrize("group", GROUPS)
def test_every_group_of_statistics(running, group):
    output = running("domstats", f"--{group}", NAME).splitlines()
    assert output[0] == f"Domain: '{NAME}'"
    names = [line.strip().partition("=")[0] for line in output[1:] if line.strip()]
    assert [name for name in GROUPS[group] if name not in names] == []
    prefix = {"cpu-total": "cpu", "interface": "net"}.get(group, group)
    assert {name.partition(".")[0] for name in names} <= {prefix}


def test_statistics_of_the_machines_that_pass(running):
    for flag in ("--list-active", "--list-running", "--list-persistent"):
        assert NAME in running("domstats", "--state", flag), flag
    for flag in ("--list-inactive", "--list-paused", "--list-shutoff", "--list-transient"):
        assert running("domstats", "--state", flag).strip() == "", flag
    assert "state.state=1" in running("domstats", "--raw", "--state", "--nowait", NAME)


def test_suspend_resume_reset_destroy(running):
    virsh = running
    virsh("suspend", NAME)
    assert state(virsh) == "paused (user)"
    assert virsh("list", "--state-paused", "--name").strip() == NAME
    virsh("resume", NAME)
    assert state(virsh) == "running (unpaused)"
    assert "domain is already running" in virsh.fails("resume", NAME)
    virsh("reset", NAME)
    virsh("inject-nmi", NAME)
    assert state(virsh) == "running (unpaused)"
    assert virsh("destroy", NAME) == f"Domain '{NAME}' destroyed\n\n"
    assert state(virsh) == "shut off (destroyed)"
    assert "domain is not running" in virsh.fails("destroy", NAME)

    assert virsh("start", NAME, "--paused") == f"Domain '{NAME}' started\n\n"
    assert state(virsh) == "paused (user)"
    virsh("destroy", NAME, "--graceful")
    assert state(virsh) == "shut off (destroyed)"


def test_the_display_and_the_monitor(running):
    virsh = running
    picture = virsh.daemon.root / "screen"
    assert "Screenshot saved" in virsh("screenshot", NAME, picture)
    assert picture.read_bytes()[:2] in (b"P6", b"\x89P")
    assert "running" in virsh("qemu-monitor-command", NAME, "--hmp", "info", "status")
    assert '"return"' in virsh("qemu-monitor-command", NAME, '{"execute": "query-status"}')
    assert virsh.fails("qemu-agent-command", NAME, '{"execute": "guest-ping"}') != ""


def test_saved_and_restored(running):
    virsh = running
    image = virsh.daemon.root / "saved"
    virsh("managedsave", NAME)
    assert state(virsh) == "shut off (saved)"
    assert virsh("list", "--all", "--name", "--with-managed-save").strip() == NAME
    assert virsh.fields("dominfo", NAME)["Managed save"] == "yes"
    assert "Refusing to undefine" in virsh.fails("undefine", NAME)
    virsh("start", NAME)
    assert state(virsh) == "running (restored)"
    virsh("save", NAME, image, "--paused")
    assert UUID in virsh("save-image-dumpxml", image)
    virsh("restore", image)
    assert state(virsh).startswith("paused")
    virsh("resume", NAME)
    virsh("managedsave", NAME)
    virsh("managedsave-remove", NAME)
    assert virsh("list", "--all", "--name", "--with-managed-save").strip() == ""


def test_devices_come_and_go(running, daemon):
    virsh = running
    disk = daemon.root / "more.qcow2"
    subprocess.run(["qemu-img", "create", "-q", "-f", "qcow2", disk, "1M"], check=True)
    assert virsh("attach-disk", NAME, disk, "vdb", "--subdriver", "qcow2") == "Disk attached successfully\n\n"
    assert ["vdb", str(disk)] in virsh.table("domblklist", NAME)
    assert "target 'vdb' duplicated for disk sources" in virsh.fails("attach-disk", NAME, disk, "vdb", "--subdriver", "qcow2")
    assert "target vda already exists" in virsh.fails("attach-disk", NAME, disk, "vda", "--config")
    assert "vdz" in virsh.fails("detach-disk", NAME, "vdz")
    virsh("domif-setlink", NAME, MAC, "down")
    assert virsh("domif-getlink", NAME, MAC).split()[-1] == "down"


def test_undefined_while_it_runs_and_defined_again(running, document):
    running("undefine", NAME)
    assert running.fields("dominfo", NAME)["Persistent"] == "no"
    assert running("list", "--transient", "--name").strip() == NAME
    running("define", document)
    assert running.fields("dominfo", NAME)["Persistent"] == "yes"
    running("undefine", NAME)
    running("destroy", NAME)
    assert "failed to get domain" in running.fails("domstate", NAME)


def test_transient_from_the_beginning(virsh, document):
    assert virsh("create", document, "--paused") == f"Domain '{NAME}' created from {document}\n\n"
    assert virsh.fields("dominfo", NAME)["Persistent"] == "no"
    assert "transient" in virsh.fails("autostart", NAME)
    virsh("destroy", NAME)
    assert virsh("list", "--all", "--name").strip() == ""


def test_undefine_takes_what_it_is_told(defined):
    for flag in ("--managed-save", "--snapshots-metadata", "--checkpoints-metadata", "--nvram", "--keep-nvram"):
        defined("undefine", NAME, flag)
        assert defined("list", "--all", "--name").strip() == ""
        defined("define", defined.daemon.root / "little.xml")


def test_the_guest_on_its_console(running):
    """Boots, is typed to, and ends by its power button; virsh ends with it."""
    terminal, program = os.openpty()
    console = subprocess.Popen(running.command("console", NAME, "--force"), env=running.environment, stdin=program,
                               stdout=program, stderr=program, start_new_session=True)
    os.close(program)
    try:
        read_until(terminal, b"Connected to domain")
        read_until(terminal, b"guest: ready")
        os.write(terminal, b"\necho $((6 * 7))\n")
        read_until(terminal, b"42")
        assert running("reboot", NAME) == f"Domain '{NAME}' is being rebooted\n\n"
        read_until(terminal, b"guest: ready")
        assert running("shutdown", NAME, "--mode", "acpi") == f"Domain '{NAME}' is being shutdown\n\n"
        assert console.wait(60) == 0
    finally:
        console.kill()
        console.wait()
        os.close(terminal)
    wait_for(lambda: state(running) == "shut off (shutdown)", "the end of the guest")


# Events.

def test_events_while_it_lives(defined, document):
    events = defined.start("event", "--all", "--loop", "--timestamp")
    try:
        wait_for(lambda: _heard(defined, events), "the first event")
        defined("start", NAME, "--paused")
        defined("resume", NAME)
        defined("destroy", NAME)
    finally:
        events.send_signal(signal.SIGINT)
        text, _ = events.communicate(timeout=60)
    told = re.findall(r"event '([a-z-]+)' for domain '([^']+)': (.*)", text)
    lifecycle = [what for name, domain, what in told if name == "lifecycle" and domain == NAME]
    assert lifecycle == ["Started Booted", "Suspended Paused", "Resumed Unpaused", "Stopped Destroyed"]


def test_events_of_a_save_and_its_restore(defined, daemon):
    image = daemon.root / "little.save"
    events = defined.start("event", "--all", "--loop")
    try:
        wait_for(lambda: _heard(defined, events), "the first event")
        defined("start", NAME)
        defined("save", NAME, image)
        defined("restore", image)
        defined("save", NAME, image, "--paused")
        defined("restore", image)
        defined("destroy", NAME)
    finally:
        events.send_signal(signal.SIGINT)
        text, _ = events.communicate(timeout=60)
    told = re.findall(r"event '([a-z-]+)' for domain '[^']+':(.*(?:\n\t.*)*)", text)
    agent = " state: 'disconnected' reason: 'domain started'"
    # QEMU passes over the memory once more where the guest was seen to write; what comes before is the same.
    again = re.compile(r" iteration: '(?![12]')\d+'")
    assert [(name, " ".join(re.findall(r"\t(\w+):", what)) or what) for name, what in told
            if name != "metadata-change" and "channel event" not in what and not again.fullmatch(what)] == [
        ("agent-lifecycle", agent), ("lifecycle", " Resumed Unpaused"), ("lifecycle", " Started Booted"),
        *SAVED,
        ("agent-lifecycle", agent), ("lifecycle", " Started Restored"), ("lifecycle", " Resumed Snapshot"),
        *SAVED,
        ("agent-lifecycle", agent), ("lifecycle", " Started Restored"), ("lifecycle", " Suspended Restored"),
        ("lifecycle", " Stopped Destroyed")]


SAVED = [
    ("lifecycle", " Suspended Paused"), ("migration-iteration", " iteration: '1'"), ("migration-iteration", " iteration: '2'"),
    ("job-completed", "operation time_elapsed downtime setup_time data_total data_processed data_remaining memory_total "
     "memory_processed memory_remaining memory_bps memory_constant memory_normal memory_normal_bytes memory_dirty_rate "
     "memory_iteration memory_postcopy_requests memory_page_size"),
    ("lifecycle", " Stopped Saved"),
]


def _heard(virsh, events):
    """Change something until it is told of: then every event that follows is."""
    virsh("metadata", NAME, METADATA_URI, "--key", "owner", "--set", "<who/>", "--config")
    return bool(select.select([events.stdout], [], [], 0.5)[0])


# Ways to connect.

def test_read_only(running):
    read_only = {"options": ("-r",)}
    assert running("list", "--name", **read_only).strip() == NAME
    assert running("dominfo", NAME, **read_only) and running("dumpxml", NAME, **read_only)
    for refused in (["suspend", NAME], ["destroy", NAME], ["undefine", NAME], ["autostart", NAME],
                    ["dumpxml", NAME, "--security-info"], ["define", running.daemon.root / "little.xml"],
                    ["domrename", NAME, "x"], ["setmem", NAME, "1G"], ["setvcpus", NAME, "2"],
                    ["qemu-monitor-command", NAME, "--hmp", "info"], ["screenshot", NAME, "/dev/null"], ["reset", NAME],
                    ["domif-setlink", NAME, MAC, "down"], ["desc", NAME, "x"], ["send-key", NAME, "KEY_A"]):
        assert "operation forbidden" in running.fails(*refused, **read_only), refused
    assert state(running) == "running (booted)"


def test_keepalive(running):
    """virsh asks for a sign of life every second; the daemon answers, and neither hangs up."""
    assert running("list", "--name", options=("-k", "1", "-K", "2")).strip() == NAME
    events = running.start("event", "--domain", NAME, "--event", "lifecycle", "--timeout", "4", options=("-k", "1", "-K", "1"))
    text, errors = events.communicate(timeout=60)
    assert "event loop timed out" in text and errors == ""


def test_other_uris_are_refused(virsh):
    path = pathlib.Path(virsh.uri.partition("socket=")[2])
    for uri in (f"qemu:///system?socket={path}", f"xen:///system?socket={path}"):
        done = subprocess.run(["virsh", "-c", uri, "list"], env=virsh.environment, capture_output=True, text=True, check=False)
        assert done.returncode == 1 and "failed to connect to the hypervisor" in done.stderr


def test_many_commands_on_one_connection(running):
    """A shell of virsh's, as people keep one open."""
    script = f"list --all\ndominfo {NAME}\ndomstats {NAME}\nsuspend {NAME}\ndomstate {NAME}\nresume {NAME}\nquit\n"
    assert "paused" in running(stdin=script)
