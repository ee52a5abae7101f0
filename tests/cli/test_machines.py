# SPDX-License-Identifier: LGPL-2.1-or-later
"""domctl with a daemon: the story of a machine in its words, and the same for programs."""

import json
import os
import pathlib
import pty
import re
import select
import subprocess
import xml.etree.ElementTree as ElementTree

import pytest

from conftest import BUILD, PATIENCE, domain_xml, wait_for

GUEST = BUILD / "guest"
UUID = "5c1b1f3e-6f0a-4b6e-9c55-0d1f0e3a7b11"


@pytest.fixture
def domctl(daemon):
    def run(*words, status=0, stdin=None, **environment):
        done = subprocess.run([BUILD / "cli" / "domctl", "--connect", "session", *map(str, words)], input=stdin,
                              capture_output=True, text=True, timeout=PATIENCE,
                              env=dict(os.environ, DBUS_SESSION_BUS_ADDRESS=daemon.bus.address, LC_ALL="C.UTF-8",
                                       **environment))
        assert done.returncode == status, f"{words}: {done.returncode}\n{done.stdout}\n{done.stderr}\n{daemon.log()}"
        return done.stderr if status else done.stdout

    return run


@pytest.fixture
def document(tmp_path):
    path = tmp_path / "web.xml"
    path.write_text(domain_xml("web", UUID, more="<!-- kept -->"))
    return path


def state(domctl, *words):
    return domctl("domstate", "web", *words).strip()


def test_a_machines_story(domctl, document):
    assert domctl("list", "--all") == " Id   Name   State\n--------------------\n\n"
    assert domctl("define", document) == f"Domain 'web' defined from {document}\n"
    assert domctl("list", "--all") == " Id   Name   State\n-----------------------\n -    web    shut off\n\n"
    assert domctl("domuuid", "web") == UUID + "\n"
    assert domctl("domid", "web") == "-\n"
    assert domctl("start", "web", "--paused") == "Domain 'web' started\n"
    assert state(domctl, "--reason") == "paused (user)"
    assert domctl("domid", "web") == "1\n"
    assert domctl("resume", "1") == "Domain 'web' resumed\n"
    assert state(domctl, "--reason") == "running (unpaused)"
    assert domctl("suspend", UUID) == "Domain 'web' suspended\n"
    assert state(domctl, "--reason") == "paused (user)"
    assert domctl("resume", "web") == "Domain 'web' resumed\n"
    assert domctl("reset", "web") == "Domain 'web' was reset\n"
    assert domctl("reboot", "web") == "Domain 'web' is being rebooted\n"
    assert domctl("shutdown", "web") == "Domain 'web' is being shutdown\n"
    assert domctl("list") == " Id   Name   State\n----------------------\n 1    web    running\n\n"
    assert domctl("destroy", "web") == "Domain 'web' destroyed\n"
    assert state(domctl, "--reason") == "shut off (destroyed)"
    assert domctl("undefine", "web") == "Domain 'web' has been undefined\n"
    assert domctl("list", "--all", "--name") == ""


def test_what_is_wrong_is_said_in_two_lines(domctl, document):
    assert domctl("start", "web", status=1) == ("error: failed to get domain 'web'\n"
                                                "error: Domain not found: no domain with matching name 'web'\n")
    domctl("define", document)
    assert "domain is not running" in domctl("destroy", "web", status=1)
    domctl("start", "web")
    lines = domctl("start", "web", status=1).splitlines()
    assert lines[0] == "error: Failed to start domain 'web'"
    assert "already running" in lines[1]


def test_start_names_everything_it_cannot_make_at_its_place(domctl, tmp_path):
    path, disk = tmp_path / "far.xml", tmp_path / "disk"
    disk.write_bytes(bytes(512))
    path.write_text(domain_xml("far", devices="<interface type='null'/>\n"
                                              f"<disk><source file='{disk}'/><target dev='sda'/><backenddomain name='d'/></disk>",
                               more="<keywrap><cipher name='aes' state='on'/></keywrap>"))
    domctl("define", path)
    lines = domctl("start", "far", status=1).splitlines()
    assert lines[0] == "error: Failed to start domain 'far'"
    places = [line.split(": error: ")[0].rpartition("/")[2] for line in lines[1:]]
    column = len(f"<disk><source file='{disk}'/><target dev='sda'/>") + 1
    assert places == ["far.xml:7:3", "far.xml:10:16", f"far.xml:11:{column}"], lines
    # What is started without being defined has its own file.
    assert [line.split(": error: ")[0] for line in domctl("create", path, status=1).splitlines()[1:]] == [
        f"{path}:7:3", f"{path}:10:16", f"{path}:11:{column}"]


def test_define_is_strict_and_leaves_the_old_definition(domctl, document, tmp_path):
    domctl("define", document)
    before = domctl("dumpxml", "web", "--source")
    worse = tmp_path / "worse.xml"
    worse.write_text(before.replace("<vcpu>", "<vcqu>").replace("</vcpu>", "</vcqu>"))
    message = domctl("define", worse, status=1)
    assert "vcpu" in message and re.search(r":\d+:\d+", message)
    assert domctl("dumpxml", "web", "--source") == before == document.read_text()


def test_documents_out(domctl, document):
    domctl("define", document)
    completed = domctl("dumpxml", "web")
    assert "<address type='pci'" in completed or "<emulator>" in completed
    domctl("start", "web", "--paused")
    live = domctl("dumpxml", "web")
    assert live.startswith("<domain type='qemu' id='1'>") and "<alias name=" in live
    assert domctl("dumpxml", "web", "--inactive") == completed
    assert json.loads(domctl("dumpxml", "web", "--json"))["document"] == live


def test_dominfo_has_virshs_lines(domctl, document):
    domctl("define", document)
    labels = [line.split(":")[0] for line in domctl("dominfo", "web").splitlines()]
    assert labels == ["Id", "Name", "UUID", "OS Type", "State", "CPU(s)", "Max memory", "Used memory", "Persistent",
                      "Autostart", "Managed save", "Security model", "Security DOI"]
    domctl("start", "web")
    info = json.loads(domctl("dominfo", "web", "--json"))
    assert info.pop("cpu_time") >= 0
    assert info == {"id": 1, "name": "web", "uuid": UUID, "os_type": "hvm", "state": "running", "vcpus": 1,
                    "max_memory": 32768, "used_memory": 32768, "persistent": True, "autostart": False,
                    "managed_save": False, "security_model": "none", "security_doi": "0"}
    assert domctl("vcpuinfo", "web").startswith("VCPU:           0\n")
    domctl("destroy", "web")
    assert json.loads(domctl("dominfo", "web", "--json"))["id"] is None
    assert json.loads(domctl("domid", "web", "--json")) == {"id": None}


def test_several_machines_in_one_command(domctl, tmp_path):
    files = [tmp_path / f"{name}.xml" for name in "abc"]
    for file in files:
        file.write_text(domain_xml(file.stem))
    assert domctl("define", *files) == "".join(f"Domain '{file.stem}' defined from {file}\n" for file in files)
    assert domctl("start", "a", "nobody", "b", status=1).startswith("error: failed to get domain 'nobody'\n")
    assert domctl("domstate", "a", "b", "c") == "running\nrunning\nshut off\n"
    assert [info["id"] for info in json.loads(domctl("dominfo", "a", "b", "c", "--json"))] == [1, 2, None]
    assert domctl("suspend", "a", "b") == "Domain 'a' suspended\nDomain 'b' suspended\n"
    assert json.loads(domctl("destroy", "a", "b", "--json")) == [
        {"domain": name, "message": f"Domain '{name}' destroyed"} for name in "ab"]
    assert "--console is for one machine" in domctl("start", "a", "b", "--console", status=2)
    domctl("undefine", "a", "b", "c")
    assert domctl("list", "--all", "--name") == ""


@pytest.mark.parametrize("text, mistakes", [
    ("", ["1:1: error: the document is empty"]),
    ("<domain", ["1:8: error: Couldn't find end of Start Tag domain line 1"]),
    ("<network/>", ["1:1: error: expecting root element of 'domain', not 'network'"]),
    ("<domain type='qemu'><name>x</name>\n<memry/>\n<memory>4096</memory><os><type arch='x86_64'>hvm</type></os>\n"
     "<devices><controller type='usbb'/></devices></domain>",
     ["2:1: error: unknown element 'memry' in element 'domain': did you mean 'memory'?",
      "4:22: error: Invalid value for attribute 'type' in element 'controller': 'usbb' (did you mean 'usb'?"]),
], ids=["empty", "cut off", "another kind", "two mistakes"])
@pytest.mark.parametrize("command", ["define", "create"])
def test_a_bad_file_is_told_as_by_validate(domctl, tmp_path, command, text, mistakes):
    path = tmp_path / "bad.xml"
    path.write_text(text)
    first, *others = domctl(command, path, status=1).splitlines()
    assert first == f"error: Failed to {command} domain from {path}"
    assert [line.startswith(f"{path}:{mistake}") for line, mistake in zip(others, mistakes, strict=True)] == [True] * len(mistakes), others


def test_autostart(domctl, document):
    domctl("define", document)
    assert domctl("autostart", "web") == "Domain 'web' marked as autostarted\n"
    assert domctl("list", "--all", "--autostart", "--name") == "web\n"
    assert domctl("autostart", "web", "--disable") == "Domain 'web' unmarked as autostarted\n"
    assert domctl("list", "--all", "--autostart", "--name") == ""
    assert domctl("autostart", "web", "--once") == "Domain 'web' marked as autostarted once\n"
    assert domctl("autostart", "web", "--once", "--disable") == "Domain 'web' unmarked as autostarted\n"


def test_edit_takes_a_good_text_and_keeps_a_bad_one(domctl, document):
    domctl("define", document)
    assert domctl("edit", "web", EDITOR="true") == "Domain 'web' XML configuration not changed\n"
    assert domctl("edit", "web", EDITOR="sed -i s/kept/changed/") == "Domain 'web' XML configuration edited\n"
    assert "<!-- changed -->" in domctl("dumpxml", "web", "--source")
    message = domctl("edit", "web", EDITOR="sed -i s/hvm/hwm/", status=1, stdin="")
    kept = pathlib.Path(re.search(r"kept in (\S+)", message).group(1))
    assert "hwm" in kept.read_text()
    kept.unlink()
    assert "hwm" not in domctl("dumpxml", "web", "--source")


def test_create_is_gone_when_it_ends(domctl, document):
    assert domctl("create", document, "--paused") == f"Domain 'web' created from {document}\n"
    assert domctl("list", "--transient", "--name") == "web\n"
    domctl("destroy", "web")
    assert "Domain not found" in domctl("domstate", "web", status=1)


def test_lists_for_programs(domctl, document):
    domctl("define", document)
    assert json.loads(domctl("list", "--json")) == []
    rows = json.loads(domctl("list", "--all", "--json"))
    assert rows == [{"id": None, "name": "web", "uuid": UUID, "state": "shut off", "reason": "unknown",
                     "persistent": True, "autostart": False}]
    assert domctl("list", "--inactive", "--uuid") == UUID + "\n"
    assert domctl("list", "--state-paused", "--name") == ""


def test_events(domctl, daemon, document):
    domctl("define", document)
    watcher = subprocess.Popen([BUILD / "cli" / "domctl", "--connect", "session", "event", "--event", "lifecycle",
                                "--loop", "web"], stdout=subprocess.PIPE, text=True,
                               env=dict(os.environ, DBUS_SESSION_BUS_ADDRESS=daemon.bus.address, LC_ALL="C.UTF-8"))
    try:
        # The watcher says nothing until something happens: things happen until it has said its first.
        seen = ""
        while "Started Booted" not in seen:
            domctl("start", "web", "--paused")
            domctl("destroy", "web")
            if select.select([watcher.stdout], [], [], 0.1)[0]:
                seen += watcher.stdout.readline()
        assert seen.startswith("event 'lifecycle' for domain 'web': ")
    finally:
        watcher.terminate()
        watcher.communicate(timeout=PATIENCE)
    assert "lifecycle\n" in domctl("event", "--list")


def test_events_of_the_next_daemon(domctl, daemon, document):
    """That one has gone is said, and the wait goes on."""
    domctl("define", document)
    watcher = subprocess.Popen([BUILD / "cli" / "domctl", "--connect", "session", "event", "--event", "lifecycle"],
                               stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                               env=dict(os.environ, DBUS_SESSION_BUS_ADDRESS=daemon.bus.address, LC_ALL="C.UTF-8"))
    try:
        # It says nothing when it has begun to watch: daemons come and go until it has noticed.
        while not select.select([watcher.stderr], [], [], 1)[0]:
            daemon.stop()
            daemon.start()
        assert watcher.stderr.readline() == "the daemon has gone away; waiting for it to come back\n"
        assert watcher.stderr.readline() == "the daemon is back\n"
        domctl("start", "web", "--paused")
        assert "Started Booted" in watcher.stdout.readline()
        assert watcher.wait(PATIENCE) == 0
    finally:
        watcher.kill()
        watcher.communicate(timeout=PATIENCE)


def test_a_bad_processor_is_named_with_its_file(domctl, tmp_path):
    path = tmp_path / "cpu.xml"
    path.write_text("<!-- a\n comment -->\n  <cpu>\n    <modle>x</modle>\n  </cpu>\n")
    assert f"{path}:4:3: error: unknown element 'modle' in element 'cpu'" in domctl("cpu-compare", "--validate", path, status=1)


def test_the_host(domctl):
    assert "<capabilities>" in domctl("capabilities")
    assert "<domainCapabilities>" in domctl("domcapabilities", "--virttype", "qemu", "--machine", "q35")
    labels = [line.split(":")[0] for line in domctl("nodeinfo").splitlines()]
    assert labels == ["CPU model", "CPU(s)", "CPU frequency", "CPU socket(s)", "Core(s) per socket",
                      "Thread(s) per core", "NUMA cell(s)", "Memory size"]
    assert "Using API: QEMU 11.3.0\n" in domctl("version", "--daemon")
    assert json.loads(domctl("version", "--json"))["api"] == "11.3.0"


@pytest.mark.parametrize("path, values", [
    ("filesystem/enum[@name='driverType']", ["path", "virtiofs"]),
    ("crypto/enum[@name='backendModel']", ["builtin"]),
    ("tpm/enum[@name='backendModel']", ["passthrough", "emulator", "external"]),
])
def test_devices_that_are_offered(domctl, path, values):
    """What the list says can be started: QEMU of Debian 12 has no cipher of the host's kernel."""
    devices = ElementTree.fromstring(domctl("domcapabilities", "--virttype", "qemu", "--machine", "q35")).find("devices")
    assert set(values) <= {value.text for value in devices.find(path)} <= {*values, "lkcf"}


def test_processors(domctl, tmp_path):
    host = tmp_path / "host.xml"
    host.write_text(domctl("capabilities"))
    guest = tmp_path / "guest.xml"
    guest.write_text(domctl("domcapabilities", "--virttype", "qemu"))
    asks = tmp_path / "asks.xml"
    asks.write_text("<domain><cpu><model>486</model></cpu></domain>")
    assert domctl("cpu-models", "x86_64").splitlines()[:2] == ["486", "pentium"]
    assert domctl("cpu-models", "s390x") == "all CPU models are accepted\n"
    assert "POWER9" in json.loads(domctl("cpu-models", "--json", "ppc64"))
    assert domctl("cpu-compare", host) == f"CPU described in {host} is identical to host CPU\n"
    assert json.loads(domctl("cpu-compare", "--json", asks)) == {"result": "superset"}
    assert domctl("hypervisor-cpu-compare", "--virttype", "qemu", guest) == (
        f"CPU described in {guest} is identical to the CPU provided by hypervisor on the host\n")
    both = tmp_path / "both.xml"
    both.write_text(host.read_text() + host.read_text())
    common = domctl("cpu-baseline", "--migratable", both)
    assert common.startswith("<cpu mode='custom' match='exact'>") and "invtsc" not in common
    assert "name='fpu'" in domctl("hypervisor-cpu-baseline", "--virttype", "qemu", "--features", asks)


def test_no_daemon_says_how_to_get_one(bus):
    done = subprocess.run([BUILD / "cli" / "domctl", "--connect", "session", "list"], capture_output=True, text=True,
                          env=dict(os.environ, DBUS_SESSION_BUS_ADDRESS=bus.address, LC_ALL="C.UTF-8"), timeout=PATIENCE)
    assert done.returncode == 1
    assert "domaind --session" in done.stderr


def test_the_console_of_a_linux_on_a_terminal(domctl, daemon, tmp_path):
    source = pathlib.Path(__file__).resolve().parents[2] / "examples" / "linux-kernel.xml"
    path = tmp_path / "linux.xml"
    path.write_text(source.read_text().replace("/var/lib/domaind/images/guest", str(GUEST)))
    domctl("create", path, "--paused")
    master, slave = pty.openpty()
    console = subprocess.Popen([BUILD / "cli" / "domctl", "--connect", "session", "console", "linux-kernel"],
                               stdin=slave, stdout=slave, stderr=subprocess.PIPE, text=True,
                               env=dict(os.environ, DBUS_SESSION_BUS_ADDRESS=daemon.bus.address, LC_ALL="C.UTF-8"))
    os.close(slave)
    try:
        assert "Connected to domain 'linux-kernel'" in console.stderr.readline()
        assert "Escape character" in console.stderr.readline()
        domctl("resume", "linux-kernel")
        seen = bytearray()

        def has(words):
            if select.select([master], [], [], 0.05)[0]:
                seen.extend(os.read(master, 4096))
            return words in seen

        wait_for(lambda: has(b"guest: ready"), "the guest's last line of its boot")
        os.write(master, b"echo $((6 * 7))x\r")
        wait_for(lambda: has(b"42x"), "the guest's answer")
        os.write(master, b"\x1d")
        assert console.wait(PATIENCE) == 0
    finally:
        console.kill()
        console.wait()
        console.stderr.close()
        os.close(master)
    domctl("destroy", "linux-kernel")
