# SPDX-License-Identifier: LGPL-2.1-or-later
"""What definitions were before: every accepted document, byte for byte, with when, by whom and by which call."""

import hashlib
import os
import re
import time

import pytest

from conftest import CONNECT, DOMAIN, ROOT, Daemon, domain_path, domain_xml
from test_cut_short import killed  # noqa: F401: a fixture

OWN_CONNECT = "org.domaind1.Connect"
OWN_DOMAIN = "org.domaind1.Domain"
UUID = "87291af1-1366-410c-bb6e-fbc6f66ff7ae"
PATH = domain_path(UUID)
STEPS_MAX = 60
CONFIG = 2


def titled(title, comment=""):
    return domain_xml("web", UUID, f"<title>{title}</title>{comment}")


def revisions(daemon, kind="domain", name="web"):
    return daemon.call(ROOT, OWN_CONNECT, "ListRevisions", "(ss)", kind, name)


def document(daemon, number, kind="domain", name="web"):
    return daemon.call(ROOT, OWN_CONNECT, "GetRevision", "(ssu)", kind, name, number)


def documents(daemon, kind="domain", name="web"):
    return [document(daemon, revision[0], kind, name) for revision in revisions(daemon, kind, name)]


def source(daemon):
    return daemon.call(PATH, OWN_DOMAIN, "GetSource")


def test_who_changed_what_and_when(daemon):
    before = time.time()
    texts = [titled("one", "<!-- Grace's -->"), titled("two")]
    for text in texts:
        daemon.define(text)
    daemon.define(titled("two"))  # the same again is no revision
    daemon.call(PATH, DOMAIN, "AttachDevice", "(su)", "<rng model='virtio'><backend model='random'/></rng>", CONFIG)
    texts.append(source(daemon))
    assert "<rng" in texts[2]
    found = revisions(daemon)
    assert [revision[0] for revision in found] == [1, 2, 3]
    assert [revision[4] for revision in found] == ["DOMAIN_DEFINE_XML", "DOMAIN_DEFINE_XML", "DOMAIN_ATTACH_DEVICE_FLAGS"]
    assert {revision[2] for revision in found} == {os.getuid()}
    assert {revision[3] for revision in found} == {daemon.bus.connection.get_unique_name()}
    assert all(before - 1 <= revision[1] / 1e6 <= time.time() + 1 for revision in found)
    assert [(revision[5], revision[6]) for revision in found] == [
        (hashlib.sha256(text.encode()).hexdigest(), len(text)) for text in texts]
    assert documents(daemon) == texts
    daemon.stop()
    daemon.start()
    assert revisions(daemon) == found
    assert documents(daemon) == texts
    daemon.call(PATH, DOMAIN, "Undefine", "(u)", 0)
    daemon.define(titled("two"))
    assert documents(daemon) == [titled("two")]  # another machine's


def test_revert(daemon):
    daemon.define(titled("one", "<!-- mine -->"))
    daemon.define(titled("two"))
    daemon.call(ROOT, OWN_CONNECT, "Revert", "(ssu)", "domain", "web", 1)
    assert source(daemon) == titled("one", "<!-- mine -->")
    assert "<title>one</title>" in daemon.call(PATH, DOMAIN, "GetXMLDesc", "(u)", 0)
    assert [revision[4] for revision in revisions(daemon)][2:] == ["Revert"]
    code, message = daemon.error(ROOT, OWN_CONNECT, "Revert", "(ssu)", "domain", "web", 9)
    assert "'web' has no revision 9; there are 1 to 3" in message
    assert "'machine' is no kind of definition: expected one of 'domain', 'network', 'filter', 'pool', 'secret'" in daemon.error(
        ROOT, OWN_CONNECT, "ListRevisions", "(ss)", "machine", "web")[1]
    assert "no domain with matching name 'other'" in daemon.error(ROOT, OWN_CONNECT, "ListRevisions", "(ss)", "domain", "other")[1]


def test_a_document_without_uuid_is_reverted_as_the_same_machine(daemon):
    text = titled("one").replace(f"<uuid>{UUID}</uuid>", "")
    path = daemon.define(text)
    same = daemon.get(path, DOMAIN, "UUID")
    daemon.define(domain_xml("web", same, "<title>two</title>"))
    daemon.call(ROOT, OWN_CONNECT, "Revert", "(ssu)", "domain", "web", 1)
    assert daemon.call(path, OWN_DOMAIN, "GetSource") == text
    assert daemon.get(path, DOMAIN, "UUID") == same


def test_a_revert_keeps_what_was_chosen(daemon):
    """The guest finds the hardware it knows: where the older text leaves it open, what was chosen stays."""
    card = "<interface type='user'/>"
    disk = "<disk type='file' device='disk'><source file='/nowhere.img'/><target dev='vda' bus='virtio'/></disk>"
    other = disk.replace("nowhere", "else").replace("vda", "vdb")
    text = domain_xml("web", UUID, "<title>one</title>", devices=disk + card).replace(f"<uuid>{UUID}</uuid>", "")
    path = daemon.define(text)
    before = daemon.call(path, DOMAIN, "GetXMLDesc", "(u)", 0)
    chosen = [word for word in re.findall(r"<uuid>.*</uuid>|<mac .*/>|<address .*/>", before)]
    assert len(chosen) == 4
    for change in (before.replace(">one<", ">two<"),  # as an editor of the completed document leaves it
                   before.replace(">one<", ">two<").replace("<disk", other + "<disk", 1)):
        daemon.define(change)
        daemon.call(ROOT, OWN_CONNECT, "Revert", "(ssu)", "domain", "web", 1)
        assert daemon.call(path, OWN_DOMAIN, "GetSource") == text
        assert daemon.call(path, DOMAIN, "GetXMLDesc", "(u)", 0) == before


def test_a_revert_to_other_hardware_has_that(daemon):
    """What does not go with the older text is chosen again."""
    disk = "<disk type='file' device='disk'><source file='/nowhere.img'/><target dev='{}' bus='{}'/></disk>"
    first = domain_xml("web", UUID, devices=disk.format("vda", "virtio")).replace("machine='pc'", "machine='q35'")
    daemon.define(first)
    before = daemon.call(PATH, DOMAIN, "GetXMLDesc", "(u)", 0)
    daemon.define(domain_xml("web", UUID, devices=disk.format("sda", "scsi")))
    daemon.call(ROOT, OWN_CONNECT, "Revert", "(ssu)", "domain", "web", 1)
    after = daemon.call(PATH, DOMAIN, "GetXMLDesc", "(u)", 0)
    for kept in (r"<type .*</type>", r"<target dev=.*/>", r"<controller type='pci' index='0'.*/>"):
        assert re.findall(kept, after) == re.findall(kept, before)


def test_another_name(daemon):
    daemon.define(titled("one"))
    daemon.call(PATH, DOMAIN, "Rename", "(su)", "shop", 0)
    assert [revision[4] for revision in revisions(daemon, name="shop")] == ["DOMAIN_DEFINE_XML", "DOMAIN_RENAME"]
    assert document(daemon, 1, name="shop") == titled("one")


def test_by_hand(daemon):
    """A document that was put into the directory, and one that was changed there, are kept too."""
    path = daemon.root / "etc/domaind/domains/web.xml"
    daemon.stop()
    path.write_text(titled("put there"))
    daemon.start()
    daemon.call(PATH, DOMAIN, "GetXMLDesc", "(u)", 0)
    path.write_text(titled("changed there"))
    daemon.define(titled("three"))
    assert documents(daemon) == [titled("put there"), titled("changed there"), titled("three")]
    found = revisions(daemon)
    assert [(revision[2], revision[3], revision[4]) for revision in found[:2]] == [(-1, "", "")] * 2


@pytest.fixture
def three_kept(root, bus):
    (root / "etc/domaind").mkdir(parents=True)
    (root / "etc/domaind/domaind.conf").write_text("[definitions]\nhistory-revisions=3\n")
    daemon = Daemon(root, bus)
    try:
        yield daemon.start()
    finally:
        daemon.clean_up()


def test_the_newest_are_kept(three_kept):
    for number in range(1, 21):
        three_kept.define(titled(number))
    assert [revision[0] for revision in revisions(three_kept)] == [18, 19, 20]
    assert documents(three_kept) == [titled(number) for number in (18, 19, 20)]
    assert "there are 18 to 20" in three_kept.error(ROOT, OWN_CONNECT, "GetRevision", "(ssu)", "domain", "web", 17)[1]
    log = three_kept.root / f"var/lib/domaind/domains/{UUID}.history"
    assert log.stat().st_size < 7 * (len(titled(20)) + 300)
    assert log.stat().st_mode & 0o777 == 0o600


def test_a_damaged_file(daemon):
    """What cannot be read of it is passed over, a document that has changed is refused, and the next one is kept."""
    daemon.define(titled("one"))
    daemon.define(titled("two"))
    log = daemon.root / f"var/lib/domaind/domains/{UUID}.history"
    log.write_bytes(log.read_bytes().replace(b"<title>one", b"<title>0ne") + b"{\"revision\":")
    assert "is damaged" in daemon.error(ROOT, OWN_CONNECT, "GetRevision", "(ssu)", "domain", "web", 1)[1]
    daemon.define(titled("three"))
    assert [revision[0] for revision in revisions(daemon)] == [1, 2, 3]
    assert document(daemon, 3) == titled("three")
    log.write_bytes(os.urandom(4096))
    assert revisions(daemon) == []
    daemon.define(titled("four"))
    assert documents(daemon) == [titled("three"), titled("four")]


KINDS = {
    "network": ("NetworkDefineXML", "(s)", ("{}",), "n", "<network><name>n</name><uuid>" + UUID + "</uuid><!-- {} --></network>"),
    "filter": ("NWFilterDefineXML", "(s)", ("{}",), "f", "<filter name='f'><uuid>" + UUID + "</uuid><!-- {} --></filter>"),
    "pool": ("StoragePoolDefineXML", "(su)", ("{}", 0), "p", "<pool type='dir'><name>p</name><uuid>" + UUID
             + "</uuid><!-- {} --><target><path>/tmp</path></target></pool>"),
    "secret": ("SecretDefineXML", "(su)", ("{}", 0), UUID, "<secret><uuid>" + UUID + "</uuid><!-- {} --></secret>"),
}


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind(daemon, kind):
    method, signature, arguments, name, xml = KINDS[kind]

    def define(text):
        daemon.call(ROOT, CONNECT, method, signature, *(text if word == "{}" else word for word in arguments))

    define(xml.format("one"))
    define(xml.format("two"))
    daemon.call(ROOT, OWN_CONNECT, "Revert", "(ssu)", kind, name, 1)
    daemon.stop()
    daemon.start()
    assert documents(daemon, kind, name) == [xml.format(word) for word in ("one", "two", "one")]


def test_killed_at_each_step(killed):  # noqa: F811
    """What is defined is the newest revision, and no other than that is one."""
    killed.start()
    killed.define(titled("0"))
    killed.stop()
    accepted = [titled("0")]
    for step in range(1, STEPS_MAX):
        killed.start_to_be_killed()
        over = not killed.cut("disk", step, ROOT, CONNECT, "DomainDefineXML", "(s)", titled(step))
        killed.start()
        if source(killed) == titled(step):
            accepted.append(titled(step))
        assert documents(killed) == accepted, step
        killed.stop()
        if over:
            break
    assert over and step > 4 and accepted[-1] == titled(step)
