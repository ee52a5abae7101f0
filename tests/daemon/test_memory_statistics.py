# SPDX-License-Identifier: LGPL-2.1-or-later
"""What a guest says of its memory, how often it is asked, and how fast it writes to it."""

import subprocess

import libvirt
import pytest

from conftest import BUILD, DOMAIN, TOP, domain_path, domain_xml, wait_for

LIVE, CONFIG = 1, 2
UUID = "5b2e9a53-5a36-4a3d-8a46-0c2c8a3c41b6"
BALLOON = "<memballoon model='none'/>"
LINUX = """<domain type='qemu'>
  <name>linux</name>
  <uuid>{uuid}</uuid>
  <memory unit='MiB'>160</memory>
  <os>
    <type arch='x86_64' machine='q35'>hvm</type>
    <kernel>{guest}/vmlinuz</kernel>
    <initrd>{guest}/initrd.img</initrd>
    <cmdline>console=ttyS0 quiet</cmdline>
  </os>
  <features><acpi/><apic/></features>
  <devices><memballoon model='virtio'><stats period='1'/></memballoon></devices>
</domain>
"""
OF_THE_GUEST = ["swap_in", "swap_out", "major_fault", "minor_fault", "unused", "available", "usable", "last_update",
                "disk_caches"]


@pytest.fixture
def connection(daemon):
    it = libvirt.open(f"qemu:///session?socket={daemon.root}/run/domaind/libvirt-sock")
    yield it
    it.close()


@pytest.fixture(scope="session")
def guest():
    directory = BUILD / "guest"
    subprocess.run([TOP / "examples/guest/make", directory], check=True)
    return directory


def test_a_guest_tells_of_its_memory(daemon, connection, guest):
    domain = connection.createXML(LINUX.format(uuid=UUID, guest=guest))
    wait_for(lambda: domain.memoryStats().get("last_update", 0) > 0, "the guest's word")
    stats = domain.memoryStats()
    assert [name for name in stats if name in OF_THE_GUEST] == OF_THE_GUEST
    assert list(stats)[0] == "actual" and list(stats)[-1] == "rss"
    assert 0 < stats["unused"] <= stats["usable"] + stats["unused"] < 2 * stats["available"]
    assert 100 * 1024 < stats["available"] < stats["actual"] == 160 * 1024

    everything = connection.getAllDomainStats(libvirt.VIR_DOMAIN_STATS_BALLOON)[0][1]
    assert everything["balloon.available"] == stats["available"]
    assert everything["balloon.last-update"] >= stats["last_update"]
    assert {f"balloon.{name}" for name in OF_THE_GUEST if name != "last_update"} < set(everything)
    told = daemon.call(domain_path(UUID), DOMAIN, "MemoryStats", "(u)", 0)
    assert told[5] == stats["available"]  # VIR_DOMAIN_MEMORY_STAT_AVAILABLE

    domain.setMemoryStatsPeriod(0)
    assert "<stats" not in domain.XMLDesc()
    domain.destroy()


def test_without_a_guest_that_tells(connection):
    silent = connection.createXML(domain_xml("web").replace(BALLOON, "<memballoon model='virtio'/>"))
    stats = silent.memoryStats()
    assert list(stats) == ["actual", "last_update", "rss"] and stats["last_update"] == 0
    silent.destroy()
    without = connection.createXML(domain_xml("web"))
    assert list(without.memoryStats()) == ["rss"]
    with pytest.raises(libvirt.libvirtError, match="[Mm]emory balloon"):
        without.setMemoryStatsPeriod(1)
    without.destroy()


def test_the_period_of_a_definition(daemon, connection):
    text = domain_xml("web").replace(BALLOON, "<!-- mine -->")
    domain = connection.defineXML(text)
    source = daemon.root / "etc/domaind/domains/web.xml"
    domain.setMemoryStatsPeriod(5, CONFIG)
    assert "<stats period='5'/>" in domain.XMLDesc() and "<stats period='5'/>" in source.read_text()
    assert "<!-- mine -->" in source.read_text() and source.read_text().count("<memballoon") == 1
    domain.create()
    domain.setMemoryStatsPeriod(7, LIVE | CONFIG)
    assert "<stats period='7'/>" in domain.XMLDesc() and "<stats period='7'/>" in source.read_text()
    domain.setMemoryStatsPeriod(0, CONFIG)
    assert "<stats" in domain.XMLDesc() and "<stats" not in domain.XMLDesc(libvirt.VIR_DOMAIN_XML_INACTIVE)
    assert "<stats" not in source.read_text() and "<!-- mine -->" in source.read_text()
    domain.destroy()


def test_how_fast_it_writes(daemon, connection):
    domain = connection.createXML(domain_xml("web", UUID))

    def rate():
        told = connection.getAllDomainStats(libvirt.VIR_DOMAIN_STATS_DIRTYRATE)[0][1]
        return {name.partition(".")[2]: value for name, value in told.items()}

    assert rate() == {"calc_status": 0, "calc_start_time": 0, "calc_period": 0, "calc_mode": "page-sampling"}
    domain.startDirtyRateCalc(1, 0)
    wait_for(lambda: rate()["calc_status"] == 2, "the count's end")
    assert rate()["megabytes_per_second"] >= 0 and rate()["calc_period"] == 1
    daemon.call(domain_path(UUID), "org.domaind1.Domain", "StartDirtyRateCalc", "(iu)", 1, 0)
    for arguments, words in [((0, 0), "choose value within"), ((61, 0), "choose value within"),
                             ((1, 1), "page-sampling can be used"), ((1, 2), "dirty-ring feature")]:
        with pytest.raises(libvirt.libvirtError, match=words):
            domain.startDirtyRateCalc(*arguments)
    domain.destroy()
