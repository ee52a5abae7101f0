# SPDX-License-Identifier: LGPL-2.1-or-later
"""The completion for bash, driven as bash drives it."""

import os
import subprocess

import pytest

from conftest import BUILD, TOP, domain_xml

SCRIPT = """
source /usr/share/bash-completion/bash_completion
source "$1"
shift
COMP_LINE="$*"
COMP_POINT=${#COMP_LINE}
COMP_WORDS=("$@")
COMP_CWORD=$(($# - 1))
COMPREPLY=()
compopt () { :; }
_domctl
printf '%s\\n' "${COMPREPLY[@]}"
"""


def complete(*words, directory=None, bus=None):
    """What bash would offer for the last of the words that follow "domctl"."""
    environment = dict(os.environ, PATH=f"{BUILD / 'cli'}:{os.environ['PATH']}",
                       DBUS_SESSION_BUS_ADDRESS=bus or "unix:path=/nonexistent")
    result = subprocess.run(["bash", "-c", SCRIPT, "bash", TOP / "data/completion/domctl", "domctl", *words],
                            capture_output=True, text=True, env=environment, cwd=directory, check=True)
    assert result.stderr == ""
    return set(result.stdout.split("\n")) - {""}


def test_commands():
    assert complete("val") == {"validate"}
    assert complete("re") == {"reboot", "reset", "resume"}
    assert len(complete("")) > 25


def test_options_before_the_command():
    assert complete("--") == {"--connect", "--json", "--help", "--version"}
    assert complete("--connect", "s") == {"system", "session"}
    assert complete("--connect", "session", "defi") == {"define"}


def test_options_of_a_command():
    assert complete("dumpxml", "--in") == {"--inactive"}
    assert {"--to=", "--format=", "--capabilities=", "--json", "--help"} == complete("translate", "--")


@pytest.mark.parametrize("words, expected", [
    (("translate", "--format", ""), {"text", "json"}),
    (("translate", "--to", ""), {"qemu-argv"}),
    (("shutdown", "--mode", "a"), {"acpi", "agent"}),
    (("event", "--event", "io"), {"io-error-reason"}),
    (("schema", "domain.r"), {"domain.rng"}),
], ids=lambda value: value[0] if isinstance(value, tuple) else None)
def test_values(words, expected):
    assert complete(*words) == expected


def test_files(tmp_path):
    (tmp_path / "web.xml").touch()
    (tmp_path / "notes.txt").touch()
    (tmp_path / "more").mkdir()
    assert complete("validate", "", directory=tmp_path) == {"web.xml", "more"}
    assert complete("schema", "--output", "", directory=tmp_path) == {"more"}


def test_names_of_machines(daemon):
    daemon.call(daemon.define(domain_xml("runs")), "org.libvirt.Domain", "Create", "(u)", 0)
    daemon.define(domain_xml("rests"))
    for command, expected in (("start", {"rests"}), ("destroy", {"runs"}), ("dumpxml", {"runs", "rests"})):
        assert complete("--connect", "session", command, "r", bus=daemon.bus.address) == expected
    assert complete("--connect", "session", "start", "x", bus=daemon.bus.address) == set()


def test_names_without_a_daemon():
    assert complete("--connect", "session", "start", "") == set()
