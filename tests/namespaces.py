# SPDX-License-Identifier: LGPL-2.1-or-later
"""Whether this host lets a test make namespaces: a container may forbid it, even to its root."""

import functools
import subprocess

import pytest


@functools.cache
def why_none():
    """Why mount and process namespaces cannot be made and used here, in the host's words; None when they can."""
    done = subprocess.run(["unshare", "--mount", "--pid", "--fork", "--mount-proc", "mount", "-t", "tmpfs", "none", "/mnt"],
                          capture_output=True, text=True, check=False)
    return None if done.returncode == 0 else f"no namespaces here: {done.stderr.strip()}"


def need():
    """Skip the test where there can be none."""
    if reason := why_none():
        pytest.skip(reason)
