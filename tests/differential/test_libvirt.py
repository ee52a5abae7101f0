# SPDX-License-Identifier: LGPL-2.1-or-later
"""The stored answers are still libvirt's, and ours still are its: each golden document through the real libvirtd,
and the devices of the command line QEMU would be started with.

With --regenerate the answers are stored anew.
"""

import json
import shlex
import subprocess

import golden
import libvirt
import pytest

DOMCTL = golden.build_directory() / "cli" / "domctl"

# What belongs to the host and not to the machine, and may differ: a path in the document, and why.
HOST_SIDE = {
    "devices/emulator": "the path of QEMU on this host",
}

# Documents we refuse and libvirt defines: the guest could never be started, and we say so at once.
REFUSED_ONLY_BY_US = {
    "refused-piix3-ide-function-pc": "QEMU has its own IDE controller at 00:01.1, and exits",
    "refused-switch-loop-q35": "libvirt plugs the two ports into each other, and QEMU exits",
}

# Documents that libvirt 9.0 refuses, or takes and then does not start: we are 11.3's.
OF_LATER_LIBVIRT = {
    "acpi-tables-q35": "9.0 knows one table, and not twice",
    "channel-port-left-open-q35": "9.0 puts the controllers it adds last",
    "controllers-index-gap": "9.0 puts the controllers it adds last",
    "disks-scsi-explicit-targets": "9.0 puts the controllers it adds last",
    "disks-virtio-scsi-q35": "9.0 puts the controllers it adds last",
    "features-of-q35": "9.0 knows no ps2 and no asynchronous teardown",
    "launch-security-q35": "this host has no SEV, and 9.0 refuses it at once",
    "launch-security-snp-q35": "9.0 knows no sev-snp",
    "pci-gap-in-controllers-pc": "9.0 puts the controllers it adds last",
    "pci-gap-in-controllers-q35": "9.0 puts the controllers it adds last",
    "serial-and-virtio-console-pc": "9.0 numbers consoles before it adds the serial port's",
    "vcpus-many-q35": "9.0 adds no IOMMU",
    "refused-acpi-tables-twice": "9.0 knows one table",
    "refused-features-of-power": "9.0 says it in other words",
    "refused-launch-security-policy": "9.0 knows no sev-snp",
    "refused-video-blob": "9.0 starts it",
    "refused-watchdog-ib700-q35": "9.0 finds it at the start",
    "refused-numa-link-no-node": "9.0 says it in other words",
    "inputs-pc": "9.0 takes a keyboard without a bus for the chipset's own",
    "iommu-intel-q35": "9.0 knows no dma_translation",
    "interface-ends-q35": "9.0 refuses the routes of the host's end",
    "interface-passt-q35": "9.0 on this host knows no passt",
    "memory-no-nodes-q35": "9.0 wants a node to be said",
    "memory-virtio-mem-base-pc": "9.0 knows no address of a virtio-mem device",
    "memory-virtio-pmem-q35": "9.0 wants a node to be said",
    "pstore-q35": "9.0 knows no pstore",
    "refused-crypto-lkcf": "9.0 knows no <crypto>",
    "refused-crypto-nobackend": "9.0 knows no <crypto>",
    "refused-filesystem-limit": "9.0 passes it over",
    "hostdev-pci-display-q35": "9.0 knows no display of PCI devices",
    "hostdev-pci-teaming-q35": "9.0 knows no model of a driver",
    "hostdev-scsi-iscsi-pc": "9.0 adds the second controller later",
    "hostdev-usb-order-q35": "9.0 gives ports to sound cards last",
    "interface-ends-q35": "9.0 refuses the routes of the host's end",
    "interface-passt-q35": "9.0 on this host knows no passt",
    "refused-hostdev-display": "9.0 knows no display of PCI devices",
    "refused-hostdev-interface-source": "9.0 says it in other words",
    "refused-hostdev-ramfb-twice": "9.0 knows no ramfb of PCI devices",
    "refused-interface-forward-range": "9.0 on this host knows no passt",
    "refused-interface-forward-slirp": "9.0 passes it over",
    "refused-interface-ip-bridge": "9.0 says it in other words",
    "refused-interface-passt-bridge": "9.0 on this host knows no passt",
    "refused-interface-vdpa-model": "9.0 says it in other words",
    "refused-interface-vhostuser-reconnect": "9.0 says it in other words",
    "refused-interface-vhostuser-memory": "9.0 finds it at the start",
    "refused-pstore-s65": "9.0 knows no pstore",
    "refused-pstore-two": "9.0 knows no pstore",
    "refused-shmem-size3": "9.0 starts it",
    "disks-chains-q35": "what was stored is 11.3's",
    "disks-iscsi-gluster-q35": "what was stored is 11.3's",
    "disks-luks-q35": "what was stored is 11.3's",
    "disks-nbd-q35": "what was stored is 11.3's",
    "disks-nvme-dir-q35": "what was stored is 11.3's",
    "disks-rbd-q35": "what was stored is 11.3's",
    "disks-reservations-pc": "what was stored is 11.3's",
    "disks-slices-q35": "what was stored is 11.3's",
    "disks-throttle-q35": "what was stored is 11.3's",
    "disks-vhost-user-q35": "what was stored is 11.3's",
    "disks-web-q35": "what was stored is 11.3's",
    "refused-disk-auth-twice": "what was stored is 11.3's",
    "refused-disk-auth-type": "what was stored is 11.3's",
    "refused-disk-cache-raw": "what was stored is 11.3's",
    "refused-disk-cookie": "what was stored is 11.3's",
    "refused-disk-data-store-raw": "what was stored is 11.3's",
    "refused-disk-dir-format": "what was stored is 11.3's",
    "refused-disk-dir-writable": "what was stored is 11.3's",
    "refused-disk-discard-no-unref": "what was stored is 11.3's",
    "refused-disk-encryption-old": "what was stored is 11.3's",
    "refused-disk-encryption-vmdk": "what was stored is 11.3's",
    "refused-disk-format-iso": "what was stored is 11.3's",
    "refused-disk-iothread-queue": "what was stored is 11.3's",
    "refused-disk-iothread-twice": "what was stored is 11.3's",
    "refused-disk-librbd-file": "what was stored is 11.3's",
    "refused-disk-luks-two": "what was stored is 11.3's",
    "refused-disk-luks2": "what was stored is 11.3's",
    "refused-disk-lun-nbd": "what was stored is 11.3's",
    "refused-disk-nbd-socket": "what was stored is 11.3's",
    "refused-disk-nfs-port": "what was stored is 11.3's",
    "refused-disk-nvme-namespace": "what was stored is 11.3's",
    "refused-disk-port": "what was stored is 11.3's",
    "refused-disk-rbd-name": "what was stored is 11.3's",
    "refused-disk-reservations-disk": "what was stored is 11.3's",
    "refused-disk-sheepdog": "what was stored is 11.3's",
    "refused-disk-slice-size": "what was stored is 11.3's",
    "refused-disk-throttle-iotune": "what was stored is 11.3's",
    "refused-disk-throttle-missing": "what was stored is 11.3's",
    "refused-disk-transient-block": "what was stored is 11.3's",
    "refused-disk-vhost-user-cache": "what was stored is 11.3's",
    "refused-disk-vhost-user-memory": "what was stored is 11.3's",
    "tpm-emulator-q35": "9.0 knows no debug level of a TPM",
    "vsock-crypto-auto-pc": "9.0 knows no <crypto>",
    "vsock-crypto-q35": "9.0 knows no <crypto>",
}
ACCEPTED = [name for name in golden.ACCEPTED if name not in OF_LATER_LIBVIRT]
REFUSED = [name for name in golden.REFUSED if name not in OF_LATER_LIBVIRT]

# Machines that this host's QEMU does not start, paused as they are; they have no aliases.txt.
NOT_STARTED = {
    "controllers-all-pc": "QEMU calls it dc390, libvirt 9.0 asks for dc-390",
    "direct-kernel": "the kernel of the test is no kernel",
    "disks-block-q35": "there is no such block device",
    "filesystem-virtiofs-pc": "nobody listens on the socket",
    "filesystem-virtiofs-q35": "nobody listens on the socket",
    "founding-q35": "needs a render node",
    "graphics-egl-headless-q35": "needs a render node",
    "graphics-sdl-pc": "needs a display",
    "hostdev-mdev-q35": "there are no such devices",
    "hostdev-pci-pc": "there are no such devices",
    "hostdev-pci-q35": "there are no such devices",
    "hostdev-pci-unassigned-q35": "there are no such devices",
    "hostdev-scsi-host-q35": "there are no such devices",
    "hostdev-scsi-iscsi-q35": "nobody serves the units",
    "hostdev-usb-ids-pc": "there are no such devices",
    "hostdev-usb-q35": "there are no such devices",
    "interface-hostdev-q35": "there are no such devices",
    "interface-hostdev-teaming-pc": "there are no such devices",
    "interface-options-q35": "there are no such bridges and devices",
    "interface-vhost-q35": "nobody listens on the sockets",
    "iommu-virtio-q35": "there is no such disk",
    "memory-nvdimm-q35": "there are no such files",
    "multifunction-off-on-function-zero": "QEMU wants multifunction=on; libvirt lets the document say no",
    "shmem-q35": "nobody listens on the socket",
    "shmem-roles-q35": "nobody listens on the socket",
    "smartcard-certificates-pc": "there are no such certificates",
    "tuning-placement-auto-q35": "nobody gives advice on where to place it",
    "tuning-processors-q35": "libvirtd is run without control groups",
    "usb-controller-kinds-pc": "Debian's QEMU has no vt82c686b",
    "vsock-defaults-q35": "needs /dev/vhost-vsock",
}

# Some of those that start, to be started in every run; with --regenerate all are.
STARTED_ALWAYS = ["aliases-from-user-q35", "cloud", "desktop", "minimal-pc", "minimal-q35", "old-server-pc",
                  "usb-hub-automatic-pc"]


# What libvirt 11.3 adds and 9.0 does not: a q35's own watchdog, the clusters of a topology.
def without_later_additions(root):
    for watchdog in root.findall("devices/watchdog[@model='itco']"):
        watchdog.getparent().remove(watchdog)
    devices = root.find("devices")
    controllers = devices.findall("controller")
    for controller in controllers:  # 11.3 puts those it adds among the others
        devices.remove(controller)
    devices.extend(sorted(controllers, key=lambda one: (one.get("type"), int(one.get("index")))))
    for topology in root.iter("topology"):
        if topology.get("clusters") == "1":
            del topology.attrib["clusters"]


def completed_for_older(name):
    root = golden.etree.fromstring(golden.text(name, "completed.xml").encode())
    without_later_additions(root)
    return golden.etree.tostring(root).decode()


def without_later_aliases(name):
    """The stored devices of a running machine but for a q35's own watchdog, which is named by its place among them."""
    watchdogs = golden.etree.fromstring(golden.text(name, "completed.xml").encode()).findall("devices/watchdog")
    later = {f"watchdog watchdog{i}\n" for i, watchdog in enumerate(watchdogs) if watchdog.get("model") == "itco"}
    return "".join(line for line in golden.text(name, "aliases.txt").splitlines(True) if line not in later)


def without_host_side(document):
    root = golden.etree.fromstring(document.encode())
    without_later_additions(root)
    for path in HOST_SIDE:
        for element in root.findall(path):
            element.getparent().remove(element)
    return golden.etree.tostring(root).decode()


def store(name, file, text, request):
    if request.config.getoption("--regenerate"):
        (golden.FOLDER / name / file).write_text(text)


@pytest.mark.parametrize("name", ACCEPTED)
def test_completed(name, libvirtd, request):
    completed = libvirtd.completed(golden.text(name, "domain.xml"))
    store(name, "completed.xml", completed, request)
    assert without_host_side(golden.text(name, "completed.xml")) == without_host_side(completed)

    ours = golden.normalize(name)
    assert ours.stderr == ""
    assert without_host_side(ours.stdout) == without_host_side(completed)


@pytest.mark.parametrize("name", ACCEPTED)
def test_completed_document_read_again(name, libvirtd):
    """As when a daemon restarts, or a machine moves between libvirt and us."""
    again = libvirtd.completed(completed_for_older(name))
    ours = golden.normalize(name, file="completed.xml")
    assert ours.stderr == ""
    assert without_host_side(ours.stdout) == without_host_side(again)


@pytest.mark.parametrize("name", REFUSED)
def test_refused(name, libvirtd, request):
    if name in REFUSED_ONLY_BY_US:
        assert libvirtd.completed(golden.text(name, "domain.xml"))
        return
    with pytest.raises(libvirt.libvirtError) as refusal:
        libvirtd.completed(golden.text(name, "domain.xml"))
    store(name, "libvirt-refusal.txt", f"{refusal.value}\n", request)
    assert golden.text(name, "libvirt-refusal.txt") == f"{refusal.value}\n"


def qemu_devices(arguments):
    """The -device arguments, sorted. Back-ends are the host's; drive says which of them, and is left out."""
    devices = []
    for option, value in zip(arguments, arguments[1:]):
        if option != "-device":
            continue
        device = json.loads(value)
        device.pop("drive", None)
        devices.append(json.dumps(device, sort_keys=True))
    return sorted(devices)


def is_kept_by_domxml_to_native(name):
    """libvirt's conversion forgets what an interface says of its address, alias and boot order."""
    interfaces = golden.etree.fromstring(golden.text(name, "domain.xml").encode()).iter("interface")
    return not any(interface.find(path) is not None for interface in interfaces
                   for path in ("address", "alias", "boot"))


@pytest.mark.parametrize("name", filter(is_kept_by_domxml_to_native, golden.STARTED))
def test_devices_of_command_line(name, libvirtd):
    if not DOMCTL.exists():
        pytest.skip("domctl is not built")
    theirs = shlex.split(libvirtd.arguments(completed_for_older(name)))
    ours = subprocess.run([DOMCTL, "translate", "--format", "json", "domain.xml"], cwd=golden.FOLDER / name,
                          capture_output=True, text=True, check=True)
    assert qemu_devices(json.loads(ours.stdout)["argv"]) == qemu_devices(theirs)


def pytest_generate_tests(metafunc):
    if "started" in metafunc.fixturenames:
        everything = metafunc.config.getoption("--regenerate")
        metafunc.parametrize("started", [name for name in ACCEPTED if name not in NOT_STARTED]
                             if everything else STARTED_ALWAYS)


def test_running_machine(started, libvirtd, request):
    aliases = golden.hardware(libvirtd.live(golden.text(started, "domain.xml")))
    store(started, "aliases.txt", aliases, request)
    assert sorted(without_later_aliases(started).splitlines()) == sorted(aliases.splitlines())
