# SPDX-License-Identifier: LGPL-2.1-or-later
"""domctl history, show, diff and revert."""

import json
import os
import pwd
import re
import subprocess

from conftest import BUILD
from test_machines import domctl  # noqa: F401: a fixture

UUID = "87291af1-1366-410c-bb6e-fbc6f66ff7ae"


def titled(title):
    return f"""<domain type='qemu'>
  <name>web</name> <!-- {title} -->
  <uuid>{UUID}</uuid>
  <title>{title}</title>
  <memory unit='MiB'>32</memory>
  <os><type arch='x86_64' machine='pc'>hvm</type></os>
</domain>
"""


def test_history(daemon, domctl, tmp_path):  # noqa: F811
    file = tmp_path / "web.xml"
    for title in ("one", "two"):
        file.write_text(titled(title))
        domctl("define", file)
    me = pwd.getpwuid(os.getuid()).pw_name
    lines = domctl("history", "web").splitlines()
    assert lines[0].split() == ["Revision", "Time", "User", "Call", "Client"]
    assert [re.sub(r"\d+-\d+-\d+ \d+:\d+:\d+", "TIME", line).split()[:4] for line in lines[2:4]] == [
        [number, "TIME", me, "DOMAIN_DEFINE_XML_FLAGS"] for number in ("1", "2")]
    found = json.loads(domctl("history", "web", "--json"))
    assert [list(revision) for revision in found] == [["revision", "time", "uid", "client", "call", "sha256", "bytes"]] * 2
    assert domctl("show", "web", "1") == titled("one")
    compared = subprocess.run([BUILD / "cli" / "domctl", "--connect", "session", "diff", "web", "1"], capture_output=True, text=True,
                              env=dict(os.environ, DBUS_SESSION_BUS_ADDRESS=daemon.bus.address, LC_ALL="C.UTF-8"), check=False)
    assert (compared.returncode, compared.stdout) == (
        1, "/domain/title (can change while the machine runs)\n  - web@1:4:3: one\n  + web@2:4:3: two\n")
    assert domctl("diff", "web", "2", "2") == ""
    assert domctl("revert", "web", "1") == "'web' is defined as it was in revision 1\n"
    assert domctl("dumpxml", "web", "--source") == titled("one")
    assert domctl("diff", "web", "1") == ""


def test_mistakes(domctl, tmp_path):  # noqa: F811
    file = tmp_path / "web.xml"
    file.write_text(titled("one"))
    domctl("define", file)
    assert "'first' is no revision" in domctl("show", "web", "first", status=2)
    assert "'web' has no revision 7; there are 1 to 1" in domctl("show", "web", "7", status=1)
    assert "'x' is no revision" in domctl("diff", "web", "1", "x", status=2)
    assert "no kind of definition" in domctl("history", "web", "--kind", "machine", status=1)
