# SPDX-License-Identifier: LGPL-2.1-or-later
"""`domctl translate --format script` and `unit`: machines that run by themselves, as a shell and as systemd read them."""

import json
import os
import pathlib
import re
import shutil
import socket
import subprocess
import xml.sax.saxutils

import pytest

from conftest import BUILD, TOP, wait_for

DOMCTL = BUILD / "cli" / "domctl"
UUID = "2f6a4f0e-63a5-4d58-8f0e-5c5d2f0b7a11"
CAPABILITIES = TOP / "tests" / "golden" / "capabilities" / "qemu-7.2.json"

# Words in which a shell or systemd could read more than stands there.
WORDS = ["", " ", "it's", '"', "\\", "$HOME", "${HOME}", "$$", "%", "%n%%", "`id`", "$(id)", "a\tb\nc", "; rm", ";", "#", "~",
         "*", "&", "|", "<>", "!", "-device", "--", "=", "ü€", "".join(map(chr, range(32, 127)))]
DOCUMENT = """<domain type='qemu' xmlns:qemu='http://libvirt.org/schemas/domain/qemu/1.0'>
  <name>{name}</name>
  <uuid>{uuid}</uuid>
  <memory unit='MiB'>64</memory>
  <os>{os}<type arch='x86_64' machine='q35'>hvm</type></os>
  <devices>{devices}</devices>
  {more}
</domain>
"""


def quoted(text):
    return xml.sax.saxutils.quoteattr(text, {"\t": "&#9;", "\n": "&#10;"})


def document(name="web", os="", devices="", more=""):  # noqa: A002
    return DOCUMENT.format(name=xml.sax.saxutils.escape(name), uuid=UUID, os=os, devices=devices, more=more)


def translate(folder, *options, status=0):
    ran = subprocess.run([DOMCTL, "translate", *options, "m.xml"], cwd=folder, capture_output=True, text=True, check=False,
                         env={**os.environ, "LC_ALL": "C"})
    assert ran.returncode == status, ran.stderr
    return ran.stdout, ran.stderr


@pytest.fixture
def folder(tmp_path):
    """With an emulator that tells what it was started with."""
    emulator = tmp_path / "emulator"
    emulator.write_text('#!/bin/sh\nprintf "%s\\0" "$0" "$@" > "$TOLD"\nprintf "%s\\0" "$HOME" "$PWD" "$WORD" > "$TOLD.env"\n')
    emulator.chmod(0o755)
    arguments = "".join(f"<qemu:arg value={quoted(word)}/>" for word in WORDS)
    word = quoted("$HOME %n \\ 'it\"s")
    (tmp_path / "m.xml").write_text(document(
        name="a $b%c", devices=f"<emulator>{emulator}</emulator><channel type='unix'><target type='virtio' name='one'/></channel>",
        more=f"<qemu:commandline>{arguments}<qemu:env name='WORD' value={word}/></qemu:commandline>"))
    return tmp_path


def told(path):
    return path.read_text().split("\0")[:-1]


def test_shell_reads_the_same_words(folder):
    """The script's command is that of the plain form, but for the directory of its sockets."""
    run, own = folder / "run dir", folder / "told"
    plain = json.loads(translate(folder, "--capabilities", CAPABILITIES, "--format", "json")[0])
    translate(folder, "--capabilities", CAPABILITIES, "--format", "script", "--output", "out")
    subprocess.run([folder / "out" / "a__b_c.sh", "one more"], check=True,
                   env={**os.environ, "MACHINE_DIRECTORY": str(run), "TOLD": str(own)})
    assert told(own) == [word.replace(f"/run/domaind/machines/{UUID}", ".") for word in plain["argv"]] + ["one more"]
    assert told(own.with_suffix(".env")) == [str(run), str(run), "$HOME %n \\ 'it\"s"]
    assert run.stat().st_mode & 0o777 == 0o700


def systemd_words(line, variables=True):
    """A line of a unit as systemd.service(5) reads it; a specifier or a variable is a mistake."""
    words = []
    for piece in re.findall(r'"(?:[^"\\]|\\.)*"|\S+', line):
        inner = piece[1:-1] if piece.startswith('"') else piece
        assert piece.startswith('"') or not re.search(r"[\\'\"$%;]", piece)
        word = re.sub(r"\\(x[0-9a-f]{2}|.)", lambda found: chr(int(found[1][1:], 16)) if found[1].startswith("x") else found[1], inner)
        for sign in "%$" if variables else "%":
            assert word.replace(sign * 2, "").count(sign) == 0
            word = word.replace(sign * 2, sign)
        words.append(word)
    return words


def settings(text):
    """The settings of a unit, with its lines joined."""
    lines = text.replace("\\\n", "").splitlines()
    return [line.split("=", 1) for line in lines if "=" in line]


def test_systemd_reads_the_same_words(folder):
    plain = json.loads(translate(folder, "--capabilities", CAPABILITIES, "--format", "json")[0])
    text, said = translate(folder, "--capabilities", CAPABILITIES, "--format", "unit")
    values = dict(settings(text))
    program, line = values["ExecStart"].split(" ", 1)
    expected = [word.replace(f"/run/domaind/machines/{UUID}", ".") for word in plain["argv"]]
    assert systemd_words(program) + systemd_words(line) == expected
    assert 'Environment="WORD=$HOME %%n \\\\ \'it\\"s"\n' in text
    assert f'Environment="HOME=%t/qemu-{UUID}"\n' in text
    assert (values["Description"], values["WorkingDirectory"]) == ("Virtual machine a $b%%c", f"%t/qemu-{UUID}")
    assert said == ""


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd-analyze is not there")
def test_systemd_takes_the_unit(folder):
    translate(folder, "--capabilities", CAPABILITIES, "--format", "unit", "--output", "out")
    unit = folder / "out" / "qemu-a__b_c.service"
    ran = subprocess.run(["systemd-analyze", "verify", unit], capture_output=True, text=True, check=False)
    assert (ran.returncode, unit.name in ran.stderr) == (0, False), ran.stderr


def test_script_runs_a_machine(tmp_path):
    """With its own variables made from their template, and a disk whose name a shell would take apart."""
    disk, template, store = tmp_path / "it's a $disk", tmp_path / "template", tmp_path / "nvram" / "own"
    disk.write_bytes(bytes(1 << 20))
    template.write_bytes(bytes(64 << 10))
    loader = next(path for path in (pathlib.Path("/usr/share/OVMF/OVMF_CODE_4M.fd"), pathlib.Path("/usr/share/OVMF/OVMF_CODE.fd"))
                  if path.exists())
    (tmp_path / "m.xml").write_text(document(
        os=f"<loader readonly='yes' type='pflash'>{loader}</loader><nvram template='{template}'>{store}</nvram>",
        devices=f"<disk type='file'><driver name='qemu' type='raw'/><source file={quoted(str(disk))}/>"
                "<target dev='vda' bus='virtio'/></disk>", more="<features><acpi/></features>"))
    text, _ = translate(tmp_path, "--format", "script")
    run = tmp_path / "run"
    with subprocess.Popen(["/bin/sh", "-c", text, "web.sh", "-S"], env={**os.environ, "MACHINE_DIRECTORY": str(run)}) as process:
        try:
            wait_for((run / "monitor.sock").exists, "the monitor")
            with socket.socket(socket.AF_UNIX) as monitor:
                monitor.connect(str(run / "monitor.sock"))
                stream = monitor.makefile("rw")
                answers = [json.loads(stream.readline())]
                for command in ("qmp_capabilities", "query-name", "query-block", "quit"):
                    stream.write(json.dumps({"execute": command}) + "\n")
                    stream.flush()
                    answers.append(json.loads(stream.readline()))
            assert process.wait(20) == 0
        finally:
            process.kill()
    assert answers[2]["return"] == {"name": "web"}
    assert [row["inserted"]["file"] for row in answers[3]["return"] if "virtio" in row["qdev"]] == [str(disk)]
    assert store.read_bytes() == template.read_bytes()


DAEMONS = [
    ("<interface type='bridge'><mac address='52:54:00:00:00:01'/><source bridge='br0'/></interface>",
     "interface 52:54:00:00:00:01: QEMU by itself has nobody to make a tap: expected type 'user', 'server', 'client', 'mcast', 'udp' "
     "or 'vdpa'"),
    ("<interface type='user'><backend type='passt'/></interface>",
     "<backend type='passt'>: QEMU by itself has nobody to start passt: without <backend>, type='user' is QEMU's own"),
    ("<tpm model='tpm-crb'><backend type='emulator' version='2.0'/></tpm>",
     "<backend type='emulator'>: QEMU by itself has nobody to start swtpm: <backend type='external'> takes the socket of one that "
     "runs"),
    ("<disk type='network'><driver name='qemu' type='raw'/><source protocol='iscsi' name='iqn.2020-01.a:b/1'><host name='h'/>"
     f"<auth username='u'><secret type='iscsi' uuid='{UUID}'/></auth></source><target dev='vda' bus='virtio'/></disk>",
     "disk 'vda': QEMU by itself has no secret: they are the daemon's"),
]


@pytest.mark.parametrize(("device", "message"), DAEMONS)
@pytest.mark.parametrize("form", ["script", "unit"])
def test_what_a_daemon_gives_is_refused(tmp_path, device, message, form):
    (tmp_path / "m.xml").write_text(document(devices=f"\n{device}"))
    out, said = translate(tmp_path, "--capabilities", CAPABILITIES, "--format", form, "--drop", status=1)
    assert (out, re.sub(r"m\.xml:7:\d+: error: ", "", said)) == ("", message + "\n")


LOST = """<vcpu cpuset='0'>1</vcpu>
<cputune><shares>100</shares></cputune>
<memtune><hard_limit unit='MiB'>900</hard_limit></memtune>
<seclabel type='dynamic' model='dac' relabel='yes'/>"""


def test_what_a_daemon_keeps_to_is_lost(tmp_path):
    (tmp_path / "m.xml").write_text(document(
        devices="<interface type='user'><link state='down'/></interface>\n<graphics type='vnc' port='5901' passwd='secret'/>\n",
        more=LOST))
    _, said = translate(tmp_path, "--capabilities", CAPABILITIES, "--format", "unit", status=1)
    assert said == """\
m.xml:6:35: error: <link state='down'>: QEMU by itself is told of no link that is down
m.xml:7:34: error: <graphics passwd=>: QEMU by itself is told no password: its monitor takes it, by set_password
m.xml:9:9: error: <vcpu cpuset=>: QEMU by itself pins no threads
m.xml:10:1: error: <cputune>: QEMU by itself pins no threads and sets no limits of a control group
m.xml:11:1: error: <memtune>: QEMU by itself sets no limits of a control group
m.xml:12:1: error: <seclabel>: QEMU by itself is labelled by nobody
"""
    out, dropped = translate(tmp_path, "--capabilities", CAPABILITIES, "--format", "unit", "--drop")
    assert (dropped, "secret" in out) == (said.replace("error:", "warning:"), False)


@pytest.mark.parametrize(("target", "expected"), [
    ("qemu-argv", "'text', 'json', 'script' or 'unit'"),
    ("firecracker", "'text' or 'json'"),
])
def test_other_formats(tmp_path, target, expected):
    (tmp_path / "m.xml").write_text(document())
    _, said = translate(tmp_path, "--to", target, "--format", "yaml", status=2)
    assert said.startswith(f"error: unknown format 'yaml': expected {expected}\n")
