# SPDX-License-Identifier: LGPL-2.1-or-later
"""Secrets, as virsh, libvirt's Python module and D-Bus clients use them; their values in files and in memory."""

import base64
import contextlib
import re
import shutil
import threading

import libvirt
import pytest

from conftest import CONNECT, PROPERTIES, ROOT, wait_for
from host import host, needs  # noqa: F401

VIRSH = "/usr/bin/virsh"
pytestmark = needs(VIRSH, "libvirt-clients")

UUID = "0a81f5b2-8403-7b23-c8d6-21ccc2f80d6f"
OTHER = "3a81f5b2-8403-7b23-c8d6-21ccc2f80d6f"
PATH = f"{ROOT}/secret/_{UUID.replace('-', '_')}"
SECRET = "org.libvirt.Secret"
ID = {"volume": "/images/a.img", "ceph": "pool key", "iscsi": "target", "tls": "tls key", "vtpm": "tpm key"}
TYPES = ["none", "volume", "ceph", "iscsi", "tls", "vtpm"]
VALUE = b"pass\0word of a secret"
BASE64 = base64.b64encode(VALUE).decode()


@pytest.fixture(scope="session", autouse=True)
def little_linux():
    """No guest runs here."""


@contextlib.contextmanager
def connected(host):  # noqa: F811
    it = libvirt.open(f"qemu:///system?socket={host.daemon.root}/run/domaind/libvirt-sock")
    try:
        yield it
    finally:
        it.close()


@pytest.fixture
def connection(host):  # noqa: F811
    with connected(host) as it:
        yield it


def document(secret_uuid=UUID, usage="ceph", ephemeral="no", private="no", name=None):
    element = {"volume": "volume", "iscsi": "target"}.get(usage, "name")
    inner = f"<usage type='{usage}'>\n    <{element}>{name or ID[usage]}</{element}>\n  </usage>\n" if usage else ""
    return (f"<secret ephemeral='{ephemeral}' private='{private}'>\n  <uuid>{secret_uuid}</uuid>\n"
            + (f"  {inner}" if inner else "") + "</secret>\n")


def define(host, tmp_path, text):  # noqa: F811
    file = tmp_path / "secret.xml"
    file.write_text(text)
    return host.virsh("secret-define", file)


def error_of(call, *arguments):
    with pytest.raises(libvirt.libvirtError) as caught:
        call(*arguments)
    return caught.value.get_error_code(), caught.value.get_error_domain(), caught.value.get_error_message()


def files(host):  # noqa: F811
    root = host.daemon.root
    return {str(path.relative_to(root)) for folder in ("etc/domaind/secrets", "var/lib/domaind/secrets")
            for path in (root / folder).rglob("*") if path.is_file() and path.name != "index"}


def restart(host):  # noqa: F811
    host.daemon.stop()
    host.daemon.start()


def test_virsh(host, tmp_path):  # noqa: F811
    text = document()
    define(host, tmp_path, text)
    assert host.virsh("secret-dumpxml", UUID).strip() == text.strip()
    assert re.search(rf"{UUID} +ceph pool key", host.virsh("secret-list"))
    assert f"secret '{UUID}' does not have a value" in host.virsh("secret-get-value", UUID, status=1)
    host.virsh("secret-set-value", UUID, BASE64)
    assert host.virsh("secret-get-value", UUID).strip() == BASE64
    host.virsh("secret-undefine", UUID)
    assert files(host) == set()
    assert UUID not in host.virsh("secret-list")


def test_the_text_is_kept_as_it_is(host, connection):  # noqa: F811
    text = f"<!-- ask Grace -->\n<secret><usage type='tls'>\n<name>n</name></usage><uuid>{UUID}</uuid> </secret>\n"
    connection.secretDefineXML(text)
    assert (host.daemon.root / f"etc/domaind/secrets/{UUID}.xml").read_text() == text


@pytest.mark.parametrize("usage", TYPES[1:])
def test_lookups_by_usage(host, connection, usage):  # noqa: F811
    connection.secretDefineXML(document(usage=usage))
    number = TYPES.index(usage)
    found = connection.secretLookupByUsage(number, ID[usage])
    assert (found.UUIDString(), found.usageType(), found.usageID()) == (UUID, number, ID[usage])
    assert connection.secretLookupByUUIDString(UUID).UUIDString() == UUID
    for other in range(7):
        if other != number:
            assert error_of(connection.secretLookupByUsage, other, ID[usage]) == (
                libvirt.VIR_ERR_NO_SECRET, libvirt.VIR_FROM_SECRET,
                f"Secret not found: no secret with matching usage '{ID[usage]}'")


def test_lists(host, connection):  # noqa: F811
    every = {}
    for number, (ephemeral, private) in enumerate([("no", "no"), ("no", "yes"), ("yes", "no"), ("yes", "yes")]):
        one = f"{number}{UUID[1:]}"
        every[one] = (ephemeral, private)
        connection.secretDefineXML(document(one, name=f"n{number}", ephemeral=ephemeral, private=private))
    assert connection.numOfSecrets() == 4
    assert sorted(connection.listSecrets()) == sorted(every)
    for flags in range(16):
        expected = [one for one, (ephemeral, private) in every.items()
                    if (not flags & 3 or flags & (1 if ephemeral == "yes" else 2))
                    and (not flags & 12 or flags & (4 if private == "yes" else 8))]
        assert [secret.UUIDString() for secret in connection.listAllSecrets(flags)] == expected
    assert error_of(connection.listAllSecrets, 16)[:2] == (libvirt.VIR_ERR_INVALID_ARG, libvirt.VIR_FROM_SECRET)


def test_identity(connection):
    connection.secretDefineXML(document(private="yes"))
    internal = (libvirt.VIR_ERR_INTERNAL_ERROR, libvirt.VIR_FROM_SECRET)
    for text, message in [
        (document(OTHER), f"a secret with UUID {UUID} already defined for use with pool key"),
        (document(name="x"), f"a secret with UUID {UUID} is already defined for use with pool key"),
        (document(usage="tls", name="pool key"), f"a secret with UUID {UUID} is already defined for use with pool key"),
        (document(private="no"), "cannot change private flag on existing secret"),
    ]:
        assert error_of(connection.secretDefineXML, text) == (*internal, f"internal error: {message}")
    connection.secretDefineXML(document(private="yes", ephemeral="yes"))
    first, second = connection.secretDefineXML("<secret/>"), connection.secretDefineXML("<secret/>")
    assert first.UUIDString() != second.UUIDString()


def test_unknown_elements_are_refused_when_asked_so(connection):
    text = document().replace("</secret>", "<frob/></secret>")
    assert error_of(connection.secretDefineXML, text, 1)[0] == libvirt.VIR_ERR_XML_INVALID_SCHEMA
    assert connection.secretDefineXML(text).UUIDString() == UUID
    assert error_of(connection.secretDefineXML, text, 2)[:2] == (libvirt.VIR_ERR_INVALID_ARG, libvirt.VIR_FROM_SECRET)


def test_values(connection):
    secret = connection.secretDefineXML(document())
    assert error_of(secret.value) == (libvirt.VIR_ERR_NO_SECRET, libvirt.VIR_FROM_SECRET,
                                      f"Secret not found: secret '{UUID}' does not have a value")
    for value in (VALUE, b"x", b"y" * 65536):
        secret.setValue(value)
        assert secret.value() == value
    for call, arguments in ((secret.value, (1,)), (secret.setValue, (b"a", 1)), (secret.XMLDesc, (1,))):
        assert error_of(call, *arguments)[:2] == (libvirt.VIR_ERR_INVALID_ARG, libvirt.VIR_FROM_SECRET)
    secret.undefine()
    for call, arguments in ((secret.value, ()), (secret.setValue, (b"a",)), (secret.XMLDesc, ()), (secret.undefine, ())):
        assert error_of(call, *arguments) == (libvirt.VIR_ERR_NO_SECRET, libvirt.VIR_FROM_SECRET,
                                              f"Secret not found: no secret with matching uuid '{UUID}'")
    assert error_of(connection.secretDefineXML(document()).value)[0] == libvirt.VIR_ERR_NO_SECRET


def test_what_is_private_is_told_to_nobody(connection):
    secret = connection.secretDefineXML(document(private="yes"))
    secret.setValue(VALUE)
    assert error_of(secret.value) == (libvirt.VIR_ERR_INVALID_SECRET, libvirt.VIR_FROM_SECRET,
                                      "Invalid secret: secret is private")


def test_read_only_clients(host, connection):  # noqa: F811
    connection.secretDefineXML(document()).setValue(VALUE)
    reader = libvirt.openReadOnly(f"qemu:///system?socket={host.daemon.root}/run/domaind/libvirt-sock-ro")
    secret = reader.secretLookupByUUIDString(UUID)
    assert "pool key" in secret.XMLDesc() and reader.numOfSecrets() == 1
    for call, arguments, function in [
        (secret.value, (), "GetValue"), (secret.setValue, (b"a",), "SetValue"), (secret.undefine, (), "Undefine"),
        (reader.secretDefineXML, ("<secret/>",), "DefineXML"),
    ]:
        assert error_of(call, *arguments) == (libvirt.VIR_ERR_OPERATION_DENIED, libvirt.VIR_FROM_SECRET,
                                              f"operation forbidden: read only access prevents virSecret{function}")
    reader.close()


def test_files(host):  # noqa: F811
    text, completed = f"etc/domaind/secrets/{UUID}.xml", f"var/lib/domaind/secrets/{UUID}.xml"
    value, history = f"var/lib/domaind/secrets/values/{UUID}", f"var/lib/domaind/secrets/{UUID}.history"
    file = host.daemon.root / value
    with connected(host) as connection:
        secret = connection.secretDefineXML(document())
        assert files(host) == {text, completed, history}
        secret.setValue(VALUE)
        assert files(host) == {text, completed, history, value}
        assert file.stat().st_mode & 0o777 == 0o600 and file.parent.stat().st_mode & 0o777 == 0o700
        kept = file.read_bytes()
        assert kept.startswith(b"domaind secret ")
        if shutil.which("systemd-creds"):
            assert kept.startswith(b"domaind secret systemd-creds\n")
            assert VALUE not in kept and base64.b64encode(VALUE) not in kept
    restart(host)
    with connected(host) as connection:
        secret = connection.secretLookupByUUIDString(UUID)
        assert secret.value() == VALUE
        # What is ephemeral is in memory only, with the value it had; and back.
        connection.secretDefineXML(document(ephemeral="yes"))
        assert files(host) == set() and secret.value() == VALUE
        connection.secretDefineXML(document())
        assert files(host) == {text, completed, history, value} and secret.value() == VALUE
        connection.secretDefineXML(document(ephemeral="yes"))
        secret.setValue(b"new")
        assert files(host) == set() and secret.value() == b"new"
    restart(host)
    assert UUID not in host.virsh("secret-list")


def test_a_value_under_another_secrets_name_is_refused(host, connection):  # noqa: F811
    if not shutil.which("systemd-creds"):
        pytest.skip("systemd-creds is not installed")
    values = host.daemon.root / "var/lib/domaind/secrets/values"
    connection.secretDefineXML(document()).setValue(VALUE)
    other = connection.secretDefineXML(document(OTHER, name="other"))
    (values / UUID).rename(values / OTHER)
    assert error_of(other.value)[0] == libvirt.VIR_ERR_OPERATION_FAILED


def dumped_memory(pid):
    """What a core dump of the process would hold: its writable memory, without what is marked to be left out."""
    with open(f"/proc/{pid}/smaps") as maps, open(f"/proc/{pid}/mem", "rb") as memory:
        start = end = None
        for line in maps:
            head = re.match(r"([0-9a-f]+)-([0-9a-f]+) (\S+)", line)
            if head:
                start, end, access = int(head[1], 16), int(head[2], 16), head[3]
            elif line.startswith("VmFlags:") and "w" in access and " dd" not in line and end - start < 1 << 30:
                with contextlib.suppress(OSError, ValueError):
                    memory.seek(start)
                    yield memory.read(end - start)


def test_values_are_in_no_log_and_no_dump(host, connection):  # noqa: F811
    value = b"KEEP-THIS-" + b"TO-YOURSELF"
    secret = connection.secretDefineXML(document())
    secret.setValue(value)
    assert secret.value() == value
    connection.secretDefineXML(document(ephemeral="yes"))
    assert secret.value() == value
    assert connection.numOfSecrets() == 1  # the answer before this one has left the daemon's buffers
    assert value.decode() not in host.daemon.log() and base64.b64encode(value).decode() not in host.daemon.log()
    assert not any(value in part for part in dumped_memory(host.daemon.process.pid))


def test_events(host, connection):  # noqa: F811
    libvirt.virEventRegisterDefaultImpl()
    stop, seen = threading.Event(), []
    loop = threading.Thread(target=lambda: [libvirt.virEventRunDefaultImpl() for _ in iter(stop.is_set, True)])
    timer = libvirt.virEventAddTimeout(50, lambda *_: None, None)
    loop.start()
    listener = libvirt.open(f"qemu:///system?socket={host.daemon.root}/run/domaind/libvirt-sock")

    def lifecycle(_, secret, event, detail, of):
        seen.append((of, secret.UUIDString(), secret.usageID(), event, detail))

    try:
        secret = connection.secretDefineXML(document(OTHER, name="other"))
        listener.secretEventRegisterAny(None, 0, lifecycle, "all")
        listener.secretEventRegisterAny(listener.secretLookupByUUIDString(OTHER), 0, lifecycle, "one")
        listener.secretEventRegisterAny(None, 1, lambda _, secret, of: seen.append((of, secret.UUIDString())), "value")
        with host.daemon.signals(CONNECT) as signals:
            one = connection.secretDefineXML(document())
            one.setValue(b"a")
            one.undefine()
            secret.undefine()
            wait_for(lambda: len(seen) == 5, "the events")
            wait_for(lambda: len(signals) == 3, "the signals")
    finally:
        stop.set()
        loop.join()
        libvirt.virEventRemoveTimeout(timer)
        listener.close()
    assert seen == [("all", UUID, "pool key", 0, 0), ("value", UUID), ("all", UUID, "pool key", 1, 0),
                    *sorted([("all", OTHER, "other", 1, 0), ("one", OTHER, "other", 1, 0)])]
    assert [arguments[1:] for _, _, arguments in signals] == [(0, 0), (1, 0), (1, 0)]


def test_dbus(host):  # noqa: F811
    daemon = host.daemon
    assert daemon.call(ROOT, CONNECT, "SecretDefineXML", "(su)", document(), 0) == PATH
    assert daemon.call(ROOT, CONNECT, "ListSecrets", "(u)", 0) == [PATH]
    assert daemon.call(ROOT, CONNECT, "ListSecrets", "(u)", 1) == []
    assert daemon.call(ROOT, CONNECT, "SecretLookupByUUID", "(s)", UUID) == PATH
    assert daemon.call(ROOT, CONNECT, "SecretLookupByUsage", "(is)", 2, "pool key") == PATH
    assert daemon.call(PATH, PROPERTIES, "GetAll", "(s)", SECRET) == {
        "UUID": UUID, "UsageID": "pool key", "UsageType": 2}
    daemon.call(PATH, SECRET, "SetValue", "(ayu)", VALUE, 0)
    assert bytes(daemon.call(PATH, SECRET, "GetValue", "(u)", 0)) == VALUE
    assert daemon.call(PATH, SECRET, "GetXMLDesc", "(u)", 0) == document()
    daemon.call(PATH, SECRET, "Undefine")
    assert "no secret with matching uuid" in daemon.error(PATH, SECRET, "GetXMLDesc", "(u)", 0)[1]


def test_documents_put_there_by_hand(host):  # noqa: F811
    host.daemon.stop()
    folder = host.daemon.root / "etc/domaind/secrets"
    (folder / f"{UUID}.xml").write_text("<secret><usage type='tls'><name>n</name></usage></secret>")
    (folder / "name.xml").write_text("<secret/>")
    (folder / f"{OTHER}.xml").write_text(document(UUID))
    values = host.daemon.root / "var/lib/domaind/secrets/values"
    values.mkdir(mode=0o700, parents=True, exist_ok=True)
    (values / OTHER).write_bytes(b"domaind secret plain\nmine")  # its document is there, and cannot be read
    (values / f"9{UUID[1:]}").write_bytes(b"domaind secret plain\nleft by a removal")
    host.daemon.start()
    assert host.virsh("secret-list", "--no-ephemeral").count("-8403-") == 1
    assert {path.name for path in values.iterdir()} == {OTHER}
    assert "is called by its UUID" in host.daemon.log()
