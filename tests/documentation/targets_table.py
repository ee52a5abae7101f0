# SPDX-License-Identifier: LGPL-2.1-or-later
"""The README's table of what documents can become, from what `domctl targets` says: run, it writes the table anew."""

import json
import os
import re
import subprocess

from conftest import BUILD, TOP

README = TOP / "README.md"
BEGIN, END = "<!-- what `domctl targets` says: tests/documentation/targets_table.py -->\n", "<!-- end -->\n"


def make():
    ran = subprocess.run([BUILD / "cli" / "domctl", "--json", "targets"], capture_output=True, text=True, check=True,
                         env={**os.environ, "LC_ALL": "C"})
    targets = json.loads(ran.stdout)
    limited = [target for target in targets if target["lacks"]]
    nowhere = [element for element in limited[0]["lacks"] if all(element in target["lacks"] for target in limited)]
    lines = ["\n| `--to` | what it is | out | in | other forms | no devices of these kinds |\n", "|---|---|---|---|---|---|\n"]
    for target in targets:
        lacks = ", ".join(element for element in target["lacks"] if element not in nowhere)
        cells = [f"`{target['name']}`", target["summary"], *("yes" if target[way] else "" for way in ("out", "in")),
                 ", ".join(f"`{form}`" for form in target["formats"]), lacks]
        lines.append("| " + " | ".join(cells).replace("|  |", "| |") + " |\n")
    return "".join(lines) + f"\nNone but QEMU has {', '.join(nowhere[:-1])} or {nowhere[-1]} devices.\n\n"


def stored(text):
    return re.search(f"{re.escape(BEGIN)}(.*?){re.escape(END)}", text, re.DOTALL).group(1)


if __name__ == "__main__":
    page = README.read_text()
    README.write_text(page.replace(BEGIN + stored(page) + END, BEGIN + make() + END))
