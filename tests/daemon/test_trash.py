# SPDX-License-Identifier: LGPL-2.1-or-later
"""What was removed to the trash comes back as it was, with its files; or goes for good."""

import json
import os
import shutil
import subprocess
import time

import pytest
from gi.repository import GLib

from conftest import CONNECT, DOMAIN, PROPERTIES, ROOT, domain_path, domain_xml
from test_cut_short import killed  # noqa: F401: a fixture

OWN_CONNECT = "org.domaind1.Connect"
OWN_DOMAIN = "org.domaind1.Domain"
UUID = "87291af1-1366-410c-bb6e-fbc6f66ff7ae"
PATH = domain_path(UUID)
STEPS_MAX = 80
STATE = "var/lib/domaind"


def discard(daemon, kind="domain", name="web", flags=0):
    return daemon.call(ROOT, OWN_CONNECT, "Discard", "(ssu)", kind, name, flags)


def entries(daemon):
    return daemon.call(ROOT, OWN_CONNECT, "ListTrash")


def restore(daemon, entry):
    daemon.call(ROOT, OWN_CONNECT, "RestoreTrash", "(u)", entry)


def empty(daemon, *numbers):
    return daemon.call(ROOT, OWN_CONNECT, "EmptyTrash", "(au)", numbers)


def files(daemon):
    """All that is kept, with its bytes, but the trash and what is only found faster by."""
    folders = [daemon.root / "etc/domaind", daemon.root / STATE]
    return {str(path.relative_to(daemon.root)): os.readlink(path) if path.is_symlink() else path.read_bytes()
            for folder in folders for path in folder.rglob("*")
            if (path.is_symlink() or path.is_file()) and path.name != "index" and "/trash/" not in str(path)}


def with_variables(daemon, more=""):
    return domain_xml("web", UUID, f"<title>Grace's</title><!-- mine --><features><acpi/></features>{more}").replace(
        "<type arch='x86_64' machine='pc'>hvm</type>",
        f"<type arch='x86_64' machine='q35'>hvm</type><loader readonly='yes' type='pflash'>/usr/share/OVMF/OVMF_CODE_4M.fd</loader>"
        f"<nvram>{daemon.root}/{STATE}/nvram/web_VARS.fd</nvram>")


@pytest.fixture
def full(daemon):
    """A machine with all that can go with it."""
    daemon.define(domain_xml("web", UUID))
    daemon.define(with_variables(daemon))
    daemon.call(PATH, PROPERTIES, "Set", "(ssv)", DOMAIN, "Autostart", GLib.Variant("b", True))
    for path in ("nvram/web_VARS.fd", f"tpm/{UUID}/tpm2/tpm2-00.permall", f"save/{UUID}.save"):
        (daemon.root / STATE / path).parent.mkdir(parents=True, exist_ok=True)
        (daemon.root / STATE / path).write_bytes(path.encode())
    daemon.stop()
    daemon.start()
    return daemon


def test_there_and_back(full):
    before = files(full)
    xml = full.call(PATH, DOMAIN, "GetXMLDesc", "(u)", 0)
    number = discard(full)
    assert number == 1
    assert files(full) == {}
    assert full.call(ROOT, CONNECT, "ListDomains", "(u)", 0) == []
    ((entry, kind, name, removed, uid, client, paths),) = entries(full)
    assert (entry, kind, name, uid, client) == (1, "domain", "web", os.getuid(), full.bus.connection.get_unique_name())
    assert abs(removed / 1e6 - time.time()) < 3600
    state = f"{full.root}/{STATE}"
    assert paths == [f"{state}/nvram/web_VARS.fd", f"{state}/tpm/{UUID}", f"{state}/save/{UUID}.save"]
    full.stop()
    full.start()
    restore(full, number)
    assert files(full) == before
    assert entries(full) == []
    assert full.call(PATH, DOMAIN, "GetXMLDesc", "(u)", 0) == xml
    assert full.get(PATH, DOMAIN, "Autostart") is True
    assert full.call(PATH, DOMAIN, "HasManagedSaveImage", "(u)", 0) is True
    assert [revision[0] for revision in full.call(ROOT, OWN_CONNECT, "ListRevisions", "(ss)", "domain", "web")] == [1, 2]
    full.stop()
    full.start()
    assert files(full) == before


SNAPSHOT = "<domainsnapshot><name>{}</name><description>Ada's</description></domainsnapshot>"


@pytest.fixture
def snapped(full):
    """The same with a disk and two snapshots, of which the second is the current one."""
    disk = full.root / "disk.qcow2"
    subprocess.run(["qemu-img", "create", "-q", "-f", "qcow2", disk, "1M"], check=True)
    full.define(with_variables(full).replace(
        "<devices>", "<devices><disk type='file' device='disk'><driver name='qemu' type='qcow2'/>"
        f"<source file='{disk}'/><target dev='vda' bus='virtio'/></disk>"))
    full.call(PATH, DOMAIN, "ManagedSaveRemove", "(u)", 0)
    for name in ("first", "second"):
        full.call(PATH, DOMAIN, "SnapshotCreateXML", "(su)", SNAPSHOT.format(name), 0)
    return full


def names_of_snapshots(daemon):
    return sorted(path.rsplit("/", 1)[1] for path in daemon.call(PATH, DOMAIN, "ListDomainSnapshots", "(u)", 0))


def test_snapshots_come_back(snapped):
    before, names = files(snapped), names_of_snapshots(snapped)
    assert len(names) == 2 and any("/snapshot/" in path for path in before)
    discard(snapped)
    assert files(snapped) == {}
    assert f"{snapped.root}/{STATE}/snapshot/{UUID}" in entries(snapped)[0][6]
    snapped.define(domain_xml("other", UUID))
    assert names_of_snapshots(snapped) == []
    snapped.call(PATH, DOMAIN, "Undefine", "(u)", 0)
    restore(snapped, 1)
    assert files(snapped) == before
    assert names_of_snapshots(snapped) == names
    current = snapped.call(PATH, DOMAIN, "SnapshotCurrent", "(u)", 0)
    assert "second" in snapped.call(current, "org.libvirt.DomainSnapshot", "GetXMLDesc", "(u)", 0)
    snapped.stop()
    snapped.start()
    assert names_of_snapshots(snapped) == names


def test_snapshots_of_a_machine_that_runs_stay(snapped):
    shutil.rmtree(snapped.root / STATE / "tpm")
    (snapped.root / STATE / "nvram/web_VARS.fd").unlink()
    snapped.define(domain_xml("web", UUID))
    snapped.call(PATH, DOMAIN, "Create", "(u)", 0)
    names = names_of_snapshots(snapped)
    number = discard(snapped)
    assert names_of_snapshots(snapped) == names
    restore(snapped, number)
    assert names_of_snapshots(snapped) == names
    snapped.call(PATH, DOMAIN, "Destroy", "(u)", 0)


def test_libvirts_clients_remove_for_good(full):
    full.call(PATH, DOMAIN, "Undefine", "(u)", 4 | 1)  # NVRAM, MANAGED_SAVE
    assert entries(full) == []
    assert not (full.root / STATE / "save" / f"{UUID}.save").exists()
    assert not (full.root / STATE / "nvram/web_VARS.fd").exists()


def test_empty(full):
    discard(full)
    for name in ("a", "b", "c"):
        full.define(domain_xml(name))
        discard(full, name=name)
    assert [(entry[0], entry[2]) for entry in entries(full)] == [(1, "web"), (2, "a"), (3, "b"), (4, "c")]
    assert "no" in full.error(ROOT, OWN_CONNECT, "EmptyTrash", "(au)", [9])[1]
    assert empty(full, 2) == 1
    assert [entry[0] for entry in entries(full)] == [1, 3, 4]
    assert "nothing in the trash has the number 2" in full.error(ROOT, OWN_CONNECT, "RestoreTrash", "(u)", 2)[1]
    assert empty(full) == 3
    assert list((full.root / STATE / "trash").iterdir()) == []


def test_a_name_that_is_taken(daemon):
    daemon.define(domain_xml("web", UUID))
    number = discard(daemon)
    daemon.define(domain_xml("web"))
    assert "domain 'web' already exists with uuid" in daemon.error(ROOT, OWN_CONNECT, "RestoreTrash", "(u)", number)[1]
    discard(daemon)
    restore(daemon, number)
    assert daemon.get(PATH, DOMAIN, "Name") == "web"
    assert "domain 'web' already exists with uuid" in daemon.error(ROOT, OWN_CONNECT, "RestoreTrash", "(u)", 2)[1]


def test_a_file_that_is_there_again(full):
    number = discard(full)
    path = full.root / STATE / "nvram/web_VARS.fd"
    path.write_text("another's")
    message = full.error(ROOT, OWN_CONNECT, "RestoreTrash", "(u)", number)[1]
    assert f"'{path}' was there when 'web' was removed, and is there again: move it away first" in message
    assert path.read_text() == "another's"
    path.unlink()
    restore(full, number)
    assert path.read_bytes() == b"nvram/web_VARS.fd"


def test_variables_that_are_kept(full):
    number = discard(full, flags=8)  # VIR_DOMAIN_UNDEFINE_KEEP_NVRAM
    assert files(full) == {f"{STATE}/nvram/web_VARS.fd": b"nvram/web_VARS.fd"}
    restore(full, number)
    assert full.get(PATH, DOMAIN, "Name") == "web"


def test_a_machine_that_runs(daemon):
    daemon.define(domain_xml("web", UUID))
    daemon.call(PATH, DOMAIN, "Create", "(u)", 0)
    number = discard(daemon)
    assert daemon.get(PATH, DOMAIN, "Persistent") is False
    assert list(daemon.machines()) == ["web"]
    restore(daemon, number)
    assert daemon.get(PATH, DOMAIN, "Persistent") is True
    daemon.call(PATH, DOMAIN, "Destroy", "(u)", 0)
    assert daemon.get(PATH, DOMAIN, "Name") == "web"


def test_a_running_machines_tpm_is_not_lost(daemon):
    daemon.define(domain_xml("web", UUID))
    daemon.call(PATH, DOMAIN, "Create", "(u)", 0)
    (daemon.root / STATE / "tpm" / UUID).mkdir(parents=True)
    message = daemon.error(ROOT, OWN_CONNECT, "Discard", "(ssu)", "domain", "web", 0)[1]
    assert "domain 'web' runs, and its TPM's state would end with it: shut it down first" in message
    assert daemon.get(PATH, DOMAIN, "Persistent") is True


KINDS = {
    "network": ("NetworkDefineXML", "(s)", (), "n", "<network><name>n</name><uuid>" + UUID + "</uuid><!-- mine --></network>"),
    "filter": ("NWFilterDefineXML", "(s)", (), "f", "<filter name='f'><uuid>" + UUID + "</uuid><!-- mine --></filter>"),
    "pool": ("StoragePoolDefineXML", "(su)", (0,), "p", "<pool type='dir'><name>p</name><uuid>" + UUID
             + "</uuid><!-- mine --><target><path>/tmp</path></target></pool>"),
    "secret": ("SecretDefineXML", "(su)", (0,), UUID, "<secret><uuid>" + UUID + "</uuid><!-- mine --></secret>"),
}


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind(daemon, kind):
    method, signature, arguments, name, xml = KINDS[kind]
    daemon.call(ROOT, CONNECT, method, signature, xml, *arguments)
    if kind == "secret":
        daemon.call(f"{ROOT}/secret/_{UUID.replace('-', '_')}", "org.libvirt.Secret", "SetValue", "(ayu)", b"a", 0)
    before = files(daemon)
    number = discard(daemon, kind, name)
    assert files(daemon) == {}
    daemon.stop()
    daemon.start()
    restore(daemon, number)
    assert files(daemon) == before
    if kind == "secret":
        assert bytes(daemon.call(f"{ROOT}/secret/_{UUID.replace('-', '_')}", "org.libvirt.Secret", "GetValue", "(u)", 0)) == b"a"
    daemon.stop()
    daemon.start()
    assert files(daemon) == before


def test_what_is_too_old_leaves_it(daemon):
    for name in ("old", "new"):
        daemon.define(domain_xml(name))
        discard(daemon, name=name)
    daemon.stop()
    path = daemon.root / STATE / "trash/1/entry.json"
    entry = json.loads(path.read_text())
    entry["time"] -= 31 * 24 * 3600 * 10**6
    path.write_text(json.dumps(entry))
    daemon.start()
    assert [entry[2] for entry in entries(daemon)] == ["new"]


@pytest.mark.parametrize("text", ["", "{}", "[" * 100, '{"state":"kept","kind":"domain","uuid":"x","name":"web","time":1,"client":"","files":[]}',
                                  '{"state":"returning","kind":"domain","uuid":"%s","name":"web","time":1,"client":"",'
                                  '"files":[{"from":"%s/../../../etc/passwd","here":"x"}]}'])
def test_a_damaged_entry(daemon, text):
    daemon.define(domain_xml("web", UUID))
    discard(daemon)
    daemon.stop()
    path = daemon.root / STATE / "trash/1/entry.json"
    path.write_text(text.replace("%s", f"{daemon.root}/{STATE}", 2).replace(f'"uuid":"{daemon.root}/{STATE}"', f'"uuid":"{UUID}"'))
    daemon.start()
    assert entries(daemon) == []
    assert "is damaged" in daemon.log()
    daemon.define(domain_xml("web", UUID))
    assert discard(daemon) == 2


def test_killed_at_each_step_of_a_removal(killed):  # noqa: F811
    """It is defined with all it had, or in the trash with all it had."""
    variables = killed.root / STATE / "nvram/web_VARS.fd"
    for step in range(1, STEPS_MAX):
        killed.start_to_be_killed()
        killed.define(with_variables(killed))
        variables.parent.mkdir(parents=True, exist_ok=True)
        variables.write_text("variables")
        before = files(killed)
        over = not killed.cut("disk", step, ROOT, OWN_CONNECT, "Discard", "(ssu)", "domain", "web", 0)
        killed.start()
        if entries(killed):
            assert files(killed) == {}, step
            restore(killed, 1)
        assert files(killed) == before, step
        assert killed.get(PATH, DOMAIN, "Name") == "web"
        killed.call(PATH, DOMAIN, "Undefine", "(u)", 4)
        killed.stop()
        if over:
            break
    assert over and step > 8


def test_killed_at_each_step_of_a_return(killed):  # noqa: F811
    variables = killed.root / STATE / "nvram/web_VARS.fd"
    variables.parent.mkdir(parents=True, exist_ok=True)
    for step in range(1, STEPS_MAX):
        killed.start_to_be_killed()
        killed.define(with_variables(killed))
        killed.call(PATH, PROPERTIES, "Set", "(ssv)", DOMAIN, "Autostart", GLib.Variant("b", True))
        variables.write_text("variables")
        before = files(killed)
        discard(killed)
        over = not killed.cut("disk", step, ROOT, OWN_CONNECT, "RestoreTrash", "(u)", 1)
        killed.start()
        if entries(killed):
            assert files(killed) == {}, step
            restore(killed, 1)
        assert files(killed) == before, step
        assert killed.get(PATH, DOMAIN, "Autostart") is True, step
        killed.call(PATH, DOMAIN, "Undefine", "(u)", 4)
        killed.stop()
        if over:
            break
    assert over and step > 8
