# SPDX-License-Identifier: LGPL-2.1-or-later
"""The completions for bash, zsh and fish, driven as the shells drive them."""

import os
import pty
import re
import select
import shutil
import subprocess
import time

import pytest

from conftest import BUILD, PATIENCE, TOP, domain_xml

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


def environment_of(bus):
    return dict(os.environ, PATH=f"{BUILD / 'cli'}:{os.environ['PATH']}", LC_ALL="C.UTF-8", TERM="dumb",
                DBUS_SESSION_BUS_ADDRESS=bus or "unix:path=/nonexistent")


def complete(*words, directory=None, bus=None):
    """What bash would offer for the last of the words that follow "domctl"."""
    environment = environment_of(bus)
    result = subprocess.run(["bash", "-c", SCRIPT, "bash", TOP / "data/completion/domctl", "domctl", *words],
                            capture_output=True, text=True, env=environment, cwd=directory, check=True)
    assert result.stderr == ""
    return set(result.stdout.split("\n")) - {""}


def test_commands():
    assert complete("val") == {"validate"}
    assert complete("re") == {"reboot", "render", "reset", "resume", "revert"}
    assert len(complete("")) > 25


def test_options_before_the_command():
    assert complete("--") == {"--connect", "--json", "--help", "--version"}
    assert complete("--connect", "s") == {"system", "session"}
    assert complete("--connect", "session", "defi") == {"define"}
    assert complete("help", "undef") == {"undefine"}


def test_values_that_are_asked_for():
    assert {"win10", "win11"} <= complete("init", "lab", "--os", "win1")
    assert complete("hook", "install", "--ci", "gi") == {"gitlab", "github"}
    assert complete("init", "lab", "--virt-type", "k") == {"kvm"}
    assert complete("translate", "web.xml", "--to", "") >= {"qemu-argv", "firecracker", "vmware-vmx"}
    assert complete("import-config", "--from", "") >= {"xen-xl", "vmware-vmx"}
    assert "firecracker" not in complete("import-config", "--from", "")


def test_options_of_a_command():
    assert complete("dumpxml", "--in") == {"--inactive"}
    assert {"--to=", "--drop", "--output=", "--format=", "--capabilities=", "--json", "--connect=", "--help"} == complete("translate", "--")


@pytest.mark.parametrize("words, expected", [
    (("translate", "--format", ""), {"text", "json", "script", "unit"}),
    (("translate", "--to", "x"), {"xen-xl"}),
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
    assert complete("start", "--connect", "session", "r", bus=daemon.bus.address) == {"rests"}
    assert complete("--connect", "session", "start", "x", bus=daemon.bus.address) == set()


def test_names_without_a_daemon():
    assert complete("--connect", "session", "start", "") == set()


# The other shells: what they make of the line when the tabulator is typed, or offer.

LINES = [
    ("domctl val", "domctl validate"),
    ("domctl --connect ses", "domctl --connect session"),
    ("domctl -c session dumpxml --ina", "domctl -c session dumpxml --inactive"),
    ("domctl translate --format j", "domctl translate --format json"),
    ("domctl event --event io", "domctl event --event io-error-reason"),
    ("domctl translate --to fire", "domctl translate --to firecracker"),
    ("domctl import-config --from xe", "domctl import-config --from xen-xl"),
    ("domctl schema domain.r", "domctl schema domain.rng"),
    ("domctl help undef", "domctl help undefine"),
    ("domctl validate we", "domctl validate web.xml"),
    ("domctl start -c session r", "domctl start -c session rests"),
    ("domctl -c session destroy r", "domctl -c session destroy runs"),
]


@pytest.fixture
def place(daemon, tmp_path):
    """A directory with a document, and a daemon with a machine that runs and one that does not."""
    (tmp_path / "web.xml").touch()
    daemon.call(daemon.define(domain_xml("runs")), "org.libvirt.Domain", "Create", "(u)", 0)
    daemon.define(domain_xml("rests"))
    return tmp_path


@pytest.mark.skipif(shutil.which("fish") is None, reason="fish is not installed")
def test_fish(daemon, place):
    script = f"source {TOP}/data/completion/domctl.fish; for line in $argv; complete -C $line; echo .; end"
    done = subprocess.run(["fish", "--no-config", "-c", script, *(typed for typed, _ in LINES)], cwd=place, text=True,
                          capture_output=True, check=True,
                          env=dict(environment_of(daemon.bus.address), HOME=str(place), XDG_DATA_HOME=str(place)))
    offers = [[line.split("\t")[0] for line in part.split()[:1]] for part in done.stdout.split(".\n")[:-1]]
    assert offers == [[wanted.split()[-1]] for _, wanted in LINES], done.stderr


ZSH = """PS1=; fpath=({}/data/completion $fpath); autoload -Uz compinit; compinit -u -D; zle -N show
show () {{ print -r -- "LINE<$BUFFER>"; BUFFER= }}; bindkey '^X^X' show; unsetopt zle_bracketed_paste; stty -echo
print READY ${{:-now}}
"""


def read_until(terminal, pattern):
    shown, deadline = "", time.monotonic() + PATIENCE
    while not (found := re.search(pattern, shown)):
        assert select.select([terminal], [], [], max(0, deadline - time.monotonic()))[0], f"{pattern} not in {shown!r}"
        shown += os.read(terminal, 4096).decode(errors="replace")
    return found


@pytest.mark.skipif(shutil.which("zsh") is None, reason="zsh is not installed")
def test_zsh(daemon, place):
    pid, terminal = pty.fork()
    if pid == 0:
        os.chdir(place)
        os.execvpe("zsh", ["zsh", "-f", "-i"], dict(environment_of(daemon.bus.address), HOME=str(place)))
    try:
        os.write(terminal, ZSH.format(TOP).encode())
        read_until(terminal, "READY now")
        for typed, wanted in LINES:
            os.write(terminal, f"{typed}\t\x18\x18".encode())
            assert read_until(terminal, "LINE<(.*?)>").group(1).strip() == wanted
    finally:
        os.close(terminal)
        os.kill(pid, 9)
        os.waitpid(pid, 0)
