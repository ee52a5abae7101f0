# SPDX-License-Identifier: LGPL-2.1-or-later
"""Documents that say what the format can say: for any path of tests/facts/domain.tsv one with that path in it.

The schemas say what goes with what: a document is grown from their root, with the way to the path that is wanted, what
must be there, and by chance something of what may be there. Where a schema takes any content, the table goes on: it
tells what an element may hold, how often, and which attribute of it selects the form that has it. Chance has a seed, so
that every run tries the same documents. Some are refused, since what goes with what is not all in there; another try is
another document.
"""

import random
import re

from lxml import etree

# What a string may be made of: the first few that fit the pattern of a value are taken.
STRINGS = ("word", "/some/path", "7", "0x5", "52:54:00:12:34:56", "192.0.2.7", "2001:db8::7", "host.example", "KiB",
           "6a6f6b65-0001-4000-8000-000000000001", "6a6f6b65000140008000000000000001", "ipv4", "yes", "0-3", "1.2",
           "0700", "0x1234", "0xf0", "0x0123456789abcdef", "AuthenticAMD", "[section] a", "/x.y", "x=y", "a:b", "0x12",
           "1", "3", "0", "vendor", "5000c50015ea71ac", "ABCDEFGH", "a.b", "sda", "2026-01-02T03:04:05", "-1",
           "naa.5123456789abcde0", "llc_occupancy")

NUMBERS = {"unsignedInt", "unsignedLong", "unsignedShort", "unsignedByte", "positiveInteger", "nonNegativeInteger",
           "integer", "int", "long", "short"}

# An element that may have any name and namespace.
ANY = "{urn:any}any"

# How likely what may be there is, from one try to the next; deeper down it is less likely.
LIKELY = (0.0, 0.1, 0.3)
BESIDE = (0.0, 0.5)

# Which of several forms an element has, its attributes say.
SELECTOR = re.compile(r"@([\w:]+)=(\S+)")

RELAXNG = "{http://relaxng.org/ns/structure/1.0}"


class Node:
    """An element of the table: its attributes, its text and its children."""

    def __init__(self, name, occurrence="1", when=""):
        self.name = name
        self.occurrence = occurrence
        self.when = when
        self.attributes = {}
        self.text = None
        self.children = {}


class Value:
    """An attribute of the table, or a text."""

    def __init__(self, row):
        self.occurrence = row[2]
        self.when = row[3]
        self.values = row[4]


def read_table(file, name="domain"):
    """The root node, and the steps to every path in the table's order."""
    root = Node(name)
    paths = []
    for line in file.read_text().splitlines()[1:]:
        row = (line.split("\t") + [""] * 5)[:5]
        steps = tuple(row[0].split("/")[2:])
        if not steps:
            continue
        paths.append(steps)
        node = root
        for step in steps[:-1]:
            node = node.children[step]
        if row[1] == "attribute":
            node.attributes[steps[-1][1:]] = Value(row)
        elif row[1] == "text":
            node.text = Value(row)
        else:
            node.children[steps[-1]] = Node(steps[-1], row[2], row[3])
    return root, paths


def read_schemas(folder, start="domain.rng"):
    """The patterns by name that @start includes; those of another namespace, which the table's paths leave out, hold
    nothing, but for a single element, which is in them by its own."""
    patterns = {}
    grammar = etree.parse(str(folder / start)).getroot()
    for include in grammar.iter(f"{RELAXNG}include"):
        patterns |= read_schemas(folder, include.get("href"))
    for define in grammar.iter(f"{RELAXNG}define"):
        if grammar.get("ns"):
            define[:] = [etree.Element(f"{RELAXNG}empty")]
        patterns[define.get("name")] = define
    return patterns


def a_number(facets, chance):
    low = int(facets.get("minInclusive", 0))
    high = int(facets.get("maxInclusive", low + 9))
    small = [value for value in (1, 2, 3, 4, 8) if low <= value <= high]
    return str(chance.choice(small) if small and chance.random() < 0.9 else chance.choice([low, high]))


def a_value(kind, pattern, facets, chance):
    if kind == "dateTime":
        return "2026-01-02T03:04:05"
    if kind in NUMBERS and pattern in (None, "[0-9]+", "-?[0-9]+"):
        return a_number({"minInclusive": 1, **facets} if kind == "positiveInteger" else facets, chance)
    able = [text for text in STRINGS if re.fullmatch(pattern or ".*", text)]
    return chance.choice(able[:4] if chance.random() < 0.3 else able[:1]) if able else "word"


class Table:
    """Growing by the table alone, where the schemas take any content."""

    def __init__(self, chance):
        self.chance = chance

    def forms(self, when):
        return [dict(SELECTOR.findall(form)) for form in re.split(r" OR |; ", when) if form.strip()]

    def selection(self, when):
        """One of the forms a condition names: "@type=a|b OR @type=c" may be type and b."""
        forms = self.forms(when)
        chosen = self.chance.choice(forms) if forms else {}
        return {name: self.chance.choice(values.split("|")) for name, values in chosen.items()}

    def fits(self, when, selected):
        forms = self.forms(when)
        return not forms or any(all(selected.get(name) in values.split("|") for name, values in form.items())
                                for form in forms)

    def value(self, values):
        alternatives = re.findall(r"<\w+(?: \w+=.*?)?>(?= \| |$)|[^<|][^|]*?(?= \| |$)", values) or ["<text>"]
        one = self.chance.choice(alternatives).strip()
        if not one.startswith("<"):
            return "" if one == "''" else one
        kind, _, rest = one[1:-1].partition(" ")
        facets = dict(re.findall(r"(\w{3}Inclusive)=(-?\d+)", rest))
        pattern = re.sub(r" ?\w{3}Inclusive=-?\d+", "", rest).removeprefix("pattern=")
        return a_value(kind, pattern or None, facets, self.chance)

    def wanted(self, occurrence, likely):
        if "|" in occurrence:
            return self.chance.random() < 0.5
        return occurrence in ("1", "+") or self.chance.random() < likely

    def fill(self, element, node, steps, likely):
        """What @element holds, with the way of @steps in it."""
        target = steps[0] if steps else None
        rows = {**{f"@{name}": row for name, row in node.attributes.items()}, **node.children}
        selected = self.selection(rows[target].when) if target in rows else {}
        for name in sorted({name for row in rows.values() for form in self.forms(row.when) for name in form}):
            row = node.attributes.get(name)
            if row is not None and name not in selected and (target == f"@{name}" or self.wanted(row.occurrence, 0.5)):
                selected[name] = self.value(row.values)
        for name, row in node.attributes.items():
            if name in selected:
                element.set(name, selected[name])
            elif target == f"@{name}" or (self.fits(row.when, selected) and self.wanted(row.occurrence, likely)):
                element.set("any" if name == "*" else name, self.value(row.values))
        if node.text is not None and not node.children:
            element.text = self.value(node.text.values)
        for name, child in node.children.items():
            if name == target or (self.fits(child.when, selected) and self.wanted(child.occurrence, likely)):
                below = etree.SubElement(element, ANY if name == "*" else name)
                self.fill(below, child, steps[1:] if name == target else (), likely / 2)


class Growth:
    """One document. What stands beside the wanted path is as likely as @beside says."""

    def __init__(self, grower, chance, beside):
        self.grower = grower
        self.chance = chance
        self.beside = beside
        self.table = Table(chance)

    def grow(self, pattern, element, node, steps, likely):
        """Adds to @element, which the table knows as @node, what @pattern stands for, with the way of @steps."""
        kind = pattern.tag.removeprefix(RELAXNG) if isinstance(pattern.tag, str) else None
        if kind is None or kind in ("empty", "anyName", "nsName", "name", "param", "except"):
            return
        if kind == "ref" and pattern.get("name") == "anyContent":
            if node is not None:
                self.table.fill(element, node, steps, likely)
            return
        if not steps and kind in ("optional", "zeroOrMore") and self.chance.random() >= likely:
            return
        getattr(self, kind, self.group)(pattern, element, node, steps, likely)

    def group(self, pattern, element, node, steps, likely):
        able = [child for child in pattern if steps and self.grower.reaches(child, steps)]
        on_the_way = self.chance.choice(able) if able else None
        for child in pattern:
            self.grow(child, element, node, steps if child is on_the_way else (), likely)

    def choice(self, pattern, element, node, steps, likely):
        able = [child for child in pattern if isinstance(child.tag, str)
                and (not steps or self.grower.reaches(child, steps))]
        if able:
            self.grow(self.chance.choice(able), element, node, steps, likely)

    def ref(self, pattern, element, node, steps, likely):
        define = self.grower.patterns[pattern.get("name")]
        self.group(define, element, node, steps, likely * 0.9)

    def attribute(self, pattern, element, _node, _steps, likely):
        if pattern.get("name") is None:
            return
        text = etree.Element("text")
        for child in pattern:
            self.grow(child, text, None, (), likely)
        element.set(pattern.get("name"), text.text or ("" if len(pattern) else "word"))

    def element(self, pattern, element, node, steps, likely):
        able = self.grower.names(pattern)
        name = steps[0] if steps and steps[0] in able else self.chance.choice(able) if able else None
        if name is None:
            return
        space = next((one.get("ns") for one in (pattern, *pattern.iterancestors()) if one.get("ns")), None)
        below = etree.SubElement(element, f"{{{space}}}{name}" if space else name)
        child = node.children.get(name) if node is not None else None
        self.group(pattern, below, child, steps[1:], max(likely, self.beside) if 1 < len(steps) < 4 else likely / 2)

    def value(self, pattern, element, *_):
        element.text = pattern.text

    def text(self, _pattern, element, *_):
        element.text = "word"

    def data(self, pattern, element, *_):
        parameters = {param.get("name"): param.text for param in pattern.iter(f"{RELAXNG}param")}
        element.text = a_value(pattern.get("type"), parameters.pop("pattern", None), parameters, self.chance)


class Grower:
    def __init__(self, patterns, root, name="domain"):
        self.name = name
        self.patterns = patterns
        self.root = root
        self.known = {}

    def names(self, pattern):
        if pattern.get("name") is not None:
            return [pattern.get("name")]
        return [name.text for choice in pattern.findall(f"{RELAXNG}choice") for name in choice.findall(f"{RELAXNG}name")]

    def reaches(self, pattern, steps):
        """Can @pattern stand for something with the way of @steps in it?"""
        key = (pattern, steps)
        if key not in self.known:
            self.known[key] = False  # a pattern that comes back to itself has no shorter way
            self.known[key] = self.looks(pattern, steps)
        return self.known[key]

    def looks(self, pattern, steps):
        kind = pattern.tag.removeprefix(RELAXNG) if isinstance(pattern.tag, str) else None
        if kind == "element":
            return steps[0] in self.names(pattern) and (
                len(steps) == 1 or any(self.reaches(child, steps[1:]) for child in pattern))
        if kind == "attribute":
            return len(steps) == 1 and steps[0] == f"@{pattern.get('name')}"
        if kind in ("value", "text", "data"):
            return steps == ("text()",)
        if kind == "ref":
            if pattern.get("name") == "anyContent":
                return True
            return any(self.reaches(child, steps) for child in self.patterns[pattern.get("name")])
        return kind is not None and kind not in ("name", "except") and any(self.reaches(child, steps)
                                                                           for child in pattern)

    def accepts(self, steps):
        return any(self.reaches(child, steps) for child in self.patterns[self.name].find(f"{RELAXNG}element"))

    def document(self, steps, attempt):
        """The @attempt-th document that has the way of @steps."""
        chance = random.Random(f"{'/'.join(steps)} {attempt}")
        domain = etree.Element(self.name)
        growth = Growth(self, chance, BESIDE[attempt % len(BESIDE)])
        growth.group(self.patterns[self.name].find(f"{RELAXNG}element"), domain, self.root, steps,
                     LIKELY[attempt % len(LIKELY)])
        if self.name == "domain":
            dress(domain, steps)
        return domain


def dress(domain, steps):
    """Not by chance: a machine that is completed, but where it is this that is looked at."""
    if steps != ("@type",):
        domain.set("type", "qemu")
    if steps[0] != "name":
        domain.find("name").text = "paths"
    if domain.find("memory") is None:
        etree.SubElement(domain, "memory").text = "1048576"
    if domain.find("os") is None:
        etree.SubElement(domain, "os")
    kind = domain.find("os/type")
    if kind is None:
        kind = etree.SubElement(domain.find("os"), "type")
    if steps[:2] != ("os", "type"):
        kind.attrib.clear()
        kind.text = "hvm"
        kind.set("machine", "q35")
