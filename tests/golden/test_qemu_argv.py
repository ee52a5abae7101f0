# SPDX-License-Identifier: LGPL-2.1-or-later
"""Golden documents as QEMU command lines: the stored ones, and whether the real QEMU makes that machine of them."""

import golden
import pytest
import qemu_argv

NOT_STARTED = {
    "multifunction-off-on-function-zero",  # libvirt accepts it; QEMU finds a second function in a slot that says it has one
    "channel-paths-q35",  # listens where the document says
    "disks-chains-q35",  # its servers are nowhere; tests/daemon/test_disk_sources.py has some
    "disks-iscsi-gluster-q35",
    "disks-luks-q35",  # the daemon makes the files of its secrets
    "disks-lun-q35",  # needs disks that take SCSI commands
    "disks-nbd-q35",
    "disks-nvme-dir-q35",
    "disks-rbd-q35",
    "disks-reservations-pc",
    "disks-slices-q35",  # the images the comparison makes are smaller
    "disks-vhost-user-q35",
    "disks-web-q35",
    "filesystem-virtiofs-pc",  # virtiofsd is started by the daemon: tests/daemon/test_filesystem.py
    "filesystem-virtiofs-q35",
    "memory-nvdimm-q35",  # makes half a GiB of each file
    "qemu-namespace-pc",  # names a keyboard of the host; tests/daemon/test_qemu_namespace.py starts one that does not
    "qemu-options-q35",  # devices are said as options, which the comparison does not read
    "qemu-set-device-q35",
    "shmem-q35",  # nobody listens on the socket
    "shmem-roles-q35",
    "smartcard-certificates-pc",  # there are no such certificates
    "tpm-defaults-pc",  # swtpm listens where the daemon has started it: tests/daemon/test_tpm.py
    "tpm-emulator-q35",
    "tpm-external-q35",
    "tpm-passthrough-pc",  # needs a TPM of the host
    "vsock-crypto-auto-pc",  # needs /dev/vhost-vsock
    "vsock-crypto-q35",
    "vsock-defaults-q35",
}
CASES = [name for name in golden.ACCEPTED
         if (golden.FOLDER / name / "qemu-argv").exists() and name not in NOT_STARTED]
REFUSED = {
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
    result = qemu_argv.translate(name, tmp_path)
    arguments = qemu_argv.options(result.stdout)
    if lacking := qemu_argv.missing(arguments):
        pytest.skip(f"needs {lacking}")

    with qemu_argv.Machine(qemu_argv.startable(arguments, tmp_path), tmp_path / "monitor.sock") as machine:
        assert machine.ask("query-status")["status"] == "prelaunch"
        root = {device["qdev_id"] for bus in machine.ask("query-pci") for device in bus["devices"]}
        places = qemu_argv.pci_places(arguments)
        assert {device for device, (bus, _) in places.items() if bus in ("pci.0", "pcie.0")} <= root
        assert {device: qemu_argv.pci_place(machine, device) for device in places} == places
