# SPDX-License-Identifier: LGPL-2.1-or-later
"""Procedures that are newer than the clients of this host, by hand."""

import struct
import uuid

from conftest import domain_xml, domain_path
from wire import OK, RawClient, domain

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
