# SPDX-License-Identifier: LGPL-2.1-or-later
"""Procedures that are newer than the clients of this host, by hand."""

import struct
import uuid

from conftest import domain_xml, domain_path
from wire import OK, RawClient, domain, frame, string

GET_AUTOSTART_ONCE, SET_AUTOSTART_ONCE = 449, 450
UUID = uuid.UUID("f3a0be0c-4f6a-47c3-b4d6-0d8f5bb6a733")


def test_autostart_once(daemon):
    assert daemon.define(domain_xml("web", UUID)) == domain_path(str(UUID))
    web = domain("web", UUID)
    with RawClient(daemon) as client:
        for on in (1, 0):
            assert client.call(SET_AUTOSTART_ONCE, web + struct.pack(">i", on)).status == OK
            assert client.call(GET_AUTOSTART_ONCE, web).payload == struct.pack(">i", on)
    with RawClient(daemon, flags=1) as reader:
        assert reader.call(GET_AUTOSTART_ONCE, web).payload == struct.pack(">i", 0)
        assert "forbidden" in reader.call(SET_AUTOSTART_ONCE, web + struct.pack(">i", 1)).error()[2]


NETWORK_DEFINE_XML, NETWORK_SET_METADATA, NETWORK_GET_METADATA = 41, 444, 445
NETWORK_EVENT_REGISTER, NETWORK_EVENT_METADATA_CHANGE = 313, 446
DESCRIPTION, TITLE, ELEMENT = range(3)
NETWORK = string("lan") + UUID.bytes


def optional(text):
    return struct.pack(">I", 0) if text is None else struct.pack(">I", 1) + string(text)


def set_metadata(kind, text, key=None, uri=None, flags=0):
    return NETWORK + struct.pack(">i", kind) + optional(text) + optional(key) + optional(uri) + struct.pack(">I", flags)


def set_and_told(client, *arguments):
    """The event that follows, or comes before the answer."""
    client.send(frame(NETWORK_SET_METADATA, set_metadata(*arguments)))
    answers = {answer.procedure: answer for answer in (client.receive(), client.receive())}
    assert answers[NETWORK_SET_METADATA].status == OK
    return answers[NETWORK_EVENT_METADATA_CHANGE].payload[4:]


def get_metadata(kind, uri=None, flags=0):
    return NETWORK + struct.pack(">i", kind) + optional(uri) + struct.pack(">I", flags)


def test_metadata_of_a_network(daemon):
    xml = f"<network> <!-- mine --><name>lan</name><uuid>{UUID}</uuid><forward mode='bridge'/><bridge name='br0'/></network>"
    with RawClient(daemon) as client:
        assert client.call(NETWORK_DEFINE_XML, string(xml)).payload == NETWORK
        assert client.call(NETWORK_EVENT_REGISTER, struct.pack(">iI", 1, 0)).status == OK
        for kind, text in ((DESCRIPTION, "what it is"), (TITLE, "Shop")):
            assert client.call(NETWORK_GET_METADATA, get_metadata(kind)).error() == (
                111, 19, "metadata not found: Requested metadata element is not present")
            assert set_and_told(client, kind, text) == NETWORK + struct.pack(">i", kind) + optional(None)
            assert client.call(NETWORK_GET_METADATA, get_metadata(kind)).payload == string(text)
        assert set_and_told(client, ELEMENT, "<a>t</a>", "k", "urn:x") == (
            NETWORK + struct.pack(">i", ELEMENT) + optional("urn:x"))
        assert client.call(NETWORK_GET_METADATA, get_metadata(ELEMENT, "urn:x")).payload == string("<a>t</a>")
        assert client.call(NETWORK_SET_METADATA, set_metadata(TITLE, "a\nb")).error()[2].endswith(
            "metadata title can't contain newlines")
        assert client.call(NETWORK_SET_METADATA, set_metadata(9, "a")).error() == (
            8, 19, "invalid argument: unknown metadata type '9'")
        assert client.call(NETWORK_SET_METADATA, set_metadata(TITLE, "a", flags=1)).error() == (
            55, 19, "Requested operation is not valid: network is not running")
    source = (daemon.root / "etc/domaind/networks/lan.xml").read_text()
    assert "<!-- mine -->" in source and "<title>Shop</title>" in source
