# SPDX-License-Identifier: LGPL-2.1-or-later
"""Processors are described, compared and given to guests as the real libvirtd does it.

Both daemons are asked the same on the same host with the same QEMU. Answers are compared whole; of refusals the error's
number, and the words up to where ours go on.
"""

import re

import golden
import libvirt
import pytest

etree = golden.etree

FAIL = libvirt.VIR_CONNECT_COMPARE_CPU_FAIL_INCOMPATIBLE
EXPAND = libvirt.VIR_CONNECT_BASELINE_CPU_EXPAND_FEATURES
MIGRATABLE = libvirt.VIR_CONNECT_BASELINE_CPU_MIGRATABLE

GUESTS = [
    "<cpu mode='custom' match='exact'><model>kvm64</model></cpu>",
    "<cpu match='strict'><model>kvm64</model></cpu>",
    "<cpu match='minimum'><model>Haswell</model></cpu>",
    "<cpu match='minimum'><model>Haswell</model><vendor>Intel</vendor></cpu>",
    "<cpu match='minimum'><model>EPYC</model><vendor>AMD</vendor></cpu>",
    "<cpu><model>486</model><feature policy='forbid' name='avx2'/><feature policy='forbid' name='sse4.1'/></cpu>",
    "<cpu><model>486</model><feature policy='require' name='vmx'/><feature policy='require' name='3dnow'/></cpu>",
    "<cpu><model>486</model><feature policy='force' name='vmx'/></cpu>",
    "<cpu><model>486</model><feature policy='optional' name='vmx'/></cpu>",
    "<cpu><model>486</model><feature policy='disable' name='vme'/></cpu>",
    "<cpu><model>pentiumpro</model></cpu>",
    "<cpu><model>Foo</model></cpu>",
    "<cpu><model>486</model><feature name='bar'/></cpu>",
    "<cpu/>",
    "<cpu mode='host-passthrough'/>",
    "<cpu mode='host-model'/>",
    "<cpu><arch>x86_64</arch><model>486</model></cpu>",
    "<cpu><arch>i686</arch><model>486</model></cpu>",
    "<cpu><arch>aarch64</arch><model>486</model></cpu>",
    "<cpu><arch>foo</arch><model>486</model></cpu>",
    "<cpu match='exact'><arch>x86_64</arch><model>486</model></cpu>",
    "<cpu mode='custom'><arch>x86_64</arch><model>486</model></cpu>",
    "<cpu><arch>x86_64</arch></cpu>",
    "<cpu><vendor>AMD</vendor></cpu>",
    "<cpu><feature name='vme'/></cpu>",
    "<cpu><model>486</model><feature name='vme'/><feature name='vme'/></cpu>",
    "<cpu><model vendor_id='foo'>486</model></cpu>",
    "<foo/>",
]


def host(model, vendor=None, *features):
    return (f"<cpu><arch>x86_64</arch><model>{model}</model>" + (f"<vendor>{vendor}</vendor>" if vendor else "")
            + "".join(f"<feature name='{name}'/>" for name in features) + "</cpu>")


HOSTS = [
    [host("EPYC")],
    [host("EPYC", "AMD")],
    [host("486", "Foo")],
    [host("Haswell", "Intel"), host("Skylake-Client", "Intel")],
    [host("Haswell-noTSX", "Intel"), host("Skylake-Server", "Intel", "invtsc")],
    [host("Broadwell", "Intel", "invtsc"), host("SandyBridge", "Intel", "invtsc")],
    [host("Icelake-Server", "Intel"), host("Cascadelake-Server", "Intel")],
    [host("Icelake-Client")],
    [host("Haswell"), host("Skylake-Client")],
    [host("Haswell"), host("EPYC")],
    [host("Haswell", "Intel"), host("EPYC", "AMD")],
    [host("Haswell", "Intel"), host("EPYC")],
    [host("qemu64"), host("EPYC", "AMD")],
    [host("EPYC-Rome", "AMD"), host("Opteron_G5", "AMD")],
    [host("EPYC-Milan", "AMD"), host("EPYC-Rome", "AMD")],
    [host("EPYC", "AMD"), host("Opteron_G3", "AMD"), host("phenom")],
    [host("coreduo"), host("n270")],
    [host("qemu64"), host("athlon")],
    [host("cpu64-rhel6")],
    [host("Foo")],
    [host("486", None, "foo")],
    ["<cpu><model>486</model></cpu>"],
    ["<cpu mode='custom' match='exact'><model fallback='forbid'>Haswell</model>"
     "<feature policy='disable' name='rtm'/><feature policy='require' name='vmx'/></cpu>"],
]

# What a guest started by emulation with such a document is told to have: its live document.
STARTED = [
    "",
    "<cpu match='exact'><model>EPYC</model></cpu>",
    "<cpu match='exact' check='partial'><model>EPYC</model></cpu>",
    "<cpu match='exact' check='full'><model>EPYC</model></cpu>",
    "<cpu match='exact' check='full'><model>qemu64</model><feature name='hypervisor'/><feature name='lahf_lm'/></cpu>",
    "<cpu match='exact' check='partial'><model>Nehalem</model></cpu>",
    "<cpu match='exact'><model>486</model><feature name='vmx'/></cpu>",
    "<cpu mode='host-model'/>",
    "<cpu mode='host-model'><topology sockets='1' cores='2' threads='1'/><feature policy='disable' name='avx2'/>"
    "<feature policy='optional' name='vmx'/></cpu>",
    "<cpu mode='maximum' migratable='off'><feature policy='disable' name='avx2'/></cpu>",
    "<cpu mode='host-passthrough'/>",
    "<cpu match='exact'><model>Nehalem</model><feature policy='force' name='vme'/>"
    "<feature policy='require' name='avx'/><feature policy='optional' name='vmx'/>"
    "<feature policy='optional' name='aes'/><feature policy='disable' name='popcnt'/>"
    "<feature policy='forbid' name='cx16'/></cpu>",
    "<cpu match='minimum'><model>Conroe</model></cpu>",
    "<cpu match='strict' check='partial'><model>Conroe</model></cpu>",
    "<cpu match='exact'><model vendor_id='KVMKVMKVM123'>Conroe</model><vendor>Intel</vendor></cpu>",
    "<cpu match='exact'><model>Icelake-Client</model></cpu>",
    "<cpu match='exact'><model fallback='forbid'>Icelake-Client</model></cpu>",
    "<cpu match='exact'><model>EPYC-Milan</model></cpu>",
    "<cpu match='exact'><model>486</model><feature policy='require' name='foo'/></cpu>",
    "<cpu match='exact'><model>486</model><feature policy='require' name='invtsc'/></cpu>",
]
MACHINE = """<domain type='qemu'><name>processors</name><memory unit='MiB'>32</memory><vcpu>2</vcpu>
<os><type arch='x86_64' machine='pc'>hvm</type></os>{cpu}
<devices><emulator>/usr/bin/qemu-system-x86_64</emulator></devices></domain>"""


@pytest.fixture
def both(libvirtd, daemon):
    """Connections: (ours, libvirtd's)."""
    ours = libvirt.open(f"qemu:///session?socket={daemon.root}/run/domaind/libvirt-sock")
    yield ours, libvirtd.connection
    ours.close()


def outcome(function, *arguments):
    try:
        return function(*arguments)
    except libvirt.libvirtError as error:
        return error.get_error_code(), str(error)


def elements(text):
    """A line an element, so that a failure shows those that differ."""
    return text.replace("><", ">\n<").splitlines() if isinstance(text, str) else text


def assert_same(ours, theirs):
    """A refusal of ours may say more at its end."""
    if isinstance(ours, tuple) and isinstance(theirs, tuple):
        assert ours[0] == theirs[0], f"{ours}, not {theirs}"
        said = re.sub(r"\(document\):\d+:\d+: ", "", ours[1])  # where it stands is ours to say
        assert said.startswith(theirs[1]), f"{ours}, not {theirs}"
    else:
        assert elements(ours) == elements(theirs)


def test_names_of_models(both):
    for arch in ("x86_64", "i686", "ppc64", "ppc64le", "aarch64", "armv7l", "s390x", "riscv64", "mips", "foo"):
        assert_same(*(outcome(c.getCPUModelNames, arch, 0) for c in both))


def test_compared_with_the_host(both):
    documents = GUESTS + [host_cpu(both[1])]
    for document in documents:
        for flags in (0, FAIL):
            assert_same(*(outcome(c.compareCPU, document, flags) for c in both))


@pytest.mark.parametrize("virt_type", ["qemu", "kvm"])
def test_compared_with_what_guests_get(both, virt_type, kvm):
    if virt_type == "kvm" and not kvm:
        pytest.skip("KVM cannot be used here")
    for document in GUESTS + [host_cpu(both[1])]:
        for flags in (0, FAIL):
            assert_same(*(outcome(c.compareHypervisorCPU, None, None, None, virt_type, document, flags) for c in both))


def test_what_is_asked_of_an_emulator(both):
    for arguments in [("/nonexistent", None, None, None), (None, "aarch64", None, None), (None, "foo", None, None),
                      (None, None, "foo", None), (None, None, "q35", None), (None, "i686", None, None),
                      (None, None, None, "foo"), ("/usr/bin/qemu-system-x86_64", "i686", None, None),
                      ("/usr/bin/qemu-system-x86_64", "aarch64", None, None)]:
        assert_same(*(outcome(c.compareHypervisorCPU, *arguments, GUESTS[0], 0) for c in both))


@pytest.mark.parametrize("flags", [0, EXPAND, MIGRATABLE, EXPAND | MIGRATABLE])
def test_what_hosts_have_in_common(both, flags):
    for documents in HOSTS + [[host_cpu(both[1])]]:
        assert_same(*(outcome(c.baselineCPU, documents, flags) for c in both))


@pytest.mark.parametrize("virt_type", ["qemu", "kvm"])
def test_what_guests_of_hosts_have_in_common(both, virt_type, kvm):
    if virt_type == "kvm" and not kvm:
        pytest.skip("KVM cannot be used here")
    for documents in HOSTS + [[host_cpu(both[1])]]:
        for flags in (0, EXPAND, MIGRATABLE):
            assert_same(*(outcome(c.baselineHypervisorCPU, None, None, None, virt_type, documents, flags) for c in both))


def test_processors_of_running_machines(both):
    def started(connection, document):
        machine = connection.createXML(MACHINE.format(cpu=document), libvirt.VIR_DOMAIN_START_PAUSED)
        try:
            return etree.tostring(etree.fromstring(machine.XMLDesc(0)).find("cpu")).decode()
        finally:
            machine.destroy()

    for document in STARTED:
        ours, theirs = (outcome(started, c, document) for c in both)
        assert_same(re.sub(' clusters="1"', "", ours) if isinstance(ours, str) else ours, theirs)  # of libvirt 11.3


def host_cpu(connection):
    return etree.tostring(etree.fromstring(connection.getCapabilities()).find("host/cpu")).decode()


@pytest.fixture
def kvm(libvirtd):
    """Does the real libvirtd offer it?"""
    return "<domain type='kvm'" in libvirtd.connection.getCapabilities()


def test_the_host_s_processor(both):
    """Numbers, model, vendor and features, in their order."""
    ours, theirs = (re.sub(r"\s+", " ", host_cpu(c)) for c in both)
    assert ours == theirs


# Of what documents may say, libvirt offers more: elements, and why ours say no.
NOT_OFFERED = {
    "devices/filesystem": "libvirt offers the driver 'handle', which QEMU has no more",
}


# What this libvirt does not list yet.
OF_LATER_LIBVIRT = ["devices/crypto", "devices/interface", "devices/panic", "devices/console", "features/async-teardown",
                    "features/s390-pv", "features/ps2", "features/tdx", "features/launchSecurity"]


def offered(connection, machine, virt_type):
    root = etree.fromstring(connection.getDomainCapabilities(None, None, machine, virt_type, 0))
    for path in NOT_OFFERED:
        element = root.find(path)
        for child in list(element):
            element.remove(child)
        element.set("supported", "-")
        element.text = None
    for path in OF_LATER_LIBVIRT:
        for element in root.findall(path):
            element.getparent().remove(element)
    if machine in WITHOUT_FIRMWARE:
        root.remove(root.find("os"))
    if machine == "microvm":  # libvirt offers it what it cannot have
        for value in root.xpath("devices/disk/enum/value[. = 'floppy' or . = 'fdc']"):
            value.getparent().remove(value)
        root.find("features/genid").set("supported", "-")
    return re.sub(r"\s+", " ", re.sub(r">\s+<", "><", etree.tostring(root).decode()))


# No firmware's descriptor is for these machines; libvirt then lists files that a compiled-in list names.
WITHOUT_FIRMWARE = ["microvm", "isapc"]


@pytest.mark.parametrize("machine", [None, "pc", "q35", "pc-i440fx-5.2", "none", *WITHOUT_FIRMWARE])
@pytest.mark.parametrize("virt_type", ["qemu", "kvm"])
def test_what_documents_may_say(both, machine, virt_type, kvm):
    if virt_type == "kvm" and not kvm:
        pytest.skip("KVM cannot be used here")
    ours, theirs = (outcome(offered, c, machine, virt_type) for c in both)
    assert_same(ours, theirs)
