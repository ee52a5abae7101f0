# SPDX-License-Identifier: LGPL-2.1-or-later
"""QEMU's real guest agent in a real Linux, asked by way of domaind and by way of libvirtd: the same guest, the same calls,
the same answers and the same errors."""

import pathlib
import re
import subprocess
import time

import both
import golden
import libvirt
import libvirt_qemu
import pytest

TOP = pathlib.Path(__file__).resolve().parent.parent.parent
BUILD = golden.build_directory()
NAME = "agent"
PATIENCE = 90  # seconds: what never comes is a difference

DOCUMENT = """<domain type='qemu'>
  <name>{name}</name>
  <uuid>87291af1-1366-410c-bb6e-fbc6f66ff7aa</uuid>
  <memory unit='MiB'>192</memory>
  <vcpu>2</vcpu>
  <os>
    <type arch='x86_64' machine='q35'>hvm</type>
    <kernel>{guest}/vmlinuz</kernel>
    <initrd>{agent}/initrd.img</initrd>
    <cmdline>console=ttyS0 quiet</cmdline>
  </os>
  <features><acpi/><apic/></features>
  <pm><suspend-to-mem enabled='yes'/><suspend-to-disk enabled='yes'/></pm>
  <devices>
    <disk type='file' device='disk'>
      <driver name='qemu' type='raw' discard='unmap'/><source file='{disk}'/><target dev='vda' bus='virtio'/>
      <serial>DISK7</serial>
    </disk>
    <interface type='user'><mac address='52:54:00:0a:0b:0c'/><model type='virtio'/></interface>
    <serial type='file'><source path='{console}'/></serial>
    <channel type='unix'><target type='virtio' name='org.qemu.guest_agent.0'/></channel>
    <channel type='unix'><target type='virtio' name='org.example.echo'/></channel>
  </devices>
</domain>
"""

ECHO = "org.example.echo"
PING = '{"execute":"guest-ping"}'


def agent(domain, command, timeout=-2):
    return libvirt_qemu.qemuAgentCommand(domain, command, timeout, 0)


# (what, the call). Each is made once of each daemon, in this order.
ASKED = [
    ("ping", lambda d: agent(d, PING)),
    ("ping, at most 3 s", lambda d: agent(d, PING, 3)),
    ("ping, wait too little", lambda d: agent(d, PING, -3)),
    ("a command with arguments", lambda d: agent(d, '{"execute":"guest-sync","arguments":{"id":7}}')),
    ("no such command", lambda d: agent(d, '{"execute":"guest-fly"}')),
    ("wrong arguments", lambda d: agent(d, '{"execute":"guest-sync","arguments":{"id":"x"}}')),
    ("no JSON", lambda d: agent(d, "guest-ping")),
    ("set the time", lambda d: d.setTime({"seconds": 1_000_000_000, "nseconds": 5})),
    ("the time", lambda d: d.getTime()["seconds"] // 60),
    ("set the time from the hardware", lambda d: d.setTime(flags=libvirt.VIR_DOMAIN_TIME_SYNC)),
    ("the time again", lambda d: abs(d.getTime()["seconds"] - time.time()) < 60),
    ("a time that is too great", lambda d: d.setTime({"seconds": 1 << 62, "nseconds": 0})),
    ("file systems", lambda d: d.fsInfo()),
    ("freeze", lambda d: d.fsFreeze()),
    ("freeze again", lambda d: d.fsFreeze()),
    ("a command while frozen", lambda d: d.fSTrim(None, 0)),
    ("thaw", lambda d: d.fsThaw()),
    ("thaw again", lambda d: d.fsThaw()),
    ("freeze one", lambda d: d.fsFreeze(["/mnt"])),
    ("thaw what was named", lambda d: d.fsThaw(["/mnt"])),
    ("freeze nothing that is there", lambda d: d.fsFreeze(["/nowhere"])),
    ("thaw that", lambda d: d.fsThaw()),
    ("trim", lambda d: d.fSTrim(None, 0)),
    ("trim, at least", lambda d: d.fSTrim(None, 1 << 20)),
    ("trim one", lambda d: d.fSTrim("/mnt", 0)),
    ("host name", lambda d: d.hostname(libvirt.VIR_DOMAIN_GET_HOSTNAME_AGENT)),
    ("host name by default", lambda d: d.hostname(0)),
    ("host name of no lease", lambda d: d.hostname(libvirt.VIR_DOMAIN_GET_HOSTNAME_LEASE)),
    ("addresses", lambda d: d.interfaceAddresses(libvirt.VIR_DOMAIN_INTERFACE_ADDRESSES_SRC_AGENT)),
    ("all information", lambda d: d.guestInfo(0)),
    *((f"information {kind}", lambda d, kind=kind: d.guestInfo(1 << kind)) for kind in range(9)),
    ("unknown flags of information", lambda d: d.guestInfo(0, 1)),
    ("password", lambda d: d.setUserPassword("keeper", "secret")),
    ("encrypted password", lambda d: d.setUserPassword("keeper", "$6$x", libvirt.VIR_DOMAIN_PASSWORD_ENCRYPTED)),
    ("password of nobody", lambda d: d.setUserPassword("nobody-here", "secret")),
    ("processors", lambda d: d.guestVcpus()),
    ("count of processors", lambda d: d.vcpusFlags(libvirt.VIR_DOMAIN_VCPU_GUEST)),
    ("maximum of processors", lambda d: d.vcpusFlags(libvirt.VIR_DOMAIN_VCPU_GUEST | libvirt.VIR_DOMAIN_VCPU_MAXIMUM)),
    ("a processor off", lambda d: d.setGuestVcpus("1", 0)),
    ("processors then", lambda d: d.guestVcpus()),
    ("count then", lambda d: d.vcpusFlags(libvirt.VIR_DOMAIN_VCPU_GUEST)),
    ("a processor on", lambda d: d.setGuestVcpus("1", 1)),
    ("the first off", lambda d: d.setGuestVcpus("0", 0)),
    ("one that is not there", lambda d: d.setGuestVcpus("9", 1)),
    ("no processors", lambda d: d.setGuestVcpus("", 1)),
    ("no list", lambda d: d.setGuestVcpus("x", 1)),
    ("neither on nor off", lambda d: d.setGuestVcpus("1", 2)),
    ("one processor", lambda d: d.setVcpusFlags(1, libvirt.VIR_DOMAIN_VCPU_GUEST)),
    ("processors of one", lambda d: d.guestVcpus()),
    ("two processors", lambda d: d.setVcpusFlags(2, libvirt.VIR_DOMAIN_VCPU_GUEST)),
    ("three processors", lambda d: d.setVcpusFlags(3, libvirt.VIR_DOMAIN_VCPU_GUEST)),
    ("no processor", lambda d: d.setVcpusFlags(0, libvirt.VIR_DOMAIN_VCPU_GUEST)),
    ("keys", lambda d: d.authorizedSSHKeysGet("keeper")),
    ("set keys", lambda d: d.authorizedSSHKeysSet("keeper", ["ssh-rsa AAAA one", "ssh-rsa BBBB two"])),
    ("keys then", lambda d: d.authorizedSSHKeysGet("keeper")),
    ("one more", lambda d: d.authorizedSSHKeysSet("keeper", ["ssh-rsa CCCC three"],
                                                   libvirt.VIR_DOMAIN_AUTHORIZED_SSH_KEYS_SET_APPEND)),
    ("one less", lambda d: d.authorizedSSHKeysSet("keeper", ["ssh-rsa AAAA one"],
                                                   libvirt.VIR_DOMAIN_AUTHORIZED_SSH_KEYS_SET_REMOVE)),
    ("keys in the end", lambda d: d.authorizedSSHKeysGet("keeper")),
    ("both at once", lambda d: d.authorizedSSHKeysSet("keeper", ["x"], 3)),
    ("no keys to add", lambda d: d.authorizedSSHKeysSet("keeper", [], 1)),
    ("keys of nobody", lambda d: d.authorizedSSHKeysGet("nobody-here")),
    ("no keys at all", lambda d: d.authorizedSSHKeysSet("keeper", [])),
    ("keys of one who has none", lambda d: d.authorizedSSHKeysGet("keeper")),
    ("timeout", lambda d: d.agentSetResponseTimeout(5)),
    ("a timeout that is none", lambda d: d.agentSetResponseTimeout(-3)),
    ("channel", lambda d: re.search("<target type='virtio'.*?>", d.XMLDesc())[0]),
    ("a channel that echoes", lambda d: echo(d, b"hello\n")),
    ("and is free again", lambda d: echo(d, b"once more\n")),
    ("a channel that somebody has", lambda d: while_open(d, lambda: d.openChannel(ECHO, d.connect().newStream(), 0))),
    ("taken over by force", lambda d: while_open(d, lambda: echo(d, b"mine\n", libvirt.VIR_DOMAIN_CHANNEL_FORCE))),
    ("suspend for a time", lambda d: d.pMSuspendForDuration(0, 5)),
    ("suspend to what", lambda d: d.pMSuspendForDuration(7, 0)),
    ("sleep in memory", lambda d: d.pMSuspendForDuration(libvirt.VIR_NODE_SUSPEND_TARGET_MEM, 0)),
    ("asleep", lambda d: until(lambda: d.state()[0] == libvirt.VIR_DOMAIN_PMSUSPENDED) and d.state()),
    ("ask one asleep", lambda d: d.getTime()),
    ("ask one asleep to sleep", lambda d: d.pMSuspendForDuration(libvirt.VIR_NODE_SUSPEND_TARGET_MEM, 0)),
    ("wake", lambda d: d.pMWakeup()),
    ("awake", lambda d: until(lambda: d.state()[0] == libvirt.VIR_DOMAIN_RUNNING) and d.state()),
    ("it answers", lambda d: answers(d)),
    ("wake one awake", lambda d: d.pMWakeup()),
    ("paused", lambda d: d.suspend()),
    ("ask one paused", lambda d: d.getTime()),
    ("ask one paused by command", lambda d: agent(d, PING)),
    ("ask one paused for addresses", lambda d: d.interfaceAddresses(libvirt.VIR_DOMAIN_INTERFACE_ADDRESSES_SRC_AGENT)),
    ("shut down one paused", lambda d: d.shutdownFlags(libvirt.VIR_DOMAIN_SHUTDOWN_GUEST_AGENT)),
    ("resumed", lambda d: d.resume()),
    ("reboot", lambda d: d.reboot(libvirt.VIR_DOMAIN_REBOOT_GUEST_AGENT)),
    ("it answers again", lambda d: until(lambda: said(d, b"guest: ready") == 2) and answers(d)),
    ("shut down", lambda d: shut_down(d)),
    ("shut off", lambda d: until(lambda: not d.isActive()) and d.state()),
    ("ask one shut off", lambda d: d.getTime()),
    ("send one shut off to sleep", lambda d: d.pMSuspendForDuration(libvirt.VIR_NODE_SUSPEND_TARGET_MEM, 0)),
    ("wake one shut off", lambda d: d.pMWakeup()),
    ("command to one shut off", lambda d: agent(d, PING)),
    ("reboot one shut off", lambda d: d.reboot(libvirt.VIR_DOMAIN_REBOOT_GUEST_AGENT)),
    ("shut down one shut off", lambda d: d.shutdownFlags(libvirt.VIR_DOMAIN_SHUTDOWN_GUEST_AGENT)),
    ("addresses of one shut off", lambda d: d.interfaceAddresses(libvirt.VIR_DOMAIN_INTERFACE_ADDRESSES_SRC_AGENT)),
    ("name of one shut off", lambda d: d.hostname(libvirt.VIR_DOMAIN_GET_HOSTNAME_AGENT)),
    ("processors of one shut off", lambda d: d.vcpusFlags(libvirt.VIR_DOMAIN_VCPU_GUEST)),
    ("timeout of one shut off", lambda d: d.agentSetResponseTimeout(5)),
]

consoles = {}


def said(domain, words):
    return consoles[domain].read_bytes().count(words)


def until(condition):
    deadline = time.monotonic() + PATIENCE
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.05)
    return True


def answers(domain):
    return until(lambda: both.outcome(agent, domain, PING, 3) == '{"return":{}}')


@pytest.fixture(scope="module")
def agent_guest():
    for command in ([TOP / "examples/guest/make", BUILD / "guest"],
                    [TOP / "tests/agent-guest/make", BUILD / "guest", BUILD / "agent-guest"]):
        subprocess.run(command, check=True)
    return BUILD / "agent-guest"


def shut_down(domain):
    """libvirtd may see the guest's end before it has the agent's answer, which is none."""
    said_of_it = both.outcome(domain.shutdownFlags, libvirt.VIR_DOMAIN_SHUTDOWN_GUEST_AGENT)
    return 0 if "End of file from agent socket" in str(said_of_it) else said_of_it


def echo(domain, words, flags=0):
    """What comes back from the guest's end of a channel, through a stream that is finished then."""
    stream = domain.connect().newStream(libvirt.VIR_STREAM_NONBLOCK)
    domain.openChannel(ECHO, stream, flags)
    stream.send(words)
    heard = b""

    def more():
        nonlocal heard
        domain.isActive()  # a call makes the client read its socket
        piece = stream.recv(4096)
        heard += piece if piece != -2 else b""
        return len(heard) >= len(words)

    until(more)
    stream.finish()
    return heard.decode()


def while_open(domain, call):
    """An outcome while another stream has the channel."""
    stream = domain.connect().newStream(libvirt.VIR_STREAM_NONBLOCK)
    domain.openChannel(ECHO, stream, 0)
    try:
        return both.outcome(call)
    finally:
        both.outcome(stream.abort)


def start(connection, name, agent_guest, directory):
    disk, console = directory / f"{name}.raw", directory / f"{name}.log"
    with open(disk, "wb") as image:
        image.truncate(64 << 20)
    subprocess.run(["/sbin/mke2fs", "-q", "-t", "ext4", disk], check=True)
    domain = connection.defineXML(DOCUMENT.format(name=NAME, guest=BUILD / "guest", agent=agent_guest, disk=disk,
                                                  console=console))
    consoles[domain] = console
    domain.create()
    return domain


def comparable(answer):
    """What a moment makes different is left out; the order, which is what virsh shows things in, is not."""
    if isinstance(answer, dict):
        return [(key, value) for key, value in answer.items() if not key.endswith("used-bytes")]
    if isinstance(answer, tuple):
        return (answer[0], re.sub("(cannot parse json [^:]*): .*", r"\1", answer[1], flags=re.S))  # of each's own parser
    return answer


def test_the_real_agent(uris, agent_guest, tmp_path):
    with both.connections(uris) as opened:
        domains = [start(connection, name, agent_guest, tmp_path) for connection, name in zip(opened, ("ours", "theirs"))]
        try:
            for domain in domains:
                until(lambda: consoles[domain].exists() and said(domain, b"guest: ready"))
                answers(domain)
            different = []
            for what, call in ASKED:
                ours, theirs = (comparable(both.outcome(call, domain)) for domain in domains)
                if ours != theirs:
                    different.append(f"{what}:\n  libvirtd {theirs!r}\n  domaind  {ours!r}")
        finally:
            for domain in domains:
                both.outcome(domain.destroy)
                both.outcome(domain.undefine)
        assert not different, "\n".join(different)
        consoles_say = [re.findall(rb"guest: (?:shutdown|chpasswd)[^\r\n]*", consoles[domain].read_bytes()) for domain in domains]
        assert consoles_say[0] == consoles_say[1] != []
