#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Write the C file that carries the schemas: embed.py OUTPUT SCHEMA...

Bytes as numbers and not as string literals, whose length the C standard bounds.
"""
import os
import sys

BYTES_A_LINE = 24


def array(text):
    numbers = [str(byte) for byte in text] + ["0"]
    lines = [numbers[i:i + BYTES_A_LINE] for i in range(0, len(numbers), BYTES_A_LINE)]
    return ",\n  ".join(", ".join(line) for line in lines)


def main(output, paths):
    schemas = []
    for path in sorted(paths, key=os.path.basename):
        with open(path, "rb") as file:
            schemas.append((os.path.basename(path), file.read()))
    with open(output, "w", encoding="ascii") as file:
        file.write('#include "document/schema-texts.h"\n\n')
        for index, (_, text) in enumerate(schemas):
            assert max(text) < 128, "schemas are ASCII"
            file.write(f"static const char text_{index}[] = {{\n  {array(text)}\n}};\n\n")
        file.write("const SchemaText schema_texts[] = {\n")
        for index, (name, text) in enumerate(schemas):
            file.write(f'  {{ "{name}", text_{index}, {len(text)} }},\n')
        file.write("  { 0, 0, 0 }\n};\n\nconst char *const schema_text_names[] = {\n")
        for name, _ in schemas:
            file.write(f'  "{name}",\n')
        file.write("  0\n};\n")


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2:])
