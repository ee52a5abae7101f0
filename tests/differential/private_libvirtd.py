# SPDX-License-Identifier: LGPL-2.1-or-later
"""The real libvirtd, for ourselves alone.

It runs in mount and process namespaces of its own, with every directory it keeps anything in on tmpfs, so that it
neither sees nor touches a libvirt of the host, and everything it started ends with it.
"""

import contextlib
import os
import pathlib
import shutil
import subprocess
import tempfile
import time

import libvirt

import namespaces

STARTUP_SECONDS = 60  # it asks QEMU for its capabilities first

PRIVATE_DIRECTORIES = ["/run", "/etc/libvirt", "/var/lib/libvirt", "/var/cache/libvirt", "/var/log/libvirt",
                       "/var/log/swtpm", "/var/lib/swtpm-localca"]

# The first process of the namespace is the shell, and stays it: it reaps what libvirtd leaves, so that a guest that
# was killed is seen to be gone. Users that Debian's package would have made are made here, in a private copy.
SCRIPT = """
set -e
for directory in {directories}; do
  mkdir -p "$directory"
  owner=$(stat -c %u:%g "$directory")
  mount -t tmpfs -o mode=0755 tmpfs "$directory"
  chown "$owner" "$directory"
done
mkdir -p /run/libvirt /run/lock /var/lib/libvirt/qemu /var/lib/libvirt/images /run/private
for file in passwd group; do
  cp /etc/$file /run/private/$file
  mount --bind /run/private/$file /etc/$file
done
grep -q ^libvirt-qemu: /etc/passwd || echo libvirt-qemu:x:64055:64055::/:/usr/sbin/nologin >> /run/private/passwd
grep -q ^libvirt-qemu: /etc/group || echo libvirt-qemu:x:64055: >> /run/private/group
cat > /etc/libvirt/qemu.conf <<END
user = "root"
group = "root"
security_driver = "none"
stdio_handler = "file"
cgroup_controllers = []
namespaces = []
END
cat > /etc/libvirt/libvirtd.conf <<END
auth_unix_rw = "none"
auth_unix_ro = "none"
unix_sock_dir = "{sockets}"
END
{images}
libvirtd -f /etc/libvirt/libvirtd.conf -p /run/libvirtd.pid
exit $?
"""


def why_not():
    """Why it cannot be run here; None when it can."""
    if os.geteuid() != 0:
        return "needs root, for namespaces of its own"
    for program in ("libvirtd", "unshare", "qemu-img", "qemu-system-x86_64"):
        if shutil.which(program, path=os.environ["PATH"] + ":/usr/sbin:/sbin") is None:
            return f"{program} is not installed"
    return namespaces.why_none()


class PrivateLibvirtd:
    """Use as a context manager. @images: paths below /var/lib/libvirt/images to make, empty, before it starts.
    @sockets: the directory for its sockets; otherwise one of its own."""

    def __init__(self, images=(), sockets=None):
        self.images = sorted(images)
        self.sockets = sockets

    def _image_commands(self):
        for image in self.images:
            kind = "qcow2" if image.endswith(".qcow2") else "raw"
            yield f"qemu-img create -q -f {kind} {image} 1M"

    def __enter__(self):
        self.directory = pathlib.Path(tempfile.mkdtemp(prefix="domaind-libvirtd-"))
        script = SCRIPT.format(directories=" ".join(PRIVATE_DIRECTORIES), sockets=self.sockets or self.directory,
                               images="\n".join(self._image_commands()))
        self.log = open(self.directory / "log", "wb")
        self.process = subprocess.Popen(
            ["unshare", "--mount", "--propagation", "private", "--pid", "--fork", "--kill-child", "--mount-proc",
             "bash", "-c", script],
            stdin=subprocess.DEVNULL, stdout=self.log, stderr=self.log, start_new_session=True,
            # The tests' own directories are root's, and swtpm_setup, which looks for settings at home, is another user.
            env=dict(os.environ, PATH=os.environ["PATH"] + ":/usr/sbin:/sbin", LC_ALL="C", TMPDIR="/tmp", HOME="/"))
        try:
            self.connection = self._connect()
        except Exception:
            self.__exit__()
            raise
        return self

    def _connect(self):
        libvirt.registerErrorHandler(lambda context, error: None, None)
        socket = (self.sockets or self.directory) / "libvirt-sock"
        deadline = time.monotonic() + STARTUP_SECONDS
        while not (self.sockets or self.directory).joinpath("libvirt-admin-sock").exists():
            if self.process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError("libvirtd did not start:\n" + (self.directory / "log").read_text(errors="replace"))
            time.sleep(0.05)
        return libvirt.open(f"qemu+unix:///system?socket={socket}")

    def __exit__(self, *_):
        with contextlib.suppress(Exception):
            self.connection.close()
        self.process.kill()  # --kill-child: the namespace and all in it go with it
        self.process.wait()
        self.log.close()
        shutil.rmtree(self.directory)

    def completed(self, document):
        """The document as it is defined: `virsh dumpxml --inactive`. Raises libvirt.libvirtError when it is refused."""
        domain = self.connection.defineXML(document)
        try:
            return domain.XMLDesc(libvirt.VIR_DOMAIN_XML_INACTIVE)
        finally:
            domain.undefine()

    def arguments(self, document):
        """The command line it would start QEMU with: `virsh domxml-to-native qemu-argv`."""
        return self.connection.domainXMLToNative("qemu-argv", document, 0)

    def live(self, document):
        """The document of the running machine, started paused."""
        domain = self.connection.createXML(document, libvirt.VIR_DOMAIN_START_PAUSED)
        try:
            return domain.XMLDesc(0)
        finally:
            domain.destroy()
