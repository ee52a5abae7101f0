# SPDX-License-Identifier: LGPL-2.1-or-later
"""The real libvirtd beside ours, each where its clients look by default: for comparing what a client makes of them."""

import pathlib
import subprocess
import sys

import pytest

from host import ENTER

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "differential"))

import private_libvirtd  # noqa: E402

REFERENCE = 9  # the major version of Debian 12's libvirt


@pytest.fixture(scope="module")
def libvirtd():
    """The directory of the sockets of a private libvirtd."""
    why_not = private_libvirtd.why_not()
    if why_not:
        pytest.skip(why_not)
    with private_libvirtd.PrivateLibvirtd() as daemon:
        if daemon.connection.getLibVersion() // 1_000_000 != REFERENCE:
            pytest.skip(f"this host's libvirt is not {REFERENCE}.x, the reference")
        yield daemon.directory


def start(sockets, words, environment):
    """Start a program for which the daemon with @sockets is the host's; its output is one text."""
    return subprocess.Popen(["unshare", "--mount", "sh", "-c", ENTER, str(sockets), *map(str, words)], env=environment,
                            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
