# SPDX-License-Identifier: LGPL-2.1-or-later
"""The golden cases: a folder each, with a document of ours and what becomes of it.

    domain.xml           the document
    completed.xml        what libvirt makes of it, to the byte, and so must we; absent where it is refused: 9.0's, with
                         what 11.3 adds (tests/differential names it)
    aliases.txt          the running machine's devices as libvirt shows them: element, alias, address
    refusal.txt          our mistakes, where the document is refused
    libvirt-refusal.txt  libvirt's words for the first of them
"""

import os
import pathlib
import subprocess

from lxml import etree

FOLDER = pathlib.Path(__file__).resolve().parent
TOP = FOLDER.parent.parent


def build_directory():
    if "DOMAIND_BUILD" in os.environ:
        return pathlib.Path(os.environ["DOMAIND_BUILD"])
    return next((TOP / name for name in ("build-tests", "build") if (TOP / name / "tests/normalize").exists()),
                TOP / "build")


NORMALIZE = build_directory() / "tests" / "normalize"

CASES = sorted(path.parent.name for path in FOLDER.glob("*/domain.xml"))
REFUSED = [name for name in CASES if name.startswith("refused-")]
ACCEPTED = [name for name in CASES if not name.startswith("refused-")]
STARTED = [name for name in ACCEPTED if (FOLDER / name / "aliases.txt").exists()]


def text(name, file):
    return (FOLDER / name / file).read_text()


def normalize(name, *options, file="domain.xml"):
    """Our own completion, by the library for the QEMU it has built in."""
    return subprocess.run([NORMALIZE, *options, file], cwd=FOLDER / name, capture_output=True, text=True, check=False)


def hardware(document):
    """The devices of a running machine's document, a line each: what the guest and QEMU know them by. Where in the guest's
    memory a DIMM lies is known only once it runs."""
    lines = []
    for device in etree.fromstring(document.encode()).find("devices"):
        if device.tag == "emulator":
            continue
        alias = device.find("alias")
        address = device.find("address")
        words = [device.tag, alias.get("name") if alias is not None else "-"]
        if address is not None:
            words += [f"{key}={value}" for key, value in address.items() if key != "base"]
        lines.append(" ".join(words) + "\n")
    return "".join(lines)
