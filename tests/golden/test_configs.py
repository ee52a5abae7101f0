# SPDX-License-Identifier: LGPL-2.1-or-later
"""Configs of other hypervisors, out and in: a folder for each target, in it one for each case.

    domain.xml      a document; absent where a config is read that nobody here wrote
    config          what it becomes with --drop
    losses.txt      what of the document is lost: without --drop the same lines are mistakes, and nothing is written
    steps.txt       the commands to be run before; absent where there are none
    imported.xml    what the config becomes when it is read
    warnings.txt    what of the config has no place in the format; in refused-NAME what is wrong with it

The configs are those that libvirt 11.3's drivers write for these documents, but for what those drop in silence
(a disk's discard, a display's model) and where they write what the hypervisor's own program refuses.
"""

import json
import pathlib
import subprocess

import pytest
from golden import build_directory

FOLDER = pathlib.Path(__file__).resolve().parent / "configs"
DOMCTL = build_directory() / "cli" / "domctl"
CASES = sorted(f"{path.parent.name}/{path.name}" for path in FOLDER.glob("*/*") if path.is_dir())
WRITTEN = [case for case in CASES if (FOLDER / case / "domain.xml").exists()]
READ = [case for case in CASES if "refused-" not in case and (FOLDER / case / "config").exists() or case in WRITTEN]
REFUSED = [case for case in CASES if "/refused-" in case]


def domctl(case, *words):
    process = subprocess.run([DOMCTL, *words], cwd=FOLDER / case, capture_output=True, text=True, check=False)
    return process.returncode, process.stdout, "".join(
        line for line in process.stderr.splitlines(True)
        if not line.startswith("warning: emulator") and ": run before: " not in line)


def translate(case, file, *options):
    return domctl(case, "translate", "--to", case.split("/")[0], *options, file)


def import_config(case, file="config"):
    return domctl(case, "import-config", "--from", case.split("/")[0], file)


def expect(request, case, file, text):
    """The file says @text; with --accept it says so from now on. An empty text has no file."""
    path = FOLDER / case / file
    if request.config.getoption("--accept"):
        path.write_text(text) if text else path.unlink(missing_ok=True)
    assert text == (path.read_text() if path.exists() else "")


@pytest.mark.parametrize("case", WRITTEN)
def test_document_becomes_config(request, case):
    status, text, losses = translate(case, "domain.xml", "--drop")
    assert status == 0, losses
    expect(request, case, "config", text)
    expect(request, case, "losses.txt", losses)
    answer = json.loads(translate(case, "domain.xml", "--drop", "--format", "json")[1])
    expect(request, case, "steps.txt", "".join(" ".join(step) + "\n" for step in answer.get("steps", [])))


@pytest.mark.parametrize("case", WRITTEN)
def test_losses_are_mistakes_unless_dropped(case):
    losses = translate(case, "domain.xml", "--drop")[2]
    assert translate(case, "domain.xml")[0::2] == (1 if losses else 0, losses.replace(": warning: ", ": error: "))


@pytest.mark.parametrize("case", READ)
def test_config_becomes_document(request, case):
    status, text, warnings = import_config(case)
    assert status == 0, warnings
    expect(request, case, "imported.xml", text)
    expect(request, case, "warnings.txt", warnings)


@pytest.mark.parametrize("case", READ)
def test_what_was_read_is_written_again(case, tmp_path):
    """All that a document of a config says is in the config that it becomes: nothing gets lost on the way round."""
    document, config = tmp_path / "domain.xml", tmp_path / "config"
    document.write_text(import_config(case)[1])
    status, text, losses = translate(case, document, "--drop")
    assert (status, losses) == (0, "")
    config.write_text(text)
    again = import_config(case, config)[1]
    assert sorted(again.splitlines()) == sorted(document.read_text().splitlines())
    document.write_text(again)
    assert translate(case, document)[:2] == (0, text)


@pytest.mark.parametrize("case", REFUSED)
def test_config_is_refused(request, case):
    status, text, mistakes = import_config(case)
    assert (status, text) == (1, "")
    expect(request, case, "warnings.txt", mistakes)
