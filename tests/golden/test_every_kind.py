# SPDX-License-Identifier: LGPL-2.1-or-later
"""Documents other than domains: libvirt's paths of each kind are in our schema and in its field table, and in both no
others; and of what the schema accepts, nothing is dropped when it is read and written. The exceptions are listed, and
one that is no longer needed is a mistake too."""

import collections
import re
import subprocess

import every_path
import golden
import pytest
from lxml import etree
from test_every_path import differences, rewrite, REWRITE

FACTS = golden.FOLDER.parent / "facts"
SCHEMAS = golden.TOP / "schemas"
ATTEMPTS = 20

# Sizes are written in bytes, whatever their unit was.
COUNTED = re.compile(r"/(capacity|allocation|available|physical|clusterSize)(/@unit)?$")


class Kind:
    """@missing: paths of libvirt's that our schema does not have; @more: what it has besides, with all below it;
    @dropped: what is read over, as libvirt does."""

    def __init__(self, root, facts, schema, missing=(), more=(), table=False, dropped=()):
        self.root, self.facts, self.schema, self.table = root, facts, schema, table
        self.missing, self.more, self.dropped = set(missing), set(more), set(dropped)


KINDS = [
    Kind("pool", "storagepool.tsv", "storagepool.rng", table=True,
         dropped=[f"source/format/{one}{more}" for one in ("vendor", "product") for more in ("", "/@name")]),
    Kind("volume", "storagevol.tsv", "storagevol.rng", table=True),
    Kind("secret", "secret.tsv", "secret.rng", table=True),
    Kind("storagepoolCapabilities", "storagepoolcaps.tsv", "storagepoolcaps.rng"),
    # A size becomes bytes, and a node's number is of a machine that runs no more.
    Kind("domainsnapshot", "domainsnapshot.tsv", "domainsnapshot.rng", table=True,
         dropped=[f"{disks}/disk/{path}" for disks in ("disks", "revertDisks")
                  for path in ("driver/metadata_cache/max_size", "driver/metadata_cache/max_size/@unit",
                               "source/@index")]),
    Kind("domaincheckpoint", "domaincheckpoint.tsv", "domaincheckpoint.rng", table=True),
    Kind("domainbackup", "domainbackup.tsv", "domainbackup.rng", table=True),
    Kind("device", "nodedev.tsv", "nodedev.rng"),
    Kind("domainCapabilities", "domaincaps.tsv", "domaincaps.rng"),
    Kind("capabilities", "capability.tsv", "capability.rng"),
]


# Elements that a table keeps as they stand, with all that is in them, or has more of than the schema names.
WHOLE = {
    "domainsnapshot": {"disks/disk/source", "revertDisks/disk/source", "domain", "inactiveDomain", "cookie"},
    "domaincheckpoint": {"domain"},
    "domainbackup": {f"disks/disk/{store}/{part}" for store in ("target", "scratch")
                     for part in ("seclabel", "encryption")},
}


# Sources as a disk has them: what is in one is read by what it means, and tested with the domain's document.
SOURCES = {"domainsnapshot": {"disks/disk/source", "revertDisks/disk/source"}}
# What a table has besides: it is written of what runs, and in no document that a client sends.
LIVE = {"domainbackup": {"disks/disk/@index"}}


def growers(kind):
    root, steps = every_path.read_table(FACTS / kind.facts, kind.root)
    return every_path.Grower(every_path.read_schemas(SCHEMAS, kind.schema), root, kind.root), root, steps


def schema_paths(grower):
    """Every path of an element or attribute that the schema has; what it takes any content of ends with a star."""
    found = set()
    tag = every_path.RELAXNG

    def walk(pattern, above):
        kind = pattern.tag.removeprefix(tag) if isinstance(pattern.tag, str) else None
        if kind == "element":
            for name in grower.names(pattern):
                if (*above, name) not in found:
                    found.add((*above, name))
                for child in pattern:
                    walk(child, (*above, name))
        elif kind == "attribute" and pattern.get("name"):
            found.add((*above, f"@{pattern.get('name')}"))
        elif kind == "ref" and pattern.get("name") == "anyContent":
            found.add((*above, "*"))
        elif kind == "ref" and pattern.get("name") != "domain":
            for child in grower.patterns[pattern.get("name")]:
                walk(child, above)
        elif kind not in (None, "name", "except", "attribute", "ref"):
            for child in pattern:
                walk(child, above)

    for child in grower.patterns[kind_define(grower)].find(f"{tag}element"):
        walk(child, ())
    return found


def kind_define(grower):
    return grower.name


def is_below(path, tops):
    return any(path == top or path.startswith(top + "/") for top in tops)


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.root)
def test_schema_has_libvirts_paths_and_no_others(kind):
    grower, _, steps = growers(kind)
    missing = {"/".join(path) for path in steps if not grower.accepts(path)}
    assert missing == kind.missing
    known = {"/".join(path) for path in steps}
    wild = {path[:-1] for path in map(tuple, schema_paths(grower)) if path[-1] == "*"}
    more = {"/".join(path) for path in schema_paths(grower) if path[-1] != "*" and "/".join(path) not in known
            and path not in wild}
    assert {path for path in more if not is_below(path, kind.more)} == set()
    assert {top for top in kind.more if not any(is_below(path, [top]) for path in
                                                more | {"/".join(path) for path in wild})} == set()


def table_paths(kind):
    """Those of the field table, with the elements on the way to them."""
    lines = subprocess.run([REWRITE, "--paths", kind.root], stdout=subprocess.PIPE, check=True, text=True).stdout
    found = set()
    for line in lines.split():
        steps = [step.rpartition(":")[2] for step in line.split("/") if step != "."]
        found |= {tuple(steps[:length]) for length in range(1, len(steps) + 1)}
    return found


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind.table], ids=lambda kind: kind.root)
def test_table_and_schema_name_the_same_paths(kind):
    grower, _, _ = growers(kind)
    schema = {"/".join(path) for path in schema_paths(grower)}
    table = {"/".join(path) for path in table_paths(kind)}
    whole = table & WHOLE.get(kind.root, set())
    assert {path for path in schema - table if not is_below(path, whole)} == set()
    assert {path for path in table - schema if not is_below(path, whole)} == LIVE.get(kind.root, set())


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.root)
def test_nothing_is_dropped(kind):
    grower, root, steps = growers(kind)
    accepted = [path for path in steps if grower.accepts(path)]
    written = set()
    lost = collections.defaultdict(list)

    for attempt in range(ATTEMPTS):
        documents = [grower.document(path, attempt) for path in accepted if path not in written]
        wanted = [path for path in accepted if path not in written]
        for path, before, after in zip(wanted, documents, rewrite(documents, "--kinds") if documents else []):
            if after is None:
                continue
            written.add(path)
            gone, changed = differences(before, after, root)
            for one in gone | {path for path in changed if not COUNTED.search(path)}:
                lost[one].append(etree.tostring(before).decode())
    assert {path: texts[0] for path, texts in lost.items()
            if path.removeprefix(f"/{kind.root}/") not in kind.dropped} == {}
    assert kind.dropped <= {path.removeprefix(f"/{kind.root}/") for path in lost}
    unread = {"/".join(path) for path in accepted if path not in written}
    assert {path for path in unread if not is_below(path, SOURCES.get(kind.root, set()))} == set()
