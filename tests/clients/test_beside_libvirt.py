# SPDX-License-Identifier: LGPL-2.1-or-later
"""The real libvirtd at the places where libvirt's clients look, before us and after us: neither harms the other."""

import json
import os
import subprocess

import libvirt
import pytest

from conftest import BUILD, PATIENCE, Daemon, domain_xml, wait_for
from two_daemons import private_libvirtd

MACHINE = "only-here"  # of our daemon


@pytest.fixture
def places(root):
    """The directory of libvirt's places beside ours."""
    if reason := private_libvirtd.why_not():
        pytest.skip(reason)
    directory = root / "run" / "libvirt"
    directory.mkdir(parents=True)
    return directory


@pytest.fixture
def here(root, bus):
    """A daemon that has not been started."""
    it = Daemon(root, bus)
    yield it
    it.clean_up()


def names(uri, socket):
    connection = libvirt.open(f"{uri}?socket={socket}")
    try:
        return [domain.name() for domain in connection.listAllDomains()]
    finally:
        connection.close()


def neighbours(daemon):
    """{place: program} as domctl tells it: what is in our XDG_RUNTIME_DIR is where a session's clients look."""
    done = subprocess.run([BUILD / "cli/domctl", "-c", "session", "version", "--json"], capture_output=True, text=True,
                          check=True, timeout=PATIENCE,
                          env=dict(os.environ, DBUS_SESSION_BUS_ADDRESS=daemon.bus.address, XDG_RUNTIME_DIR=f"{daemon.root}/run"))
    return {each["place"]: each["program"] for each in json.loads(done.stdout)["beside"]}


def test_a_libvirtd_that_takes_the_places(here, places):
    here.start()
    here.define(domain_xml(MACHINE))
    assert names("qemu:///session", places / "libvirt-sock") == [MACHINE]
    assert neighbours(here) == {}
    with private_libvirtd.PrivateLibvirtd(sockets=places):
        wait_for(lambda: f"socket '{places}/libvirt-sock' was removed or replaced by another program" in here.log(),
                 "the log's word of the loss")
        assert names("qemu:///system", places / "libvirt-sock") == []
        assert names("qemu:///session", here.root / "run/domaind/libvirt-sock") == [MACHINE]
        assert neighbours(here) == {f"{places}/libvirt-sock": "libvirtd"}
        here.stop()
        assert names("qemu:///system", places / "libvirt-sock") == []
        assert not (places / "virtqemud-sock").exists()


def test_a_libvirtd_that_was_there_first(here, places):
    with private_libvirtd.PrivateLibvirtd(sockets=places):
        here.start()
        assert f"socket '{places}/libvirt-sock' is held by another daemon" in here.log()
        here.define(domain_xml(MACHINE))
        assert names("qemu:///system", places / "libvirt-sock") == []
        assert not (places / "virtqemud-sock").exists()
        assert names("qemu:///session", here.root / "run/domaind/libvirt-sock") == [MACHINE]
        here.stop()
        assert names("qemu:///system", places / "libvirt-sock") == []


def test_places_that_nobody_took_are_given_back(here, places):
    here.start()
    assert {path.name for path in places.iterdir()} == {"virtqemud-sock", "libvirt-sock"}
    here.stop()
    assert list(places.iterdir()) == []
