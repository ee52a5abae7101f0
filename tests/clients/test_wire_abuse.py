# SPDX-License-Identifier: LGPL-2.1-or-later
"""What nobody who speaks the RPC protocol well would send, and clients that end or rest at the worst moment.

After each the daemon answers others as before, holds no more descriptors, and has not grown. It is built with
sanitizers, whose findings fail a test when the daemon ends.
"""

import array
import contextlib
import os
import pathlib
import socket
import struct
import uuid

import pytest

import wire
from conftest import Daemon, domain_xml, wait_for
from wire import CALL_WITH_FDS, CONTINUE, ERROR, MESSAGE, OK, REPLY, STREAM, RawClient, frame

OPERATION_DENIED, RPC_ERROR = 29, 39
FROM_RPC, FROM_DOMAIN = 7, 20
# Which part of libvirt an error is from, by the beginning of the procedure's name.
ORIGINS = {"STORAGE_": 18, "CONNECT_FIND_STORAGE_": 18, "NETWORK_": 19, "NODE_DEVICE_": 22, "INTERFACE_": 26, "SECRET_": 30,
           "NWFILTER_": 33, "NODE_": 0, "CONNECT_COMPARE_": 0,
           "CONNECT_BASELINE_": 0}  # the first that fits
CREATE_XML, DEFINE_XML, DOMAIN_EVENTS, SET_METADATA, ALL_STATS = 10, 11, 316, 264, 344
LIFECYCLE_MESSAGE = 318
GROWTH = 48 << 20  # bytes: what the allocator may keep, much less than what was sent
CONNECTIONS = 1000


@pytest.fixture
def daemon(monkeypatch, root, bus):
    # Freed memory is not kept aside for the sanitizer, or growth could not be told from it.
    monkeypatch.setenv("ASAN_OPTIONS", os.environ.get("ASAN_OPTIONS", "") + ":quarantine_size_mb=1")
    it = Daemon(root, bus)
    try:
        it.start()
        yield it
    finally:
        it.clean_up()


def resident(daemon):
    status = pathlib.Path(f"/proc/{daemon.process.pid}/status").read_text()
    return int(status.split("VmRSS:")[1].split()[0]) * 1024


def descriptors(daemon):
    return len(os.listdir(f"/proc/{daemon.process.pid}/fd"))


def assert_serves(daemon):
    with RawClient(daemon) as other:
        assert other.call(wire.GET_HOSTNAME).status == OK


@pytest.fixture
def unharmed(daemon):
    """The daemon, which must be after the test what it was before."""
    assert_serves(daemon)
    with RawClient(daemon) as other:
        assert other.call(wire.GET_CAPABILITIES).status == OK  # which asks QEMU, once
    before = descriptors(daemon)
    memory = resident(daemon)
    yield daemon
    assert daemon.process.poll() is None, daemon.log()
    assert_serves(daemon)
    wait_for(lambda: descriptors(daemon) <= before, "the end of every descriptor of the clients")
    assert resident(daemon) < memory + GROWTH


def test_a_byte_at_a_time(unharmed):
    with RawClient(unharmed, opened=False) as client:
        for procedure, payload in ((wire.AUTH_LIST, b""), (wire.OPEN, wire.open_arguments()), (wire.GET_HOSTNAME, b"")):
            for byte in frame(procedure, payload, serial=5):
                client.send(bytes([byte]))
            reply = client.receive()
            assert (reply.type, reply.status, reply.serial) == (REPLY, OK, 5)


@pytest.mark.parametrize("length", [0, 3, 4, 27, wire.FRAME_MAX + 1, 2 ** 31, 2 ** 32 - 1])
def test_lengths_that_no_frame_has_close_the_connection(unharmed, length):
    with RawClient(unharmed) as client:
        client.send(frame(wire.GET_HOSTNAME) + frame(wire.GET_HOSTNAME, length=length))
        assert client.receive().status == OK  # what came before is answered
        assert client.receive() is None


@pytest.mark.parametrize("length", [28, wire.FRAME_MAX])
def test_the_shortest_and_the_longest_frame(unharmed, length):
    with RawClient(unharmed) as client:
        reply = client.call(wire.GET_HOSTNAME, bytes(length - 28))  # surplus bytes are nobody's business
        assert (reply.type, reply.status) == (REPLY, OK)


@pytest.mark.parametrize("header, code, said", [
    ({"program": 0}, RPC_ERROR, "Cannot find program 0"),
    ({"program": wire.LXC}, RPC_ERROR, f"Cannot find program {wire.LXC}"),
    ({"program": 2 ** 32 - 1}, RPC_ERROR, "Cannot find program 4294967295"),
    ({"version": 0}, RPC_ERROR, "version"),
    ({"version": 2 ** 32 - 1}, RPC_ERROR, "version"),
    ({"status": ERROR}, RPC_ERROR, "status 1"),
    ({"status": CONTINUE}, RPC_ERROR, "status 2"),
    ({"status": 2 ** 32 - 1}, RPC_ERROR, "status"),
])
def test_wrong_headers_are_answered(unharmed, header, code, said):
    with RawClient(unharmed) as client:
        reply = client.call(wire.GET_HOSTNAME, serial=77, **header)
        assert (reply.program, reply.serial, reply.procedure) == (header.get("program", wire.REMOTE), 77, wire.GET_HOSTNAME)
        assert reply.error()[:2] == (code, FROM_RPC)
        assert said in reply.error()[2]
        assert client.call(wire.GET_HOSTNAME).status == OK


@pytest.mark.parametrize("procedure", [0, -1, 9999, 2 ** 31 - 1, -2 ** 31, 65536 + wire.GET_HOSTNAME])
def test_unknown_procedures_make_clients_fall_back(unharmed, procedure):
    with RawClient(unharmed) as client:
        code, origin, text = client.call(procedure).error()
        assert (code, origin) == (RPC_ERROR, FROM_RPC)
        assert text.startswith("unknown procedure")


def test_event_numbers_sent_as_calls_are_no_procedures(unharmed):
    events = [row for row in wire.procedures() if not row["dir"].startswith("call")]
    assert events
    with RawClient(unharmed) as client:
        for row in events:
            reply = client.call(int(row["num"]), bytes(64), program=wire.PROGRAMS[row["prog"]])
            assert reply.error()[:2] == (RPC_ERROR, FROM_RPC), row["name"]


@pytest.mark.parametrize("type", [REPLY, MESSAGE, 5, 7, 2 ** 32 - 1])
def test_types_that_only_a_server_sends_are_dropped(unharmed, type):
    with RawClient(unharmed) as client:
        client.send(frame(wire.GET_HOSTNAME, type=type, serial=1))
        assert client.call(wire.GET_HOSTNAME, serial=2).serial == 2


@pytest.mark.parametrize("status", [OK, ERROR, CONTINUE, 9])
def test_packets_of_streams_that_are_not_open_are_dropped(unharmed, status):
    with RawClient(unharmed) as client:
        for type in (STREAM, wire.STREAM_HOLE):
            client.send(frame(201, b"text", type=type, serial=1, status=status))
        assert client.call(wire.GET_HOSTNAME, serial=2).serial == 2


def test_serials_are_the_clients_own(unharmed):
    serials = [0, 1, 1, 2 ** 31, 2 ** 32 - 1, 0]
    with RawClient(unharmed) as client:
        client.send(b"".join(frame(wire.GET_HOSTNAME, serial=serial) for serial in serials))
        assert [client.receive().serial for _ in serials] == serials


def test_nothing_is_answered_before_the_connection_is_open(unharmed):
    with RawClient(unharmed, opened=False) as client:
        assert client.call(wire.GET_HOSTNAME).error()[0] == 1
        assert client.call(DEFINE_XML, wire.string(domain_xml("early"))).error()[0] == 1
        assert client.call(wire.OPEN, wire.open_arguments(uri="xen:///system")).error()[0] == 5
        assert client.call(wire.OPEN, wire.open_arguments()).status == OK
        assert client.call(wire.OPEN, wire.open_arguments()).error()[0] == 1
        assert client.call(wire.CLOSE).status == OK
        assert client.receive() is None


def test_pings_are_answered_at_any_time(unharmed):
    ping = frame(1, program=wire.KEEPALIVE, type=MESSAGE)
    with RawClient(unharmed, opened=False) as client:
        for _ in range(3):
            client.send(ping)
            pong = client.receive()
            assert (pong.program, pong.procedure, pong.type) == (wire.KEEPALIVE, 2, MESSAGE)
        client.send(frame(7, program=wire.KEEPALIVE, type=MESSAGE) + frame(1, program=wire.KEEPALIVE) + ping)
        assert client.receive().procedure == 2


# Payloads.

ENDS_THE_CONNECTION = {"CONNECT_CLOSE"}


@pytest.mark.parametrize("flags", [0, 1], ids=["read-write", "read-only"])
def test_every_procedure_cut_short_and_with_wrong_counts(unharmed, flags):
    with RawClient(unharmed, flags=flags) as client:
        for row in wire.procedures():
            if not row["dir"].startswith("call") or row["prog"] not in ("remote", "qemu") or row["name"] in ENDS_THE_CONNECTION:
                continue
            program = wire.PROGRAMS[row["prog"]]
            for payload in wire.Payload(row["args"]).variants():
                reply = client.call(int(row["num"]), payload, program=program, serial=3)
                assert reply is not None, (row["name"], payload)
                assert (reply.serial, reply.procedure) == (3, int(row["num"])), row["name"]
                if reply.status == ERROR:
                    assert reply.error()[0] > 0


def origin_of(name):
    return next((number for beginning, number in ORIGINS.items() if name.startswith(beginning)), FROM_DOMAIN)


def test_every_procedure_that_writes_is_refused_on_read_only_connections(unharmed):
    checked = 0
    with RawClient(unharmed, flags=1) as client:
        for row in wire.procedures():
            if not row["dir"].startswith("call") or row["ro"] != "no" or row["prog"] not in ("remote", "qemu"):
                continue
            reply = client.call(int(row["num"]), wire.Payload(row["args"]).data, program=wire.PROGRAMS[row["prog"]])
            code, origin, text = reply.error()
            refused = (code, origin) == (OPERATION_DENIED, origin_of(row["name"]))
            assert refused or text.startswith("unknown procedure"), (row["name"], code, origin, text)
            checked += refused
    assert checked > 150


# Descriptors.

def send_with_descriptors(client, count, announced):
    data = frame(wire.GET_HOSTNAME, struct.pack(">I", announced), type=CALL_WITH_FDS)
    client.send(data)
    with open("/dev/null", "rb") as file:
        for _ in range(count):
            client.socket.sendmsg([b"\0"], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", [file.fileno()]))])


@pytest.mark.parametrize("count", [0, 1, 32])
def test_descriptors_nobody_asked_for_are_closed(unharmed, count):
    with RawClient(unharmed) as client:
        send_with_descriptors(client, count, count)
        assert client.receive().status == OK
        assert client.call(wire.GET_HOSTNAME).status == OK


@pytest.mark.parametrize("announced", [33, 2 ** 31, 2 ** 32 - 1])
def test_too_many_descriptors_close_the_connection(unharmed, announced):
    with RawClient(unharmed) as client:
        client.send(frame(wire.GET_HOSTNAME, struct.pack(">I", announced), type=CALL_WITH_FDS))
        assert client.receive() is None


def test_announced_descriptors_that_do_not_come_close_the_connection(unharmed):
    with RawClient(unharmed) as client:
        client.send(frame(wire.GET_HOSTNAME, struct.pack(">I", 2), type=CALL_WITH_FDS) + b"\0\0")
        assert client.receive() is None


def test_descriptors_without_a_frame_are_not_collected(unharmed):
    with RawClient(unharmed) as client, open("/dev/null", "rb") as file:
        descriptor = array.array("i", [file.fileno()] * 32)
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            for _ in range(100):
                client.socket.sendmsg([frame(wire.GET_HOSTNAME)[:1]], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, descriptor)])
        with contextlib.suppress(ConnectionResetError):
            assert client.receive() is None


# Clients that rest, and clients that are gone.

def test_a_client_that_does_not_read_is_not_read_from(unharmed):
    """Its calls wait in its own socket; when it reads after all, each is answered, in the end."""
    calls = 3000
    question = frame(wire.GET_CAPABILITIES)
    before = resident(unharmed)
    with RawClient(unharmed) as client:
        client.socket.setblocking(False)
        left = question * calls
        stuck = 0
        while left and stuck < 3:
            try:
                left = left[client.socket.send(left):]
                stuck = 0
            except BlockingIOError:
                assert_serves(unharmed)  # others do not wait, and the daemon has had its turn
                stuck += 1
        assert resident(unharmed) < before + GROWTH
        client.socket.settimeout(60)
        answered = 0
        while answered < calls:
            if left:
                client.socket.setblocking(False)
                with contextlib.suppress(BlockingIOError):
                    left = left[client.socket.send(left):]
                client.socket.settimeout(60)
            reply = client.receive()
            assert reply.status == OK
            answered += 1


def test_a_thousand_connections(unharmed):
    clients = []
    try:
        for _ in range(CONNECTIONS):
            clients.append(RawClient(unharmed))
        for client in clients:
            client.send(frame(wire.GET_HOSTNAME))
        assert all(client.receive().status == OK for client in clients)
        assert_serves(unharmed)
    finally:
        for client in clients:
            client.socket.close()


@pytest.mark.parametrize("sent", [1, 4, 27, 28, 40])
def test_one_vanishes_in_the_middle_of_a_frame(unharmed, sent):
    with RawClient(unharmed) as client:
        client.send(frame(DEFINE_XML, wire.string(domain_xml("half")))[:sent])
    assert unharmed.call("/org/libvirt/QEMU", "org.libvirt.Connect", "ListDomains", "(u)", 0) == []


def test_one_vanishes_in_the_middle_of_a_call(unharmed):
    """The call is carried out, and its answer is nobody's."""
    for number in range(8):
        with RawClient(unharmed) as client:
            client.send(frame(CREATE_XML, wire.string(domain_xml(f"left{number}")) + bytes(4)))
            client.send(frame(ALL_STATS, bytes(12)) * 20)
    wait_for(lambda: len(unharmed.machines()) == 8, "every machine that was asked for")
    with RawClient(unharmed) as client:
        for name in unharmed.machines():
            found = client.call(23, wire.string(name))
            assert client.call(12, found.payload).status == OK


def test_one_vanishes_in_the_middle_of_events(unharmed):
    name, domain_uuid = "noisy", uuid.uuid4()
    with RawClient(unharmed) as teller:
        assert teller.call(DEFINE_XML, wire.string(domain_xml(name, str(domain_uuid)))).status == OK
        title = wire.domain(name, domain_uuid) + struct.pack(">iI", 1, 1) + wire.string("word " * 200) + bytes(8) + struct.pack(
            ">I", 2)
        for _ in range(20):
            listener = RawClient(unharmed)
            assert listener.call(DOMAIN_EVENTS, bytes(8)).status == OK  # lifecycle, of all domains
            assert listener.call(DOMAIN_EVENTS, struct.pack(">iI", 23, 0)).status == OK  # metadata changes
            for _ in range(5):
                assert teller.call(SET_METADATA, title).status == OK
            listener.socket.close()
        assert teller.call(35, wire.domain(name, domain_uuid)).status == OK


def test_a_listener_that_does_not_read_delays_no_other(unharmed):
    with RawClient(unharmed) as idle, RawClient(unharmed) as listener, RawClient(unharmed) as teller:
        for client in (idle, listener):
            assert client.call(DOMAIN_EVENTS, bytes(8)).status == OK
        for number in range(200):
            domain_uuid = uuid.uuid4()
            assert teller.call(DEFINE_XML, wire.string(domain_xml(f"m{number}", str(domain_uuid)))).status == OK
            assert teller.call(35, wire.domain(f"m{number}", domain_uuid)).status == OK
            assert [listener.receive().procedure for _ in range(2)] == [LIFECYCLE_MESSAGE] * 2
