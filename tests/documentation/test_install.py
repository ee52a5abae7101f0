# SPDX-License-Identifier: LGPL-2.1-or-later
"""`meson install` puts everything where the host's services look for it, and they take it."""

import configparser
import os
import re
import shutil
import subprocess
import xml.etree.ElementTree as ElementTree

import pytest
from installation import install, prefix

from conftest import TOP

# Below the prefix. Folders whose files are listed elsewhere are compared with their sources.
PLACES = {
    "bin": {"domctl"},
    "sbin": {"domaind"},
    "libexec/domaind": {"domaind-guest-init"},
    "lib/systemd/system": {"domaind.service", "domaind.socket", "domaind-ro.socket", "domaind-apply@.service"},
    "lib/systemd/user": {"domaind.service", "domaind.socket", "domaind-libvirt.socket", "domaind-apply@.service"},
    "lib/systemd/user/sockets.target.wants": {"domaind.socket", "domaind-libvirt.socket"},
    "lib/sysusers.d": {"domaind.conf"},
    "lib/tmpfiles.d": {"domaind.conf"},
    "share/bash-completion/completions": {"domctl"},
    "share/zsh/site-functions": {"_domctl"},
    "share/fish/vendor_completions.d": {"domctl.fish"},
    "share/dbus-1/interfaces": {path.name for path in (TOP / "data/dbus").glob("org.libvirt.*.xml")}
                               | {path.name for path in (TOP / "data/dbus").glob("org.domaind1.*.xml")},
    "share/dbus-1/services": {"org.libvirt.service", "org.domaind1.service"},
    "share/dbus-1/system-services": {"org.libvirt.service", "org.domaind1.service"},
    "share/dbus-1/system.d": {"domaind.conf"},
    "share/doc/domaind": {"README.md", "domaind.conf"},
    "share/doc/domaind/examples": {"README.md"} | {path.name for path in (TOP / "examples").glob("*.xml")},
    "share/domaind/nwfilter": {path.name for path in (TOP / "data/nwfilter").glob("*.xml") if "gresource" not in path.name},
    "share/domaind/schemas": {path.name for path in (TOP / "schemas").glob("*.rng")},
    "share/locale/de/LC_MESSAGES": {"domaind.mo"},
    "share/man/man1": {"domctl.1"},
    "share/man/man5": {"domaind.conf.5", "domaind-domain.5", "domaind-interface.5", "domaind-network.5", "domaind-nwfilter.5",
                       "domaind-policy.5", "domaind-secret.5"},
    "share/man/man8": {"domaind.8"},
    "share/polkit-1/actions": {"org.domaind1.policy"},
}


@pytest.fixture(scope="module")
def destination(tmp_path_factory):
    directory = tmp_path_factory.mktemp("installed")
    install(directory)
    return directory


@pytest.fixture
def installed(destination):
    return destination / prefix()


def read_unit(path):
    """{section: {key: [values]}} of a unit file."""
    sections = {}
    for line in path.read_text().splitlines():
        if match := re.fullmatch(r"\[(\w+)\]", line):
            section = sections.setdefault(match.group(1), {})
        elif line and not line.startswith("#"):
            key, _, value = line.partition("=")
            section.setdefault(key, []).append(value)
    return sections


def test_files_are_where_they_are_looked_for(installed):
    found = {}
    for path in installed.rglob("*"):
        if path.is_file():
            found.setdefault(str(path.parent.relative_to(installed)), set()).add(path.name)
    assert found == PLACES


def test_nothing_is_installed_elsewhere(destination, installed):
    """Above all not to /etc, where the next installation would overwrite what an administrator wrote."""
    assert [path for path in destination.rglob("*") if path.is_file() and not path.is_relative_to(installed)] == []


def test_a_unit_follows_a_directory(installed):
    for folder in ("system", "user"):
        service = read_unit(installed / "lib/systemd" / folder / "domaind-apply@.service")["Service"]
        assert service["ExecStart"] == [f"/{prefix()}/bin/domctl apply --watch $OPTIONS %f"]


@pytest.mark.parametrize("unit", ["system/domaind.service", "user/domaind.service"])
def test_services_start_the_daemon_and_leave_its_machines(installed, unit):
    service = read_unit(installed / "lib/systemd" / unit)["Service"]
    mode = "--system" if unit.startswith("system") else "--session"
    assert service["ExecStart"] == [f"/{prefix()}/sbin/domaind {mode}"]
    assert service["Type"] == ["notify"]
    assert service["KillMode"] == ["process"]


def systemd_says(installed, root, of, mistake):
    """What systemd's own check finds in the units @of ("system" or "user"), among its own units."""
    units = root / "usr/lib/systemd" / of
    shutil.copytree(f"/lib/systemd/{of}", units, symlinks=True)
    shutil.copytree(installed / "lib/systemd" / of, units, symlinks=True, dirs_exist_ok=True)
    with open(units / "domaind.service", "a", encoding="utf-8") as service:
        service.write("[Service]\n" + mistake)
    program = root / prefix() / "sbin/domaind"
    program.parent.mkdir(parents=True, exist_ok=True)
    shutil.copy(installed / "sbin/domaind", program)
    (root / prefix() / "bin").mkdir(exist_ok=True)
    shutil.copy(program, root / prefix() / "bin/domctl")
    reload = root / "bin/kill"  # every system has it, and systemd looks for it below its root
    reload.parent.mkdir(exist_ok=True)
    shutil.copy(program, reload)
    where, environment = [f"--root={root}"], dict(os.environ)
    if of == "user":  # whose units systemd does not look for below a root
        where, environment = ["--user"], dict(environment, SYSTEMD_UNIT_PATH=str(units), XDG_RUNTIME_DIR=str(root))
        for name in ("domaind.service", "domaind-apply@.service"):
            service = units / name
            service.write_text(service.read_text().replace(f"/{prefix()}/", f"{root}/{prefix()}/"))
    result = subprocess.run(["systemd-analyze", *where, "verify", "--man=no", *(units / name for name in PLACES[f"lib/systemd/{of}"])],
                            capture_output=True, text=True, check=False, env=environment)
    return [line for line in result.stderr.splitlines() if "domaind" in line]


@pytest.mark.parametrize("of", ["system", "user"])
@pytest.mark.parametrize("mistake", ["", "KilMode=process\n"], ids=["as installed", "with a mistake"])
def test_systemd_takes_the_units(installed, tmp_path, of, mistake):
    """And it would tell if something was wrong."""
    said = systemd_says(installed, tmp_path, of, mistake)
    assert (said == []) == (mistake == ""), said


def test_a_users_clients_need_nothing_started(installed):
    """Every login listens where domaind's and libvirt's clients look, and the first client starts the daemon."""
    sockets = {}
    for path in (installed / "lib/systemd/user/sockets.target.wants").iterdir():
        unit = read_unit(path)
        assert unit["Socket"]["Service"] == ["domaind.service"]
        sockets[path.name] = unit["Socket"]["ListenStream"]
    assert sockets == {"domaind.socket": ["%t/domaind/libvirt-sock"],
                       "domaind-libvirt.socket": ["%t/libvirt/virtqemud-sock", "%t/libvirt/libvirt-sock"]}


def test_sysusers_makes_the_machines_account(installed, tmp_path):
    (tmp_path / "etc").mkdir()
    shutil.copytree(installed / "lib/sysusers.d", tmp_path / "usr/lib/sysusers.d")
    subprocess.run(["systemd-sysusers", f"--root={tmp_path}"], check=True, capture_output=True)
    accounts = dict(line.split(":", 1) for line in (tmp_path / "etc/passwd").read_text().splitlines())
    groups = {line.split(":")[0]: line.split(":")[3] for line in (tmp_path / "etc/group").read_text().splitlines()}
    assert accounts["domaind-qemu"].endswith("/nologin")
    assert "domaind-qemu" in groups["kvm"].split(",")
    assert groups["libvirt"] == ""


def test_tmpfiles_makes_the_places(installed, tmp_path):
    shutil.copytree(installed / "lib/tmpfiles.d", tmp_path / "usr/lib/tmpfiles.d")
    subprocess.run(["systemd-tmpfiles", f"--root={tmp_path}", "--create", "domaind.conf"], check=True, capture_output=True)
    for place, mode in (("etc/domaind/domains", 0o755), ("var/lib/domaind/images", 0o711), ("run/domaind", 0o755),
                        ("var/log/domaind", 0o755), ("var/lib/libvirt/boot", 0o711)):
        assert (tmp_path / place).stat().st_mode & 0o777 == mode, place


def test_dbus_starts_the_installed_daemon(installed):
    for folder, mode, units in (("services", "--session", "user"), ("system-services", "--system", "system")):
        for path in (installed / "share/dbus-1" / folder).iterdir():
            service = configparser.ConfigParser()
            service.read(path)
            assert service["D-BUS Service"]["Name"] == path.stem
            assert service["D-BUS Service"]["Exec"] == f"/{prefix()}/sbin/domaind {mode}"
            assert (installed / "lib/systemd" / units / service["D-BUS Service"]["SystemdService"]).exists()


def test_dbus_lets_root_own_the_names_and_others_not_use_them(installed):
    policies = ElementTree.parse(installed / "share/dbus-1/system.d/domaind.conf").getroot()
    root = policies.find("policy[@user='root']")
    assert {rule.get("own") for rule in root} - {None} == {"org.libvirt", "org.domaind1"}
    default = policies.find("policy[@context='default']")
    assert {(rule.tag, rule.get("send_destination")) for rule in default} == {("deny", "org.libvirt"), ("deny", "org.domaind1")}


def test_polkit_actions_are_those_the_daemon_asks_for(installed):
    actions = ElementTree.parse(installed / "share/polkit-1/actions/org.domaind1.policy").getroot().iter("action")
    defaults = {action.get("id"): {rule.text for rule in action.find("defaults")} for action in actions}
    asked = set(re.findall(r'"(org\.libvirt\.unix\.\w+)"', (TOP / "daemon/rpc/polkit.c").read_text()))
    assert set(defaults) == asked
    assert defaults == {"org.libvirt.unix.monitor": {"yes"}, "org.libvirt.unix.manage": {"auth_admin_keep"}}


def test_polkit_file_is_not_libvirts(installed):
    """libvirt's packages own org.libvirt.unix.policy; both can be installed."""
    assert not (installed / "share/polkit-1/actions/org.libvirt.unix.policy").exists()
