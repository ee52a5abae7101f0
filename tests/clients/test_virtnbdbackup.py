# SPDX-License-Identifier: LGPL-2.1-or-later
"""Debian's virtnbdbackup: full, incremental and differential backups of a machine, and a machine made of them."""

import os
import shutil
import subprocess

import pytest
from conftest import BUILD, TOP, domain_xml, wait_for
from virsh import virsh  # noqa: F401  (a fixture)

NAME = "kept"
UUID = "7a1c2b3d-4e5f-4a6b-8c7d-9e0f1a2b3c4d"
MIB = 1 << 20
FREE = 90 * MIB  # of the image's 96: no file of the guest's is there
PATIENCE = 300  # seconds a program has: far more than it needs


def document(name, uuid, root, image):
    xml = domain_xml(name, uuid, "<features><acpi/></features>", devices=f"""
    <disk type='file' device='disk'>
      <driver name='qemu' type='qcow2'/><source file='{image}'/><target dev='vda' bus='virtio'/>
    </disk>
    <serial type='file'><source path='{root}/{name}.console'/><target port='0'/></serial>""")
    return xml.replace("<memory unit='MiB'>32<", "<memory unit='MiB'>128<")


@pytest.fixture
def machine(daemon, virsh):  # noqa: F811
    subprocess.run([TOP / "examples" / "guest" / "make", BUILD / "guest"], check=True)
    subprocess.run([TOP / "tests" / "cloud-guest" / "make", BUILD / "guest", BUILD / "cloud-guest"], check=True)
    shutil.copy(BUILD / "cloud-guest" / "image.qcow2", daemon.root / "disk.qcow2")
    start(daemon, virsh, NAME, UUID, daemon.root / "disk.qcow2")
    return daemon.root


def start(daemon, virsh, name, uuid, image):  # noqa: F811
    path = daemon.root / f"{name}.xml"
    path.write_text(document(name, uuid, daemon.root, image))
    virsh("define", path)
    virsh("start", name)
    console = daemon.root / f"{name}.console"
    wait_for(lambda: console.exists() and b"login: " in console.read_bytes(), "the guest's login")


def write(virsh, pattern, offset):  # noqa: F811
    for command in f"write -P {pattern} {offset} 1M", "flush":
        virsh("qemu-monitor-command", NAME, "--hmp",
              f'qemu-io -d /machine/peripheral/virtio-disk0/virtio-backend "{command}"')


def run(virsh, root, program, *words):  # noqa: F811
    environment = dict(virsh.environment, PATH=os.environ["PATH"], TMPDIR=str(root))
    done = subprocess.run([program, *map(str, words)], env=environment, capture_output=True, text=True,
                          timeout=PATIENCE, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


def backup(virsh, root, level):  # noqa: F811
    run(virsh, root, "virtnbdbackup", "-U", virsh.uri, "-d", NAME, "-l", level, "-o", root / "backups", "-S", root,
        "-f", root / "backup.sock", "-n")


def test_full_incremental_and_differential_come_back_to_a_machine_that_boots(daemon, virsh, machine):  # noqa: F811
    root = machine
    backup(virsh, root, "full")
    write(virsh, 1, FREE)
    backup(virsh, root, "inc")
    write(virsh, 2, FREE + MIB)
    backup(virsh, root, "diff")
    write(virsh, 3, FREE + 2 * MIB)
    backup(virsh, root, "inc")
    names = [row[0] for row in virsh.table("checkpoint-list", NAME)]
    assert names == ["virtnbdbackup.0", "virtnbdbackup.1", "virtnbdbackup.2"]
    virsh("destroy", NAME)

    restored = root / "restored"
    run(virsh, root, "virtnbdrestore", "-U", virsh.uri, "-i", root / "backups", "-o", restored, "-a", "restore")
    image = next(path for path in restored.iterdir() if path.suffix != ".xml" and "qcow2" in path.name)
    subprocess.run(["qemu-img", "compare", image, root / "disk.qcow2"], check=True, stdout=subprocess.DEVNULL)
    start(daemon, virsh, "restored", UUID.replace("7a1c", "8b2d"), image)
    virsh("destroy", "restored")
    assert not list(root.glob("backup.sock")) and not list(root.glob("machines/*/backup.json"))
