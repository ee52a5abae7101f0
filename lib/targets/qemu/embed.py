#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Turn a text file into a C source with one NUL-terminated array: embed.py NAME FILE > OUT.c"""
import sys

name, path = sys.argv[1:3]
data = open(path, "rb").read().strip() + b"\0"
print(f"extern const char {name}[];")
print(f"const char {name}[] = {{")
for start in range(0, len(data), 20):
    print("  " + ",".join(str(byte) for byte in data[start:start + 20]) + ",")
print("};")
