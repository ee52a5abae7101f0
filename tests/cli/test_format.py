# SPDX-License-Identifier: LGPL-2.1-or-later
"""`domctl fmt` and `domctl hook`: a repository of documents in one form."""

import json
import os
import subprocess

import pytest

from conftest import BUILD, TOP

DOMCTL = BUILD / "cli" / "domctl"
UNFORMATTED = """<?xml version="1.0"?>
<!-- Our web server.
     Ask Ann. -->
<domain   type="qemu"
          xmlns:x="http://example.com/x">
<memory unit="MiB">256</memory> <!-- enough -->
    <!-- known
to the load balancer -->
    <name>web</name>

    <metadata><x:owner  name='ann'/>
  </metadata>
    <devices>
        <interface type='user'/>
        <disk type='file' device='disk'>
          <target dev='vda' bus='virtio'/>
          <!-- of Tuesday -->
          <source file='/srv/a&amp;b.img'/>
        </disk>
        <disk type='file' device='cdrom'><target dev='sda' bus='sata'/></disk>
        <emulator>/usr/bin/qemu-system-x86_64</emulator>
    </devices>
    <os><type arch='x86_64' machine='q35'>hvm</type></os>
    <!-- The end. -->
</domain>"""
FORMATTED = """<?xml version="1.0"?>
<!-- Our web server.
     Ask Ann. -->
<domain type="qemu" xmlns:x="http://example.com/x">
  <!-- known
to the load balancer -->
  <name>web</name>

  <metadata><x:owner  name='ann'/>
  </metadata>
  <memory unit="MiB">256</memory> <!-- enough -->
  <os>
    <type arch='x86_64' machine='q35'>hvm</type>
  </os>
  <devices>
    <emulator>/usr/bin/qemu-system-x86_64</emulator>
    <disk type='file' device='disk'>
      <!-- of Tuesday -->
      <source file='/srv/a&amp;b.img'/>
      <target dev='vda' bus='virtio'/>
    </disk>
    <disk type='file' device='cdrom'>
      <target dev='sda' bus='sata'/>
    </disk>
    <interface type='user'/>
  </devices>
  <!-- The end. -->
</domain>
"""


def domctl(*words, status=0, stdin=None, cwd=None):
    environment = dict(os.environ, LC_ALL="C.UTF-8", PATH=f"{DOMCTL.parent}:{os.environ['PATH']}")
    done = subprocess.run([DOMCTL, *map(str, words)], input=stdin, capture_output=True, text=True, check=False, cwd=cwd,
                          env=environment)
    assert done.returncode == status, done.stdout + done.stderr
    return done.stdout + done.stderr


def test_a_document(tmp_path):
    document = tmp_path / "web.xml"
    document.write_text(UNFORMATTED)
    assert domctl("fmt", "--check", tmp_path, status=1) == f"{document}: not formatted\n"
    assert document.read_text() == UNFORMATTED
    assert domctl("fmt", document) == f"{document}: formatted\n"
    assert document.read_text() == FORMATTED
    assert domctl("fmt", tmp_path) == domctl("fmt", "--check", tmp_path) == ""
    assert json.loads(domctl("--json", "fmt", document)) == [{"file": str(document), "changed": False}]
    assert domctl("fmt", "-", stdin=UNFORMATTED) == FORMATTED


@pytest.mark.parametrize("path", sorted([*(TOP / "examples").glob("*.xml"), *(TOP / "tests/golden").glob("*.xml"),
                                         *(TOP / "data").rglob("*.xml")]), ids=lambda path: path.stem)
def test_every_document_says_the_same(path, tmp_path):
    """Formatted once and twice; what is no document of ours, or has mistakes, is refused."""
    copy = tmp_path / path.name
    copy.write_text(path.read_text())
    if subprocess.run([DOMCTL, "validate", copy], capture_output=True, check=False).returncode != 0:
        domctl("fmt", copy, status=1)
        assert copy.read_text() == path.read_text()
        return
    domctl("fmt", copy)
    once = copy.read_text()
    assert sorted("".join(path.read_text().split())) == sorted("".join(once.split()))
    assert domctl("fmt", copy) == "" and copy.read_text() == once


def test_mistakes_are_said_and_nothing_is_written(tmp_path):
    bad = tmp_path / "bad.xml"
    bad.write_text(UNFORMATTED.replace("<memory unit", "<memorry unit"))
    assert f"{bad}:6:" in domctl("fmt", bad, status=1)
    assert "memorry" in bad.read_text()
    assert "No such file" in domctl("fmt", tmp_path / "none.xml", status=1)
    (tmp_path / "wide.xml").write_bytes(UNFORMATTED.replace('version="1.0"', 'version="1.0" encoding="UTF-16"').encode("utf-16"))
    assert "UTF-8" in domctl("fmt", tmp_path / "wide.xml", status=1)


@pytest.fixture
def repository(tmp_path):
    for words in [["init", "-q"], ["config", "user.name", "Ann"], ["config", "user.email", "ann@example.com"]]:
        subprocess.run(["git", *words], cwd=tmp_path, check=True)
    return tmp_path


def commit(repository, status):
    environment = dict(os.environ, LC_ALL="C.UTF-8", PATH=f"{DOMCTL.parent}:{os.environ['PATH']}")
    done = subprocess.run(["git", "commit", "-q", "-m", "A change"], cwd=repository, capture_output=True, text=True,
                          check=False, env=environment)
    assert done.returncode == status, done.stderr
    return done.stdout + done.stderr


def test_a_repositorys_hook(repository):
    """What is to be committed is checked, and not what lies beside it."""
    (repository / "lab").mkdir()
    document = repository / "lab" / "web.xml"
    said = domctl("hook", "install", cwd=repository)
    assert said.startswith("documents:\n") and ".git/hooks/pre-commit: installed" in said
    document.write_text(UNFORMATTED)
    subprocess.run(["git", "add", "."], cwd=repository, check=True)
    document.write_text(FORMATTED)
    assert "lab/web.xml: not formatted" in commit(repository, 1)
    subprocess.run(["git", "add", "."], cwd=repository, check=True)
    document.write_text("rubbish")
    assert commit(repository, 0) == ""
    document.write_text(FORMATTED.replace("256", "lots"))
    (repository / "notes.txt").write_text("no document")
    subprocess.run(["git", "add", "."], cwd=repository, check=True)
    assert "lab/web.xml:" in commit(repository, 1)


def test_a_hook_that_is_there(repository):
    domctl("hook", "install", cwd=repository)
    hook = repository / ".git/hooks/pre-commit"
    ours = hook.read_text()
    domctl("hook", "install", cwd=repository)
    hook.write_text("#!/bin/sh\n# mine\n")
    assert "--replace" in domctl("hook", "install", cwd=repository, status=1)
    assert hook.read_text() == "#!/bin/sh\n# mine\n"
    assert "actions/checkout" in domctl("hook", "install", "--replace", "--ci=github", cwd=repository)
    assert hook.read_text() == ours
    assert "expected 'gitlab' or 'github'" in domctl("hook", "install", "--ci=x", cwd=repository, status=2)
    assert "expected 'install'" in domctl("hook", "remove", cwd=repository, status=2)


def test_where_there_is_no_repository(tmp_path):
    assert "not a git repository" in domctl("hook", "install", cwd=tmp_path, status=1)
