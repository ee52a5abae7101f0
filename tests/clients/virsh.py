# SPDX-License-Identifier: LGPL-2.1-or-later
"""Unmodified clients of libvirt against a private daemon, by the path of its socket."""

import os
import subprocess

import pytest

from conftest import BUILD, PATIENCE, TOP


class Virsh:
    """virsh, as a person with LANG=C sees it."""

    def __init__(self, daemon):
        self.daemon = daemon
        self.uri = f"qemu:///session?socket={daemon.root}/run/domaind/libvirt-sock"
        self.environment = dict(os.environ, LC_ALL="C", LANG="C", HOME=str(daemon.root), VIRSH_HISTSIZE="0",
                                XDG_CACHE_HOME=str(daemon.root), XDG_CONFIG_HOME=str(daemon.root))

    def command(self, *words, options=()):
        return ["virsh", "-c", self.uri, *options, *map(str, words)]

    def start(self, *words, options=(), **keywords):
        return subprocess.Popen(self.command(*words, options=options), env=self.environment, text=True,
                                stdout=subprocess.PIPE, stderr=subprocess.PIPE, **keywords)

    def __call__(self, *words, options=(), environment=None, stdin=""):
        """What it printed; it must succeed."""
        done = subprocess.run(self.command(*words, options=options), env=dict(self.environment, **(environment or {})),
                              input=stdin, text=True, capture_output=True, timeout=PATIENCE, check=False)
        assert done.returncode == 0, f"virsh {' '.join(map(str, words))}: {done.returncode}\n{done.stdout}{done.stderr}"
        return done.stdout

    def fails(self, *words, options=(), stdin=""):
        """The error it told; it must fail."""
        done = subprocess.run(self.command(*words, options=options), env=self.environment, input=stdin, text=True,
                              capture_output=True, timeout=PATIENCE, check=False)
        assert done.returncode == 1, f"virsh {' '.join(map(str, words))}: {done.returncode}\n{done.stdout}{done.stderr}"
        return done.stderr

    def fields(self, *words):
        """{name: value} of what is printed as "name: value" or "name value"."""
        pairs = (line.replace(":", " ", 1).split(None, 1) if ": " not in line else line.split(":", 1)
                 for line in self(*words).splitlines() if line.strip())
        return {pair[0].strip(): pair[1].strip() if len(pair) > 1 else "" for pair in pairs}

    def table(self, *words):
        """Rows of a table without its head."""
        return [line.split() for line in self(*words).splitlines()[2:] if line.strip()]


@pytest.fixture
def virsh(daemon):
    return Virsh(daemon)


@pytest.fixture(scope="session")
def guest():
    """The directory of the little Linux."""
    directory = BUILD / "guest"
    subprocess.run([TOP / "examples" / "guest" / "make", directory], check=True)
    return directory
