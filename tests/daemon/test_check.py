# SPDX-License-Identifier: LGPL-2.1-or-later
"""What would keep a machine from starting, found by circumstances that really do: each is looked at by a check first,
and then a start is refused for it, or is not once it is gone."""

import os
import pathlib
import re
import shutil
import socket
import subprocess
import tempfile
import uuid

import gi
import pytest

gi.require_version("Gio", "2.0")
from gi.repository import GLib  # noqa: E402

from conftest import DOMAIN, ROOT, TOP, Bus, Daemon, domain_path, domain_xml

UUID = "5c4e0d5e-0d53-4a7c-9d4e-1f1b6a5d2f10"
OTHER = "0b8c1d4e-5f60-4718-8293-a4b5c6d7e8f9"
PATH = domain_path(UUID)
OWN = "org.domaind1.Domain"
OWN_CONNECT = "org.domaind1.Connect"
NOTE, WARNING, ERROR = 0, 1, 2
NOBODY = 65534


def disk(path, kind="raw", more=""):
    return (f"<disk type='file' device='disk'><driver name='qemu' type='{kind}'/><source file='{path}'/>"
            f"<target dev='vda' bus='virtio'/>{more}</disk>")


def check(daemon, xml=None):
    """[(check, what, cure)] of what keeps the machine from starting; of @xml, or of the defined one."""
    if xml is None:
        _, findings = daemon.call(PATH, OWN, "Check", "(u)", 0)
    else:
        _, findings = daemon.call(ROOT, OWN_CONNECT, "CheckDomainXML", "(su)", xml, 0)
    return [(name, what, cure) for name, severity, _, _, what, cure in findings if severity == ERROR]


def start(daemon):
    """Why the defined machine does not start; None when it does."""
    try:
        daemon.call(PATH, DOMAIN, "Create", "(u)", 0)
    except GLib.Error as error:
        return error.message
    daemon.call(PATH, DOMAIN, "Destroy", "(u)", 0)
    return None


@pytest.fixture
def image(daemon):
    path = daemon.root / "web.img"
    path.write_bytes(bytes(65536))
    return path


def test_nothing_stands_in_the_way(daemon, image):
    daemon.define(domain_xml("web", UUID, devices=disk(image)))
    assert check(daemon) == []
    assert start(daemon) is None
    assert check(daemon, domain_xml("new", OTHER)) == []


def test_a_check_leaves_nothing(daemon, image):
    """Neither an account nor a file, whatever it looked at; and a machine that runs is not disturbed."""
    log = daemon.root / "serial.log"
    xml = domain_xml("web", UUID, devices=disk(image) + f"<serial type='file'><source path='{log}'/></serial>")
    daemon.define(xml)
    before = sorted(str(path) for path in daemon.root.rglob("*") if "cache" not in str(path))
    assert check(daemon) == []
    assert not log.exists()
    assert sorted(str(path) for path in daemon.root.rglob("*") if "cache" not in str(path)) == before
    daemon.call(PATH, DOMAIN, "Create", "(u)", 0)
    assert check(daemon) == []
    assert daemon.call(PATH, OWN, "Check", "(u)", 0)[1][0][:2] == ("running", NOTE)
    assert len(daemon.machines()) == 1


def test_everything_at_once(daemon, image):
    """A missing image, one in another format, a port that is taken, a network that is not there."""
    gone = daemon.root / "gone.qcow2"
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        daemon.define(domain_xml("web", UUID, devices=disk(gone) + f"""
            <disk type='file'><driver name='qemu' type='qcow2'/><source file='{image}'/><target dev='vdb' bus='virtio'/></disk>
            <graphics type='vnc' port='{port}' autoport='no' listen='127.0.0.1'/>
            <interface type='network'><source network='nowhere'/></interface>"""))
        found = check(daemon)
        refused = start(daemon)
    assert {name for name, _, _ in found} == {"network", "document", "port"}
    assert f"Cannot access storage file '{gone}': No such file or directory (disk 'vda')" in str(found)
    assert ("qemu-img create" in str(found)) and "<driver type='raw'/>" in str(found)
    assert f"'{image}' is not in format 'qcow2'" in str(found)
    assert f"port {port} on 127.0.0.1 cannot be listened on: " in str(found)
    assert "no network with matching name 'nowhere'" in str(found)
    assert "no network with matching name 'nowhere'" in refused


def test_a_port_that_is_taken(daemon):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        daemon.define(domain_xml("web", UUID, devices=f"<graphics type='vnc' port='{port}' autoport='no' listen='127.0.0.1'/>"))
        [(name, what, cure)] = check(daemon)
        assert (name, f"sport = :{port}" in cure) == ("port", True)
        assert "in use" in what and start(daemon) is not None
    assert check(daemon) == [] and start(daemon) is None


def test_an_image_of_another_machine(daemon, image):
    """QEMU's lock is asked for as QEMU does, and its holder is named."""
    daemon.define(domain_xml("web", UUID, devices=disk(image)))
    daemon.create(domain_xml("holder", OTHER, devices=disk(image)))
    [(name, what, _)] = check(daemon)
    assert name == "image-lock"
    assert f"Is another process using the image [{image}]?: domain 'holder' uses '{image}'" in what
    assert f"domain 'holder' uses '{image}'" in start(daemon)
    daemon.call(domain_path(OTHER), DOMAIN, "Destroy", "(u)", 0)
    assert check(daemon) == [] and start(daemon) is None


@pytest.mark.parametrize("holder, own, locked", [
    ("", "", True), ("<readonly/>", "<readonly/>", False), ("", "<readonly/>", True), ("<readonly/>", "", True),
    ("<shareable/>", "<shareable/>", False), ("<shareable/>", "", True)])
def test_a_lock_is_judged_as_qemu_does(daemon, image, holder, own, locked):
    daemon.create(domain_xml("holder", OTHER, devices=disk(image, more=holder)))
    daemon.define(domain_xml("web", UUID, devices=disk(image, more=own)))
    assert (check(daemon) != [], start(daemon) is not None) == (locked, locked)


def test_a_backing_file_that_is_missing(daemon, image):
    top = daemon.root / "top.qcow2"
    subprocess.run(["qemu-img", "create", "-q", "-f", "qcow2", "-b", image, "-F", "raw", top], check=True)
    daemon.define(domain_xml("web", UUID, devices=disk(top, "qcow2")))
    assert check(daemon) == []
    image.unlink()
    [(_, what, cure)] = check(daemon)
    assert f"in the backing chain of '{top}'" in what and f"'{image}': No such file" in what
    assert "qemu-img rebase" in cure and start(daemon) is not None


def test_a_run_directory_that_is_too_deep(bus, root):
    """A socket's path has 107 bytes: one of swtpm's would have more."""
    if shutil.which("swtpm") is None:
        pytest.skip("swtpm is not installed")
    deep = root / ("deep" * 10)
    deep.mkdir()
    it = Daemon(deep, bus)
    try:
        it.start()
        it.define(domain_xml("web", UUID, devices="<tpm model='tpm-tis'><backend type='emulator' version='2.0'/></tpm>"))
        [(name, what, _)] = check(it)
        assert name == "socket" and what.endswith("swtpm.sock' too long")
        assert "too long" in start(it)
    finally:
        it.clean_up()


def test_a_document_with_mistakes(daemon):
    xml = domain_xml("web", UUID, devices="<disk typo='file'/>").replace("<vcpu>1</vcpu>", "<vcpu>none</vcpu>")
    name, findings = daemon.call(ROOT, OWN_CONNECT, "CheckDomainXML", "(su)", xml, 0)
    assert name == "" and len(findings) >= 2
    assert all(finding[0] == "document" and finding[2] > 0 for finding in findings)


def test_a_name_that_is_taken(daemon):
    daemon.define(domain_xml("web", UUID))
    [(name, what, _)] = check(daemon, domain_xml("web", OTHER))
    assert name == "name" and "domain 'web' already exists with uuid" in what


def test_more_memory_than_there_is(daemon):
    xml = domain_xml("web", UUID).replace("<memory unit='MiB'>32</memory>", "<memory unit='TiB'>200</memory>")
    [(name, what, cure)] = [finding for finding in check(daemon, xml) if finding[0] == "memory"]
    assert f"{200 << 20} MiB of memory are wanted" in what and "<memory>" in cure


def test_huge_pages_that_are_not_there(daemon):
    xml = domain_xml("web", UUID, more="<memoryBacking><hugepages/></memoryBacking>").replace(
        "<memory unit='MiB'>32</memory>", "<memory unit='GiB'>64</memory>")
    [(name, what, _)] = [finding for finding in check(daemon, xml) if finding[0] == "hugepages"]
    assert "huge pages" in what


@pytest.fixture
def nobodys():
    """A session's daemon of a user without any rights."""
    if os.geteuid() != 0:
        pytest.skip("only root can be somebody else")
    place = pathlib.Path(tempfile.mkdtemp(prefix="n", dir="/var/tmp"))
    place.chmod(0o755)
    bus = Bus(place)
    it = Daemon(place / "root", bus)
    it.prefix = ("setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups")
    it.root.mkdir()
    os.chown(it.root, NOBODY, NOBODY)
    try:
        yield it.start()
    finally:
        it.clean_up()
        bus.stop()
        shutil.rmtree(place, ignore_errors=True)


def test_a_directory_that_is_closed(nobodys):
    """Which directory on the way stops which user; and the line that is offered lets it through."""
    home = nobodys.root.parent / "home"
    (home / "images").mkdir(parents=True)
    image = home / "images" / "web.img"
    image.write_bytes(bytes(65536))
    image.chmod(0o666)
    home.chmod(0o700)
    nobodys.define(domain_xml("web", UUID, devices=disk(image)))
    [(_, what, cure)] = check(nobodys)
    why = f"the directory '{home}' (mode 0700, of user 'root') does not let user 'nobody' through"
    assert why in what and why in start(nobodys)
    assert cure == f"setfacl -m u:nobody:x '{home}' (package acl)"
    home.chmod(0o711)
    assert check(nobodys) == [] and start(nobodys) is None
    image.chmod(0o600)
    assert f"'{image}' (mode 0600, of user 'root') cannot be " in str(check(nobodys))


def test_a_bridge_that_is_missing(system_daemon):
    """In the test's own network namespace."""
    if subprocess.run(["ip", "link", "add", "chk0", "type", "bridge"], capture_output=True, check=False).returncode != 0:
        pytest.skip("no bridge can be made here")
    xml = domain_xml("web", UUID, devices="<interface type='bridge'><source bridge='chk0'/><target dev='tapchk'/></interface>")
    system_daemon.define(xml)
    try:
        assert check(system_daemon) == [] and start(system_daemon) is None
        subprocess.run(["ip", "link", "add", "tapchk", "type", "bridge"], check=True)
        [(name, what, _)] = check(system_daemon)
        assert name == "interface" and "tapchk" in what and "tapchk" in start(system_daemon)
    finally:
        subprocess.run(["ip", "link", "del", "tapchk"], check=False)
        subprocess.run(["ip", "link", "del", "chk0"], check=False)
    [(name, what, cure)] = check(system_daemon)
    assert (name, what) == ("interface", "Cannot get interface MTU on 'chk0': No such device")
    assert "type bridge" in cure and what in start(system_daemon)


def test_a_secret_that_is_missing(daemon, image):
    secret = str(uuid.uuid4())
    daemon.define(domain_xml("web", UUID, devices=f"""<disk type='file'><driver name='qemu' type='raw'/><source file='{image}'>
        <encryption format='luks'><secret type='passphrase' uuid='{secret}'/></encryption></source>
        <target dev='vda' bus='virtio'/></disk>"""))
    [(name, what, _)] = check(daemon)
    assert name == "secret" and f"no secret with matching uuid '{secret}'" in what
    assert secret in start(daemon)


def test_no_kvm_and_why(nobodys):
    """Nobody may not open /dev/kvm where it is there, and where it is not nobody can."""
    if os.access("/dev/kvm", os.F_OK) and os.stat("/dev/kvm").st_mode & 0o006:
        pytest.skip("KVM is everybody's on this host")
    nobodys.define(domain_xml("web", UUID, domain_type="kvm"))
    [(name, what, cure)] = check(nobodys)
    assert name == "kvm" and "/dev/kvm: " in what and what in start(nobodys)
    assert any(word in cure for word in ["usermod -aG kvm nobody", "modprobe kvm", "firmware's setup", "nested"])


def test_what_helps_is_known_by_words_that_are_said():
    """Each row of the table of cures begins with words of a refusal: they stand somewhere in the sources."""
    table = TOP / "daemon/drivers/qemu/start-cures.c"
    words = re.findall(r'^  \{ "((?:[^"\\]|\\.)*)",', table.read_text(), re.MULTILINE)
    said = "".join(re.sub(r'"\s*\n\s*"', "", path.read_text()).replace('" MONITOR_SOCKET "', "").replace('" TAP_DEVICE "', "")
                   for folder in ["daemon", "lib"] for path in (TOP / folder).rglob("*.c") if path != table)
    kernels = {"No such file or directory", "Permission denied", "Unable to open /dev/net/tun"}
    assert len(words) > 15
    assert [one for one in words if one not in said and one not in kernels] == []
