# SPDX-License-Identifier: LGPL-2.1-or-later
"""The images that a policy describes: made when the machine starts, never over what is there, and never by a check."""

import hashlib
import json
import os
import subprocess

import pytest

from conftest import BUILD, DOMAIN, PATIENCE, domain_path, domain_xml

UUID = "87291af1-1366-410c-bb6e-fbc6f66ff7ae"
PATH = domain_path(UUID)
KEY = "ssh-ed25519 AAAA me@laptop"
MIB = 1 << 20


def machine(root, policy, driver="qcow2"):
    return domain_xml(
        "web", UUID, more=f"<metadata><policy xmlns='https://domaind.org/xmlns/policy/1'>{policy}</policy></metadata>",
        devices=f"""<disk type='file'><driver name='qemu' type='{driver}'/><source file='{root}/web.img'/>
                      <target dev='vda' bus='virtio'/></disk>
                    <disk type='file' device='cdrom'><driver name='qemu' type='raw'/><source file='{root}/seed.iso'/>
                      <target dev='hda' bus='ide'/></disk>""")


def disk(*parts, words=""):
    return f"<disk target='vda' {words}>{''.join(parts)}</disk>"


def size(mebibytes):
    return f"<size unit='MiB'>{mebibytes}</size>"


def base(path, words=""):
    return f"<base file='{path}' {words}/>"


def seed(words="", *keys):
    return f"<seed target='hda' {words}>{''.join(f'<sshKey>{key}</sshKey>' for key in keys)}</seed>"


SEED = seed("hostName='www'")


def start(daemon, policy, driver="qcow2"):
    daemon.define(machine(daemon.root, policy, driver))
    daemon.call(PATH, DOMAIN, "Create", "(u)", 0)
    daemon.call(PATH, DOMAIN, "Destroy", "(u)", 0)


def refusal(daemon, policy, driver="qcow2"):
    """Why it does not start; nothing has come to be beside what was there."""
    before = files(daemon.root)
    daemon.define(machine(daemon.root, policy, driver))
    text = daemon.error(PATH, DOMAIN, "Create", "(u)", 0)[1]
    assert files(daemon.root) == before
    return text


def files(root):
    return {path.name: path.read_bytes() for path in root.iterdir() if path.is_file() and path.name != "daemon.log"}


def image(path):
    done = subprocess.run(["qemu-img", "info", "--output=json", "-U", path], check=True, capture_output=True)
    return json.loads(done.stdout)


def content(path):
    """{name: text} of a seed, by another reader than what has written it."""
    done = subprocess.run(["xorriso", "-osirrox", "on", "-indev", path, "-extract", "/", path.parent / "read"],
                          capture_output=True, text=True, check=True)
    assert "'CIDATA'" in done.stderr
    found = {one.name: one.read_text() for one in (path.parent / "read").iterdir()}
    subprocess.run(["rm", "-rf", path.parent / "read"], check=True)
    return found


@pytest.fixture
def debian(daemon):
    """A qcow2 image with something in it."""
    path = daemon.root / "debian.qcow2"
    (daemon.root / "content").write_bytes(b"debian" * 10000)
    subprocess.run(["qemu-img", "convert", "-O", "qcow2", daemon.root / "content", path], check=True)
    subprocess.run(["qemu-img", "resize", "-q", path, "4M"], check=True)
    return path


def sha256(path):
    return hashlib.sha256(path.read_bytes()).hexdigest()


def test_a_missing_image_is_made_above_its_base(daemon, debian):
    start(daemon, disk(size(64), base(debian, f"sha256='{sha256(debian)}'")) + SEED)
    made = image(daemon.root / "web.img")
    assert (made["format"], made["virtual-size"]) == ("qcow2", 64 * MIB)
    assert (made["full-backing-filename"], made["backing-filename-format"]) == (str(debian), "qcow2")
    assert not list(daemon.root.glob(".aside-*"))


@pytest.mark.parametrize("form, copied", [("raw", ""), ("qcow2", "copy='yes'")])
def test_a_base_is_copied(daemon, debian, form, copied):
    start(daemon, disk(size(8), base(debian, copied), words=f"format='{form}'") + SEED, form)
    made = image(daemon.root / "web.img")
    assert (made["format"], made["virtual-size"], made.get("backing-filename")) == (form, 8 * MIB, None)
    subprocess.run(["qemu-img", "convert", "-O", "raw", daemon.root / "web.img", daemon.root / "flat"], check=True)
    assert (daemon.root / "flat").read_bytes().rstrip(b"\0") == b"debian" * 10000


@pytest.mark.parametrize("form", ["raw", "qcow2"])
def test_an_empty_image(daemon, form):
    start(daemon, disk(size(8)) + SEED, form)
    made = image(daemon.root / "web.img")
    assert (made["format"], made["virtual-size"]) == (form, 8 * MIB)


def test_without_a_size_it_is_the_base_s(daemon, debian):
    start(daemon, disk(base(debian)) + SEED)
    assert image(daemon.root / "web.img")["virtual-size"] == 4 * MIB


def test_what_is_there_is_left_alone(daemon):
    there = daemon.root / "web.img"
    there.write_bytes(b"mine" + bytes(MIB))
    was = there.stat()
    start(daemon, disk(size(64), base("/nowhere/debian.qcow2")) + SEED, "raw")
    assert there.read_bytes() == b"mine" + bytes(MIB)
    assert there.stat().st_ino == was.st_ino


REFUSED = [
    ("a wrong checksum", lambda root: disk(base(f"{root}/debian.qcow2", f"sha256='{'0' * 64}'")), "qcow2",
     "the base '{root}/debian.qcow2' has the sha256 checksum {sum}, not " + "0" * 64
     + ": it is damaged or another one; fetch it again, or correct sha256"),
    ("too small", lambda root: disk(size(1), base(f"{root}/debian.qcow2")), "qcow2",
     "its size of 1048576 bytes is less than the 4194304 of its base '{root}/debian.qcow2': make <size> larger, or "
     "leave it out"),
    ("two formats", lambda root: disk(size(1), words="format='qcow2'"), "raw",
     "its format is 'qcow2', and the disk's driver reads 'raw': <driver type='qcow2'/>"),
    ("a relative base", lambda root: disk(base("debian.qcow2")), "qcow2",
     "the file 'debian.qcow2' has no directory: the document was not applied from one; an absolute name is needed"),
]


@pytest.mark.parametrize("policy, driver, why", [row[1:] for row in REFUSED], ids=[row[0] for row in REFUSED])
def test_what_cannot_be_made(daemon, debian, policy, driver, why):
    why = why.format(root=daemon.root, sum=sha256(debian))
    assert refusal(daemon, policy(daemon.root), driver).endswith(
        f"the image of disk 'vda', '{daemon.root}/web.img', cannot be made: {why}")


def test_a_link_that_leads_nowhere_is_left_alone(daemon):
    (daemon.root / "web.img").symlink_to("/nowhere/web.img")
    assert "it is a link to a file that is not there" in refusal(daemon, disk(size(8)) + SEED)
    assert os.readlink(daemon.root / "web.img") == "/nowhere/web.img"


def test_what_a_killed_daemon_left_is_no_hindrance(daemon):
    (daemon.root / f".aside-{UUID}-vda").write_bytes(b"half")
    start(daemon, disk(size(8)) + SEED)
    assert image(daemon.root / "web.img")["format"] == "qcow2"
    assert not list(daemon.root.glob(".aside-*"))


def test_a_seed_from_words(daemon):
    start(daemon, disk(size(1)) + seed("hostName='www' user='admin'", KEY))
    assert content(daemon.root / "seed.iso") == {
        "meta-data": f'instance-id: "{UUID}"\nlocal-hostname: "www"\n',
        "user-data": '#cloud-config\nusers:\n  - name: "admin"\n    lock_passwd: true\n'
                     '    sudo: "ALL=(ALL) NOPASSWD:ALL"\n    shell: "/bin/bash"\n'
                     f'    ssh_authorized_keys:\n      - "{KEY}"\n'}
    assert (daemon.root / "seed.iso").stat().st_mode & 0o777 == 0o600


def test_a_seed_from_files(daemon):
    names = {"userData": "user-data", "metaData": "meta-data", "networkConfig": "network-config"}
    for name in names.values():
        (daemon.root / name).write_text(f"#cloud-config\n# {name}\n")
    start(daemon, disk(size(1)) + seed(" ".join(f"{word}='{daemon.root}/{name}'" for word, name in names.items())))
    assert content(daemon.root / "seed.iso") == {name: f"#cloud-config\n# {name}\n" for name in names.values()}


def test_a_seed_is_made_anew_when_its_inputs_change(daemon):
    iso = daemon.root / "seed.iso"
    start(daemon, disk(size(1)) + seed("hostName='one'"))
    first = iso.stat()
    start(daemon, disk(size(1)) + seed("hostName='one'"))
    assert (iso.stat().st_ino, iso.stat().st_mtime_ns) == (first.st_ino, first.st_mtime_ns)
    start(daemon, disk(size(1)) + seed("hostName='two'"))
    assert 'local-hostname: "two"' in content(iso)["meta-data"]


def test_a_file_that_is_no_seed_is_not_replaced(daemon):
    (daemon.root / "seed.iso").write_bytes(b"mine" * 20000)
    assert refusal(daemon, seed("hostName='www'"), "raw").endswith(
        f"the seed of disk 'hda', '{daemon.root}/seed.iso', cannot be made: the file is there, and is no seed that was "
        "made here, so it is not replaced: move it away, or name another <source file='...'>")


def test_an_input_that_is_too_large(daemon):
    (daemon.root / "user-data").write_bytes(bytes(MIB + 1))
    assert "too large" in refusal(daemon, seed(f"userData='{daemon.root}/user-data'"), "raw")


def domctl(daemon, *words):
    done = subprocess.run([BUILD / "cli" / "domctl", "--connect", "session", *map(str, words)], capture_output=True,
                          text=True, timeout=PATIENCE, check=False, stdin=subprocess.DEVNULL,
                          env=dict(os.environ, DBUS_SESSION_BUS_ADDRESS=daemon.bus.address, LC_ALL="C.UTF-8"))
    return done.stdout + done.stderr


def test_names_are_of_the_directory_of_what_was_applied(daemon, debian, tmp_path):
    (tmp_path / "debian.qcow2").symlink_to(debian)
    (tmp_path / "user-data").write_text("#cloud-config\n")
    document = tmp_path / "web.xml"
    document.write_text(machine(daemon.root, disk(base("debian.qcow2")) + seed("userData='user-data'")))
    assert "cannot be made" not in domctl(daemon, "check", document)
    said = domctl(daemon, "apply", "--yes", document)
    said += domctl(daemon, "start", "web")
    assert (daemon.root / "web.img").exists(), said
    assert image(daemon.root / "web.img")["full-backing-filename"] == str(tmp_path / "debian.qcow2")
    assert content(daemon.root / "seed.iso")["user-data"] == "#cloud-config\n"


def test_a_check_makes_nothing(daemon, debian):
    before = files(daemon.root)
    daemon.define(machine(daemon.root, disk(base(debian)) + SEED))
    said = domctl(daemon, "check", "web")
    assert "web.img" not in said and "seed.iso" not in said
    assert files(daemon.root) == before

    daemon.define(machine(daemon.root, disk(base("/nowhere/debian.qcow2")) + SEED))
    said = domctl(daemon, "check", "web")
    assert "/nowhere/debian.qcow2" in said and "cannot be made" in said
    assert files(daemon.root) == before
