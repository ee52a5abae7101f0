# SPDX-License-Identifier: LGPL-2.1-or-later
"""A user who is nobody special, in a session of their own: the daemon, the bus and libvirt's clients all run as that
user, at the places where they look by default. libvirt's client library behaves otherwise for root."""

import json
import os
import pathlib
import pwd
import re
import shutil
import subprocess

import pytest

from conftest import BUILD, PATIENCE, domain_xml, wait_for

USER = pwd.getpwnam("nobody").pw_uid  # a bus needs its user to have a name
GUEST = BUILD / "guest"


def become_user():
    if os.geteuid() == 0:
        os.setgroups([])
        os.setresgid(USER, USER, USER)
        os.setresuid(USER, USER, USER)


class Session:
    """The session: its daemon is started with `domaind --session` and nothing else, as in the README."""

    def __init__(self, root):
        self.root = root
        self.runtime = root / "run"
        programs = root / "bin"
        for directory in (self.runtime, programs, root / "home", root / "home" / "config", root / "home" / "config" / "domaind"):
            directory.mkdir()
        # The build may be where only root can go.
        for program in ("cli/domctl", "daemon/domaind"):
            shutil.copy(BUILD / program, programs)
        # This host has libvirt installed beside it, and its sockets are therefore left alone unless they are asked for.
        (root / "home" / "config" / "domaind" / "domaind.conf").write_text("[clients]\nlibvirt-sockets=yes\n")
        subprocess.run(["chown", "-R", f"{USER}:{USER}", root], check=True)
        self.environment = {
            "PATH": f"{programs}:{os.environ['PATH']}", "HOME": str(root / "home"), "LC_ALL": "C.UTF-8",
            "XDG_RUNTIME_DIR": str(self.runtime), "XDG_CONFIG_HOME": str(root / "home" / "config"),
            "DBUS_SESSION_BUS_ADDRESS": f"unix:path={self.runtime}/bus",
            **{name: value for name, value in os.environ.items() if name.endswith("SAN_OPTIONS") or name == "G_SLICE"},
        }
        self.processes = []

    def start(self, *words, **options):
        process = subprocess.Popen([str(word) for word in words], env=self.environment, cwd=self.root / "home",
                                   preexec_fn=become_user, stdin=subprocess.DEVNULL, text=True, **options)
        self.processes.append(process)
        return process

    def run(self, *words, status=0):
        process = self.start(*words, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        output, _ = process.communicate(timeout=PATIENCE)
        assert process.returncode == status, f"{' '.join(map(str, words))}: {process.returncode}\n{output}\n{self.log()}"
        return output.strip()

    def log(self):
        return (self.root / "log").read_text(errors="replace")

    def begin(self):
        bus = self.start("dbus-daemon", "--session", "--nofork", "--address", self.environment["DBUS_SESSION_BUS_ADDRESS"])
        wait_for(lambda: (self.runtime / "bus").exists() or bus.poll() is not None, "the session bus")
        with open(self.root / "log", "w", encoding="utf-8") as log:
            self.daemon = self.start("domaind", "--session", stdout=log, stderr=log)
        socket = self.runtime / "libvirt" / "libvirt-sock"
        wait_for(lambda: socket.exists() or self.daemon.poll() is not None, "libvirt's socket of the session")
        assert self.daemon.poll() is None, self.log()

    def end(self):
        """As a logout without systemd: the machines first, which nobody else would end."""
        for name in self.run("virsh", "-c", "qemu:///session", "list", "--name").split():
            self.run("virsh", "-c", "qemu:///session", "destroy", name)
        self.daemon.terminate()
        assert self.daemon.wait(PATIENCE) == 0, self.log()


@pytest.fixture
def session(root):
    if os.geteuid() != 0:
        pytest.skip("becoming another user takes root")
    root.chmod(0o755)
    it = Session(root)
    try:
        it.begin()
        yield it
        it.end()
    finally:
        for process in it.processes:
            if process.poll() is None:
                process.kill()
                process.wait()


@pytest.fixture
def virsh(session):
    return lambda *words, **options: session.run("virsh", "-c", "qemu:///session", *words, **options)


def test_the_log_is_the_daemons_alone(session):
    """A library that is not permitted something may say so to the terminal itself."""
    assert [line for line in session.log().splitlines() if not re.match(r"\d{4}-\d\d-\d\dT\S+ (info|warning) ", line)] == []


def test_virsh_with_the_plain_uri(session, virsh):
    document = session.root / "home" / "web.xml"
    document.write_text(domain_xml("web"))
    assert virsh("uri") == "qemu:///session"
    assert virsh("define", document) == f"Domain 'web' defined from {document}"
    assert virsh("start", "web") == "Domain 'web' started"
    assert virsh("domstate", "web", "--reason") == "running (booted)"
    status, = (session.root / "run").rglob("machines/*/status.json")  # other tests' machines are on this host as well
    assert os.stat(f"/proc/{json.loads(status.read_text())['pid']}").st_uid == USER
    assert virsh("destroy", "web") == "Domain 'web' destroyed"
    assert virsh("undefine", "web") == "Domain 'web' has been undefined"
    assert virsh("-r", "list", "--all", "--name") == ""


def test_domctl_and_virsh_see_the_same_daemon(session, virsh):
    document = session.root / "home" / "web.xml"
    document.write_text(domain_xml("web"))
    session.run("domctl", "define", document)
    assert virsh("list", "--all", "--name") == "web"
    assert " web " in session.run("domctl", "list", "--all")


def test_python(session):
    program = ("import libvirt; c = libvirt.open('qemu:///session'); d = c.defineXML(open('web.xml').read()); d.create(); "
               "print(c.getURI(), d.info()[0], [each.name() for each in c.listAllDomains()]); d.destroy(); d.undefine()")
    (session.root / "home" / "web.xml").write_text(domain_xml("web"))
    assert session.run("/usr/bin/python3", "-c", program) == "qemu:///session 1 ['web']"


def test_virt_install(session, virsh):
    for name in ("vmlinuz", "initrd.img"):
        shutil.copy(GUEST / name, session.root / "home")
    home = session.root / "home"
    session.run("virt-install", "--connect", "qemu:///session", "--virt-type", "qemu", "--osinfo", "detect=off,require=off",
                "--name", "linux", "--memory", "128", "--graphics", "none", "--network", "user", "--import",
                "--disk", f"{home}/disk.qcow2,size=0.01,bus=virtio", "--noautoconsole",
                "--boot", f"kernel={home}/vmlinuz,initrd={home}/initrd.img,kernel_args=console=ttyS0")
    assert virsh("list", "--name") == "linux"
    assert virsh("domblklist", "linux").splitlines()[-1].split() == ["vda", f"{home}/disk.qcow2"]


def test_networks_of_ones_own(session, virsh):
    """They are kept below one's own directories; a bridge of the host needs no rights of anybody."""
    document = session.root / "home" / "lan.xml"
    document.write_text("<network><name>lan</name><forward mode='bridge'/><bridge name='br0'/></network>\n")
    virsh("net-define", document)
    virsh("net-start", "lan")
    assert virsh("net-list", "--name").split() == ["lan"]
    assert "active" in session.run("domctl", "net-list")
    kept, = session.root.rglob("domaind/networks/lan.xml")
    assert kept.read_text() == document.read_text()
    virsh("net-destroy", "lan")
    virsh("net-undefine", "lan")
    assert not kept.exists()
