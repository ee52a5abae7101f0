# SPDX-License-Identifier: LGPL-2.1-or-later
"""The daemon killed at each step of an apply: each object is as it was or as it should be, and another apply does the
rest."""

import os
import re
import shutil
import subprocess

import pytest

from conftest import BUILD, CONNECT, DOMAIN, PATIENCE, ROOT, domain_xml
from test_cut_short import killed  # noqa: F401: a fixture

OWN_CONNECT = "org.domaind1.Connect"
STEPS_MAX = 200
SECRET = "<secret><uuid>87291af1-1366-410c-bb6e-fbc6f66ff7ae</uuid><description>one</description></secret>"
POOL = "<pool type='dir'><name>images</name><target><path>ROOT/images</path></target></pool>"
VOLUME = "<volume><name>data.img</name><capacity unit='MiB'>{}</capacity><target><format type='raw'/></target></volume>"


def machine(name, title):
    return re.sub(r"\s*<uuid>.*</uuid>", "", domain_xml(name, more=f"<title>{title}</title>"))


FIRST = {"secret": SECRET, "pool": POOL, "volume": VOLUME.format(1), "web": machine("web", "one"), "old": machine("old", "one")}
SECOND = {"pool": POOL, "volume": VOLUME.format(2), "web": machine("web", "two"), "new": machine("new", "two")}


@pytest.fixture
def domctl(killed):  # noqa: F811
    """domctl about one directory of documents: its exit status."""
    environment = dict(os.environ, DBUS_SESSION_BUS_ADDRESS=killed.bus.address, LC_ALL="C.UTF-8")
    directory = killed.root / "fleet"

    def run(command, texts, *options):
        shutil.rmtree(directory, ignore_errors=True)
        directory.mkdir()
        for name, text in texts.items():
            (directory / f"{name}.xml").write_text(text.replace("ROOT", str(killed.root)))
        done = subprocess.run([BUILD / "cli/domctl", "--connect", "session", command, directory, "--prune", *options],
                              env=environment, stdin=subprocess.DEVNULL, capture_output=True, timeout=PATIENCE, check=False)
        print(done.stdout.decode(), done.stderr.decode())
        return done.returncode

    return run


def machines(daemon):
    """Each with its title."""
    paths = daemon.call(ROOT, CONNECT, "ListDomains", "(u)", 0)
    return {daemon.get(path, DOMAIN, "Name"): re.search("<title>(.*)</title>", daemon.call(path, DOMAIN, "GetXMLDesc", "(u)", 0))[1]
            for path in paths}


def forget_all(daemon):
    daemon.stop()
    for place in ("etc", "var", "images"):
        shutil.rmtree(daemon.root / place, ignore_errors=True)


def cut_at_each_step(daemon, domctl, before, texts):
    """After each: the step, which another apply has finished. The first ones all, then every other, every third ..."""
    step = 0
    while step < STEPS_MAX:
        step += 1 + step // 5
        daemon.start_to_be_killed()
        assert before is None or domctl("apply", before, "--yes") == 0
        daemon.kill_at.write_text(f"disk {step}")
        over = domctl("apply", texts, "--yes") == 0
        daemon.kill_at.unlink()
        if over:
            daemon.kill()
        else:
            assert daemon.process.wait(timeout=PATIENCE) == -9, daemon.log()
            daemon.kill()
        daemon.start()
        found = machines(daemon)
        assert found.get("web", "one") in ("one", "two"), step
        assert domctl("apply", texts, "--yes") == 0, step
        assert domctl("plan", texts) == 0, step
        yield step
        forget_all(daemon)
        if over:
            assert step > 10
            return
    raise AssertionError("it did not come to its end")


def test_killed_at_each_step_of_a_first_apply(killed, domctl):  # noqa: F811
    for step in cut_at_each_step(killed, domctl, None, FIRST):
        assert machines(killed) == {"web": "one", "old": "one"}, step
        assert (killed.root / "images/data.img").stat().st_size == 1 << 20, step


def test_killed_at_each_step_of_a_change(killed, domctl):  # noqa: F811
    for step in cut_at_each_step(killed, domctl, FIRST, SECOND):
        assert machines(killed) == {"web": "two", "new": "two"}, step
        assert (killed.root / "images/data.img").stat().st_size == 2 << 20, step
        entries = killed.call(ROOT, OWN_CONNECT, "ListTrash")
        assert sorted(entry[1] for entry in entries) == ["domain", "secret"], step
