"""The structure that CONTRIBUTING.md promises, read from the sources: which folder may include which, no large circle
of files, every file that a comment or a page names, and how long files and functions are."""
import re
import sys
from pathlib import Path

TOP = Path(__file__).resolve().parents[2]
SOURCES = sorted(path for folder in ("lib", "daemon", "cli") for path in (TOP / folder).rglob("*.[ch]"))

FILE_MAX = 900  # lines
FUNCTION_MAX = 100
CIRCLE_MAX = 3  # files, a source and its header counted as one

# What a folder may include besides itself. The longest name that fits a file is its folder.
LIBRARY = {
    "lib/base": [],
    "lib/wire": ["lib/base"],
    "lib/document": ["lib/base"],
    "lib/domain": ["lib/base", "lib/document"],
    "lib/storage": ["lib/base", "lib/document"],
    "lib/secret": ["lib/base", "lib/document"],
    "lib/network": ["lib/base", "lib/document"],
    "lib/interface": ["lib/base", "lib/document"],
    "lib/nwfilter": ["lib/base", "lib/document"],
    "lib/snapshot": ["lib/base", "lib/document", "lib/domain"],
    "lib/bundle": ["lib/base", "lib/document", "lib/domain"],
    "lib/image": ["lib/base"],
    "lib/kinds": ["lib/base", "lib/document", "lib/domain", "lib/storage", "lib/secret", "lib/snapshot", "lib/network",
                  "lib/interface", "lib/nwfilter"],
    "lib/cpu": ["lib/base", "lib/document", "lib/domain", "lib/targets"],
    "lib/targets": ["lib/base", "lib/document", "lib/domain", "lib/network", "lib/snapshot", "lib/cpu"],
    "lib/host": ["lib/base", "lib/document", "lib/domain", "lib/cpu", "lib/targets"],
}
DAEMON = {
    "daemon/core": [],
    "daemon/host": ["daemon/core"],
    "daemon/helper": ["daemon/core", "daemon/host"],
    "daemon/call": ["daemon/core"],
    "daemon/object": ["daemon/core", "daemon/call"],
    "daemon/drivers": ["daemon/core", "daemon/host", "daemon/helper", "daemon/object", "daemon/call", "daemon/nwfilter",
                       "daemon/storage"],
    "daemon/storage": ["daemon/core", "daemon/host", "daemon/object", "daemon/call"],
    "daemon/network": ["daemon/core", "daemon/host", "daemon/helper", "daemon/object", "daemon/call"],
    "daemon/secret": ["daemon/core", "daemon/host", "daemon/object", "daemon/call"],
    "daemon/interface": ["daemon/core", "daemon/host", "daemon/object", "daemon/call"],
    "daemon/nwfilter": ["daemon/core", "daemon/host", "daemon/object", "daemon/call"],
    "daemon/snapshot": ["daemon/core", "daemon/host", "daemon/object", "daemon/call", "daemon/domain",
                        "daemon/drivers", "daemon/storage"],
    "daemon/bundle": ["daemon/core", "daemon/host", "daemon/object", "daemon/call", "daemon/domain", "daemon/drivers",
                      "daemon/network", "daemon/snapshot", "daemon/storage"],
    "daemon/domain": ["daemon/core", "daemon/host", "daemon/helper", "daemon/object", "daemon/call", "daemon/drivers"],
    "daemon/ops": ["daemon"],
    "daemon/rpc": ["daemon/core", "daemon/call", "daemon/object", "daemon/domain"],
    "daemon/dbus": ["daemon/core", "daemon/host", "daemon/call", "daemon/object", "daemon/domain", "daemon/storage"],
}
# Arrows that point the wrong way today. The list only gets shorter: what is mended is taken out.
OPEN_ARROWS = {
    ("daemon/call/call.h", "daemon/domain/manager.h"),
    ("daemon/call/operations.c", "daemon/dbus/adapter.h"),
    ("daemon/call/operations.c", "daemon/ops/ops.h"),
    ("daemon/object/change.h", "daemon/domain/manager.h"),
}
# Circles that are larger than they should be, by their first file; as above.
OPEN_CIRCLES = {"daemon/call/call": 12}
# What attaches, detaches, updates and places devices reads their rows, and includes no kind.
KNOWS_NO_KIND = [
    "lib/domain/device-change.c",
    "lib/domain/device-match.c",
    "lib/domain/pc/address-pci.c",
    "daemon/drivers/qemu/adopt-devices.c",
    "daemon/drivers/qemu/attach.c",
    "daemon/drivers/qemu/detach.c",
    "daemon/drivers/qemu/runtime-values.c",
]
ONE_NAME_TWICE = {"server.h"}  # one for each wire


def name(path):
    return path.relative_to(TOP).as_posix()


def included(path):
    for spelled in re.findall(r'^#include "([^"]+)"', path.read_text(), re.M):
        for found in (TOP / "lib" / spelled, TOP / spelled):
            if found.exists():
                yield name(found)


INCLUDES = {name(path): set(included(path)) for path in SOURCES}


def folder_of(file, folders):
    return max((folder for folder in folders if file.startswith(folder + "/")), key=len, default=None)


def wrong_arrows():
    for file, others in INCLUDES.items():
        folder = folder_of(file, LIBRARY) or folder_of(file, DAEMON)
        for other in others if folder else ():
            goal = folder_of(other, LIBRARY) or folder_of(other, DAEMON)
            allowed = LIBRARY[folder] if folder in LIBRARY else [*DAEMON[folder], "lib"]
            if goal != folder and not any(other.startswith(f"{one}/") for one in allowed):
                yield file, other


def circles():
    """Strongly connected files (Tarjan), a source and its header taken as one."""
    graph = {}
    for file, others in INCLUDES.items():
        graph.setdefault(file[:-2], set()).update(other[:-2] for other in others if other[:-2] != file[:-2])
    order, low, stack, found = {}, {}, [], []

    def visit(node):
        order[node] = low[node] = len(order)
        stack.append(node)
        for other in graph.get(node, ()):
            if other not in order:
                visit(other)
                low[node] = min(low[node], low[other])
            elif other in stack:
                low[node] = min(low[node], order[other])
        if low[node] == order[node]:
            found.append(sorted(stack[stack.index(node):]))
            del stack[stack.index(node):]

    sys.setrecursionlimit(10000)
    for node in graph:
        if node not in order:
            visit(node)
    return [circle for circle in found if len(circle) > CIRCLE_MAX]


def test_arrows_point_one_way():
    wrong = set(wrong_arrows())
    assert wrong - OPEN_ARROWS == set(), "these arrows are new"
    assert OPEN_ARROWS - wrong == set(), "these are mended: take them out of the list"


def kinds_of_device():
    """The headers that declare a kind of device; those that are only kept share one."""
    kind = re.compile(r"^extern const DeviceKind (?!\*)", re.M)
    return {name(path) for path in (TOP / "lib/domain/devices").glob("*.h") if kind.search(path.read_text())}


def test_hotplug_names_no_kind_of_device():
    assert {file: INCLUDES[file] & kinds_of_device()
            for file in KNOWS_NO_KIND} == {file: set() for file in KNOWS_NO_KIND}
    assert len(kinds_of_device()) > 10


def test_no_large_circle_of_files():
    assert {circle[0]: len(circle) for circle in circles()} == OPEN_CIRCLES


def test_no_file_is_too_long():
    assert [name(path) for path in SOURCES if len(path.read_text().splitlines()) > FILE_MAX] == []


def functions(path):
    """Each function's name and its lines."""
    lines = path.read_text().splitlines()
    for start, line in enumerate(lines):
        if line == "{":
            head = next((above for above in reversed(lines[:start]) if re.match(r"\w+ \(", above)), None)
            if head:
                yield head.split(" ")[0], lines.index("}", start) - start


def test_no_function_is_too_long():
    assert [(name(path), function) for path in SOURCES for function, length in functions(path)
            if length > FUNCTION_MAX] == []


FILE_NAME = re.compile(r"(?<![\w./~*<-])([a-z][\w/-]*\.(?:c|h|py|rng))\b(?!\.)")
ELSEWHERE = {"input-event-codes.h"}  # of the kernel


def test_files_that_comments_and_pages_name_exist():
    files = [path for path in TOP.rglob("*.*") if ".git" not in path.parts]
    known = {"/".join(path.parts[-depth:]) for path in files for depth in (1, 2, 3, 4)}
    pages = [TOP / "README.md", TOP / "CONTRIBUTING.md", *(TOP / "schemas").glob("*.md")]
    named = [(name(path), file) for path in pages for file in FILE_NAME.findall(path.read_text())]
    for path in SOURCES:
        for comment in re.findall(r"/\*.*?\*/", path.read_text(), re.S):
            named += [(name(path), file) for file in FILE_NAME.findall(comment)]
    assert len(named) > 50
    assert [one for one in named if one[1] not in known | ELSEWHERE and "NAME" not in one[1]] == []


def test_operations_are_declared_under_their_own_file():
    """daemon/ops/ops.h serves all files of operations; its comments say which functions are whose."""
    file = None
    for line in (TOP / "daemon/ops/ops.h").read_text().splitlines():
        if section := re.fullmatch(r"/\* (ops/\S+\.c) \*/", line):
            file = TOP / "daemon" / section[1]
        elif function := re.fullmatch(r"void (op_\w+) \(Call \*call\);", line):
            assert re.search(rf"^{function[1]} \(", file.read_text(), re.M), f"{function[1]} is not in {file.name}"


def test_no_two_headers_have_one_name():
    headers = [path for path in SOURCES if path.suffix == ".h" and path.parts[len(TOP.parts)] != "cli"]
    names = [path.name for path in headers]
    assert {one for one in names if names.count(one) > 1} == ONE_NAME_TWICE
