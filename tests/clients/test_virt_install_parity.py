# SPDX-License-Identifier: LGPL-2.1-or-later
"""virt-install makes the same document for us as for the real libvirtd, from the same options.

What it writes depends on what a daemon says of itself: capabilities of the host and of its domains, the version, what is
defined already. Whatever is missing or wrong there changes the machines that people get.
"""

import difflib

import pytest

from host import GUEST, PATIENCE, host, little_linux, needs  # noqa: F401
from two_daemons import libvirtd, start  # noqa: F401

pytestmark = needs("/usr/bin/virt-install", "virtinst")

COMMON = ["--connect", "qemu:///system", "--virt-type", "qemu", "--name", "web", "--memory", "512", "--noautoconsole",
          "--uuid", "3b4a1f5e-9a5c-4f4e-8c0d-0a6a5f1c2d3e", "--print-xml"]
USER = ["--network", "user,mac=52:54:00:0a:0b:0c"]
IMPORT = ["--import", "--disk", "DISK", *USER]
LINUX = ["--osinfo", "linux2022", *IMPORT]
NO_SYSTEM = ["--osinfo", "detect=off,require=off"]

OPTION_SETS = {
    "Debian": ["--osinfo", "debian11", *IMPORT],
    "Fedora": ["--osinfo", "fedora36", *IMPORT],
    "Windows": ["--osinfo", "win10", *IMPORT],
    "a system from before virtio": ["--osinfo", "winxp", *IMPORT],
    "no system": [*NO_SYSTEM, *IMPORT],
    "UEFI": ["--boot", "uefi", *LINUX],
    "firmware by its features": ["--boot", "firmware=efi,firmware.feature0.name=secure-boot,firmware.feature0.enabled=no", *LINUX],
    "pc": ["--machine", "pc", *LINUX],
    "the host's processor": ["--cpu", "host-model", "--vcpus", "4,sockets=2,cores=2", *LINUX],
    "processor passed through": ["--cpu", "host-passthrough", *LINUX],
    "processor by name": ["--cpu", "Haswell,+avx2,disable=hle", *LINUX],
    "NUMA": ["--vcpus", "2", "--cpu", "qemu64,numa.cell0.cpus=0,numa.cell0.memory=262144,numa.cell1.cpus=1,"
             "numa.cell1.memory=262144", *LINUX],
    "shared memory": ["--memorybacking", "access.mode=shared,source.type=memfd", *LINUX],
    "VNC": ["--graphics", "vnc", "--video", "virtio", *LINUX],
    "no screen": ["--graphics", "none", *LINUX],
    "many devices": ["--controller", "scsi,model=virtio-scsi", "--disk", "DISK,bus=scsi,cache=none", "--watchdog", "default",
                     "--rng", "/dev/random", "--sound", "default", "--input", "keyboard", "--vsock", "default", "--panic",
                     "default", "--channel", "qemu-vdagent", "--filesystem", "/tmp,share", *LINUX],
    "kernel": [*NO_SYSTEM, "--disk", "none", "--import", *USER, "--boot",
               f"kernel={GUEST}/vmlinuz,initrd={GUEST}/initrd.img,kernel_args=console=ttyS0"],
    "disk to be made": [*NO_SYSTEM, "--disk", "NEW,size=1", "--import", *USER],
    "installation from a CD": [*NO_SYSTEM, "--disk", "DISK", "--cdrom", "DISK", *USER],
    "installation from the network": [*NO_SYSTEM, "--disk", "DISK", "--pxe", "--network", "default,mac=52:54:00:0a:0b:0c"],
    "an architecture that is not there": ["--arch", "sparc64", *LINUX],
    "containers": ["--container", *IMPORT],
}

@pytest.mark.parametrize("name", OPTION_SETS)
def test_the_same_document(host, libvirtd, name):  # noqa: F811
    disk = host.disk("web.qcow2")

    def install(sockets, own):
        own.mkdir()  # for its log, and an image that the other does not find made already
        options = [word.replace("DISK", str(disk)).replace("NEW", str(own / "new.qcow2")) for word in OPTION_SETS[name]]
        return start(sockets, ["virt-install", *COMMON, *options], dict(host.environment, XDG_CACHE_HOME=str(own)))

    mine, other = host.images / "mine", host.images / "other"
    with install(host.daemon.root / "run" / "libvirt", mine) as ours, install(libvirtd, other) as theirs:
        document = ours.communicate(timeout=PATIENCE)[0].splitlines()
        reference = theirs.communicate(timeout=PATIENCE)[0].replace(str(other), str(mine)).splitlines()
    assert ours.returncode == theirs.returncode
    assert document
    different = [line for line in difflib.unified_diff(reference, document, "libvirtd", "domaind", lineterm="", n=0)
                 if not line.startswith(("---", "+++", "@@"))]
    assert different == []
