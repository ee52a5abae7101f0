# SPDX-License-Identifier: LGPL-2.1-or-later
"""Container images as machines: `domctl run` and its companions, with images made here and a real Linux."""

import json
import os
import signal
import subprocess
import tarfile
import time
import xml.etree.ElementTree as ElementTree

import container_image as image
import pytest

from conftest import BUILD, TOP

EMULATED = ["--virt-type", "qemu"]  # there may be a KVM that runs no guest
BOOT = 180  # seconds that a machine may take, emulated on a busy host


@pytest.fixture(scope="module")
def kernel():
    subprocess.run([TOP / "examples/guest/make", BUILD / "guest"], check=True)
    return image.kernel(BUILD / "guest")


@pytest.fixture(scope="module")
def busybox(tmp_path_factory):
    return image.oci_directory(tmp_path_factory.mktemp("image") / "busybox", [image.busybox()],
                               Env=["PATH=/bin", "COLOUR=blue"], Cmd=["sh", "-c", "echo default"])


def wait_for(condition, what):
    """What a machine must come to, which boots first."""
    deadline = time.monotonic() + BOOT
    while not (value := condition()):
        assert time.monotonic() < deadline, f"{what} did not come"
        time.sleep(0.2)
    return value


class Domctl:
    def __init__(self, daemon, state):
        self.environment = dict(os.environ, DBUS_SESSION_BUS_ADDRESS=daemon.bus.address, LC_ALL="C.UTF-8",
                                XDG_STATE_HOME=str(state))
        self.state = state / "domaind" / "run"

    def start(self, *words, **options):
        return subprocess.Popen([BUILD / "cli" / "domctl", "--connect", "session", *map(str, words)], text=True,
                                env=self.environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, **options)

    def __call__(self, *words, stdin=None):
        done = subprocess.run([BUILD / "cli" / "domctl", "--connect", "session", *map(str, words)], text=True,
                              env=self.environment, capture_output=True, timeout=BOOT,
                              **({"input": stdin} if stdin is not None else {"stdin": subprocess.DEVNULL}))
        return done.returncode, done.stdout, done.stderr


@pytest.fixture
def domctl(daemon, tmp_path):
    return Domctl(daemon, tmp_path / "state")


@pytest.fixture
def run(domctl, kernel):
    return lambda *words, **options: domctl("run", *EMULATED, "--kernel", kernel, "--network", "none", *words, **options)


def said(done):
    """Exit status and output of a run; what it says of unpacking is left out."""
    status, output, errors = done
    return status, output, "".join(line for line in errors.splitlines(True) if not line.startswith("Unpacking"))


def test_a_program_runs_and_its_status_is_ours(run, busybox, domctl):
    assert said(run("--rm", busybox)) == (0, "default\n", "")
    script = "echo out; echo err >&2; echo $COLOUR $SHAPE $HOME; id; pwd; hostname; exit 7"
    assert said(run("--rm", "--name", "box", "-e", "SHAPE=round", "-u", "anna", "-w", "/tmp/new", busybox,
                    "sh", "-c", script)) == (
        7, "out\nblue round /home/anna\nuid=1000(anna) gid=100(users) groups=50(staff)\n/tmp/new\nbox\n",
        "err\n")
    assert domctl("list", "--all", "--name") == (0, "", "")
    assert list((domctl.state / "machines").iterdir()) == []


def test_input_and_a_terminal(run, busybox, domctl, kernel):
    assert said(run("--rm", "-i", busybox, "sh", "-c", "cat; echo end", stdin="one\ntwo\n")) == (0, "one\ntwo\nend\n", "")
    ours, theirs = os.openpty()
    process = domctl.start("run", *EMULATED, "--kernel", kernel, "--network", "none", "--rm", "-it", busybox, "sh", "-c",
                           "tty; stty size; read word; echo said $word", stdin=theirs)
    os.close(theirs)
    os.write(ours, b"hello\n")
    output, errors = process.communicate(timeout=BOOT)
    os.close(ours)
    assert process.returncode == 0, errors
    assert "/dev/pts/0" in output.splitlines() and output.splitlines()[-1] == "said hello"


def test_signals_reach_the_program(domctl, kernel, busybox):
    process = domctl.start("run", *EMULATED, "--kernel", kernel, "--network", "none", "--rm", busybox, "sh", "-c",
                           "trap 'echo caught; exit 3' TERM; echo ready; while :; do sleep 1; done")
    assert process.stdout.readline() == "ready\n"
    process.send_signal(signal.SIGTERM)
    assert process.stdout.read() == "caught\n" and process.wait(BOOT) == 3


def test_what_cannot_run_is_said(run, busybox):
    assert said(run("--rm", busybox, "nothing")) == (127, "", "error: cannot run 'nothing' in '/': No such file or directory\n")
    assert said(run("--rm", "-u", "nobody", busybox)) == (125, "", "error: the image has no user 'nobody'\n")


SERVICE = "trap 'echo bye; exit 5' TERM; echo up; echo kept > /kept; while :; do sleep 1; done"


def test_one_that_stays(run, domctl, busybox):
    assert run("-d", "--name", "service", busybox, "sh", "-c", SERVICE)[:2] == (0, "service\n")
    wait_for(lambda: domctl("logs", "service")[1] == "up\n", "the program's output")
    assert domctl("ps")[1].split("\n")[2].split() == ["service", str(busybox), "running"]
    follower = domctl.start("logs", "-f", "service")

    assert domctl("exec", "service", "sh", "-c", "echo $COLOUR; cat /kept; exit 4") == (4, "blue\nkept\n", "")
    assert domctl("exec", "-i", "-u", "anna", "-w", "/etc", "-e", "A=b c", "service", "sh", "-c", "cat; id -un; pwd; echo $A",
                  stdin="in\n") == (0, "in\nanna\n/etc\nb c\n", "")
    assert domctl("exec", "service", "nothing")[0] == 127
    held = domctl.start("exec", "service", "sh", "-c", "echo here; sleep 1000")
    assert held.stdout.readline() == "here\n"
    assert domctl("exec", "service", "echo", "beside") == (0, "beside\n", "")  # another port
    held.kill()
    wait_for(lambda: "sleep 1000" not in domctl("exec", "service", "ps", "-o", "args")[1], "the end of what was left")

    status, out, errors = domctl("stats", "--json", "service")
    (stats,) = json.loads(out)
    document = ElementTree.fromstring(domctl("dumpxml", "service")[1])
    assert (status, errors, stats["name"], stats["memory_limit"]) == (0, "", "service", int(document.findtext("memory")) * 1024)
    assert stats["cpu_percent"] > 0 < stats["memory"] and stats["block_read"] > 0 == stats["received"] == stats["sent"]
    titles, _, row = domctl("stats", "--no-stream")[1].splitlines()[:3]
    assert titles.split() == "Name CPU Memory / limit Received / sent Read / written".split() and row.split()[0] == "service"
    watcher = domctl.start("stats")
    assert watcher.stdout.readline().split() == titles.split() and set(watcher.stdout.readline()) == {"-", "\n"}

    metadata = document.find("metadata/{https://domaind.org/xmlns/image/1}image")
    assert metadata.get("reference") == str(busybox)
    assert domctl("run", "--name", "service", busybox)[0] == 125  # there is one
    assert domctl("rm", "service")[2] == "error: the machine 'service' runs: stop it first, or say --force\n"

    assert domctl("stop", "--time", "60", "service") == (0, "Machine 'service' stopped\n", "")
    assert follower.communicate(timeout=BOOT)[0] == "up\nbye\n"
    assert watcher.communicate(timeout=BOOT)[1] == "" and watcher.returncode == 0
    assert domctl("stats", "service") == (1, "", "error: the machine 'service' does not run\n")
    assert json.loads(domctl("ps", "--all", "--json")[1]) == [
        {"name": "service", "image": str(busybox), "running": False, "status": 5}]
    assert domctl("rm", "service") == (0, "Machine 'service' removed\n", "")
    assert domctl("ps", "-a", "--json")[1] == "[]\n" and domctl("list", "--all", "--name")[1] == ""


def test_one_that_does_not_hear_is_stopped_by_force(run, domctl, busybox):
    assert run("-d", "--rm", "--name", "deaf", busybox, "sh", "-c", "trap '' TERM; echo up; while :; do sleep 1; done")[0] == 0
    wait_for(lambda: domctl("logs", "deaf")[1] == "up\n", "the program's output")
    assert domctl("stop", "--time", "1", "deaf")[0] == 0
    assert domctl("ps", "-a", "--json")[1] == "[]\n" and list((domctl.state / "machines").iterdir()) == []


def test_volumes(run, busybox, tmp_path):
    shared, fixed = tmp_path / "shared", tmp_path / "fixed"
    for place in (shared, fixed):
        place.mkdir(mode=0o777)
        (place / "word").write_text(f"{place.name}\n")
    assert said(run("--rm", "-v", f"{shared}:/data/deep", "-v", f"{fixed}:/fixed:ro", busybox, "sh", "-c",
                    "cat /data/deep/word /fixed/word; echo made > /data/deep/new; echo no > /fixed/new || echo refused")) == (
        0, "shared\nfixed\nrefused\n", "sh: can't create /fixed/new: Read-only file system\n")
    assert (shared / "new").read_text() == "made\n" and not (fixed / "new").exists()


def test_a_machine_gets_an_address(domctl, kernel, busybox, routed):
    assert said(domctl("run", *EMULATED, "--kernel", kernel, "--rm", busybox, "sh", "-c",
                       "ip -4 -o addr show eth0 | grep -o 'inet [^ ]*'; ip route | grep -o 'via [^ ]*'")) == (
        0, "inet 10.55.0.1/24\nvia 10.55.0.2\n", "")


# Images that are kept in other ways, and those that mean no good: nothing is started.


@pytest.fixture
def look(domctl, kernel):
    """The domain's document of an image, or what is said of it."""
    def run_print(*words):
        status, output, errors = domctl("run", "--print", "--kernel", kernel, *words, "sh")
        return ElementTree.fromstring(output) if status == 0 else errors.splitlines()[-1]

    return run_print


def test_kvm_or_emulation_as_asked(look, busybox):
    for word in ("kvm", "qemu"):
        assert look("--virt-type", word, busybox).get("type") == word
    assert look("--virt-type", "xen", busybox) == "error: unknown type 'xen': expected 'kvm' or 'qemu'"


def tree(document):
    """The paths of a document's image, with type, mode, owner and what links lead to."""
    listed = subprocess.run(["unsquashfs", "-lln", document.find("devices/disk/source").get("file")], check=True,
                            capture_output=True, text=True).stdout
    found = {}
    for line in listed.splitlines():
        words, path = line.split("squashfs-root")[0].split(), line.split("squashfs-root", 1)[1]
        found[path] = (words[0], words[1])
    return found


LOWER = image.layer(image.folder("etc", mode=0o750, uid=3, gid=4), image.entry("etc/old", b"old"),
                    image.entry("etc/kept", b"kept", mode=0o4711, uid=1000, gid=100), image.link("lib", "/usr/lib"),
                    image.folder("var"), image.entry("var/a", b"a"), image.entry("dev/null", type=tarfile.CHRTYPE, devmajor=1, devminor=3, mode=0o666))
UPPER = image.layer(image.entry("etc/.wh.old"), image.entry("var/.wh..wh..opq"), image.entry("var/b", b"b"),
                    image.link("hard", "var/b", tarfile.LNKTYPE), image.entry("lib/x", b"x"))
TREE = {"": ("drwxr-xr-x", "0/0"), "/dev": ("drwxr-xr-x", "0/0"), "/dev/null": ("crw-rw-rw-", "0/0"),
        "/etc": ("drwxr-x---", "3/4"), "/etc/kept": ("-rws--x--x", "1000/100"), "/hard": ("-rwxr-xr-x", "0/0"),
        "/lib -> /usr/lib": ("lrwxrwxrwx", "0/0"), "/usr": ("drwxr-xr-x", "0/0"), "/usr/lib": ("drwxr-xr-x", "0/0"),
        "/usr/lib/x": ("-rwxr-xr-x", "0/0"), "/var": ("drwxr-xr-x", "0/0"), "/var/b": ("-rwxr-xr-x", "0/0")}


@pytest.mark.parametrize("form", ["oci-directory", "oci-archive", "docker-archive"])
def test_each_form_makes_the_same_tree(look, tmp_path, form):
    path = tmp_path / "image"
    {"oci-directory": image.oci_directory, "oci-archive": image.oci_archive, "docker-archive": image.docker_archive}[form](
        path, [LOWER, UPPER])
    document = look(path)
    assert tree(document) == TREE
    assert document.find("metadata/{https://domaind.org/xmlns/image/1}image").get("digest") == image.digest(
        image.config([LOWER, UPPER]))
    if form == "docker-archive":
        assert tree(look(f"docker-archive:{path}:test:1")) == TREE
        assert look(f"docker-archive:{path}:test:2").endswith("the archive names no image with the tag test:2")


def swap(path, old, new):
    """The blob @old of an OCI directory with @new in it."""
    (path / "blobs" / "sha256" / image.digest(old)[7:]).write_bytes(new)


def test_hostile_images_are_refused_and_leave_nothing(look, domctl, tmp_path):
    def with_layer(*entries):
        return image.oci_directory(tmp_path / f"image{len(list(tmp_path.iterdir()))}", [image.layer(*entries)])

    outside = tmp_path / "outside"
    cases = {
        with_layer(image.entry("../../outside", b"x")): "'../../outside' in layer 1 of the image climbs out of its folder",
        with_layer(image.link("a", str(tmp_path)), image.entry("a/../outside", b"x")):
            "'a/../outside' in layer 1 of the image climbs out of its folder",
        with_layer(image.link("a", "/etc/passwd", tarfile.LNKTYPE)):
            "'a' in layer 1 of the image is a link to something that is not there",
    }
    small = image.layer(image.entry("a", b"a" * 100000))
    packed = image.gzip.compress(small, 1, mtime=0)
    other = image.oci_directory(tmp_path / "other", [small])
    swap(other, packed, image.gzip.compress(image.layer(image.entry("a", b"b"))))
    cases[other] = "the image's layer 1 is damaged: its SHA-256 is "
    cut = image.oci_directory(tmp_path / "cut", [small])
    swap(cut, packed, packed[:200])
    cases[cut] = "layer 1 of the image cannot be read: truncated gzip input"
    missing = image.oci_directory(tmp_path / "missing", [small])
    (missing / "blobs" / "sha256" / image.digest(packed)[7:]).unlink()
    cases[missing] = "cannot be read: No such file or directory"
    linked = image.oci_directory(tmp_path / "linked", [small])
    (linked / "index.json").unlink()
    (linked / "index.json").symlink_to("/etc/passwd")
    cases[linked] = "the image's 'index.json' cannot be read: Too many levels of symbolic links"
    many = image.oci_directory(tmp_path / "many", [])
    manifest = json.dumps({"config": {"digest": image.digest(b"")}, "layers": [0] * 100000}).encode()
    (many / "blobs" / "sha256" / image.digest(manifest)[7:]).write_bytes(manifest)
    (many / "index.json").write_text(json.dumps({"manifests": [{"digest": image.digest(manifest)}]}))
    cases[many] = "the image has 100000 layers: at most 512 are read"
    bomb = image.layer()
    member = tarfile.TarInfo("bomb")
    member.size = 65 << 30
    cases[image.oci_directory(tmp_path / "bomb", [member.tobuf() + bomb])] = "'bomb' in layer 1 of the image is too large"
    for path, words in cases.items():
        assert words in look(path), path
    assert not outside.exists()
    assert [list((domctl.state / name).iterdir()) for name in ("images", "names")] == [[], []]
    assert sorted(file.name for file in domctl.state.iterdir()) == ["images", "names"]


def test_ports_are_passts(look, tmp_path):
    path = image.oci_directory(tmp_path / "image", [LOWER])
    interface = look("-p", "8080:80", "-p", "127.0.0.1:5353:53/udp", path).find("devices/interface")
    assert [(one.attrib, one.find("range").attrib) for one in interface.findall("portForward")] == [
        ({"proto": "tcp"}, {"start": "8080", "to": "80"}),
        ({"proto": "udp", "address": "127.0.0.1"}, {"start": "5353", "to": "53"})]
    for word in ("80", "80:", "0:80", "80:65536", "80:80/icmp"):
        assert f"'{word}' are no ports: expected [ADDRESS:]HOST:GUEST" in look("-p", word, path)


def test_a_reference_that_is_nowhere(look):
    assert "there is no file 'docker.invalid/nothing', and " in look("docker.invalid/nothing")
