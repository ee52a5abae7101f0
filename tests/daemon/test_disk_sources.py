# SPDX-License-Identifier: LGPL-2.1-or-later
"""Disks that are no plain file: served over a network, encrypted, a directory, a part of a file, limited, transient.
Real servers, a real QEMU; what its block nodes are is asked of it."""

import contextlib
import http.server
import json
import pathlib
import socket
import subprocess
import threading
import uuid
import xml.etree.ElementTree as ElementTree

import libvirt
import libvirt_qemu
import pytest

from conftest import domain_xml, wait_for

UUID = "0d6c3b2a-91f4-4d0e-9a35-5f1d6c9f7a21"
SECRET = "7d1a4c5e-2f3b-4d62-9a55-0d1c6b3f7a11"
PASSPHRASE = b"open sesame"
MIB = 1 << 20
LIVE = libvirt.VIR_DOMAIN_AFFECT_LIVE


def disk(source, more="", kind="network", form="raw", target="vda", bus="virtio", attributes=""):
    return (f"<disk type='{kind}' {attributes}><driver name='qemu' type='{form}'/>{source}"
            f"<target dev='{target}' bus='{bus}'/>{more}</disk>")


def document(*disks, more=""):
    return domain_xml("sources", UUID, more=more, devices="".join(disks) + "<controller type='scsi' model='virtio-scsi'/>")


@pytest.fixture
def connection(daemon):
    libvirt.registerErrorHandler(lambda context, error: None, None)
    it = libvirt.open(f"qemu:///session?socket={daemon.root}/run/domaind/libvirt-sock")
    yield it
    it.close()


@pytest.fixture
def secret(connection):
    it = connection.secretDefineXML(f"<secret ephemeral='no' private='yes'><uuid>{SECRET}</uuid>"
                                    "<usage type='volume'><volume>/the/disk</volume></usage></secret>")
    it.setValue(PASSPHRASE)
    return it


def make(path, form="raw", size="4M", *options):
    subprocess.run(["qemu-img", "create", "-q", "-f", form, *options, path, size], check=True)
    path.chmod(0o600)
    return path


@pytest.fixture
def luks(daemon):
    """Encrypted with the passphrase, and with words in it."""
    path = daemon.root / "luks.img"
    key = ["--object", f"secret,id=key,data={PASSPHRASE.decode()}"]
    create = ["qemu-img", "create", "-q", *key, "-f", "luks", "-o", "key-secret=key,iter-time=50", path, "1M"]
    wait_for(lambda: subprocess.run(create, stderr=subprocess.DEVNULL, check=False).returncode == 0,
             "a time that qemu-img can measure")
    subprocess.run(["qemu-io", *key, "--image-opts", f"driver=luks,key-secret=key,file.filename={path}",
                    "-c", "write -q -P 0x5a 0 512"], check=True)
    path.chmod(0o600)
    return path


@contextlib.contextmanager
def nbd(path, *address):
    """qemu-nbd at a port or a socket; it goes on when a client has gone."""
    server = subprocess.Popen(["qemu-nbd", "-t", "-e", "8", "-f", "raw", *address, path])
    try:
        yield server
    finally:
        server.kill()
        server.wait()


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def listening(port):
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


@pytest.fixture
def nbd_port(daemon):
    port = free_port()
    with nbd(make(daemon.root / "served.img"), "-b", "127.0.0.1", "-p", str(port)):
        wait_for(lambda: listening(port), "qemu-nbd")
        yield port


def monitor(domain, command, **arguments):
    answer = json.loads(libvirt_qemu.qemuMonitorCommand(
        domain, json.dumps({"execute": command, "arguments": arguments}), 0))
    return answer["return"]


def nodes(domain):
    return {node["node-name"]: node for node in monitor(domain, "query-named-block-nodes", flat=True)}


def started(connection, *disks, more=""):
    domain = connection.defineXML(document(*disks, more=more))
    domain.create()
    return domain


def error_of(call, *arguments):
    with pytest.raises(libvirt.libvirtError) as caught:
        call(*arguments)
    return caught.value.get_error_code(), caught.value.get_error_message()


def size_of(domain, target):
    with contextlib.suppress(libvirt.libvirtError):
        return domain.blockInfo(target)[0]
    return None


def command_line(daemon):
    words = b""
    for process in pathlib.Path("/proc").glob("[0-9]*/cmdline"):
        with contextlib.suppress(OSError):
            if UUID.encode() in (text := process.read_bytes()):
                words += text
    return words


def encryption(value=SECRET, name="uuid"):
    return f"<encryption format='luks'><secret type='passphrase' {name}='{value}'/></encryption>"


@pytest.mark.parametrize("name, value", [("uuid", SECRET), ("usage", "/the/disk")])
def test_luks_with_a_secret_of_the_daemon(daemon, connection, secret, luks, name, value):
    domain = started(connection, disk(f"<source file='{luks}'>{encryption(value, name)}</source>", kind="file"))
    assert nodes(domain)["libvirt-1-format"]["drv"] == "luks"
    assert domain.blockInfo("vda")[0] >= MIB
    words = command_line(daemon)
    assert b"luks" in words
    assert PASSPHRASE not in words
    assert PASSPHRASE.decode() not in daemon.log()
    domain.destroy()


def test_luks_with_a_wrong_secret(daemon, connection, secret, luks):
    secret.setValue(b"open barley")
    domain = connection.defineXML(document(disk(f"<source file='{luks}'>{encryption()}</source>", kind="file")))
    _code, text = error_of(domain.create)
    assert "Invalid password" in text
    assert not domain.isActive()
    secret.setValue(PASSPHRASE)
    domain.create()
    domain.destroy()


def test_luks_without_its_secret(connection, luks):
    domain = connection.defineXML(document(disk(f"<source file='{luks}'>{encryption()}</source>", kind="file")))
    code, text = error_of(domain.create)
    assert code == libvirt.VIR_ERR_NO_SECRET
    assert f"no secret with matching uuid '{SECRET}'" in text


def test_luks_attached_and_detached(daemon, connection, secret, luks):
    domain = started(connection)
    xml = disk(f"<source file='{luks}'>{encryption()}</source>", kind="file", target="sdb", bus="scsi")
    before = set(nodes(domain))
    domain.attachDeviceFlags(xml, LIVE)
    assert "luks" in {node["drv"] for node in nodes(domain).values()}
    objects = {item["name"] for item in monitor(domain, "qom-list", path="/objects")}
    assert any("encryption-secret0" in name for name in objects)
    domain.detachDeviceFlags(xml, LIVE)
    wait_for(lambda: set(nodes(domain)) == before, "the end of its nodes")
    assert not any("secret" in item["name"] for item in monitor(domain, "qom-list", path="/objects"))
    secret.setValue(b"open barley")
    _code, text = error_of(domain.attachDeviceFlags, xml, LIVE)
    assert "Invalid password" in text
    assert set(nodes(domain)) == before
    assert not any("secret" in item["name"] for item in monitor(domain, "qom-list", path="/objects"))
    domain.destroy()


def test_nbd_over_tcp(daemon, connection, nbd_port):
    xml = disk(f"<source protocol='nbd'><host name='127.0.0.1' port='{nbd_port}'/></source>")
    domain = started(connection, xml)
    assert "nbd" in {node["drv"] for node in nodes(domain).values()}
    assert domain.blockInfo("vda")[0] == 4 * MIB
    assert domain.blockStats("vda")[0] >= 0
    domain.setBlockIoTune("vda", {"total_bytes_sec": MIB}, LIVE)
    assert domain.blockIoTune("vda", LIVE)["total_bytes_sec"] == MIB
    domain.destroy()


def test_nbd_over_a_unix_socket(daemon, connection):
    path = daemon.root / "nbd.sock"
    with nbd(make(daemon.root / "served.img"), "-k", str(path)):
        wait_for(path.exists, "qemu-nbd")
        path.chmod(0o777)
        domain = started(connection, disk(f"<source protocol='nbd'><host transport='unix' socket='{path}'/></source>"))
        assert domain.blockInfo("vda")[0] == 4 * MIB
        domain.destroy()


def test_server_that_is_not_there(daemon, connection):
    port = free_port()
    xml = disk(f"<source protocol='nbd'><host name='127.0.0.1' port='{port}'/></source>", target="sdb", bus="scsi")
    domain = connection.defineXML(document(xml))
    assert "Connection refused" in error_of(domain.create)[1]
    assert not domain.isActive()
    domain = started(connection)
    before = set(nodes(domain))
    assert "Connection refused" in error_of(domain.attachDeviceFlags, xml, LIVE)[1]
    assert set(nodes(domain)) == before
    domain.destroy()


def test_nbd_attached_found_again_and_detached(daemon, connection, nbd_port):
    domain = started(connection)
    xml = disk(f"<source protocol='nbd'><host name='127.0.0.1' port='{nbd_port}'/></source>", target="sdb", bus="scsi")
    before = set(nodes(domain))
    domain.attachDeviceFlags(xml, LIVE)
    live = domain.XMLDesc()
    daemon.kill()
    daemon.start()
    again = libvirt.open(f"qemu:///session?socket={daemon.root}/run/domaind/libvirt-sock")
    domain = again.lookupByName("sources")
    assert ElementTree.canonicalize(domain.XMLDesc()) == ElementTree.canonicalize(live)
    wait_for(lambda: size_of(domain, "sdb") == 4 * MIB, "its size from QEMU")
    domain.detachDeviceFlags(xml, LIVE)
    wait_for(lambda: set(nodes(domain)) == before, "the end of its nodes")
    domain.destroy()
    again.close()


@pytest.fixture
def web(daemon):
    (daemon.root / "web").mkdir()
    (daemon.root / "web/boot.iso").write_bytes(b"boot" * (MIB // 4))

    class Handler(http.server.SimpleHTTPRequestHandler):
        """With ranges, as QEMU asks for."""
        cookies = []

        def log_message(self, *_arguments):
            pass

        def do_HEAD(self):
            self.send_response(200)
            self.send_header("Accept-Ranges", "bytes")
            self.send_header("Content-Length", str(MIB))
            self.end_headers()

        def do_GET(self):
            self.cookies.append(self.headers.get("Cookie"))
            first, _, last = self.headers.get("Range", "bytes=0-").removeprefix("bytes=").partition("-")
            data = (daemon.root / "web/boot.iso").read_bytes()[int(first):int(last or MIB - 1) + 1]
            self.send_response(206)
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server.server_port, Handler.cookies
    server.shutdown()
    server.server_close()


def needs_client(name):
    """QEMU has its clients in modules of their own, in packages of their own."""
    return pytest.mark.skipif(not list(pathlib.Path("/usr/lib").glob(f"*/qemu/block-{name}.so")),
                              reason=f"needs QEMU's block-{name}.so (package qemu-block-extra)")


@needs_client("curl")
def test_http_with_a_cookie(daemon, connection, web):
    port, cookies = web
    source = (f"<source protocol='http' name='boot.iso'><host name='127.0.0.1' port='{port}'/>"
              "<cookies><cookie name='key'>a-cookie-nobody-sees</cookie></cookies></source>")
    domain = started(connection, disk(source, attributes="device='cdrom'", target="sda", bus="scsi"))
    assert domain.blockInfo("sda")[0] == MIB
    assert b"a-cookie-nobody-sees" not in command_line(daemon)
    assert "a-cookie-nobody-sees" not in domain.XMLDesc()
    assert "a-cookie-nobody-sees" in domain.XMLDesc(libvirt.VIR_DOMAIN_XML_SECURE)
    monitor(domain, "human-monitor-command", **{"command-line": 'qemu-io libvirt-1-storage "read 0 512"'})
    domain.destroy()
    assert set(cookies) <= {"key=a-cookie-nobody-sees"}


def test_directory_as_a_disk(daemon, connection):
    directory = daemon.root / "files"
    directory.mkdir()
    (directory / "hello.txt").write_text("hello")
    directory.chmod(0o755)
    (directory / "hello.txt").chmod(0o644)
    domain = started(connection, disk(f"<source dir='{directory}'/>", "<readonly/>", kind="dir", form="fat"))
    assert "vvfat" in {node["drv"] for node in nodes(domain).values()}
    domain.destroy()


def test_slice_of_a_file(daemon, connection):
    path = make(daemon.root / "whole.img")
    source = f"<source file='{path}'><slices><slice type='storage' offset='1048576' size='65536'/></slices></source>"
    domain = started(connection, disk(source, kind="file"))
    assert monitor(domain, "query-block")[0]["inserted"]["image"]["virtual-size"] == 65536
    domain.destroy()


GROUPS = ("<throttlegroups><throttlegroup><total_bytes_sec>1048576</total_bytes_sec><group_name>slow</group_name>"
          "</throttlegroup><throttlegroup><total_iops_sec>100</total_iops_sec><group_name>few</group_name></throttlegroup>"
          "</throttlegroups>")


def filtered(*groups):
    return "<throttlefilters>" + "".join(f"<throttlefilter group='{group}'/>" for group in groups) + "</throttlefilters>"


def limits(domain, group):
    return monitor(domain, "qom-get", path=f"/objects/throttle-{group}", property="limits")


def test_two_disks_in_throttle_groups(daemon, connection):
    first, second = make(daemon.root / "a.img"), make(daemon.root / "b.img")
    domain = started(connection, disk(f"<source file='{first}'/>", filtered("slow"), kind="file"),
                     disk(f"<source file='{second}'/>", filtered("slow", "few"), kind="file", target="vdb"), more=GROUPS)
    filters = [node for node in nodes(domain).values() if node["drv"] == "throttle"]
    assert len(filters) == 3
    assert limits(domain, "slow")["bps-total"] == MIB
    assert limits(domain, "few")["iops-total"] == 100
    assert domain.blockStats("vdb")[0] >= 0
    third = make(daemon.root / "c.img")
    xml = disk(f"<source file='{third}'/>", filtered("few"), kind="file", target="sdc", bus="scsi")
    before = set(nodes(domain))
    domain.attachDeviceFlags(xml, LIVE)
    assert sum(node["drv"] == "throttle" for node in nodes(domain).values()) == 4
    domain.detachDeviceFlags(xml, LIVE)
    wait_for(lambda: set(nodes(domain)) == before, "the end of its nodes")
    domain.destroy()


def test_transient_disk(daemon, connection):
    path = make(daemon.root / "a.img")
    before = path.read_bytes()
    files = set(daemon.root.rglob("*transient*"))
    domain = started(connection, disk(f"<source file='{path}'/>", "<transient/>", kind="file"))
    overlay = next(name for name, node in nodes(domain).items() if node["drv"] == "qcow2")
    monitor(domain, "human-monitor-command", **{"command-line": f'qemu-io {overlay} "write -P 0x77 0 4096"'})
    assert set(daemon.root.rglob("*transient*")) == files
    domain.destroy()
    assert path.read_bytes() == before


def test_machines_that_share_a_transient_disk(daemon, connection):
    path = make(daemon.root / "a.img")
    xml = document(disk(f"<source file='{path}'/>", "<transient shareBacking='yes'/>", kind="file"))
    domain = connection.defineXML(xml)
    other = connection.defineXML(xml.replace(UUID, str(uuid.uuid4())).replace("<name>sources<", "<name>other<"))
    domain.create()
    other.create()
    assert domain.isActive() and other.isActive()
    domain.destroy()
    other.destroy()


def test_backing_image_over_nbd(daemon, connection, nbd_port):
    top = make(daemon.root / "top.qcow2", "qcow2")
    backing = ("<backingStore type='network'><format type='raw'/><source protocol='nbd'>"
               f"<host name='127.0.0.1' port='{nbd_port}'/></source><backingStore/></backingStore>")
    domain = started(connection, disk(f"<source file='{top}'/>", backing, kind="file", form="qcow2"))
    assert {"nbd", "qcow2", "file"} <= {node["drv"] for node in nodes(domain).values()}
    source = ElementTree.fromstring(domain.XMLDesc()).find("devices/disk/backingStore/source")
    assert source.get("protocol") == "nbd"
    domain.destroy()


def test_disk_of_a_vhost_user_server(daemon, connection):
    path = daemon.root / "blk.sock"
    image = make(daemon.root / "served.img")
    server = subprocess.Popen(["qemu-storage-daemon", "--blockdev", f"file,node-name=disk,filename={image}",
                               "--export", f"vhost-user-blk,id=blk,node-name=disk,writable=on,addr.type=unix,"
                               f"addr.path={path}"])
    try:
        wait_for(path.exists, "qemu-storage-daemon")
        path.chmod(0o777)
        domain = started(connection, disk(f"<source type='unix' path='{path}'/>", kind="vhostuser"),
                         more="<memoryBacking><source type='memfd'/><access mode='shared'/></memoryBacking>")
        types = {item["type"] for item in monitor(domain, "qom-list", path="/machine/peripheral")}
        assert any("vhost-user-blk-pci" in kind for kind in types)
        domain.destroy()
    finally:
        server.kill()
        server.wait()


def helper(daemon):
    record = daemon.root / "run/domaind/machines" / UUID / "helper-pr-helper0.json"
    with contextlib.suppress(OSError, ValueError):
        return json.loads(record.read_text())["pid"]
    return None


def alive(pid):
    with contextlib.suppress(OSError):
        return pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    return False


@pytest.fixture
def loop(daemon):
    """A block device; it takes no SCSI commands."""
    image = make(daemon.root / "loop.img")
    made = subprocess.run(["losetup", "--find", "--show", image], capture_output=True, text=True, check=False)
    if made.returncode:
        pytest.skip(f"needs a loop device: {made.stderr.strip()}")
    yield made.stdout.strip()
    subprocess.run(["losetup", "--detach", made.stdout.strip()], check=True)


def test_helper_of_reservations_that_a_disk_cannot_have(daemon, connection, loop):
    """The helper is started first, and ended with the machine that could not be."""
    xml = disk(f"<source dev='{loop}'><reservations managed='yes'/></source>", kind="block", attributes="device='lun'",
               target="sda", bus="scsi")
    domain = connection.defineXML(document(xml))
    text = error_of(domain.create)[1]
    assert "SG_IO" in text or "scsi" in text.lower()
    wait_for(lambda: helper(daemon) is None or not alive(helper(daemon)), "the end of the helper")
