# SPDX-License-Identifier: LGPL-2.1-or-later
"""Huge pages of the host, and what is refused everywhere."""

import os
import pathlib
import struct
import sys
import uuid

import libvirt
import pytest

from conftest import CONNECT, DOMAIN, ROOT, TOP, domain_path, domain_xml

sys.path.insert(0, str(TOP / "tests/clients"))

from wire import RawClient, domain  # noqa: E402

UUID = "6a6df3a1-3a2b-4b9c-a1d7-3f5d0a2c9b11"
POOL = pathlib.Path("/sys/kernel/mm/hugepages/hugepages-2048kB/nr_hugepages")
GRAPHICS_RELOAD = 448


@pytest.fixture
def connection(daemon):
    it = libvirt.open(f"qemu:///session?socket={daemon.root}/run/domaind/libvirt-sock")
    yield it
    it.close()


@pytest.mark.skipif(not os.access(POOL, os.W_OK), reason="the pool of huge pages cannot be written here")
def test_huge_pages(daemon, connection):
    before = int(POOL.read_text())
    try:
        assert connection.allocPages({2048: 1}, -1, 1) == 1
        assert int(POOL.read_text()) == before + 1
        assert daemon.call(ROOT, "org.domaind1.Connect", "NodeAllocPages", "(auatiuu)", [2048], [before], -1, 1, 1) == 1
        assert int(POOL.read_text()) == before
        assert connection.allocPages({2048: before}, 0, 1, libvirt.VIR_NODE_ALLOC_PAGES_SET) == 1
    finally:
        POOL.write_text(f"{before}\n")


def test_huge_pages_that_are_not_there(daemon, connection):
    for pages, cell, words in [({4: 1}, 0, "system pages pool"), ({3: 1}, 0, "size 3 is not available on node 0"),
                               ({3: 1}, -1, "size 3 is not available"), ({2048: 1}, 4000, "out of range")]:
        with pytest.raises(libvirt.libvirtError, match=words):
            connection.allocPages(pages, cell, 1)
    message = daemon.error(ROOT, "org.domaind1.Connect", "NodeAllocPages", "(auatiuu)", [2048], [], 0, 1, 0)[1]
    assert "1 sizes of pages and 0 counts" in message


def test_what_no_host_or_machine_here_has(connection):
    machine = connection.createXML(domain_xml("web", UUID), libvirt.VIR_DOMAIN_START_PAUSED)
    assert machine.launchSecurityInfo() == {}
    for code, call in [
            (libvirt.VIR_ERR_ARGUMENT_UNSUPPORTED, lambda: connection.suspendForDuration(0, 60)),
            (libvirt.VIR_ERR_OPERATION_UNSUPPORTED, connection.getSEVInfo),
            (libvirt.VIR_ERR_OPERATION_UNSUPPORTED, lambda: machine.setLaunchSecurityState({"sev-secret": "x"})),
            (libvirt.VIR_ERR_NO_SUPPORT, lambda: machine.sendProcessSignal(1, 9)),
            (libvirt.VIR_ERR_NO_SUPPORT, lambda: connection.domainXMLFromNative("none", "qemu"))]:
        with pytest.raises(libvirt.libvirtError) as caught:
            call()
        assert caught.value.get_error_code() == code
    with pytest.raises(libvirt.libvirtError, match="fdgroup='disk'"):
        machine.FDAssociate("disk", [0])


def test_certificates_of_a_display_are_read_again(daemon, connection):
    """Without certificates QEMU has none to read again, and says so."""
    connection.createXML(domain_xml("web", UUID, devices="<graphics type='vnc' port='-1'/>"))
    assert "tls" in daemon.error(domain_path(UUID), "org.domaind1.Domain", "GraphicsReload", "(uu)", 0, 0)[1].lower()
    assert "reload type 7" in daemon.error(domain_path(UUID), "org.domaind1.Domain", "GraphicsReload", "(uu)", 7, 0)[1]
    with RawClient(daemon) as client:
        web = domain("web", uuid.UUID(UUID))
        assert "tls" in client.call(GRAPHICS_RELOAD, web + struct.pack(">II", 1, 0)).error()[2].lower()
    daemon.call(domain_path(UUID), DOMAIN, "Destroy", "(u)", 0)
    assert daemon.call(ROOT, CONNECT, "ListDomains", "(u)", 0) == []
