# SPDX-License-Identifier: LGPL-2.1-or-later
"""Every message of the programs is in every catalogue, and an installed domctl speaks the user's language."""

import os
import re
import shutil
import subprocess

import pytest
from installation import install, prefix

from conftest import TOP, domain_xml

PO = TOP / "po"
LANGUAGES = (PO / "LINGUAS").read_text().split()
SOURCES = [line for line in (PO / "POTFILES").read_text().splitlines() if line and not line.startswith("#")]


def run(*words, **options):
    return subprocess.run([str(word) for word in words], capture_output=True, text=True, check=True, cwd=TOP,
                          **options).stdout


def messages(path):
    """A catalogue's message ids, without header and places."""
    text = run("msgcat", "--no-wrap", "--no-location", "--sort-output", path)
    return re.findall(r'^msgid (".+"(?:\n".*")*|""(?:\n".*")+)', text, re.MULTILINE)[1:]


def test_every_source_with_messages_is_named():
    marked = {str(path.relative_to(TOP)) for part in ("cli", "daemon") for path in (TOP / part).rglob("*.c")
              if re.search(r'\bN?_ \("', path.read_text())}
    assert marked <= set(SOURCES)
    assert [name for name in SOURCES if not (TOP / name).exists()] == []


def test_template_is_current(tmp_path):
    arguments = re.search(r"args: \[(.*?)\]", (PO / "meson.build").read_text(), re.DOTALL).group(1)
    run("xgettext", *re.findall(r"'([^']*)'", arguments), "-o", tmp_path / "now.pot", *SOURCES)
    assert messages(PO / "domaind.pot") == messages(tmp_path / "now.pot"), "run: ninja -C build domaind-pot"


@pytest.mark.parametrize("language", LANGUAGES)
def test_catalogue_is_complete(language):
    catalogue = PO / f"{language}.po"
    run("msgfmt", "--check", "-o", os.devnull, catalogue)
    assert run("msgattrib", "--untranslated", catalogue) == ""
    assert run("msgattrib", "--only-fuzzy", catalogue) == ""
    assert messages(catalogue) == messages(PO / "domaind.pot"), "run: ninja -C build domaind-update-po"


@pytest.mark.parametrize("language", LANGUAGES)
def test_catalogue_keeps_line_ends_and_options(language):
    """What a translation must not lose: the options, commands and file names of a message."""
    text = run("msgcat", "--no-wrap", PO / f"{language}.po")
    for entry in text.split("\n\n")[1:]:
        original, translation = re.split(r"\nmsgstr(?:\[0\])? ", entry[entry.index("msgid"):], maxsplit=1)
        for word in re.findall(r"--[a-z]+|domctl|domaind|qemu-argv", original):
            assert word in translation, entry


@pytest.fixture(scope="module")
def installed(tmp_path_factory):
    return install(tmp_path_factory.mktemp("installed"))


@pytest.fixture(scope="module")
def german(tmp_path_factory, installed):
    """The environment of a German user: a real locale is needed, as the C locales are never translated."""
    locales = tmp_path_factory.mktemp("locales")
    run("localedef", "-i", "de_DE", "-f", "UTF-8", "--no-archive", locales / "de_DE.UTF-8")
    return dict(os.environ, LOCPATH=str(locales), LC_ALL="de_DE.UTF-8", LANGUAGE="de",
                TEXTDOMAINDIR=str(installed / "share" / "locale"))


def test_domctl_speaks_german(installed, german):
    overview = run(installed / "bin/domctl", "--help", env=german)
    assert overview.startswith("Aufruf: domctl")
    assert "Maschinen auflisten" in overview
    assert "Auch Maschinen, die nicht laufen" in run(installed / "bin/domctl", "list", "--help", env=german)


def test_domaind_speaks_german(installed, german):
    assert "Hält die virtuellen Maschinen dieses Rechners." in run(installed / "sbin/domaind", "--help", env=german)


def test_states_are_german_for_people_and_english_for_programs(installed, german, daemon):
    daemon.define(domain_xml("übersetzt"))
    german = dict(german, DBUS_SESSION_BUS_ADDRESS=daemon.bus.address)
    command = [installed / "bin/domctl", "--connect=session", "list", "--all"]
    assert re.search(r"Zustand\n-+\n - +übersetzt +ausgeschaltet\n", run(*command, env=german))
    assert '"state" : "shut off"' in run(*command, "--json", env=german)


def test_c_locale_is_english(installed, german):
    assert run(installed / "bin/domctl", "--help", env=dict(german, LC_ALL="C")).startswith("Usage: domctl")


def test_catalogue_is_found_where_it_is_installed(installed, german, tmp_path):
    """Without TEXTDOMAINDIR: the installation seen at its prefix, in a mount namespace of its own."""
    environment = {name: value for name, value in german.items() if name != "TEXTDOMAINDIR"}
    namespace = ["unshare", "--mount"] if os.geteuid() == 0 else ["unshare", "--mount", "--map-root-user"]
    if subprocess.run([*namespace, "true"], check=False, capture_output=True).returncode != 0:
        pytest.skip("this host lets nobody make a mount namespace")
    program = shutil.copy(installed / "bin/domctl", tmp_path / "domctl")
    shown = run(*namespace, "sh", "-c", 'mount --bind "$1" "$2" && exec "$3" --help', "sh", installed / "share/locale",
                f"/{prefix()}/share/locale", program, env=environment)
    assert shown.startswith("Aufruf: domctl")
