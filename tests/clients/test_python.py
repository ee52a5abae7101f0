# SPDX-License-Identifier: LGPL-2.1-or-later
"""python3-libvirt: what programs see that use the library and not its shell. Events, errors, threads, streams."""

import threading
import time
import uuid

import libvirt
import pytest

from conftest import PATIENCE, domain_xml

THREADS = 8
ROUNDS = 12
TALKING = "<bios useserial='yes'/></os>"


@pytest.fixture(scope="module", autouse=True)
def event_loop():
    """The library's own loop, in a thread, for the life of the process: it cannot be taken back."""
    libvirt.registerErrorHandler(lambda context, error: None, None)
    libvirt.virEventRegisterDefaultImpl()

    def run():
        while True:
            libvirt.virEventRunDefaultImpl()

    threading.Thread(target=run, daemon=True).start()


@pytest.fixture
def uri(daemon):
    return f"qemu:///session?socket={daemon.root}/run/domaind/libvirt-sock"


@pytest.fixture
def connection(uri):
    it = libvirt.open(uri)
    yield it
    it.close()


def heard(seen, wanted):
    """Wait until every one of @wanted is in @seen, which another thread fills."""
    deadline = time.monotonic() + PATIENCE
    while not all(item in seen for item in wanted):
        assert time.monotonic() < deadline, f"{[item for item in wanted if item not in seen]} did not come, but {seen}"
        time.sleep(0.01)


def error_of(call, *arguments):
    with pytest.raises(libvirt.libvirtError) as caught:
        call(*arguments)
    return caught.value.get_error_code(), caught.value.get_error_domain(), caught.value.get_error_message()


# A life.

def test_a_life_with_its_events(connection):
    seen = []

    def lifecycle(_connection, domain, event, detail, _data):
        seen.append((domain.name(), event, detail))

    number = connection.domainEventRegisterAny(None, libvirt.VIR_DOMAIN_EVENT_ID_LIFECYCLE, lifecycle, None)
    domain = connection.defineXML(domain_xml("web"))
    assert (domain.ID(), domain.isActive(), domain.isPersistent()) == (-1, 0, 1)
    domain.createWithFlags(libvirt.VIR_DOMAIN_START_PAUSED)
    assert domain.state() == [libvirt.VIR_DOMAIN_PAUSED, libvirt.VIR_DOMAIN_PAUSED_USER]
    domain.resume()
    domain.suspend()
    domain.resume()
    assert domain.info()[0] == libvirt.VIR_DOMAIN_RUNNING
    assert connection.lookupByID(domain.ID()).UUIDString() == domain.UUIDString()
    domain.destroy()
    domain.undefine()
    heard(seen, [("web", libvirt.VIR_DOMAIN_EVENT_DEFINED, libvirt.VIR_DOMAIN_EVENT_DEFINED_ADDED),
                 ("web", libvirt.VIR_DOMAIN_EVENT_STARTED, libvirt.VIR_DOMAIN_EVENT_STARTED_BOOTED),
                 ("web", libvirt.VIR_DOMAIN_EVENT_SUSPENDED, libvirt.VIR_DOMAIN_EVENT_SUSPENDED_PAUSED),
                 ("web", libvirt.VIR_DOMAIN_EVENT_RESUMED, libvirt.VIR_DOMAIN_EVENT_RESUMED_UNPAUSED),
                 ("web", libvirt.VIR_DOMAIN_EVENT_STOPPED, libvirt.VIR_DOMAIN_EVENT_STOPPED_DESTROYED),
                 ("web", libvirt.VIR_DOMAIN_EVENT_UNDEFINED, libvirt.VIR_DOMAIN_EVENT_UNDEFINED_REMOVED)])
    connection.domainEventDeregisterAny(number)
    connection.defineXML(domain_xml("quiet")).undefine()
    assert "quiet" not in [name for name, _, _ in seen]


def test_events_of_one_domain_and_of_other_kinds(connection):
    one, other = connection.defineXML(domain_xml("one")), connection.defineXML(domain_xml("other"))
    seen = []

    def changed(_connection, domain, kind, namespace, _data):
        seen.append((domain.name(), kind, namespace))

    numbers = [connection.domainEventRegisterAny(one, libvirt.VIR_DOMAIN_EVENT_ID_METADATA_CHANGE, changed, None),
               connection.domainEventRegisterAny(one, libvirt.VIR_DOMAIN_EVENT_ID_REBOOT, lambda *_: None, None)]
    for domain in (other, one):
        domain.setMetadata(libvirt.VIR_DOMAIN_METADATA_TITLE, "A title", None, None, libvirt.VIR_DOMAIN_AFFECT_CONFIG)
    heard(seen, [("one", libvirt.VIR_DOMAIN_METADATA_TITLE, None)])
    assert [name for name, _, _ in seen] == ["one"]
    for number in numbers:
        connection.domainEventDeregisterAny(number)


# Errors.

def test_errors_of_lookups(connection):
    nobody = uuid.uuid4()
    for call, argument in ((connection.lookupByName, "nobody"), (connection.lookupByUUIDString, str(nobody)),
                           (connection.lookupByUUID, nobody.bytes), (connection.lookupByID, 99)):
        assert error_of(call, argument)[:2] == (libvirt.VIR_ERR_NO_DOMAIN, libvirt.VIR_FROM_QEMU)
    assert "Domain not found" in error_of(connection.lookupByName, "nobody")[2]

    stale = connection.defineXML(domain_xml("stale"))
    stale.undefine()
    for call in (stale.create, stale.info, stale.XMLDesc, stale.isActive, stale.undefine):
        assert error_of(call)[:2] == (libvirt.VIR_ERR_NO_DOMAIN, libvirt.VIR_FROM_QEMU)


@pytest.mark.parametrize("method, argument, code, origin", [
    ("networkLookupByName", "nobody", libvirt.VIR_ERR_NO_NETWORK, libvirt.VIR_FROM_NETWORK),
    ("storagePoolLookupByName", "nobody", libvirt.VIR_ERR_NO_STORAGE_POOL, libvirt.VIR_FROM_STORAGE),
    ("secretLookupByUUIDString", str(uuid.uuid4()), libvirt.VIR_ERR_NO_SECRET, libvirt.VIR_FROM_SECRET),
    ("nodeDeviceLookupByName", "nobody", libvirt.VIR_ERR_NO_NODE_DEVICE, libvirt.VIR_FROM_NODEDEV),
    ("nwfilterLookupByName", "nobody", libvirt.VIR_ERR_NO_NWFILTER, libvirt.VIR_FROM_NWFILTER),
    ("interfaceLookupByName", "nobody", libvirt.VIR_ERR_NO_INTERFACE, libvirt.VIR_FROM_INTERFACE),
])
def test_errors_of_what_there_is_none_of(connection, method, argument, code, origin):
    assert error_of(getattr(connection, method), argument)[:2] == (code, origin)


@pytest.mark.parametrize("document, code, origin", [
    ("<domain", libvirt.VIR_ERR_XML_DETAIL, libvirt.VIR_FROM_DOMAIN),
    ("<network/>", libvirt.VIR_ERR_XML_ERROR, libvirt.VIR_FROM_XML),
    ("<domain type='qemu'><memory>1</memory><os><type>hvm</type></os></domain>", libvirt.VIR_ERR_NO_NAME,
     libvirt.VIR_FROM_DOMAIN),
    ("<domain type='qemu'><name>x</name><os><type>hvm</type></os></domain>", libvirt.VIR_ERR_XML_ERROR,
     libvirt.VIR_FROM_DOMAIN),
    ("<domain type='bogus'><name>x</name><memory>1</memory><os><type>hvm</type></os></domain>", libvirt.VIR_ERR_CONFIG_UNSUPPORTED,
     libvirt.VIR_FROM_DOMAIN),
], ids=["not well-formed", "another root", "no name", "no memory", "unknown type"])
def test_errors_of_definitions(connection, document, code, origin):
    assert error_of(connection.defineXML, document)[:2] == (code, origin)


def test_errors_of_wrong_states(connection):
    invalid = libvirt.VIR_ERR_OPERATION_INVALID
    domain_uuid = str(uuid.uuid4())
    domain = connection.defineXML(domain_xml("web", domain_uuid))
    for call in (domain.destroy, domain.suspend, domain.shutdown):
        assert error_of(call)[0] == invalid
        assert "domain is not running" in error_of(call)[2]
    assert error_of(connection.defineXML, domain_xml("other", domain_uuid))[0] == libvirt.VIR_ERR_OPERATION_FAILED
    assert error_of(connection.defineXML, domain_xml("web"))[0] == libvirt.VIR_ERR_OPERATION_FAILED
    assert error_of(domain.metadata, libvirt.VIR_DOMAIN_METADATA_DESCRIPTION, None)[:2] == (
        libvirt.VIR_ERR_NO_DOMAIN_METADATA, libvirt.VIR_FROM_DOMAIN)
    domain.create()
    assert error_of(domain.create)[:2] == (invalid, libvirt.VIR_FROM_QEMU)
    assert error_of(domain.resume)[:2] == (invalid, libvirt.VIR_FROM_QEMU)
    assert error_of(domain.rename, "other")[:2] == (invalid, libvirt.VIR_FROM_QEMU)
    assert error_of(domain.blockInfo, "vdz")[:2] == (libvirt.VIR_ERR_INVALID_ARG, libvirt.VIR_FROM_QEMU)
    domain.undefine()
    assert domain.isPersistent() == 0
    domain.destroy()


def test_read_only(uri, connection):
    connection.defineXML(domain_xml("web"))
    reader = libvirt.openReadOnly(uri)
    domain = reader.lookupByName("web")
    assert domain.XMLDesc() and domain.info() and reader.getCapabilities() and reader.getAllDomainStats()
    denied = (libvirt.VIR_ERR_OPERATION_DENIED, libvirt.VIR_FROM_DOMAIN)
    for call in (domain.create, domain.undefine, domain.destroy, domain.suspend):
        assert error_of(call)[0] == denied[0]
    assert error_of(reader.defineXML, domain_xml("other"))[0] == denied[0]
    assert error_of(domain.XMLDesc, libvirt.VIR_DOMAIN_XML_SECURE)[0] == denied[0]
    reader.close()


# Many at once.

def work(connection, number):
    """A machine's life over and over, with everything a monitoring program asks between."""
    for round_number in range(ROUNDS):
        domain = connection.defineXML(domain_xml(f"m{number}"))
        if round_number % 4 == 0:
            domain.create()
            assert domain.isActive()
            domain.suspend()
            domain.memoryStats()
            domain.destroy()
        assert connection.getInfo()[2] >= 1
        assert f"m{number}" in [each.name() for each in connection.listAllDomains()]
        connection.getAllDomainStats()
        assert f"<name>m{number}</name>" in domain.XMLDesc()
        domain.undefine()


@pytest.mark.parametrize("shared", [False, True], ids=["own connections", "one connection"])
def test_eight_threads(uri, connection, shared):
    failures = []

    def run(number):
        own = connection if shared else libvirt.open(uri)
        try:
            work(own, number)
        except Exception as error:  # told by the test's own thread
            failures.append(f"thread {number}: {error!r}")
        finally:
            if not shared:
                own.close()

    threads = [threading.Thread(target=run, args=(number,)) for number in range(THREADS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(4 * PATIENCE)
        assert not thread.is_alive()
    assert failures == []
    assert connection.listAllDomains() == []


# Streams, signs of life, and the end of a connection.

def test_a_console_is_a_stream(connection):
    xml = domain_xml("web", devices="<serial type='pty'/>").replace("</os>", TALKING)
    domain = connection.createXML(xml, libvirt.VIR_DOMAIN_START_PAUSED)
    stream = connection.newStream()
    domain.openConsole(None, stream, 0)
    domain.resume()
    got = b""
    while b"SeaBIOS" not in got:
        piece = stream.recv(4096)
        assert piece, got
        got += piece
    assert stream.send(b"x") == 1
    domain.destroy()
    while stream.recv(4096):
        pass
    stream.finish()


def test_signs_of_life(uri):
    """Each side asks the other; three times as long as either would wait, nothing breaks."""
    connection = libvirt.open(uri)
    assert connection.setKeepAlive(1, 1) == 0
    closed = []
    connection.registerCloseCallback(lambda _connection, reason, _data: closed.append(reason), None)
    end = threading.Event()
    assert not end.wait(3)
    assert connection.isAlive() and closed == []
    connection.unregisterCloseCallback()
    connection.close()


def test_those_who_asked_are_told_of_the_end(uri, daemon):
    connection = libvirt.open(uri)
    closed = []
    connection.registerCloseCallback(lambda _connection, reason, _data: closed.append(reason), None)
    daemon.stop()
    heard(closed, [libvirt.VIR_CONNECT_CLOSE_REASON_EOF])
    assert not connection.isAlive()
    assert error_of(connection.getInfo)[0] in (libvirt.VIR_ERR_INTERNAL_ERROR, libvirt.VIR_ERR_RPC)
    daemon.start()
    again = libvirt.open(uri)
    assert again.listAllDomains() == []
    again.close()


def test_a_start_that_is_refused_begins_with_libvirts_words(connection, daemon):
    """Where it stands comes behind: in the file that the definition is kept in, or in what was given."""
    ports = "<serial type='null'><target port='0'/></serial>\n<serial type='pty'><target port='0'/></serial>"
    xml = domain_xml("web", devices=ports)
    line = xml[:xml.rindex("<serial")].count("\n") + 1
    domain = connection.defineXML(xml)
    code, origin, text = error_of(domain.create)
    assert code == libvirt.VIR_ERR_INTERNAL_ERROR
    assert text == f"internal error: target port '0' already allocated ({daemon.root}/etc/domaind/domains/web.xml:{line}:1)"
    domain.undefine()
    assert error_of(connection.createXML, xml)[2] == f"internal error: target port '0' already allocated ((document):{line}:1)"
