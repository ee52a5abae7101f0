# SPDX-License-Identifier: LGPL-2.1-or-later
"""Saving and dumping to where libvirt does: through symbolic links, and to block devices."""

import os
import subprocess

import pytest

from conftest import CONNECT, DOMAIN, ROOT, domain_xml

WEB = "66666666-6666-4666-8666-666666666666"
SIZE = 256 * 1024 * 1024


@pytest.fixture
def link(root):
    (root / "there").mkdir()
    (root / "there" / "web.save").write_bytes(b"an old one")
    (root / "link").symlink_to(root / "there" / "web.save")
    return root / "link"


@pytest.fixture
def device(root):
    backing = root / "device.img"
    with open(backing, "wb") as image:
        image.truncate(SIZE)
    loop = subprocess.run(["losetup", "--find", "--show", backing], capture_output=True, text=True, check=False)
    if loop.returncode != 0:
        pytest.skip(f"no loop device can be had: {loop.stderr.strip()}")
    yield loop.stdout.strip()
    subprocess.run(["losetup", "--detach", loop.stdout.strip()], check=True)


def save_and_restore(daemon, place):
    path = daemon.create(domain_xml("web", WEB))
    daemon.call(path, DOMAIN, "Save", "(ssu)", str(place), "", 0)
    assert daemon.machines() == {}
    assert WEB in daemon.call(ROOT, CONNECT, "DomainSaveImageGetXMLDesc", "(su)", str(place), 0)
    daemon.call(ROOT, CONNECT, "DomainRestore", "(ssu)", str(place), "", 0)
    assert set(daemon.machines()) == {"web"}
    return path


def test_a_link_stays_and_leads_to_the_file(daemon, link):
    path = save_and_restore(daemon, link)
    assert link.is_symlink() and link.stat().st_size > 10000
    assert os.listdir(link.parent / "there") == ["web.save"]
    daemon.call(path, DOMAIN, "CoreDump", "(suu)", str(link), 0, 0)
    assert link.is_symlink()


def test_a_block_device_is_written_in_place(daemon, device):
    path = save_and_restore(daemon, device)
    daemon.call(path, DOMAIN, "Save", "(ssu)", device, "", 0)  # over the one before
    daemon.call(ROOT, CONNECT, "DomainRestore", "(ssu)", device, "", 0)
    daemon.call(path, DOMAIN, "CoreDump", "(suu)", device, 0, 1 << 4)  # VIR_DUMP_MEMORY_ONLY
    with open(device, "rb") as dump:
        assert dump.read(4) == b"\x7fELF"


def test_what_is_neither_is_refused(daemon, root):
    path = daemon.create(domain_xml("web", WEB))
    os.mkfifo(root / "fifo")
    _, said = daemon.error(path, DOMAIN, "Save", "(ssu)", str(root / "fifo"), "", 0)
    assert said.endswith(f"'{root}/fifo' exists and is no regular file and no block device")
    assert set(daemon.machines()) == {"web"}
