# SPDX-License-Identifier: LGPL-2.1-or-later
"""What virsh changes of a machine and its definition, and how it saves one."""

import pytest

from conftest import domain_xml, wait_for
from virsh import virsh  # noqa: F401  (a fixture)

NAME = "changing"
SOURCE = domain_xml(NAME, more="<!-- mine -->\n  <on_crash>destroy</on_crash>").replace(
    "<memballoon model='none'/>", "<memballoon model='virtio'/>")


@pytest.fixture
def defined(daemon, virsh):  # noqa: F811
    path = daemon.root / "changing.xml"
    path.write_text(SOURCE)
    virsh("define", path)
    return virsh


@pytest.fixture
def running(defined):
    defined("start", NAME)
    return defined


def source(daemon):
    return (daemon.root / f"etc/domaind/domains/{NAME}.xml").read_text()


def test_memory_of_a_definition(daemon, defined):
    defined("setmem", NAME, "16M", "--config")
    defined("setmaxmem", NAME, "64M", "--config")
    info = defined.fields("dominfo", NAME)
    assert (info["Max memory"], info["Used memory"]) == ("65536 KiB", "16384 KiB")
    text = source(daemon)
    assert "<memory unit='KiB'>65536</memory>" in text and "<!-- mine -->" in text
    assert "higher than max memory" in defined.fails("setmem", NAME, "128M", "--config")
    assert "domain is not running" in defined.fails("setmem", NAME, "16M", "--live")


def test_memory_of_a_running_machine(daemon, running):
    running("setmem", NAME, "24M", "--live")
    assert "<currentMemory unit='KiB'>24576</currentMemory>" in running("dumpxml", NAME)
    assert "currentMemory" not in source(daemon)
    assert "maximum memory on an active domain" in running.fails("setmaxmem", NAME, "64M", "--live")


def test_processors(daemon, defined):
    defined("setvcpus", NAME, "4", "--config", "--maximum")
    defined("setvcpus", NAME, "2", "--config")
    assert [row[-1] for row in (line.split() for line in defined("vcpucount", NAME).splitlines()) if row] == ["4", "2"]
    assert "<vcpu placement='static' current='2'>4</vcpu>" in source(daemon)
    assert "greater than max" in defined.fails("setvcpus", NAME, "5", "--config")


def test_what_becomes_of_it(daemon, running):
    running("set-lifecycle-action", NAME, "crash", "preserve", "--live", "--config")
    running("set-lifecycle-action", NAME, "poweroff", "restart", "--config")
    assert "<on_crash>preserve</on_crash>" in running("dumpxml", NAME)
    assert "<on_poweroff>destroy</on_poweroff>" in running("dumpxml", NAME)
    assert "<on_poweroff>restart</on_poweroff>" in source(daemon)
    assert "<on_crash>preserve</on_crash>" in source(daemon)


def test_keys(running):
    running("send-key", NAME, "KEY_LEFTCTRL", "KEY_LEFTALT", "KEY_DELETE")
    running("send-key", NAME, "--codeset", "xt", "28", "--holdtime", "20")
    assert "cannot translate keycode 250" in running.fails("send-key", NAME, "250")
    for codeset, enter in [("atset1", 28), ("atset2", 90), ("atset3", 90), ("os_x", 36), ("xt_kbd", 28), ("usb", 40), ("win32", 13),
                           ("qnum", 28)]:
        running("send-key", NAME, "--codeset", codeset, enter)
    running("send-key", NAME, "--codeset", "win32", "VK_LWIN", "VK_TAB")
    assert "cannot translate keycode 1 of win32 codeset" in running.fails("send-key", NAME, "--codeset", "win32", "1")


def test_limits_that_are_not_set(running):
    assert running.fields("memtune", NAME, "--config")["hard_limit"] == "unlimited"
    assert running.fields("blkiotune", NAME, "--config")["weight"] == "0"
    assert running.fields("numatune", NAME)["numa_mode"] == "strict"
    assert set(running.fields("perf", NAME).values()) == {"disabled"}


def test_save_and_restore(daemon, running):
    image = daemon.root / "image"
    running("save", NAME, image)
    assert running("domstate", NAME, "--reason").strip() == "shut off (saved)"
    assert f"<name>{NAME}</name>" in running("save-image-dumpxml", image)
    running("restore", image)
    assert running("domstate", NAME, "--reason").strip() == "running (restored)"

    running("managedsave", NAME, "--paused")
    assert running.fields("dominfo", NAME)["Managed save"] == "yes"
    assert [row[1] for row in running.table("list", "--all", "--with-managed-save")] == [NAME]
    assert f"<name>{NAME}</name>" in running("managedsave-dumpxml", NAME)
    running("start", NAME)
    wait_for(lambda: running("domstate", NAME).strip() == "paused", "the paused machine")
    assert running.fields("dominfo", NAME)["Managed save"] == "no"
    assert "no job is active" in running.fails("domjobabort", NAME)
    running("resume", NAME)
    running("managedsave", NAME)
    running("managedsave-remove", NAME)
    assert "does not have managed save image" in running.fails("managedsave-dumpxml", NAME)
