# SPDX-License-Identifier: LGPL-2.1-or-later
"""Two daemons on one host, between which machines move: each with a root, sockets and a host's UUID of its own."""

import contextlib
import pathlib
import tempfile
import uuid as uuids

import pytest

from conftest import Bus, Daemon, domain_xml
from virsh import Virsh

UUID = "c0757092-1366-410c-bb6e-fbc6f66ff7ae"


def daemon_beside(bus):
    """One with a root and a name towards other hosts of its own."""
    it = Daemon(pathlib.Path(tempfile.mkdtemp(prefix="m")), bus)
    (it.root / "etc/domaind").mkdir(parents=True)
    (it.root / "etc/domaind/domaind.conf").write_text(f"[migration]\nhost-uuid = {uuids.uuid4()}\n")
    return it


@pytest.fixture
def pair(bus, tmp_path_factory):
    """The virsh of two daemons, source and target."""
    other = Bus(tmp_path_factory.mktemp("bus"))
    daemons = [daemon_beside(one) for one in (bus, other)]
    with contextlib.ExitStack() as stack:
        stack.callback(other.stop)
        for it in daemons:
            stack.callback(it.clean_up)
            it.start()
        yield [Virsh(it) for it in daemons]


def words(target, *more, name="web", uri="tcp://127.0.0.1"):
    # libvirt's library takes a plain local URI for the host itself.
    peer = target.uri.replace("qemu:", "qemu+unix:") if "--p2p" in more else target.uri
    return ["migrate", *more, name, peer, "--migrateuri", uri]


def migrate(source, target, *more, **keywords):
    return source(*words(target, *more, **keywords))


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
