# SPDX-License-Identifier: LGPL-2.1-or-later
"""Networks' documents beside what libvirt 11.3 makes of them: `networks/NAME.xml` and `networks/NAME.libvirt.xml`, and in
`networks/refused.json` what it refuses, with its number and its words. `ask_libvirt.py` writes them anew."""

import json
import subprocess

import golden
import pytest

FOLDER = golden.FOLDER / "networks"
NETWORK = golden.build_directory() / "tests" / "network"
ACCEPTED = sorted(path.name.removesuffix(".libvirt.xml") for path in FOLDER.glob("*.libvirt.xml"))
REFUSED = json.loads((FOLDER / "refused.json").read_text())

# The value is refused with the general words, and what would be accepted in place of libvirt's "Expected ...".
GENERAL_WORDS = ". Expected", ": Zero is not permitted"


def read(*files, lax=False):
    words = [NETWORK, *(["--lax"] if lax else []), *files]
    return json.loads(subprocess.run(words, check=True, capture_output=True, text=True).stdout)


@pytest.fixture(scope="module")
def completed():
    return dict(zip(ACCEPTED, read(*(FOLDER / f"{name}.xml" for name in ACCEPTED), lax=True)))


@pytest.mark.parametrize("name", ACCEPTED)
def test_completed_as_libvirt_does(name, completed):
    assert completed[name].get("xml", completed[name]) == (FOLDER / f"{name}.libvirt.xml").read_text()


@pytest.mark.parametrize("name", ACCEPTED)
def test_completed_document_stays_as_it_is(name):
    expected = (FOLDER / f"{name}.libvirt.xml").read_text()
    assert read(FOLDER / f"{name}.libvirt.xml")[0].get("xml") == expected


@pytest.fixture(scope="module")
def refused(tmp_path_factory):
    folder = tmp_path_factory.mktemp("refused")
    for case in REFUSED:
        (folder / case["name"]).write_text(case["document"])
    answers = read(*(folder / case["name"] for case in REFUSED), lax=True)
    return {case["name"]: answer for case, answer in zip(REFUSED, answers)}


@pytest.mark.parametrize("case", REFUSED, ids=lambda case: case["name"])
def test_refused_with_libvirts_words(case, refused):
    answer = refused[case["name"]]
    assert answer.get("code") == case["code"], answer
    words = case["libvirt"]
    for general in GENERAL_WORDS:
        words = words.partition(general)[0]
    if ": Zero" in case["libvirt"]:
        words += ": '0'"
    assert answer["text"].startswith(words.rstrip(". \n")), answer
    assert answer["line"] > 0


def test_enough_of_them():
    assert len(ACCEPTED) >= 60
    assert len(REFUSED) >= 40
