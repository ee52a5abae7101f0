# SPDX-License-Identifier: LGPL-2.1-or-later
"""What one user's connections may take of the daemon, and that it leaves the others theirs."""

import os
import pathlib
import pwd
import struct
import subprocess
import sys
import uuid

import pytest

import wire
from conftest import domain_xml, wait_for
from host import SystemDaemon
from wire import OK, RawClient, frame

NOBODY = pwd.getpwnam("nobody").pw_uid
ALL_STATS, DEFINE_XML = 344, 11
RPC_ERROR, FROM_RPC = 39, 7
MIB = 1 << 20

# Another user: opens connections to the read-only socket as standard input says, sends to each, and tells of each whether
# it was closed. Logging in is AUTH_LIST and OPEN, read-only.
OTHER = """
import select, socket, struct, sys
path, count, login, half = sys.argv[1], int(sys.argv[2]), sys.argv[3] == "login", int(sys.argv[4])
def frame(procedure, payload=b"", length=None):
    return struct.pack(">IIIiIII", length or 28 + len(payload), 0x20008086, 1, procedure, 0, 0, 0) + payload
clients = []
for number in range(count):
    client = socket.socket(socket.AF_UNIX)
    client.connect(path)
    client.settimeout(60)
    clients.append(client)
    try:
        if login:
            client.sendall(frame(66))
            client.recv(4096)
            client.sendall(frame(1, struct.pack(">II", 0, 1)))
            client.recv(4096)
        if half:
            client.sendall(frame(59, bytes(half - 28), 2 * half))
    except OSError:
        pass
print("ready", flush=True)
for line in sys.stdin:
    for client in clients:
        client.setblocking(False)
    closed = 0
    for client in clients:
        try:
            closed += client.recv(1) == b""
        except BlockingIOError:
            pass
        except OSError:
            closed += 1
    print(closed, flush=True)
"""


@pytest.fixture
def settings():
    return ""


@pytest.fixture
def system(root, bus, settings):
    if os.geteuid() != 0:
        pytest.skip("being another user takes root")
    root.chmod(0o711)
    (root / "etc" / "domaind").mkdir(parents=True)
    (root / "etc" / "domaind" / "domaind.conf").write_text(f"[clients]\n{settings}\n")
    it = SystemDaemon(root, bus)
    try:
        it.start()
        yield it
    finally:
        it.clean_up()


class Other:
    """So many connections of user nobody."""

    def __init__(self, daemon, count, *, login=False, half=0):
        self.process = subprocess.Popen(
            ["setpriv", f"--reuid={NOBODY}", "--clear-groups", sys.executable, "-c", OTHER,
             daemon.root / "run/domaind/libvirt-sock-ro", str(count), "login" if login else "-", str(half)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd="/")
        assert self.process.stdout.readline() == "ready\n"

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()
        self.process.stdin.close()
        self.process.stdout.close()

    def closed(self):
        self.process.stdin.write("\n")
        self.process.stdin.flush()
        return int(self.process.stdout.readline())


def serves(daemon):
    with RawClient(daemon, opened=False) as client:
        return client.call(wire.AUTH_LIST).status == OK and client.call(
            wire.OPEN, wire.open_arguments("qemu:///system")).status == OK and client.call(wire.GET_HOSTNAME).status == OK


@pytest.mark.parametrize("settings", ["max-clients=60"])
def test_a_user_without_rights_takes_no_more_than_its_share(system):
    with Other(system, 100) as other:
        assert serves(system)
        wait_for(lambda: other.closed() == 100 - 60 // 4, "the end of the connections beyond the share")
        with Other(system, 1) as another:
            wait_for(lambda: another.closed() == 1, "the end of one more")
    assert serves(system)


@pytest.mark.parametrize("settings", ["max-anonymous-clients=5"])
def test_few_of_a_user_wait_for_their_login(system):
    with Other(system, 20) as other, Other(system, 0) as nobody:
        wait_for(lambda: other.closed() == 15, "the end of the connections beyond the limit")
        assert serves(system) and nobody.closed() == 0
    with Other(system, 20, login=True) as other:
        assert other.closed() == 0


@pytest.mark.parametrize("settings", ["login-timeout=1"])
def test_who_does_not_log_in_is_closed(system):
    with RawClient(system, opened=False) as silent, Other(system, 1, login=True) as opened:
        assert silent.receive() is None
        assert opened.closed() == 0


@pytest.mark.parametrize("length", [65537, 16 * MIB])
def test_before_the_login_frames_are_small(system, length):
    with RawClient(system, opened=False) as client:
        client.send(frame(wire.AUTH_LIST, length=length))
        assert client.receive() is None


def test_half_frames_of_a_user_have_a_limit_together(system):
    with Other(system, 24, login=True, half=8 * MIB) as other:
        assert serves(system)
        # 128 MiB are sixteen halves, and what a buffer has grown to beyond its content is not counted.
        wait_for(lambda: 24 - other.closed() in range(8, 17), "the end of the connections beyond the limit")
        status = pathlib.Path(f"/proc/{system.process.pid}/status").read_text()
        assert int(status.split("VmRSS:")[1].split()[0]) < 600 * 1024
    assert serves(system)


def domains(name, domain_uuid, count):
    return struct.pack(">I", count) + wire.domain(name, domain_uuid) * count + struct.pack(">II", 0, 0)


def test_a_domain_named_often_is_asked_once_and_answered_often(daemon):
    domain_uuid = uuid.uuid4()
    with RawClient(daemon) as client:
        assert client.call(DEFINE_XML, wire.string(domain_xml("often", str(domain_uuid)))).status == OK
        once = client.call(ALL_STATS, domains("often", domain_uuid, 1)).payload
        assert struct.unpack(">I", once[:4]) == (1,)
        assert client.call(ALL_STATS, domains("often", domain_uuid, 3)).payload == struct.pack(">I", 3) + once[4:] * 3


def test_an_answer_too_long_for_a_message_is_refused(daemon):
    disks = "".join(f"<disk type='file'><source file='/nowhere/{letter * 200}'/><target dev='vd{letter}' bus='virtio'/></disk>"
                    for letter in "abcdefghijklmnopqrst")
    domain_uuid = uuid.uuid4()
    with RawClient(daemon) as client:
        xml = domain_xml("often", str(domain_uuid), devices=disks)
        assert client.call(DEFINE_XML, wire.string(xml)).status == OK
        client.send(frame(ALL_STATS, domains("often", domain_uuid, 16384)) * 8)
        with RawClient(daemon) as other:
            assert other.call(wire.GET_HOSTNAME).status == OK
        for _ in range(8):
            code, origin, text = client.receive().error()
            assert (code, origin) == (RPC_ERROR, FROM_RPC)
            assert "16384 domains" in text and "ask for fewer" in text
