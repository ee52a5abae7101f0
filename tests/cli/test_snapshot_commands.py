# SPDX-License-Identifier: LGPL-2.1-or-later
"""Snapshots in domctl's words, and for programs."""

import json

from test_backup_commands import domctl  # noqa: F401


def test_snapshots(daemon, domctl):  # noqa: F811
    domctl("destroy", "web")
    assert domctl("snapshot-create-as", "web", "one", "--description=the first") == "Domain snapshot one created\n"
    domctl("snapshot-create-as", "web", "two", "--disk-only")
    listed = json.loads(domctl("snapshot-list", "web", "--json"))
    assert [(item["name"], item.get("parent"), item.get("description"), item["location"]) for item in listed] == \
        [("one", None, "the first", "internal"), ("two", "one", None, "external")]
    assert domctl("snapshot-list", "web", "--tree") == "one\n  +- two\n"
    assert [line.split()[0] for line in domctl("snapshot-list", "web").splitlines()[2:] if line] == ["one", "two"]
    assert domctl("snapshot-current", "web") == "two\n"
    assert domctl("snapshot-parent", "web", "two") == "one\n"
    assert "does not have a parent" in domctl("snapshot-parent", "web", "one", status=1)
    assert "<name>one</name>" in domctl("snapshot-dumpxml", "web", "one")
    assert domctl("snapshot-revert", "web", "two") == "Domain reverted to snapshot two\n"
    assert json.loads(domctl("snapshot-delete", "web", "one", "--children", "--json"))["snapshot"] == "one"
    assert json.loads(domctl("snapshot-list", "web", "--json")) == []
    assert "no domain snapshot with matching name 'one'" in domctl("snapshot-dumpxml", "web", "one", status=1)
