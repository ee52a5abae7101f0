# SPDX-License-Identifier: LGPL-2.1-or-later
"""Where a mistake is said to be: documents of the golden cases with one mistake each (mutants.py), and the lines that
`domctl validate` names. Of those it refuses, nearly all are named within a line of the mistake."""

import json
import os
import subprocess

import golden
import mutants
from lxml import etree

COUNT = 600
RIGHT_LINE = 0.95  # of the refused ones, the first line that is named
ANY_LINE = 0.99    # any line that is named

# Kinds of mistake that no document survives.
ALWAYS_REFUSED = ("move", "misspell_element", "misspell_attribute", "stray_text", "attribute_as_element")


def good_documents():
    return [etree.parse(str(folder / "domain.xml")).getroot() for folder in sorted(golden.FOLDER.iterdir())
            if (folder / "domain.xml").exists() and not folder.name.startswith("refused")]


def validate(folder):
    environment = {"PATH": os.environ["PATH"], "LC_ALL": "C.UTF-8", "HOME": "/nonexistent"}
    environment |= {name: os.environ[name] for name in ("ASAN_OPTIONS", "UBSAN_OPTIONS") if name in os.environ}
    words = ["validate", "--format", "json", "--capabilities", golden.FOLDER / "capabilities" / "qemu-7.2.json", folder]
    done = subprocess.run([golden.build_directory() / "cli" / "domctl", *words], stdout=subprocess.PIPE,
                          env=environment, check=False, timeout=600)
    assert done.returncode == 1
    return json.loads(done.stdout)


def is_near(line, lines):
    return any(abs(line - one) <= 1 for one in lines)


def test_mistakes_are_found_where_they_are(tmp_path):
    made = mutants.mutants(good_documents(), COUNT)
    for number, mutant in enumerate(made):
        (tmp_path / f"{number:04}.xml").write_text(mutant.text)
    report = validate(tmp_path)
    refused = []
    for number, mutant in enumerate(made):
        said = [row for row in report[str(tmp_path / f"{number:04}.xml")] if row["severity"] == "error"]
        if said:
            refused.append((mutant, said))
        else:
            assert mutant.kind not in ALWAYS_REFUSED, mutant.text
    first = [is_near(said[0]["line"], mutant.lines) for mutant, said in refused]
    some = [any(is_near(row["line"], mutant.lines) for row in said) for mutant, said in refused]
    elsewhere = [(mutant.kind, sorted(mutant.lines), [(row["line"], row["message"]) for row in said], mutant.text)
                 for (mutant, said), near in zip(refused, some) if not near]
    assert len(refused) > COUNT / 2
    assert sum(some) >= ANY_LINE * len(refused), elsewhere
    assert sum(first) >= RIGHT_LINE * len(refused), elsewhere
