# SPDX-License-Identifier: LGPL-2.1-or-later
"""Definitions: kept byte for byte, changed whole or not at all, and found again."""

import os
import resource
import uuid

import pytest
from gi.repository import GLib

from conftest import CONNECT, DOMAIN, PROPERTIES, ROOT, domain_path, domain_xml, wait_for

OWN_CONNECT = "org.domaind1.Connect"
OWN_DOMAIN = "org.domaind1.Domain"
UUID = "87291af1-1366-410c-bb6e-fbc6f66ff7ae"
OTHER = "00000000-0000-4000-8000-000000000001"
VALIDATE, INACTIVE = 1, 2

COMMENTED = """<?xml version='1.0'?>
<!-- web server, ask Grace before touching -->
<domain   type="qemu">
\t<name>web</name>  <!-- its name -->
  <memory unit='MiB'>32</memory>
  <os><type arch='x86_64' machine='pc'>hvm</type></os>

</domain>

"""


def documents(daemon):
    return {path.name: path.read_bytes() for path in (daemon.root / "etc/domaind/domains").iterdir()}


def restart(daemon):
    daemon.stop()
    daemon.start()


def source(daemon, path):
    return daemon.call(path, OWN_DOMAIN, "GetSource")


def test_the_document_is_kept_as_it_is(daemon):
    path = daemon.define(COMMENTED)
    assert source(daemon, path) == COMMENTED
    assert documents(daemon) == {"web.xml": COMMENTED.encode()}
    completed = daemon.call(path, DOMAIN, "GetXMLDesc", "(u)", 0)
    restart(daemon)
    assert source(daemon, path) == COMMENTED
    # What was chosen (the uuid, for one) stays chosen.
    assert daemon.call(path, DOMAIN, "GetXMLDesc", "(u)", 0) == completed


def test_redefine(daemon):
    path = daemon.define(domain_xml("web", UUID))
    with daemon.signals(CONNECT) as seen:
        assert daemon.define(domain_xml("web", UUID, more="<title>new</title>")) == path
        wait_for(lambda: seen, "the event")
    assert seen[0][2] == (path, 0, 1)
    assert "<title>new</title>" in daemon.call(path, DOMAIN, "GetXMLDesc", "(u)", 0)
    assert "<title>new</title>" in source(daemon, path)


def test_a_running_machine_keeps_what_it_was_started_with(daemon):
    path = daemon.create(domain_xml("web", UUID))
    daemon.define(domain_xml("web", UUID, more="<title>next time</title>"))
    assert "next time" not in daemon.call(path, DOMAIN, "GetXMLDesc", "(u)", 0)
    assert "next time" in daemon.call(path, DOMAIN, "GetXMLDesc", "(u)", INACTIVE)
    assert daemon.get(path, DOMAIN, "Updated") is True


@pytest.mark.parametrize("name, domain_uuid, text", [
    ("web", OTHER, f"domain 'web' already exists with uuid {UUID}"),
    ("mail", UUID, f"domain 'web' is already defined with uuid {UUID}"),
])
def test_a_name_and_a_uuid_belong_together(daemon, name, domain_uuid, text):
    daemon.define(domain_xml("web", UUID))
    before = documents(daemon)
    for method, arguments in (("DomainDefineXML", ("(s)",)), ("DomainCreateXML", ("(su)",))):
        more = (0,) if method == "DomainCreateXML" else ()
        assert text in daemon.error(ROOT, CONNECT, method, arguments[0], domain_xml(name, domain_uuid), *more)[1]
    assert documents(daemon) == before


def test_of_two_at_once_one_wins(daemon):
    pending = [daemon.begin(ROOT, CONNECT, "DomainDefineXML", "(s)", domain_xml("web")) for _ in range(8)]
    wait_for(lambda: all(pending), "the answers")
    assert sum(1 for answer in pending if not isinstance(answer[0], Exception)) == 1
    assert len(daemon.call(ROOT, CONNECT, "ListDomains", "(u)", 0)) == 1


UNKNOWN = "<frobnicate level='9'/>"


def test_unknown_elements_are_kept_and_told_of(daemon):
    text = domain_xml("web", UUID, more=UNKNOWN)
    path = daemon.define(text)
    assert source(daemon, path) == text
    messages = daemon.get(path, OWN_DOMAIN, "Messages")
    assert len(messages) == 1 and "frobnicate" in messages[0] and "line 7" in messages[0]
    assert daemon.call(path, OWN_DOMAIN, "GetMessages", "(u)", 0) == messages
    assert "frobnicate" in daemon.log()
    daemon.define(domain_xml("web", UUID))
    assert daemon.get(path, OWN_DOMAIN, "Messages") == []


def test_unknown_elements_are_refused_when_asked_so(daemon):
    text = daemon.error(ROOT, OWN_CONNECT, "DomainDefineXMLFlags", "(su)",
                        domain_xml("web", UUID, more=UNKNOWN), VALIDATE)[1]
    assert "frobnicate" in text and ":7:3:" in text
    assert documents(daemon) == {}
    assert daemon.call(ROOT, OWN_CONNECT, "DomainDefineXMLFlags", "(su)", domain_xml("web", UUID), VALIDATE)


BAD_DOCUMENTS = {
    "nothing": ("", None),
    "not XML": ("hello", None),
    "torn": (COMMENTED[:100], None),
    "another root": ("<network><name>n</name></network>", "network"),
    "no name": (COMMENTED.replace("<name>web</name>", ""), "name"),
    "a slash in the name": (COMMENTED.replace(">web<", ">a/b<"), "a/b"),
    "a bad value": (COMMENTED.replace(">32<", ">lots<"), "lots"),
    "a bad uuid": (domain_xml("web", "12-34"), "12-34"),
    "an entity bomb": ("<!DOCTYPE d [<!ENTITY a 'ha'><!ENTITY b '&a;&a;'>]>" + domain_xml("&b;"), None),
    "deep nesting": ("<domain>" + "<a>" * 5000 + "</a>" * 5000 + "</domain>", None),
    "a megabyte of siblings": ("<domain>" + "<a/>" * 300000 + "</domain>", None),
}


@pytest.mark.parametrize("kind", BAD_DOCUMENTS)
def test_bad_documents_are_refused(daemon, kind):
    text, expected = BAD_DOCUMENTS[kind]
    for method, signature, more in (("DomainDefineXML", "(s)", ()), ("DomainCreateXML", "(su)", (0,))):
        name, message = daemon.error(ROOT, CONNECT, method, signature, text, *more)
        assert name == "org.libvirt.Error" and message
        assert expected is None or expected in message
    assert documents(daemon) == {}
    assert daemon.call(ROOT, CONNECT, "ListDomains", "(u)", 0) == []


def test_undefine_leaves_nothing(daemon):
    path = daemon.define(domain_xml("web", UUID))
    daemon.call(path, PROPERTIES, "Set", "(ssv)", DOMAIN, "Autostart", GLib.Variant("b", True))
    daemon.call(path, DOMAIN, "Undefine", "(u)", 0)
    assert documents(daemon) == {}
    assert list((daemon.root / "etc/domaind/autostart").iterdir()) == []
    assert list((daemon.root / "var/lib/domaind/domains").glob("*.xml")) == []
    restart(daemon)
    assert daemon.call(ROOT, CONNECT, "ListDomains", "(u)", 0) == []


def test_rename_changes_the_name_and_nothing_else(daemon):
    path = daemon.define(COMMENTED)
    daemon.call(path, PROPERTIES, "Set", "(ssv)", DOMAIN, "Autostart", GLib.Variant("b", True))
    with daemon.signals(CONNECT) as seen:
        daemon.call(path, DOMAIN, "Rename", "(su)", "mail", 0)
        wait_for(lambda: len(seen) == 2, "two events")
    assert [arguments for _, _, arguments in seen] == [(path, 1, 1), (path, 0, 2)]
    expected = COMMENTED.replace("<name>web</name>", "<name>mail</name>")
    assert source(daemon, path) == expected
    for _ in range(2):
        assert documents(daemon) == {"mail.xml": expected.encode()}
        assert daemon.get(path, DOMAIN, "Name") == "mail"
        assert daemon.get(path, DOMAIN, "Autostart") is True
        assert daemon.call(ROOT, CONNECT, "DomainLookupByName", "(s)", "mail") == path
        assert "Domain not found" in daemon.error(ROOT, CONNECT, "DomainLookupByName", "(s)", "web")[1]
        daemon.stop()
        (daemon.root / "etc/domaind/autostart/mail.xml").unlink(missing_ok=True)  # not to start it
        (daemon.root / "etc/domaind/autostart/mail.xml").symlink_to("../domains/mail.xml")
        daemon.start()


def test_rename_to_a_name_that_is_taken(daemon):
    path = daemon.define(domain_xml("web"))
    daemon.define(domain_xml("mail"))
    assert "already exists" in daemon.error(path, DOMAIN, "Rename", "(su)", "mail", 0)[1]
    assert sorted(documents(daemon)) == ["mail.xml", "web.xml"]


METADATA_DESCRIPTION, METADATA_TITLE, METADATA_ELEMENT = 0, 1, 2
LIVE, CONFIG = 1, 2


def test_metadata_is_put_into_the_document(daemon):
    path = daemon.define(COMMENTED)
    with daemon.signals(DOMAIN, path) as seen:
        daemon.call(path, DOMAIN, "SetMetadata", "(isssu)", METADATA_TITLE, "a <title> & more", "", "", CONFIG)
        daemon.call(path, DOMAIN, "SetMetadata", "(isssu)", METADATA_ELEMENT, "<owner id='7'/>", "crm",
                    "http://example.org/crm", CONFIG)
        wait_for(lambda: len(seen) == 2, "two MetadataChange signals")
    assert [(member, arguments) for _, member, arguments in seen] == [
        (f"{DOMAIN}.MetadataChange", (METADATA_TITLE, "")),
        (f"{DOMAIN}.MetadataChange", (METADATA_ELEMENT, "http://example.org/crm"))]
    text = source(daemon, path)
    assert text.startswith(COMMENTED[:COMMENTED.index("<memory")].rstrip("\n ").removesuffix("<!-- its name -->").rstrip())
    assert "<title>a &lt;title&gt; &amp; more</title>" in text and "<!-- its name -->" in text
    assert '<crm:owner xmlns:crm="http://example.org/crm" id="7"/>' in text
    for _ in range(2):
        assert daemon.call(path, DOMAIN, "GetMetadata", "(isu)", METADATA_TITLE, "", CONFIG) == "a <title> & more"
        assert daemon.call(path, DOMAIN, "GetMetadata", "(isu)", METADATA_ELEMENT, "http://example.org/crm",
                           CONFIG) == '<owner id="7"/>'
        restart(daemon)
    daemon.call(path, DOMAIN, "SetMetadata", "(isssu)", METADATA_TITLE, "", "", "", CONFIG)
    assert "metadata not found" in daemon.error(path, DOMAIN, "GetMetadata", "(isu)", METADATA_TITLE, "", CONFIG)[1]
    assert "<title>" not in source(daemon, path)


def test_live_metadata_ends_with_the_machine(daemon):
    path = daemon.define(domain_xml("web", UUID))
    daemon.call(path, DOMAIN, "Create", "(u)", 0)
    daemon.call(path, DOMAIN, "SetMetadata", "(isssu)", METADATA_TITLE, "now", "", "", LIVE)
    daemon.call(path, DOMAIN, "SetMetadata", "(isssu)", METADATA_DESCRIPTION, "both", "", "", LIVE | CONFIG)
    assert daemon.call(path, DOMAIN, "GetMetadata", "(isu)", METADATA_TITLE, "", 0) == "now"
    assert daemon.call(path, DOMAIN, "GetMetadata", "(isu)", METADATA_DESCRIPTION, "", CONFIG) == "both"
    daemon.call(path, DOMAIN, "Destroy", "(u)", 0)
    assert "metadata not found" in daemon.error(path, DOMAIN, "GetMetadata", "(isu)", METADATA_TITLE, "", 0)[1]
    assert daemon.call(path, DOMAIN, "GetMetadata", "(isu)", METADATA_DESCRIPTION, "", 0) == "both"


@pytest.mark.parametrize("flags, names", [
    (0, {"stopped", "marked", "running", "paused"}),
    (1, {"running", "paused"}),                # active
    (2, {"stopped", "marked"}),                # inactive
    (1 | 2, {"stopped", "marked", "running", "paused"}),
    (4, {"stopped", "marked", "paused"}),      # persistent
    (8, {"running"}),                          # transient
    (16, {"running"}),                         # running
    (16 | 32, {"running", "paused"}),          # running or paused
    (64, {"stopped", "marked"}),               # shut off
    (128, set()),                              # other states
    (1024, {"marked"}),                        # autostart
    (2 | 2048, {"stopped"}),                   # inactive, without autostart
    (4096, set()),                             # with a snapshot
    (256, set()),                              # with a saved state
])
def test_lists(daemon, flags, names):
    daemon.define(domain_xml("stopped"))
    path = daemon.define(domain_xml("marked"))
    daemon.call(path, PROPERTIES, "Set", "(ssv)", DOMAIN, "Autostart", GLib.Variant("b", True))
    daemon.create(domain_xml("running"))
    daemon.call(daemon.define(domain_xml("paused")), DOMAIN, "Create", "(u)", 1)
    listed = daemon.call(ROOT, CONNECT, "ListDomains", "(u)", flags)
    assert {daemon.get(path, DOMAIN, "Name") for path in listed} == names


def test_list_flags_are_checked(daemon):
    assert "unsupported flags" in daemon.error(ROOT, CONNECT, "ListDomains", "(u)", 1 << 25)[1]


def test_broken_files_are_skipped(daemon):
    good = daemon.define(domain_xml("good", UUID))
    completed = daemon.root / f"var/lib/domaind/domains/{OTHER}.xml"
    spoilt = daemon.define(domain_xml("spoilt", OTHER))
    daemon.stop()
    directory = daemon.root / "etc/domaind/domains"
    (directory / "torn.xml").write_text("<domain><name>torn")
    (directory / "bytes.xml").write_bytes(bytes(range(256)))
    (directory / "folder.xml").mkdir()
    (directory / "dangling.xml").symlink_to("/nowhere")
    completed.write_text("<domain type='qemu'><name>spoilt</na")
    daemon.start()
    assert set(daemon.call(ROOT, CONNECT, "ListDomains", "(u)", 0)) == {good, spoilt}
    for name in ("torn.xml", "bytes.xml", "folder.xml", "dangling.xml"):
        assert f"{name} is skipped" in daemon.log()
    assert "Domain not found" not in daemon.error(spoilt, DOMAIN, "GetXMLDesc", "(u)", 0)[1]
    daemon.define(domain_xml("spoilt", OTHER))  # and so it is mended
    assert "spoilt" in daemon.call(spoilt, DOMAIN, "GetXMLDesc", "(u)", 0)


def test_a_document_put_there_by_hand(daemon):
    daemon.stop()
    (daemon.root / "etc/domaind/domains/web.xml").write_text(COMMENTED)
    daemon.start()
    path = daemon.call(ROOT, CONNECT, "DomainLookupByName", "(s)", "web")
    completed = daemon.call(path, DOMAIN, "GetXMLDesc", "(u)", 0)
    assert path == domain_path(daemon.get(path, DOMAIN, "UUID"))
    assert daemon.get(path, DOMAIN, "UUID") in completed
    restart(daemon)
    assert daemon.call(path, DOMAIN, "GetXMLDesc", "(u)", 0) == completed
    daemon.call(path, DOMAIN, "Create", "(u)", 0)


@pytest.mark.parametrize("method, signature, arguments", [
    ("SetMetadata", "(isssu)", (0, "words", "", "", 2)),
    ("Rename", "(su)", ("site", 0)),
    ("SetMemory", "(tu)", (16384, 2)),
    ("SetVcpus", "(uu)", (1, 2)),
    ("AttachDevice", "(su)", ("<rng model='virtio'><backend model='random'>/dev/urandom</backend></rng>", 2)),
])
def test_a_document_changed_by_hand_is_not_edited(daemon, method, signature, arguments):
    """An edit would bring in what nobody has checked."""
    document = COMMENTED.replace("\t<name>", f"<uuid>{UUID}</uuid>\t<name>")
    path = daemon.define(document)
    file = daemon.root / "etc/domaind/domains/web.xml"
    by_hand = document.replace("'MiB'>32", "'MiB'>64")
    file.write_text(by_hand)
    assert "the document of domain 'web' was changed by hand; define it again first" in (
        daemon.error(path, DOMAIN, method, signature, *arguments)[1])
    assert documents(daemon) == {"web.xml": by_hand.encode()}
    daemon.define(by_hand)
    daemon.call(path, DOMAIN, method, signature, *arguments)


def test_no_room_leaves_the_old_definition(daemon):
    path = daemon.define(domain_xml("web", UUID))
    before = documents(daemon)
    limits = resource.prlimit(daemon.process.pid, resource.RLIMIT_FSIZE, (16384, resource.RLIM_INFINITY))
    big = domain_xml("web", UUID, more=f"<description>{'x' * 20000}</description>")
    message = daemon.error(ROOT, CONNECT, "DomainDefineXML", "(s)", big)[1]
    assert "web.xml" in message and "cannot write" in message
    assert "cannot write" in daemon.error(path, DOMAIN, "SetMetadata", "(isssu)", 0, "y" * 20000, "", "", CONFIG)[1]
    resource.prlimit(daemon.process.pid, resource.RLIMIT_FSIZE, limits)
    assert documents(daemon) == before
    assert "xxxx" not in daemon.call(path, DOMAIN, "GetXMLDesc", "(u)", 0)
    restart(daemon)
    assert documents(daemon) == before
    daemon.define(big)


def test_what_was_answered_outlives_a_kill(daemon):
    answered = []
    for round_number in range(4):
        pending = [daemon.begin(ROOT, CONNECT, "DomainDefineXML", "(s)", domain_xml(f"m{round_number}-{number}"))
                   for number in range(20)]
        wait_for(lambda: sum(map(len, pending)) >= 3 + 4 * round_number, "some answers")
        daemon.kill()
        wait_for(lambda: all(pending), "the ends of the calls")
        answered += [answer[0].unpack()[0] for answer in pending if not isinstance(answer[0], Exception)]
        daemon.start()
        assert set(answered) <= set(daemon.call(ROOT, CONNECT, "ListDomains", "(u)", 0))
        for path in answered:
            name = daemon.get(path, DOMAIN, "Name")
            assert f"<name>{name}</name>" in daemon.call(path, DOMAIN, "GetXMLDesc", "(u)", 0)
    leftovers = [name for name in os.listdir(daemon.root / "etc/domaind/domains") if name.startswith(".")]
    assert leftovers == []


def test_many_definitions(daemon):
    pending = [daemon.begin(ROOT, CONNECT, "DomainDefineXML", "(s)", domain_xml(f"m{number:03}", str(uuid.uuid4())))
               for number in range(200)]
    wait_for(lambda: all(pending), "the answers")
    paths = {answer[0].unpack()[0] for answer in pending}
    restart(daemon)
    assert set(daemon.call(ROOT, CONNECT, "ListDomains", "(u)", 0)) == paths
    pending = [daemon.begin(path, DOMAIN, "GetXMLDesc", "(u)", 0) for path in paths]
    wait_for(lambda: all(pending), "the documents")
    assert not [answer for answer in pending if isinstance(answer[0], Exception)]
