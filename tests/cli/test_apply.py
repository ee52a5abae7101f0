# SPDX-License-Identifier: LGPL-2.1-or-later
"""domctl plan and apply: a directory of documents, and a host that follows it."""

import json
import os
import re
import subprocess

import pytest
from gi.repository import Gio, GLib

from conftest import BUILD, CONNECT, DOMAIN, ROOT, domain_xml, wait_for

POLICY = "<metadata><policy xmlns='https://domaind.org/xmlns/policy/1' {}>{}</policy></metadata>"
UUID = "87291af1-1366-410c-bb6e-fbc6f66ff7ae"


def machine(name, attributes="", inside="", more="", devices="", memory=32):
    """A machine as somebody keeps it in git: without a UUID, which is chosen once."""
    text = domain_xml(name, more=POLICY.format(attributes, inside) + "<features><acpi/></features>" + more, devices=devices)
    return re.sub(r"\s*<uuid>.*</uuid>", "", text).replace("<memory unit='MiB'>32", f"<memory unit='MiB'>{memory}")


@pytest.fixture
def run(daemon, tmp_path):
    """domctl: its exit status and what it says. It runs beside the directory."""
    environment = dict(os.environ, DBUS_SESSION_BUS_ADDRESS=daemon.bus.address, LC_ALL="C.UTF-8")

    def command(*arguments, **values):
        done = subprocess.run([BUILD / "cli" / "domctl", "--connect", "session", *map(str, arguments)], cwd=tmp_path,
                              env=environment | values, capture_output=True, text=True, check=False,
                              stdin=subprocess.DEVNULL)
        assert "Sanitizer" not in done.stderr, done.stderr
        return done.returncode, done.stdout, done.stderr

    return command


@pytest.fixture
def fleet(tmp_path):
    """The directory; fleet("web", text) writes a document into it."""
    directory = tmp_path / "fleet"
    directory.mkdir()

    def write(name, text):
        (directory / f"{name}.xml").write_text(text)

    write.directory = directory
    return write


def plan(run, *arguments, status, **values):
    """What would be done, by object: its action, what runs, and its differences."""
    done = run("plan", "fleet", "--json", *arguments, **values)
    assert done[0] == status, done
    found = json.loads(done[1])
    return {item["name"]: (item["action"], item.get("run"),
                           [difference["path"] for difference in item.get("differences", [])])
            for item in found["objects"]}


def apply(run, *arguments, status=0, **values):
    done = run("apply", "fleet", "--yes", *arguments, **values)
    assert done[0] == status, done
    return done


def states(daemon):
    """Each machine, and whether it runs; one may go while it is asked about."""
    found = {}
    for path in daemon.call(ROOT, CONNECT, "ListDomains", "(u)", 0):
        try:
            found[daemon.get(path, DOMAIN, "Name")] = bool(daemon.get(path, DOMAIN, "Active"))
        except GLib.Error as error:
            assert "Domain not found" in error.message
    return found


def path_of(daemon, name):
    return daemon.call(ROOT, CONNECT, "DomainLookupByName", "(s)", name)


def completed(daemon, name):
    return daemon.call(path_of(daemon, name), DOMAIN, "GetXMLDesc", "(u)", 2)


def test_a_directory_is_followed(daemon, run, fleet):
    fleet("db", machine("db", "state='running'"))
    fleet("web", machine("web", "state='running'", "<start><requires>db</requires></start>"))
    fleet("spare", machine("spare"))
    assert plan(run, status=2) == {"db": ("create", "start", []), "web": ("create", "start", []),
                                   "spare": ("create", None, [])}
    assert states(daemon) == {}
    said = apply(run)[1]
    assert said.index("domain db: started") < said.index("domain web: started")
    assert states(daemon) == {"db": True, "web": True, "spare": False}
    assert daemon.get(path_of(daemon, "db"), DOMAIN, "Autostart")
    untouched = {name: ("keep", None, []) for name in ("db", "spare", "web")}
    assert plan(run, status=0) == untouched
    daemon.stop()
    daemon.start()
    assert plan(run, status=0) == untouched
    assert run("apply", "fleet") == (0, "No changes: 3 objects are as their documents say.\n", "")

    # What somebody does by hand is drift, and the next apply's to mend.
    daemon.call(path_of(daemon, "web"), DOMAIN, "Destroy", "(u)", 0)
    assert plan(run, status=2)["web"] == ("keep", "start", [])
    apply(run)
    assert states(daemon)["web"]


def test_the_source_is_kept_byte_for_byte_and_choices_are(daemon, run, fleet):
    card = "<interface type='user'/><disk type='file'><source file='/nowhere'/><target dev='vda' bus='virtio'/></disk>"
    text = machine("web", devices=card).replace("<vcpu>", "<!-- Grace's -->  <vcpu>")
    fleet("web", text)
    apply(run)
    own = daemon.call(path_of(daemon, "web"), "org.domaind1.Domain", "GetSource")
    assert own == text
    before = completed(daemon, "web")
    chosen = re.findall(r"<uuid>.*</uuid>|<mac .*/>|<address .*/>|machine='[^']*'", before)
    assert len(chosen) > 4
    fleet("web", text.replace("</devices>", "<rng model='virtio'><backend model='random'/></rng></devices>")
          .replace("<interface", "<disk type='file'><source file='/else'/><target dev='vdb' bus='virtio'/></disk><interface"))
    found = plan(run, status=2)["web"]
    assert found[:2] == ("change", None) and len(found[2]) == 2
    apply(run)
    after = completed(daemon, "web")
    assert set(chosen) <= set(re.findall(r"<uuid>.*</uuid>|<mac .*/>|<address .*/>|machine='[^']*'", after))
    assert plan(run, status=0)["web"] == ("keep", None, [])

    # Another spelling of the same is no change, and kept.
    respelt = (fleet.directory / "web.xml").read_text().replace("<memory unit='MiB'>32", "<memory unit='KiB'>32768") + "\n"
    fleet("web", respelt)
    assert plan(run, status=0)["web"] == ("keep", None, [])
    assert run("apply", "fleet")[0] == 0
    assert daemon.call(path_of(daemon, "web"), "org.domaind1.Domain", "GetSource") == respelt
    assert set(chosen) <= set(re.findall(r"<uuid>.*</uuid>|<mac .*/>|<address .*/>|machine='[^']*'", completed(daemon, "web")))


def test_changes_of_a_running_machine(daemon, run, fleet, tmp_path):
    image = tmp_path / "disk.raw"
    image.write_bytes(bytes(65536))
    fleet("web", machine("web", "state='running'", "<shutdown action='shutdown' timeout='1'/>"))
    apply(run)
    number = daemon.get(path_of(daemon, "web"), DOMAIN, "Id")
    disk = f"<disk type='file'><source file='{image}'/><target dev='vda' bus='virtio'/></disk>"
    fleet("web", machine("web", "state='running'", "<shutdown action='shutdown' timeout='2'/>",
                         more="<title>Web</title>", devices=disk, memory=48))
    found = json.loads(run("plan", "fleet", "--json")[1])["objects"][0]
    effects = {difference["path"].split("[")[0]: difference["effect"] for difference in found["differences"]}
    assert effects["/domain/title"] == effects["/domain/devices/disk"] == "live"
    assert effects["/domain/memory"] == "hardware"
    assert found["waitsForStart"]
    said = apply(run)
    assert "--restart" in said[1] and said[2] == ""
    live = daemon.call(path_of(daemon, "web"), DOMAIN, "GetXMLDesc", "(u)", 0)
    for expected in ("<title>Web</title>", 'timeout="2"', str(image)):
        assert expected in live, live
    assert daemon.get(path_of(daemon, "web"), DOMAIN, "Id") == number
    assert plan(run, status=0)["web"] == ("keep", None, [])
    assert plan(run, "--restart", status=2)["web"] == ("keep", "restart", [])
    apply(run, "--restart")
    assert daemon.get(path_of(daemon, "web"), DOMAIN, "Id") != number
    assert plan(run, "--restart", status=0)["web"] == ("keep", None, [])
    fleet("web", machine("web", "state='stopped'", "<shutdown action='shutdown' timeout='2'/>", more="<title>Web</title>", devices=disk, memory=48))
    assert plan(run, status=2)["web"][:2] == ("change", "stop")
    apply(run)
    assert states(daemon) == {"web": False}


def test_prune_removes_what_carries_the_label(daemon, run, fleet):
    daemon.define(domain_xml("by-hand"))
    stop = "<shutdown action='shutdown' timeout='1'/>"
    fleet("db", machine("db", "state='running'", stop))
    fleet("web", machine("web", "source='else'"))
    fleet("kept", machine("kept"))
    apply(run)
    for name in ("db", "web"):
        (fleet.directory / f"{name}.xml").unlink()
    assert plan(run, status=0) == {"kept": ("keep", None, [])}
    assert plan(run, "--prune", status=2) == {"kept": ("keep", None, []), "db": ("remove", "stop", [])}
    assert plan(run, "--prune", "--source", "else", status=2)["web"] == ("remove", None, [])
    apply(run, "--prune")
    assert states(daemon) == {"by-hand": False, "kept": False, "web": False}
    assert plan(run, "--prune", status=0) == {"kept": ("keep", None, [])}
    daemon.stop()
    daemon.start()
    assert plan(run, "--prune", status=0) == {"kept": ("keep", None, [])}
    assert "--prune needs" in run("plan", "fleet/kept.xml", "--prune")[2]


def test_what_is_pruned_is_in_the_trash_with_its_snapshots(daemon, run, fleet):
    disk = daemon.root / "web.qcow2"
    subprocess.run(["qemu-img", "create", "-q", "-f", "qcow2", disk, "1M"], check=True)
    fleet("web", machine("web", devices=f"<disk type='file' device='disk'><driver name='qemu' type='qcow2'/>"
                                        f"<source file='{disk}'/><target dev='vda' bus='virtio'/></disk>"))
    apply(run)
    assert run("snapshot-create-as", "web", "before")[0] == 0
    before = completed(daemon, "web")
    (fleet.directory / "web.xml").unlink()
    apply(run, "--prune")
    assert states(daemon) == {}
    assert [(item["kind"], item["name"]) for item in json.loads(run("trash", "list", "--json")[1])] == [("domain", "web")]
    assert run("trash", "restore", "web")[0] == 0
    assert completed(daemon, "web") == before
    assert [item["name"] for item in json.loads(run("snapshot-list", "web", "--json")[1])] == ["before"]
    assert run("snapshot-revert", "web", "before")[0] == 0
    assert plan(run, "--prune", status=2) == {"web": ("remove", None, [])}


KINDS = {
    "secret": f"<secret><uuid>{UUID}</uuid><usage type='tls'><name>web</name></usage></secret>",
    "pool": "<pool type='dir'><name>images</name><target><path>{}/images</path></target></pool>",
    "filter": "<filter name='no-mail'><rule action='drop' direction='out'><tcp dstportstart='25'/></rule></filter>",
    "network": "<network><name>lan</name><forward mode='open'/></network>",
}


def test_other_kinds_than_machines(daemon, run, fleet, tmp_path):
    for name, text in KINDS.items():
        fleet(name, text.format(tmp_path))
    found = plan(run, status=2)
    assert found == {"images": ("create", "start", []), UUID: ("create", None, []), "no-mail": ("create", None, []),
                     "lan": ("create", "start", [])}
    fleet("network", KINDS["network"].replace("lan", "lan2").replace("<forward mode='open'/>", "<bridge name='brlan2'/>"))
    (fleet.directory / "network.xml").unlink()  # an unprivileged daemon has no networks to start
    apply(run)
    assert (tmp_path / "images").is_dir()
    assert all(item == ("keep", None, []) for item in plan(run, status=0).values())
    daemon.stop()
    daemon.start()
    assert all(item == ("keep", None, []) for item in plan(run, status=0).values())
    fleet("filter", KINDS["filter"].replace("'25'", "'26'"))
    assert plan(run, status=2)["no-mail"][0] == "change"
    apply(run)
    assert plan(run, status=0)["no-mail"][0] == "keep"
    for file in fleet.directory.glob("*.xml"):
        file.unlink()
    apply(run, "--prune")
    assert run("plan", "fleet", "--prune") == (0, "No changes: 0 objects are as their documents say.\n", "")
    assert {item["kind"] for item in json.loads(run("trash", "list", "--json")[1])} == {"secret", "pool", "filter"}


VOLUME = "<volume>\n  <name>{}</name>\n  <capacity unit='MiB'>{}</capacity>\n  <target><format type='{}'/></target>\n</volume>"


def test_volumes_beside_their_pool(daemon, run, fleet, tmp_path):
    (fleet.directory / "storage").mkdir()
    images = tmp_path / "images"
    fleet("storage/pool", KINDS["pool"].format(tmp_path))
    fleet("storage/web", VOLUME.format("web.qcow2", 4, "qcow2"))
    fleet("storage/data", VOLUME.format("data.img", 1, "raw"))
    disk = f"<disk type='file' device='disk'><driver name='qemu' type='qcow2'/><source file='{images}/web.qcow2'/><target dev='vda' bus='virtio'/></disk>"
    fleet("web", machine("web", "state='running'", devices=disk))
    assert plan(run, status=2) == {"images": ("create", "start", []), "images/web.qcow2": ("create", None, []),
                                   "images/data.img": ("create", None, []), "web": ("create", "start", [])}
    said = apply(run)[1]
    assert said.index("volume images/web.qcow2: made") < said.index("domain web: started")
    assert (images / "data.img").stat().st_size == 1 << 20
    kept = {name: ("keep", None, []) for name in ("images", "images/web.qcow2", "images/data.img", "web")}
    assert plan(run, status=0) == kept
    daemon.stop()
    daemon.start()
    assert plan(run, status=0) == kept
    daemon.call(path_of(daemon, "web"), DOMAIN, "Destroy", "(u)", 0)

    fleet("storage/data", VOLUME.format("data.img", 2, "raw"))
    assert run("plan", "fleet")[1].count("/volume/capacity  fleet/storage/data.xml:3") == 1
    assert plan(run, status=2)["images/data.img"] == ("change", None, ["/volume/capacity"])
    apply(run)
    assert (images / "data.img").stat().st_size == 2 << 20
    assert plan(run, status=0)["images/data.img"] == ("keep", None, [])
    for file in (fleet.directory / "storage").glob("*.xml"):
        file.unlink()
    apply(run, "--prune")
    assert (images / "data.img").exists() and (images / "web.qcow2").exists()

    # There already when its pool comes back: it is that one.
    fleet("storage/pool", KINDS["pool"].format(tmp_path))
    fleet("storage/data", VOLUME.format("data.img", 2, "raw"))
    apply(run)
    assert plan(run, status=0)["images/data.img"] == ("keep", None, [])


def test_volumes_that_cannot_be_what_the_document_says(daemon, run, fleet, tmp_path):
    (fleet.directory / "images").mkdir()
    fleet("images/data", VOLUME.format("data.img", 2, "raw"))
    message = "fleet/images/data.xml: error: nothing says which pool the volume 'data.img' is in: expected the document of one pool"
    assert message in run("plan", "fleet")[2]
    fleet("pool", KINDS["pool"].format(tmp_path))  # the directory has its name
    apply(run)
    for text, why in ((VOLUME.format("data.img", 1, "raw"), "it has a capacity of 2097152 bytes, and the document says 1048576"),
                      (VOLUME.format("data.img", 2, "qcow2"), "it has the format 'raw', and the document says 'qcow2'")):
        fleet("images/data", text)
        status, _, errors = run("apply", "fleet", "--yes")
        assert status == 1
        assert re.search(rf"fleet/images/data.xml:3:\d+: error: the volume 'images/data.img' is there: {why}", errors), errors
    fleet("images/data", VOLUME.format("data.img", 2, "raw"))
    fleet("images/again", VOLUME.format("data.img", 2, "raw"))
    assert "the storage vol name 'images/data.img' is that of fleet/images/again.xml as well" in run("plan", "fleet")[2]
    fleet("images/again", VOLUME.format("../data.img", 2, "raw"))
    assert re.search(r"fleet/images/again.xml:2:\d+: error", run("plan", "fleet")[2])


def test_all_mistakes_are_told_and_nothing_is_done(daemon, run, fleet):
    fleet("good", machine("good"))
    fleet("bad", machine("bad", "state='runing'"))
    fleet("worse", "<domain type='qemu'>\n  <name>worse</name>\n  <memori>1</memori>\n</domain>\n")
    fleet("cut", "<domain")
    fleet("twice", machine("good"))
    fleet("ring1", machine("ring1", "", "<start><after>ring2</after></start>"))
    fleet("ring2", machine("ring2", "", "<start><after>ring1</after></start>"))
    fleet("needy", machine("needy", "", "<start><requires>nobody</requires></start>"))
    (fleet.directory / "binary.xml").write_bytes(b"<domain\0")
    status, said, errors = run("apply", "fleet", "--yes")
    assert (status, said) == (1, "")
    assert re.fullmatch(r"fleet/binary.xml:0:0: error: the file is no text|fleet/binary.xml: error: the file is no text",
                        errors.strip()), errors
    (fleet.directory / "binary.xml").unlink()
    for command in ("plan", "apply"):
        status, said, errors = run(command, "fleet", *(["--yes"] if command == "apply" else []))
        assert (status, said) == (1, "")
        for expected in (r"fleet/bad.xml:6:\d+: error: .*did you mean 'running'", r"fleet/worse.xml:3:3: error: .*'memori'",
                         r"fleet/cut.xml:1:\d+: error", r"fleet/twice.xml: error: .*is that of fleet/good.xml as well",
                         r"fleet/ring1.xml:6:\d+: error: machines wait for each other to start: 'ring1' → 'ring2' → 'ring1'",
                         r"fleet/ring2.xml:6:\d+: error: machines wait for each other to start: 'ring1' → 'ring2' → 'ring1'",
                         r"fleet/needy.xml:6:\d+: error: the machine requires 'nobody'"):
            assert re.search(expected, errors), (expected, errors)
    assert states(daemon) == {}


def test_one_name_with_two_uuids(daemon, run, fleet):
    daemon.define(domain_xml("web", UUID))
    fleet("web", domain_xml("web", "11111111-2222-3333-4444-555555555555"))
    status, _, errors = run("plan", "fleet")
    assert (status, errors) == (1, f"fleet/web.xml: error: domain 'web' is already defined with uuid {UUID}\n")
    assert run("plan", "fleet", "--nonsense")[0] == 1  # never the status of a plan with changes


def test_a_failure_leaves_the_rest(daemon, run, fleet, tmp_path):
    disk = f"<disk type='file'><source file='{tmp_path}/missing.raw'/><target dev='vda' bus='virtio'/></disk>"
    fleet("db", machine("db", "state='running'", devices=disk))
    fleet("web", machine("web", "state='running'", "<start><requires>db</requires></start>"))
    fleet("spare", machine("spare", "state='running'"))
    status, said, errors = run("apply", "fleet", "--yes")
    assert status == 1
    assert "error: domain db: " in errors and "missing.raw" in errors
    assert "error: domain web: operation failed: 'web' is not started: it requires 'db', which failed" in errors
    assert states(daemon) == {"db": False, "web": False, "spare": True}
    (tmp_path / "missing.raw").write_bytes(bytes(65536))
    assert plan(run, status=2) == {"db": ("keep", "start", []), "web": ("keep", "start", []), "spare": ("keep", None, [])}
    apply(run)
    assert states(daemon) == {"db": True, "web": True, "spare": True}


def test_a_kept_plan(daemon, run, fleet, tmp_path):
    fleet("web", machine("web"))
    assert run("plan", "fleet", "--out", "web.plan")[0] == 2
    assert (tmp_path / "web.plan").stat().st_mode & 0o777 == 0o600
    daemon.define(domain_xml("web", UUID))
    status, _, errors = run("apply", "web.plan", "--yes")
    assert status == 1 and "the plan is out of date" in errors
    assert run("plan", "fleet", "--out", "web.plan")[0] == 2
    fleet("web", "<broken")  # the plan has its documents
    assert run("apply", "web.plan", "--yes")[::2] == (0, "")
    assert f"<uuid>{UUID}</uuid>" in completed(daemon, "web")
    status, _, errors = run("apply", "web.plan", "--yes")
    assert status == 1 and "the plan is out of date" in errors
    (tmp_path / "web.plan").write_text('{"format": "domaind-plan-1", "documents": [["a"]]}')
    assert "is no plan" in run("apply", "web.plan", "--yes")[2]


def test_nobody_is_asked_without_a_terminal(daemon, run, fleet):
    fleet("web", machine("web"))
    status, said, errors = run("apply", "fleet")
    assert status == 1 and "+ domain web" in said and "--yes" in errors
    assert states(daemon) == {}


def test_values_and_includes(daemon, run, fleet, tmp_path):
    (tmp_path / "values").write_text("# of this host\nMEMORY = 48\nTITLE=a & b\n")
    base = fleet.directory / "base"
    base.mkdir()
    (base / "small.xml").write_text("<base>\n  <memory unit='MiB'>${MEMORY}</memory>\n  <vcpu>${CPUS:-1}</vcpu>\n"
                                    "  <os><type arch='x86_64' machine='pc'>hvm</type></os>\n</base>\n")
    text = ("<domain type='qemu' xmlns:xi='http://www.w3.org/2001/XInclude'>\n  <name>web</name>\n  <title>${TITLE}</title>\n"
            "  <xi:include href='base/small.xml' xpointer='xpointer(/base/*)'/>\n  <!-- ${NOT} -->\n</domain>\n")
    fleet("web", text)
    status, said, errors = run("render", "fleet", "--values", "values", "--origins", CPUS="2")
    assert (status, errors) == (0, "")
    assert said == ("fleet/web.xml:1: <domain type='qemu' xmlns:xi='http://www.w3.org/2001/XInclude'>\n"
                    "fleet/web.xml:2:   <name>web</name>\nfleet/web.xml:3:   <title>a &amp; b</title>\n"
                    "fleet/base/small.xml:2:   <memory unit='MiB'>48</memory>\nfleet/base/small.xml:3: <vcpu>2</vcpu>\n"
                    "fleet/base/small.xml:4: <os><type arch='x86_64' machine='pc'>hvm</type></os>\n"
                    "fleet/web.xml:5:   <!-- ${NOT} -->\nfleet/web.xml:6: </domain>\n")
    apply(run, "--values", "values")
    assert plan(run, "--values", "values", status=0) == {"web": ("keep", None, [])}
    done = run("plan", "fleet", "--values", "values", "--json", CPUS="2")
    difference = json.loads(done[1])["objects"][0]["differences"][0]
    assert (difference["path"], difference["file"], difference["line"]) == ("/domain/vcpu", "fleet/base/small.xml", 3)
    status, _, errors = run("plan", "fleet")
    assert status == 1 and "fleet/web.xml:3:10: error: the value 'TITLE' is not set" in errors
    assert "fleet/web.xml:4:3: error: fleet/base/small.xml:2:22: the value 'MEMORY' is not set" in errors


@pytest.mark.parametrize(("href", "expected"), [
    ("../outside.xml", "is outside of the directory"), ("link.xml", "is outside of the directory"),
    ("/etc/passwd", "is an absolute name"), ("missing.xml", "does not exist"), ("self.xml", "16 in one another"),
    ("wide.xml", "1000 files"), ("entities.xml", "DOCTYPE|entit|document type"), ("base", "is no file")])
def test_includes_that_are_refused(daemon, run, fleet, tmp_path, href, expected):
    include = "<xi:include xmlns:xi='http://www.w3.org/2001/XInclude' href='{}'/>"
    (tmp_path / "outside.xml").write_text("<base/>")
    base = fleet.directory / "parts"
    (base / "base").mkdir(parents=True)
    (base / "link.xml").symlink_to(tmp_path / "outside.xml")
    (base / "self.xml").write_text(f"<base>{include.format('self.xml')}</base>")
    (base / "leaf.xml").write_text("<base/>")
    leaves = "<xi:include href='leaf.xml'/>" * 1001
    (base / "wide.xml").write_text(f"<base xmlns:xi='http://www.w3.org/2001/XInclude'>{leaves}</base>")
    (base / "entities.xml").write_text("<!DOCTYPE base [<!ENTITY a 'aaaa'><!ENTITY b '&a;&a;'>]><base>&b;</base>")
    name = href if href.startswith("/") else f"parts/{href}" if not href.startswith("..") else href
    document = tmp_path / "fleet" / "web.xml"
    document.write_text(f"<domain type='qemu'><name>web</name>{include.format(name)}</domain>")
    status, said, errors = run("render", document)
    assert (status, said) == (1, "")
    assert re.search(expected, errors), errors


def test_two_applies_at_once(daemon, run, fleet):
    disk = "<shutdown action='shutdown' timeout='600'/>"
    fleet("web", machine("web", "state='running'", disk))
    apply(run)
    text = machine("web", "state='stopped'", disk)
    documents = [("web.xml", str(fleet.directory / "web.xml"), text)]
    null = os.open("/dev/null", os.O_WRONLY)
    files = Gio.UnixFDList.new_from_array([null])
    answers = []
    for _ in range(2):
        daemon.bus.connection.call_with_unix_fd_list(
            "org.domaind1", ROOT, "org.domaind1.Connect", "ApplyDocuments",
            GLib.Variant("(a(sss)suush)", (documents, "fleet", 0, 0, "", 0)), None, Gio.DBusCallFlags.NONE, 60000, files, None,
            lambda source, task: answers.append(finish(source, task)))
    wait_for(lambda: answers, "the refusal of the second apply")
    assert "another apply is being done" in answers[0]
    daemon.call(path_of(daemon, "web"), DOMAIN, "Destroy", "(u)", 0)
    wait_for(lambda: len(answers) == 2, "the answer to the first apply")
    assert json.loads(answers[1])["failed"] == 0


def finish(connection, task):
    try:
        return connection.call_with_unix_fd_list_finish(task)[0].unpack()[0]
    except GLib.Error as error:
        return error.message


@pytest.fixture
def watching(daemon, tmp_path):
    """domctl apply --watch, with what it says in a file; it ends when it is told to."""
    environment = dict(os.environ, DBUS_SESSION_BUS_ADDRESS=daemon.bus.address, LC_ALL="C.UTF-8")
    begun = []

    def start(*options):
        said = open(tmp_path / "said", "w+", encoding="utf-8")
        begun.append(subprocess.Popen([BUILD / "cli" / "domctl", "--connect", "session", "apply", "fleet", "--watch", *options],
                                      cwd=tmp_path, env=environment, stdout=said, stderr=subprocess.STDOUT))
        return lambda: (tmp_path / "said").read_text()

    yield start
    for process in begun:
        process.terminate()
        assert process.wait(60) == 0


def test_watching_a_directory(daemon, fleet, watching):
    fleet("web", machine("web", "state='running'", "<shutdown action='shutdown' timeout='1'/>"))
    said = watching("--prune")
    wait_for(lambda: states(daemon) == {"web": True}, "the first apply")
    fleet("db", machine("db"))
    wait_for(lambda: "db" in states(daemon), "what came to the directory")
    new = fleet.directory / "more"
    new.mkdir()
    (new / "dns.xml").write_text(machine("dns"))
    wait_for(lambda: "dns" in states(daemon), "what came to a new directory")
    fleet("db", "<domain")
    wait_for(lambda: "fleet/db.xml:1:" in said(), "the mistake")
    (fleet.directory / "db.xml").unlink()
    wait_for(lambda: "db" not in states(daemon), "what left the directory")
    daemon.call(path_of(daemon, "web"), DOMAIN, "Destroy", "(u)", 0)
    wait_for(lambda: "Not as the documents say any more" in said(), "the drift")
    assert not states(daemon)["web"]


def test_reverting_drift(daemon, fleet, watching):
    fleet("web", machine("web", "state='running'"))
    watching("--drift", "revert")
    wait_for(lambda: states(daemon) == {"web": True}, "the first apply")
    number = daemon.get(path_of(daemon, "web"), DOMAIN, "Id")
    daemon.call(path_of(daemon, "web"), DOMAIN, "Destroy", "(u)", 0)
    wait_for(lambda: states(daemon)["web"] and daemon.get(path_of(daemon, "web"), DOMAIN, "Id") != number, "the machine")
