# SPDX-License-Identifier: LGPL-2.1-or-later
"""QEMU's microvm, which libvirt refuses or makes a machine of that cannot start: here the answers are ours.

    microvm/NAME/
        domain.xml      the document
        completed.xml   its completion
        qemu-argv       the command line, an option a line
        refusal.txt     our mistakes instead

No emulator is needed: what Debian 12's answers was recorded.
"""

import json
import subprocess

import golden
import pytest
from test_architectures import options_of

FOLDER = golden.FOLDER / "microvm"
DOMCTL = golden.build_directory() / "cli" / "domctl"
CAPABILITIES = golden.FOLDER / "capabilities" / "qemu-7.2.json"
CASES = sorted(path.parent.name for path in FOLDER.glob("*/domain.xml"))
DOCUMENT = """<domain type='qemu'>
  <name>measured</name>
  <memory unit='MiB'>128</memory>
  <os><type arch='x86_64' machine='microvm'>hvm</type><kernel>/vmlinuz</kernel>{cmdline}</os>
  {features}
  <devices>{devices}</devices>
</domain>
"""
DISK = """<disk type='file'><driver name='qemu' type='raw'/><source file='/d{0}'/><target dev='vd{1}' bus='virtio'/></disk>"""


def domctl(command, *words, folder=FOLDER):
    return subprocess.run([DOMCTL, command, "--capabilities", CAPABILITIES, *words], cwd=folder, capture_output=True,
                          text=True, check=False)


def compare(case, file, text, request):
    if request.config.getoption("--accept"):
        (FOLDER / case / file).write_text(text)
    assert text == (FOLDER / case / file).read_text()


@pytest.mark.parametrize("case", CASES)
def test_completed_and_translated(case, request):
    completed = domctl("normalize", "domain.xml", folder=FOLDER / case)
    launch = domctl("translate", "--format", "json", "domain.xml", folder=FOLDER / case)
    if launch.returncode != 0:
        assert launch.stdout == ""
        compare(case, "refusal.txt", launch.stderr, request)
        return
    assert (completed.stderr, launch.stderr) == ("", "")
    compare(case, "completed.xml", completed.stdout, request)
    compare(case, "qemu-argv", options_of(json.loads(launch.stdout)["argv"]), request)


@pytest.mark.parametrize("case", [case for case in CASES if (FOLDER / case / "completed.xml").exists()])
def test_nothing_is_added_to_completed_document(case):
    again = domctl("normalize", "completed.xml", folder=FOLDER / case)
    assert (again.stderr, again.stdout) == ("", (FOLDER / case / "completed.xml").read_text())


@pytest.mark.parametrize(("said", "told"), [
    ("", "tsc_early_khz="),
    ("<cmdline>console=ttyS0</cmdline>", "console=ttyS0 tsc_early_khz="),
])
def test_emulated_guest_is_told_its_clock(tmp_path, said, told):
    (tmp_path / "m.xml").write_text(DOCUMENT.format(cmdline=said, features="", devices=""))
    launch = domctl("translate", "--format", "json", "m.xml", folder=tmp_path)
    argv = json.loads(launch.stdout)["argv"]
    words = argv[argv.index("-append") + 1]
    assert words.startswith(told) and words.removeprefix(told).isdigit()
    assert f"the kernel is told '{words.split()[-1]}' after what <cmdline> says" in launch.stderr
    assert "tsc_early_khz" not in domctl("normalize", "m.xml", folder=tmp_path).stdout


@pytest.mark.parametrize(("features", "places"), [("", 23), ("<features><apic/></features>", 8)])
def test_places_are_counted(tmp_path, features, places):
    def check(disks):
        devices = "\n".join(DISK.format(i, chr(ord("a") + i)) for i in range(disks))
        (tmp_path / "m.xml").write_text(DOCUMENT.format(cmdline="", features=features, devices=devices))
        return domctl("validate", "m.xml", folder=tmp_path)

    assert check(places).returncode == 0
    refused = check(places + 2)
    assert refused.returncode == 1
    assert f"m.xml:{6 + places}:1: " in refused.stderr
    assert (f"No place is left on machine 'microvm' for disk 'vd{chr(ord('a') + places)}' (line {6 + places}): it has "
            f"{places + 2} virtio devices and room for {places}") in refused.stderr
