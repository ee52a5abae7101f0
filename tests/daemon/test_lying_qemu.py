# SPDX-License-Identifier: LGPL-2.1-or-later
"""A program in QEMU's place whose monitor lies: the daemon stays, answers clearly, and opens nothing it was told of.

It probes as QEMU. As a machine it speaks QMP and answers each command as a file of the test's says, anew for each
command: {"COMMAND": {"return": ...} or {"error": ...}}, "*" for all others, "events" for what it says before.
"""

import json
import os
import pty

import libvirt
import libvirt_qemu
import pytest

from conftest import domain_xml, wait_for

UUID = "87291af1-1366-410c-bb6e-fbc6f66ff7ae"
LIVE = libvirt.VIR_DOMAIN_AFFECT_LIVE
LARGEST = (1 << 63) - 1

LIAR = r"""#!/usr/bin/python3 -B
import json, os, socket, sys
if not any("guest=" in argument for argument in sys.argv):
    os.execv("/usr/bin/qemu-system-x86_64", ["qemu-system-x86_64"] + sys.argv[1:])
HONEST = {"query-status": {"status": "running", "running": True}, "query-migrate": {"status": "completed"},
          "query-dump-guest-memory-capability": {"formats": ["elf", "kdump-zlib"]}, "query-dump": {"status": "completed"},
          "query-hotpluggable-cpus": [{"type": "qemu64", "vcpus-count": 1, "props": {"socket-id": number}}
                                      for number in range(3)]}
LISTS = {"query-chardev", "query-named-block-nodes", "query-fdsets", "qom-list", "query-iothreads", "query-block",
         "query-blockstats"}
listening = socket.socket(fileno=3)
while True:
    connection, _ = listening.accept()
    said = lambda message: connection.sendall(json.dumps(message).encode() + b"\n")
    said({"QMP": {"version": {"qemu": {"major": 7, "minor": 2, "micro": 0}}, "capabilities": []}})
    for line in connection.makefile():
        command = json.loads(line)
        with open("LIES") as file:
            lies = json.load(file)
        name = command["execute"]
        for event in lies.get("events", []):
            said(dict(event, timestamp={"seconds": 1, "microseconds": 0}))
        honest = {"return": HONEST.get(name, [] if name in LISTS else {})}
        answer = honest if name == "qmp_capabilities" else lies.get(name, lies.get("*", honest))
        said(dict(answer, id=command.get("id")))
"""

DEVICES = """<emulator>{emulator}</emulator>
<disk type='file'><source file='{image}'/><target dev='vda' bus='virtio'/></disk>
<serial type='pty'/><video><model type='vga' vram='16384'/></video>"""


class Machine:
    """One whose QEMU lies as `lies` says."""

    def __init__(self, daemon, connection):
        self.daemon, self.connection, self.file = daemon, connection, daemon.root / "lies"
        emulator, image = daemon.root / "emulator", daemon.root / "disk.img"
        image.write_bytes(bytes(1 << 20))
        emulator.write_text(LIAR.replace("LIES", str(self.file)))
        emulator.chmod(0o755)
        xml = domain_xml("liar", UUID, devices=DEVICES.format(emulator=emulator, image=image),
                         more="<iothreads>2</iothreads><clock offset='variable' adjustment='10' basis='utc'/>")
        self.lie({})
        self.domain = connection.defineXML(xml.replace("<vcpu>1<", "<vcpu current='1'>3<")
                                           .replace("<memballoon model='none'/>", "<memballoon model='virtio'/>"))

    def lie(self, lies):
        aside = self.file.with_suffix(".new")
        aside.write_text(json.dumps(lies))
        aside.rename(self.file)

    def start(self):
        if not self.domain.isActive():
            self.domain.create()

    def answer(self, call):
        """What @call answers, or the text of its refusal; either way the daemon is there."""
        try:
            return call(self)
        except libvirt.libvirtError as error:
            assert error.get_error_message()
            return error.get_error_message()
        finally:
            assert self.daemon.process.poll() is None, self.daemon.log()


@pytest.fixture
def machine(daemon):
    connection = libvirt.open(f"qemu:///session?socket={daemon.root}/run/domaind/libvirt-sock")
    it = Machine(daemon, connection)
    yield it
    it.lie({})
    if it.domain.isActive():  # it is no QEMU that the daemon's own end would find
        it.domain.destroy()
    connection.close()


def statistics(machine):
    return machine.connection.domainListGetStats([machine.domain], 0)[0][1]


RNG = "<rng model='virtio'><backend model='random'>/dev/urandom</backend></rng>"
CDROM = "<disk type='file' device='disk'><source file='{0}/disk.img'/><target dev='vdb' bus='virtio'/><shareable/></disk>"

CALLS = {
    "start": lambda it: it.domain.create(),
    "restart": lambda it: it.domain.reset(),
    "suspend": lambda it: it.domain.suspend(),
    "resume": lambda it: it.domain.resume(),
    "console": lambda it: it.domain.openConsole(None, it.connection.newStream(), 0),
    "statistics": statistics,
    "block information": lambda it: it.domain.blockInfo("vda"),
    "block statistics": lambda it: it.domain.blockStats("vda"),
    "disk errors": lambda it: it.domain.diskErrors(),
    "memory statistics": lambda it: it.domain.memoryStats(),
    "memory": lambda it: it.domain.setMemoryFlags(16384, LIVE),
    "virtual processors": lambda it: it.domain.setVcpusFlags(2, LIVE),
    "screenshot": lambda it: it.domain.screenshot(it.connection.newStream(), 0),
    "attach": lambda it: it.domain.attachDeviceFlags(RNG, LIVE),
    "attach a disk": lambda it: it.domain.attachDeviceFlags(CDROM.format(it.daemon.root), LIVE),
    "an I/O thread": lambda it: it.domain.addIOThread(3, LIVE),
    "size": lambda it: it.domain.blockResize("vda", 2048),
    "peek": lambda it: it.domain.memoryPeek(0, 16, libvirt.VIR_MEMORY_PHYSICAL),
    "monitor line": lambda it: libvirt_qemu.qemuMonitorCommand(it.domain, "info status", 1),
    "monitor": lambda it: libvirt_qemu.qemuMonitorCommand(it.domain, '{"execute":"query-status"}', 0),
    "dump": lambda it: it.domain.coreDumpWithFormat(f"{it.daemon.root}/core", 1, libvirt.VIR_DUMP_MEMORY_ONLY),
    "document": lambda it: it.domain.XMLDesc(),
    "save": lambda it: it.domain.save(f"{it.daemon.root}/saved"),
}

NONSENSE = [{"return": value} for value in (
    None, [], "text", "", -1, LARGEST, -LARGEST - 1, 1e308, True, [None], [[[]]], [{}] * 3, ["x"] * 3,
    {"status": 7, "stats": [], "formats": {}, "ram": -1, "model": 1, "enabled": "yes"},
    {"status": [], "stats": {"stat-free-memory": -5, "stat-swap-in": LARGEST}, "last-update": -LARGEST, "total": -1,
     "ram": {"total": -1, "transferred": LARGEST, "page-size": LARGEST, "pages-per-second": LARGEST}},
    [{"id": 7, "label": 7, "filename": [], "props": [], "type": {}, "qdev": 1, "stats": 1, "inserted": [], "fds": {}}],
    [{"id": "iothread-1", "label": "charserial0", "filename": "pty:/dev/pts/../../etc/passwd", "type": "x" * 70000,
      "props": {"socket-id": -LARGEST, "core-id": LARGEST}, "qdev": "/machine/peripheral/virtio-disk0/x",
      "stats": {"rd_bytes": -1, "wr_operations": "7"}, "inserted": {"image": {"virtual-size": -1, "actual-size": []}},
      "node-name": f"libvirt-{LARGEST}-format", "fdset-id": LARGEST, "fds": [{"opaque": 3}, 7], "name": ["rng0"],
      "io-status": 3, "cpuid-input-eax": "7", "cpuid-register": 7}],
)] + [{"error": value} for value in (None, 7, [], {}, {"desc": 7}, {"desc": "x" * 70000, "class": []})]


def test_nonsense_to_every_question(machine):
    for lie in NONSENSE:
        machine.lie({"*": lie})
        machine.answer(CALLS["start"])
        for name, call in CALLS.items():
            machine.lie({})
            machine.start()
            machine.lie({"*": lie})
            if name != "start":
                machine.answer(call)
        if machine.domain.isActive():
            machine.domain.destroy()
        (machine.daemon.root / "saved").unlink(missing_ok=True)


def test_nonsense_while_a_device_goes(machine):
    machine.start()
    machine.domain.attachDeviceFlags(RNG, LIVE)
    for lie in NONSENSE:
        machine.lie({"device_del": {"return": {}}, "*": lie,
                     "events": [{"event": "DEVICE_DELETED", "data": {"device": "rng0", "path": "/machine/peripheral/rng0"}}]})
        machine.answer(lambda it: it.domain.detachDeviceFlags(RNG, LIVE))
        wait_for(lambda: "<rng" not in machine.domain.XMLDesc(), "the end of the device")
        machine.lie({})
        machine.domain.attachDeviceFlags(RNG, LIVE)


def chardevs(path):
    return {"query-chardev": {"return": [{"label": "charserial0", "filename": f"pty:{path}", "frontend-open": True}]}}


@pytest.mark.parametrize("path", ["/dev/pts/../../etc/passwd", "/etc/passwd", "/dev/pts/0/../1", "/dev/pts/-1", "/dev/pts/",
                                  "/dev/pts/99999999999", "/dev/ptmx"])
def test_a_terminal_that_is_none(machine, path):
    machine.lie(chardevs(path))
    machine.start()
    assert path not in machine.domain.XMLDesc()
    assert "is not using a PTY" in machine.answer(CALLS["console"])


def test_the_terminal_of_somebody_else(machine):
    master, slave = pty.openpty()
    path = os.ttyname(slave)
    machine.lie(chardevs(path))
    machine.start()
    assert machine.answer(CALLS["console"]) == f"operation failed: {path} is no pseudo terminal of the domain's QEMU"
    os.close(master)
    os.close(slave)


def test_a_transfer_without_a_word(machine):
    machine.start()
    machine.lie({"query-migrate": {"return": {"status": 7}}})
    assert machine.answer(CALLS["save"]) == "operation failed: QEMU could not transfer the machine's state: none"
    machine.lie({"query-dump": {"return": {"status": {}}}})
    assert machine.answer(CALLS["dump"]) == "operation failed: memory-only dump failed: unknown error"
    assert machine.domain.isActive()


def test_what_the_machine_does_not_have_is_not_told(machine):
    machine.start()
    thread = {"poll-max-ns": -1, "poll-grow": 7, "poll-shrink": []}
    machine.lie({
        "query-iothreads": {"return": [dict(thread, id=f"iothread{number}") for number in (1, 1, 2, 3, 9)]},
        "query-dirty-rate": {"return": {
            "status": "measured", "mode": "x" * 1000, "start-time": 5, "calc-time": LARGEST, "dirty-rate": 3,
            "vcpu-dirty-rate": [{"id": number, "dirty-rate": 4} for number in (-1, 0, 0, 2, 3, 77)]}},
        "qom-get": {"return": {"last-update": -3, "stats": {"stat-free-memory": -2, "stat-total-memory": 4096}}},
        "query-blockstats": {"return": [{"qdev": "/machine/peripheral/virtio-disk0/virtio-backend",
                                         "stats": {"rd_bytes": -1, "wr_bytes": 7, "rd_operations": {}}}]},
    })
    said = statistics(machine)
    assert {name: value for name, value in said.items() if name.startswith(("iothread", "dirtyrate"))} == {
        "iothread.count": 2,
        "iothread.1.poll-max-ns": 0, "iothread.1.poll-grow": 7, "iothread.1.poll-shrink": 0,
        "iothread.2.poll-max-ns": 0, "iothread.2.poll-grow": 7, "iothread.2.poll-shrink": 0,
        "dirtyrate.calc_status": 2, "dirtyrate.calc_start_time": 5, "dirtyrate.calc_period": (1 << 31) - 1,
        "dirtyrate.calc_mode": "page-sampling", "dirtyrate.megabytes_per_second": 3,
        "dirtyrate.vcpu.0.megabytes_per_second": 4, "dirtyrate.vcpu.2.megabytes_per_second": 4}
    assert "balloon.last-update" not in said and "balloon.unused" not in said and said["balloon.available"] == 4
    assert (said["block.0.rd.bytes"], said["block.0.wr.bytes"], said["block.0.rd.reqs"]) == (0, 7, 0)


def test_events_of_what_it_does_not_have(machine):
    with machine.daemon.signals() as seen:
        machine.start()
        wait_for(lambda: any(member.endswith("PropertiesChanged") for _, member, _ in seen), "the last signal of the start")
        seen.clear()
        document = machine.domain.XMLDesc()
        machine.lie({"events": [
            {"event": "DEVICE_DELETED", "data": {"device": "../../etc", "path": "/machine/peripheral/x"}},
            {"event": "DEVICE_UNPLUG_GUEST_ERROR", "data": {"device": "x" * 70000}},
            {"event": "DEVICE_TRAY_MOVED", "data": {"id": "nothing", "tray-open": True}},
            {"event": "RTC_CHANGE", "data": {"offset": LARGEST}},
            {"event": "BLOCK_WRITE_THRESHOLD", "data": {"node-name": f"libvirt-{LARGEST}0-format"}},
            {"event": "ACPI_DEVICE_OST", "data": {"info": {"slot-type": "CPU", "slot": "65536", "source": 3, "status": 0}}},
            {"event": "VSERPORT_CHANGE", "data": {"id": [], "open": "yes"}},
            {"event": "BALLOON_CHANGE", "data": {"actual": LARGEST}}]})
        statistics(machine)
        wait_for(lambda: any(member.endswith("BalloonChange") for _, member, _ in seen), "the last event")
    assert {member.rpartition(".")[2] for _, member, _ in seen} == {"BalloonChange"}
    assert statistics(machine)["balloon.current"] == 32 << 10
    assert machine.domain.XMLDesc() == document
