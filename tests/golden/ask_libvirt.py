#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Write anew what libvirt makes of the golden networks: `ask_libvirt.py URI`, where a libvirtd 11.3 without networks of its
own answers. Defines each and undefines it again."""

import json
import pathlib
import sys

import libvirt

FOLDER = pathlib.Path(__file__).resolve().parent / "networks"


def main():
    libvirt.registerErrorHandler(lambda *_: None, None)
    connection = libvirt.open(sys.argv[1])
    for path in sorted(FOLDER.glob("*.xml")):
        if not path.name.endswith(".libvirt.xml"):
            network = connection.networkDefineXML(path.read_text())
            path.with_suffix(".libvirt.xml").write_text(network.XMLDesc(libvirt.VIR_NETWORK_XML_INACTIVE))
            network.undefine()
    cases = json.loads((FOLDER / "refused.json").read_text())
    for case in cases:
        try:
            connection.networkDefineXML(case["document"]).undefine()
            print(f"{case['name']} is not refused", file=sys.stderr)
        except libvirt.libvirtError as error:
            case.update(code=error.get_error_code(), libvirt=error.get_error_message())
    lines = ",\n".join(" " + json.dumps(case, ensure_ascii=False) for case in cases)
    (FOLDER / "refused.json").write_text(f"[\n{lines}\n]\n")


main()
