# SPDX-License-Identifier: LGPL-2.1-or-later
"""Files that QEMU maps by their names, where each machine has an account of its own: shared memory and crash stores."""

import grp
import os
import pathlib

import libvirt
import pytest

from conftest import domain_xml

NAMES = ("one", "two")
SHARED = f"domaind-test-{os.getpid()}"
SHMEM = f"<shmem name='{SHARED}'><model type='ivshmem-plain'/><size unit='M'>1</size></shmem>"
PSTORE = "<pstore backend='acpi-erst'><size unit='KiB'>64</size></pstore>"

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="needs root, to give each machine an account")


@pytest.fixture
def daemon(system_daemon):
    return system_daemon


@pytest.fixture
def connection(daemon):
    with libvirt.open(f"qemu:///system?socket={daemon.root}/run/libvirt/libvirt-sock") as it:
        yield it


@pytest.fixture
def memory():
    file = pathlib.Path("/dev/shm") / SHARED
    yield file
    file.unlink(missing_ok=True)


def kvm_group():
    try:
        return grp.getgrnam("kvm").gr_gid
    except KeyError:
        return 0


def maps(pid, file):
    return str(file) in pathlib.Path(f"/proc/{pid}/maps").read_text()


def test_machines_of_two_accounts_share_memory(daemon, connection, memory):
    for name in NAMES:
        connection.createXML(domain_xml(name, devices=SHMEM))
    status = memory.stat()
    assert (status.st_size, status.st_mode & 0o777, status.st_gid) == (1 << 20, 0o660, kvm_group())
    machines = daemon.machines()
    assert all(maps(machines[name], memory) for name in NAMES)
    assert len({os.stat(f"/proc/{machines[name]}").st_uid for name in NAMES}) == 2


def test_memory_that_was_made_by_others(daemon, connection, memory):
    """As for Looking Glass: its user made it, and closed it to others."""
    memory.write_bytes(bytes(1 << 20))
    os.chown(memory, 1234, 1234)
    memory.chmod(0o600)
    with pytest.raises(libvirt.libvirtError) as refused:
        connection.createXML(domain_xml("one", devices=SHMEM))
    assert f"shared memory '{SHARED}' cannot be opened by its machine: {memory} (mode 0600" in \
        str(refused.value)
    memory.chmod(0o660)
    connection.createXML(domain_xml("one", devices=SHMEM))
    assert maps(daemon.machines()["one"], memory)
    assert (memory.stat().st_uid, memory.stat().st_gid) == (1234, 1234)


def test_a_link_in_the_place_of_shared_memory(daemon, connection, memory):
    """Whoever can make one there would have the machine open, with its group, what the maker cannot."""
    disk = daemon.root / "disk"
    disk.write_bytes(bytes(1 << 20))
    os.chown(disk, 0, 6)
    disk.chmod(0o660)
    memory.symlink_to(disk)
    with pytest.raises(libvirt.libvirtError) as refused:
        connection.createXML(domain_xml("one", devices=SHMEM))
    assert f"cannot use, for it is a link, '{memory}'" in str(refused.value)


def test_a_crash_store_is_given_to_each_start(daemon, connection):
    domain = connection.defineXML(domain_xml("one", more="<features><acpi/></features>", devices=PSTORE))
    file = daemon.root / "var/lib/domaind/nvram/one_PSTORE.raw"
    assert str(file) in domain.XMLDesc()
    owners = set()
    for _ in range(2):
        domain.create()
        owner = os.stat(f"/proc/{daemon.machines()['one']}").st_uid
        assert (file.stat().st_uid, file.stat().st_size, file.stat().st_mode & 0o777) == (owner, 1 << 16, 0o600)
        owners.add(owner)
        domain.destroy()
    assert len(owners) == 2


@pytest.mark.skipif(os.path.exists("/dev/vhost-vsock"), reason="this host has vsocks")
def test_a_vsock_on_a_host_without(daemon, connection):
    with pytest.raises(libvirt.libvirtError) as refused:
        connection.createXML(domain_xml("one", devices="<vsock><cid auto='yes'/></vsock>"))
    assert "unable to open vhost-vsock device: /dev/vhost-vsock: No such file or directory; it comes with the kernel's " \
           "module vhost_vsock" in str(refused.value)
