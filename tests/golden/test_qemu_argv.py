# SPDX-License-Identifier: LGPL-2.1-or-later
"""Golden documents as QEMU command lines: the stored ones, and whether the real QEMU makes that machine of them."""

import golden
import pytest
import qemu_argv

# What a test's host cannot start, and why.
NOT_STARTED = {
    "vcpus-many-q35": "QEMU remaps interrupts for so many processors with KVM only",
    "acpi-tables-q35": "there are no such tables",
    "chardevs-tls-q35": "there are no such certificates, and nobody listens",
    "multifunction-off-on-function-zero": "QEMU finds a second function in a slot that libvirt lets say it has one",
    "channel-paths-q35": "it listens where the document says, and not in a scratch directory",
    "disks-chains-q35": "its servers are nowhere; tests/daemon/test_disk_sources.py has some",
    "disks-iscsi-gluster-q35": "its servers are nowhere",
    "disks-luks-q35": "the daemon makes the files of its secrets: tests/daemon/test_disk_sources.py",
    "disks-nbd-q35": "its servers are nowhere; tests/daemon/test_disk_sources.py has some",
    "disks-nvme-dir-q35": "there is no such PCI device",
    "disks-rbd-q35": "its servers are nowhere",
    "disks-reservations-pc": "its helpers are started by the daemon",
    "disks-slices-q35": "the images the comparison makes are smaller",
    "disks-vhost-user-q35": "nobody listens on the socket",
    "disks-web-q35": "its servers are nowhere; tests/daemon/test_disk_sources.py has some",
    "disks-lun-q35": "it needs disks that take SCSI commands",
    "filesystem-virtiofs-pc": "virtiofsd is started by the daemon: tests/daemon/test_filesystem.py",
    "filesystem-virtiofs-q35": "virtiofsd is started by the daemon: tests/daemon/test_filesystem.py",
    "memory-nvdimm-q35": "it makes half a GiB of each file",
    "qemu-namespace-pc": "it names a keyboard of the host; tests/daemon/test_qemu_namespace.py starts one that does not",
    "qemu-options-q35": "its devices are said as options, which the comparison does not read",
    "qemu-set-device-q35": "its devices are changed by -set, which the comparison does not read",
    "shmem-q35": "nobody listens on the socket",
    "shmem-roles-q35": "nobody listens on the socket",
    "smartcard-certificates-pc": "there are no such certificates",
    "tpm-defaults-pc": "swtpm listens where the daemon has started it: tests/daemon/test_tpm.py",
    "tpm-emulator-q35": "swtpm listens where the daemon has started it: tests/daemon/test_tpm.py",
    "tpm-external-q35": "swtpm listens where the daemon has started it: tests/daemon/test_tpm.py",
    "tpm-passthrough-pc": "it needs a TPM of the host",
    "vsock-crypto-auto-pc": "it needs /dev/vhost-vsock",
    "vsock-crypto-q35": "it needs /dev/vhost-vsock",
    "vsock-defaults-q35": "it needs /dev/vhost-vsock",
}
MEMORY_DEVICES = ("pc-dimm", "nvdimm", "virtio-mem-pci", "virtio-pmem-pci")
CASES = [name for name in golden.ACCEPTED
         if (golden.FOLDER / name / "qemu-argv").exists()]
REFUSED = {
    "launch-security-q35": "'sev' launch security is not supported with this QEMU binary on this host",
    "launch-security-snp-q35": "'sev-snp' launch security is not supported with this QEMU binary on this host",
    "tuning-placement-auto-q35": "Advice from numad is needed in case of automatic numa placement",
    "usb-controller-kinds-pc": "controller usb 3 (vt82c686b-uhci): the device 'vt82c686b-usb-uhci' is not supported by QEMU "
                               "7.2.22 (/usr/bin/qemu-system-x86_64)",
}


@pytest.mark.parametrize("name", [name for name in golden.ACCEPTED if name not in REFUSED])
def test_command_line(name, request):
    result = qemu_argv.translate(name)
    if request.config.getoption("--accept"):
        (golden.FOLDER / name / "qemu-argv").write_text(result.stdout)
    assert result.stderr == ""
    assert result.stdout == golden.text(name, "qemu-argv")


@pytest.mark.parametrize("name", REFUSED)
def test_machine_qemu_cannot_make_is_refused(name):
    result = qemu_argv.translate(name)
    assert (result.returncode, result.stdout) == (1, "")
    assert REFUSED[name] in result.stderr


@pytest.mark.parametrize("name", CASES)
def test_qemu_makes_that_machine(name, tmp_path):
    """Its devices at their places, with their properties and back-ends, as QEMU itself says."""
    if name in NOT_STARTED:
        pytest.skip(NOT_STARTED[name])
    result = qemu_argv.translate(name, tmp_path)
    arguments = qemu_argv.options(result.stdout)
    if lacking := qemu_argv.missing(arguments):
        pytest.skip(f"needs {lacking}")

    words = qemu_argv.startable(arguments, tmp_path)
    started = list(zip(words, [*words[1:], None]))
    with qemu_argv.Machine(words, tmp_path / "monitor.sock") as machine:
        assert machine.ask("query-status")["status"] == "prelaunch"
        devices = qemu_argv.device_options(arguments)
        has = {child["name"]: child["type"] for child in machine.ask("qom-list", path="/machine/peripheral")}
        assert {device["id"] for device in devices if "id" in device} <= set(has)
        assert qemu_argv.wrong_properties(machine, devices) == []
        assert qemu_argv.ids_of(started, "-chardev", "id") <= {one["label"] for one in machine.ask("query-chardev")}
        assert qemu_argv.ids_of(arguments, "-blockdev", "node-name") <= {
            one["node-name"] for one in machine.ask("query-named-block-nodes", flat=True)}
        assert {device["id"] for device in devices if device["driver"] in MEMORY_DEVICES} == {
            one["data"]["id"] for one in machine.ask("query-memory-devices")}
        if name in golden.STARTED:  # the document itself: each of its devices at its place
            said = qemu_argv.document_places(name)
            at = {alias: qemu_argv.pci_place(machine, alias) for alias in said if alias in has}
            assert [alias for alias, (_, place) in at.items() if place not in said[alias]] == []
        root = {device["qdev_id"] for bus in machine.ask("query-pci") for device in bus["devices"]}
        places = qemu_argv.pci_places(arguments)
        assert {device for device, (bus, _) in places.items() if bus in ("pci.0", "pcie.0")} <= root
        assert {device: qemu_argv.pci_place(machine, device) for device in places} == places
