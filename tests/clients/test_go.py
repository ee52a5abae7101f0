# SPDX-License-Identifier: LGPL-2.1-or-later
"""go-libvirt, which speaks libvirt's protocol without libvirt's library: what Terraform's provider and others do with it."""

import os
import subprocess

import libvirt
import pytest

from conftest import TOP, domain_xml
from host import host, little_linux, needs  # noqa: F401

LIBRARY = "/usr/share/gocode/src/github.com/digitalocean/go-libvirt/libvirt.go"

pytestmark = [needs("/usr/bin/go", "golang-go"), needs(LIBRARY, "golang-github-digitalocean-go-libvirt-dev")]

RUNNING_BOOTED, PAUSED_USER, SHUTOFF_DESTROYED = 1, 1, 2


@pytest.fixture(scope="module")
def program(tmp_path_factory):
    directory = tmp_path_factory.mktemp("go")
    environment = dict(os.environ, GO111MODULE="off", GOPATH="/usr/share/gocode", GOFLAGS="-p=2", GOCACHE=str(directory / "cache"))
    subprocess.run(["go", "build", "-o", directory / "client", "."], cwd=TOP / "tests" / "clients" / "go", env=environment,
                   check=True)
    return directory / "client"


@pytest.fixture
def go(program, host):  # noqa: F811
    """Run a story; the lines it says, or the error it ends with."""
    def run(story, *arguments, uri="qemu:///system", status=0):
        path = host.daemon.root / "run" / "domaind" / "libvirt-sock"
        said = host.run(program, path, uri, story, *arguments, status=status)
        return said if status else said.splitlines()

    return run


def test_the_connection_and_the_host(go):
    assert go("host") == ["library: 11003000 QEMU", "architecture: x86_64", f"node: true {os.cpu_count()} true", "domains: 0 0",
                          "networks: 0 secure 1"]


def test_uris_of_others_are_refused(go):
    assert 'Code:0x' in go("host", uri="xen:///system", status=1)


def test_a_life_with_its_events(go, tmp_path):
    document = tmp_path / "web.xml"
    document.write_text(domain_xml("web"))
    assert go("life", document) == [
        "defined: web -1",
        "autostart: 1",
        f"state: true {RUNNING_BOOTED} true",
        "document: web 32768 true",
        "info: 32768 32768 1",
        "statistics: web state.state 1",
        f"statistics: web state.reason {RUNNING_BOOTED}",
        "monitor: true",
        f"suspended: true {PAUSED_USER}",
        f"destroyed: true {SHUTOFF_DESTROYED}",
        "gone: true",
        "event: web 0 0",  # defined: added
        "event: web 4 0",  # resumed: unpaused
        "event: web 2 0",  # started: booted
        "event: web 3 0",  # suspended: paused
        "event: web 4 0",  # resumed: unpaused
        "event: web 5 1",  # stopped: destroyed
        "event: web 1 0",  # undefined: removed
    ]


def test_pool_volume_and_domain_as_terraform_makes_them(go, host, tmp_path):
    image = host.disk("image.qcow2", "32M")
    subprocess.run(["qemu-io", "-c", "write -q -P 0x5a 0 3M", image], check=True)
    disk = "<disk type='file' device='disk'><driver name='qemu' type='qcow2'/><source file='@VOLUME@'/>" \
        "<target dev='vda' bus='virtio'/></disk>"
    document = tmp_path / "web.xml"
    document.write_text(domain_xml("web", devices=disk))
    directory = host.images / "tf"
    assert go("resources", directory, image, document) == [
        "no pool: true",
        f"pool: tf true {libvirt.VIR_STORAGE_POOL_RUNNING} true",
        "volume: tf base.qcow2 true true",
        "overlay: 33554432 true",
        "pool of it: tf",
        "domain: web true",
        "addresses: 0 <nil>",
    ]
    assert (directory / "base.qcow2").read_bytes() == image.read_bytes()
    assert host.virsh("domblklist", "web").split() == ["vda", str(directory / "disk.qcow2")]
    assert host.virsh("pool-list", "--autostart", "--name") == "tf"

    assert go("release") == ["domain released: web", "volume released: base.qcow2", "volume released: disk.qcow2"]
    assert not directory.exists()
    assert host.virsh("pool-list", "--all", "--name") == host.virsh("list", "--all", "--name") == ""


def test_a_console_ends_with_its_machine(go, host, tmp_path):
    document = tmp_path / "linux.xml"
    document.write_text(host.linux("linux"))
    assert go("console", document, "guest: ready") == ["console: guest: ready", "end: <nil>"]
    assert host.virsh("list", "--all", "--name") == ""


def test_errors_have_libvirts_numbers(go, tmp_path):
    document = tmp_path / "web.xml"
    document.write_text(domain_xml("web"))
    told = [line.split(" ", 2) for line in go("errors", document)]
    assert [(what.rstrip(":"), int(code)) for what, code, _ in told] == [
        ("lookup", libvirt.VIR_ERR_NO_DOMAIN),
        ("stranger", libvirt.VIR_ERR_NO_DOMAIN),
        ("destroy", libvirt.VIR_ERR_OPERATION_INVALID),
        ("define", libvirt.VIR_ERR_XML_DETAIL),
        ("network", libvirt.VIR_ERR_NO_NETWORK),
        ("volume", libvirt.VIR_ERR_NO_STORAGE_VOL),
        ("device", libvirt.VIR_ERR_NO_SUPPORT),
        ("monitor", libvirt.VIR_ERR_OPERATION_INVALID),
        ("again", libvirt.VIR_ERR_NO_DOMAIN),
    ]
    assert all(text for _, _, text in told)


def test_eight_goroutines_on_one_connection(go, tmp_path):
    document = tmp_path / "worker.xml"
    document.write_text(domain_xml("@NAME@").replace("<uuid>", "<!--").replace("</uuid>", "-->"))
    assert go("parallel", document) == ["left: 0"]
