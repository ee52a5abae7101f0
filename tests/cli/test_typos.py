# SPDX-License-Identifier: LGPL-2.1-or-later
"""What people write wrong most often, and what `domctl validate` says of it: every word, with line and column.

Each case of typos.txt is a piece of the document below, what stands there instead, and all that is said.
"""

import pathlib

import pytest
from test_documents import CAPABILITIES, domctl, write

DOCUMENT = """<domain type='qemu'>
  <name>vm</name>
  <memory unit='MiB'>512</memory>
  <vcpu>2</vcpu>
  <os>
    <type machine='q35'>hvm</type>
  </os>
  <features><acpi/></features>
  <devices>
    <disk type='file' device='disk'>
      <driver name='qemu' type='qcow2'/>
      <source file='/var/lib/a.qcow2'/>
      <target dev='vda' bus='virtio'/>
    </disk>
    <interface type='bridge'>
      <source bridge='br0'/>
      <model type='virtio'/>
    </interface>
    <graphics type='vnc' port='-1'/>
  </devices>
</domain>
"""


def cases():
    text = (pathlib.Path(__file__).parent / "typos.txt").read_text()
    for case in text.split("\n\n- ")[1:]:
        good, rest = case.split("\n+ ", 1)
        wrong, *said = rest.split("\n")
        yield pytest.param(good, wrong, [line for line in said if line], id=wrong or "nothing")


@pytest.mark.parametrize(("good", "wrong", "said"), cases())
def test_typo(tmp_path, good, wrong, said):
    assert good in DOCUMENT
    path = write(tmp_path, DOCUMENT.replace(good, wrong, 1))
    done = domctl("validate", "--capabilities", CAPABILITIES, path, status=1 if said else 0)
    assert [line.removeprefix(f"{path}:") for line in done.stderr.splitlines()] == said
