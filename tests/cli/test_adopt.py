# SPDX-License-Identifier: LGPL-2.1-or-later
"""domctl adopt-libvirt: a tree as libvirt leaves it, taken over by a daemon."""

import base64
import json
import os
import subprocess

import pytest

from conftest import BUILD, PATIENCE, domain_xml

DOMAIN = "11111111-1111-4111-8111-111111111111"
POOL = "22222222-2222-4222-8222-222222222222"
SECRET = "33333333-3333-4333-8333-333333333333"
WARNING = "<!--\nWARNING: THIS IS AN AUTO-GENERATED FILE. CHANGES TO IT ARE LIKELY TO BE\nOVERWRITTEN.\n-->\n\n"


@pytest.fixture
def domctl(daemon):
    def run(*words, status=0):
        done = subprocess.run([BUILD / "cli" / "domctl", "--connect", "session", *map(str, words)],
                              capture_output=True, text=True, timeout=PATIENCE,
                              env=dict(os.environ, DBUS_SESSION_BUS_ADDRESS=daemon.bus.address, LC_ALL="C.UTF-8"))
        assert done.returncode == status, f"{words}: {done.returncode}\n{done.stdout}\n{done.stderr}\n{daemon.log()}"
        return done.stdout

    return run


@pytest.fixture
def tree(tmp_path):
    root = tmp_path / "host"
    files = {
        "etc/libvirt/qemu/web.xml": WARNING + domain_xml("web", DOMAIN),
        "etc/libvirt/qemu/broken.xml": "<domain type='qemu'><name>broken</name></domain>",
        "etc/libvirt/storage/images.xml": WARNING + f"<pool type='dir'><name>images</name><uuid>{POOL}</uuid><source/>"
                                          f"<target><path>{tmp_path}/images</path></target></pool>",
        "etc/libvirt/storage/san.xml": "<pool type='mpath'><name>san</name><target><path>/dev/mapper</path></target>"
                                       "</pool>",
        f"etc/libvirt/secrets/{SECRET}.xml": f"<secret ephemeral='no' private='no'><uuid>{SECRET}</uuid></secret>",
        f"etc/libvirt/secrets/{SECRET}.base64": base64.b64encode(b"open sesame").decode(),
        "var/lib/libvirt/qemu/save/web.save": "LibvirtQemudSave",
    }
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    for link, target in {"etc/libvirt/qemu/autostart/web.xml": "../web.xml",
                         "etc/libvirt/storage/autostart/images.xml": "../images.xml"}.items():
        (root / link).parent.mkdir()
        (root / link).symlink_to(target)
    return root


def snapshot(root):
    return {path: path.read_bytes() for path in sorted(root.rglob("*")) if path.is_file()}


def results(text):
    return {(row["kind"], row["name"]): row["result"] for row in json.loads(text)}


def test_what_is_taken_and_what_not(domctl, tree):
    before = snapshot(tree)
    dry = results(domctl("adopt-libvirt", "--root", tree, "--dry-run", "--json"))
    assert set(dry.values()) == {"taken", "left"}
    assert domctl("list", "--all", "--name").strip() == ""

    taken = results(domctl("adopt-libvirt", "--root", tree, "--json", status=1))
    assert taken == {("secret", SECRET): "taken", ("pool", "images"): "taken", ("pool", "san"): "refused",
                     ("domain", "web"): "taken", ("domain", "broken"): "refused", ("file", "web.save"): "left"}
    assert domctl("dumpxml", "--source", "web").startswith("<domain")
    assert json.loads(domctl("dominfo", "--json", "web"))["autostart"] is True

    again = results(domctl("adopt-libvirt", "--root", tree, "--json", status=1))
    assert {name for name, result in again.items() if result == "present"} == {
        name for name, result in taken.items() if result == "taken"}
    assert snapshot(tree) == before


def test_the_value_of_a_secret(daemon, domctl, tree):
    domctl("adopt-libvirt", "--root", tree, status=1)
    uri = f"qemu:///session?socket={daemon.root}/run/domaind/libvirt-sock"
    value = subprocess.run(["virsh", "-c", uri, "secret-get-value", "--plain", SECRET], capture_output=True, text=True,
                           timeout=PATIENCE, check=True).stdout
    assert value.strip() == "open sesame"


def test_variables_of_firmware_are_copied(domctl, tree):
    nvram = "/var/lib/libvirt/qemu/nvram/uefi_VARS.fd"
    (tree / nvram[1:]).parent.mkdir(parents=True)
    (tree / nvram[1:]).write_bytes(b"boot entries")
    text = domain_xml("uefi", "44444444-4444-4444-8444-444444444444").replace(
        "</os>", "<loader readonly='yes' type='pflash'>/usr/share/OVMF/OVMF_CODE_4M.fd</loader>"
                 f"<nvram template='/usr/share/OVMF/OVMF_VARS_4M.fd'>{nvram}</nvram></os><features><acpi/></features>")
    (tree / "etc/libvirt/qemu/uefi.xml").write_text(text)
    domctl("adopt-libvirt", "--root", tree, status=1)
    place = domctl("dumpxml", "uefi").partition("<nvram")[2].partition(">")[2].partition("<")[0]
    assert place and place != nvram
    with open(place, "rb") as file:
        assert file.read() == b"boot entries"
    assert os.stat(place).st_mode & 0o777 == 0o600
