# SPDX-License-Identifier: LGPL-2.1-or-later
"""`domctl why`: what it says of a machine's last end."""

import json
import pwd
import os
import re

from conftest import domain_xml
from test_machines import domctl  # noqa: F401: a fixture

TIME = r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d[+-]\d{4}"


def test_a_machines_ends(domctl, tmp_path):  # noqa: F811
    (tmp_path / "web.xml").write_text(domain_xml("web"))
    domctl("define", tmp_path / "web.xml")
    assert domctl("why", "web") == "web: no end of it is known\n"
    domctl("start", "web")
    domctl("destroy", "web")
    me = pwd.getpwuid(os.getuid()).pw_name
    assert re.fullmatch(f"web: it was destroyed, {TIME}\n  started: {TIME}\n  process: exit status 0\n"
                        rf"  asked for by: user {me} \(process \d+\) over D-Bus \(:1\.\d+\): DOMAIN_DESTROY_FLAGS, {TIME}\n"
                        r"(  QEMU's last words:\n    .*\n)?", domctl("why", "web"))
    domctl("start", "web")
    assert domctl("why", "web").startswith("web runs; before that:\nweb: it was destroyed, ")
    end = json.loads(domctl("--json", "why", "web"))
    assert (end["domain"], end["running"], end["verdict"], end["reason"]) == ("web", True, "it was destroyed", 2)


def test_a_start_that_failed(domctl, tmp_path):  # noqa: F811
    (tmp_path / "web.xml").write_text(domain_xml("web", devices="<disk type='file'><source file='/nowhere/a'/>"
                                                                "<target dev='vda' bus='virtio'/></disk>"))
    domctl("define", tmp_path / "web.xml")
    domctl("start", "web", status=1)
    said = domctl("why", "web")
    assert re.match(f"web: it could not be started, {TIME}\n  why:\n    Cannot access storage file '/nowhere/a': ", said)


def test_no_such_machine(domctl):  # noqa: F811
    assert domctl("why", "web", status=1).startswith("error: failed to get domain 'web'\n")
