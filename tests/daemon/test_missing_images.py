# SPDX-License-Identifier: LGPL-2.1-or-later
"""Disks whose image is not there when the machine starts: what startupPolicy says becomes of them, and who is told."""

import re

import pytest

from conftest import DOMAIN, domain_path, domain_xml, wait_for

UUID = "87291af1-1366-410c-bb6e-fbc6f66ff7ae"
PATH = domain_path(UUID)
EMPTIED, LEFT_OUT = 0, 1  # reasons of libvirt's disk-change event
RUNNING = 1


def disk(device, target, bus, path, policy):
    return (f"<disk type='file' device='{device}'><driver name='qemu' type='raw'/><source file='{path}' "
            f"startupPolicy='{policy}'/><target dev='{target}' bus='{bus}'/></disk>")


def drives(daemon):
    """{target: the file in it, or None} of the machine as it runs."""
    xml = daemon.call(PATH, DOMAIN, "GetXMLDesc", "(u)", 0)
    return {re.search("<target dev='(.*?)'", one)[1]: (re.findall("<source file='(.*?)'", one) or [None])[0]
            for one in re.findall("<disk .*?</disk>", xml, re.DOTALL)}


def changes(seen):
    return [arguments for _, member, arguments in seen if member == f"{DOMAIN}.DiskChange"]


@pytest.fixture
def there(daemon):
    path = daemon.root / "there.img"
    path.write_bytes(bytes(65536))
    return path


def test_what_is_optional_is_left_out(daemon, there):
    gone = daemon.root / "gone"
    daemon.define(domain_xml("web", UUID, devices="".join([
        disk("cdrom", "hda", "ide", f"{gone}.iso", "optional"), disk("disk", "hdb", "ide", f"{gone}.img", "optional"),
        disk("disk", "vda", "virtio", f"{gone}.qcow2", "optional"), disk("cdrom", "hdc", "ide", there, "optional"),
        disk("floppy", "fda", "fdc", f"{gone}.vfd", "optional")])))
    with daemon.signals() as seen:
        daemon.call(PATH, DOMAIN, "Create", "(u)", 0)
        wait_for(lambda: len(changes(seen)) == 4, "what clients are told")
    assert drives(daemon) == {"hda": None, "hdc": str(there), "fda": None}
    assert changes(seen) == [(f"{gone}.vfd", "", "fdc0-0-0", EMPTIED), (f"{gone}.qcow2", "", "virtio-disk0", LEFT_OUT),
                             (f"{gone}.img", "", "ide0-0-1", LEFT_OUT), (f"{gone}.iso", "", "ide0-0-0", EMPTIED)]

    daemon.call(PATH, DOMAIN, "Destroy", "(u)", 0)  # the definition still asks for them
    assert drives(daemon) == {"hda": f"{gone}.iso", "hdb": f"{gone}.img", "vda": f"{gone}.qcow2", "hdc": str(there),
                              "fda": f"{gone}.vfd"}


@pytest.mark.parametrize("policy", ["mandatory", "requisite"])
def test_what_is_not_optional_stops_the_start(daemon, policy):
    gone = daemon.root / "gone.iso"
    daemon.define(domain_xml("web", UUID, devices=disk("cdrom", "hda", "ide", gone, policy)))
    text = daemon.error(PATH, DOMAIN, "Create", "(u)", 0)[1]
    assert text == f"Cannot access storage file '{gone}': No such file or directory (disk 'hda')"


def test_a_requisite_may_be_gone_at_restore(daemon, there):
    daemon.create(domain_xml("web", UUID, devices=disk("cdrom", "hda", "ide", there, "requisite")))
    image = daemon.root / "web.save"
    daemon.call(PATH, DOMAIN, "Save", "(ssu)", str(image), "", 0)
    there.unlink()
    with daemon.signals() as seen:
        daemon.call("/org/libvirt/QEMU", "org.libvirt.Connect", "DomainRestore", "(ssu)", str(image), "", 0)
        wait_for(lambda: changes(seen), "what clients are told")
    assert daemon.call(PATH, DOMAIN, "GetState", "(u)", 0)[0] == RUNNING
    assert drives(daemon) == {"hda": None}
    assert changes(seen) == [(str(there), "", "ide0-0-0", EMPTIED)]


def test_a_medium_that_is_put_in_must_be_there(daemon, there):
    daemon.create(domain_xml("web", UUID, devices=disk("cdrom", "hda", "ide", there, "optional")))
    gone = daemon.root / "gone.iso"
    text = daemon.error(PATH, DOMAIN, "UpdateDevice", "(su)", disk("cdrom", "hda", "ide", gone, "optional"), 1)[1]
    assert text.startswith(f"Cannot access storage file '{gone}': No such file or directory")
    assert drives(daemon) == {"hda": str(there)}


def test_all_that_stands_in_the_way_is_told_at_once(daemon, there):
    """Images that cannot be used, and what QEMU cannot make, each with its place."""
    gone = daemon.root / "gone.iso"
    disks = "\n".join([disk("cdrom", "hda", "ide", gone, "mandatory"),
                       disk("disk", "vda", "virtio", there, "mandatory").replace("'raw'", "'qcow2'")])
    more = "<keywrap><cipher name='aes' state='on'/></keywrap>"
    daemon.define(domain_xml("web", UUID, more=more, devices=disks))
    lines = daemon.error(PATH, DOMAIN, "Create", "(u)", 0)[1].splitlines()
    assert [line.split(": ", 1)[0].rpartition("/")[2] for line in lines] == ["unsupported configuration", "web.xml:10:5", "web.xml:11:1"]
    assert "keywrap" in lines[0]
    assert f"Cannot access storage file '{gone}': No such file or directory (disk 'hda')" in lines[1]
    assert f"'{there}' is not in format 'qcow2'" in lines[2]

    daemon.define(domain_xml("web", UUID, devices=disks))
    assert len(daemon.error(PATH, DOMAIN, "Create", "(u)", 0)[1].splitlines()) == 2
