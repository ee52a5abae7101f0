# SPDX-License-Identifier: LGPL-2.1-or-later
"""The man pages build without warnings and say what the programs do: no command, option or setting more or less."""

import json
import os
import re
import shutil
import subprocess

import pytest
from docutils import core, nodes

from conftest import BUILD, TOP, domain_xml

DOMCTL = BUILD / "cli" / "domctl"
DOMAIND = BUILD / "daemon" / "domaind"
PAGES = sorted((TOP / "man").glob("*.rst"))
EVERY_COMMAND = {"--json", "--help", "-h", "--connect=", "-c"}


def run(*words, **options):
    environment = dict(os.environ, LC_ALL="C.UTF-8", **options.pop("environment", {}))
    return subprocess.run([str(word) for word in words], capture_output=True, text=True, env=environment, check=True,
                          **options).stdout


def read_page(name):
    return core.publish_doctree((TOP / "man" / name).read_text(), settings_overrides={"halt_level": 2})


def sections(node, depth):
    """{title: section} of the sections @depth levels below the page."""
    inside = [child for child in node.children if isinstance(child, nodes.section)]
    if depth == 1:
        return {child.next_node(nodes.title).astext(): child for child in inside}
    return {title: found for child in inside for title, found in sections(child, depth - 1).items()}


def options_of(section):
    """The options a section lists itself: {"--all", "-h", ...}, those with a value with "=" behind."""
    found = set()
    for listed in section.findall(nodes.option):
        value = listed.next_node(nodes.option_argument)
        found.add(listed.next_node(nodes.option_string).astext() + ("=" if value is not None else ""))
    return found


def options_in_help(*words):
    found = set()
    for line in run(*words, "--help").splitlines():
        if match := re.match(r"  (?:(-\w), )?(--[\w-]+=?)", line):
            found.update(filter(None, match.groups()))
    return found


def commands():
    return re.findall(r"^  ([a-z][a-z-]*) +\S", run(DOMCTL, "--help"), re.MULTILINE)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_page_builds_without_warnings(page, tmp_path):
    program = shutil.which("rst2man") or shutil.which("rst2man.py")
    result = subprocess.run([program, "--report=info", "--halt=severe", page, tmp_path / page.stem],
                            capture_output=True, text=True, check=True)
    assert result.stderr == ""
    roff = (tmp_path / page.stem).read_text().replace("\\-", "-")
    name, section = page.stem.rsplit(".", 1)
    assert re.search(rf'^\.TH "?{re.escape(name)}"? "?{section}"?', roff, re.MULTILINE | re.IGNORECASE)


def test_every_page_is_built():
    assert {page.stem for page in PAGES} == {path.name for path in (BUILD / "man").glob("*.[158]")}


def test_pages_refer_to_pages_that_exist():
    ours = {page.stem.rsplit(".", 1)[0]: page.stem.rsplit(".", 1)[1] for page in PAGES}
    for page in PAGES:
        for name, section in re.findall(r"\*\*([\w.-]+)\*\*\\\((\d)\)", page.read_text()):
            assert name == "virsh" or ours.get(name) == section, f"{page.name} refers to {name}({section})"


def test_domctl_commands_are_the_manuals():
    documented = sections(read_page("domctl.1.rst"), 2)
    assert list(documented) == commands()


@pytest.mark.parametrize("command", commands())
def test_domctl_options_are_the_manuals(command):
    section = sections(read_page("domctl.1.rst"), 2)[command]
    assert options_of(section) == options_in_help(DOMCTL, command) - EVERY_COMMAND


@pytest.mark.parametrize("command", commands())
def test_domctl_synopsis_is_the_usage(command):
    section = sections(read_page("domctl.1.rst"), 2)[command]
    usage = run(DOMCTL, command, "--help").splitlines()[1].split("] ", 1)[1]
    synopsis = section.next_node(nodes.paragraph).astext().removeprefix("domctl ").replace("[OPTION...] ", "")
    assert synopsis.replace("[OPTION...]", "").strip() == usage.strip()
    takes_options = bool(options_of(section))
    assert ("[OPTION...]" in section.next_node(nodes.paragraph).astext()) == takes_options


def test_domctl_words_before_the_command():
    page = read_page("domctl.1.rst")
    assert options_of(sections(page, 1)["DESCRIPTION"]) == {"-c", "--connect=", "--json", "-h", "--help", "-V", "--version"}
    for word in ("--help", "-h", "--version", "-V"):
        assert run(DOMCTL, word)


def test_domaind_options_are_the_manuals():
    section = sections(read_page("domaind.8.rst"), 1)["OPTIONS"]
    assert options_of(section) == options_in_help(DOMAIND)


def test_settings_are_the_manuals():
    """Every key, its default and its words are those of the file that is installed to copy from; that the file has
    every key of the code and its defaults is a unit test."""
    expected = {}
    comment = []
    for line in (TOP / "data" / "domaind.conf").read_text().splitlines():
        if match := re.fullmatch(r"\[(\w+)\]", line):
            group = match.group(1)
        elif match := re.fullmatch(r"#([a-z-]+) = (.*)", line):
            expected[group, match.group(1)] = (match.group(2), " ".join(comment))
        comment = comment + [line[2:]] if line.startswith("# ") else []

    documented = {}
    for title, section in sections(read_page("domaind.conf.5.rst"), 1).items():
        for item in section.findall(nodes.definition_list_item):
            key, default = item.next_node(nodes.term).astext().split(" = ")
            words = item.next_node(nodes.definition).astext().replace("\n", " ")
            documented[title.lower(), key] = (default, words)
    assert documented == expected


def test_every_setting_of_the_code_is_documented():
    table = re.findall(r'SETTING \("(\w+)", "([\w-]+)"', (TOP / "daemon" / "core" / "settings.c").read_text())
    page = (TOP / "man" / "domaind.conf.5.rst").read_text()
    assert table
    assert {key for _, key in table} == set(re.findall(r"^\*\*([\w-]+)\*\* = ", page, re.MULTILINE))


def json_members(command):
    """The members of the first JSON object a command's section shows, as {"a", "b"}."""
    shapes = [literal.astext() for literal in sections(read_page("domctl.1.rst"), 2)[command].findall(nodes.literal)]
    return set(re.findall(r'"(\w+)"', next(shape for shape in shapes if shape.startswith("{"))))


DOCUMENT = str(TOP / "examples" / "linux-kernel.xml")


@pytest.mark.parametrize("words", [("normalize", DOCUMENT), ("translate", DOCUMENT)], ids=lambda words: words[0])
def test_json_of_documents_is_the_manuals(words):
    assert set(json.loads(run(DOMCTL, *words, "--json"))) == json_members(words[0])


def test_json_of_mistakes_is_the_manuals(tmp_path):
    (tmp_path / "bad.xml").write_text("<domain type='qemu'><name>a</name><memry/></domain>")
    result = subprocess.run([DOMCTL, "validate", "--json", "bad.xml"], cwd=tmp_path, capture_output=True, text=True,
                            check=False)
    mistakes = json.loads(result.stdout)["bad.xml"]
    assert result.returncode == 1
    # What would be accepted is not always known; what stands there is, where something does.
    assert json_members("validate") - set(mistakes[0]) <= {"value", "accepted", "nearest"}
    assert set(mistakes[0]) <= json_members("validate")


def test_json_of_the_daemons_answers_is_the_manuals(daemon):
    daemon.define(domain_xml("written-about"))
    for words in (["list", "--all"], ["domstate", "written-about"], ["domuuid", "written-about"],
                  ["domid", "written-about"], ["vcpuinfo", "written-about"], ["dumpxml", "written-about"],
                  ["nodeinfo"], ["version"], ["capabilities"], ["domcapabilities"]):
        answer = json.loads(run(DOMCTL, "--connect=session", *words, "--json",
                                environment={"DBUS_SESSION_BUS_ADDRESS": daemon.bus.address}))
        assert set(answer[0] if isinstance(answer, list) else answer) == json_members(words[0]), words[0]
