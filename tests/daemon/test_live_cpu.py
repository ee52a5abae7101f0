# SPDX-License-Identifier: LGPL-2.1-or-later
"""The processor that a running machine's document shows: what QEMU gave, whether this QEMU was asked or one like it."""

import re

import libvirt
import pytest

from conftest import domain_xml

DEFAULT = ""
PLAIN = "<cpu mode='custom' match='exact'><model>Nehalem</model></cpu>"
LESS = "<cpu mode='custom' match='exact'><model>Nehalem</model><feature policy='disable' name='sse4.2'/></cpu>"
THREADS = "<cpu mode='custom' match='exact'><model>Nehalem</model><topology sockets='1' cores='1' threads='2'/></cpu>"


@pytest.fixture
def connection(daemon):
    opened = libvirt.open(f"qemu:///session?socket={daemon.root}/run/domaind/libvirt-sock")
    yield opened
    opened.close()


@pytest.fixture
def live(connection):
    """A function: the <cpu> that a machine shows once it runs, and it is gone again."""
    def started(cpu):
        xml = domain_xml("it").replace("</os>", f"</os>{cpu}")
        if "threads" in cpu:
            xml = re.sub("<vcpu>[0-9]+</vcpu>", "<vcpu>2</vcpu>", xml)
        domain = connection.createXML(xml, 0)
        shown = re.search("<cpu .*?</cpu>", domain.XMLDesc(), re.S).group()
        domain.destroy()
        return shown
    return started


def test_the_second_machine_of_a_kind_shows_what_the_first_did(live):
    kinds = [DEFAULT, PLAIN, LESS, THREADS]
    first = [live(cpu) for cpu in kinds]
    assert [live(cpu) for cpu in reversed(kinds)] == list(reversed(first))
    default, plain, less, threads = first
    assert "<model fallback='forbid'>qemu64</model>" in default
    assert "<model fallback='forbid'>Nehalem</model>" in plain
    assert "<feature policy='disable' name='sse4.2'/>" in less and "name='sse4.2'" not in plain
    assert "<topology sockets='1' dies='1' clusters='1' cores='1' threads='2'/>" in threads and "<topology" not in plain


def test_a_restored_machine_shows_its_own(live, daemon, connection):
    shown = live(PLAIN)
    image = str(daemon.root / "saved")
    connection.createXML(domain_xml("it").replace("</os>", f"</os>{PLAIN}"), 0).save(image)
    connection.restore(image)
    assert shown in connection.lookupByName("it").XMLDesc()
    connection.lookupByName("it").destroy()
