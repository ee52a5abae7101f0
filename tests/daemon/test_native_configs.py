# SPDX-License-Identifier: LGPL-2.1-or-later
"""Configs of other hypervisors over libvirt's wire, by libvirt's names of their formats: out, and in again."""

import libvirt
import pytest

from conftest import domain_xml

UUID = "c7a5fdbd-edaf-9455-926a-d65c16db1809"

# What a config says of the machine, and how a document made of it says it again.
DISK = """<disk type='file' device='disk'><driver name='qemu' type='raw'/><source file='/disk.raw'/>
  <target dev='hda' bus='ide'/></disk>"""
FORMATS = {
    "xen-xl": ('name = "web"', "<name>web</name>"),
    "vmware-vmx": ('displayName = "web"', "<name>web</name>"),
    "bhyve-argv": ("bhyve ", "<domain type='bhyve'"),
}


@pytest.fixture
def connection(daemon):
    it = libvirt.open(f"qemu:///session?socket={daemon.root}/run/domaind/libvirt-sock")
    yield it
    it.close()


@pytest.mark.parametrize("form", FORMATS)
def test_out_and_in(connection, form):
    config = connection.domainXMLToNative(form, domain_xml("web", UUID, devices=DISK))
    said, read = FORMATS[form]
    assert said in config
    assert read in connection.domainXMLFromNative(form, config)


def test_what_can_be_lost_is_left_out_as_libvirt_does(daemon, connection):
    text = domain_xml("web", UUID, devices="<tpm model='tpm-crb'><backend type='emulator' version='2.0'/></tpm>")
    assert "tpm" not in connection.domainXMLToNative("vmware-vmx", text).lower()


@pytest.mark.parametrize("form, config, words", [
    ("xen-xl", 'name = "web\n', "1"),
    ("vmware-vmx", "displayName\n", "1"),
])
def test_a_config_that_cannot_be_read_is_refused_by_place(connection, form, config, words):
    with pytest.raises(libvirt.libvirtError, match=words):
        connection.domainXMLFromNative(form, config)


def test_an_unknown_format(connection):
    for call, words in ((connection.domainXMLToNative, "unsupported config type none"),
                        (connection.domainXMLFromNative, "virConnectDomainXMLFromNative")):
        with pytest.raises(libvirt.libvirtError, match=words):
            call("none", domain_xml("web", UUID))
