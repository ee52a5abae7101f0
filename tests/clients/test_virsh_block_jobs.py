# SPDX-License-Identifier: LGPL-2.1-or-later
"""Block jobs by virsh's own commands and options, and both kinds of event as python3-libvirt hears them."""

import re
import subprocess

import libvirt
import pytest

from conftest import domain_xml, wait_for
from virsh import virsh  # noqa: F401  (a fixture)

NAME = "jobs"
UUID = "6f0e4f6c-2f3b-4d62-9a55-1f1d6c9f7b11"


@pytest.fixture
def running(daemon, virsh):  # noqa: F811
    below = []
    for number, name in enumerate("abc", 1):
        path = daemon.root / f"{name}.qcow2"
        subprocess.run(["qemu-img", "create", "-q", "-f", "qcow2", *below, path, "16M"], check=True)
        subprocess.run(["qemu-io", "-c", f"write -P {number} {number}M 4M", path], check=True, stdout=subprocess.DEVNULL)
        below = ["-b", path, "-F", "qcow2"]
    document = daemon.root / "jobs.xml"
    document.write_text(domain_xml(NAME, UUID, devices=f"""
    <!-- the disk -->
    <disk type='file' device='disk'>
      <driver name='qemu' type='qcow2'/><source file='{daemon.root}/c.qcow2'/><target dev='vda' bus='virtio'/>
    </disk>
    <rng model='virtio'><backend model='random'>/dev/urandom</backend></rng>"""))
    virsh("define", document)
    virsh("start", NAME)
    return virsh


def source(running):
    return running("domblklist", NAME, "--inactive").split()[-1].rpartition("/")[2]


def check(daemon, path):
    for number in (1, 2, 3):
        answer = subprocess.run(["qemu-io", "-r", "-c", f"read -P {number} {number}M {4 if number == 3 else 1}M", path],
                                check=True, capture_output=True, text=True).stdout
        assert "verification failed" not in answer


def test_commit_and_pivot(daemon, running):
    said = running("blockcommit", NAME, "vda", "--active", "--pivot", "--verbose")
    assert "Successfully pivoted" in said
    assert source(running) == "a.qcow2"
    assert running("blockjob", NAME, "vda").strip() == "No current block job for vda"
    text = running("dumpxml", NAME, "--inactive")
    assert "a.qcow2" in text and "c.qcow2" not in text
    (stored,) = daemon.root.glob("etc/domaind/domains/*.xml")
    assert "<!-- the disk -->" in stored.read_text() and "a.qcow2" in stored.read_text()
    running("destroy", NAME)
    check(daemon, daemon.root / "a.qcow2")
    running("start", NAME)


def test_commit_below_waits(daemon, running):
    assert "Commit complete" in running("blockcommit", NAME, "vda", "--top", "vda[2]", "--base", "vda[3]", "--wait",
                                        "--verbose")
    running("destroy", NAME)
    check(daemon, daemon.root / "c.qcow2")


def test_pull_waits(daemon, running):
    assert "Pull complete" in running("blockpull", NAME, "vda", "--wait", "--verbose")
    running("destroy", NAME)
    check(daemon, daemon.root / "c.qcow2")
    assert "backing" not in subprocess.run(["qemu-img", "info", daemon.root / "c.qcow2"], check=True, capture_output=True,
                                           text=True).stdout


@pytest.mark.parametrize("end, image", [("--pivot", "copy.img"), ("--finish", "c.qcow2")])
def test_copy(daemon, running, end, image):
    path = daemon.root / "copy.img"
    running("blockcopy", NAME, "vda", path, "--format", "qcow2", "--wait", "--verbose", "--transient-job", end)
    assert source(running) == image
    running("destroy", NAME)
    check(daemon, path)
    check(daemon, daemon.root / "c.qcow2")


def test_speed_info_and_abort(running):
    running("blockpull", NAME, "vda", "--bandwidth", "1")
    raw = running("blockjob", NAME, "vda", "--raw")
    assert re.search(r"type=Block Pull\s+bandwidth=1\s+cur=\d+\s+end=16777216", raw), raw
    assert "bandwidth=1048576" in running("blockjob", NAME, "vda", "--raw", "--bytes")
    running("blockjob", NAME, "vda", "2")
    assert "bandwidth=2" in running("blockjob", NAME, "vda", "--raw")
    assert "domain has active block job" in running.fails("save", NAME, "/nowhere")
    running("blockjob", NAME, "vda", "--abort")
    assert running("blockjob", NAME, "vda").strip() == "No current block job for vda"


def test_codes_of_refusals(running):
    libvirt.registerErrorHandler(lambda context, error: None, None)
    connection = libvirt.open(running.uri)
    domain = connection.lookupByName(NAME)
    for call, code in [(lambda: domain.blockPull("vdz"), libvirt.VIR_ERR_INVALID_ARG),
                       (lambda: domain.blockJobAbort("vda"), libvirt.VIR_ERR_INVALID_ARG),
                       (lambda: domain.blockCommit("vda", None, None), libvirt.VIR_ERR_INVALID_ARG),
                       (lambda: domain.blockRebase("vda", None, 1 << 60), libvirt.VIR_ERR_OVERFLOW),
                       (lambda: domain.blockPull("vda", 0, 8), libvirt.VIR_ERR_INVALID_ARG),
                       (lambda: domain.blockCopy("vda", "<disk type='file'><source file='/x'/></disk>"),
                        libvirt.VIR_ERR_OPERATION_INVALID)]:
        with pytest.raises(libvirt.libvirtError) as caught:
            call()
        assert caught.value.get_error_code() == code, caught.value
    assert domain.blockJobInfo("vda") == {}
    connection.close()


def test_events_of_both_kinds(daemon, running):
    libvirt.virEventRegisterDefaultImpl()
    connection = libvirt.open(running.uri)
    domain, heard = connection.lookupByName(NAME), []

    def tell(_connection, _domain, disk, kind, status, opaque):
        heard.append((opaque, disk, kind, status))

    numbers = [connection.domainEventRegisterAny(None, event, tell, name)
               for name, event in [("path", libvirt.VIR_DOMAIN_EVENT_ID_BLOCK_JOB),
                                   ("target", libvirt.VIR_DOMAIN_EVENT_ID_BLOCK_JOB_2)]]
    domain.blockCommit("vda", None, None, 0, libvirt.VIR_DOMAIN_BLOCK_COMMIT_ACTIVE)
    ready, completed = libvirt.VIR_DOMAIN_BLOCK_JOB_READY, libvirt.VIR_DOMAIN_BLOCK_JOB_COMPLETED
    active = libvirt.VIR_DOMAIN_BLOCK_JOB_TYPE_ACTIVE_COMMIT

    def hear(count):
        libvirt.virEventRunDefaultImpl()
        return len(heard) >= count

    timer = libvirt.virEventAddTimeout(100, lambda *_: None, None)
    wait_for(lambda: hear(2), "both events")
    domain.blockJobAbort("vda", libvirt.VIR_DOMAIN_BLOCK_JOB_ABORT_PIVOT)
    wait_for(lambda: hear(4), "both events")
    assert heard == [("path", f"{daemon.root}/c.qcow2", active, ready), ("target", "vda", active, ready),
                     ("path", f"{daemon.root}/a.qcow2", active, completed), ("target", "vda", active, completed)]
    libvirt.virEventRemoveTimeout(timer)
    for number in numbers:
        connection.domainEventDeregisterAny(number)
    connection.close()
