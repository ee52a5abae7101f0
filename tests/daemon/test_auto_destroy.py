# SPDX-License-Identifier: LGPL-2.1-or-later
"""Machines that end with the client that started them."""

import libvirt
import pytest

from conftest import CONNECT, DOMAIN, ROOT, domain_path, domain_xml, wait_for

PAUSED, AUTODESTROY = 1, 2
UUID = "b1b1d1a5-74a4-4f0d-8b0c-3f1c4a7b2d90"
STOPPED, DESTROYED = 5, 1


@pytest.fixture
def connect(daemon):
    opened = []

    def one():
        opened.append(libvirt.open(f"qemu:///session?socket={daemon.root}/run/domaind/libvirt-sock"))
        return opened[-1]

    yield one
    for connection in opened:
        try:
            connection.close()
        except libvirt.libvirtError:
            pass


def stopped(seen):
    return [arguments[1:] for _, member, arguments in seen
            if member == f"{CONNECT}.DomainEvent" and arguments[1] == STOPPED]


def domains(daemon):
    return daemon.call(ROOT, CONNECT, "ListDomains", "(u)", 0)


def test_a_transient_machine_is_gone_with_its_connection(daemon, connect):
    connection = connect()
    connection.createXML(domain_xml("web"), AUTODESTROY)
    other = connect()
    other.createXML(domain_xml("db"), 0)
    with daemon.signals() as seen:
        other.close()
        connection.close()
        wait_for(lambda: stopped(seen), "the end")
    assert stopped(seen) == [(STOPPED, DESTROYED)]
    wait_for(lambda: list(daemon.machines()) == ["db"], "only the other machine")
    assert len(domains(daemon)) == 1


def test_a_defined_one_stays_defined(daemon, connect):
    connection = connect()
    domain = connection.defineXML(domain_xml("web", UUID))
    domain.createWithFlags(PAUSED | AUTODESTROY)
    domain.destroy()
    domain.createWithFlags(AUTODESTROY)
    del domain  # it holds its connection open
    with daemon.signals() as seen:
        connection.close()
        wait_for(lambda: stopped(seen), "the end")
    assert daemon.call(domain_path(UUID), DOMAIN, "GetState", "(u)", 0) == (5, 2)
    assert daemon.machines() == {}


def test_who_is_not_asked_for_it_does_not_end(daemon, connect):
    first, second = connect(), connect()
    first.defineXML(domain_xml("web", UUID)).createWithFlags(AUTODESTROY)
    domain = second.lookupByName("web")
    domain.destroy()
    domain.create()  # another machine, and nobody's
    del domain
    first.close()
    second.close()
    assert daemon.call(domain_path(UUID), DOMAIN, "GetState", "(u)", 0) == (1, 1)


def test_one_that_was_saved_and_restored(daemon, connect):
    connection = connect()
    domain = connection.defineXML(domain_xml("web", UUID))
    domain.create()
    domain.managedSave()
    domain.createWithFlags(AUTODESTROY)
    del domain
    with daemon.signals() as seen:
        connection.close()
        wait_for(lambda: stopped(seen), "the end")
    assert daemon.machines() == {}


def test_with_files_as_well(daemon, connect):
    connection = connect()
    domain = connection.defineXML(domain_xml("web", UUID))
    domain.createWithFiles([], AUTODESTROY)
    connection.createXMLWithFiles(domain_xml("db"), [], AUTODESTROY)
    assert set(daemon.machines()) == {"web", "db"}
    del domain
    connection.close()
    wait_for(lambda: daemon.machines() == {}, "the end of both")


def test_a_client_of_the_bus_that_leaves_it(daemon):
    client = daemon.bus.connect()
    daemon.call(ROOT, CONNECT, "DomainCreateXML", "(su)", domain_xml("web", UUID), AUTODESTROY, connection=client)
    daemon.call(ROOT, CONNECT, "DomainCreateXML", "(su)", domain_xml("db"), AUTODESTROY, connection=client)
    assert set(daemon.machines()) == {"web", "db"}
    client.close_sync()
    wait_for(lambda: daemon.machines() == {}, "the end of both")
    wait_for(lambda: domains(daemon) == [], "an empty list")


def test_it_ends_with_the_daemon(daemon, connect):
    connection = connect()
    connection.createXML(domain_xml("web"), AUTODESTROY)
    connection.createXML(domain_xml("db"), 0)
    daemon.stop()
    wait_for(lambda: list(daemon.machines()) == ["db"], "the end of one")
    daemon.start()
    assert len(domains(daemon)) == 1


def test_it_ends_when_it_is_found_again(daemon, connect):
    connect().createXML(domain_xml("web"), AUTODESTROY)
    daemon.kill()
    assert list(daemon.machines()) == ["web"]
    daemon.start()
    wait_for(lambda: daemon.machines() == {}, "the end")
    wait_for(lambda: domains(daemon) == [], "an empty list")
