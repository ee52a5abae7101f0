# SPDX-License-Identifier: LGPL-2.1-or-later
"""Nothing that a document says is dropped: each path of the format that our schemas accept, read and written again."""

import collections
import re
import subprocess

import every_path
import golden
from lxml import etree

REWRITE = golden.build_directory() / "tests" / "rewrite"
ATTEMPTS = 60
DEFINED_ATTEMPTS = 2
DOCUMENTS_AT_ONCE = 300

# Paths that the schemas accept and no document with them is understood: each is refused with its place.
REFUSED = re.compile(r"""^(
    devices/disk(/\w+)*/privateData                                 # libvirt's own notes in its state files
  | devices/(console|parallel)/target/(model(/@name)?|@type)        # only a serial port's has a meaning
  | datacenterpath(/text\(\))?                                      # of another namespace
)$""", re.VERBOSE)

# What is true only while a machine runs is not in its definition, and what libvirt does not keep of a definition we do
# not either: found by giving it the documents in question.
NOT_DEFINED = re.compile(r"""^/domain/(
    @id | devices/[\w-]+/alias(/@name)? | devices/\w+/@tty | devices/channel/target/@state
  | devices/interface/mac/@currentAddress
  | devices/disk/mirror(/.*)?
  | devices/(serial|parallel|console|channel|redirdev|smartcard)/source(/.*)?  # of a type that has none, or fewer parts
  | devices/(serial|parallel|console|channel|redirdev|smartcard)/(log|protocol)(/.*)?
  | devices/disk/geometry(/.*)?                                      # not whole
  | devices/graphics/@(passwdValidTo|connected|autoport|port)        # of no password, of no port, of one that is chosen
  | devices/graphics/@listen | devices/video/model/@heads            # '', 0
  | devices/interface/source/@macTableManager                        # a network's
  | devices/graphics/channel(/.*)?                                   # of the default's mode
  | devices/interface/driver(/.*)?                                   # of a card that is not virtio
  | devices/sound/(@streams|driver(/.*)?)                            # of one that is not, either
  | devices/memory/target/label(/.*)?                                # of what is no nvdimm
  | devices/tpm/backend/@persistent_state                            # 'no'
  | seclabel/(@relabel|label|imagelabel)                             # of a type that does not have it
  | devices/interface/mtu(/.*)?                                      # 0
  | os/bootmenu/@timeout                                             # of none that is enabled
  | cpu/model(/@fallback)?                                           # beside a mode that has none
  | features/hyperv/(vendor_id/@value|spinlocks/@retries)            # turned off
  | blkiotune(/.*)? | cputune(/.*)? | iothreads                      # 0: no limit
  | throttlegroups/throttlegroup/.*                                  # 0, too
)$""", re.VERBOSE)

# An address by itself, without what tells where, is no address; a placement is known by what it is given with; and some
# sizes are written in another unit than that of the test.
NOT_READ = re.compile(r"^/domain/(devices/\w+/address/@domain|devices/pstore/address/@slot|numatune/memory/@placement"
                      r"|devices/(filesystem/space_(hard|soft)_limit|shmem/size)(/@unit)?"
                      r"|features/smm/tseg(/@unit)?|devices/redirfilter/usbdev/@version|launchSecurity/handle"
                      r"|devices/interface/mac/@currentAddress|devices/interface/bandwidth(/@classID)?"
                      # How the host's function stands there is the host's own business.
                      r"|devices/(hostdev|interface)/source/address/@multifunction|devices/hostdev/source(/address)?"
                      r"|devices/disk(/\w+)*/(source(/address(/@multifunction)?)?|max_size(/@unit)?)"
                      # What libvirt forgets, too: that a connection to a server is made again later.
                      r"|devices/disk(/\w+)*/reconnect(/@\w+)?)$")

# What completion decides from the whole document and not from the value alone.
DECIDED = re.compile(r"^/domain/(memory|currentMemory|genid|os/type/@machine|clock/@(adjustment|offset)|cpu/@(check|match)"
                     r"|devices/graphics/@(listen|port)"
                     r"|cpu/numa/cell/cache/(size|line)/@unit"
                     r"|devices/console/target/@port|devices/hostdev/source/@name|devices/rng/backend"
                     r"|devices/video/model/@(primary|ram))$")


def rewrite(documents, *options):
    """What becomes of each: the document written again, None where it is refused."""
    result = subprocess.run([REWRITE, *options], input=b"".join(etree.tostring(one) + b"\0" for one in documents),
                            stdout=subprocess.PIPE, check=True)
    answers = result.stdout.split(b"\0")[:-1]
    assert len(answers) == len(documents)
    return [None if answer.startswith(b"!") else etree.fromstring(answer) for answer in answers]


def normal(text):
    """A value in the form in which two that are the same are equal."""
    text = (text or "").strip()
    if re.fullmatch(r"[0-9]+|0x[0-9a-fA-F]{1,16}", text):
        return str(int(text, 0 if text.startswith("0x") else 10))
    return text.replace("-", "") if re.fullmatch(r"[0-9a-f]{8}-?([0-9a-f]{4}-?){3}[0-9a-f]{12}", text) else text


def paths(element, above=""):
    """Each path with its value."""
    here = f"{above}/{etree.QName(element).localname}"
    yield here, normal(element.text) if len(element) == 0 else ""
    for name, value in element.items():
        yield f"{here}/@{etree.QName(name).localname}", normal(value)
    for child in element:
        yield from paths(child, here)


def says_nothing(element, root):
    """Is it empty, and could it hold something?"""
    if element.attrib or (element.text or "").strip() or any(not says_nothing(child, root) for child in element):
        return False
    node = root
    for above in reversed([element, *list(element.iterancestors())[:-1]]):
        node = node.children.get(above.tag) if node is not None else None
    return node is None or bool(node.attributes or node.text or node.children)


def differences(before, after, root):
    """The paths that are gone, and those whose value is another."""
    said, written = collections.Counter(paths(before)), collections.Counter(paths(after))
    count = collections.Counter(path for path, _ in said.elements())
    written_count = collections.Counter(path for path, _ in written.elements())
    for element in before.iter():
        if element is not before and says_nothing(element, root):
            count["/" + "/".join(etree.QName(above).localname
                                 for above in reversed([element, *element.iterancestors()]))] -= 1
    lost = {path for path, number in count.items() if written_count[path] < number}
    changed = {path for (path, value), number in said.items() if written[path, value] < number} - lost
    return lost, {path for path in changed if written_count[path] >= count[path] > 0}


def steps_in(element, above=()):
    """The way to everything that is said, as the table has it: what has any name stands there as a star."""
    yield from ((*above, "@*" if name == "any" else f"@{name}") for name in element.attrib)
    if (element.text or "").strip():
        yield (*above, "text()")
    for child in element:
        here = (*above, "*" if child.tag == every_path.ANY else child.tag)
        yield here
        yield from steps_in(child, here)


def rewritten(grower, accepted, attempt, mode, known):
    """The documents of that attempt that are accepted, of those paths that are not @known, and what becomes of each."""
    for start in range(0, len(accepted), DOCUMENTS_AT_ONCE):
        documents = [grower.document(path, attempt) for path in accepted[start:start + DOCUMENTS_AT_ONCE]
                     if path not in known]
        if not documents:
            continue
        yield from ((before, after) for before, after in zip(documents, rewrite(documents, mode)) if after is not None)


def test_nothing_is_dropped():
    """Each path is in a document that was read, and if it can be by itself, in one that was defined."""
    root, steps = every_path.read_table(golden.FOLDER.parent / "facts" / "domain.tsv")
    grower = every_path.Grower(every_path.read_schemas(golden.TOP / "schemas"), root)
    # The longest first: what leads to them is in their documents.
    accepted = sorted((path for path in steps if grower.accepts(path) and not REFUSED.match("/".join(path))),
                      key=len, reverse=True)
    known = {"--read": set(), "--define": set()}
    lost = collections.defaultdict(list)

    for attempt in range(ATTEMPTS):
        for mode in known:
            if mode == "--define" and attempt >= DEFINED_ATTEMPTS:
                continue
            for before, after in rewritten(grower, accepted, attempt, mode, known[mode]):
                known[mode].update(steps_in(before))
                gone, changed = differences(before, after, root)
                if mode == "--define":
                    gone = {one for one in gone if not NOT_DEFINED.match(one)}
                    changed = {one for one in changed if not DECIDED.match(one)}
                for one in gone | changed:
                    if not NOT_READ.match(one):
                        lost[mode, one].append(etree.tostring(before).decode())

    assert {key: found[0] for key, found in lost.items()} == {}
    assert ["/".join(path) for path in accepted if path not in known["--read"]] == []
    assert len(accepted) > 2990
    assert len(known["--define"].intersection(accepted)) > 1400
