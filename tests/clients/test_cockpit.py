# SPDX-License-Identifier: LGPL-2.1-or-later
"""Cockpit's page "Virtual machines" in a headless browser: machines over D-Bus, consoles and details by virsh."""

from cockpit_page import menu, page, requirements  # noqa: F401
from conftest import wait_for
from host import host, little_linux  # noqa: F401

pytestmark = requirements


def test_list_start_pause_resume_shut_down(page, host):
    page.shows("vm-web-system-state", "Shut off")
    page.shows("vm-mail-system-state", "Shut off")

    page.click("vm-web-system-run")
    page.shows("vm-web-system-state", "Running")
    assert host.virsh("domstate", "web") == "running"
    host.console("web", "guest: ready")  # from now on it hears the power button

    menu(page, "web", "pause")
    page.shows("vm-web-system-state", "Paused")
    assert host.virsh("domstate", "web") == "paused"
    menu(page, "web", "resume")
    page.shows("vm-web-system-state", "Running")

    page.click("vm-web-system-shutdown-button")
    page.shows("vm-web-system-state", "Shut off")
    assert host.virsh("domstate", "--reason", "web") == "shut off (shutdown)"


def test_what_others_do_is_seen(page, host):
    host.virsh("start", "mail")
    page.shows("vm-mail-system-state", "Running")
    host.virsh("destroy", "mail")
    page.shows("vm-mail-system-state", "Shut off")
    host.virsh("undefine", "mail")
    wait_for(lambda: "mail" not in (page.attempt(page.text) or "mail"), "the end of a machine")
    host.virsh("define", "/dev/stdin", stdin=host.linux("news"))
    page.shows("vm-news-system-state", "Shut off")


def test_details(page, host):
    page.click("vm-web-system-name")
    page.shows("vm-web-system-state", "Shut off")
    page.shows("vm-web-memory-count", "128.0 MiB")
    page.shows("vm-web-vcpus-count", "1")
    page.shows("vm-web-cpu-model", "qemu64")
    page.shows("vm-web-emulated-machine", "q35")
    page.shows("vm-web-firmware", "BIOS")
    page.shows("vm-web-connection", "System")

    page.click("vm-web-system-run")
    page.shows("vm-web-system-state", "Running")
    page.shows("vm-web-consoles", "VNC console")
    page.click_xpath("//*[@id='vm-web-autostart-switch']/ancestor::label")
    wait_for(lambda: "enable" in host.virsh("dominfo", "web").split("Autostart:")[1].split("\n")[0], "autostart")
