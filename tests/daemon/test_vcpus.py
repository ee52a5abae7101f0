# SPDX-License-Identifier: LGPL-2.1-or-later
"""Processors of a running machine, plugged in and out, with a Linux that sees them come and lets them go."""

import json
import re
import subprocess

import libvirt
import libvirt_qemu
import pytest

from conftest import BUILD, DOMAIN, TOP, domain_path, domain_xml, wait_for

LIVE, CONFIG, MAXIMUM, GUEST, HOTPLUGGABLE = 1, 2, 4, 8, 16
UUID = "0c2b8e0e-6d2b-4a53-9f0e-7a0f1f8b5d11"
LINUX = """<domain type='qemu'>
  <name>linux</name>
  <uuid>{uuid}</uuid>
  <memory unit='MiB'>160</memory>
  <vcpu current='1'>3</vcpu>
  <os>
    <type arch='x86_64' machine='q35'>hvm</type>
    <kernel>{guest}/vmlinuz</kernel>
    <initrd>{guest}/initrd.img</initrd>
    <cmdline>console=ttyS0 quiet</cmdline>
  </os>
  <features><acpi/><apic/></features>
  <devices><console type='pty'/><memballoon model='none'/></devices>
</domain>
"""


@pytest.fixture
def connection(daemon):
    it = libvirt.open(f"qemu:///session?socket={daemon.root}/run/domaind/libvirt-sock")
    yield it
    it.close()


class Console:
    """What the guest's shell says, and what it is told."""

    def __init__(self, connection, domain):
        self.domain = domain
        self.stream = connection.newStream(libvirt.VIR_STREAM_NONBLOCK)
        domain.openConsole(None, self.stream, 0)
        self.text = b""

    def hears(self, words):
        def heard():
            self.domain.isActive()  # a call makes the client read its socket
            piece = self.stream.recv(65536)
            if piece != -2:
                self.text += piece
            return words in self.text

        wait_for(heard, f"{words} on the console")

    def says(self, command, answer):
        """Until it answers so: the guest takes its time with what comes and goes."""
        def answered():
            self.text = b""
            self.stream.send(f"{command}; echo said $((1 + 1))\n".encode())
            self.hears(b"said 2")  # the echo of the command is not it
            return f"\n{answer}\r\nsaid 2".encode() in self.text

        wait_for(answered, f"{answer} from {command}")


@pytest.fixture(scope="session")
def guest():
    directory = BUILD / "guest"
    subprocess.run([TOP / "examples/guest/make", directory], check=True)
    return directory


def vcpus(domain, flags=0):
    """The <vcpu> and <vcpus> of its document, as one line."""
    found = re.search(r"<vcpu .*?(?=\s*<os|\s*<resource)", domain.XMLDesc(flags), re.S)
    return re.sub(r">\s+<", "><", found.group())


def refused(code, call, *arguments):
    with pytest.raises(libvirt.libvirtError) as caught:
        call(*arguments)
    assert caught.value.get_error_code() == code, caught.value
    return str(caught.value)


def test_a_guest_sees_them_come_and_lets_them_go(daemon, connection, guest):
    domain = connection.defineXML(LINUX.format(uuid=UUID, guest=guest))
    domain.create()
    console = Console(connection, domain)
    console.hears(b"guest: ready")
    console.says("cat /sys/devices/system/cpu/online", "0")

    with daemon.signals() as seen:
        domain.setVcpusFlags(2, LIVE)
        assert (domain.vcpusFlags(LIVE), domain.vcpusFlags(CONFIG), domain.maxVcpus()) == (2, 1, 3)
        console.says("ls -d /sys/devices/system/cpu/cpu1", "/sys/devices/system/cpu/cpu1")
        console.says("echo 1 > /sys/devices/system/cpu/cpu1/online; cat /sys/devices/system/cpu/online", "0-1")
        assert vcpus(domain) == ("<vcpu placement='static' current='2'>3</vcpu><vcpus>"
                                 "<vcpu id='0' enabled='yes' hotpluggable='no' order='1'/>"
                                 "<vcpu id='1' enabled='yes' hotpluggable='yes' order='2'/>"
                                 "<vcpu id='2' enabled='no' hotpluggable='yes'/></vcpus>")
        stats = connection.getAllDomainStats(libvirt.VIR_DOMAIN_STATS_VCPU)[0][1]
        assert (stats["vcpu.current"], stats["vcpu.maximum"]) == (2, 3)
        assert stats["vcpu.1.time"] > 0 and "vcpu.2.time" not in stats
        assert [info[0] for info in domain.vcpus()[0]] == [0, 1]

        daemon.kill()  # it is found again, and still knows which can be taken out
        daemon.start()
        connection = libvirt.open(connection.getURI().split("?")[0] + f"?socket={daemon.root}/run/domaind/libvirt-sock")
        domain = connection.lookupByName("linux")
        wait_for(lambda: domain.state()[0] == libvirt.VIR_DOMAIN_RUNNING, "the machine")
        assert domain.vcpusFlags(LIVE) == 2
        domain.setVcpu("1", 0, LIVE)
        assert (domain.vcpusFlags(LIVE), domain.maxVcpus()) == (1, 3)
        console = Console(connection, domain)
        console.says("cat /sys/devices/system/cpu/online", "0")
        assert not [member for _, member, _ in seen if "Device" in member]  # as libvirt, of processors no event
    domain.destroy()
    connection.close()


def test_a_guest_that_does_not_let_go(connection):
    domain = connection.createXML(domain_xml("web").replace("<vcpu>1</vcpu>", "<vcpu current='1'>2</vcpu>"))
    domain.setVcpus(2)
    # Nothing in there answers: the emulator does not even ask, or nobody hears it.
    with pytest.raises(libvirt.libvirtError):
        domain.setVcpus(1)
    assert domain.vcpusFlags(LIVE) == 2
    domain.destroy()


def test_devices_among_them_from_the_beginning(daemon, connection):
    document = domain_xml("web", UUID).replace("<vcpu>1</vcpu>", """<vcpu>4</vcpu><vcpus>
      <vcpu id='0' enabled='yes' order='1'/><vcpu id='1' enabled='yes' hotpluggable='yes' order='3'/>
      <vcpu id='3' enabled='yes' hotpluggable='yes' order='2'/></vcpus>""")
    domain = connection.defineXML(document.replace("</os>", "</os><cpu><topology sockets='1' cores='2' threads='2'/></cpu>"))
    domain.createWithFlags(libvirt.VIR_DOMAIN_START_PAUSED)
    assert vcpus(domain).endswith("<vcpus><vcpu id='0' enabled='yes' hotpluggable='no' order='1'/>"
                                  "<vcpu id='1' enabled='yes' hotpluggable='yes' order='3'/>"
                                  "<vcpu id='2' enabled='no' hotpluggable='yes'/>"
                                  "<vcpu id='3' enabled='yes' hotpluggable='yes' order='2'/></vcpus>")
    arguments = open(f"/proc/{daemon.machines()['web']}/cmdline", encoding="utf-8").read().split("\0")
    assert arguments[arguments.index("-smp") + 1] == "1,maxcpus=4,sockets=1,dies=1,clusters=1,cores=2,threads=2"
    domain.setVcpu("2", 1, LIVE)
    assert "<vcpu id='2' enabled='yes' hotpluggable='yes' order='4'/>" in vcpus(domain)
    assert vcpus(domain).startswith("<vcpu placement='static'>4</vcpu>")

    # Where they sit: QEMU's own words.
    said = json.loads(libvirt_qemu.qemuMonitorCommand(domain, '{"execute": "query-cpus-fast"}', 0))["return"]
    sits = {cpu["qom-path"].rpartition("/")[2]: (cpu["props"]["core-id"], cpu["props"]["thread-id"]) for cpu in said[1:]}
    assert sits == {"vcpu3": (1, 1), "vcpu1": (0, 1), "vcpu2": (1, 0)}
    domain.destroy()


def test_saved_with_them_and_restored(connection, root):
    domain = connection.defineXML(domain_xml("web").replace("<vcpu>1</vcpu>", "<vcpu current='1'>3</vcpu>"))
    domain.create()
    domain.setVcpu("2", 1, LIVE)
    before = vcpus(domain)
    domain.managedSave()
    domain.create()
    assert vcpus(domain) == before
    domain.setVcpu("1", 1, LIVE)
    assert "<vcpu id='1' enabled='yes' hotpluggable='yes' order='3'/>" in vcpus(domain)
    domain.destroy()


def test_of_the_definition(daemon, connection):
    domain = connection.defineXML(domain_xml("web", UUID).replace("<vcpu>1</vcpu>", "<vcpu current='2'>4</vcpu>"))
    domain.setVcpusFlags(3, CONFIG)
    assert vcpus(domain) == "<vcpu placement='static' current='3'>4</vcpu>"
    domain.setVcpusFlags(4, CONFIG | HOTPLUGGABLE)
    assert vcpus(domain) == ("<vcpu placement='static'>4</vcpu><vcpus><vcpu id='0' enabled='yes' hotpluggable='no'/>"
                             "<vcpu id='1' enabled='yes' hotpluggable='no'/><vcpu id='2' enabled='yes' hotpluggable='no'/>"
                             "<vcpu id='3' enabled='yes' hotpluggable='yes'/></vcpus>")
    domain.setVcpu("1-2", 0, CONFIG)
    assert vcpus(domain).count("enabled='no' hotpluggable='yes'") == 2
    assert vcpus(domain).startswith("<vcpu placement='static' current='2'>4</vcpu>")
    domain.setVcpusFlags(5, CONFIG | MAXIMUM)
    assert "<vcpu id='4' enabled='no'" in vcpus(domain)
    source = (daemon.root / "etc/domaind/domains/web.xml").read_text()
    assert "<vcpu id='4' enabled='no'" in source and "<controller type='usb' model='none'/>" in source
    domain.setVcpusFlags(1, CONFIG)
    domain.setVcpusFlags(1, CONFIG | MAXIMUM)
    assert vcpus(domain) == "<vcpu placement='static'>1</vcpu><vcpus><vcpu id='0' enabled='yes' hotpluggable='no'/></vcpus>"


def test_both_at_once(connection):
    domain = connection.defineXML(domain_xml("web", UUID).replace("<vcpu>1</vcpu>", "<vcpu current='1'>4</vcpu>"))
    domain.create()
    domain.setVcpusFlags(3, CONFIG | MAXIMUM)
    # What the definition does not allow is not done to the machine either.
    assert "persistent domain: 4 > 3" in refused(libvirt.VIR_ERR_INVALID_ARG, domain.setVcpusFlags, 4, LIVE | CONFIG)
    assert domain.vcpusFlags(LIVE) == 1
    domain.setVcpusFlags(2, LIVE | CONFIG)
    assert (domain.vcpusFlags(LIVE), domain.vcpusFlags(CONFIG)) == (2, 2)
    assert domain.vcpusFlags(CONFIG | MAXIMUM) == 3 and domain.vcpusFlags(LIVE | MAXIMUM) == 4
    domain.destroy()


def test_what_is_refused(connection):
    domain = connection.defineXML(domain_xml("web", UUID).replace("<vcpu>1</vcpu>", "<vcpu current='2'>4</vcpu>"))
    invalid, state, unsupported = libvirt.VIR_ERR_INVALID_ARG, libvirt.VIR_ERR_OPERATION_INVALID, libvirt.VIR_ERR_OPERATION_UNSUPPORTED
    assert "not running" in refused(state, domain.setVcpus, 3)
    assert "not running" in refused(state, domain.setVcpu, "2", 1, LIVE)
    assert "not running" in refused(state, domain.maxVcpus)
    assert "only be requested for live" in refused(invalid, domain.vcpusFlags, GUEST)
    assert "vcpu 9 is not present in persistent" in refused(invalid, domain.setVcpu, "9", 1, CONFIG)
    assert "vCPU '0' can't be modified" in refused(invalid, domain.setVcpu, "0", 0, CONFIG)
    assert "parse bitmap 'x'" in refused(invalid, domain.setVcpu, "x", 1, CONFIG)
    assert "unsupported state value" in refused(invalid, domain.setVcpu, "1", 2, CONFIG)
    domain.createWithFlags(libvirt.VIR_DOMAIN_START_PAUSED)
    assert "live domain: 5 > 4" in refused(invalid, domain.setVcpus, 5)
    assert "failed to find appropriate" in refused(libvirt.VIR_ERR_CONFIG_UNSUPPORTED, domain.setVcpus, 1)
    assert "already in requested state" in refused(invalid, domain.setVcpu, "1", 1, LIVE)
    assert "vcpu '1' can't be unplugged" in refused(unsupported, domain.setVcpu, "1", 0, LIVE)
    assert "vcpu 4 is not present in live" in refused(invalid, domain.setVcpu, "3-4", 1, LIVE)
    assert "not running" in refused(state, domain.vcpusFlags, GUEST)  # it is paused: nobody there would answer
    domain.resume()
    assert "agent is not configured" in refused(libvirt.VIR_ERR_ARGUMENT_UNSUPPORTED, domain.setVcpusFlags, 1, GUEST)
    assert "agent is not configured" in refused(libvirt.VIR_ERR_ARGUMENT_UNSUPPORTED, domain.vcpusFlags, GUEST)
    assert vcpus(domain) == "<vcpu placement='static' current='2'>4</vcpu>"
    domain.destroy()


def test_on_the_bus(daemon):
    path = daemon.define(domain_xml("web", UUID).replace("<vcpu>1</vcpu>", "<vcpu current='1'>3</vcpu>"))
    daemon.call(path, DOMAIN, "Create", "(u)", 0)
    daemon.call(path, DOMAIN, "SetVcpus", "(uu)", 2, LIVE)
    daemon.call(path, "org.domaind1.Domain", "SetVcpu", "(siu)", "2", 1, LIVE | CONFIG)
    assert daemon.call(path, DOMAIN, "GetVcpus", "(u)", LIVE) == 3
    assert daemon.call(path, DOMAIN, "GetVcpus", "(u)", CONFIG) == 2
    daemon.call(path, DOMAIN, "Destroy", "(u)", 0)
    assert path == domain_path(UUID)
