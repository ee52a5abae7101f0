# SPDX-License-Identifier: LGPL-2.1-or-later
"""A machine's firmware variables, from definition to undefinition, as virsh sees them: with libvirt's answers."""

import pathlib
import re

import pytest

from conftest import domain_xml
from virsh import virsh  # noqa: F401  (a fixture)

OVMF = pathlib.Path("/usr/share/OVMF")
AUTOMATIC = "<os firmware='efi'><type arch='x86_64' machine='q35'>hvm</type><firmware>" \
            "<feature enabled='no' name='secure-boot'/></firmware></os>"
LOADER = "<loader readonly='yes' type='pflash'>{}</loader>"
MARK = b"MARK"
MARK_AT = 300000  # inside of the variables, where the firmware writes nothing by itself

pytestmark = pytest.mark.skipif(not (OVMF / "OVMF_CODE_4M.fd").exists(), reason="needs the package ovmf")


def document(name, system):
    text = domain_xml(name, more="<features><acpi/></features>")
    return re.sub("<os>.*</os>", system, text)


def explicit(loader, nvram=""):
    return f"<os><type arch='x86_64' machine='q35'>hvm</type>{LOADER.format(loader)}{nvram}</os>"


@pytest.fixture
def define(daemon, virsh):  # noqa: F811
    def define(name, system):
        path = daemon.root / f"{name}.xml"
        path.write_text(document(name, system))
        virsh("define", path)
        return variables(virsh, name)
    return define


def variables(virsh, name):  # noqa: F811
    found = re.search("<nvram[^>]*>(.*)</nvram>", virsh("dumpxml", name))
    return pathlib.Path(found.group(1)) if found else None


def write_mark(path):
    with open(path, "r+b") as file:
        file.seek(MARK_AT)
        file.write(MARK)


def has_mark(path):
    with open(path, "rb") as file:
        file.seek(MARK_AT)
        return file.read(len(MARK)) == MARK


@pytest.mark.parametrize("system", [AUTOMATIC, explicit(OVMF / "OVMF_CODE_4M.fd"),
                                    explicit(OVMF / "OVMF_CODE_4M.fd", "<nvram/>")])
def test_variables_are_known_from_the_definition_on(daemon, define, system):
    assert define("a", system) == daemon.root / "var/lib/domaind/nvram/a_VARS.fd"


def test_undefined_only_with_a_word_on_its_variables(define, virsh):  # noqa: F811
    store = define("a", AUTOMATIC)
    virsh("undefine", "a")  # never started: there are none

    define("a", AUTOMATIC)
    virsh("start", "a")
    write_mark(store)
    assert "cannot undefine domain with nvram" in virsh.fails("undefine", "a")
    virsh("destroy", "a")
    assert "cannot undefine domain with nvram" in virsh.fails("undefine", "a")
    virsh("undefine", "a", "--keep-nvram")
    assert has_mark(store)

    define("a", AUTOMATIC)
    virsh("undefine", "a", "--nvram")
    assert not store.exists()


def test_definition_stays_where_variables_cannot_be_removed(define, virsh):  # noqa: F811
    store = define("a", AUTOMATIC)
    store.mkdir(parents=True)
    assert f"failed to remove nvram: {store}: Is a directory" in virsh.fails("undefine", "a", "--nvram")
    assert "a" in virsh("list", "--all", "--name").split()


def test_renamed_machine_keeps_its_variables(define, virsh):  # noqa: F811
    store = define("a", AUTOMATIC)
    virsh("start", "a")
    virsh("destroy", "a")
    write_mark(store)
    virsh("domrename", "a", "b")
    assert variables(virsh, "b") == store
    virsh("start", "b")
    assert has_mark(store)


def test_variables_are_reset_from_their_template(define, virsh):  # noqa: F811
    store = define("a", AUTOMATIC)
    virsh("start", "a")
    virsh("destroy", "a")
    write_mark(store)
    virsh("start", "a")
    virsh("destroy", "a")
    assert has_mark(store)
    virsh("start", "a", "--reset-nvram")
    assert not has_mark(store)


@pytest.mark.parametrize("nvram, words", [
    ("", "operation failed: unable to find any master var store for loader: {loader}"),
    ("<nvram template='/nowhere/v.fd'/>", "Failed to open file “/nowhere/v.fd”: No such file or directory"),
    ("<nvram template='{loader}' templateFormat='raw' format='qcow2'>{root}/n</nvram>",
     "conversion of the nvram template to another target format is not supported"),
])
def test_variables_that_cannot_be_made(daemon, define, virsh, nvram, words):  # noqa: F811
    loader = daemon.root / "own.fd"
    loader.symlink_to(OVMF / "OVMF_CODE_4M.fd")
    store = define("a", explicit(loader, nvram.format(loader=loader, root=daemon.root)))
    assert words.format(loader=loader) in virsh.fails("start", "a")
    store.parent.mkdir(exist_ok=True)
    store.write_bytes(MARK)
    assert words.format(loader=loader) in virsh.fails("start", "a", "--reset-nvram")
    assert store.read_bytes() == MARK  # what could not be made anew is not lost either
