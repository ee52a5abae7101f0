# SPDX-License-Identifier: LGPL-2.1-or-later
"""Machines that start with the host, in the order of their policies. Their names sort the other way."""

from gi.repository import GLib

from conftest import DOMAIN, domain_path, domain_xml, wait_for

WEB, APP, DB = (f"55555555-5555-4555-8555-55555555555{number}" for number in range(3))
OWN = "org.domaind1.Domain"
LOST = "<disk type='file'><source file='/nowhere/db.img'/><target dev='vda' bus='virtio'/></disk>"


def define(daemon, name, uuid, start="", marked=True, devices=""):
    policy = f"<metadata><policy xmlns='https://domaind.org/xmlns/policy/1'>{start}</policy></metadata>"
    path = daemon.define(domain_xml(name, uuid, more=policy, devices=devices))
    if marked:
        daemon.bus.connection.call_sync(
            "org.libvirt", path, "org.freedesktop.DBus.Properties", "Set",
            GLib.Variant("(ssv)", (DOMAIN, "Autostart", GLib.Variant("b", True))), None, 0, -1, None)


def boot(daemon):
    """The host is started again, and with it the daemon."""
    daemon.kill()
    (daemon.root / "run/domaind/domains.autostarted").unlink(missing_ok=True)
    daemon.start()


def number(daemon, uuid):
    """Grows with each start; 0: it does not run."""
    return max(daemon.get(domain_path(uuid), DOMAIN, "Id"), 0) if daemon.get(domain_path(uuid), DOMAIN, "Active") else 0


def left(daemon):
    file = daemon.root / "run/domaind/autostart"
    return set(file.read_text().split()) if file.exists() else set()


def test_in_order_and_with_what_is_required(daemon):
    define(daemon, "a-web", WEB, "<start><after>b-app</after><after>nowhere</after></start>")
    define(daemon, "b-app", APP, "<start><requires>c-db</requires></start>")
    define(daemon, "c-db", DB, marked=False)
    boot(daemon)
    wait_for(lambda: number(daemon, WEB), "the last start")
    assert 0 < number(daemon, DB) < number(daemon, APP) < number(daemon, WEB)
    assert left(daemon) == set()


def test_a_requirement_that_fails_is_named(daemon):
    define(daemon, "a-web", WEB, "<start><after>b-app</after></start>")
    define(daemon, "b-app", APP, "<start><requires>c-db</requires></start>")
    define(daemon, "c-db", DB, devices=LOST)
    boot(daemon)
    wait_for(lambda: number(daemon, WEB), "the start of what only comes after it")
    end = daemon.call(domain_path(APP), OWN, "GetLastEnd")
    assert end["words"] == "operation failed: domain 'b-app' is not started: it requires 'c-db', which does not run"
    assert "/nowhere/db.img" in daemon.call(domain_path(DB), OWN, "GetLastEnd")["words"]
    assert not number(daemon, APP)


def test_one_that_is_not_defined_is_named(daemon):
    define(daemon, "a-web", WEB, "<start><requires>nowhere</requires></start>")
    boot(daemon)
    end = wait_for(lambda: daemon.call(domain_path(WEB), OWN, "GetLastEnd"), "the record")
    assert end["words"] == "operation failed: domain 'a-web' is not started: it requires 'nowhere', which is not defined"


def test_those_that_wait_for_each_other_are_named(daemon):
    define(daemon, "a-web", WEB, "<start><after>b-app</after></start>")
    define(daemon, "b-app", APP, "<start><requires>a-web</requires></start>")
    define(daemon, "c-db", DB, "<start><after>a-web</after></start>")
    boot(daemon)
    wait_for(lambda: number(daemon, DB), "the start of the other one")
    for name, uuid in (("a-web", WEB), ("b-app", APP)):
        assert daemon.call(domain_path(uuid), OWN, "GetLastEnd")["words"] == (
            f"unsupported configuration: domain '{name}' is not started: machines wait for each other to start: "
            "'a-web' → 'b-app' → 'a-web'")


def test_what_is_left_is_the_next_daemons(daemon):
    define(daemon, "a-web", WEB, "<start delay='3600'><after>b-app</after></start>")
    define(daemon, "b-app", APP)
    boot(daemon)
    wait_for(lambda: number(daemon, APP) and left(daemon) == {WEB}, "the one that waits for nothing")
    define(daemon, "a-web", WEB, "<start><after>b-app</after></start>", marked=False)
    daemon.kill()
    daemon.start()
    wait_for(lambda: number(daemon, WEB), "the one that was left")
    assert left(daemon) == set()
