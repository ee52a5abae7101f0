# SPDX-License-Identifier: LGPL-2.1-or-later
"""tests/run keeps its word: a last line whatever happens, and a test that fails once and then passes is named."""

import os
import re
import shutil
import subprocess
import sys
import tempfile
import threading

import pytest

from conftest import PATIENCE, TOP

sys.path.insert(0, str(TOP / "tests"))

import suites  # noqa: E402

TESTS = '''
import pathlib
import pytest

def test_good():
    pass

def test_bad():
    assert "always" == "wrong"

@pytest.mark.parametrize("value", ["a b", "c/d"])
def test_unsteady(value):
    seen = pathlib.Path(__file__).with_name(value.replace("/", "-"))
    if not seen.exists():
        seen.touch()
        assert "first" == "time"

class TestGroup:
    def test_skipped(self):
        pytest.skip("no such thing here")
'''


@pytest.fixture
def tree(tmp_path, monkeypatch):
    """A checkout whose only tests are those above."""
    folder = tmp_path / "tests" / "sample"
    folder.mkdir(parents=True)
    (folder / "test_sample.py").write_text(TESTS)
    monkeypatch.setattr(suites, "TOP", tmp_path)
    monkeypatch.setattr(suites, "RESULTS", tmp_path)
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    return tmp_path


def test_unsteady_tests_pass_and_are_named(tree, capfd):
    totals = suites.Totals()
    totals.add("sample", list(suites.python_suite("sample")))
    capfd.readouterr()
    totals.print()
    shown = capfd.readouterr().out
    assert totals.failures == ["sample: sample.test_sample::test_bad"]
    assert re.findall("^UNSTEADY (.*) \\(failed", shown, re.MULTILINE) == [
        "sample: sample.test_sample::test_unsteady[a b]", "sample: sample.test_sample::test_unsteady[c/d]"]
    assert "assert 'first' == 'time'" in shown
    assert shown.endswith("3 passed, 1 failed, 1 skipped\n")


def test_suites_run_side_by_side(monkeypatch, capfd):
    """Each of two waits for the other; one of them has an error of its own, and the other's results count none the less."""
    met = threading.Barrier(2, timeout=PATIENCE)

    def good():
        met.wait()
        yield suites.Result("good", "passed")

    def bad():
        met.wait()
        yield suites.Result("never counted", "passed")
        raise ValueError("of its own")

    monkeypatch.setattr(suites, "SUITES", {"build": lambda: [suites.Result("built", "passed")], "good": good, "bad": bad})
    totals = suites.Totals()
    suites.run_suites(["bad", "good"], totals)
    assert totals.count == {"passed": 2, "failed": 1, "skipped": 0}
    assert totals.failures == ["bad: an error of its own"]
    assert "ValueError: of its own" in capfd.readouterr().out


def test_a_suite_in_parts_runs_each_module_once(tree, monkeypatch, capfd):
    """Where there are fewer modules than parts, the part with nothing in it is a failure and does not run the others'."""
    folder = tree / "tests" / "sample"
    for name in ("sample", "more", "most"):
        (folder / f"test_{name}.py").write_text("def test_good():\n    pass\n")
    built = [suites.Result("built", "passed")]
    monkeypatch.setattr(suites, "SUITES", {"build": lambda: built, "sample": suites.parts_of("sample", 2)})
    totals = suites.Totals()
    suites.run_suites(["sample"], totals)
    assert totals.count == {"passed": 4, "failed": 0, "skipped": 0}
    shown = capfd.readouterr().out
    assert sorted(re.findall("^== (sample [^:]*: .*) in", shown, re.MULTILINE)) == [
        "sample 1/2: 2 passed, 0 failed, 0 skipped", "sample 2/2: 1 passed, 0 failed, 0 skipped"]
    assert [result.outcome for result in suites.python_suite("sample", 3, 4)] == ["failed"]


@pytest.mark.skipif(not suites.own_network(), reason="this host does not let us make networks")
def test_a_suite_has_a_network_of_its_own(tree):
    (tree / "tests" / "sample" / "test_sample.py").write_text(
        "import socket\n\ndef test_names():\n    assert [name for _, name in socket.if_nameindex()] == ['lo']\n"
        "    socket.create_server(('127.0.0.1', 0))\n")
    assert [result.outcome for result in suites.python_suite("sample")] == ["passed"]


def test_a_runner_that_dies_is_a_failure(tree):
    (tree / "tests" / "sample" / "test_sample.py").write_text("import os\nos._exit(3)\n")
    assert [result.outcome for result in suites.python_suite("sample")] == ["failed"]


def test_last_line_when_packages_are_missing(root):
    """As an ordinary user where something is to be installed: what is missing, and the last line."""
    for program in ("tests/run", "data/install-packages"):
        (root / program).parent.mkdir()
        shutil.copy(TOP / program, root / program)
    (root / "data" / "packages").write_text("".join(
        f"{purpose} no-such-package\n" for purpose in ("build", "run", "guest", "desktop", "test")))
    root.chmod(0o755)
    user = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"] if os.geteuid() == 0 else []
    done = subprocess.run([*user, root / "tests" / "run"], capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "no-such-package" in done.stderr
    assert done.stdout.splitlines()[-1] == "0 passed, 1 failed, 0 skipped"
