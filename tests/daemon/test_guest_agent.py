# SPDX-License-Identifier: LGPL-2.1-or-later
"""QEMU's real agent in a real Linux, by way of D-Bus: it comes and goes, answers, and is known to a daemon started anew.
What it answers is compared with what libvirtd makes of it in tests/differential."""

import json
import subprocess

import pytest

from conftest import BUILD, DOMAIN, TOP, domain_path, wait_for

UUID = "87291af1-1366-410c-bb6e-fbc6f66ff7ab"
CONNECTED, DISCONNECTED, BY_START, BY_CHANNEL = 1, 2, 1, 2
PATH = domain_path(UUID)

DOCUMENT = """<domain type='qemu'>
  <name>agent</name>
  <uuid>{uuid}</uuid>
  <memory unit='MiB'>192</memory>
  <vcpu>2</vcpu>
  <os>
    <type arch='x86_64' machine='q35'>hvm</type>
    <kernel>{build}/guest/vmlinuz</kernel>
    <initrd>{build}/agent-guest/initrd.img</initrd>
    <cmdline>console=ttyS0 quiet</cmdline>
  </os>
  <features><acpi/><apic/></features>
  <devices>
    <disk type='file' device='disk'>
      <driver name='qemu' type='raw' discard='unmap'/><source file='{disk}'/><target dev='vda' bus='virtio'/>
    </disk>
    <interface type='user'><mac address='52:54:00:0a:0b:0c'/><model type='virtio'/></interface>
    <serial type='file'><source path='{console}'/></serial>
    <channel type='unix'><target type='virtio' name='org.qemu.guest_agent.0'/></channel>
  </devices>
</domain>
"""


@pytest.fixture(scope="session")
def images():
    for command in ([TOP / "examples/guest/make", BUILD / "guest"],
                    [TOP / "tests/agent-guest/make", BUILD / "guest", BUILD / "agent-guest"]):
        subprocess.run(command, check=True)


def document(daemon):
    return daemon.call(PATH, DOMAIN, "GetXMLDesc", "(u)", 0)


def agent_events(signals):
    return [arguments for _, member, arguments in signals if member == f"{DOMAIN}.AgentEvent"]


@pytest.fixture
def guest(daemon, images):
    """The guest runs, and its agent has come."""
    disk = daemon.root / "disk.raw"
    with open(disk, "wb") as image:
        image.truncate(64 << 20)
    subprocess.run(["/sbin/mke2fs", "-q", "-t", "ext4", disk], check=True)
    daemon.define(DOCUMENT.format(uuid=UUID, build=BUILD, disk=disk, console=daemon.root / "console.log"))
    with daemon.signals(DOMAIN, PATH) as signals:
        daemon.call(PATH, DOMAIN, "Create", "(u)", 0)
        assert "state='disconnected'" in document(daemon)
        wait_for(lambda: (CONNECTED, BY_CHANNEL) in agent_events(signals), "the agent")
    assert agent_events(signals) == [(DISCONNECTED, BY_START), (CONNECTED, BY_CHANNEL)]
    assert "name='org.qemu.guest_agent.0' state='connected'" in document(daemon)
    return daemon


def virsh(daemon, *words):
    done = subprocess.run(["virsh", "-q", "-c", f"qemu:///session?socket={daemon.root}/run/domaind/libvirt-sock", *words],
                          capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def status(daemon):
    return json.loads((daemon.root / "run/domaind/machines" / UUID / "status.json").read_text())


def test_it_is_asked_by_members_of_the_bus(guest):
    assert guest.call(PATH, DOMAIN, "GetHostname", "(u)", 0) == "guest"
    assert guest.call(PATH, DOMAIN, "GetFSInfo", "(u)", 0) == [("/mnt", "vda", "ext4", ["vda"])]
    assert guest.call(PATH, DOMAIN, "FSFreeze", "(asu)", [], 0) == 1
    assert guest.call(PATH, DOMAIN, "FSThaw", "(asu)", [], 0) == 1
    guest.call(PATH, DOMAIN, "FSTrim", "(stu)", "", 0, 0)
    guest.call(PATH, DOMAIN, "SetTime", "(tuu)", 1_000_000_000, 0, 0)
    assert 0 <= guest.call(PATH, DOMAIN, "GetTime", "(u)", 0)[0] - 1_000_000_000 < 60
    addresses = guest.call(PATH, DOMAIN, "InterfaceAddresses", "(uu)", 1, 0)
    assert (0, "192.0.2.7", 24) in [tuple(address) for _, mac, found in addresses for address in found
                                    if mac == "52:54:00:0a:0b:0c"]
    assert guest.call(PATH, DOMAIN, "GetGuestVcpus", "(u)", 0)["online"] == "0-1"
    guest.call(PATH, DOMAIN, "SetUserPassword", "(ssu)", "keeper", "secret", 0)
    assert b"guest: chpasswd  keeper:secret" in (guest.root / "console.log").read_bytes()
    assert "child process has failed" in guest.error(PATH, DOMAIN, "SetUserPassword", "(ssu)", "nobody-here", "x", 0)[1]


def test_a_daemon_started_anew_knows_it(guest):
    virsh(guest, "guest-agent-timeout", "agent", "--timeout", "7")
    virsh(guest, "qemu-monitor-command", "agent", "--hmp", "info status")
    assert (status(guest)["agent-timeout"], status(guest)["tainted"]) == (7, True)
    guest.kill()
    guest.start()
    assert "state='connected'" in document(guest)
    assert "tainted: custom monitor control commands issued" in virsh(guest, "dominfo", "agent")
    wait_for(lambda: guest.call(PATH, DOMAIN, "GetState", "(u)", 0)[0] == 1, "the machine")
    assert virsh(guest, "domhostname", "agent", "--source", "agent") == "guest"
    assert (status(guest)["agent-timeout"], status(guest)["tainted"]) == (7, True)
    with guest.signals(DOMAIN, PATH) as signals:
        virsh(guest, "reboot", "agent", "--mode", "agent")
        wait_for(lambda: (CONNECTED, BY_CHANNEL) in agent_events(signals), "the agent again")
    assert agent_events(signals) == [(DISCONNECTED, BY_CHANNEL), (CONNECTED, BY_CHANNEL)]
    virsh(guest, "shutdown", "agent", "--mode", "agent")
    wait_for(lambda: guest.call(PATH, DOMAIN, "GetState", "(u)", 0)[0] == 5, "the end")
    # The taint is the machine's, and gone with it; the timeout is the domain's.
    assert "tainted" not in virsh(guest, "dominfo", "agent")
