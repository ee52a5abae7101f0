# SPDX-License-Identifier: LGPL-2.1-or-later
"""What a document says to QEMU past the format, and its security labels, in machines that run."""

import os
import pathlib
import xml.etree.ElementTree as ElementTree

import libvirt
import pytest

from conftest import Daemon, domain_xml

NAMESPACE = "xmlns:qemu='http://libvirt.org/schemas/domain/qemu/1.0'"
RNG = "<rng model='virtio'><backend model='random'>/dev/urandom</backend><alias name='ua-bytes'/></rng>"


def xml(inside, name="free", devices="", uuid=None):
    return (domain_xml(name, uuid, devices=devices).replace("<domain ", f"<domain {NAMESPACE} ", 1)
            .replace("</domain>", inside + "</domain>"))


def commandline(*arguments, variables=""):
    words = "".join(f"<qemu:arg value='{word}'/>" for word in arguments)
    return f"<qemu:commandline>{words}{variables}</qemu:commandline>"


@pytest.fixture
def connection(daemon):
    it = libvirt.open(f"qemu:///session?socket={daemon.root}/run/domaind/libvirt-sock")
    yield it
    it.close()


def process(daemon, name="free"):
    return pathlib.Path("/proc") / str(daemon.machines()[name])


def words(daemon, file="cmdline"):
    return (process(daemon) / file).read_bytes().decode().split("\0")


def test_arguments_and_environment(daemon, connection):
    said = commandline("-global", "ICH9-LPC.noreboot=off", "-device", "isa-applesmc,osk=two words",
                       "-object", "iothread,id=mine", variables="<qemu:env name='MINE' value='a b'/>")
    domain = connection.defineXML(xml(said))
    assert domain.messages(0) == []
    domain.create()
    text = words(daemon)
    start = text.index("-global")
    assert text[start:start + 6] == ["-global", "ICH9-LPC.noreboot=off", "-device", "isa-applesmc,osk=two words",
                                     "-object", "iothread,id=mine"]
    assert "MINE=a b" in words(daemon, "environ")
    assert "tainted: custom configuration parameters specified" in domain.messages(0)
    assert "is tainted: custom-argv" in daemon.log()
    shown = ElementTree.fromstring(domain.XMLDesc())
    assert len(shown.findall("{*}commandline/{*}arg")) == 6

    daemon.kill()
    daemon.start()
    again = libvirt.open(f"qemu:///session?socket={daemon.root}/run/domaind/libvirt-sock")
    domain = again.lookupByName("free")
    assert "tainted: custom configuration parameters specified" in domain.messages(0)
    domain.destroy()
    assert domain.messages(0) == []
    again.close()


def test_set_reaches_a_device(daemon, connection):
    """QEMU's -set finds only devices that were said as options."""
    domain = connection.defineXML(xml(commandline("-set", "device.ua-bytes.max-bytes=99"), devices=RNG))
    domain.create()
    assert any(word.startswith("virtio-rng-pci,id=ua-bytes,") for word in words(daemon))
    domain.destroy()


def test_overrides_and_capabilities(daemon, connection):
    domain = connection.defineXML(xml(
        "<qemu:override><qemu:device alias='ua-bytes'><qemu:frontend><qemu:property name='max-bytes' type='unsigned' "
        "value='4096'/></qemu:frontend></qemu:device></qemu:override>"
        "<qemu:capabilities><qemu:del capability='seccomp-sandbox'/></qemu:capabilities>", devices=RNG))
    domain.create()
    assert "-sandbox" not in words(daemon)
    assert any('"max-bytes":4096' in word for word in words(daemon))
    assert [message for message in domain.messages(0) if "tainted" in message][-2:] == [
        "tainted: hypervisor feature autodetection override", "tainted: custom device configuration"]
    domain.destroy()
    domain.undefine()
    domain = connection.defineXML(xml("<qemu:capabilities><qemu:add capability='seccomp-sandbx'/></qemu:capabilities>"))
    with pytest.raises(libvirt.libvirtError) as caught:
        domain.create()
    assert caught.value.get_error_code() == libvirt.VIR_ERR_INTERNAL_ERROR
    assert "invalid qemu namespace capability 'seccomp-sandbx'; did you mean 'seccomp-sandbox'?" in str(caught.value)


def start_error(domain):
    with pytest.raises(libvirt.libvirtError) as caught:
        domain.create()
    return caught.value.get_error_code(), caught.value.get_error_message()


@pytest.mark.parametrize("seclabel, words_of_refusal", [
    ("<seclabel type='dynamic' model='apparmor'/>", "Security driver model 'apparmor' is not available"),
    ("<seclabel type='none' model='selinux'/>", "Security driver model 'selinux' is not available"),
    ("<seclabel type='static' model='dac'><label>+0:+0</label></seclabel>", "Security driver model 'dac' is not available"),
    ("<seclabel type='none'/>", None),
])
def test_labels_of_models_a_session_does_not_have(connection, seclabel, words_of_refusal):
    domain = connection.defineXML(xml(seclabel))
    if words_of_refusal is None:
        domain.create()
        domain.destroy()
    else:
        code, message = start_error(domain)
        assert (code, message) == (libvirt.VIR_ERR_CONFIG_UNSUPPORTED, f"unsupported configuration: {words_of_refusal}")


class SystemDaemon(Daemon):
    mode = "--system"


@pytest.fixture
def system(root, bus):
    if os.geteuid() != 0:
        pytest.skip("needs root")
    os.chmod(root, 0o755)
    one = SystemDaemon(root, bus).start()
    opened = libvirt.open(f"qemu:///system?socket={root}/run/domaind/libvirt-sock")
    yield one, opened
    opened.close()
    one.clean_up()


def ids(daemon, name="free"):
    status = (process(daemon, name) / "status").read_text()
    return [tuple(line.split()[1:3]) for line in status.splitlines() if line.startswith(("Uid:", "Gid:"))]


def test_static_label_is_the_account(system):
    daemon, connection = system
    domain = connection.defineXML(xml("<seclabel type='static' model='dac' relabel='no'><label>+4242:+4343</label></seclabel>"))
    domain.create()
    assert ids(daemon) == [("4242", "4242"), ("4343", "4343")]
    assert ElementTree.fromstring(domain.XMLDesc()).find("seclabel/label").text == "+4242:+4343"
    domain.destroy()
    domain.undefine()
    domain = connection.defineXML(xml("<seclabel type='static' model='dac' relabel='no'><label>nouser:x</label></seclabel>"))
    assert start_error(domain)[0] == libvirt.VIR_ERR_INVALID_ARG


def test_the_account_is_shown_as_a_dynamic_label(system):
    daemon, connection = system
    domain = connection.defineXML(xml(""))
    assert "seclabel" not in domain.XMLDesc()
    domain.create()
    seclabel = ElementTree.fromstring(domain.XMLDesc()).find("seclabel")
    (uid, _), (gid, _) = ids(daemon)
    assert seclabel.attrib == {"type": "dynamic", "model": "dac", "relabel": "yes"}
    assert [seclabel.findtext("label"), seclabel.findtext("imagelabel")] == [f"+{uid}:+{gid}"] * 2
    assert "seclabel" not in domain.XMLDesc(libvirt.VIR_DOMAIN_XML_INACTIVE)
    domain.destroy()


def test_a_file_closed_to_the_account_is_refused_by_name(system, tmp_path):
    _, connection = system
    secret = tmp_path / "table.bin"
    secret.write_bytes(b"x" * 64)
    secret.chmod(0o600)
    domain = connection.defineXML(xml(commandline("-smbios", f"file={secret}")))
    code, message = start_error(domain)
    assert code == libvirt.VIR_ERR_CONFIG_UNSUPPORTED
    assert str(secret) in message and "isolate = no" in message
