# SPDX-License-Identifier: LGPL-2.1-or-later
"""An installation below a directory of its own, as a package's build makes it."""

import json
import subprocess

from conftest import BUILD


def prefix():
    """The prefix of the build, without its first slash."""
    options = json.loads((BUILD / "meson-info" / "intro-buildoptions.json").read_text())
    return next(option["value"] for option in options if option["name"] == "prefix").lstrip("/")


def install(destination):
    """Install what is built as if @destination were the root directory; the prefix below it."""
    subprocess.run(["meson", "install", "-C", BUILD, "--no-rebuild", "--quiet", "--destdir", destination], check=True,
                   capture_output=True)
    return destination / prefix()
