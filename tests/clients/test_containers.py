# SPDX-License-Identifier: LGPL-2.1-or-later
"""Containers' configs, run by the programs they are for: Debian's LXC and crun start what `domctl translate` made of a
document, and read the values that were meant."""

import os
import shutil
import subprocess

import pytest

from conftest import BUILD

SCRIPT = """#!/bin/busybox sh
busybox echo "hello $WHO" > /out/said
busybox id -u >> /out/said
"""

DOCUMENT = """<domain type='lxc'>
  <name>box</name>
  <memory unit='MiB'>64</memory>
  <os>
    <type>exe</type>
    <init>/bin/busybox</init>
    <initarg>sh</initarg>
    <initarg>/go</initarg>
    <initenv name='WHO'>world; lxc.uts.name = other</initenv>
    <initenv name='PATH'>/bin</initenv>
  </os>
  <features><capabilities policy='deny'><chown state='on'/></capabilities></features>
  <devices>
    <filesystem type='mount'><source dir='{root}'/><target dir='/'/></filesystem>
    <filesystem type='mount'><source dir='{out}'/><target dir='/out'/></filesystem>
  </devices>
</domain>
"""

SAID = "hello world; lxc.uts.name = other\n0\n"

# The runtime wants one hierarchy of control groups, and hosts of Debian 12 may have two: its own mount, for it alone.
ALONE = "umount -R /sys/fs/cgroup; mount -t cgroup2 none /sys/fs/cgroup && exec \"$@\""


@pytest.fixture
def container(tmp_path):
    """A root with one program, and a directory that the container can write to."""
    root, out = tmp_path / "a root", tmp_path / "out"
    for folder in ("bin", "proc", "sys", "dev", "out"):
        (root / folder).mkdir(parents=True)
    out.mkdir()
    shutil.copy("/bin/busybox", root / "bin")
    (root / "go").write_text(SCRIPT)
    (tmp_path / "box.xml").write_text(DOCUMENT.format(root=root, out=out))
    return tmp_path


def translate(folder, target):
    ran = subprocess.run([BUILD / "cli" / "domctl", "translate", "--to", target, "box.xml"], cwd=folder, capture_output=True, text=True,
                         check=False, env={**os.environ, "LC_ALL": "C"})
    assert ran.returncode == 0, ran.stderr
    return ran.stdout


@pytest.mark.skipif(os.geteuid() != 0, reason="containers of root's")
def test_lxc_runs_it(container):
    (container / "box").mkdir()
    (container / "box" / "config").write_text(translate(container, "lxc"))
    read = {key: subprocess.run(["lxc-info", "-P", container, "-n", "box", "-c", key], check=True, capture_output=True,
                                text=True).stdout.strip().partition(" = ")[2]
            for key in ("lxc.uts.name", "lxc.rootfs.path", "lxc.cgroup2.memory.max", "lxc.cap.keep")}
    assert read == {"lxc.uts.name": "box", "lxc.rootfs.path": str(container / "a root"),
                    "lxc.cgroup2.memory.max": "67108864", "lxc.cap.keep": "chown"}
    log = container / "log"
    ran = subprocess.run(["lxc-start", "-P", container, "-n", "box", "-F", "-l", "INFO", "-o", log], check=False,
                         stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60)
    assert ran.returncode == 0, log.read_text()
    assert (container / "out" / "said").read_text() == SAID


@pytest.mark.skipif(os.geteuid() != 0, reason="containers of root's")
def test_crun_runs_it(container):
    (container / "config.json").write_text(translate(container, "oci"))
    ran = subprocess.run(["unshare", "-m", "sh", "-c", ALONE, "sh", "crun", "--root", container / "state",
                          "--cgroup-manager=disabled", "run", "--bundle", container, "box"], check=False,
                         stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60)
    assert ran.returncode == 0, ran.stderr
    assert (container / "out" / "said").read_text() == SAID
