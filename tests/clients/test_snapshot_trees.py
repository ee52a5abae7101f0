# SPDX-License-Identifier: LGPL-2.1-or-later
"""Trees of snapshots as libvirt's clients tell of them and ask about them: no disk is looked at here."""

import libvirt
import pytest

UUID = "1f7d4b1c-8c11-4f0b-9a50-0a4b3c1d2e3f"
DOMAIN = f"""<domain type='qemu'>
  <name>trees</name>
  <uuid>{UUID}</uuid>
  <memory unit='MiB'>64</memory>
  <os><type arch='x86_64' machine='q35'>hvm</type></os>
  <devices>
    <disk type='file' device='disk'>
      <driver name='qemu' type='qcow2'/><source file='/srv/a.qcow2'/><target dev='vda' bus='virtio'/>
    </disk>
    <graphics type='vnc' port='-1' passwd='geheim'/>
  </devices>
</domain>
"""
REDEFINE = libvirt.VIR_DOMAIN_SNAPSHOT_CREATE_REDEFINE
CURRENT = libvirt.VIR_DOMAIN_SNAPSHOT_CREATE_CURRENT
DISKS = {
    "internal": "<disks><disk name='vda' snapshot='internal'/></disks>",
    "external": "<disks><disk name='vda' snapshot='external' type='file'>"
                "<driver type='qcow2'/><source file='/srv/a.x'/></disk></disks>",
}


def connect(daemon):
    return libvirt.open(f"qemu:///session?socket={daemon.root}/run/domaind/libvirt-sock")


def restart(daemon):
    """The domain as the next daemon has it."""
    daemon.kill()
    daemon.start()
    return connect(daemon).lookupByUUIDString(UUID)


@pytest.fixture
def connection(daemon):
    return connect(daemon)


@pytest.fixture
def domain(connection):
    return connection.defineXML(DOMAIN)


def snapshot_xml(domain, name, parent=None, created=1000, state="shutoff", disks="internal", more=""):
    above = f"<parent><name>{parent}</name></parent>" if parent else ""
    return (f"<domainsnapshot><name>{name}</name>{more}<state>{state}</state>{above}"
            f"<creationTime>{created}</creationTime>{DISKS[disks]}"
            f"{domain.XMLDesc(libvirt.VIR_DOMAIN_XML_SECURE)}</domainsnapshot>")


def redefine(domain, name, *arguments, flags=0, **more):
    return domain.snapshotCreateXML(snapshot_xml(domain, name, *arguments, **more), REDEFINE | flags)


@pytest.fixture
def tree(domain):
    """one ── two ── three (current), and beside two: four, external, of a running machine's disks."""
    redefine(domain, "one")
    redefine(domain, "two", "one", 1001)
    redefine(domain, "three", "two", 1002, state="running", flags=CURRENT)
    redefine(domain, "four", "one", 1003, state="disk-snapshot", disks="external")
    return domain


def names(snapshots):
    return sorted(snapshot.getName() for snapshot in snapshots)


@pytest.mark.parametrize("flag, expected", [
    (None, "four one three two"),
    ("ROOTS", "one"),
    ("LEAVES", "four three"),
    ("NO_LEAVES", "one two"),
    ("METADATA", "four one three two"),
    ("NO_METADATA", ""),
    ("INACTIVE", "one two"),
    ("ACTIVE", "three"),
    ("DISK_ONLY", "four"),
    ("INTERNAL", "one three two"),
    ("EXTERNAL", "four"),
])
def test_each_filter(tree, flag, expected):
    flags = getattr(libvirt, f"VIR_DOMAIN_SNAPSHOT_LIST_{flag}") if flag else 0
    assert names(tree.listAllSnapshots(flags)) == expected.split()
    assert sorted(tree.snapshotListNames(flags)) == expected.split()
    assert tree.snapshotNum(flags) == len(expected.split())


def test_children_and_parents(tree):
    one = tree.snapshotLookupByName("one")
    deep = libvirt.VIR_DOMAIN_SNAPSHOT_LIST_DESCENDANTS
    assert names(one.listAllChildren()) == ["four", "two"]
    assert names(one.listAllChildren(deep)) == ["four", "three", "two"]
    assert sorted(one.listChildrenNames(deep | libvirt.VIR_DOMAIN_SNAPSHOT_LIST_LEAVES)) == ["four", "three"]
    assert one.numChildren() == 2
    assert tree.snapshotLookupByName("three").getParent().getName() == "two"
    with pytest.raises(libvirt.libvirtError, match="snapshot 'one' does not have a parent") as refused:
        one.getParent()
    assert refused.value.get_error_code() == libvirt.VIR_ERR_NO_DOMAIN_SNAPSHOT


def test_parents_come_before_what_follows_them(tree):
    order = [one.getName() for one in tree.listAllSnapshots(libvirt.VIR_DOMAIN_SNAPSHOT_LIST_TOPOLOGICAL)]
    assert order[0] == "one" and order.index("two") < order.index("three")


def test_the_current_one(tree):
    assert tree.hasCurrentSnapshot() == 1
    assert tree.snapshotCurrent().getName() == "three"
    assert [tree.snapshotLookupByName(name).isCurrent() for name in ("one", "three")] == [0, 1]
    assert tree.snapshotLookupByName("one").hasMetadata() == 1


def test_none_is_current_where_nobody_said_so(domain):
    redefine(domain, "one")
    assert domain.hasCurrentSnapshot() == 0
    with pytest.raises(libvirt.libvirtError, match="the domain does not have a current snapshot") as refused:
        domain.snapshotCurrent()
    assert refused.value.get_error_code() == libvirt.VIR_ERR_NO_DOMAIN_SNAPSHOT


def test_a_restarted_daemon_has_the_same_tree(daemon, tree):
    before = {one.getName(): one.getXMLDesc() for one in tree.listAllSnapshots()}
    again = restart(daemon)
    assert {one.getName(): one.getXMLDesc() for one in again.listAllSnapshots()} == before
    assert again.snapshotCurrent().getName() == "three"


def test_secrets_are_for_who_asks_for_them(tree):
    one = tree.snapshotLookupByName("one")
    assert "geheim" not in one.getXMLDesc()
    assert "passwd='geheim'" in one.getXMLDesc(libvirt.VIR_DOMAIN_SNAPSHOT_XML_SECURE)


def test_a_dumped_one_is_what_was_defined(tree):
    """In libvirt's order, and the domain in it is the domain's own document, two blanks further in."""
    inside = "".join(f"  {line}\n" for line in tree.XMLDesc().splitlines())
    assert tree.snapshotLookupByName("two").getXMLDesc() == (
        "<domainsnapshot>\n  <name>two</name>\n  <state>shutoff</state>\n"
        "  <parent>\n    <name>one</name>\n  </parent>\n  <creationTime>1001</creationTime>\n"
        "  <memory snapshot='no'/>\n  <disks>\n    <disk name='vda' snapshot='internal'/>\n  </disks>\n"
        f"{inside}</domainsnapshot>\n")


METADATA = libvirt.VIR_DOMAIN_SNAPSHOT_DELETE_METADATA_ONLY


@pytest.mark.parametrize("gone, flags, left, current", [
    ("three", 0, "four one two", "two"),
    ("two", 0, "four one three", "three"),
    ("two", libvirt.VIR_DOMAIN_SNAPSHOT_DELETE_CHILDREN, "four one", "one"),
    ("one", libvirt.VIR_DOMAIN_SNAPSHOT_DELETE_CHILDREN_ONLY, "one", "one"),
    ("one", libvirt.VIR_DOMAIN_SNAPSHOT_DELETE_CHILDREN, "", None),
])
def test_what_is_known_is_forgotten(daemon, tree, gone, flags, left, current):
    tree.snapshotLookupByName(gone).delete(METADATA | flags)
    for again in (tree, None):
        if again is None:
            again = restart(daemon)
        assert names(again.listAllSnapshots()) == left.split()
        assert (again.snapshotCurrent().getName() if again.hasCurrentSnapshot() else None) == current
    if gone == "two" and not flags:
        assert again.snapshotLookupByName("three").getParent().getName() == "one"


@pytest.mark.parametrize("change, words, code", [
    (("<name>new</name>", ""), "a redefined snapshot must have a name", "XML_ERROR"),
    (("<creationTime>5</creationTime>", ""), "missing creationTime from existing snapshot", "INTERNAL_ERROR"),
    (("<state>shutoff</state>", ""), "missing state from existing snapshot", "XML_ERROR"),
    (("<parent><name>one", "<parent><name>nobody"), "parent nobody for moment new not found", "INVALID_ARG"),
    (("<parent><name>one", "<parent><name>new"), "cannot set moment new as its own parent", "INVALID_ARG"),
    (("<name>new<", "<name>one<", "<parent><name>one", "<parent><name>three"),
     "parent three would create cycle to one", "INVALID_ARG"),
    ((UUID, "99999999-2222-3333-4444-555555555555"), f"definition for snapshot new must use uuid {UUID}", "INVALID_ARG"),
    (("<name>new<", "<name>a/b<"), "invalid snapshot name 'a/b': name can't contain '/'", "XML_DETAIL"),
    (("<name>new<", "<name>.b<"), "invalid snapshot name '.b': name can't start with '.'", "XML_DETAIL"),
    (("'vda' snapshot", "'vdz' snapshot"), "no disk named 'vdz'", "CONFIG_UNSUPPORTED"),
    (("<name>new<", "<name>three<"), "cannot change between online and offline snapshot state in snapshot three",
     "INVALID_ARG"),
    (("<name>new<", "<name>four<"), "cannot change between disk only and full system in snapshot four", "INVALID_ARG"),
    (("<name>new<", f"<name>{'n' * 300}<"), "the name of a domain snapshot has at most 240 bytes", "INVALID_ARG"),
])
def test_what_contradicts_itself_is_refused(tree, change, words, code):
    xml = snapshot_xml(tree, "new", "one", 5)
    for old, new in zip(change[::2], change[1::2]):
        assert old in xml
        xml = xml.replace(old, new)
    with pytest.raises(libvirt.libvirtError) as refused:
        tree.snapshotCreateXML(xml, REDEFINE)
    assert words in str(refused.value)
    assert refused.value.get_error_code() == getattr(libvirt, f"VIR_ERR_{code}")
    assert names(tree.listAllSnapshots()) == ["four", "one", "three", "two"]


def test_an_undefined_domain_takes_its_snapshots_along(daemon, tree, connection):
    with pytest.raises(libvirt.libvirtError, match="cannot delete inactive domain with 4 snapshots") as refused:
        tree.undefine()
    assert refused.value.get_error_code() == libvirt.VIR_ERR_OPERATION_INVALID
    assert [one.name() for one in connection.listAllDomains(libvirt.VIR_CONNECT_LIST_DOMAINS_HAS_SNAPSHOT)] == ["trees"]
    tree.undefineFlags(libvirt.VIR_DOMAIN_UNDEFINE_SNAPSHOTS_METADATA)
    again = connection.defineXML(DOMAIN)
    assert again.snapshotNum() == 0
    assert connection.listAllDomains(libvirt.VIR_CONNECT_LIST_DOMAINS_HAS_SNAPSHOT) == []


def test_another_name_of_the_domain_changes_nothing(daemon, tree):
    tree.rename("other")
    other = restart(daemon)
    assert other.name() == "other"
    assert names(other.listAllSnapshots()) == ["four", "one", "three", "two"]
    assert other.snapshotCurrent().getName() == "three"


def test_names_of_all_kinds_in_a_long_chain(daemon, domain):
    """Every one follows the one before; the daemon finds them again, and no walk goes deeper for it."""
    before = None
    for i in range(120):
        name = f"Schnappschuß {i} %x & <b>"
        xml = snapshot_xml(domain, "NAME", "PARENT" if before else None, 1000 + i)
        escaped = name.replace("&", "&amp;").replace("<", "&lt;")
        domain.snapshotCreateXML(xml.replace("NAME", escaped).replace("PARENT", before or ""), REDEFINE)
        before = escaped
    again = restart(daemon)
    first = again.snapshotLookupByName("Schnappschuß 0 %x & <b>")
    assert first.numChildren(libvirt.VIR_DOMAIN_SNAPSHOT_LIST_DESCENDANTS) == 119
    assert [one.getName() for one in again.listAllSnapshots()] == [f"Schnappschuß {i} %x & <b>" for i in range(120)]


def test_lists_tell_of_each_change(domain):
    def lists():
        return ([one.getName() for one in domain.listAllSnapshots()], domain.snapshotListNames(),
                [one.getName() for one in domain.listAllSnapshots(libvirt.VIR_DOMAIN_SNAPSHOT_LIST_LEAVES)])

    assert lists() == ([], [], [])
    redefine(domain, "a")
    assert lists() == (["a"], ["a"], ["a"])
    redefine(domain, "b", "a")
    assert lists() == (["a", "b"], ["a", "b"], ["b"])
    redefine(domain, "c", "a", disks="external")
    assert lists() == (["a", "b", "c"], ["a", "b", "c"], ["b", "c"])
    external = libvirt.VIR_DOMAIN_SNAPSHOT_LIST_EXTERNAL
    assert [one.getName() for one in domain.listAllSnapshots(external)] == ["c"]
    below = domain.snapshotLookupByName("a").listAllChildren()
    assert [one.getName() for one in below] == ["b", "c"]
    domain.snapshotLookupByName("a").delete(libvirt.VIR_DOMAIN_SNAPSHOT_DELETE_METADATA_ONLY)
    assert lists() == (["b", "c"], ["b", "c"], ["b", "c"])


def test_a_definition_inside_keeps_its_metadata_and_its_secrets_apart(domain):
    metadata = "<metadata><m:note xmlns:m='http://m'>two\n  lines</m:note></metadata>"
    document = snapshot_xml(domain, "noted").replace("<memory", metadata + "<memory", 1)
    snapshot = domain.snapshotCreateXML(document, REDEFINE)
    shown, secret = snapshot.getXMLDesc(), snapshot.getXMLDesc(libvirt.VIR_DOMAIN_SNAPSHOT_XML_SECURE)
    for text in (shown, secret):
        assert "      <m:note xmlns:m='http://m'>two\n  lines</m:note>\n    </metadata>\n" in text
    assert secret.replace(" passwd='geheim'", "") == shown != secret
