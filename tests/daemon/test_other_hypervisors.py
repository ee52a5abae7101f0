# SPDX-License-Identifier: LGPL-2.1-or-later
"""Documents that no emulator here can run: of other types, other architectures, with an emulator that is missing or is
none. Defining one is refused in libvirt's words; one that was put into the directory by hand stays there, and no call
about it ends the daemon."""

import inspect
import signal

import libvirt
import pytest

from conftest import Daemon, wait_for

libvirt.registerErrorHandler(lambda _context, _error: None, None)

X86 = "/usr/bin/qemu-system-x86_64"
HVM = "<type>hvm</type>"
OTHER_TYPES = ["kqemu", "xen", "lxc", "uml", "openvz", "test", "vmware", "hyperv", "vbox", "phyp", "vz", "bhyve", "hvf"]


def document(domain_type="qemu", os_type=HVM, devices="", name="other"):
    return f"""<domain type='{domain_type}'>
  <name>{name}</name>
  <memory unit='MiB'>32</memory>
  <os>{os_type}</os>
  <devices>{devices}</devices>
</domain>
"""


def emulator(path):
    return document(os_type="<type arch='x86_64' machine='q35'>hvm</type>", devices=f"<emulator>{path}</emulator>")


# (what, document, code, domain, the beginning of libvirt 11.3's words)
REFUSED = [
    *((f"type {word}", document(word), libvirt.VIR_ERR_CONFIG_UNSUPPORTED,
       f"does not support virt type '{word}'") for word in OTHER_TYPES),
    ("a container", document("lxc", "<type>exe</type><init>/sbin/init</init>"), libvirt.VIR_ERR_CONFIG_UNSUPPORTED,
     "does not support os type 'exe'"),
    ("paravirtual", document("qemu", "<type>linux</type>"), libvirt.VIR_ERR_CONFIG_UNSUPPORTED,
     "does not support os type 'linux'"),
    ("missing", emulator("/opt/vm/bin/qemu-kvm"), libvirt.VIR_ERR_SYSTEM_ERROR,
     "Cannot check QEMU binary /opt/vm/bin/qemu-kvm: No such file or directory"),
    ("missing, with a tablet", emulator("/opt/vm/bin/qemu-kvm").replace("</devices>", "<input type='tablet'/></devices>"),
     libvirt.VIR_ERR_SYSTEM_ERROR, "Cannot check QEMU binary /opt/vm/bin/qemu-kvm: No such file or directory"),
    ("missing, of another type", document("lxc", devices="<emulator>/usr/lib/libvirt/libvirt_lxc</emulator>"),
     libvirt.VIR_ERR_SYSTEM_ERROR, "Cannot check QEMU binary /usr/lib/libvirt/libvirt_lxc: No such file or directory"),
    ("a directory", emulator("/usr/bin"), libvirt.VIR_ERR_SYSTEM_ERROR,
     "QEMU binary /usr/bin is not executable: Is a directory"),
    ("no emulator", emulator("/bin/true"), libvirt.VIR_ERR_INTERNAL_ERROR, "/bin/true"),
    ("another architecture", document(os_type="<type arch='aarch64'>hvm</type>", devices=f"<emulator>{X86}</emulator>"),
     libvirt.VIR_ERR_CONFIG_UNSUPPORTED, f"Emulator '{X86}' does not support arch 'aarch64'"),
    ("another architecture, missing", document(os_type="<type arch='aarch64' machine='virt'>hvm</type>",
                                               devices="<emulator>/usr/bin/qemu-system-nowhere</emulator>"),
     libvirt.VIR_ERR_SYSTEM_ERROR, "Cannot check QEMU binary /usr/bin/qemu-system-nowhere: No such file or directory"),
]

FLAGS = {"flags": 0, "bandwidth": 0, "stats": 0, "source": 0, "type": 0}


@pytest.fixture
def connection(daemon):
    opened = libvirt.open(f"qemu:///session?socket={daemon.root}/run/domaind/libvirt-sock")
    yield opened
    opened.close()


def error_of(call, *arguments):
    with pytest.raises(libvirt.libvirtError) as caught:
        call(*arguments)
    return caught.value


def test_refused_in_libvirts_words(connection):
    for what, text, code, words in REFUSED:
        for call in (lambda: connection.defineXML(text), lambda: connection.createXML(text, 0),
                     lambda: connection.domainXMLToNative("qemu-argv", text, 0)):
            error = error_of(call)
            assert (error.get_error_code(), words in error.get_error_message()) == (code, True), \
                f"{what}: {error.get_error_code()} {error}"
            assert error.get_error_message().count("internal error") <= 1
    assert connection.listAllDomains() == []


def every_call(domain):
    """Every method of a domain that can be called with nothing but numbers."""
    for name, method in inspect.getmembers(domain, inspect.ismethod):
        parameters = inspect.signature(method).parameters.values()
        needed = [parameter for parameter in parameters if parameter.default is inspect.Parameter.empty]
        if name[0] != "_" and name not in ("undefine", "undefineFlags", "connect") \
                and all(parameter.name in FLAGS for parameter in needed):
            yield name, lambda method=method, needed=needed: method(*(FLAGS[parameter.name] for parameter in needed))


DISK = "<disk type='file'><source file='/x'/><target dev='vda'/></disk>"


@pytest.mark.parametrize("text", [document(word) for word in OTHER_TYPES] + [case[1] for case in REFUSED[-9:]],
                         ids=OTHER_TYPES + [case[0] for case in REFUSED[-9:]])
def test_kept_by_hand_and_no_call_ends_the_daemon(root, bus, text):
    directory = root / "etc/domaind/domains"
    directory.mkdir(parents=True)
    (directory / "other.xml").write_text(text)
    here = Daemon(root, bus)
    try:
        here.start()
        connection = libvirt.open(f"qemu:///session?socket={root}/run/domaind/libvirt-sock")
        domain = connection.lookupByName("other")
        assert error_of(domain.create).get_error_message()
        calls = list(every_call(domain))
        assert len(calls) > 40
        for name, call in calls:
            try:
                call()
            except (libvirt.libvirtError, TypeError):
                pass
            assert here.process.poll() is None and connection.isAlive(), f"{name} ended the daemon:\n{here.log()}"
        for flags in (0, libvirt.VIR_DOMAIN_AFFECT_CONFIG):
            for change in (domain.attachDeviceFlags, domain.detachDeviceFlags, domain.updateDeviceFlags):
                error_of(change, DISK, flags)
        connection.close()
        assert (directory / "other.xml").read_text() == text
    finally:
        here.clean_up()


def test_sighup_has_the_settings_read_again(daemon):
    file = daemon.root / "etc/domaind/domaind.conf"
    file.parent.mkdir(parents=True, exist_ok=True)

    def reload(text, answer):
        file.write_text(text)
        before = len(daemon.log())
        daemon.process.send_signal(signal.SIGHUP)
        wait_for(lambda: answer in daemon.log()[before:], answer)

    reload("[machines]\ncall-timeout = 77\n", "[machines] call-timeout has changed: it counts from the daemon's next start")
    reload("[log]\nlevel = loud\n", "the settings stay as they are: ")
    reload("[log]\nlevel = debug\n", "the settings were read again")
    reload("[machines]\naccounts = no\n", "the setting [machines] accounts has changed")
    reload("[clients]\nmax-clients = 99\n", "the setting [clients] max-clients has changed")
    reload("[machines]\nsandbox = no\n", "the setting [machines] sandbox has changed")
    assert daemon.process.poll() is None
