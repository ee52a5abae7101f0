# SPDX-License-Identifier: LGPL-2.1-or-later
"""What the pages for readers say is true: links lead somewhere, commands exist, and the tour's output is real."""

import doctest
import os
import re
import subprocess

import container_image
import pytest
import targets_table

from conftest import BUILD, TOP

PAGES = sorted(path for path in TOP.rglob("*.md") if not re.match(r"build|\.", str(path.relative_to(TOP))))
README = (TOP / "README.md").read_text()


def code(language, text=README):
    return re.findall(rf"^```{language}\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)


def anchors(page):
    """The anchors of a page's headings, as GitHub makes them."""
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-")
            for title in re.findall(r"^#+ (.*)$", page.read_text(), re.MULTILINE)}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(TOP)))
def test_relative_links_lead_somewhere(page):
    for target in re.findall(r"\]\(([^)]+)\)", page.read_text()):
        if re.match(r"[a-z]+:", target):
            continue
        path, _, anchor = target.partition("#")
        aim = (page.parent / path) if path else page
        assert aim.exists(), f"{page.name}: {target}"
        assert not anchor or anchor in anchors(aim), f"{page.name}: {target}"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(TOP)))
def test_files_named_exist(page):
    """Words in backquotes that look like files of this tree."""
    parts = "lib|daemon|cli|schemas|data|examples|tests|po|man"
    for name in re.findall(rf"`((?:{parts})/[\w./-]*)`", page.read_text()):
        assert "NAME" in name or (TOP / name).exists() or (TOP / f"{name}.c").exists(), f"{page.name}: {name}"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(TOP)))
def test_commands_named_exist(page):
    """In code: domctl's commands and the programs of this tree."""
    overview = subprocess.run([BUILD / "cli/domctl", "--help"], capture_output=True, text=True, check=True).stdout
    commands = set(re.findall(r"^  ([a-z][a-z-]*) +\S", overview, re.MULTILINE))
    text = page.read_text()
    words = "\n".join(re.findall(r"^```\w*\n(.*?)^```$", text, re.MULTILINE | re.DOTALL) + re.findall(r"`([^`\n]+)`", text))
    for command in re.findall(r"\bdomctl ((?!--)[a-z][a-z-]*)", words):
        assert command in commands, f"{page.name}: domctl {command}"
    for program in re.findall(r"sudo ((?:examples|tests)/\w+)", words):
        assert os.access(TOP / program, os.X_OK), f"{page.name}: {program}"


def test_table_of_targets_is_current():
    told = "run: DOMAIND_BUILD=... PYTHONPATH=tests python3 tests/documentation/targets_table.py"
    assert targets_table.stored(README) == targets_table.make(), told


def test_every_folder_is_named():
    """The tree's in the README, the tests' in CONTRIBUTING."""
    def folders(directory):
        return {entry.name for entry in directory.iterdir()
                if entry.is_dir() and not re.match(r"build|guest$|\.|__pycache__", entry.name)}

    for folder in folders(TOP):
        assert f"`{folder}/`" in README, folder
    contributing = (TOP / "CONTRIBUTING.md").read_text()
    for folder in folders(TOP / "tests"):
        assert f"`tests/{folder}/`" in contributing, folder


def section(title):
    text = README[README.index(f"## {title}\n"):]
    return text[:text.index("\n## ", 3)]


def play(text, directory, daemon, monkeypatch, domctl=""):
    """Each command of @text, in order, prints what the page says; "..." stands for anything. @domctl: shell's, before it."""
    programs = directory / "bin"
    programs.mkdir()
    # Who runs the tests may be root, whose domctl would ask the system's daemon.
    (programs / "domctl").write_text(f'#!/bin/sh\n{domctl}\nexec {BUILD}/cli/domctl --connect session "$@"\n')
    (programs / "domctl").chmod(0o755)
    monkeypatch.setenv("PATH", f"{programs}:{os.environ['PATH']}")
    monkeypatch.setenv("DBUS_SESSION_BUS_ADDRESS", daemon.bus.address)
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(daemon.root / "run"))
    monkeypatch.setenv("XDG_STATE_HOME", str(directory / "state"))
    monkeypatch.setenv("LC_ALL", "C.UTF-8")
    processes = {"domaind --session &": lambda: daemon.process or daemon.start(), "kill -9 %1": daemon.kill}

    checker = doctest.OutputChecker()
    for block in code("console", text):
        for command, expected in re.findall(r"^\$ (.*)\n((?:(?!\$ ).*\n)*)", block, re.MULTILINE):
            if command in processes:
                processes[command]()
                continue
            shown = subprocess.run(["bash", "-c", command], cwd=directory, stdout=subprocess.PIPE,
                                   stderr=subprocess.STDOUT, text=True, check=False).stdout
            assert checker.check_output(expected.rstrip() + "\n", shown.rstrip() + "\n", doctest.ELLIPSIS), (
                f"$ {command}\n{shown}")


def test_tour(daemon, tmp_path, monkeypatch):
    (tmp_path / "web.xml").write_text(code("xml", section("A tour"))[0])
    play(section("A tour"), tmp_path, daemon, monkeypatch)


def test_container_images(daemon, tmp_path, monkeypatch, routed):
    """As printed, but for the kernel, which a container that tests run in has not, and KVM, which may run no guest there."""
    subprocess.run([TOP / "examples/guest/make", BUILD / "guest"], check=True)
    kernel = container_image.kernel(BUILD / "guest")
    container_image.docker_archive(tmp_path / "busybox.tar", [container_image.busybox()], Env=["PATH=/bin"])
    play(section("Container images"), tmp_path, daemon, monkeypatch,
         f'[ "$1" != run ] || {{ shift; set -- run --virt-type qemu --kernel {kernel} "$@"; }}')
