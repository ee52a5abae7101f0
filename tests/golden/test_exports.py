# SPDX-License-Identifier: LGPL-2.1-or-later
"""Documents as configs of other hypervisors and runtimes, and their configs as documents.

    exports/TARGET/NAME.xml       a document
    exports/TARGET/NAME.config    all that `domctl translate --to TARGET` makes of it: files, and commands before them
    exports/TARGET/NAME.messages  what it says; with errors there is no config, and with --drop there is
    imports/TARGET/NAME.config    a config
    imports/TARGET/NAME.xml       what `domctl import-config` makes of it; without one it is refused
    imports/TARGET/NAME.messages  what it says
"""

import json
import os
import subprocess

import golden
import pytest

EXPORTS = golden.FOLDER / "exports"
IMPORTS = golden.FOLDER / "imports"
DOMCTL = golden.build_directory() / "cli" / "domctl"
CASES_OUT = sorted(str(path.relative_to(EXPORTS).with_suffix("")) for path in EXPORTS.glob("*/*.xml"))
CASES_IN = sorted(str(path.relative_to(IMPORTS).with_suffix("")) for path in IMPORTS.glob("*/*.config"))

# What was read from a config of a target's own document is translated to the same again.
THERE_AND_BACK = [case for case in CASES_OUT
                  if case.split("/")[0] in ("bhyve", "lxc", "oci") and "of-another" not in case]


def domctl(*words, cwd):
    return subprocess.run([DOMCTL, *words], cwd=cwd, capture_output=True, text=True, check=False,
                          env={**os.environ, "LC_ALL": "C"})


def show(answer):
    """The files and steps of a config, to be read by people."""
    lines = []
    for step in answer.get("steps", []):
        lines.append("run before: " + " ".join(step) + "\n")
    for name, content in answer.get("files", {}).items():
        lines += [f"--- {name}\n", content]
    return "".join(lines)


def translate(folder, target, file, *options):
    ran = domctl("--json", "translate", "--to", target, *options, file, cwd=folder)
    messages = [line for line in ran.stderr.splitlines(keepends=True) if "this host cannot run type 'kvm'" not in line]
    return (json.loads(ran.stdout) if ran.returncode == 0 else None), "".join(messages)


def check(path, text, accept):
    if accept and text:
        path.write_text(text)
    elif accept:
        path.unlink(missing_ok=True)
    assert text == (path.read_text() if path.exists() else "")


@pytest.mark.parametrize("case", CASES_OUT)
def test_exported(case, request):
    accept = request.config.getoption("--accept")
    target, name = case.split("/")
    folder = EXPORTS / target
    answer, messages = translate(folder, target, f"{name}.xml")
    check(folder / f"{name}.messages", messages, accept)
    if answer is None:
        assert "error: " in messages
        answer, dropped = translate(folder, target, f"{name}.xml", "--drop")
        if answer is not None:  # the same mistakes, and what is said of the config that is left
            assert set(messages.replace("error: ", "warning: ").splitlines()) <= set(dropped.splitlines())
    check(folder / f"{name}.config", show(answer) if answer else "", accept)


@pytest.mark.parametrize("case", CASES_IN)
def test_imported(case, request):
    accept = request.config.getoption("--accept")
    target, name = case.split("/")
    folder = IMPORTS / target
    ran = domctl("import-config", "--from", target, f"{name}.config", cwd=folder)
    check(folder / f"{name}.messages", ran.stderr, accept)
    check(folder / f"{name}.xml", ran.stdout if ran.returncode == 0 else "", accept)
    assert (ran.returncode == 0) == ("error: " not in ran.stderr)


@pytest.mark.parametrize("case", [case for case in CASES_IN if (IMPORTS / f"{case}.xml").exists()])
def test_imported_document_is_valid(case):
    ran = domctl("validate", f"{case}.xml", cwd=IMPORTS)
    assert ran.returncode == 0, ran.stderr


# As whoever made it names it.
NATIVE_NAMES = {"bhyve": "start.sh", "lxc": "config", "oci": "config.json", "proxmox": "100.conf"}


@pytest.mark.parametrize("case", [case for case in CASES_IN if (IMPORTS / f"{case}.xml").exists()])
def test_recognized(case, tmp_path):
    """Nobody need say whose config it is."""
    target = case.split("/")[0]
    name = NATIVE_NAMES[target]
    (tmp_path / name).write_text((IMPORTS / f"{case}.config").read_text())
    ran = domctl("import-config", name, cwd=tmp_path)
    assert (ran.returncode, ran.stdout) == (0, (IMPORTS / f"{case}.xml").read_text()), ran.stderr


@pytest.mark.parametrize("case", THERE_AND_BACK)
def test_there_and_back(case, tmp_path):
    target, name = case.split("/")
    first, _ = translate(EXPORTS / target, target, f"{name}.xml", "--drop")
    if first is None:
        pytest.skip("a machine that the target cannot have")
    config = next(iter(first["files"].values()))
    (tmp_path / "config").write_text(config)
    read = domctl("import-config", "--from", target, "config", cwd=tmp_path)
    assert read.returncode == 0, read.stderr
    (tmp_path / "again.xml").write_text(read.stdout)
    again, messages = translate(tmp_path, target, "again.xml")
    assert again is not None, messages
    assert next(iter(again["files"].values())) == config
