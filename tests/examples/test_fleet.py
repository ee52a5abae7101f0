# SPDX-License-Identifier: LGPL-2.1-or-later
"""examples/fleet as its README has it: a repository that is planned, applied, edited, reverted and pruned, with real
machines. Where no network can be made the machines are on none, and the rest is the same."""

import os
import re
import shutil
import subprocess

import pytest

from conftest import BUILD, CONNECT, DOMAIN, PATIENCE, ROOT, TOP

GUEST = BUILD / "guest"
MACHINES = {"db": True, "web1": True, "web2": True, "desktop": False}


def can_make_networks():
    if os.geteuid() != 0 or not all(map(shutil.which, ("dnsmasq", "nft", "ip"))):
        return False
    if subprocess.run(["ip", "link", "add", "flprobe", "type", "bridge"], capture_output=True, check=False).returncode != 0:
        return False
    subprocess.run(["ip", "link", "delete", "flprobe"], check=True)
    return (subprocess.run(["nft", "list", "ruleset"], capture_output=True, check=False).returncode == 0
            and os.access("/proc/sys/net/ipv4/ip_forward", os.W_OK))


@pytest.fixture
def repository(tmp_path):
    subprocess.run([TOP / "examples/guest/make", GUEST], check=True)
    place = tmp_path / "fleet"
    shutil.copytree(TOP / "examples" / "fleet", place)
    (tmp_path / "images").mkdir()
    (tmp_path / "images" / "guest").symlink_to(GUEST)
    if not can_make_networks():
        (place / "network.xml").unlink()
        for name in ("parts/linux.xml", "desktop.xml"):
            text = (place / name).read_text()
            (place / name).write_text(re.sub(r"<interface .*</interface>", "", text, flags=re.DOTALL))
    for file in ("db", "web1", "web2"):  # the little Linux is not asked twice
        text = (place / f"{file}.xml").read_text()
        (place / f"{file}.xml").write_text(text.replace("timeout='300'", "timeout='5'").replace("timeout='60'", "timeout='5'"))
    return place


@pytest.fixture
def host(request):
    """The daemon whose machines can be on networks, where there is one."""
    return request.getfixturevalue("system_daemon" if can_make_networks() else "daemon")


@pytest.fixture
def run(host, repository):
    environment = dict(os.environ, DBUS_SESSION_BUS_ADDRESS=host.bus.address, LC_ALL="C.UTF-8", GIT_CONFIG_GLOBAL="/dev/null",
                       IMAGES=str(repository.parent / "images"))

    def command(*words, status=0):
        program = [BUILD / "cli" / "domctl", "--connect", "session"] if words[0] != "git" else []
        done = subprocess.run([*program, *words], cwd=repository, env=environment, capture_output=True, text=True,
                              timeout=4 * PATIENCE, stdin=subprocess.DEVNULL, check=False)
        assert done.returncode == status, f"{words}\n{done.stdout}\n{done.stderr}\n{host.log()}"
        return done.stdout

    yield command
    command("apply", "--yes", "--prune", str(repository.parent / "nothing"), "--source", str(repository))


@pytest.fixture
def nothing(repository):
    (repository.parent / "nothing").mkdir()


def states(daemon):
    return {daemon.get(path, DOMAIN, "Name"): bool(daemon.get(path, DOMAIN, "Active"))
            for path in daemon.call(ROOT, CONNECT, "ListDomains", "(u)", 0)}


def completed(daemon, name):
    path = daemon.call(ROOT, CONNECT, "DomainLookupByName", "(s)", name)
    return daemon.call(path, DOMAIN, "GetXMLDesc", "(u)", 2)


def hardware(xml):
    """What the guest knows its machine by."""
    return re.findall(r"<uuid>.*</uuid>|<type arch.*</type>|<mac .*/>|<address .*/>", xml)


@pytest.mark.usefixtures("nothing")
def test_the_fleet(host, run, repository):
    commit = ["git", "-c", "user.name=Grace", "-c", "user.email=grace@fleet.test", "commit", "--quiet", "--all", "-m"]
    run("git", "init", "--quiet")
    run("git", "add", ".")
    run(*commit, "The fleet")
    assert "+ domain web1  ./web1.xml" in run("plan", ".", status=2)
    said = run("apply", ".", "--yes")
    assert said.index("domain db: started") < said.index("domain web1: started")
    assert states(host) == MACHINES
    assert run("plan", ".").startswith("No changes")
    host.stop()
    host.start()
    assert run("plan", ".").startswith("No changes")

    # One line in the base, for all that share it.
    base = repository / "parts" / "linux.xml"
    base.write_text(base.read_text().replace("${MEMORY:-128}", "${MEMORY:-160}"))
    planned = run("plan", ".", status=2)
    assert planned.count("/domain/memory (with its next start, other hardware for its guest)  ./parts/linux.xml:4") == 3
    run(*commit, "More memory")
    run("apply", ".", "--yes", "--restart")
    assert states(host) == MACHINES
    path = host.call(ROOT, CONNECT, "DomainLookupByName", "(s)", "web1")
    assert "<memory unit='KiB'>163840</memory>" in host.call(path, DOMAIN, "GetXMLDesc", "(u)", 0)
    assert run("plan", ".").startswith("No changes")

    # Back as it was, and without one of them.
    run("git", "-c", "user.name=Grace", "-c", "user.email=grace@fleet.test", "revert", "--no-edit", "HEAD")
    assert run("plan", ".", status=2).count("      + 131072\n") == 3
    run("git", "rm", "--quiet", "web2.xml")
    run(*commit, "One web server is enough")
    assert "- domain web2" in run("plan", ".", "--prune", status=2)
    run("apply", ".", "--yes", "--prune", "--restart")
    assert states(host) == {name: runs for name, runs in MACHINES.items() if name != "web2"}
    assert run("plan", ".", "--prune").startswith("No changes")

    # It was a mistake, and is in the trash; and it moves as one file.
    run("trash", "restore", "web2")
    before = completed(host, "web2")
    bundle = str(repository.parent / "web2.domaind")
    run("start", "web2")
    run("export", "web2", bundle)
    run("destroy", "web2")
    run("undefine", "web2", "--no-trash")
    run("import", bundle)
    run("start", "web2")
    assert states(host) == MACHINES
    assert hardware(completed(host, "web2")) == hardware(before)
    assert run("plan", ".", "--prune").startswith("No changes")
    run("destroy", "web2")
    run("undefine", "web2")
