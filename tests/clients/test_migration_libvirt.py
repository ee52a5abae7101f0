# SPDX-License-Identifier: LGPL-2.1-or-later
"""Machines that move between domaind and the real libvirtd of this host, both ways, as whoever moves over would do it."""

import contextlib
import os
import subprocess

import pytest

from conftest import BUILD, PATIENCE, domain_xml
from migration import UUID, daemon_beside, migrate, start, write
from test_migration import Counter
from two_daemons import libvirtd  # noqa: F401
from virsh import Virsh, guest  # noqa: F401


class LibvirtdVirsh(Virsh):
    """virsh at a private libvirtd; what a test leaves there is taken away."""

    def __init__(self, sockets, directory):
        self.root = directory
        self.daemon = self
        super().__init__(self)
        self.uri = f"qemu+unix:///system?socket={sockets}/libvirt-sock"

    def clean_up(self):
        for name in self("list", "--all", "--name").split():
            subprocess.run(self.command("destroy", name), env=self.environment, capture_output=True, check=False)
            subprocess.run(self.command("undefine", name), env=self.environment, capture_output=True, check=False)


@pytest.fixture
def ours(bus):
    it = daemon_beside(bus)
    with contextlib.ExitStack() as stack:
        stack.callback(it.clean_up)
        it.start()
        yield Virsh(it)


@pytest.fixture
def theirs(libvirtd, tmp_path_factory):  # noqa: F811
    it = LibvirtdVirsh(libvirtd, tmp_path_factory.mktemp("libvirtd"))
    yield it
    it.clean_up()


@pytest.fixture(params=["to libvirtd", "from libvirtd"])
def pair(request, ours, theirs):
    """(source, target)"""
    return (ours, theirs) if request.param == "to libvirtd" else (theirs, ours)


def is_alone(source, target):
    assert source("list", "--name").split() == []
    assert target("list", "--name").split() == ["web"]


@pytest.mark.parametrize("way", [[], ["--p2p"]], ids=["by the client", "peer to peer"])
def test_a_machine_moves_for_good(pair, way):
    source, target = pair
    start(source)
    migrate(source, target, "--live", "--persistent", "--undefinesource", *way)
    is_alone(source, target)
    assert target("domstate", "web", "--reason").strip() == "running (migrated)"
    assert source("list", "--all", "--name").split() == []
    assert target.fields("dominfo", "web")["Persistent"] == "yes"


@pytest.mark.parametrize("way", [[], ["--p2p"]], ids=["by the client", "peer to peer"])
def test_a_paused_machine_with_another_name(pair, way, tmp_path):
    source, target = pair
    start(source)
    source("suspend", "web")
    migrate(source, target, "--live", "--dname", "other", *way, uri=f"unix://{tmp_path}/state")
    assert source("domstate", "web").strip() == "shut off"
    assert target("domstate", "other").strip() == "paused"
    target("resume", "other")
    assert target("domstate", "other").strip() == "running"
    target("destroy", "other")
    assert list(tmp_path.glob("state")) == []


@pytest.mark.parametrize("way", [[], ["--p2p"]], ids=["by the client", "peer to peer"])
def test_a_definition_moves(pair, way):
    source, target = pair
    source("define", write(source, domain_xml("web", UUID)))
    migrate(source, target, "--offline", "--persistent", "--undefinesource", *way)
    assert source("list", "--all", "--name").split() == []
    assert target("domuuid", "web").strip() == UUID


# What a libvirt 9 knows less of than ours, what each host chooses for itself, and what has a state of its own.
RICH = f"""<domain type='qemu'>
  <name>web</name>
  <uuid>{UUID}</uuid>
  <maxMemory slots='4' unit='MiB'>1024</maxMemory>
  <memory unit='MiB'>192</memory>
  <vcpu current='1'>2</vcpu>
  <os firmware='efi'><type arch='x86_64' machine='q35'>hvm</type></os>
  <features><acpi/><smm state='on'/></features>
  <cpu mode='host-model'><numa><cell id='0' cpus='0-1' memory='64' unit='MiB'/></numa></cpu>
  <devices>
    <memory model='dimm'><target><size unit='MiB'>128</size><node>0</node></target></memory>
    <serial type='pty'/>
    <channel type='unix'><target type='virtio' name='org.qemu.guest_agent.0'/></channel>
    <interface type='user'><mac address='52:54:00:11:22:33'/><model type='virtio'/></interface>
    <graphics type='vnc' autoport='yes' passwd='secret'/>
    <graphics type='spice' autoport='yes'/>
    <tpm model='tpm-crb'><backend type='emulator' version='2.0'/></tpm>
    <rng model='virtio'><backend model='random'>/dev/urandom</backend></rng>
  </devices>
</domain>
"""


def test_a_machine_with_everything_goes_there_and_back(pair):
    source, target = pair
    source("define", write(source, RICH))
    source("start", "web")
    migrate(source, target, "--live", "--persistent", "--undefinesource")
    is_alone(source, target)
    assert "<feature policy=" in target("dumpxml", "web")
    migrate(target, source, "--live", "--persistent", "--undefinesource")
    is_alone(target, source)
    source("destroy", "web")
    source("undefine", "web", "--nvram", "--tpm")


def test_no_number_is_lost(ours, theirs, guest, tmp_path):  # noqa: F811
    """A disk that both have, then one that is copied there, and one that is copied back."""
    counter = Counter(ours, guest, tmp_path, "qcow2")
    migrate(ours, theirs, "--live", "--unsafe")
    counter.goes_on()
    disks = [counter.disk, counter.make_disk("ours"), counter.make_disk("theirs")]
    for at, (source, target, way) in enumerate([(theirs, ours, []), (ours, theirs, ["--p2p"])]):
        document = source("dumpxml", "web", "--migratable").replace(str(disks[at]), str(disks[at + 1]))
        migrate(source, target, "--live", "--copy-storage-all", *way, "--xml", write(source, document))
        is_alone(source, target)
        counter.goes_on()
    theirs("destroy", "web")
    counter.lost_nothing(disks[-1])


def test_a_machine_that_libvirtd_has_saved_is_restored(ours, theirs, tmp_path):
    theirs("define", write(theirs, RICH.replace(" firmware='efi'", "").replace("<smm state='on'/>", "")))
    theirs("start", "web")
    given = [line for line in theirs("dumpxml", "web").splitlines() if "<feature policy=" in line]
    theirs("save", "web", tmp_path / "state")
    ours("restore", tmp_path / "state")
    assert ours("domstate", "web", "--reason").strip() == "running (restored)"
    assert given == [line for line in ours("dumpxml", "web").splitlines() if "<feature policy=" in line]
    document = write(ours, ours("save-image-dumpxml", tmp_path / "state"))
    assert "is not changed here" in ours.fails("save-image-define", tmp_path / "state", document)


def test_what_the_other_does_not_know(ours, theirs):
    start(ours)
    with pytest.raises(AssertionError, match="Unsupported compression method 'zstd'"):
        migrate(ours, theirs, "--live", "--p2p", "--parallel", "--compressed", "--comp-methods", "zstd")
    assert ours("domstate", "web").strip() == "running"
    assert theirs("list", "--all", "--name").split() == []


def test_domctl_moves_a_machine_to_libvirtd(ours, theirs):
    start(ours)
    environment = dict(os.environ, DBUS_SESSION_BUS_ADDRESS=ours.daemon.bus.address, LC_ALL="C.UTF-8")
    done = subprocess.run([BUILD / "cli" / "domctl", "--connect", "session", "migrate", "web", theirs.uri, "--live",
                           "--persistent", "--migrateuri=tcp://127.0.0.1"],
                          capture_output=True, text=True, timeout=PATIENCE, env=environment, check=False)
    assert (done.returncode, done.stdout) == (0, f"Domain 'web' migrated to '{theirs.uri}'\n"), done.stderr
    is_alone(ours, theirs)
