# SPDX-License-Identifier: LGPL-2.1-or-later
"""Machines that move between two daemons on one host, each with its own root, by an unmodified virsh."""

import contextlib
import pathlib
import subprocess
import tempfile
import uuid as uuids

import pytest

from conftest import Bus, Daemon, domain_xml
from virsh import Virsh

UUID = "c0757092-1366-410c-bb6e-fbc6f66ff7ae"


def start_beside(bus, place, *arguments):
    """A daemon with a root and a name towards other hosts of its own."""
    it = Daemon(place, bus, *arguments)
    (place / "etc/domaind").mkdir(parents=True, exist_ok=True)
    (place / "etc/domaind/domaind.conf").write_text(f"[migration]\nhost-uuid = {uuids.uuid4()}\n")
    return it


@pytest.fixture
def pair(bus, tmp_path_factory):
    """Two daemons' virsh, source and target."""
    other = Bus(tmp_path_factory.mktemp("bus"))
    daemons = [start_beside(one, pathlib.Path(tempfile.mkdtemp(prefix="m"))) for one in (bus, other)]
    try:
        for it in daemons:
            it.start()
        yield [Virsh(it) for it in daemons]
    finally:
        with contextlib.ExitStack() as stack:
            stack.callback(other.stop)
            for it in daemons:
                stack.callback(it.clean_up)


def migrate(source, target, *words, name="web", uri="tcp://127.0.0.1"):
    # libvirt's library takes a plain local URI for the host itself.
    peer = target.uri.replace("qemu:", "qemu+unix:") if "--p2p" in words else target.uri
    return source("migrate", *words, name, peer, "--migrateuri", uri)


def is_alone(source, target):
    """The machine runs on the target, and nothing of it is left on the source."""
    assert source.daemon.machines() == {}
    assert list(target.daemon.machines()) == ["web"]
    assert source.daemon.processes() == set()


def write(virsh, text):
    file = virsh.daemon.root / "document.xml"
    file.write_text(text)
    return file


def start(virsh, more="", devices=""):
    virsh("define", write(virsh, domain_xml("web", UUID, more, devices=devices)))
    virsh("start", "web")


@pytest.mark.parametrize("way", [["--live"], [], ["--live", "--p2p"], ["--live", "--persistent", "--undefinesource"],
                                 ["--p2p", "--persistent", "--undefinesource"]], ids=" ".join)
def test_a_machine_moves(pair, way):
    source, target = pair
    start(source)
    migrate(source, target, *way)
    is_alone(source, target)
    assert target("domstate", "web", "--reason").strip() == "running (migrated)"
    assert ("web" in source("list", "--all", "--name")) == ("--undefinesource" not in way)
    assert target.fields("dominfo", "web")["Persistent"] == ("yes" if "--persistent" in way else "no")
    if "--undefinesource" not in way:
        assert source("domstate", "web", "--reason").strip() == "shut off (migrated)"


def test_a_paused_machine_stays_paused(pair):
    source, target = pair
    start(source)
    source("suspend", "web")
    migrate(source, target, "--live")
    is_alone(source, target)
    assert target("domstate", "web", "--reason").strip() == "paused (user)"
    target("resume", "web")
    assert target("domstate", "web").strip() == "running"


@pytest.mark.parametrize("way", [[], ["--p2p"]], ids=" ".join)
def test_a_definition_moves_without_its_machine(pair, way):
    source, target = pair
    source("define", write(source, domain_xml("web", UUID)))
    migrate(source, target, "--offline", "--persistent", "--undefinesource", *way)
    assert source("list", "--all", "--name").split() == []
    assert target("list", "--all", "--name").split() == ["web"]
    assert target("domuuid", "web").strip() == UUID
    target("start", "web")


def test_a_machine_gets_another_name(pair):
    source, target = pair
    start(source)
    migrate(source, target, "--live", "--persistent", "--dname", "other")
    assert target("list", "--name").split() == ["other"]
    assert "<name>other</name>" in target("dumpxml", "other", "--inactive")
    assert source("domstate", "web", "--reason").strip() == "shut off (migrated)"


def test_a_document_for_the_target(pair):
    source, target = pair
    start(source)
    document = source("dumpxml", "web", "--migratable")
    migrate(source, target, "--live", "--xml", write(source, document.replace("</name>", "</name>\n<title>there</title>")))
    assert target("desc", "web", "--title").strip() == "there"
    migrate(target, source, "--live")
    other = write(source, document.replace("<vcpu placement='static'>1</vcpu>", "<vcpu placement='static'>2</vcpu>"))
    with pytest.raises(AssertionError, match="vCPU|vcpu"):
        migrate(source, target, "--live", "--xml", other)
    assert source("domstate", "web").strip() == "running"
    assert target("list", "--all", "--name").split() == []


REFUSED = {
    "to itself": (["--live"], "Attempt to migrate guest to the same host"),
    "rdma": (["--live"], "RDMA migration is not supported"),
    "tunnelled": (["--live", "--p2p", "--tunnelled"], "tunnelled migration is not supported"),
    "zero-copy alone": (["--live", "--zerocopy"], "zero-copy is only available for parallel migration"),
    "offline without a place": (["--offline"], "offline migration must be specified with the persistent flag set"),
    "two kinds of copies": (["--live", "--copy-storage-all", "--copy-storage-inc"], "mutually exclusive"),
    "unknown method": (["--live", "--compressed", "--comp-methods", "magic"], "Unsupported compression method 'magic'"),
}


@pytest.mark.parametrize("what", REFUSED)
def test_what_cannot_be_is_refused_by_name(pair, what):
    source, target = pair
    words, reason = REFUSED[what]
    start(source)
    with pytest.raises(AssertionError) as refused:
        if what == "tunnelled":
            source("migrate", *words, "web", target.uri.replace("qemu:", "qemu+unix:"))
        else:
            migrate(source, source if what == "to itself" else target, *words,
                    uri="rdma://127.0.0.1" if what == "rdma" else "tcp://127.0.0.1")
    assert reason in str(refused.value)
    assert source("domstate", "web").strip() == "running"
    assert target("list", "--all", "--name").split() == []
    migrate(source, target, "--live")
    is_alone(source, target)


def test_a_disk_of_this_host_alone(pair):
    source, target = pair
    disk = source.daemon.root / "disk.raw"
    subprocess.run(["qemu-img", "create", "-q", "-f", "raw", disk, "1M"], check=True)
    start(source, devices=f"<disk type='file' device='disk'><driver name='qemu' type='raw'/><source file='{disk}'/>"
                          "<target dev='vda' bus='virtio'/></disk>")
    with pytest.raises(AssertionError, match="Migration without shared storage is unsafe"):
        migrate(source, target, "--live")
    migrate(source, target, "--live", "--unsafe")
    is_alone(source, target)


def test_a_socket_instead_of_a_port(pair, tmp_path):
    source, target = pair
    start(source)
    migrate(source, target, "--live", "--p2p", uri=f"unix://{tmp_path}/state")
    is_alone(source, target)
    assert list(tmp_path.glob("state")) == []


@pytest.mark.parametrize("more", [["--parallel", "--parallel-connections", "3"], ["--compressed"], ["--auto-converge"],
                                  ["--parallel", "--compressed", "--comp-methods", "zstd"], ["--abort-on-error"],
                                  ["--bandwidth", "100"]], ids=" ".join)
def test_ways_of_sending(pair, more):
    source, target = pair
    start(source)
    migrate(source, target, "--live", *more)
    is_alone(source, target)
    assert target("domstate", "web").strip() == "running"
