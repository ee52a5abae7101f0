# SPDX-License-Identifier: LGPL-2.1-or-later
"""A host as the tools of the libvirt world expect it: domaind where they look by default.

Many tools take no socket's path: virt-manager counts a host as local, and Cockpit runs virsh, only with plain
qemu:///system. Each program is therefore started in a mount namespace of its own, whose /run holds nothing but the
private daemon's sockets under libvirt's names, with the private bus as the system bus and a home of its own.
"""

import contextlib
import os
import pathlib
import select
import signal
import subprocess
import time

import gi
import pytest

import namespaces
from conftest import BUILD, Daemon

gi.require_version("Gio", "2.0")

URI = "qemu:///system"
GUEST = BUILD / "guest"
PATIENCE = 150  # seconds: a limit for what hangs, many times what the slowest machine takes

# A fresh /run with libvirt's directory in it, then the program. Nothing of this is seen outside the namespace.
ENTER = 'mount -t tmpfs run /run && mkdir /run/libvirt /run/user && mount --bind "$0" /run/libvirt && exec "$@"'


class SystemDaemon(Daemon):
    mode = "--system"


class Host:
    def __init__(self, daemon):
        self.daemon = daemon
        self.home = daemon.root / "home"
        self.images = daemon.root / "images"
        for directory in (self.home, self.images):
            directory.mkdir()
        self.environment = dict(os.environ, HOME=str(self.home), XDG_RUNTIME_DIR=str(self.home), LC_ALL="C.UTF-8",
                                XDG_CONFIG_HOME=f"{self.home}/config", XDG_CACHE_HOME=f"{self.home}/cache",
                                XDG_DATA_HOME=f"{self.home}/data", LIBVIRT_DEFAULT_URI=URI,
                                DBUS_SYSTEM_BUS_ADDRESS=daemon.bus.address)

    def command(self, *words, processes=False):
        """@words as a command inside the host; with @processes, all that it starts ends when it does."""
        own = ["--pid", "--fork", "--kill-child=SIGKILL"] if processes else []
        return ["unshare", "--mount", *own, "sh", "-c", ENTER, str(self.daemon.root / "run" / "libvirt"),
                *map(str, words)]

    def start(self, *words, processes=False, env=None, **options):
        return subprocess.Popen(self.command(*words, processes=processes), env=dict(self.environment, **(env or {})),
                                start_new_session=True, **options)

    def run(self, *words, status=0, env=None, stdin=None):
        """Run a program to its end; what it printed. A wrong exit status (None: any is right) fails the test."""
        with self.start(*words, env=env, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                        text=True) as process:
            try:
                output, errors = process.communicate(stdin or "", PATIENCE)
            finally:
                with contextlib.suppress(ProcessLookupError):
                    os.killpg(process.pid, signal.SIGKILL)
        assert status is None or process.returncode == status, (
            f"{' '.join(map(str, words))}: {process.returncode}\n{output}\n{errors}\n{self.daemon.log()}")
        return errors if status else output

    def virsh(self, *words, **options):
        return self.run("virsh", "--quiet", *words, **options).strip()

    def disk(self, name, size="64M"):
        """A new empty qcow2 image."""
        path = self.images / name
        subprocess.run(["qemu-img", "create", "-q", "-f", "qcow2", path, size], check=True)
        return path

    def console(self, name, text):
        """Attach to a console with virsh as a person would; what it showed up to and with @text."""
        return self.typed("virsh", "console", name, until=text, leave=b"\x1d")

    def typed(self, *words, until, leave=b""):
        """Run a program on a terminal until it shows @until; @leave is then typed, and it must end."""
        terminal, program = os.openpty()
        shown = b""
        try:
            with self.start(*words, stdin=program, stdout=program, stderr=program) as process:
                os.close(program)
                try:
                    shown = read_until(terminal, until.encode())
                    assert until.encode() in shown, f"{words} showed no {until!r}:\n{shown.decode(errors='replace')}"
                    os.write(terminal, leave)
                    process.wait(PATIENCE)
                finally:
                    with contextlib.suppress(ProcessLookupError):
                        os.killpg(process.pid, signal.SIGKILL)
        finally:
            os.close(terminal)
        return shown.decode(errors="replace")

    def linux(self, name, more="", devices=""):
        """A machine that boots the little Linux, its console on a pty."""
        return f"""<domain type='qemu'>
  <name>{name}</name>
  <memory unit='MiB'>128</memory>
  <vcpu>1</vcpu>
  <os>
    <type arch='x86_64' machine='q35'>hvm</type>
    <kernel>{GUEST}/vmlinuz</kernel>
    <initrd>{GUEST}/initrd.img</initrd>
    <cmdline>console=ttyS0 quiet</cmdline>
  </os>
  <features><acpi/></features>
  {more}
  <devices>
    <console type='pty'/>
    {devices}
  </devices>
</domain>
"""


def read_until(descriptor, text):
    """What comes from @descriptor up to @text, or all until its end or the limit."""
    seen = b""
    deadline = time.monotonic() + PATIENCE
    while text not in seen and time.monotonic() < deadline:
        if select.select([descriptor], [], [], 1)[0]:
            try:
                piece = os.read(descriptor, 65536)
            except OSError:
                break
            if not piece:
                break
            seen += piece
    return seen


@contextlib.contextmanager
def running_host(root, bus, prefix=()):
    """A host whose daemon is started with @prefix before its command."""
    namespaces.need()
    root.chmod(0o711)
    daemon = SystemDaemon(root, bus)
    daemon.prefix = prefix
    try:
        daemon.start()
        yield Host(daemon)
    finally:
        daemon.clean_up()


@pytest.fixture
def host(root, bus):
    with running_host(root, bus) as it:
        yield it


@pytest.fixture(scope="session", autouse=True)
def little_linux():
    if not (GUEST / "vmlinuz").exists():
        pytest.skip(f"there is no {GUEST}/vmlinuz: run examples/guest/make {GUEST}")


def needs(path, package):
    """Skip unless a program is there; it comes with a Debian package."""
    return pytest.mark.skipif(not pathlib.Path(path).exists(), reason=f"{path} is missing: install {package}")
