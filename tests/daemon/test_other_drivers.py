# SPDX-License-Identifier: LGPL-2.1-or-later
"""Machines of Firecracker and Cloud Hypervisor: started, paused, found again, ended, and what their API may do wrong. The
hypervisors are fake_hypervisor.py, which holds every request against their own schemas; the real ones run where they are
installed and KVM works."""

import json
import os
import pathlib
import re
import shutil
import signal
import subprocess

import libvirt
import pytest

from conftest import BUILD, TOP, domain_path, wait_for

libvirt.registerErrorHandler(lambda _context, _error: None, None)

UUID = "87291af1-1366-410c-bb6e-fbc6f66ff7ae"
PROGRAMS = ["firecracker", "cloud-hypervisor"]
TITLE = {"firecracker": "Firecracker", "cloud-hypervisor": "Cloud Hypervisor"}
# What each asks for when it is booted, paused, continued and switched off.
BOOT = {"firecracker": "PUT /actions", "cloud-hypervisor": "PUT /api/v1/vm.boot"}
PAUSE = {"firecracker": "PATCH /vm", "cloud-hypervisor": "PUT /api/v1/vm.pause"}
STATE = {"firecracker": "GET /", "cloud-hypervisor": "GET /api/v1/vm.info"}
OFF = {"firecracker": ("PUT", "/actions"), "cloud-hypervisor": ("PUT", "/api/v1/vm.power-button")}
RUNNING, PAUSED, SHUTOFF = libvirt.VIR_DOMAIN_RUNNING, libvirt.VIR_DOMAIN_PAUSED, libvirt.VIR_DOMAIN_SHUTOFF


class Hypervisor:
    """The fake of that name in a directory of its own, and a document for it."""

    def __init__(self, daemon, program):
        self.daemon, self.name = daemon, program
        self.folder = daemon.root / "hypervisor"
        self.folder.mkdir()
        self.program = self.folder / program
        shutil.copy(TOP / "tests/daemon/fake_hypervisor.py", self.program)
        self.program.chmod(0o755)
        (self.folder / "facts").write_text(str(TOP / "tests/facts"))
        (self.folder / "kernel").write_bytes(b"a kernel")
        (self.folder / "disk.raw").write_bytes(bytes(1 << 20))

    def behave(self, **manners):
        (self.folder / "manners").write_text(json.dumps({name.replace("_", " "): way for name, way in manners.items()}))

    def misbehave(self, request, way):
        (self.folder / "manners").write_text(json.dumps({request: way}))

    def requests(self):
        log = self.folder / "requests.log"
        return [json.loads(line) for line in log.read_text().splitlines()] if log.exists() else []

    def document(self, devices="<serial type='pty'/>", more=""):
        return f"""<domain type='kvm'>
  <name>micro</name>
  <uuid>{UUID}</uuid>
  <memory unit='MiB'>256</memory>
  <vcpu>2</vcpu>
  <os>
    <type arch='x86_64'>hvm</type>
    <kernel>{self.folder}/kernel</kernel>
    <cmdline>quiet</cmdline>
  </os>{more}
  <devices>
    <emulator>{self.program}</emulator>
    <disk type='file' device='disk'>
      <driver name='qemu' type='raw'/>
      <source file='{self.folder}/disk.raw'/>
      <target dev='vda' bus='virtio'/>
    </disk>
    {devices}
  </devices>
</domain>
"""

    def pids(self):
        return {int(process.name) for process in pathlib.Path("/proc").glob("[0-9]*")
                if str(self.program).encode() in read(process / "cmdline")}


def read(path):
    try:
        return path.read_bytes()
    except OSError:
        return b""


def connect(daemon):
    return libvirt.open(f"qemu:///session?socket={daemon.root}/run/domaind/libvirt-sock")


@pytest.fixture(params=PROGRAMS)
def hypervisor(request, daemon):
    it = Hypervisor(daemon, request.param)
    yield it
    for pid in it.pids():
        os.kill(pid, signal.SIGKILL)


@pytest.fixture
def connection(daemon):
    it = connect(daemon)
    yield it
    it.close()


def error_of(function, *arguments):
    with pytest.raises(libvirt.libvirtError) as caught:
        function(*arguments)
    return caught.value.get_error_code(), str(caught.value)


def state(domain):
    return domain.state()[0]


def test_life(hypervisor, connection):
    domain = connection.defineXML(hypervisor.document())
    domain.create()
    assert domain.state() == [RUNNING, libvirt.VIR_DOMAIN_RUNNING_BOOTED]
    assert len(hypervisor.pids()) == 1
    domain.suspend()
    assert domain.state() == [PAUSED, libvirt.VIR_DOMAIN_PAUSED_USER]
    domain.resume()
    assert domain.state() == [RUNNING, libvirt.VIR_DOMAIN_RUNNING_UNPAUSED]
    assert domain.info()[4] >= 0  # processor time
    domain.destroy()
    assert domain.state() == [SHUTOFF, libvirt.VIR_DOMAIN_SHUTOFF_DESTROYED]
    assert hypervisor.pids() == set()
    domain.create()
    assert state(domain) == RUNNING
    domain.destroy()


def test_config_is_handed_over(hypervisor, connection):
    """Part by part, or whole; and only then it is booted."""
    domain = connection.defineXML(hypervisor.document())
    domain.create()
    asked = hypervisor.requests()
    paths = [f"{method} {path}" for method, path, _ in asked]
    bodies = {path: body for _, path, body in asked}
    assert BOOT[hypervisor.name] in paths
    if hypervisor.name == "firecracker":
        assert paths.index("PUT /boot-source") < paths.index("PUT /actions")
        assert bodies["/boot-source"]["boot_args"] == "quiet console=ttyS0 reboot=k"
        assert bodies["/drives/vda"]["path_on_host"] == f"{hypervisor.folder}/disk.raw"
        assert bodies["/machine-config"]["mem_size_mib"] == 256
    else:
        assert bodies["/api/v1/vm.create"]["memory"]["size"] == 256 << 20
        assert bodies["/api/v1/vm.create"]["disks"][0]["path"] == f"{hypervisor.folder}/disk.raw"
    domain.destroy()


def test_started_paused_it_does_not_boot(hypervisor, connection):
    domain = connection.defineXML(hypervisor.document())
    domain.createWithFlags(libvirt.VIR_DOMAIN_START_PAUSED)
    assert state(domain) == PAUSED
    assert BOOT[hypervisor.name] not in [f"{method} {path}" for method, path, _ in hypervisor.requests()]
    domain.resume()
    assert state(domain) == RUNNING
    assert BOOT[hypervisor.name] in [f"{method} {path}" for method, path, _ in hypervisor.requests()]
    domain.destroy()


def test_shutdown_is_the_guests(hypervisor, connection):
    domain = connection.defineXML(hypervisor.document())
    domain.create()
    domain.shutdown()
    wait_for(lambda: state(domain) == SHUTOFF, "the guest's end")
    assert domain.state() == [SHUTOFF, libvirt.VIR_DOMAIN_SHUTOFF_SHUTDOWN]
    assert OFF[hypervisor.name] in [tuple(request[:2]) for request in hypervisor.requests()]


def test_killed_it_has_crashed(hypervisor, connection):
    domain = connection.defineXML(hypervisor.document())
    domain.create()
    os.kill(hypervisor.pids().pop(), signal.SIGKILL)
    wait_for(lambda: state(domain) == SHUTOFF, "the end")
    assert domain.state() == [SHUTOFF, libvirt.VIR_DOMAIN_SHUTOFF_CRASHED]


@pytest.mark.parametrize("paused", [False, True])
def test_found_again(hypervisor, daemon, paused):
    first = connect(daemon)
    domain = first.defineXML(hypervisor.document())
    domain.create()
    if paused:
        domain.suspend()
    before, pids = domain.state(), hypervisor.pids()
    daemon.kill()
    daemon.start()
    second = connect(daemon)
    domain = second.lookupByUUIDString(UUID)
    wait_for(lambda: [STATE[hypervisor.name]] == [f"{method} {path}" for method, path, _ in hypervisor.requests()][-1:],
             "the adoption")
    assert hypervisor.pids() == pids
    assert domain.state() == before
    if not paused:
        domain.suspend()
    domain.resume()
    domain.destroy()
    assert state(domain) == SHUTOFF and hypervisor.pids() == set()


def test_console(hypervisor, connection):
    """The guest's serial port is a terminal that any client opens, of a hypervisor that has it as its own."""
    if hypervisor.name != "firecracker":
        pytest.skip("the fake guest of Cloud Hypervisor says nothing")
    domain = connection.defineXML(hypervisor.document("<serial type='pty'/><console type='pty'/>"))
    domain.create()
    stream = connection.newStream()
    domain.openConsole(None, stream)
    said = b""
    while b"ready" not in said:
        said += stream.recv(100)
    stream.send(b"hello\n")
    while b"guest: hello" not in said:
        said += stream.recv(100)
    stream.abort()
    domain.destroy()


def test_serial_into_a_file(hypervisor, connection):
    if hypervisor.name != "firecracker":
        pytest.skip("Cloud Hypervisor writes the file itself")
    file = hypervisor.folder / "serial.log"
    domain = connection.defineXML(hypervisor.document(f"<serial type='file'><source path='{file}'/></serial>"))
    domain.create()
    wait_for(lambda: file.exists() and b"guest: ready" in file.read_bytes(), "the guest's words")
    domain.destroy()


def test_memory(hypervisor, connection):
    domain = connection.defineXML(hypervisor.document())
    domain.create()
    domain.setMemory(128 << 10)
    _, path, body = hypervisor.requests()[-1]
    assert (path, body) == {"firecracker": ("/balloon", {"amount_mib": 128}),
                            "cloud-hypervisor": ("/api/v1/vm.resize", {"desired_balloon": 128 << 20})}[hypervisor.name]
    assert "<currentMemory unit='KiB'>131072<" in domain.XMLDesc()
    domain.destroy()


@pytest.mark.parametrize("what", [
    lambda domain: domain.save("/nowhere/file"), lambda domain: domain.managedSave(),
    lambda domain: domain.snapshotCreateXML("<domainsnapshot/>"),
    lambda domain: domain.attachDevice("<rng model='virtio'><backend model='random'/></rng>"),
    lambda domain: domain.updateDeviceFlags(domain.XMLDesc().partition("<disk")[1] + domain.XMLDesc().partition("<disk")[2]
                                            .partition("</disk>")[0] + "</disk>"),
    lambda domain: domain.reboot(), lambda domain: domain.screenshot(domain.connect().newStream(), 0),
    lambda domain: domain.sendKey(0, 0, [1], 1)])
def test_what_it_has_not_is_refused_by_name(hypervisor, connection, what):
    domain = connection.defineXML(hypervisor.document())
    domain.create()
    code, text = error_of(what, domain)
    assert code in (libvirt.VIR_ERR_OPERATION_UNSUPPORTED, libvirt.VIR_ERR_OPERATION_INVALID), text
    assert TITLE[hypervisor.name] in text
    assert state(domain) == RUNNING
    domain.destroy()


def test_what_the_document_has_and_it_has_not_is_refused_by_place(hypervisor, connection):
    domain = connection.defineXML(hypervisor.document("<sound model='ich9'/>"))
    code, text = error_of(domain.create)
    assert code == libvirt.VIR_ERR_CONFIG_UNSUPPORTED
    assert f"{TITLE[hypervisor.name]} has no sound" in text and re.search(r":\d+:\d+", text), text
    assert not hypervisor.requests() and state(domain) == SHUTOFF


@pytest.mark.parametrize("way, words", [
    ("die", "the moon is in the wrong phase"), ("silent", "")])
def test_one_that_does_not_get_ready(hypervisor, daemon, way, words):
    if way == "silent":
        daemon.stop()
        (daemon.root / "domaind.conf").write_text("[machines]\nstart-timeout=2\n")
        daemon.arguments = ("--config", daemon.root / "domaind.conf")
        daemon.start()
    hypervisor.behave(start=way)
    connection = connect(daemon)
    domain = connection.defineXML(hypervisor.document())
    _, text = error_of(domain.create)
    assert words in text
    assert state(domain) == SHUTOFF and hypervisor.pids() == set()
    assert not list((daemon.root / "run/domaind/machines").glob("*/status.json"))


@pytest.mark.parametrize("way, words", [
    ("die", "moon"), ("hangup", "hung up"), ("lie", "is no HTTP"), ("endless", "too long a head"), ("huge", "too long"),
    ("chunks", "encoding"), ("no", "the moon is in the wrong phase")])
def test_boot_that_fails_is_undone(hypervisor, connection, daemon, way, words):
    hypervisor.misbehave(BOOT[hypervisor.name], way)
    domain = connection.defineXML(hypervisor.document())
    _, text = error_of(domain.create)
    assert words in text
    assert state(domain) == SHUTOFF and hypervisor.pids() == set()
    assert not list((daemon.root / "run/domaind/machines").glob("*/status.json"))


@pytest.mark.parametrize("way", ["no", "lie", "hangup", "endless"])
def test_pause_that_fails_changes_nothing(hypervisor, connection, way):
    domain = connection.defineXML(hypervisor.document())
    domain.create()
    hypervisor.misbehave(PAUSE[hypervisor.name], way)
    error_of(domain.suspend)
    assert state(domain) == RUNNING
    hypervisor.behave()
    domain.suspend()
    assert state(domain) == PAUSED
    domain.destroy()


def test_silent_one_holds_up_nobody(hypervisor, connection, daemon):
    """It can be ended while it is asked, and what was asked is told so."""
    domain = connection.defineXML(hypervisor.document())
    domain.create()
    hypervisor.misbehave(PAUSE[hypervisor.name], "stall")
    path = daemon.call("/org/libvirt/QEMU", "org.libvirt.Connect", "DomainLookupByUUID", "(s)", UUID)
    answer = daemon.begin(path, "org.libvirt.Domain", "Suspend")
    wait_for(lambda: PAUSE[hypervisor.name] in [f"{method} {path}" for method, path, _ in hypervisor.requests()],
             "the question")
    assert state(domain) == RUNNING
    domain.destroy()
    assert state(domain) == SHUTOFF
    wait_for(lambda: answer, "the answer to the call")
    assert isinstance(answer[0], Exception)


def real(program):
    return shutil.which(program) if os.access("/dev/kvm", os.R_OK | os.W_OK) else None


def test_real_firecracker(daemon, connection):
    """The guest of the examples, where the program is installed and KVM works."""
    if not real("firecracker"):
        pytest.skip("needs firecracker and KVM: neither Debian nor an emulated host has them")
    subprocess.run([TOP / "examples/guest/make", BUILD / "guest"], check=True)
    xml = f"""<domain type='kvm'><name>micro</name><memory unit='MiB'>256</memory><vcpu>1</vcpu>
<os><type arch='x86_64'>hvm</type><kernel>{BUILD}/guest/vmlinuz</kernel><initrd>{BUILD}/guest/initrd.img</initrd></os>
<devices><emulator>{real("firecracker")}</emulator><serial type='file'><source path='{daemon.root}/serial'/></serial></devices>
</domain>"""
    domain = connection.defineXML(xml)
    domain.create()
    wait_for(lambda: b"Linux version" in (daemon.root / "serial").read_bytes(), "the kernel's words")
    domain.suspend()
    domain.resume()
    domain.destroy()


def test_check_names_all_at_once(hypervisor, daemon):
    """What a start would be refused for, with its place in the document, and nothing is begun."""
    def check():
        _, findings = daemon.call(domain_path(UUID), "org.domaind1.Domain", "Check", "(u)", 0)
        return [(name, line, what) for name, _, line, _, what, _ in findings if name != "kvm"]

    daemon.define(hypervisor.document())
    assert check() == []
    (hypervisor.folder / "disk.raw").unlink()
    (hypervisor.folder / "kernel").unlink()
    daemon.define(hypervisor.document("<sound model='ich9'/><graphics type='vnc'/>"))
    lines = hypervisor.document().splitlines()
    assert check() == [
        ("document", lines.index("    <serial type='pty'/>") + 1, f"<sound>: {TITLE[hypervisor.name]} has no sound"),
        ("document", lines.index("    <serial type='pty'/>") + 1, f"<graphics>: {TITLE[hypervisor.name]} has no display"),
        ("files", 0, f"Cannot access the kernel '{hypervisor.folder}/kernel': No such file or directory"),
        ("files", 0, f"Cannot access the disk '{hypervisor.folder}/disk.raw': No such file or directory")]
    assert not hypervisor.requests() and not hypervisor.pids()
