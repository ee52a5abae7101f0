# SPDX-License-Identifier: LGPL-2.1-or-later
"""Saving a Linux that counts, and going on from where it was."""

import os
import pathlib
import re
import signal
import subprocess

import libvirt
import pytest

from conftest import BUILD, CONNECT, DOMAIN, ROOT, TOP, domain_path, domain_xml, wait_for

UUID = "5a7e0d5a-1366-410c-bb6e-fbc6f66ff7ae"
PATH = domain_path(UUID)
RUNNING, PAUSED, SHUTOFF = 1, 3, 5
SAVED, RESTORED, SAVE_CANCELED, MIGRATION = 5, 3, 7, 2  # reasons of four states
STARTED, SUSPENDED, RESUMED, STOPPED = 2, 3, 4, 5
BYPASS_CACHE, SAVE_RUNNING, SAVE_PAUSED = 1, 2, 4
FORCE_BOOT = 8
MANAGEDSAVE, NO_MANAGEDSAVE = 256, 512
FROM_SNAPSHOT = 2  # how the machine of a file resumes


@pytest.fixture(scope="session")
def guest():
    directory = BUILD / "guest"
    subprocess.run([TOP / "examples/guest/make", directory], check=True)
    return directory


def document(daemon, guest, more=""):
    return f"""<domain type='qemu'>
  <name>counter</name>
  <uuid>{UUID}</uuid>
  {more}
  <memory unit='MiB'>128</memory>
  <os>
    <type arch='x86_64' machine='q35'>hvm</type>
    <kernel>{guest}/vmlinuz</kernel>
    <initrd>{guest}/initrd.img</initrd>
    <cmdline>console=ttyS0 quiet guest.count</cmdline>
  </os>
  <features><acpi/><apic/></features>
  <devices>
    <serial type='file'><source path='{daemon.root}/console.log'/></serial>
  </devices>
</domain>
"""


class Counter:
    """A Linux that says one number after the other; its console begins anew with each start."""

    def __init__(self, daemon, guest):
        self.daemon = daemon
        daemon.define(document(daemon, guest))
        self.start()

    def start(self, flags=0):
        self.daemon.call(PATH, DOMAIN, "Create", "(u)", flags)

    def numbers(self):
        console = self.daemon.root / "console.log"
        return [int(number) for number in re.findall(rb"guest: count (\d+)\r?\n", console.read_bytes())]

    def reach(self, number):
        return wait_for(lambda: [n for n in self.numbers() if n >= number], f"the number {number}")[-1]

    def save(self, path, xml="", flags=0):
        self.daemon.call(PATH, DOMAIN, "Save", "(ssu)", str(path), xml, flags)

    def restore(self, path, xml="", flags=0):
        self.daemon.call(ROOT, CONNECT, "DomainRestore", "(ssu)", str(path), xml, flags)

    def state(self):
        return self.daemon.call(PATH, DOMAIN, "GetState", "(u)", 0)

    def goes_on_from(self, number):
        """It counts on, and has not booted again."""
        assert wait_for(self.numbers, "a number")[0] >= number
        self.reach(number + 2)


@pytest.fixture
def counter(daemon, guest):
    it = Counter(daemon, guest)
    it.reach(2)
    return it


def lifecycle(seen):
    return [arguments[1:] for _, member, arguments in seen if member == f"{CONNECT}.DomainEvent"]


def has_image(daemon):
    listed = daemon.call(ROOT, CONNECT, "ListDomains", "(u)", MANAGEDSAVE) == [PATH]
    assert listed == bool(daemon.call(PATH, DOMAIN, "HasManagedSaveImage", "(u)", 0))
    return listed


def test_save_and_restore(daemon, counter):
    image = daemon.root / "counter.save"
    with daemon.signals() as seen:
        counter.save(image)
        assert counter.state() == (SHUTOFF, SAVED)
        assert daemon.processes() == set()
        last = counter.numbers()[-1]
        counter.restore(image)
        wait_for(lambda: (RESUMED, FROM_SNAPSHOT) in lifecycle(seen), "the last event")
    assert lifecycle(seen) == [(SUSPENDED, 0), (STOPPED, 4), (STARTED, 2), (RESUMED, FROM_SNAPSHOT)]
    assert counter.state() == (RUNNING, RESTORED)
    counter.goes_on_from(last)
    assert image.stat().st_mode & 0o777 == 0o600
    assert daemon.error(ROOT, CONNECT, "DomainRestore", "(ssu)", str(image), "", 0)[1].endswith(
        "domain 'counter' is already active")


@pytest.mark.parametrize("saving, restoring, state", [
    (SAVE_PAUSED, 0, (PAUSED, MIGRATION)),
    (SAVE_PAUSED | BYPASS_CACHE, SAVE_RUNNING | BYPASS_CACHE, (RUNNING, RESTORED)),
    (0, SAVE_PAUSED, (PAUSED, MIGRATION)),
])
def test_running_or_paused(daemon, counter, saving, restoring, state):
    image = daemon.root / "counter.save"
    counter.save(image, flags=saving)
    last = counter.numbers()[-1]
    counter.restore(image, flags=restoring)
    assert counter.state() == state
    if state[0] == PAUSED:
        assert counter.numbers() == []
        daemon.call(PATH, DOMAIN, "Resume")
    counter.goes_on_from(last)


def test_managed_save_and_start(daemon, counter):
    assert not has_image(daemon)
    daemon.call(PATH, DOMAIN, "ManagedSave", "(u)", 0)
    assert has_image(daemon)
    last = counter.numbers()[-1]
    assert daemon.error(PATH, DOMAIN, "Undefine", "(u)", 0)[1].endswith(
        "Refusing to undefine while domain managed save image exists")

    daemon.stop()
    daemon.start()
    assert has_image(daemon)
    counter.start()
    assert not has_image(daemon)
    assert counter.state() == (RUNNING, RESTORED)
    counter.goes_on_from(last)
    assert list(daemon.root.glob("var/lib/domaind/save/*")) == []


def test_a_start_that_fails_keeps_the_managed_save(daemon, counter):
    """With its state or without it."""
    daemon.call(PATH, DOMAIN, "ManagedSave", "(u)", 0)
    (image,) = daemon.root.glob("var/lib/domaind/save/*")
    content = image.read_bytes()
    last = counter.numbers()[-1]

    for flags in 0, FORCE_BOOT:
        machines = daemon.root / "run/domaind/machines"
        machines.rmdir()
        machines.write_text("no directory")
        daemon.error(PATH, DOMAIN, "Create", "(u)", flags)
        machines.unlink()
        machines.mkdir()
        assert image.read_bytes() == content and has_image(daemon)
    counter.start()
    assert not has_image(daemon)
    counter.goes_on_from(last)


def test_an_undefine_that_fails_keeps_the_managed_save(daemon, counter):
    daemon.call(PATH, DOMAIN, "ManagedSave", "(u)", 0)
    (document_file,) = daemon.root.glob("etc/domaind/domains/*.xml")
    subprocess.run(["chattr", "+i", document_file], check=True)
    try:
        daemon.error(PATH, DOMAIN, "Undefine", "(u)", 1)
    finally:
        subprocess.run(["chattr", "-i", document_file], check=True)
    assert has_image(daemon)
    (image,) = daemon.root.glob("var/lib/domaind/save/*")
    daemon.kill()
    image.rename(f"{image}.leaving")  # cut short before the document has gone
    daemon.start()
    assert has_image(daemon)
    daemon.call(PATH, DOMAIN, "Undefine", "(u)", 1)
    assert list(daemon.root.glob("var/lib/domaind/save/*")) == []


def test_a_managed_save_can_be_discarded(daemon, counter):
    daemon.call(PATH, DOMAIN, "ManagedSave", "(u)", 0)
    counter.start(FORCE_BOOT)
    assert not has_image(daemon)
    assert wait_for(counter.numbers, "a number")[0] == 1

    daemon.call(PATH, DOMAIN, "ManagedSave", "(u)", 0)
    daemon.call(PATH, DOMAIN, "ManagedSaveRemove", "(u)", 0)
    assert not has_image(daemon)

    counter.start()
    daemon.call(PATH, DOMAIN, "ManagedSave", "(u)", 0)
    daemon.call(PATH, DOMAIN, "Undefine", "(u)", 1)
    assert list(daemon.root.glob("var/lib/domaind/save/*")) == []
    assert daemon.call(ROOT, CONNECT, "ListDomains", "(u)", 0) == []


def test_the_documents_of_a_saved_machine(daemon, counter, guest):
    image = daemon.root / "counter.save"
    counter.save(image)
    xml = daemon.call(ROOT, CONNECT, "DomainSaveImageGetXMLDesc", "(su)", str(image), 0)
    assert "<name>counter</name>" in xml and "alias" not in xml

    daemon.call(ROOT, CONNECT, "DomainSaveImageDefineXML", "(ssu)", str(image),
                document(daemon, guest, "<title>Counting</title>"), SAVE_PAUSED)
    for more in "<title>One</title>", "<title>Two</title>":
        daemon.call(ROOT, CONNECT, "DomainSaveImageDefineXML", "(ssu)", str(image), document(daemon, guest, more), 0)
        assert more in daemon.call(ROOT, CONNECT, "DomainSaveImageGetXMLDesc", "(su)", str(image), 0)

    other = document(daemon, guest).replace("128", "256")
    name, text = daemon.error(ROOT, CONNECT, "DomainSaveImageDefineXML", "(ssu)", str(image), other, 0)
    assert "the guest would not find the machine it knows" in text and "memory" in text
    name, text = daemon.error(ROOT, CONNECT, "DomainRestore", "(ssu)", str(image), other, 0)
    assert "memory" in text
    counter.restore(image)
    assert counter.state() == (PAUSED, MIGRATION)


@pytest.mark.parametrize("spoil, says", [
    (lambda data: data[:4096], "incomplete"),
    (lambda data: data[:-1], "incomplete"),
    (lambda data: b"", "image magic is incorrect"),
    (lambda data: data[:100] + b"?" + data[101:4196] + b"?" + data[4197:], "its checksum is wrong"),
    (lambda data: data[:8200] + b"?" + data[8201:], "the document is damaged"),
    (lambda data: data[:140000] + b"?" * 100000 + data[240000:], "QEMU|monitor"),
])
def test_a_spoilt_image(daemon, counter, spoil, says):
    image = daemon.root / "counter.save"
    counter.save(image)
    image.write_bytes(spoil(image.read_bytes()))
    assert re.search(says, daemon.error(ROOT, CONNECT, "DomainRestore", "(ssu)", str(image), "", 0)[1])
    assert counter.state()[0] == SHUTOFF
    assert daemon.processes() == set()


def test_one_bad_header_of_two_is_enough(daemon, counter):
    image = daemon.root / "counter.save"
    counter.save(image)
    with image.open("r+b") as file:
        file.write(b"?" * 64)
    counter.restore(image)
    assert counter.state() == (RUNNING, RESTORED)


def test_a_full_disk(daemon, counter, tmp_path):
    full = tmp_path / "full"
    full.mkdir()
    try:
        subprocess.run(["mount", "-t", "tmpfs", "-o", "size=4m", "tmpfs", full], check=True)
    except subprocess.CalledProcessError:
        pytest.skip("needs the right to mount")
    try:
        with daemon.signals() as seen:
            text = daemon.error(PATH, DOMAIN, "Save", "(ssu)", str(full / "counter.save"), "", 0)[1]
            assert "No space left on device" in text or "failed" in text
            assert os.listdir(full) == []
            wait_for(lambda: (RESUMED, 0) in lifecycle(seen), "the last event")
    finally:
        subprocess.run(["umount", full], check=True)
    assert lifecycle(seen) == [(SUSPENDED, 0), (RESUMED, 0)]
    assert counter.state() == (RUNNING, SAVE_CANCELED)
    counter.goes_on_from(1)
    counter.reach(counter.numbers()[-1] + 2)


def test_where_no_file_can_be(daemon, counter):
    for place, says in ("/nonexistent/x", "failed to create file"), (str(daemon.root), "no regular file"), ("x", "absolute"):
        assert says in daemon.error(PATH, DOMAIN, "Save", "(ssu)", place, "", 0)[1]
    assert counter.state()[0] == RUNNING
    counter.reach(counter.numbers()[-1] + 1)


def test_a_save_that_is_given_up(daemon, counter):
    image = daemon.root / "counter.save"
    pid = daemon.machines()["counter"]
    os.kill(pid, signal.SIGSTOP)
    answer = daemon.begin(PATH, DOMAIN, "Save", "(ssu)", str(image), "", 0)
    wait_for(lambda: daemon.call(PATH, DOMAIN, "GetJobInfo")[0] == 2, "the job")  # unbounded
    daemon.call(PATH, DOMAIN, "AbortJob")
    os.kill(pid, signal.SIGCONT)
    assert "canceled by client" in wait_for(lambda: answer, "the end")[0].message
    assert not image.exists()
    assert counter.state() == (RUNNING, SAVE_CANCELED)
    assert daemon.call(PATH, DOMAIN, "GetJobStats", "(u)", 1)[0] == 5  # cancelled
    counter.reach(counter.numbers()[-1] + 2)


def test_jobs_are_told(daemon, counter):
    assert daemon.error(PATH, DOMAIN, "AbortJob")[1].endswith("no job is active on the domain")
    assert daemon.call(PATH, DOMAIN, "GetJobInfo")[0] == 0
    counter.save(daemon.root / "counter.save")
    kind, figures = daemon.call(PATH, DOMAIN, "GetJobStats", "(u)", 1)
    assert kind == 3  # completed
    assert figures["operation"] == 2  # save
    assert figures["memory_total"] > 128 << 20 and figures["memory_remaining"] == 0
    assert figures["memory_bps"] > 0 and figures["memory_postcopy_requests"] == 0
    assert figures["downtime"] <= figures["time_elapsed"] and figures["setup_time"] <= figures["time_elapsed"]
    assert daemon.call(PATH, DOMAIN, "GetJobStats", "(u)", 1)[0] == 0


@pytest.mark.parametrize("delay", range(4))
def test_a_daemon_that_is_killed_half_way(daemon, counter, delay):
    """Whenever it ends, the machine is there: in memory, or in the file, and never in both."""
    answer = daemon.begin(PATH, DOMAIN, "ManagedSave", "(u)", 0)
    directory = daemon.root / "var/lib/domaind/save"
    if delay:
        wait_for(lambda: answer or counter.state()[0] != RUNNING, "the save's beginning")
    if delay > 1:
        wait_for(lambda: answer or any(directory.glob("*.save")) or delay == 2, "the file")
    daemon.kill()
    daemon.start()
    wait_for(lambda: counter.state()[0] == RUNNING or (counter.state()[0] == SHUTOFF and has_image(daemon)),
             "one of the two")
    assert bool(daemon.processes()) != has_image(daemon)
    if has_image(daemon):
        counter.start()
    counter.reach(counter.numbers()[-1] + 2 if counter.numbers() else 2)
    assert not has_image(daemon)


@pytest.mark.parametrize("devices, reason", [
    ("<crypto model='virtio' type='qemu'><backend model='builtin'/></crypto>", "non-migratable device"),
    (f"<shmem name='domaind-test-{os.getpid()}'><model type='ivshmem-plain'/></shmem>", "peer mode"),
])
def test_a_machine_whose_state_cannot_be_written(daemon, devices, reason):
    """libvirt's words and QEMU's reason, and the guest has not been stopped for it."""
    with libvirt.open(f"qemu:///session?socket={daemon.root}/run/domaind/libvirt-sock") as connection:
        domain = connection.defineXML(domain_xml("stays", devices=devices))
        domain.create()
        for save in (lambda: domain.save(str(daemon.root / "state")), domain.managedSave):
            with pytest.raises(libvirt.libvirtError) as refused:
                save()
            assert refused.value.get_error_code() == libvirt.VIR_ERR_OPERATION_INVALID
            assert "cannot migrate domain: " in str(refused.value) and reason in str(refused.value)
        assert domain.state() == [libvirt.VIR_DOMAIN_RUNNING, libvirt.VIR_DOMAIN_RUNNING_BOOTED]
        assert not (daemon.root / "state").exists() and not domain.hasManagedSaveImage()
        domain.destroy()
    pathlib.Path(f"/dev/shm/domaind-test-{os.getpid()}").unlink(missing_ok=True)
