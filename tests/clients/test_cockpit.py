# SPDX-License-Identifier: LGPL-2.1-or-later
"""Cockpit's page "Virtual machines" in a headless browser: machines over D-Bus, consoles and details by virsh."""

from cockpit_page import menu, page, requirements  # noqa: F401
from conftest import wait_for
from lxml import etree
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


COLOURS = """
const screen = document.querySelector("canvas"), pixels = {};
const data = screen.getContext("2d").getImageData(0, 0, screen.width, screen.height).data;
for (let i = 0; i < data.length; i += 4)
    pixels[[data[i], data[i + 1], data[i + 2]]] = (pixels[[data[i], data[i + 1], data[i + 2]]] || 0) + 1;
return pixels;
"""
TEXT_GREY = "168,168,168"  # what VGA writes text in


def test_consoles(page, host):
    host.virsh("start", "web")
    page.click("vm-web-system-name")
    page.shows("vm-web-consoles", "VNC console")
    wait_for(lambda: (page.attempt(lambda: page.driver.execute_script(COLOURS)) or {}).get(TEXT_GREY, 0) > 500,
             "the firmware's text on the screen")
    page.click("pf-c-console__type-selector")
    page.click_xpath("//*[contains(@class, 'pf-c-select__menu')]//button[contains(., 'Serial')]")
    page.shows("web-terminal", "guest: ready")


def pool(host):
    host.virsh("pool-define-as", "images", "dir", "--target", host.images)
    host.virsh("pool-start", "images")


def test_a_disk_is_added_and_goes_with_its_machine(page, host):
    pool(host)
    page.click("vm-web-system-name")
    page.click("vm-web-disks-adddisk")
    page.fill("//*[@id='vm-web-disks-adddisk-new-name']", "data")
    page.choose("vm-web-disks-adddisk-new-unit", "MiB")
    page.fill("//*[@id='vm-web-disks-adddisk-new-size']", "32")
    page.click("vm-web-disks-adddisk-dialog-add")
    page.shows("vm-web-disks-vda-source-volume", "data")
    assert host.virsh("vol-list", "images").split() == ["data", str(host.images / "data")]

    page.click("vm-web-system-run")
    page.shows("vm-web-system-state", "Running")
    assert host.virsh("domblklist", "web").split() == ["vda", str(host.images / "data")]

    host.virsh("destroy", "web")
    page.shows("vm-web-system-state", "Shut off")
    menu(page, "web", "delete")
    page.click_xpath("//*[@id='vm-web-delete-modal-dialog']//button[contains(., 'Delete')]")
    page.goes("vm-web-delete-modal-dialog")
    wait_for(lambda: host.virsh("list", "--all", "--name") == "mail", "the machine's end")
    wait_for(lambda: host.virsh("vol-list", "images") == "", "the volume's end")
    assert not (host.images / "data").exists()


def test_memory_and_processors(page, host):
    page.click("vm-web-system-name")
    page.click_xpath("//dd[@id='vm-web-memory-count']//button")
    page.fill("//*[@id='vm-web-memory-modal-max-memory']", "256")
    page.fill("//*[@id='vm-web-memory-modal-memory']", "192")
    page.click("vm-web-memory-modal-save")
    page.goes("vm-memory-modal")
    page.shows("vm-web-memory-count", "192.0 MiB")
    page.click_xpath("//dd[@id='vm-web-vcpus-count']//button")
    page.fill("//*[@id='machines-vcpu-max-field']", "2")
    page.fill("//*[@id='machines-vcpu-count-field']", "2")
    page.click("machines-vcpu-modal-dialog-apply")
    page.goes("machines-vcpu-modal-dialog")
    page.shows("vm-web-vcpus-count", "2")
    kept = etree.fromstring(host.virsh("dumpxml", "web"))
    assert (kept.findtext("memory"), kept.findtext("currentMemory"), kept.findtext("vcpu")) == ("262144", "196608", "2")


def test_a_machine_is_made_of_an_image(page, host):
    disk = host.disk("news.qcow2")
    page.click("import-existing-vm")
    page.fill("//*[@id='vm-name']", "news")
    page.fill("//*[@id='source-disk-group']//input", str(disk))
    page.click_xpath("//*[@id='source-disk-group']//li//button")
    page.fill("//*[@id='os-select-group']//input", "Generic")
    page.click_xpath("//*[@id='os-select-group']//li//button[contains(., 'Generic')]")
    page.choose("memory-size-unit-select", "MiB")
    page.fill("//*[@id='memory-size']", "256")
    page.click("create-and-edit")
    page.shows("vm-news-system-state", "Shut off")
    made = etree.fromstring(host.virsh("dumpxml", "news"))
    assert made.findtext("memory") == "262144"
    assert made.find("devices/disk[@device='disk']/source").get("file") == str(disk)
