# SPDX-License-Identifier: LGPL-2.1-or-later
"""Running long commands, several at once, so that whoever looks on sees them move: their output goes to the terminal as it
comes, a command that speaks after another is named first, lines that only count (of ninja, meson and pytest) come at most
every few seconds, and a command that is silent is spoken for."""

import os
import re
import select
import signal
import subprocess
import threading
import time

COUNTING_SECONDS = 5  # between two lines that only count
SILENT_SECONDS = 10  # after which a silent command is spoken for
SILENT_LIMIT = 1500  # seconds after which it is ended: more than one test may take, so that one that hangs fails alone

# "[12/480] Compiling C object ...", " 3/54 test-qmp  OK  0.42s", "tests/cli/test_x.py::test_y PASSED [ 12%]"
COUNTING = re.compile(r"\[\d+/\d+\] |\s*\d+/\d+ .* OK |\S+::.* (PASSED|SKIPPED).*\[ *\d+%\]$")


class Terminal:
    """Where all commands' lines go, from every thread."""

    def __init__(self):
        self.lock = threading.Lock()
        self.speaker = None

    def print(self, name, line):
        with self.lock:
            if self.speaker not in (None, name):
                print(f"-- {name}")
            self.speaker = name
            print(line, flush=True)


TERMINAL = Terminal()


class Shown:
    """What has been printed of a command, and when."""

    def __init__(self, name):
        self.name = name
        self.begun = self.heard = self.printed = self.counted = time.monotonic()
        self.last = ""

    def print(self, line):
        TERMINAL.print(self.name, line)
        self.printed = time.monotonic()

    def line(self, line):
        self.last = line
        if not COUNTING.match(line):
            self.print(line)
        elif time.monotonic() - self.counted >= COUNTING_SECONDS:
            self.counted = time.monotonic()
            self.print(line)

    def silent(self, unfinished):
        """Called often; @unfinished: the beginning of a line, as pytest's with the name of the test that runs."""
        if time.monotonic() - self.printed >= SILENT_SECONDS:
            self.print(f"   {self.name}: {time.monotonic() - self.begun:.0f} s: {(unfinished or self.last).strip()}")


def run(name, *command, cwd=None, env=None):
    """Run @command, as @name; (its exit status, what it printed). A program that is not there is status 127."""
    environment = dict(os.environ if env is None else env, PYTHONUNBUFFERED="1")
    try:
        process = subprocess.Popen([str(word) for word in command], cwd=cwd, env=environment, stdin=subprocess.DEVNULL,
                                   stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    except FileNotFoundError as error:
        print(error, flush=True)
        return 127, str(error)
    shown = Shown(name)
    output = unfinished = ""
    with process:
        while True:
            if not select.select([process.stdout], [], [], 1)[0]:
                shown.silent(unfinished)
                if time.monotonic() - shown.heard >= SILENT_LIMIT:
                    shown.print(f"   {name}: ended, as it has been silent for {SILENT_LIMIT} s")
                    process.send_signal(signal.SIGABRT)  # pytest shows where it stood
                    shown.heard = time.monotonic()
                continue
            shown.heard = time.monotonic()
            piece = os.read(process.stdout.fileno(), 65536).decode(errors="replace")
            if not piece:
                break
            output += piece
            *lines, unfinished = (unfinished + piece).split("\n")
            for line in lines:
                shown.line(line)
            shown.silent(unfinished)
        if unfinished:
            shown.line(unfinished)
    return process.returncode, output
