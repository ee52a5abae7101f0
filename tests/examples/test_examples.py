# SPDX-License-Identifier: LGPL-2.1-or-later
"""Every document in examples/ is started, as it stands but for the places of its files; quickstart is run."""

import os
import pathlib
import shutil
import subprocess

import pytest

from conftest import BUILD, PATIENCE, TOP, wait_for

EXAMPLES = TOP / "examples"
GUEST = BUILD / "guest"
IMAGES = "/var/lib/domaind/images"
BOOT_PATIENCE = 180  # seconds: a busy host without KVM


@pytest.fixture
def domctl(daemon):
    def run(*words):
        done = subprocess.run([BUILD / "cli" / "domctl", "--connect", "session", *map(str, words)], capture_output=True,
                              text=True, timeout=PATIENCE,
                              env=dict(os.environ, DBUS_SESSION_BUS_ADDRESS=daemon.bus.address, LC_ALL="C.UTF-8"))
        assert done.returncode == 0, f"{words}\n{done.stderr}\n{daemon.log()}"
        return done.stdout

    return run


@pytest.fixture
def images(tmp_path):
    """The files the examples name, under another roof."""
    place = tmp_path / "images"
    place.mkdir()
    (place / "guest").symlink_to(GUEST)
    for machine in "cloud-image", "desktop":
        (place / machine).mkdir()
        subprocess.run(["qemu-img", "create", "-q", "-f", "qcow2", place / machine / "disk.qcow2", "64M"], check=True)
    (place / "cloud-image" / "seed.iso").write_bytes(bytes(2048 * 32))
    return place


@pytest.fixture
def display(tmp_path):
    """An X server with software OpenGL; its DISPLAY."""
    read_end, write_end = os.pipe()
    server = subprocess.Popen(["Xvfb", "-displayfd", str(write_end), "-screen", "0", "1024x768x24", "+extension", "GLX",
                               "-nolisten", "tcp"], pass_fds=[write_end], stdout=subprocess.DEVNULL,
                              stderr=open(tmp_path / "xvfb.log", "w", encoding="utf-8"))
    os.close(write_end)
    try:
        with os.fdopen(read_end) as numbers:
            yield f":{numbers.readline().strip()}"
    finally:
        server.terminate()
        server.wait()


def prepare(tmp_path, name, *changes):
    text = (EXAMPLES / f"{name}.xml").read_text()
    for old, new in changes:
        assert old in text
        text = text.replace(old, str(new))
    path = tmp_path / f"{name}.xml"
    path.write_text(text)
    return path


def console_until(daemon, words, name):
    """The console of a machine until it has said @words."""
    console = subprocess.Popen([BUILD / "cli" / "domctl", "--connect", "session", "console", name],
                               stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
                               env=dict(os.environ, DBUS_SESSION_BUS_ADDRESS=daemon.bus.address))
    os.set_blocking(console.stdout.fileno(), False)
    said = bytearray()

    def has():
        said.extend(console.stdout.read() or b"")
        return words in said

    return console, lambda: wait_for(has, words)


def commands_of(name):
    """What the comment of an example tells a person to type, as one shell script: what is indented by two more."""
    comment = (EXAMPLES / f"{name}.xml").read_text().partition("<!--")[2].partition("-->")[0]
    return "\n".join(line[4:] for line in comment.splitlines() if line.startswith("    "))


def test_cloud_image_from_the_comment_to_a_login(daemon, domctl, images, tmp_path):
    """The image is a little one of ours (tests/cloud-guest): it has a boot loader of its own, and reads the seed."""
    subprocess.run([EXAMPLES / "guest" / "make", GUEST], check=True)
    subprocess.run([TOP / "tests" / "cloud-guest" / "make", GUEST, BUILD / "cloud-guest"], check=True)
    place = images / "cloud-image"
    for path in place.iterdir():
        path.unlink()
    (place / "debian-12-genericcloud-amd64.qcow2").symlink_to(BUILD / "cloud-guest" / "image.qcow2")
    script, _, rest = commands_of("cloud-image").partition("domctl define")
    assert rest.split()[0] == "cloud-image.xml"
    subprocess.run(["sh", "-e", "-c", script], check=True, cwd=place, stdout=subprocess.DEVNULL)

    domctl("define", prepare(tmp_path, "cloud-image", (IMAGES, images)))
    domctl("start", "cloud-image", "--paused")
    console, wait = console_until(daemon, b"cloud login: ", "cloud-image")
    try:
        domctl("resume", "cloud-image")
        wait()
        said = b""

        def type_and_read(line, words):
            nonlocal said
            console.stdin.write(line)
            console.stdin.flush()
            said = b""

            def has():
                nonlocal said
                said += console.stdout.read() or b""
                return words in said

            wait_for(has, words)

        type_and_read(b"grace\n", b"Password: ")
        type_and_read(b"change-me\n", b"$ ")
        type_and_read(b"echo I am $(id -un) on $(hostname)\n", b"I am grace on cloud")
    finally:
        console.kill()
        console.communicate()
    domctl("destroy", "cloud-image")


def test_a_guest_reads_the_seed_that_a_policy_describes(daemon, domctl, images, tmp_path):
    """Its disk is made as well, above the image. The guest's reader takes the values as they stand, quotes and all."""
    subprocess.run([EXAMPLES / "guest" / "make", GUEST], check=True)
    subprocess.run([TOP / "tests" / "cloud-guest" / "make", GUEST, BUILD / "cloud-guest"], check=True)
    place = images / "cloud-image"
    for path in place.iterdir():
        path.unlink()
    policy = f"""<metadata><policy xmlns='https://domaind.org/xmlns/policy/1'>
      <disk target='vda'><size unit='GiB'>1</size><base file='{BUILD / "cloud-guest" / "image.qcow2"}'/></disk>
      <seed target='vdb' hostName='described'/></policy></metadata>"""
    domctl("define", prepare(tmp_path, "cloud-image", (IMAGES, images), ("<memory ", policy + "<memory ")))
    domctl("start", "cloud-image", "--paused")
    console, wait = console_until(daemon, b'"described" login: ', "cloud-image")
    try:
        domctl("resume", "cloud-image")
        wait()
    finally:
        console.kill()
        console.communicate()
    domctl("destroy", "cloud-image")


@pytest.mark.parametrize("name", ["linux-kernel", "microvm"])
def test_linux_boots_and_ends(daemon, domctl, images, tmp_path, name):
    domctl("create", prepare(tmp_path, name, (IMAGES, images)), "--paused")
    console, wait = console_until(daemon, b"guest: ready", name)
    try:
        domctl("resume", name)
        wait()
    finally:
        console.kill()
        console.communicate()
    domctl("shutdown", name)
    wait_for(lambda: domctl("list", "--all", "--name").strip() == "", "the guest's own end")


@pytest.mark.parametrize("name", ["cloud-image", "desktop"])
def test_machine_starts(domctl, images, tmp_path, name):
    domctl("define", prepare(tmp_path, name, (IMAGES, images)))
    domctl("start", name)
    assert domctl("domstate", name).strip() == "running"
    domctl("suspend", name)
    domctl("resume", name)
    domctl("destroy", name)
    domctl("undefine", name, "--nvram")


def test_desktop_keeps_its_nvram(daemon, domctl, images, tmp_path):
    domctl("define", prepare(tmp_path, "desktop", (IMAGES, images)))
    for _ in range(2):
        domctl("start", "desktop", "--paused")
        domctl("destroy", "desktop")
    assert [path.name for path in daemon.root.rglob("nvram/*")] == ["desktop_VARS.fd"]


def test_founding_machine_has_3d_on_a_display(domctl, images, display, tmp_path, daemon):
    domctl("create", prepare(tmp_path, "founding", (IMAGES, images), (":0'", f"{display}'")), "--paused")
    console, wait = console_until(daemon, b"guest: ready", "founding")
    try:
        domctl("resume", "founding")
        wait()
    finally:
        console.kill()
        console.communicate()
    command_line = pathlib.Path(f"/proc/{daemon.machines()['founding']}/cmdline").read_bytes()
    assert b'"driver":"virtio-vga-gl"' in command_line and b'"addr":"0x1"' in command_line
    domctl("destroy", "founding")


def test_founding_machine_without_a_render_node_says_so(daemon, domctl, images, tmp_path):
    """Where the display cannot do OpenGL because the host has no render node, nothing is started."""
    if list(pathlib.Path("/dev/dri").glob("renderD*")):
        pytest.skip("this host has a render node")
    path = prepare(tmp_path, "founding", (IMAGES, images),
                   ("type='sdl' display=':0'", "type='egl-headless'"), ("<gl enable='yes'/>", ""))
    done = subprocess.run([BUILD / "cli" / "domctl", "--connect", "session", "create", path], capture_output=True, text=True,
                          env=dict(os.environ, DBUS_SESSION_BUS_ADDRESS=daemon.bus.address, LC_ALL="C.UTF-8"))
    assert done.returncode == 1
    assert "/dev/dri/renderD" in done.stderr
    assert not daemon.machines()


def test_quickstart_shows_a_machine_and_cleans_up(tmp_path, root):
    """On what is built already: its build directory, under another name, so that this one is not touched."""
    checkout = tmp_path / "a checkout & more"
    checkout.mkdir()
    for entry in TOP.iterdir():
        if not entry.name.startswith((".git", "build")):
            (checkout / entry.name).symlink_to(entry)
    (checkout / "examples").unlink()
    shutil.copytree(EXAMPLES, checkout / "examples")
    (checkout / "build").symlink_to(BUILD)
    places = [root / name for name in ("temporary", "home")]
    for place in (root, *places):
        place.mkdir(exist_ok=True)
        place.chmod(0o755)  # the machine's unprivileged user goes through it
    environment = {name: value for name, value in os.environ.items() if not name.startswith("XDG_")}
    environment.update(TMPDIR=str(places[0]), HOME=str(places[1]))
    done = subprocess.run([checkout / "examples" / "quickstart"], capture_output=True, text=True, timeout=BOOT_PATIENCE,
                          env=environment)
    assert done.returncode == 0, done.stdout + done.stderr
    for words in "guest: Linux", "guest: ready", "running", "What to try next":
        assert words in done.stdout
    assert [list(place.rglob("*")) for place in places] == [[], []]


@pytest.fixture(params=[("aarch64-uefi", "aarch64", "arm64", "qemu-efi-aarch64"), ("riscv64", "riscv64", "riscv64", None)],
                ids=lambda row: row[0])
def foreign(request, tmp_path):
    """A machine of another architecture, with its kernel under another roof; (name, document)."""
    name, machine, architecture, firmware = request.param
    emulator = f"qemu-system-{machine}"
    if not shutil.which(emulator):
        pytest.skip(f"{emulator} is not installed")
    if firmware and not list(pathlib.Path("/usr/share/qemu/firmware").glob(f"*{machine}*.json")):
        pytest.skip(f"{firmware} is not installed")
    made = subprocess.run([EXAMPLES / "guest" / "make", BUILD / f"guest-{architecture}", architecture], check=False,
                          capture_output=True, text=True, timeout=BOOT_PATIENCE)
    if made.returncode != 0:
        pytest.skip(f"no Linux for {architecture} can be fetched: {made.stderr.strip().splitlines()[-1:]}")
    place = tmp_path / "images"
    place.mkdir()
    (place / f"guest-{architecture}").symlink_to(BUILD / f"guest-{architecture}")
    return name, prepare(tmp_path, name, (IMAGES, place))


def test_machine_of_another_architecture_boots(daemon, domctl, foreign):
    name, document = foreign
    domctl("create", document, "--paused")
    console, wait = console_until(daemon, b"guest: ready", name)
    try:
        domctl("resume", name)
        wait()
    finally:
        console.kill()
        console.communicate()
    domctl("destroy", name)
    assert domctl("list", "--all", "--name").strip() == ""
