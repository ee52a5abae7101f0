# SPDX-License-Identifier: LGPL-2.1-or-later
"""domctl's network filters: a filter's story in its words, and the same for programs."""

import json

from test_machines import domctl  # noqa: F401: a fixture

UUID = "0a81f5b2-8403-7b23-c8d6-21ccc2f80d6f"
FILTER = f"<filter name='own' chain='arp'><uuid>{UUID}</uuid></filter>"
BINDING = (f"<filterbinding><owner><name>m</name><uuid>{UUID}</uuid></owner><portdev name='fcli0'/>"
           "<mac address='52:54:00:11:22:33'/><filterref filter='own'/></filterbinding>")


def test_a_filters_story(domctl, tmp_path):  # noqa: F811
    document = tmp_path / "own.xml"
    document.write_text(FILTER, encoding="utf-8")
    assert domctl("nwfilter-define", document) == f"Network filter own defined from {document}\n"
    assert domctl("nwfilter-list").splitlines()[2:] == [f" {UUID}   own", ""]
    assert json.loads(domctl("nwfilter-list", "--json")) == [{"uuid": UUID, "name": "own"}]
    assert domctl("nwfilter-dumpxml", "own") == domctl("nwfilter-dumpxml", UUID)
    assert f"<filter name='own' chain='arp' priority='-500'>\n  <uuid>{UUID}</uuid>\n</filter>" in domctl("nwfilter-dumpxml", "own")
    assert json.loads(domctl("nwfilter-undefine", "own", "--json")) == {"filter": "own", "message": "Network filter own undefined"}
    assert json.loads(domctl("nwfilter-list", "--json")) == []
    assert "no nwfilter with matching name 'own'" in domctl("nwfilter-dumpxml", "own", status=1)
    assert domctl("trash", "restore", "own") == "'own' is defined again\n"
    domctl("nwfilter-undefine", UUID, "--no-trash")
    assert json.loads(domctl("trash", "list", "--json")) == []


def test_mistakes_have_their_places(domctl, tmp_path):  # noqa: F811
    document = tmp_path / "own.xml"
    document.write_text("<filter name='own'>\n  <rule action='drop' direction='in'>\n    <tcp srcport='1'/>\n  </rule>\n</filter>",
                        encoding="utf-8")
    said = domctl("nwfilter-define", document, status=1)
    assert f"{document}:3:" in said and "did you mean 'srcportstart'" in said or "srcport" in said


def test_a_bindings_story(domctl, tmp_path):  # noqa: F811
    document, binding = tmp_path / "own.xml", tmp_path / "binding.xml"
    document.write_text(FILTER, encoding="utf-8")
    binding.write_text(BINDING, encoding="utf-8")
    assert "referenced filter 'own' is missing" in domctl("nwfilter-binding-create", binding, status=1)
    domctl("nwfilter-define", document)
    assert domctl("nwfilter-binding-create", binding) == f"Network filter binding on fcli0 created from {binding}\n"
    assert json.loads(domctl("nwfilter-binding-list", "--json")) == [{"port": "fcli0", "filter": "own"}]
    assert "<portdev name='fcli0'/>" in domctl("nwfilter-binding-dumpxml", "fcli0")
    assert "nwfilter is in use" in domctl("nwfilter-undefine", "own", status=1)
    assert domctl("nwfilter-binding-delete", "fcli0") == "Network filter binding on fcli0 deleted\n"
    assert json.loads(domctl("nwfilter-binding-list", "--json")) == []
    assert "no nwfilter binding for port dev 'fcli0'" in domctl("nwfilter-binding-delete", "fcli0", status=1)
