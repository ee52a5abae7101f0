# SPDX-License-Identifier: LGPL-2.1-or-later
"""Ethernet frames made by hand, and a bridge to send them through: a guest's port, which a test filters, one of the rest
of the world, and one that no filter is on. All in the network namespace of the test."""

import contextlib
import ipaddress
import os
import socket
import struct
import subprocess

GUEST_MAC, WORLD_MAC, EVERYBODY = "52:54:00:00:00:0a", "52:54:00:00:00:0b", "ff:ff:ff:ff:ff:ff"
GUEST_IP, WORLD_IP = "10.1.2.3", "10.1.2.9"
GUEST_IP6, WORLD_IP6 = "fd00::3", "fd00::9"
PORT = "fport0"  # the host's end of the guest's card
ETH_P_ALL = 3
IPV4, ARP, RARP, IPV6, VLAN = 0x0800, 0x0806, 0x8035, 0x86DD, 0x8100
TCP, UDP, UDPLITE, SCTP, ICMP, IGMP, ESP, AH, ICMPV6 = 6, 17, 136, 132, 1, 2, 50, 51, 58


def mac(text):
    return bytes(int(part, 16) for part in text.split(":"))


def ether(body, kind=IPV4, src=GUEST_MAC, dst=WORLD_MAC, vlan=None):
    tag = b"" if vlan is None else struct.pack("!HH", VLAN, vlan)
    return (mac(dst) + mac(src) + tag + struct.pack("!H", kind) + body).ljust(60, b"\0")


def checksum(data):
    total = sum(struct.unpack(f"!{len(data) // 2}H", data))
    return ~((total & 0xFFFF) + (total >> 16)) & 0xFFFF


def ipv4(body=b"", protocol=UDP, src=GUEST_IP, dst=WORLD_IP, dscp=0, link=(GUEST_MAC, WORLD_MAC)):
    header = struct.pack("!BBHHHBBH4s4s", 0x45, dscp << 2, 20 + len(body), 1, 0, 64, protocol, 0,
                         socket.inet_aton(src), socket.inet_aton(dst))
    header = header[:10] + struct.pack("!H", checksum(header)) + header[12:]
    return ether(header + body, IPV4, *link)


def ipv6(body=b"", protocol=UDP, src=GUEST_IP6, dst=WORLD_IP6, dscp=0, link=(GUEST_MAC, WORLD_MAC)):
    header = struct.pack("!IHBB", 6 << 28 | dscp << 22, len(body), protocol, 64)
    return ether(header + ipaddress.IPv6Address(src).packed + ipaddress.IPv6Address(dst).packed + body, IPV6, *link)


def ports(sport, dport, protocol=UDP, flags=0x02, ip=ipv4, **network):
    rest = {TCP: struct.pack("!IIBBHHH", 1, 0, 0x50, flags, 1000, 0, 0), SCTP: bytes(8)}.get(protocol, struct.pack("!HH", 8, 0))
    return ip(struct.pack("!HH", sport, dport) + rest, protocol, **network)


def icmp(kind=8, code=0, ip=ipv4, **network):
    return ip(struct.pack("!BBHHH", kind, code, 0, 1, 1), ICMP if ip is ipv4 else ICMPV6, **network)


def arp(opcode=1, sha=GUEST_MAC, spa=GUEST_IP, tha="00:00:00:00:00:00", tpa=WORLD_IP, hardware=1, kind=ARP, src=GUEST_MAC,
        dst=EVERYBODY):
    return ether(struct.pack("!HHBBH", hardware, IPV4, 6, 4, opcode) + mac(sha) + socket.inet_aton(spa) + mac(tha)
                 + socket.inet_aton(tpa), kind, src=src, dst=dst)


def stp(kind=0, flags=0, root_priority=0x8000, root=GUEST_MAC, cost=4, sender_priority=0x8000, sender=GUEST_MAC, port=0x8001,
        age=0, max_age=20 << 8, hello=2 << 8, forward=15 << 8, src=GUEST_MAC):
    body = (bytes([0x42, 0x42, 3, 0, 0, 0, kind, flags]) + struct.pack("!H", root_priority) + mac(root)
            + struct.pack("!IH", cost, sender_priority) + mac(sender) + struct.pack("!HHHHH", port, age, max_age, hello, forward))
    return ether(body, len(body), src=src, dst="01:80:c2:00:00:00")


def dhcp(message, from_guest=True, address="0.0.0.0", lease=3600, server=WORLD_IP, chaddr=GUEST_MAC):
    """DHCPDISCOVER (1), REQUEST (3), ACK (5), RELEASE (7)."""
    zero = "0.0.0.0"
    fields = [zero, zero, zero, zero]
    fields[0 if from_guest else 1] = address
    body = (struct.pack("!BBBBIHH", 1 if from_guest else 2, 1, 6, 0, 7, 0, 0) + b"".join(map(socket.inet_aton, fields))
            + mac(chaddr).ljust(16, b"\0") + bytes(192) + struct.pack("!I", 0x63825363) + bytes([53, 1, message])
            + bytes([51, 4]) + struct.pack("!I", lease) + bytes([54, 4]) + socket.inet_aton(server) + b"\xff")
    udp = struct.pack("!HHHH", *((68, 67) if from_guest else (67, 68)), 8 + len(body), 0)
    return ipv4(udp + body, UDP, src=zero if from_guest else server, dst="255.255.255.255",
                link=(GUEST_MAC if from_guest else WORLD_MAC, EVERYBODY))


def ip(*words):
    return subprocess.run(["ip", *words], capture_output=True, text=True, check=False)


def why_not():
    if os.geteuid() != 0:
        return "needs root"
    if ip("link", "add", "fprobe", "type", "bridge").returncode != 0:
        return "no bridge can be made here"
    ip("link", "delete", "fprobe")
    made = subprocess.run(["nft", "add table bridge fprobe; delete table bridge fprobe"], capture_output=True, check=False)
    return None if made.returncode == 0 else "this kernel has no nf_tables for bridges"


class Wire:
    """The three ports. What is sent is handled in order, for the test stays on one processor: so when a marker has
    come, what was sent before it has come or never will."""

    def __init__(self):
        self.ends = {}
        ip("link", "add", "fbr0", "type", "bridge", "mcast_snooping", "0")
        for port, end in ((PORT, "fguest"), ("fport1", "fworld"), ("fport2", "fother")):
            ip("link", "add", port, "type", "veth", "peer", "name", end)
            for name in (port, end):
                with contextlib.suppress(OSError), open(f"/proc/sys/net/ipv6/conf/{name}/disable_ipv6", "w", encoding="ascii") as file:
                    file.write("1")
            ip("link", "set", port, "master", "fbr0")
            ip("link", "set", port, "type", "bridge_slave", "learning", "off")  # every port sees every frame
            for name in (port, end):
                ip("link", "set", name, "up")
            self.ends[end] = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(ETH_P_ALL))
            self.ends[end].bind((end, ETH_P_ALL))
            self.ends[end].settimeout(10)
        ip("link", "set", "fbr0", "up")
        self.count = 0
        self.processors = os.sched_getaffinity(0)
        os.sched_setaffinity(0, {min(self.processors)})
        self.learn()

    def learn(self):
        """Ports take a moment until they forward: each way is tried until a frame comes through."""
        for sender, receiver in (("fworld", "fother"), ("fother", "fworld"), ("fworld", "fguest"), ("fguest", "fworld")):
            frame = ether(b"first " + sender.encode(), 0x88B5, src="52:54:00:00:00:0d", dst=EVERYBODY)
            end = self.ends[receiver]
            end.settimeout(0.05)
            came = False
            for _ in range(200):
                self.ends[sender].send(frame)
                with contextlib.suppress(TimeoutError):
                    came = any(end.recv(2048) == frame for _ in range(100))
                if came:
                    break
            assert came, f"the bridge does not forward from {sender} to {receiver}"
            end.settimeout(10)

    def mark(self, sender):
        """Sent behind a frame of which is asked whether it came; no filter is on its way."""
        self.count += 1
        marker = ether(b"marker%d" % self.count, 0x88B5, src="52:54:00:00:00:0c" if sender == "fother" else WORLD_MAC, dst=EVERYBODY)
        self.ends[sender].send(marker)
        return marker

    def drain(self, end, until=None):
        """What has come to @end; up to the frame @until, which is waited for, or what is there."""
        frames = []
        end = self.ends[end]
        while until is not None:
            frame = end.recv(2048)
            if frame == until:
                return frames
            frames.append(frame)
        end.setblocking(False)
        with contextlib.suppress(BlockingIOError):
            while True:
                frames.append(end.recv(2048))
        end.settimeout(10)
        return frames

    @staticmethod
    def among(frame, received):
        """The kernel may have cut off what fills a frame up, and shows a VLAN's tag elsewhere."""
        plain = frame[:12] + frame[16:] if frame[12:14] == b"\x81\0" else frame
        return any(len(each) > 14 and (frame.startswith(each) or plain.startswith(each)) for each in received)

    def from_guest(self, frame):
        """Does it pass?"""
        self.drain("fworld")
        self.ends["fguest"].send(frame)
        return self.among(frame, self.drain("fworld", self.mark("fother")))

    def to_guest(self, frame):
        self.drain("fguest")
        self.drain("fother")
        self.ends["fworld"].send(frame)
        self.drain("fother", self.mark("fworld"))
        return self.among(frame, self.drain("fguest"))

    def close(self):
        for end in self.ends.values():
            end.close()
        os.sched_setaffinity(0, self.processors)
        for name in (PORT, "fport1", "fport2", "fbr0"):
            ip("link", "delete", name)
        subprocess.run(["nft", "delete table bridge domaind-nwfilter"], capture_output=True, check=False)
