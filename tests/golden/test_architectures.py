# SPDX-License-Identifier: LGPL-2.1-or-later
"""Machines of other architectures: what becomes of a document is compared with what libvirt 11.3 makes of it.

    architectures/ARCHITECTURE-NAME/
        domain.xml      the document
        completed.xml   its completion: libvirt's, but that libvirt sorts the controllers it adds among the others
        qemu-argv       the command line, an option a line
        refusal.txt     our mistakes instead, where libvirt refuses as well

None of the emulators is needed: what Debian 13's answer was recorded (capabilities/, see record.c).
"""

import gzip
import json
import subprocess

import golden
import pytest

FOLDER = golden.FOLDER / "architectures"
DOMCTL = golden.build_directory() / "cli" / "domctl"
EMULATORS = {"armv7l": "arm", "ppc64le": "ppc64", "i686": "i386"}
CASES = sorted(path.parent.name for path in FOLDER.glob("*/domain.xml"))
HOST_FILES = ("-netdev", "-name")  # nothing of the machine is in them, and the latter is the same for all


@pytest.fixture(scope="session")
def capabilities(tmp_path_factory):
    place = tmp_path_factory.mktemp("capabilities")

    def unpack(case):
        arch = case.split("-")[0]
        name = f"qemu-10.0-{EMULATORS.get(arch, arch)}.json"
        path = place / name
        if not path.exists():
            path.write_bytes(gzip.decompress((golden.FOLDER / "capabilities" / f"{name}.gz").read_bytes()))
        return path

    return unpack


def domctl(command, case, capabilities, *options, file="domain.xml"):
    return subprocess.run([DOMCTL, command, *options, "--capabilities", capabilities(case), file], cwd=FOLDER / case,
                          capture_output=True, text=True, check=False)


def compare(case, file, text, request):
    if request.config.getoption("--accept"):
        (FOLDER / case / file).write_text(text)
    assert text == (FOLDER / case / file).read_text()


def options_of(argv):
    """An option and its value a line."""
    lines = []
    for word in argv[1:]:
        if word.startswith("-"):
            lines.append(word)
        else:
            lines[-1] += f" {word}"
    return "".join(f"{line}\n" for line in lines if line.split()[0] not in HOST_FILES)


@pytest.mark.parametrize("case", CASES)
def test_completed_and_translated(case, capabilities, request):
    completed = domctl("normalize", case, capabilities)
    launch = domctl("translate", case, capabilities, "--format", "json")
    if launch.returncode != 0:
        assert launch.stdout == ""
        compare(case, "refusal.txt", launch.stderr, request)
        return
    assert (completed.stderr, launch.stderr) == ("", "")
    compare(case, "completed.xml", completed.stdout, request)
    compare(case, "qemu-argv", options_of(json.loads(launch.stdout)["argv"]), request)


@pytest.mark.parametrize("case", [case for case in CASES if (FOLDER / case / "completed.xml").exists()])
def test_nothing_is_added_to_completed_document(case, capabilities):
    again = domctl("normalize", case, capabilities, file="completed.xml")
    assert again.stderr == ""
    assert sorted(again.stdout.splitlines()) == sorted((FOLDER / case / "completed.xml").read_text().splitlines())


@pytest.mark.parametrize("case", CASES)
def test_verdict_needs_no_emulator(case, tmp_path):
    """What a host lacks is no mistake of the document: without a capability file, and with no QEMU to be found."""
    done = subprocess.run([DOMCTL, "validate", "domain.xml"], cwd=FOLDER / case, capture_output=True, text=True,
                          check=False, env={"PATH": "/nowhere", "HOME": str(tmp_path), "LC_ALL": "C.UTF-8"})
    refused = (FOLDER / case / "refusal.txt").exists() and case not in LEFT_TO_TRANSLATION
    assert (done.returncode != 0) == refused, done.stderr


# What is for the emulator to say.
LEFT_TO_TRANSLATION = ("armv7l-gic3", "ppc64-compat", "s390x-videodef")
