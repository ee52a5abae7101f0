# SPDX-License-Identifier: LGPL-2.1-or-later
"""The RPC protocol by hand, for what no library would send: frames of any content, and payloads from a signature.

Signatures are those of tests/facts/libvirt-rpc.tsv.
"""

import csv
import re
import socket
import struct

from conftest import FACTS, PATIENCE

REMOTE, QEMU, LXC, KEEPALIVE = 0x20008086, 0x20008087, 0x00068000, 0x6B656570
PROGRAMS = {"remote": REMOTE, "qemu": QEMU, "lxc": LXC}
CALL, REPLY, MESSAGE, STREAM, CALL_WITH_FDS, REPLY_WITH_FDS, STREAM_HOLE = range(7)
OK, ERROR, CONTINUE = range(3)

OPEN, CLOSE, GET_CAPABILITIES, GET_HOSTNAME, AUTH_LIST = 1, 2, 7, 59, 66
FRAME_MAX = 33554432 + 4


def string(text):
    data = text.encode()
    return struct.pack(">I", len(data)) + data + b"\0" * (-len(data) % 4)


def domain(name, domain_uuid, number=-1):
    return string(name) + domain_uuid.bytes + struct.pack(">i", number)


def open_arguments(uri="qemu:///session", flags=0):
    return struct.pack(">I", 1) + string(uri) + struct.pack(">I", flags)


def frame(procedure, payload=b"", *, program=REMOTE, version=1, type=CALL, serial=0, status=OK, length=None):
    header = struct.pack(">IIiIII", program, version, procedure, type, serial, status)
    return struct.pack(">I", 28 + len(payload) if length is None else length) + header + payload


class Frame:
    def __init__(self, data):
        self.program, self.version, self.procedure, self.type, self.serial, self.status = struct.unpack_from(">IIiIII", data)
        self.payload = data[24:]

    def error(self):
        """(code, domain, text) of an error reply."""
        assert self.status == ERROR, self.payload
        code, origin, present, length = struct.unpack_from(">iiII", self.payload)
        assert present == 1
        return code, origin, self.payload[16:16 + length].decode()


class RawClient:
    """One socket. With @opened, logged in and with its connection open."""

    def __init__(self, daemon, opened=True, flags=0):
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.settimeout(PATIENCE)
        self.socket.connect(str(daemon.root / "run" / "domaind" / "libvirt-sock"))
        self.buffer = b""
        if opened:
            assert self.call(AUTH_LIST).payload == struct.pack(">II", 1, 0)
            assert self.call(OPEN, open_arguments(flags=flags)).status == OK

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()

    def send(self, data):
        self.socket.sendall(data)

    def _take(self, count):
        while len(self.buffer) < count:
            piece = self.socket.recv(1 << 20)
            if not piece:
                return None
            self.buffer += piece
        data, self.buffer = self.buffer[:count], self.buffer[count:]
        return data

    def receive(self):
        """The next frame; None when the server has closed."""
        try:
            length = self._take(4)
            return Frame(self._take(struct.unpack(">I", length)[0] - 4)) if length is not None else None
        except ConnectionResetError:
            return None

    def call(self, procedure, payload=b"", **header):
        self.send(frame(procedure, payload, **header))
        return self.receive()


# Signatures.

OBJECTS = {"D": "(sUi)", "N": "(sU)", "F": "(sU)", "S": "(sU)", "O": "(NU)", "B": "(ss)", "I": "(ss)", "V": "(sss)", "E": "(s)",
           "K": "(Uis)", "C": "(sD)", "Z": "(sD)", "P": "(sT)"}
STRING_MAX = 4194304


class Payload:
    """A payload of a signature: everything is there once. Where its counts stand and what each may be is kept."""

    def __init__(self, signature):
        self.data = b""
        self.counts = []  # (offset, limit)
        at = 0
        while at < len(signature) and signature != "-":
            at = self._append(signature, at)

    def _word(self, value):
        self.data += struct.pack(">I", value)

    def _count(self, value, limit):
        self.counts.append((len(self.data), limit))
        self._word(value)

    def _append(self, signature, at):
        """One type at @at; where the next begins."""
        letter = signature[at]
        if letter == "(":
            at += 1
            while signature[at] != ")":
                at = self._append(signature, at)
            return at + 1
        if letter in OBJECTS:
            self._append(OBJECTS[letter], 0)
        elif letter in "iucyq":
            bound = re.match(r".\[(\d+)\]", signature[at:])
            for _ in range(int(bound.group(1)) if bound else 1):
                self._word(0)
            return at + (bound.end() if bound else 1)
        elif letter in "xtd":
            self.data += bytes(8)
        elif letter == "s":
            self._count(1, STRING_MAX)
            self.data += b"x\0\0\0"
        elif letter == "U":
            self.data += bytes(16)
        elif letter == "T":
            self.data += struct.pack(">Ii", 1, 0)
        elif letter == "m":
            self._word(1)
            return self._append(signature, at + 1)
        elif letter == "a":
            return self._append_array(signature, at)
        else:
            raise ValueError(signature)
        return at + 1

    def _append_array(self, signature, at):
        packed = re.match(r"ay[{\[](\d+)([}\]])", signature[at:])
        if packed:
            limit, exact = int(packed.group(1)), packed.group(2) == "]"
            length = limit if exact else 1
            if not exact:
                self._count(1, limit)
            self.data += bytes(length + -length % 4)
            return at + packed.end()
        place = len(self.counts)
        offset = len(self.data)
        self._word(1)
        at = self._append(signature, at + 1)
        bound = re.match(r"\{(\d+)\}", signature[at:])
        self.counts.insert(place, (offset, int(bound.group(1))))
        return at + bound.end()

    def variants(self):
        """It, cut after each of its bytes; and each of its counts as one does not expect it."""
        yield from (self.data[:length] for length in range(len(self.data) + 1))
        for offset, limit in self.counts:
            for value in {0, 1, limit, limit + 1, 2 ** 31, 2 ** 32 - 1}:
                yield self.data[:offset] + struct.pack(">I", value) + self.data[offset + 4:]


def procedures():
    """The rows of the table of facts: dictionaries of its columns."""
    with open(FACTS / "libvirt-rpc.tsv", encoding="utf-8") as table:
        return list(csv.DictReader((line for line in table if not line.startswith("#")), delimiter="\t"))
