# SPDX-License-Identifier: LGPL-2.1-or-later
"""domctl's offline commands: no daemon, no bus, no root."""

import json
import os
import subprocess

import pytest
from lxml import etree

from conftest import BUILD, TOP

EXAMPLES = sorted((TOP / "examples").glob("*.xml"))
CAPABILITIES = TOP / "tests" / "golden" / "capabilities" / "qemu-7.2.json"

MINIMAL = """<domain type='qemu'>
  <name>one</name>
  <memory>65536</memory>
  <os>
    <type machine='q35'>hvm</type>
  </os>
</domain>
"""


def domctl(*words, status=0, stdin=None):
    """Run it where there is nothing to lean on: no bus, no home that was used before."""
    environment = {"PATH": os.environ["PATH"], "LC_ALL": "C.UTF-8", "HOME": "/nonexistent",
                   "XDG_CACHE_HOME": str(BUILD / "test-cache")}
    environment |= {name: os.environ[name] for name in ("ASAN_OPTIONS", "UBSAN_OPTIONS") if name in os.environ}
    done = subprocess.run([BUILD / "cli" / "domctl", *words], input=stdin, capture_output=True, text=True,
                          env=environment, timeout=120)
    assert done.returncode == status, f"{words}: {done.returncode}\n{done.stdout}\n{done.stderr}"
    return done


def write(directory, text, name="machine.xml"):
    path = directory / name
    path.write_text(text)
    return path


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda path: path.stem)
def test_examples_are_valid(example):
    done = domctl("validate", example)
    assert (done.stdout, done.stderr) == ("", "")


def test_validate_names_file_line_and_column_of_every_mistake(tmp_path):
    good = write(tmp_path, MINIMAL, "good.xml")
    bad = write(tmp_path, MINIMAL.replace("<memory>65536", "<memory unit='elephants'>65536")
                .replace("q35", "q53").replace("<os>", "<oz/>\n  <os>"), "bad.xml")
    done = domctl("validate", good, bad, status=1)
    lines = done.stderr.splitlines()
    assert [line.split(": ")[0] for line in lines] == [f"{bad}:3:11", f"{bad}:4:3", f"{bad}:6:11"]
    assert [line.split(": ")[1] for line in lines] == ["error", "error", "warning"]
    assert "elephants" in lines[0] and "did you mean 'os'" in lines[1] and "q53" in lines[2]


def waiting(directory, name, *others):
    """A machine that starts after others, each named in a line of its own: the first one in line 5."""
    lines = "".join(f"\n    {'<p:requires>' if number else '<p:after>'}{other}{'</p:requires>' if number else '</p:after>'}"
                    for number, other in enumerate(others))
    policy = (f"  <metadata><p:policy xmlns:p='https://domaind.org/xmlns/policy/1'>\n"
              f"  <p:start>{lines}</p:start></p:policy></metadata>\n")
    return write(directory, MINIMAL.replace("  <name>one</name>\n", f"  <name>{name}</name>\n{policy}"), f"{name}.xml")


def test_machines_that_wait_for_each_other_are_named_where_they_do(tmp_path):
    web = waiting(tmp_path, "web", "elsewhere", "app")
    app = waiting(tmp_path, "app", "db")
    db = waiting(tmp_path, "db", "web")
    waiting(tmp_path, "spare", "web")
    error = "error: machines wait for each other to start: 'app' → 'db' → 'web' → 'app'"
    assert domctl("validate", tmp_path, status=1).stderr.splitlines() == [
        f"{app}:5:5: {error}", f"{db}:5:5: {error}", f"{web}:6:5: {error}"]
    report = json.loads(domctl("validate", "--json", web, app, db, status=1).stdout)
    assert [(each["line"], each["value"]) for file in report.values() for each in file] == [(6, "app"), (5, "db"), (5, "web")]
    domctl("validate", web, app)


def test_mistakes_of_reading_and_of_meaning_come_in_one_run(tmp_path):
    disk = "<disk type='file'><source file='/a'/><target dev='vda' bus='virtio'/></disk>"
    path = write(tmp_path, MINIMAL.replace("65536", "0").replace("q35", "q53").replace(
        "</domain>", f"  <devices>\n    {disk}\n    {disk}\n    <consle/>\n  </devices>\n</domain>"))
    lines = domctl("validate", path, status=1).stderr.splitlines()
    assert [line.split(":")[1] for line in lines] == ["3", "5", "9", "10"], lines
    for line, words in zip(lines, ("Memory size", "q53", "target 'vda' duplicated", "did you mean 'console'")):
        assert words in line


def test_validate_as_json(tmp_path):
    path = write(tmp_path, MINIMAL.replace("hvm", "hwm"))
    report = json.loads(domctl("validate", "--json", path, status=1).stdout)
    assert [(row["line"], row["severity"]) for row in report[str(path)]] == [(5, "error")]
    assert "hvm" in report[str(path)][0]["message"]


@pytest.mark.parametrize("text, place, words", [
    ("", "", "empty"),
    ("<domain type='qemu'>", "1:", ""),
    ("<pond/>", "1:1", "domain"),
    ("<!DOCTYPE d [<!ENTITY a 'b'><!ENTITY c '&a;&a;&a;'>]><domain>&c;</domain>", "1:", "document type"),
    ("<domain type='qemu'>" + "<a>" * 100_000, "1:", "deep"),
    (MINIMAL.replace("one", "a/b"), "2:", "/"),
], ids=["empty", "cut-off", "other-root", "entities", "nesting", "name-with-slash"])
def test_hostile_documents_are_refused_in_words(tmp_path, text, place, words):
    path = write(tmp_path, text)
    done = domctl("validate", path, status=1)
    assert done.stderr.startswith(f"{path}:{place}" if place else str(path)), done.stderr
    assert words in done.stderr


def test_a_missing_file_is_named(tmp_path):
    assert "nothing.xml" in domctl("validate", tmp_path / "nothing.xml", status=1).stderr


def test_normalize_completes_and_completes_no_further(tmp_path):
    path = write(tmp_path, MINIMAL)
    once = domctl("normalize", path).stdout
    document = etree.fromstring(once.encode())
    assert document.findtext("uuid")
    assert document.find("os/type").get("machine").startswith("pc-q35-")
    assert document.find("devices/emulator") is not None
    twice = domctl("normalize", "-", stdin=once).stdout
    assert twice == once
    assert json.loads(domctl("normalize", "--json", "-", stdin=once).stdout) == {"document": once}


def test_translate_in_both_formats(tmp_path):
    path = write(tmp_path, domctl("normalize", write(tmp_path, MINIMAL)).stdout, "completed.xml")
    launch = json.loads(domctl("translate", "--format", "json", path).stdout)
    assert launch == json.loads(domctl("translate", "--json", path).stdout)
    assert set(launch) == {"env", "argv"}
    assert launch["argv"][0].endswith("qemu-system-x86_64")
    assert launch["argv"][launch["argv"].index("-name") + 1].startswith("guest=one,")
    text = domctl("translate", "--to", "qemu-argv", path).stdout
    shell = subprocess.run(["sh", "-c", f"set -- {text.partition(launch['argv'][0])[2]}\nprintf '%s\\n' \"$@\""],
                           capture_output=True, text=True, check=True)
    assert shell.stdout.splitlines() == launch["argv"][1:]


UNSUPPORTED = """<domain type='qemu'>
  <name>far</name>
  <memory unit='MiB'>64</memory>
  <os><type arch='x86_64' machine='q35'>hvm</type></os>
  <keywrap><cipher name='aes' state='on'/></keywrap>
  <devices>
    <interface type='null'/>
    <disk><source file='/a'/><target dev='sda'/><backenddomain name='d'/></disk>
  </devices>
</domain>
"""


def test_translate_names_everything_at_its_place(tmp_path):
    path = tmp_path / "far.xml"
    path.write_text(UNSUPPORTED)
    said = domctl("translate", path, status=1).stderr.splitlines()
    assert [line.split(": error: ")[0] for line in said] == [f"{path}:5:3", f"{path}:7:16", f"{path}:8:49"]


def test_translate_refuses_by_name_what_qemu_is_not_given_yet(tmp_path):
    path = write(tmp_path, MINIMAL.replace("</domain>", "  <keywrap>\n    <cipher name='aes' state='on'/>\n  </keywrap>\n</domain>"))
    domctl("validate", path)
    assert "<keywrap>" in domctl("translate", path, status=1).stderr


def test_capabilities_can_come_from_a_file(tmp_path):
    path = write(tmp_path, MINIMAL.replace("machine='q35'", "machine='pc-q35-6.0'"))
    domctl("translate", "--capabilities", CAPABILITIES, path)
    assert "nothing.json" in domctl("translate", "--capabilities", "/nothing.json", path, status=1).stderr


def test_capabilities_can_come_from_another_hosts_cache(tmp_path):
    """A file as the cache has it: a line of its own before the capabilities."""
    path = write(tmp_path, MINIMAL)
    cached = write(tmp_path, "0" * 64 + "\n" + CAPABILITIES.read_text(), "cached.json")
    assert domctl("translate", "--capabilities", cached, path).stdout.splitlines()[4].startswith("/usr/bin/qemu-system")


def test_schemas_are_whole(tmp_path):
    names = domctl("schema", "--list").stdout.split()
    assert "domain.rng" in names
    domctl("schema", "--output", tmp_path)
    for name in names:
        assert (tmp_path / name).read_text() == domctl("schema", name).stdout
    for example in EXAMPLES:
        subprocess.run(["xmllint", "--noout", "--relaxng", tmp_path / "domain.rng", example], check=True,
                       capture_output=True)
    assert "nothing.rng" in domctl("schema", "nothing.rng", status=1).stderr


@pytest.mark.parametrize("words", [
    [], ["nonsense"], ["--nonsense"], ["validate"], ["normalize"], ["normalize", "a", "b"], ["list", "surplus"],
    ["--connect", "nowhere", "list"], ["translate", "--to", "toaster", "x"], ["translate", "--format", "x", "x"],
    ["validate", "--nonsense", "x"], ["start"], ["event"], ["event", "--event", "nonsense"],
], ids=" ".join)
def test_wrong_use_is_status_2(words):
    assert domctl(*words, status=2).stderr or words == []


def test_every_command_says_what_it_takes():
    overview = domctl("--help").stdout
    commands = [line.split()[0] for line in overview.splitlines()
                if line.startswith("  ") and line.strip()[0].islower()]
    assert len(commands) > 25
    for command in commands:
        assert f"{command}" in domctl(command, "--help").stdout
        assert "--json" in domctl(command, "--help").stdout
    assert domctl("--version").stdout.startswith("domctl ")
