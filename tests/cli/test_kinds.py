# SPDX-License-Identifier: LGPL-2.1-or-later
"""Documents of every kind, told apart by their root elements: what is right, what is wrong, and for programs."""

import json

import pytest
from lxml import etree
from test_documents import CAPABILITIES, MINIMAL, domctl, write

UUID = "2ec115d7-3a88-3ceb-bc12-0ac909a6fd87"
TARGET = "<target><path>/srv/p</path></target>"
HOST = "<host name='h.example' port='3260'/>"
DEVICE = "<device path='iqn.2013-06.com.example:t'/>"

VALID = {
    "pool-fs": f"<pool type='fs' xmlns:f='http://libvirt.org/schemas/storagepool/fs/1.0'><name>p</name>{TARGET}"
               "<source><device path='/dev/sda1'/></source><f:mount_opts><f:option name='ro'/></f:mount_opts></pool>",
    "pool-netfs": f"<pool type='netfs'><name>p</name><source>{HOST}<dir path='/e'/></source>{TARGET}</pool>",
    "pool-logical": "<pool type='logical'><source><name>vg</name></source><target/></pool>",
    "pool-disk": f"<pool type='disk'><name>p</name><source><device path='/dev/sda'/></source>{TARGET}</pool>",
    "pool-iscsi": f"<pool type='iscsi'><name>p</name><source>{HOST}{DEVICE}</source>{TARGET}</pool>",
    "pool-iscsi-direct": f"<pool type='iscsi-direct'><name>p</name><source>{HOST}{DEVICE}"
                         "<initiator><iqn name='iqn.2013-06.com.example:i'/></initiator></source></pool>",
    "pool-scsi": f"<pool type='scsi'><name>p</name><source><adapter name='host1'/></source>{TARGET}</pool>",
    "pool-rbd": f"<pool type='rbd'><name>p</name><source>{HOST}<name>r</name><auth type='ceph' username='u'>"
                f"<secret uuid='{UUID}'/></auth></source></pool>",
    "pool-gluster": f"<pool type='gluster'><name>p</name><source>{HOST}<name>g</name></source></pool>",
    "pool-zfs": "<pool type='zfs'><name>p</name><source><name>z/a</name></source></pool>",
    "volume": "<volume><name>v</name><capacity>1</capacity><target><format type='luks'/><encryption format='luks'>"
              f"<secret type='passphrase' uuid='{UUID}'/></encryption></target></volume>",
    "secret": "<secret><usage type='volume'><volume>/v</volume></usage></secret>",
    "snapshot": "<domainsnapshot><name>s</name><memory snapshot='no'/><disks><disk name='vda'>"
                "<source file='/s'/></disk></disks></domainsnapshot>",
    "snapshot-of-a-domain": "<domainsnapshot><domain type='qemu'><name>a</name></domain></domainsnapshot>",
    "checkpoint": "<domaincheckpoint><disks><disk name='vda' checkpoint='bitmap'/></disks></domaincheckpoint>",
    "backup": "<domainbackup mode='pull'><server transport='unix' socket='/s'/><disks><disk name='vda' type='file'>"
              "<scratch file='/f'/></disk></disks></domainbackup>",
    "node-device": f"<device><parent>pci_0000_00_02_0</parent><name>x</name><capability type='mdev'>"
                   f"<type id='t'/><uuid>{UUID}</uuid></capability></device>",
    "cpu": "<cpu match='exact'><model>qemu64</model></cpu>",
    "pool-capabilities": "<storagepoolCapabilities><pool type='dir' supported='yes'/></storagepoolCapabilities>",
}

# A document of those above, what is written instead of what, and all that is said.
WRONG = [
    ("pool-fs", "<device path='/dev/sda1'/>", "", "1:123: error: <source> lacks <device>"),
    ("pool-scsi", "name='host1'", "name='host1' type='hba'",
     "1:63: error: Invalid value for attribute 'type' in element 'adapter': 'hba' (accepted: 'scsi_host' or "
     "'fc_host')"),
    ("volume", "<name>v</name>", "", "1:1: error: missing volume name element"),
    ("checkpoint", "checkpoint='bitmap'", "checkpoint='bitmp'",
     "1:43: error: Invalid value for attribute 'checkpoint' in element 'disk': 'bitmp' (did you mean 'bitmap'? "
     "accepted: 'no' or 'bitmap')"),
    ("backup", "<server transport='unix' socket='/s'/>", "", "1:1: error: <domainbackup> lacks <server>"),
    ("backup", "<scratch file='/f'/>", "<server/>",
     "1:101: error: unknown element 'server' in element 'disk': it belongs in <domainbackup>"),
    ("node-device", "<type id='t'/>", "stray<type id='t'/>",
     "1:56: error: <capability> takes no text: 'stray' is too much"),
    ("snapshot", "<name>s</name>", "<name>s</name><name>t</name>",
     "1:31: error: element 'name' is not expected here in element 'domainsnapshot': it was said before, in line 1"),
    ("cpu", "<model>", "<mode>custom</mode><model>",
     "1:20: error: unknown element 'mode' in element 'cpu': it is an attribute, mode='...'"),
]


@pytest.mark.parametrize("name", VALID)
def test_right(tmp_path, name):
    assert domctl("validate", write(tmp_path, VALID[name])).stderr == ""


@pytest.mark.parametrize(("name", "right", "wrong", "said"), WRONG, ids=[f"{row[0]}: {row[2]}" for row in WRONG])
def test_wrong(tmp_path, name, right, wrong, said):
    assert right in VALID[name]
    path = write(tmp_path, VALID[name].replace(right, wrong))
    lines = domctl("validate", path, status=1).stderr.splitlines()
    assert [line.removeprefix(f"{path}:") for line in lines] == [said]


def test_an_unknown_root(tmp_path):
    write(tmp_path, "<project/>", "pom.xml")
    assert "did you mean 'pool'" in domctl("validate", write(tmp_path, "<pol/>", "a.xml"), status=1).stderr
    (tmp_path / "a.xml").unlink()
    # Beside documents in a directory there may be others.
    assert ": warning: no kind of document" in domctl("validate", tmp_path).stderr


def test_directories(tmp_path):
    (tmp_path / "a" / ".git").mkdir(parents=True)
    (tmp_path / "loop").symlink_to(tmp_path)
    write(tmp_path / "a", MINIMAL.replace("hvm", "hwm"), "b.xml")
    write(tmp_path / "a", "<domain/>", "b.txt")
    write(tmp_path / "a" / ".git", "<domain/>", "c.xml")
    write(tmp_path, VALID["secret"], "d.xml")
    report = json.loads(domctl("validate", "--json", tmp_path, status=1).stdout)
    assert {name: len(rows) for name, rows in report.items()} == {f"{tmp_path}/a/b.xml": 1, f"{tmp_path}/d.xml": 0}


def test_json_has_path_value_and_what_is_accepted(tmp_path):
    path = write(tmp_path, MINIMAL.replace("</domain>", """<devices>
  <video><model type='vga'/></video>
  <video><model type='virtoi'/></video>
</devices></domain>"""))
    [row] = json.loads(domctl("validate", "--format", "json", path, status=1).stdout)[str(path)]
    assert row["path"] == "/domain/devices/video[2]/model/@type"
    assert (row["file"], row["line"], row["column"], row["severity"]) == (str(path), 9, 17, "error")
    assert (row["value"], row["nearest"]) == ("virtoi", "virtio")
    assert {"vga", "virtio", "qxl"} < set(row["accepted"])


def test_sarif(tmp_path):
    """What section 3 of the standard demands of the objects that are there."""
    good = write(tmp_path, MINIMAL, "good one.xml")
    bad = write(tmp_path, MINIMAL.replace("hvm", "hwm").replace("<name>", "<nmae>").replace("</name>", "</nmae>"))
    log = json.loads(domctl("validate", "--format", "sarif", good, bad, status=1).stdout)
    assert log["version"] == "2.1.0" and log["$schema"].endswith("sarif-2.1.0.json")
    [run] = log["runs"]
    driver = run["tool"]["driver"]
    assert driver["name"] == "domctl" and driver["version"]
    assert run["columnKind"] == "unicodeCodePoints"
    assert [one["location"]["uri"] for one in run["artifacts"]] == [good.as_uri(), bad.as_uri()]
    assert len(run["results"]) == 2
    for result in run["results"]:
        assert driver["rules"][result["ruleIndex"]]["id"] == result["ruleId"]
        assert result["level"] in ("none", "note", "warning", "error")
        assert result["message"]["text"]
        [location] = result["locations"]
        place = location["physicalLocation"]
        assert place["artifactLocation"]["uri"] == bad.as_uri()
        assert place["region"]["startLine"] >= 1 and place["region"]["startColumn"] >= 1
        assert location["logicalLocations"][0]["fullyQualifiedName"].startswith("/domain/")
    assert [result["locations"][0]["physicalLocation"]["region"]["startLine"] for result in run["results"]] == [2, 5]


def test_unknown_format(tmp_path):
    assert "expected 'gcc', 'json' or 'sarif'" in domctl("validate", "--format", "xml", tmp_path, status=2).stderr


DISKS = MINIMAL.replace("</domain>", """  <devices>
    <disk type='file'><source file='/a'/><target dev='vda' bus='virtio'/></disk>
    <disk type='file'><source file='/b'/><target dev='vdb' bus='virtio'/></disk>
    <interface type='user'/>
  </devices>
</domain>
""")


def diff(before, after, status):
    report = json.loads(domctl("diff", "--json", "--capabilities", CAPABILITIES, before, after, status=status).stdout)
    return [(row["path"], row["before"]["value"], row["after"]["value"], row["before"]["line"], row["after"]["line"],
             row["effect"]) for row in report["differences"]]


def test_no_difference(tmp_path):
    before = write(tmp_path, DISKS, "before.xml")
    lines = DISKS.splitlines(keepends=True)
    lines[8], lines[9] = lines[9], lines[8]
    for name, text in {
            "order": "".join(lines),
            "unit": DISKS.replace("<memory>65536", "<memory unit='MiB'>64"),
            "defaults": DISKS.replace("<name>", "<vcpu>1</vcpu><on_crash>destroy</on_crash><name>"),
            "completed": domctl("normalize", "--capabilities", CAPABILITIES, before).stdout,
            "said freely": DISKS.replace("<interface type='user'/>",
                                         "<interface type='user'><mac address='52:54:00:00:00:01'/></interface>"),
    }.items():
        assert diff(before, write(tmp_path, text, "after.xml"), 0) == [], name


def test_differences_with_their_places_and_effects(tmp_path):
    before = write(tmp_path, DISKS, "before.xml")
    after = write(tmp_path, DISKS.replace("<name>", "<title>t</title><name>").replace("65536", "131072")
                  .replace("file='/b'", "file='/c'").replace("'vdb' bus='virtio'", "'vdb' bus='scsi'")
                  .replace("<interface type='user'/>", "<rng model='virtio'><backend model='random'/></rng>"),
                  "after.xml")
    found = {row[0]: row[1:] for row in diff(before, after, 1)}
    assert found["/domain/title"][1:] == ("<title>t</title>", 1, 2, "live")
    assert found["/domain/memory"] == ("65536", "131072", 3, 3, "hardware")
    assert found["/domain/devices/disk[target/@dev='vdb']/source/@file"] == ("/b", "/c", 9, 9, "start")
    assert found["/domain/devices/disk[target/@dev='vdb']/target/@bus"] == ("virtio", "scsi", 9, 9, "hardware")
    removed = [row for path, row in found.items() if path.startswith("/domain/devices/interface")]
    assert [(row[1], row[2], row[4]) for row in removed] == [(None, 10, "live")]
    added = [row for path, row in found.items() if path.startswith("/domain/devices/rng")]
    assert [(row[0], row[3], row[4]) for row in added] == [(None, 10, "live")]
    assert len(found) == 6, found
    text = domctl("diff", "--capabilities", CAPABILITIES, before, after, status=1).stdout
    assert f"/domain/memory (changes the guest's hardware, with its next start)\n  - {before}:3:3: 65536\n" in text


def test_what_cannot_be_compared(tmp_path):
    machine = write(tmp_path, DISKS)
    assert "is a <domain>" in domctl("diff", machine, write(tmp_path, VALID["secret"], "s.xml"), status=2).stderr
    assert "nothing.xml" in domctl("diff", machine, tmp_path / "nothing.xml", status=2).stderr


def test_pools_are_compared_too(tmp_path):
    before, after = (write(tmp_path, VALID["pool-iscsi"].replace("3260", port), f"{port}.xml")
                     for port in ("3260", "3261"))
    assert "/pool/source/host[@name='h.example']/@port\n" in domctl("diff", before, after, status=1).stdout


def test_explanations(tmp_path):
    path = write(tmp_path, DISKS)
    said = domctl("normalize", "--explain", "--capabilities", CAPABILITIES, path).stdout
    report = json.loads(domctl("normalize", "--explain", "--json", "--capabilities", CAPABILITIES, path).stdout)
    rules = {row["path"]: row["rule"] for row in report["chosen"]}
    assert rules["/domain/uuid"] == "random-uuid"
    assert rules["/domain/os/type/@machine"] == "machine-version"
    assert rules["/domain/devices/disk[target/@dev='vda']/address"] == "free-address"
    assert rules["/domain/devices/controller[@type='pci' and @index='0']"] == "implied-controller"
    assert not any(row.startswith(("/domain/name", "/domain/devices/disk[target/@dev='vda']/source")) for row in rules)
    assert all(row["why"] for row in report["chosen"])
    # The document is one still, and says nothing that its own explanation calls the author's.
    etree.fromstring(said.split("\n<!--\n")[0].encode())
    again = write(tmp_path, said.split("<!--\n")[0], "again.xml")
    once_more = json.loads(domctl("normalize", "--explain", "--json", "--capabilities", CAPABILITIES, again).stdout)
    assert once_more["chosen"] == []
