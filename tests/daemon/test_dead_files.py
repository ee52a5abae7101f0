# SPDX-License-Identifier: LGPL-2.1-or-later
"""Files on a file system that does not answer: who names one waits, and nobody else does."""

import ctypes
import os

import pytest

from conftest import CONNECT, DOMAIN, ROOT, domain_path, domain_xml, wait_for

LIBC = ctypes.CDLL(None, use_errno=True)
WEB = "44444444-4444-4444-8444-444444444444"
OTHER = "55555555-5555-4555-8555-555555555555"


@pytest.fixture
def dead(root):
    """A mounted FUSE file system whose server says nothing."""
    place = root / "dead"
    place.mkdir()
    server = os.open("/dev/fuse", os.O_RDWR)
    options = f"fd={server},rootmode=40000,user_id=0,group_id=0".encode()
    if LIBC.mount(b"dead", bytes(place), b"fuse", 0, options) != 0:
        os.close(server)
        pytest.skip(f"FUSE cannot be mounted here: {os.strerror(ctypes.get_errno())}")
    yield place
    LIBC.umount2(bytes(place), 2)  # MNT_DETACH; those who wait are told when the server is gone
    os.close(server)


@pytest.fixture
def daemon(dead, daemon):  # so that the file system goes first, and nothing of the daemon's hangs on it
    yield daemon
    LIBC.umount2(bytes(dead), 2)


def document(name, uuid, dead, devices="", more=""):
    return domain_xml(name, uuid, more=more, devices=devices.replace("DEAD", str(dead)))


def with_disk(dead, attributes=""):
    return document("web", WEB, dead, f"<disk type='file'><source file='DEAD/a.img' {attributes}/>"
                                      "<target dev='vda' bus='virtio'/></disk>")


def assert_others_are_served(daemon):
    """Reads, and changes of another domain, while something stands still."""
    assert len(daemon.call(ROOT, CONNECT, "ListDomains", "(u)", 0)) >= 1
    path = daemon.define(domain_xml("other", OTHER))
    daemon.call(path, DOMAIN, "Create", "(u)", 0)
    daemon.call(path, DOMAIN, "Destroy", "(u)", 0)
    daemon.call(path, DOMAIN, "Undefine", "(u)", 0)


@pytest.mark.parametrize("flags", [0, 4])  # VIR_DOMAIN_UNDEFINE_NVRAM
def test_undefine_with_variables(daemon, dead, flags):
    loader = "/usr/share/OVMF/OVMF_CODE_4M.fd"
    nvram = f"<loader readonly='yes' type='pflash'>{loader}</loader><nvram>{dead}/VARS.fd</nvram>"
    xml = domain_xml("web", WEB).replace("machine='pc'", "machine='q35'").replace("</os>", f"{nvram}</os><features><acpi/></features>")
    pending = daemon.begin(daemon.define(xml), DOMAIN, "Undefine", "(u)", flags)
    assert_others_are_served(daemon)
    assert not pending


@pytest.mark.parametrize("attributes", ["", "startupPolicy='optional'"])
def test_start_with_a_disk(daemon, dead, attributes):
    path = daemon.define(with_disk(dead, attributes))
    pending = daemon.begin(path, DOMAIN, "Create", "(u)", 0)
    assert_others_are_served(daemon)
    daemon.call(path, DOMAIN, "Destroy", "(u)", 0)  # works, whatever the start waits for
    assert "is being ended" in str(wait_for(lambda: pending, "the end of the start")[0])


@pytest.mark.parametrize("method,signature,arguments", [
    ("Save", "(ssu)", ("DEAD/web.save", "", 0)),
    ("CoreDump", "(suu)", ("DEAD/web.core", 0, 0)),
    ("AttachDevice", "(su)", ("<disk type='file'><source file='DEAD/a.img'/><target dev='vdb' bus='virtio'/></disk>", 1)),
    ("BlockPeek", "(stuu)", ("vda", 0, 512, 0)),
])
def test_calls_of_a_running_machine(daemon, dead, method, signature, arguments):
    path = daemon.create(domain_xml("web", WEB))
    arguments = [value.replace("DEAD", str(dead)) if isinstance(value, str) else value for value in arguments]
    pending = daemon.begin(path, DOMAIN, method, signature, *arguments)
    assert_others_are_served(daemon)
    assert not pending or method == "BlockPeek"
    daemon.call(domain_path(WEB), DOMAIN, "Destroy", "(u)", 0)


@pytest.mark.parametrize("method,signature,arguments", [
    ("DomainRestore", "(ssu)", ("DEAD/web.save", "", 0)),
    ("DomainSaveImageGetXMLDesc", "(su)", ("DEAD/web.save", 0)),
    ("StoragePoolDefineXML", "(su)",
     ("<pool type='dir'><name>gone</name><target><path>DEAD/pool</path></target></pool>", 0)),
    ("DomainDefineXML", "(s)", (domain_xml("web", WEB, devices="<emulator>DEAD/qemu</emulator>"),)),
])
def test_calls_of_the_host(daemon, dead, method, signature, arguments):
    daemon.define(domain_xml("first"))
    arguments = [value.replace("DEAD", str(dead)) if isinstance(value, str) else value for value in arguments]
    daemon.begin(ROOT, CONNECT, method, signature, *arguments)
    assert_others_are_served(daemon)
