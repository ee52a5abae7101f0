# SPDX-License-Identifier: LGPL-2.1-or-later
"""virt-manager's windows on a virtual screen, read and worked by their accessibility tree."""

import contextlib
import os
import pathlib
import re
import subprocess

import pytest

from conftest import wait_for
from host import little_linux, needs, running_host  # noqa: F401

pytestmark = needs("/usr/bin/virt-manager", "virt-manager")

ACCESSIBLE = pathlib.Path(__file__).with_name("accessible.py")
DETAILS = """
    <disk type='file' device='disk'><driver name='qemu' type='qcow2'/><source file='{disk}'/>
      <target dev='vda' bus='virtio'/></disk>
    <interface type='user'><mac address='52:54:00:11:22:33'/><model type='virtio'/></interface>
    <graphics type='vnc' port='-1' autoport='yes'/>
    <video><model type='vga'/></video>
    <input type='tablet' bus='usb'/>
"""
TEXT_GREY = (168, 168, 168)  # what VGA writes text in
VNC_READY = 1  # VIR_DOMAIN_EVENT_GRAPHICS_INITIALIZE


class Desktop:
    """A screen, a session bus and the programs on them."""

    def __init__(self, host, stack):
        self.host = host
        self.stack = stack
        reader, writer = os.pipe()
        stack.callback(os.close, reader)
        self.keep(subprocess.Popen(["Xvfb", "-displayfd", str(writer), "-screen", "0", "1280x900x24", "-nolisten", "tcp"],
                                   pass_fds=[writer], stderr=subprocess.DEVNULL))
        os.close(writer)
        number = os.read(reader, 16).decode().strip()
        assert number, "Xvfb did not start"
        self.environment = {"DISPLAY": f":{number}", "GSETTINGS_BACKEND": "memory", "GTK_MODULES": "gail:atk-bridge",
                            "DBUS_SESSION_BUS_ADDRESS": f"unix:path={host.home}/bus"}
        bus = self.start("dbus-daemon", "--session", "--nofork", "--print-address",
                         f"--address=unix:path={host.home}/bus", stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        assert bus.stdout.readline()
        stack.callback(bus.stdout.close)

    def keep(self, process):
        def end():
            process.kill()
            process.wait()

        self.stack.callback(end)
        return process

    def start(self, *words, **options):
        return self.keep(self.host.start(*words, processes=True, env=self.environment, **options))

    def virt_manager(self, *options):
        log = self.stack.enter_context(open(self.host.home / "virt-manager.log", "ab"))
        return self.start("virt-manager", "--no-fork", "--debug", "--connect", "qemu:///system", *options, stdout=log,
                          stderr=log)

    def accessible(self, *words):
        return self.host.run("/usr/bin/python3", ACCESSIBLE, *words, env=self.environment)

    def picture(self):
        """The screen, as {(red, green, blue): how many pixels}."""
        found = self.host.run("sh", "-c", "import -window root -depth 8 ppm:- | convert - -format %c histogram:info:-",
                              env=self.environment)
        return {tuple(int(part) for part in colour): int(count)
                for count, *colour in re.findall(r"(\d+): \( *(\d+), *(\d+), *(\d+)", found)}


# The wizard takes KVM where it is offered, and a host may have a KVM that runs no guest, as one in a machine may: so the
# daemon sees none.
WITHOUT_KVM = ("unshare", "--mount", "sh", "-c", '! [ -e /dev/kvm ] || mount --bind /dev/null /dev/kvm; exec "$0" "$@"')


@pytest.fixture
def host(root, bus):
    with running_host(root, bus, WITHOUT_KVM) as it:
        yield it


@pytest.fixture
def desktop(host):
    with contextlib.ExitStack() as stack:
        yield Desktop(host, stack)


@pytest.fixture
def machine(host):
    host.virsh("define", "/dev/stdin", stdin=host.linux("web", devices=DETAILS.format(disk=host.disk("web.qcow2"))))
    return "web"


def test_list_of_machines_start_and_force_off(desktop, host, machine):
    desktop.virt_manager()
    desktop.accessible("wait", "Virtual Machine Manager", "QEMU/KVM", "web\nShutoff")
    desktop.accessible("click", "web\n")
    desktop.accessible("press", "push button", "Run")
    desktop.accessible("wait", "web\nRunning")
    assert host.virsh("domstate", "web") == "running"
    desktop.accessible("press", "toggle button", "Pause")
    desktop.accessible("wait", "web\nPaused")
    assert host.virsh("domstate", "web") == "paused"

    host.virsh("destroy", "web")  # by another client: the window hears of it
    desktop.accessible("wait", "web\nShutoff")
    host.virsh("undefine", "web")
    host.virsh("define", "/dev/stdin", stdin=host.linux("later"))
    desktop.accessible("wait", "later\nShutoff")
    assert "web" not in desktop.accessible("tree")


def test_details(desktop, machine):
    desktop.virt_manager("--show-domain-editor", machine)
    desktop.accessible("wait", "web on QEMU/KVM", "Overview", "CPUs", "Memory", "Boot Options", "VirtIO Disk 1",
                       "NIC :11:22:33", "Tablet", "Display VNC", "Serial 1", "Video VGA", "Controller USB 0", "Q35",
                       "/usr/bin/qemu-system-x86_64", "QEMU TCG")


def test_vnc_console(desktop, host, machine):
    host.virsh("start", machine)
    with host.daemon.signals("org.libvirt.Domain") as seen:
        desktop.virt_manager("--show-domain-console", machine)
        desktop.accessible("wait", "web on QEMU/KVM")
        wait_for(lambda: [name for _, name, arguments in seen
                          if name.endswith(".Graphics") and arguments[0] == VNC_READY], "the console's VNC client")
    wait_for(lambda: desktop.picture().get(TEXT_GREY, 0) > 500, "the firmware's text in the console")


def test_memory_processors_and_new_hardware(desktop, host, machine):
    desktop.virt_manager("--show-domain-editor", machine)
    desktop.accessible("wait", "web on QEMU/KVM", "Boot Options")
    desktop.accessible("click", "Memory")
    desktop.accessible("set", "Memory Select", "96")
    desktop.accessible("press", "push button", "config-apply")
    wait_for(lambda: host.virsh("dumpxml", "web", "--xpath", "/domain/currentMemory/text()") == "98304", "the new memory")
    desktop.accessible("click", "CPUs")
    desktop.accessible("set", "Virtual CPU Select", "2")
    desktop.accessible("press", "push button", "config-apply")
    wait_for(lambda: host.virsh("dumpxml", "web", "--xpath", "/domain/vcpu/text()") == "2", "the new processors")

    desktop.accessible("press", "push button", "add-hardware")
    desktop.accessible("wait", "Add New Virtual Hardware")
    desktop.accessible("click", "RNG")
    desktop.accessible("press", "push button", "Finish")
    desktop.accessible("wait", "RNG /dev/urandom")
    assert host.virsh("dumpxml", "web", "--xpath", "//rng/backend/text()") == "/dev/urandom"


def test_shut_down_from_the_window(desktop, host, machine):
    host.virsh("start", machine)
    host.console(machine, "guest: ready")  # from now on it hears the power button
    desktop.virt_manager("--show-domain-console", machine)
    desktop.accessible("wait", "web on QEMU/KVM")
    desktop.accessible("press", "push button", "Shut Down")
    wait_for(lambda: host.virsh("domstate", "--reason", machine) == "shut off (shutdown)", "the end of the guest")
    desktop.accessible("press", "push button", "Run")
    wait_for(lambda: host.virsh("domstate", machine) == "running", "the next start")


def test_pools_and_volumes(desktop, host):
    host.virsh("pool-define-as", "images", "dir", "--target", host.images)
    host.virsh("pool-start", "images")
    host.virsh("vol-create-as", "images", "data.qcow2", "32M", "--format", "qcow2")
    desktop.virt_manager("--show-host-summary")
    desktop.accessible("wait", "Connection Details", "Storage")
    desktop.accessible("click", "Storage")
    desktop.accessible("click", "images")
    desktop.accessible("wait", str(host.images), "data.qcow2", "32.00 MiB")
    host.virsh("pool-destroy", "images")  # by another client: the window hears of it
    desktop.accessible("wait", "Inactive")


def test_a_machine_made_by_the_wizard(desktop, host):
    """There is no network to be chosen yet, so the card that the wizard adds is taken out again."""
    disk = host.disk("new.qcow2")
    desktop.virt_manager()
    desktop.accessible("wait", "QEMU/KVM")
    desktop.accessible("press", "push button", "New")
    desktop.accessible("press", "radio button", "Import existing disk image")
    desktop.accessible("press", "push button", "Forward")
    desktop.accessible("type", "import-entry", disk)
    desktop.accessible("type", "oslist-entry", "generic linux 2022")
    desktop.accessible("click", "Generic Linux 2022")
    desktop.accessible("press", "push button", "Forward")
    desktop.accessible("wait", "Step 3 of 4", "MiB available on the host")
    desktop.accessible("press", "push button", "Forward")
    desktop.accessible("wait", "Step 4 of 4", str(disk))
    desktop.accessible("press", "check box", "Customize configuration before install")
    desktop.accessible("press", "push button", "Finish")
    desktop.accessible("wait", "Begin Installation", "USB Redirector 2")
    desktop.accessible("click", "NIC")
    desktop.accessible("press", "push button", "config-remove")
    desktop.accessible("press", "push button", "Yes")
    wait_for(lambda: "NIC :" not in desktop.accessible("tree"), "the end of the card")
    desktop.accessible("press", "push button", "Begin Installation")
    wait_for(lambda: host.virsh("list", "--name") == "linux2022", "the machine")
    assert host.virsh("domblklist", "linux2022").split() == ["vda", str(disk)]
