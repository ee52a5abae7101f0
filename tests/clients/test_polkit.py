# SPDX-License-Identifier: LGPL-2.1-or-later
"""Who may use the sockets, as the real polkitd decides it: on a bus of its own, with rules of the test's."""

import os
import pathlib
import subprocess

import pytest

import namespaces
from conftest import BUS_CONFIG, Bus, wait_for
from host import SystemDaemon, needs

POLKITD = "/usr/lib/polkit-1/polkitd"
pytestmark = needs(POLKITD, "polkitd")

# By users that every Debian has, with the numbers they always have.
DAEMON, BIN, NOBODY = 1, 2, 65534
RULES = """polkit.addRule(function(action, subject) {
  var may = { "nobody": ["org.libvirt.unix.manage", "org.libvirt.unix.monitor"], "bin": ["org.libvirt.unix.monitor"] };
  if (action.id.indexOf("org.libvirt.unix.") != 0)
    return polkit.Result.NOT_HANDLED;
  if (subject.user == "daemon")
    return polkit.Result.AUTH_ADMIN;
  return (may[subject.user] || []).indexOf(action.id) >= 0 ? polkit.Result.YES : polkit.Result.NO;
});
"""

# What a client sees: its list of machines, or the error.
CLIENT = """
import libvirt, sys
libvirt.registerErrorHandler(lambda context, error: None, None)
try:
    connection = (libvirt.openReadOnly if sys.argv[2] == "read-only" else libvirt.open)(sys.argv[1])
    print("welcome", connection.listAllDomains())
except libvirt.libvirtError as error:
    print(error.get_error_code(), error.get_error_domain(), error.get_error_message())
"""


class SystemBus(Bus):
    """A bus that other users may come to."""

    def start(self):
        allowed = BUS_CONFIG.replace('<policy context="default">', '<policy context="default">\n    <allow user="*"/>')
        self.config.write_text(allowed.format(address=self.address))
        super().start()
        os.chmod(self.address.partition("=")[2], 0o777)


class Polkit:
    def __init__(self, bus, directory):
        self.bus = bus
        rules = directory / "rules"
        rules.mkdir()
        (rules / "10-test.rules").write_text(RULES)
        for path in (directory, rules, rules / "10-test.rules"):
            path.chmod(0o755)
        self.process = subprocess.Popen(
            ["unshare", "--mount", "sh", "-c", 'mount --bind "$0" /etc/polkit-1/rules.d && exec "$1" --no-debug', rules, POLKITD],
            env=dict(os.environ, DBUS_SYSTEM_BUS_ADDRESS=bus.address), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        wait_for(lambda: bus.has("org.freedesktop.PolicyKit1") or self.process.poll() is not None, "polkitd")
        assert self.process.poll() is None, "polkitd did not start"

    def stop(self):
        self.process.kill()
        self.process.wait()


@pytest.fixture
def host(root):
    if os.geteuid() != 0:
        pytest.skip("other users' clients take root")
    namespaces.need()
    root.chmod(0o711)
    (root / "shared").mkdir()
    bus = SystemBus(root / "shared")
    (root / "shared").chmod(0o755)
    polkit = Polkit(bus, root / "shared")
    settings = root / "etc" / "domaind"
    settings.mkdir(parents=True)
    (settings / "domaind.conf").write_text("[clients]\nauthentication=polkit\n")
    daemon = SystemDaemon(root, bus)
    daemon.polkit = polkit
    try:
        daemon.start()
        yield daemon
    finally:
        polkit.stop()
        daemon.clean_up()
        bus.stop()


def client(daemon, user, way="full"):
    """What a client of that user prints."""
    uri = f"qemu:///system?socket={daemon.root}/run/domaind/libvirt-sock{'-ro' if way == 'read-only' else ''}"
    done = subprocess.run(["setpriv", f"--reuid={user}", f"--regid={user}", "--clear-groups", "/usr/bin/python3", "-c", CLIENT,
                           uri, way], capture_output=True, text=True, check=False, env=dict(os.environ, HOME="/nonexistent"))
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


REFUSED = "45 60 authentication failed: access denied by policy"
NO_AGENT = "94 60 authentication unavailable: no polkit agent available to authenticate action 'org.libvirt.unix.{}'"


@pytest.mark.parametrize("user, way, seen", [
    (NOBODY, "full", "welcome []"),
    (NOBODY, "read-only", "welcome []"),
    (BIN, "full", REFUSED),
    (BIN, "read-only", "welcome []"),
    (DAEMON, "full", NO_AGENT.format("manage")),
    (DAEMON, "read-only", NO_AGENT.format("monitor")),
    (0, "full", "welcome []"),  # root is not asked about
], ids=lambda value: str(value).split(" ")[0])
def test_polkit_decides(host, user, way, seen):
    assert client(host, user, way) == seen


def test_without_polkit_nobody_but_root_comes_in(host):
    host.polkit.stop()
    wait_for(lambda: not host.bus.has("org.freedesktop.PolicyKit1"), "the end of polkitd")
    assert client(host, NOBODY).startswith("45 60 authentication failed")
    assert client(host, 0) == "welcome []"
    assert pathlib.Path(host.root / "run/domaind/libvirt-sock").exists()
