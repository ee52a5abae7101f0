# SPDX-License-Identifier: LGPL-2.1-or-later
"""Directories of the host in a machine: by virtiofs with the real virtiofsd and a Linux that mounts it, and by 9p."""

import contextlib
import json
import os
import pathlib
import signal
import xml.etree.ElementTree as ElementTree

import libvirt
import pytest

from conftest import BUILD, domain_xml, initrd_with, wait_for

UUID = "0d5c3c6a-0c3f-4e55-8b5e-6a1f5c3a9e21"
SHARE = """<filesystem type='mount'><driver type='virtiofs'/><binary><sandbox mode='chroot'/></binary>
  <source dir='{source}'/><target dir='{target}'/></filesystem>"""
NINEP = "<filesystem type='mount' accessmode='{access}'><source dir='{source}'/><target dir='nine'/></filesystem>"

VIRTIOFSD = [path for path in ("/usr/lib/qemu/virtiofsd", "/usr/libexec/virtiofsd") if os.access(path, os.X_OK)]
pytestmark = [pytest.mark.skipif(not VIRTIOFSD, reason="needs virtiofsd"),
              pytest.mark.skipif(os.geteuid() != 0, reason="virtiofsd of Debian 12 needs root")]

# What the guest does before it is ready: the directory "share" has what the host wrote, and gets a file.
SCRIPT = """#!/bin/sh
mkdir -p /share
mount -t virtiofs share /share || echo "guest: no share"
echo "guest: the host says $(cat /share/from-host)"
echo written > /share/from-guest && sync
"""


@pytest.fixture
def connection(daemon):
    it = libvirt.open(f"qemu:///session?socket={daemon.root}/run/domaind/libvirt-sock")
    yield it
    it.close()


@pytest.fixture
def share(daemon):
    directory = daemon.root / "share"
    directory.mkdir()
    (directory / "from-host").write_text("hello\n")
    return directory


@pytest.fixture(scope="module")
def initrd(tmp_path_factory):
    return initrd_with(tmp_path_factory.mktemp("initrd"), SCRIPT)


def machine_directory(daemon):
    return daemon.root / "run/domaind/machines" / UUID


def virtiofsd(daemon, alias="fs0"):
    """The pid of the one that is written down, if it runs."""
    with contextlib.suppress(OSError, ValueError):
        record = json.loads((machine_directory(daemon) / f"helper-{alias}-virtiofsd.json").read_text())
        if pathlib.Path(f"/proc/{record['pid']}/comm").read_text().strip() == "virtiofsd":
            return record["pid"]
    return None


def gone(pid):
    with contextlib.suppress(OSError):
        return pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    return True


@pytest.fixture
def linux(request, daemon, connection, share, initrd):
    """A Linux that has done what the script says."""
    machine = getattr(request, "param", "q35")
    console = daemon.root / "console.log"
    domain = connection.createXML(f"""<domain type='qemu'>
  <name>linux</name>
  <uuid>{UUID}</uuid>
  <memory unit='MiB'>128</memory>
  <os><type arch='x86_64' machine='{machine}'>hvm</type>
    <kernel>{BUILD}/guest/vmlinuz</kernel><initrd>{initrd}</initrd><cmdline>console=ttyS0 quiet</cmdline></os>
  <features><acpi/><apic/></features>
  <devices>
    <serial type='file'><source path='{console}'/></serial>
    {SHARE.format(source=share, target='share')}
  </devices>
</domain>""")
    wait_for(lambda: console.exists() and b"guest: ready" in console.read_bytes(), "the guest")
    domain.console = console
    return domain


def targets(domain):
    return [target.get("dir") for target in ElementTree.fromstring(domain.XMLDesc()).findall("devices/filesystem/target")]


@pytest.mark.parametrize("linux", ["q35", "microvm"], indirect=True)
def test_files_of_the_guest_and_of_the_host(daemon, linux, share):
    assert b"guest: the host says hello" in linux.console.read_bytes()
    assert (share / "from-guest").read_text() == "written\n"
    pid = virtiofsd(daemon)
    linux.destroy()
    wait_for(lambda: gone(pid), "the end of virtiofsd")


def test_a_machine_of_another_account(system_daemon):
    """virtiofsd is root's, and its socket the machine's."""
    share = system_daemon.root / "share"
    share.mkdir(mode=0o700)
    with libvirt.open(f"qemu:///system?socket={system_daemon.root}/run/libvirt/libvirt-sock") as connection:
        connection.createXML(domain_xml("shares", UUID, devices=SHARE.format(source=share, target="a")))
        assert os.stat(f"/proc/{system_daemon.machines()['shares']}").st_uid != 0
        assert os.stat(f"/proc/{virtiofsd(system_daemon)}").st_uid == 0


def test_memory_is_shared_for_it(connection, share):
    domain = connection.defineXML(domain_xml("shares", UUID, devices=SHARE.format(source=share, target="a")))
    backing = ElementTree.fromstring(domain.XMLDesc()).find("memoryBacking")
    assert (backing.find("access").get("mode"), backing.find("source").get("type")) == ("shared", "memfd")


def test_found_again_after_the_daemon_was_killed(daemon, connection, share):
    domain = connection.defineXML(domain_xml("shares", UUID, devices=SHARE.format(source=share, target="a")))
    domain.create()
    pid = virtiofsd(daemon)
    daemon.kill()
    daemon.start()
    assert virtiofsd(daemon) == pid
    with libvirt.open(f"qemu:///session?socket={daemon.root}/run/domaind/libvirt-sock") as again:
        again.lookupByUUIDString(UUID).destroy()
    wait_for(lambda: gone(pid), "the end of virtiofsd")


def test_one_that_dies_is_told(daemon, connection, share):
    domain = connection.defineXML(domain_xml("shares", UUID, devices=SHARE.format(source=share, target="a")))
    domain.create()
    os.kill(virtiofsd(daemon), signal.SIGKILL)
    wait_for(lambda: any("fs0-virtiofsd" in message for message in domain.messages(0)), "the message")
    assert domain.state()[0] == libvirt.VIR_DOMAIN_RUNNING
    domain.destroy()


def test_plugged_in_and_out(daemon, linux, share):
    more = SHARE.format(source=share, target="b")
    linux.attachDevice(more)
    pid = virtiofsd(daemon, "fs1")
    assert pid is not None
    assert targets(linux) == ["share", "b"]
    with pytest.raises(libvirt.libvirtError) as refused:
        linux.attachDevice(more)
    assert refused.value.get_error_code() == libvirt.VIR_ERR_OPERATION_INVALID

    linux.detachDevice(more)
    wait_for(lambda: targets(linux) == ["share"], "the end of the device")
    wait_for(lambda: gone(pid), "the end of virtiofsd")
    assert not any("virtiofsd" in message for message in linux.messages(0))  # it is no news


@pytest.mark.parametrize("source, words", [
    ("/no/such/directory", "cannot be shared: No such file or directory"),
    ("/etc/passwd", "cannot be shared: Not a directory"),
])
def test_what_cannot_be_shared(daemon, connection, source, words):
    domain = connection.defineXML(domain_xml("shares", UUID, devices=SHARE.format(source=source, target="a")))
    with pytest.raises(libvirt.libvirtError) as refused:
        domain.create()
    assert words in str(refused.value)
    assert not machine_directory(daemon).exists()


def test_what_virtiofsd_says_is_in_the_error(daemon, connection, share):
    """QEMU says only that nobody answers."""
    program = daemon.root / "virtiofsd"
    program.write_text("#!/bin/sh\nexec 3<&-\necho no directory is good enough >&2\nexit 1\n")
    program.chmod(0o755)
    domain = connection.defineXML(domain_xml("shares", UUID, devices=SHARE.format(source=share, target="a").replace(
        "<binary>", f"<binary path='{program}'>")))
    with pytest.raises(libvirt.libvirtError) as refused:
        domain.create()
    assert "helper 'fs0-virtiofsd' had ended: no directory is good enough" in str(refused.value)
    assert not machine_directory(daemon).exists()


@pytest.mark.parametrize("access", ["passthrough", "mapped", "squash"])
def test_9p(daemon, connection, share, access):
    domain = connection.defineXML(domain_xml("nine", UUID, devices=NINEP.format(source=share, access=access)))
    domain.create()
    with pytest.raises(libvirt.libvirtError) as refused:
        domain.attachDevice(NINEP.format(source="/tmp", access=access).replace("'nine'", "'ten'"))
    assert "only virtiofs filesystems can be hotplugged" in str(refused.value)
    domain.destroy()
