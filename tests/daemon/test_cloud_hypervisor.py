# SPDX-License-Identifier: LGPL-2.1-or-later
"""What Cloud Hypervisor's machines have beyond Firecracker's: devices that come and go, figures of their disks, helpers
beside them. The hypervisor is fake_hypervisor.py; helpers are the real ones."""

import contextlib
import json
import os
import shutil
import signal
import socket
import xml.etree.ElementTree as ElementTree

import libvirt
import pytest

from conftest import wait_for
from test_filesystem import VIRTIOFSD
from test_other_drivers import SHUTOFF, UUID, Hypervisor, connect, connection, error_of, state  # noqa: F401

DISK = "<disk type='file'><driver name='qemu' type='raw'/><source file='{}'/><target dev='vdb' bus='virtio'/></disk>"
SHARE = "<filesystem type='mount'><driver type='virtiofs'/><source dir='{}'/><target dir='share'/></filesystem>"
TPM = "<tpm model='tpm-crb'><backend type='emulator' version='2.0'/></tpm>"
LIVE, CONFIG = libvirt.VIR_DOMAIN_AFFECT_LIVE, libvirt.VIR_DOMAIN_AFFECT_CONFIG
ADD, REMOVE = "/api/v1/vm.add-disk", "/api/v1/vm.remove-device"

needs_virtiofsd = [pytest.mark.skipif(not VIRTIOFSD, reason="needs virtiofsd"),
                   pytest.mark.skipif(os.geteuid() != 0, reason="virtiofsd of Debian 12 needs root")]


@pytest.fixture
def hypervisor(daemon):
    it = Hypervisor(daemon, "cloud-hypervisor")
    (it.folder / "second.raw").write_bytes(bytes(1 << 20))
    (it.folder / "share").mkdir()
    yield it
    for pid in it.pids():
        os.kill(pid, signal.SIGKILL)


@pytest.fixture
def running(hypervisor, connection):  # noqa: F811
    domain = connection.defineXML(hypervisor.document())
    domain.create()
    yield domain
    if state(domain) != SHUTOFF:
        domain.destroy()


def disk(hypervisor):
    return DISK.format(hypervisor.folder / "second.raw")


def disks(domain, flags=0):
    return [target.get("dev") for target in ElementTree.fromstring(domain.XMLDesc(flags)).findall("devices/disk/target")]


def asked(hypervisor, path):
    return [body for _, where, body in hypervisor.requests() if where == path]


def ask(daemon, path):
    """The hypervisor's own answer. Its socket may have a longer path than an address takes."""
    where = next((daemon.root / "run/domaind/machines" / UUID).rglob("cloud-hypervisor.sock"))
    directory = os.open(where.parent, os.O_PATH)
    with socket.socket(socket.AF_UNIX) as client:
        client.connect(f"/proc/self/fd/{directory}/{where.name}")
        os.close(directory)
        client.sendall(f"GET {path} HTTP/1.1\r\n\r\n".encode())
        return json.loads(client.makefile("rb").read().partition(b"\r\n\r\n")[2])


def notes(daemon):
    return list((daemon.root / "run/domaind/machines" / UUID).glob("hotplug-*"))


def test_disk_comes_and_goes(hypervisor, running, daemon):
    running.attachDeviceFlags(disk(hypervisor), LIVE | CONFIG)
    assert disks(running) == disks(running, libvirt.VIR_DOMAIN_XML_INACTIVE) == ["vda", "vdb"]
    (body,) = asked(hypervisor, ADD)
    assert body["id"] == "vdb" and body["path"] == f"{hypervisor.folder}/second.raw" and body["image_type"] == "Raw"
    running.detachDeviceFlags(disk(hypervisor), LIVE | CONFIG)
    assert disks(running) == disks(running, libvirt.VIR_DOMAIN_XML_INACTIVE) == ["vda"]
    assert asked(hypervisor, REMOVE) == [{"id": "vdb"}]
    wait_for(lambda: not notes(daemon), "the notes to go")


def test_refused_disk_is_nowhere(hypervisor, running, daemon):
    hypervisor.misbehave(f"PUT {ADD}", "no")
    _, text = error_of(running.attachDeviceFlags, disk(hypervisor), LIVE | CONFIG)
    assert "the moon is in the wrong phase" in text
    assert disks(running) == disks(running, libvirt.VIR_DOMAIN_XML_INACTIVE) == ["vda"]
    assert not notes(daemon)


@pytest.mark.parametrize("device, words", [
    ("<disk type='file' device='cdrom'><source file='{}'/><target dev='sda' bus='sata'/></disk>", "controller sata"),
    ("<sound model='ich9'/>", "no such <sound>"),
    (DISK.replace("'raw'", "'vmdk'"), "no 'vmdk'"),
])
def test_what_it_cannot_plug_in(hypervisor, running, device, words):
    code, text = error_of(running.attachDevice, device.format(hypervisor.folder / "second.raw"))
    assert code in (libvirt.VIR_ERR_OPERATION_UNSUPPORTED, libvirt.VIR_ERR_CONFIG_UNSUPPORTED), text
    assert words in text and not asked(hypervisor, ADD) and disks(running) == ["vda"]


def test_guest_that_keeps_its_disk(hypervisor, running):
    """It is said, the disk stays, and once the guest has let go, the next detach is done."""
    running.attachDevice(disk(hypervisor))
    hypervisor.behave(guest="keeps")
    code, text = error_of(running.detachDevice, disk(hypervisor))
    assert code == libvirt.VIR_ERR_OPERATION_TIMEOUT and "has not let go of device 'virtio-disk1'" in text
    assert disks(running) == ["vda", "vdb"]
    hypervisor.behave()
    running.detachDevice(disk(hypervisor))
    assert disks(running) == ["vda"]


@pytest.mark.parametrize("request_path, before, after", [
    (ADD, ["vda"], ["vda", "vdb"]), (REMOVE, ["vda", "vdb"], ["vda"])])
@pytest.mark.parametrize("done", [True, False])
def test_daemon_killed_while_a_disk_is_on_its_way(hypervisor, daemon, request_path, before, after, done):
    """What the hypervisor has decides what the machine has afterwards."""
    domain = connect(daemon).defineXML(hypervisor.document())
    domain.create()
    if request_path == REMOVE:
        domain.attachDevice(disk(hypervisor))
    assert disks(domain) == before
    hypervisor.misbehave(f"PUT {request_path}", "late" if done else "stall")
    path = daemon.call("/org/libvirt/QEMU", "org.libvirt.Connect", "DomainLookupByUUID", "(s)", UUID)
    daemon.begin(path, "org.libvirt.Domain", "AttachDevice" if request_path == ADD else "DetachDevice", "(su)",
                 disk(hypervisor), 0)
    wait_for(lambda: asked(hypervisor, request_path), "the question")
    daemon.kill()
    hypervisor.behave()
    wait_for(lambda: [*ask(daemon, "/api/v1/vm.info")["device_tree"]] == (after if done else before), "the guest's deed")
    daemon.start()
    domain = connect(daemon).lookupByUUIDString(UUID)
    wait_for(lambda: disks(domain) == (after if done else before), "the machine's disks")
    wait_for(lambda: not notes(daemon) or (request_path == REMOVE and not done), "the notes to go")
    domain.destroy()


def test_memory_that_is_no_device_of_its_own(hypervisor, daemon):
    """It is not in the hypervisor's list of devices, and not gone for that when the daemon comes back."""
    memory = ("<memory model='virtio-mem'><target><size unit='MiB'>512</size><node>0</node><block unit='MiB'>2</block>"
              "<requested unit='MiB'>0</requested></target></memory>")
    domain = connect(daemon).defineXML(hypervisor.document(memory, more="""
  <maxMemory slots='4' unit='MiB'>1024</maxMemory>
  <cpu><numa><cell id='0' cpus='0-1' memory='256' unit='MiB'/></numa></cpu>"""))
    domain.create()
    code, text = error_of(domain.detachDevice, memory)
    assert code == libvirt.VIR_ERR_OPERATION_UNSUPPORTED and "no such <memory>" in text
    daemon.kill()
    daemon.start()
    domain = connect(daemon).lookupByUUIDString(UUID)
    domain.suspend()
    assert ElementTree.fromstring(domain.XMLDesc()).find("devices/memory").get("model") == "virtio-mem"
    domain.destroy()


def test_disk_figures(hypervisor, running):
    assert running.blockStats("vda") == (3, 4096, 1, 512, -1)
    figures = running.connect().domainListGetStats([running], libvirt.VIR_DOMAIN_STATS_BLOCK)[0][1]
    assert (figures["block.0.rd.bytes"], figures["block.0.wr.reqs"]) == (4096, 1)
    hypervisor.misbehave("GET /api/v1/vm.counters", "lie")
    running.attachDevice(disk(hypervisor))
    assert running.blockStats("vda") == (3, 4096, 1, 512, -1)  # what it last said
    code, text = error_of(running.blockStats, "vdb")
    assert code == libvirt.VIR_ERR_OPERATION_FAILED and "no statistics of disk 'vdb'" in text


def helper(daemon, name):
    """The pid of the one that is written down, if it runs."""
    with contextlib.suppress(OSError, ValueError):
        pid = json.loads((daemon.root / "run/domaind/machines" / UUID / f"helper-{name}.json").read_text())["pid"]
        return pid if os.path.exists(f"/proc/{pid}/exe") else None
    return None


@pytest.mark.parametrize("device, name", [
    pytest.param(SHARE, "fs0-virtiofsd", marks=needs_virtiofsd),
    pytest.param(TPM, "tpm0-swtpm", marks=pytest.mark.skipif(shutil.which("swtpm_setup") is None, reason="needs swtpm-tools"))])
def test_helpers_run_beside_it(hypervisor, connection, daemon, device, name):  # noqa: F811
    domain = connection.defineXML(hypervisor.document(device.format(hypervisor.folder / "share")))
    domain.create()
    pid = helper(daemon, name)
    assert pid is not None
    daemon.kill()
    daemon.start()
    assert helper(daemon, name) == pid
    connect(daemon).lookupByUUIDString(UUID).destroy()
    wait_for(lambda: not os.path.exists(f"/proc/{pid}/exe"), "the helper's end")


@pytest.mark.parametrize("way", ["no", "die"])
@pytest.mark.skipif(shutil.which("swtpm_setup") is None, reason="needs swtpm-tools")
def test_failed_start_leaves_no_helper(hypervisor, connection, daemon, way):  # noqa: F811
    hypervisor.misbehave("PUT /api/v1/vm.create", way)
    domain = connection.defineXML(hypervisor.document(TPM))
    _, text = error_of(domain.create)
    assert "moon" in text and helper(daemon, "tpm0-swtpm") is None and state(domain) == SHUTOFF


@needs_virtiofsd[0]
@needs_virtiofsd[1]
def test_directory_comes_and_goes(hypervisor, connection, daemon):  # noqa: F811
    running = connection.defineXML(hypervisor.document(
        more="<memoryBacking><source type='memfd'/><access mode='shared'/></memoryBacking>"))
    running.create()
    share = SHARE.format(hypervisor.folder / "share")
    running.attachDevice(share)
    pid = helper(daemon, "fs0-virtiofsd")
    (body,) = asked(hypervisor, "/api/v1/vm.add-fs")
    assert pid is not None and body["id"] == "fs0" and body["tag"] == "share"
    running.detachDevice(share)
    wait_for(lambda: not os.path.exists(f"/proc/{pid}/exe"), "the helper's end")
