# SPDX-License-Identifier: LGPL-2.1-or-later
"""virt-install, virt-xml and virt-clone: machines made, changed and copied by them."""

import re
import subprocess

import pytest
from lxml import etree

from host import GUEST, host, little_linux, needs  # noqa: F401

pytestmark = needs("/usr/bin/virt-install", "virtinst")

BOOT = f"kernel={GUEST}/vmlinuz,initrd={GUEST}/initrd.img"


@pytest.fixture
def install(host):
    def run(name, *options, **more):
        return host.run("virt-install", "--virt-type", "qemu", "--osinfo", "detect=off,require=off", "--name", name,
                        "--memory", "128", "--vcpus", "1", "--graphics", "none", "--network", "user", "--noautoconsole",
                        *options, **more)

    return run


def definition(host, name, *options):
    return etree.fromstring(host.virsh("dumpxml", name, *options))


def running(host):
    return set(host.virsh("list", "--name").split())


def test_print_xml_makes_nothing(host, install):
    disk = host.disk("web.qcow2")
    document = etree.fromstring(install("web", "--import", "--disk", f"{disk},format=qcow2", "--print-xml"))
    assert document.findtext("name") == "web"
    assert document.get("type") == "qemu"
    assert document.find("devices/disk/source").get("file") == str(disk)
    assert document.find("devices/disk/driver").get("type") == "qcow2"
    assert host.virsh("list", "--all", "--name") == ""


def test_import_of_a_disk(host, install):
    disk = host.disk("web.qcow2")
    install("web", "--import", "--disk", f"{disk},format=qcow2,bus=virtio")
    assert running(host) == {"web"}
    kept = definition(host, "web", "--inactive")
    assert kept.find("devices/disk[@device='disk']/source").get("file") == str(disk)
    assert kept.find("devices/disk[@device='disk']/target").get("dev") == "vda"
    assert kept.find("os/boot").get("dev") == "hd"


def test_what_it_makes_when_nothing_else_is_said(host):
    """A screen by SPICE, sound, channels for two agents, USB ports for a viewer's devices."""
    host.run("virt-install", "--virt-type", "qemu", "--osinfo", "linux2022", "--name", "web", "--memory", "256", "--import",
             "--disk", f"{host.disk('web.qcow2')},format=qcow2", "--network", "user", "--noautoconsole")
    assert running(host) == {"web"}
    devices = definition(host, "web").find("devices")
    assert devices.find("graphics").get("type") == "spice"
    assert [each.find("address").get("type") for each in devices.findall("redirdev")] == ["usb", "usb"]


DEFAULT = """<network><name>default</name><forward mode='nat'/><bridge name='virbr0'/>
  <ip address='192.168.122.1' netmask='255.255.255.0'><dhcp><range start='192.168.122.2' end='192.168.122.254'/></dhcp></ip>
</network>"""


@pytest.mark.parametrize("options", [["--network", "default"], []], ids=["by name", "nothing said"])
def test_the_default_network(host, options):
    file = host.home / "default.xml"
    file.write_text(DEFAULT)
    host.virsh("net-define", file)
    host.virsh("net-start", "default")
    try:
        host.run("virt-install", "--virt-type", "qemu", "--osinfo", "detect=off,require=off", "--name", "web", "--memory",
                 "128", "--graphics", "none", "--disk", "none", "--import", "--noautoconsole", *options)
        source = definition(host, "web").find("devices/interface[@type='network']/source")
        assert (source.get("network"), source.get("bridge")) == ("default", "virbr0")
        assert source.get("portid") in host.virsh("net-port-list", "default")
        assert re.search(r"vnet\d+ +network +default", host.virsh("domiflist", "web"))
        host.virsh("destroy", "web")
    finally:
        host.virsh("net-destroy", "default")


@pytest.mark.parametrize("network, words", [
    ("network=default", "no network with matching name 'default'"),
    ("bridge=br0", "Cannot get interface MTU on 'br0': No such device"),
])
def test_a_network_that_is_not_there_is_said(host, network, words):
    said = host.run("virt-install", "--virt-type", "qemu", "--osinfo", "detect=off,require=off", "--name", "web", "--memory",
                    "128", "--import", "--disk", "none", "--network", network, "--graphics", "none", "--noautoconsole", status=1)
    assert words in said
    assert host.virsh("list", "--all", "--name") == ""


def test_disk_that_virt_install_makes(host, install):
    """It makes the image as a volume of a pool for its directory, and the pool where there is none."""
    disk = host.images / "made.qcow2"
    install("made", "--import", "--disk", f"{disk},size=0.125,format=qcow2,bus=virtio", "--boot",
            f"{BOOT},kernel_args=console=ttyS0")
    information = subprocess.run(["qemu-img", "info", "-U", disk], capture_output=True, text=True, check=True).stdout
    assert "file format: qcow2" in information and "(134217728 bytes)" in information
    assert "guest: disk vda, 262144 sectors" in host.console("made", "guest: ready")


def test_boot_of_a_kernel_to_its_console(host, install):
    install("linux", "--import", "--disk", "none", "--boot", f"{BOOT},kernel_args=console=ttyS0")
    assert "guest: 1 CPU(s)" in host.console("linux", "guest: ready")
    host.virsh("shutdown", "linux")
    assert definition(host, "linux", "--inactive").findtext("os/kernel") == f"{GUEST}/vmlinuz"


def test_install_kernel_is_for_the_first_run_only(host, install):
    install("linux", "--disk", "none", "--install",
            f"{BOOT},kernel_args=console=ttyS0,kernel_args_overwrite=yes")
    assert "guest: ready" in host.console("linux", "guest: ready")
    assert definition(host, "linux").find("os/kernel") is not None
    assert definition(host, "linux", "--inactive").find("os/kernel") is None


def test_console_opened_by_virt_install(host):
    shown = host.typed("virt-install", "--virt-type", "qemu", "--osinfo", "detect=off,require=off", "--name", "linux",
                       "--memory", "128", "--graphics", "none", "--network", "none", "--disk", "none", "--import",
                       "--autoconsole", "text", "--boot", f"{BOOT},kernel_args=console=ttyS0",
                       until="guest: ready", leave=b"\x1d")
    assert "Escape character is ^]" in shown
    assert running(host) == {"linux"}


def test_transient_machine_leaves_nothing(host, install):
    install("passing", "--import", "--disk", "none", "--boot", BOOT, "--transient")
    assert host.virsh("list", "--transient", "--name") == "passing"
    host.virsh("destroy", "passing")
    assert host.virsh("list", "--all", "--name") == ""


def test_name_already_taken_is_said(host, install):
    install("web", "--import", "--disk", "none", "--boot", BOOT)
    assert "Guest name 'web' is already in use" in install("web", "--import", "--disk", "none", status=1)


def test_virt_xml_edits_the_definition(host):
    host.virsh("define", "/dev/stdin", stdin=host.linux("web", devices="<interface type='user'/>"))
    for change in (["--edit", "--memory", "160"],
                   ["--edit", "--vcpus", "2"],
                   ["--edit", "--metadata", "title=The web"],
                   ["--edit", "--network", "model=virtio"],
                   ["--edit", "--boot", "cmdline=quiet"],
                   ["--edit", "--events", "on_poweroff=restart"],
                   ["--add-device", "--rng", "/dev/urandom"],
                   ["--add-device", "--graphics", "vnc"],
                   ["--add-device", "--channel", "unix,target.type=virtio,target.name=org.qemu.guest_agent.0"],
                   ["--add-device", "--watchdog", "default"],
                   ["--remove-device", "--watchdog", "all"]):
        host.run("virt-xml", "web", *change)
    kept = definition(host, "web")
    assert (kept.findtext("title"), kept.findtext("memory"), kept.findtext("vcpu")) == ("The web", "163840", "2")
    assert (kept.findtext("os/cmdline"), kept.findtext("on_poweroff")) == ("quiet", "restart")
    devices = kept.find("devices")
    assert devices.find("interface/model").get("type") == "virtio"
    assert devices.findtext("rng/backend") == "/dev/urandom"
    assert devices.find("graphics").get("type") == "vnc"
    assert devices.find("channel/target").get("name") == "org.qemu.guest_agent.0"
    assert [it.get("model") for it in devices.findall("watchdog")] == ["itco"]  # the chipset's


def test_virt_xml_shows_a_difference_without_making_it(host):
    host.virsh("define", "/dev/stdin", stdin=host.linux("web"))
    before = host.virsh("dumpxml", "web")
    changes = [line for line in host.run("virt-xml", "web", "--edit", "--print-diff", "--memory", "256").splitlines()
               if line.startswith(("-  ", "+  "))]
    assert changes == ['-  <memory unit="KiB">131072</memory>', '-  <currentMemory unit="KiB">131072</currentMemory>',
                       '+  <memory unit="KiB">262144</memory>', '+  <currentMemory unit="KiB">262144</currentMemory>']
    assert host.virsh("dumpxml", "web") == before


def test_virt_xml_adds_and_removes_a_device_of_a_running_machine(host):
    ports = "".join(f"<controller type='pci' index='{index}' model='pcie-root-port'/>" for index in range(1, 6))
    host.virsh("define", "/dev/stdin", stdin=host.linux("web", devices=ports))
    host.virsh("start", "web")
    host.console("web", "guest: ready")  # a guest must take part in giving a device back
    disk = host.disk("more.qcow2")
    host.run("virt-xml", "web", "--update", "--add-device", "--disk", f"{disk},target=vdb,bus=virtio")
    assert "vdb" in host.virsh("domblklist", "web")
    assert definition(host, "web", "--inactive").find("devices/disk/target[@dev='vdb']") is not None

    host.run("virt-xml", "web", "--update", "--remove-device", "--disk", "target=vdb")
    assert definition(host, "web", "--inactive").find("devices/disk/target[@dev='vdb']") is None
    assert host.virsh("domblklist", "web") == ""


def test_clone_of_a_machine_with_its_disk(host, install):
    disk = host.disk("web.qcow2")
    subprocess.run(["qemu-io", "-c", "write -q -P 0x5a 0 64k", disk], check=True)
    install("web", "--import", "--disk", f"{disk},format=qcow2,bus=virtio")
    host.virsh("destroy", "web")

    copy = host.images / "copy.qcow2"
    host.run("virt-clone", "--original", "web", "--name", "copy", "--file", copy)
    subprocess.run(["qemu-io", "-c", "read -q -P 0x5a 0 64k", copy], check=True)
    original, cloned = definition(host, "web"), definition(host, "copy")
    assert cloned.find("devices/disk/source").get("file") == str(copy)
    assert cloned.findtext("uuid") != original.findtext("uuid")
    assert cloned.find("devices/interface/mac").get("address") != original.find("devices/interface/mac").get("address")

    host.virsh("start", "copy")
    host.virsh("start", "web")
    assert running(host) == {"web", "copy"}


def test_clone_with_names_of_its_own_choice(host, install):
    disk = host.disk("web.qcow2")
    install("web", "--import", "--disk", f"{disk},format=qcow2,bus=virtio")
    host.virsh("destroy", "web")
    host.run("virt-clone", "--original", "web", "--auto-clone")
    assert definition(host, "web-clone").find("devices/disk/source").get("file") == str(host.images / "web-clone.qcow2")


def test_cloud_init_by_a_serial_number_and_a_disk(host, install):
    """What virt-install makes for cloud images: its seed, and a serial number in the firmware that tells of it."""
    disk = host.disk("cloud.qcow2")
    install("cloud", "--import", "--disk", f"{disk},format=qcow2", "--cloud-init", "disable=on,root-password-generate=no",
            "--sysinfo", "system.serial=ds=nocloud", "--boot", "smbios.mode=sysinfo")
    assert running(host) == {"cloud"}
    document = definition(host, "cloud")
    assert document.find("sysinfo/system/entry").text == "ds=nocloud"
    assert document.find("os/smbios").get("mode") == "sysinfo"
    assert document.find("devices/disk[@device='cdrom']") is not None


def test_location_whose_kernel_is_put_where_the_machine_finds_it(host, install):
    """Its installer's kernel is copied to virt-install's own directory, and is gone when it has been used."""
    install("tree", "--disk", "none", "--location", f"{GUEST},kernel=vmlinuz,initrd=initrd.img", "--extra-args", "console=ttyS0",
            "--wait", "0")
    assert "guest: ready" in host.console("tree", "guest: ready")
    assert definition(host, "tree", "--inactive").find("os/kernel") is None
