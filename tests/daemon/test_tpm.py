# SPDX-License-Identifier: LGPL-2.1-or-later
"""A TPM emulated by swtpm: beside the machine, found again with it, dead under it, and its state."""

import contextlib
import json
import os
import pathlib
import shutil
import signal
import xml.etree.ElementTree as ElementTree

import libvirt
import pytest

from conftest import domain_xml, wait_for

UUID = "5b7e4c2a-6f0d-4d0e-9a35-0d1c6b3f7a11"
TPM = "<tpm model='{model}'><backend type='emulator' version='{version}'{more}>{inside}</backend></tpm>"
LIVE_MESSAGES = libvirt.VIR_DOMAIN_MESSAGE_TAINTING

pytestmark = pytest.mark.skipif(shutil.which("swtpm_setup") is None, reason="needs swtpm-tools")


def xml(model="tpm-crb", version="2.0", more="", inside=""):
    return domain_xml("trusted", UUID, devices=TPM.format(model=model, version=version, more=more, inside=inside))


@pytest.fixture
def connection(daemon):
    it = libvirt.open(f"qemu:///session?socket={daemon.root}/run/domaind/libvirt-sock")
    yield it
    it.close()


def machine_directory(daemon):
    return daemon.root / "run/domaind/machines" / UUID


def swtpm(daemon):
    """The pid of the one that is written down, if it runs."""
    with contextlib.suppress(OSError, ValueError):
        record = json.loads((machine_directory(daemon) / "helper-tpm0-swtpm.json").read_text())
        if pathlib.Path(f"/proc/{record['pid']}/comm").read_text().strip() == "swtpm":
            return record["pid"]
    return None


def state(daemon):
    return daemon.root / "var/lib/domaind/tpm" / UUID


def gone(pid):
    with contextlib.suppress(OSError):
        return pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    return True


@pytest.mark.parametrize("model, version, file", [("tpm-crb", "2.0", "tpm2/tpm2-00.permall"),
                                                  ("tpm-tis", "1.2", "tpm1.2/tpm-00.permall")])
def test_swtpm_beside_the_machine(daemon, connection, model, version, file):
    domain = connection.defineXML(xml(model, version))
    domain.create()
    pid = swtpm(daemon)
    assert pid is not None
    assert (state(daemon) / file).stat().st_size > 0
    tpm = ElementTree.fromstring(domain.XMLDesc()).find("devices/tpm")
    assert tpm.find("alias").get("name") == "tpm0"
    domain.destroy()
    wait_for(lambda: gone(pid), "the end of swtpm")
    first = (state(daemon) / file).read_bytes()

    domain.create()  # with the same keys
    domain.destroy()
    assert len((state(daemon) / file).read_bytes()) == len(first)
    domain.undefine()
    assert not state(daemon).exists()


def test_found_again_after_the_daemon_was_killed(daemon, connection):
    domain = connection.defineXML(xml())
    domain.create()
    pid = swtpm(daemon)
    daemon.kill()
    assert not gone(pid)
    daemon.start()
    again = libvirt.open(f"qemu:///session?socket={daemon.root}/run/domaind/libvirt-sock")
    domain = again.lookupByName("trusted")
    assert domain.isActive()
    assert swtpm(daemon) == pid
    assert domain.messages(LIVE_MESSAGES) == []
    os.kill(pid, signal.SIGKILL)
    wait_for(lambda: domain.messages(LIVE_MESSAGES), "the message")
    domain.destroy()
    again.close()


def test_swtpm_killed_under_a_running_machine(daemon, connection):
    domain = connection.defineXML(xml())
    domain.create()
    os.kill(swtpm(daemon), signal.SIGKILL)
    wait_for(lambda: domain.messages(LIVE_MESSAGES), "the message")
    assert "helper 'tpm0-swtpm' has ended, and its owner runs without it" in domain.messages(LIVE_MESSAGES)[0]
    assert "helper 'tpm0-swtpm' has ended" in daemon.log()
    assert domain.isActive()
    domain.destroy()
    domain.create()
    assert swtpm(daemon) is not None
    assert domain.messages(LIVE_MESSAGES) == []
    domain.destroy()


def test_its_last_words_are_in_the_error_and_nothing_is_left(daemon, connection, tmp_path):
    place = tmp_path / "state"
    place.mkdir()
    (place / "tpm2-00.permall").write_bytes(b"no state of a TPM")
    domain = connection.defineXML(xml(inside=f"<source type='dir' path='{place}'/>"))
    with pytest.raises(libvirt.libvirtError) as caught:
        domain.create()
        # swtpm looks at its state only when it is asked to: then QEMU says so
    assert caught.value.get_error_code() == libvirt.VIR_ERR_INTERNAL_ERROR
    wait_for(lambda: not domain.isActive() and swtpm(daemon) is None, "the end")
    assert not machine_directory(daemon).exists()


def test_a_secret_that_is_not_there(connection):
    domain = connection.defineXML(xml(inside=f"<encryption secret='{UUID}'/>"))
    with pytest.raises(libvirt.libvirtError) as caught:
        domain.create()
    assert caught.value.get_error_code() == libvirt.VIR_ERR_NO_SECRET


def test_a_state_is_encrypted(daemon, connection):
    """With the secret the machine starts, again and after its state was written; with another one it does not."""
    secret = connection.secretDefineXML(f"<secret private='yes'><uuid>{UUID}</uuid>"
                                        "<usage type='vtpm'><name>trusted</name></usage></secret>")
    domain = connection.defineXML(xml(inside=f"<encryption secret='{UUID}'/>"))
    with pytest.raises(libvirt.libvirtError) as caught:
        domain.create()
    assert caught.value.get_error_code() == libvirt.VIR_ERR_NO_SECRET  # it has no value yet
    secret.setValue(b"correct horse battery staple")
    for _ in range(2):
        domain.create()
        command = pathlib.Path(f"/proc/{swtpm(daemon)}/cmdline").read_bytes()
        assert b"mode=aes-256-cbc" in command and b"horse" not in command
        domain.destroy()
    secret.setValue(b"another one")
    with pytest.raises(libvirt.libvirtError):
        domain.create()
    secret.undefine()


def test_state_that_outlives_the_definition(daemon, connection):
    domain = connection.defineXML(xml(more=" persistent_state='yes'"))
    domain.create()
    domain.destroy()
    domain.undefine()
    assert state(daemon).exists()
    domain = connection.defineXML(xml())
    domain.undefineFlags(libvirt.VIR_DOMAIN_UNDEFINE_KEEP_TPM)
    assert state(daemon).exists()
    connection.defineXML(xml()).undefineFlags(libvirt.VIR_DOMAIN_UNDEFINE_TPM)
    assert not state(daemon).exists()


def test_active_banks(connection):
    domain = connection.defineXML(xml(inside="<active_pcr_banks><sha256/><sha512/></active_pcr_banks>"))
    for _ in range(2):
        domain.create()
        domain.destroy()
