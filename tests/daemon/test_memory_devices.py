# SPDX-License-Identifier: LGPL-2.1-or-later
"""Memory that is plugged into a Linux, seen by it, and taken out again; and virtio-mem, asked for in parts."""

import re
import xml.etree.ElementTree as ElementTree

import libvirt
import pytest

from conftest import BUILD, domain_xml, initrd_with, wait_for

UUID = "3c1de3a1-0f1a-4f0a-bf51-6a56e1d0a3c5"
DIMM = "<memory model='dimm'><target><size unit='MiB'>128</size><node>0</node></target></memory>"
PARTS = "<memory model='virtio-mem'><target><size unit='MiB'>256</size><node>0</node><block unit='MiB'>2</block>" \
        "<requested unit='MiB'>{requested}</requested></target></memory>"

# Says how much memory there is, each time that it is another.
SCRIPT = """#!/bin/sh
(while sleep 0.1; do
  now=$(awk '/^MemTotal/ { print $2 }' /proc/meminfo)
  [ "$now" = "$last" ] || echo "guest: memory $now"
  last=$now
done) &
"""


@pytest.fixture
def connection(daemon):
    it = libvirt.open(f"qemu:///session?socket={daemon.root}/run/domaind/libvirt-sock")
    yield it
    it.close()


@pytest.fixture(scope="module")
def initrd(tmp_path_factory):
    return initrd_with(tmp_path_factory.mktemp("initrd"), SCRIPT)


@pytest.fixture
def linux(daemon, connection, initrd):
    """Starts a Linux with room for more memory; domain.sizes() are those it has seen, in KiB."""
    console = daemon.root / "console.log"

    def boot(devices=""):
        domain = connection.createXML(f"""<domain type='qemu'>
  <name>linux</name>
  <uuid>{UUID}</uuid>
  <maxMemory slots='4' unit='MiB'>1024</maxMemory>
  <memory unit='MiB'>{256 + 256 * ('virtio-mem' in devices)}</memory>
  <os><type arch='x86_64' machine='q35'>hvm</type>
    <kernel>{BUILD}/guest/vmlinuz</kernel><initrd>{initrd}</initrd>
    <cmdline>console=ttyS0 quiet memhp_default_state=online_movable</cmdline></os>
  <features><acpi/><apic/></features>
  <devices><serial type='file'><source path='{console}'/></serial>{devices}</devices>
</domain>""")
        domain.sizes = lambda: [int(size) for size in re.findall(
            "guest: memory ([0-9]+)\r?\n", console.read_text(errors="replace"))] if console.exists() else []
        wait_for(domain.sizes, "the guest")
        return domain

    return boot


def memory(domain, path="."):
    return [device.find(path) for device in ElementTree.fromstring(domain.XMLDesc()).findall("devices/memory")]


def test_a_dimm_is_seen_and_taken_out(linux):
    domain = linux()
    before = domain.sizes()[-1]
    assert domain.info()[1] == 256 * 1024
    domain.attachDevice(DIMM)
    wait_for(lambda: domain.sizes()[-1] >= before + 128 * 1024, "the memory in the guest")
    address, = memory(domain, "address")
    assert address.get("slot") == "0" and int(address.get("base"), 16) >= 256 << 20
    assert domain.info()[1] == 384 * 1024
    domain.detachDevice(DIMM)
    wait_for(lambda: memory(domain) == [], "the end of the DIMM")
    wait_for(lambda: domain.sizes()[-1] == before, "less memory in the guest")
    assert domain.info()[1] == 256 * 1024


def test_virtio_mem_is_asked_for_in_parts(linux):
    domain = linux(PARTS.format(requested=0))
    assert [part.text for part in memory(domain, "target/current")] == ["0"]
    domain.updateDeviceFlags(PARTS.format(requested=128), libvirt.VIR_DOMAIN_AFFECT_LIVE)
    assert [part.text for part in memory(domain, "target/requested")] == [str(128 * 1024)]
    with pytest.raises(libvirt.libvirtError) as refused:
        domain.updateDeviceFlags(PARTS.format(requested=129), libvirt.VIR_DOMAIN_AFFECT_LIVE)
    assert "requested size must be an integer multiple of block size" in str(refused.value)


@pytest.mark.parametrize("more, devices, words", [
    ("", "", "cannot use/hotplug a memory device when domain 'maxMemory' is not defined"),
    ("<maxMemory slots='1' unit='MiB'>128</maxMemory>", "", "maximum memory size must be equal or greater"),
    ("<maxMemory slots='1' unit='MiB'>512</maxMemory><features><acpi/></features>", DIMM, "failed to find an empty memory slot"),
])
def test_there_is_no_room(connection, more, devices, words):
    domain = connection.createXML(domain_xml("full", UUID, more=more, devices=devices).replace(
        ">32<", ">160<" if devices else ">32<"))
    with pytest.raises(libvirt.libvirtError) as refused:
        domain.attachDevice(DIMM)
    assert words in str(refused.value)
    assert domain.state()[0] == libvirt.VIR_DOMAIN_RUNNING
