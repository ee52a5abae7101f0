# SPDX-License-Identifier: LGPL-2.1-or-later
"""`domctl init`: documents for operating systems by libosinfo's knowledge, and from other machines."""

import json
import os
import shutil
import subprocess
import xml.etree.ElementTree as ElementTree

import pytest

from conftest import BUILD, PATIENCE, domain_xml
from test_machines import domctl  # noqa: F401: a fixture

DOMCTL = BUILD / "cli" / "domctl"
POLICY = "{https://domaind.org/xmlns/policy/1}"


def run(*words, status=0, **environment):
    """(what it prints, what it says)"""
    done = subprocess.run([DOMCTL, *map(str, words)], capture_output=True, text=True, check=False, timeout=PATIENCE,
                          env=dict(os.environ, LC_ALL="C.UTF-8", **environment))
    assert done.returncode == status, done.stdout + done.stderr
    return done.stdout, done.stderr


def init(tmp_path, *words, name="lab"):
    """The document as a tree, once it was found valid and in its form."""
    document = tmp_path / f"{name}.xml"
    _, said = run("init", "--connect", "session", name, "--write", document, *words)
    assert run("validate", document) == ("", "")
    assert run("fmt", "--check", document) == ("", "")
    return ElementTree.parse(document).getroot(), said


def test_windows_11(domctl, tmp_path):  # noqa: F811
    """It has what its setup asks for, and nothing but its image keeps it from starting here."""
    if not all(map(shutil.which, ["swtpm", "swtpm_setup"])) or not os.path.exists("/usr/share/OVMF"):
        pytest.skip("swtpm or ovmf is not installed")
    xml, said = init(tmp_path, "--os=win11", "--virt-type=qemu")
    assert xml.find("os").get("firmware") == "efi"
    assert {feature.get("name"): feature.get("enabled") for feature in xml.findall("os/firmware/feature")} == {
        "secure-boot": "yes", "enrolled-keys": "yes"}
    assert xml.find("devices/tpm/backend").attrib == {"type": "emulator", "version": "2.0"}
    assert xml.find("devices/disk/target").get("bus") == "sata"
    assert xml.find("devices/interface/model").get("type") == "e1000e"
    assert xml.find("clock").get("offset") == "localtime"
    assert "Secure Boot" in said and "TPM: 2.0" in said
    done = subprocess.run([DOMCTL, "--json", "--connect", "session", "check", tmp_path / "lab.xml"], capture_output=True,
                          text=True, check=False, env=os.environ | {"DBUS_SESSION_BUS_ADDRESS": bus_of(domctl)})
    [checked] = json.loads(done.stdout)
    errors = [finding for finding in checked["findings"] if finding["severity"] == "error"
              and finding["check"] != "socket"]  # swtpm's, in whatever directory the tests run
    assert [("lab.qcow2" in error["message"], "No such file" in error["message"]) for error in errors] == [(True, True)]


def bus_of(domctl):  # noqa: F811
    """The address of the bus that the fixture's daemon is on."""
    return next(cell.cell_contents for cell in domctl.__closure__).bus.address


def test_a_cloud_image(tmp_path):
    key = tmp_path / "id.pub"
    key.write_text("ssh-ed25519 AAAAC3Nz me@laptop\nanother\n")
    xml, said = init(tmp_path, "--os=debian11", f"--image={tmp_path}/debian.qcow2", f"--ssh-key={key}", "--disk=40G",
                     "--memory=3G", "--cpus=3", "--network=lan")
    policy = xml.find(f"metadata/{POLICY}policy")
    assert policy.find(f"{POLICY}disk/{POLICY}size").text == "40"
    assert policy.find(f"{POLICY}disk/{POLICY}base").get("file") == f"{tmp_path}/debian.qcow2"
    seed = policy.find(f"{POLICY}seed")
    assert (seed.get("hostName"), seed.get("user"), seed.find(f"{POLICY}sshKey").text) == (
        "lab", "debian", "ssh-ed25519 AAAAC3Nz me@laptop")
    targets = {disk.find("target").get("dev"): disk.find("target").get("bus") for disk in xml.findall("devices/disk")}
    assert targets == {"vda": "virtio", "sdb": "sata"}
    assert {policy.find(f"{POLICY}disk").get("target"), seed.get("target")} == set(targets)
    assert (xml.find("memory").text, xml.find("vcpu").text) == ("3072", "3")
    assert xml.find("devices/interface/source").get("network") == "lan"
    assert xml.find("devices/channel/target").get("name") == "org.qemu.guest_agent.0"
    assert [device.get("type") for device in xml.findall("devices/input")] == ["tablet"]
    assert "virtio, as it has a driver" in said


def test_from_a_cd(tmp_path):
    xml, _ = init(tmp_path, "--os=win10", "--iso=setup.iso")
    order = {disk.find("source").get("file"): disk.find("boot").get("order") for disk in xml.findall("devices/disk")}
    assert list(order.values()) == ["1", "2"] and [path for path in order][1] == os.path.abspath("setup.iso")
    assert xml.find("devices/tpm") is None


def test_names(tmp_path):
    systems = json.loads(run("--json", "init", "--list")[0])
    assert systems["win11"] == "Microsoft Windows 11" and len(systems) > 100
    assert run("init", "x", "--os=debain11", status=1)[1] == (
        "error: no operating system is called 'debain11': did you mean 'debian11'?\n")
    assert "taken as 'debian" in init(tmp_path, "--os=debian99")[1]


@pytest.mark.parametrize("words, said", [
    ([], "expected NEW-NAME"), (["x"], "expected --os or --like"), (["x/y", "--os=win11"], "is no name of a machine"),
    (["x", "--os=win11", "--like=y"], "expected --os or --like")])
def test_words_that_are_wrong(words, said):
    assert said in run("init", *words, status=2)[1]


@pytest.mark.parametrize("words, said", [
    (["--memory=lots"], "'lots' is no size"), (["--disk=40"], "'40' is no size"), (["--virt-type=xen"], "expected 'kvm' or 'qemu'"),
    (["--ssh-key=/nowhere.pub"], "No such file")])
def test_values_that_are_wrong(words, said):
    assert said in run("init", "x", "--os=debian11", *words, status=1)[1]


def test_nothing_is_overwritten(tmp_path):
    document = tmp_path / "lab.xml"
    document.write_text("mine")
    assert "is there already" in run("init", "lab", "--os=debian11", "--write", document, status=1)[1]
    assert document.read_text() == "mine"


def test_like_another(domctl, tmp_path):  # noqa: F811
    disks = """<!-- <source file='/srv/web.old'/> --><disk type='file'><driver name='qemu' type='qcow2'/><source file='/srv/web-data.qcow2'/>
      <target dev='vda' bus='virtio'/></disk>
      <disk type='file' device='cdrom'><source file='/srv/tools.iso'/><target dev='sda' bus='sata'/></disk>
      <interface type='user'><mac address='52:54:00:11:22:33'/><model type='virtio'/></interface>"""
    (tmp_path / "web.xml").write_text(domain_xml("web", devices=disks, more="<!-- web's own -->"))
    domctl("define", tmp_path / "web.xml")
    copy = tmp_path / "copy.xml"
    copy.write_text(domctl("init", "shop", "--like=web"))
    xml = ElementTree.parse(copy).getroot()
    assert xml.find("name").text == "shop" and xml.find("uuid") is None and xml.find(".//mac") is None
    assert [source.get("file") for source in xml.findall(".//source")] == ["/srv/shop-data.qcow2", "/srv/tools.iso"]
    assert "<!-- web's own -->" in copy.read_text() and "<!-- <source file='/srv/web.old'/> -->" in copy.read_text()
    domctl("define", copy)
    assert "no domain with matching name 'none'" in domctl("init", "x", "--like=none", status=1)
