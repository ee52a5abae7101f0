# SPDX-License-Identifier: LGPL-2.1-or-later
"""Our completion of each golden document against the stored one, which is libvirt's."""

import golden
import pytest


@pytest.mark.parametrize("name", golden.ACCEPTED)
def test_completed_as_libvirt_does(name):
    result = golden.normalize(name)
    assert result.stderr == ""
    assert result.stdout == golden.text(name, "completed.xml")


@pytest.mark.parametrize("name", golden.ACCEPTED)
def test_nothing_is_added_to_completed_document(name, tmp_path):
    """Reading sorts controllers as libvirt sorts them; but for that a completed document stays as it is."""
    again = golden.normalize(name, file="completed.xml")
    assert again.stderr == ""
    assert sorted(again.stdout.splitlines()) == sorted(golden.text(name, "completed.xml").splitlines())

    (tmp_path / "again.xml").write_text(again.stdout)
    assert golden.normalize(name, file=tmp_path / "again.xml").stdout == again.stdout


@pytest.mark.parametrize("name", golden.STARTED)
def test_aliases_of_running_machine(name):
    result = golden.normalize(name, "--live")
    assert result.stderr == ""
    assert golden.hardware(result.stdout) == golden.text(name, "aliases.txt")


@pytest.mark.parametrize("name", golden.REFUSED)
def test_refused_with_every_mistake(name, request):
    result = golden.normalize(name)
    assert result.returncode == 1
    assert result.stdout == ""
    if request.config.getoption("--accept"):
        (golden.FOLDER / name / "refusal.txt").write_text(result.stderr)
    assert result.stderr == golden.text(name, "refusal.txt")
