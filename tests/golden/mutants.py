# SPDX-License-Identifier: LGPL-2.1-or-later
"""Documents with one mistake each, made mechanically from good ones: an element or attribute that is missing, there
twice, moved to another parent or misspelt, a wrong value, a value that is right elsewhere, stray text, an attribute
where an element is meant and the reverse. Each says in which line a person would look for the mistake.
"""

import copy
import dataclasses
import random

from lxml import etree

WRONG = ("bogus", "-5", "", "99999999999999999999", "a b", "é")
ELSEWHERE = ("virtio", "qcow2", "hvm", "network", "yes", "off", "raw", "none", "bridge", "pty")


@dataclasses.dataclass
class Mutant:
    kind: str
    text: str
    lines: set  # where the mistake is: one of them


def flat(element):
    """A copy in which each element has a line of its own."""
    root = copy.deepcopy(element)
    for comment in root.xpath("//comment()|//processing-instruction()"):
        comment.getparent().remove(comment)
    etree.indent(root)
    return root


def misspell(word, chance):
    """Two neighbours swapped, one letter left out, or one doubled."""
    if len(word) < 3:
        return word + word[-1]
    at = chance.randrange(1, len(word) - 1)
    swapped = word[:at] + word[at + 1] + word[at] + word[at + 2:]
    return chance.choice([word[:at] + word[at + 1:], word[:at] + word[at] + word[at:],
                          swapped if swapped != word else word + "x"])


def is_leaf(element):
    return len(element) == 0


class Mutator:
    """Makes one mutant of a document after the other."""

    def __init__(self, root, seed):
        self.good = flat(root)
        self.chance = random.Random(seed)

    def elements(self, root, wanted=lambda element: True):
        return [one for one in root.iterdescendants(etree.Element) if wanted(one)
                and not any(above.tag == "metadata" for above in [one, *one.iterancestors()])]

    def pick(self, wanted=lambda element: True):
        root = copy.deepcopy(self.good)
        found = self.elements(root, wanted)
        return (root, self.chance.choice(found)) if found else (root, None)

    def delete(self):
        root, one = self.pick()
        parent = one.getparent()
        marks = [parent, one.getprevious() if one.getprevious() is not None else parent]
        if one.getnext() is not None:
            marks.append(one.getnext())
        parent.remove(one)
        return root, marks

    def delete_attribute(self):
        root, one = self.pick(lambda element: element.attrib)
        if one is not None:
            del one.attrib[self.chance.choice(list(one.attrib))]
        return root, [one]

    def duplicate(self):
        root, one = self.pick()
        again = copy.deepcopy(one)
        one.addnext(again)
        return root, [one, again]

    def move(self):
        root, one = self.pick()
        inside = set(one.iter())
        goals = [goal for goal in [root, *self.elements(root)] if goal not in inside and goal is not one.getparent()]
        if not goals:
            return root, [None]
        goal = self.chance.choice(goals)
        goal.insert(self.chance.randint(0, len(goal)), one)
        return root, [one, goal]

    def misspell_element(self):
        root, one = self.pick()
        one.tag = misspell(one.tag, self.chance)
        return root, [one]

    def misspell_attribute(self):
        root, one = self.pick(lambda element: element.attrib)
        if one is not None:
            name = self.chance.choice(list(one.attrib))
            if name.startswith("{"):
                return root, [None]
            pairs = [(misspell(key, self.chance) if key == name else key, value) for key, value in one.attrib.items()]
            one.attrib.clear()
            one.attrib.update(dict(pairs))
        return root, [one]

    def change_value(self, value):
        root, one = self.pick(lambda element: element.attrib or (is_leaf(element) and (element.text or "").strip()))
        if one is None:
            return root, [None]
        places = [*one.attrib, *([None] if is_leaf(one) and (one.text or "").strip() else [])]
        name = self.chance.choice(places)
        old = one.text if name is None else one.get(name)
        new = value(old)
        if new == old:
            return root, [None]
        if name is None:
            one.text = new
        else:
            one.set(name, new)
        return root, [one]

    def misspell_value(self):
        return self.change_value(lambda old: misspell(old, self.chance) if old else "x")

    def wrong_value(self):
        return self.change_value(lambda old: self.chance.choice(WRONG))

    def value_of_elsewhere(self):
        return self.change_value(lambda old: self.chance.choice(ELSEWHERE))

    def stray_text(self):
        root, one = self.pick(lambda element: not (is_leaf(element) and (element.text or "").strip()))
        if one is None:
            return root, [None]
        one.text = "stray" + (one.text or "")
        return root, [one]

    def attribute_as_element(self):
        root, one = self.pick(lambda element: element.attrib)
        if one is None:
            return root, [None]
        name = self.chance.choice(list(one.attrib))
        if name.startswith("{"):
            return root, [None]
        child = etree.SubElement(one, name)
        child.text = one.attrib.pop(name)
        return root, [child, one]

    def element_as_attribute(self):
        root, one = self.pick(lambda element: is_leaf(element) and element.getparent() is not None)
        if one is None or one.tag.startswith("{"):
            return root, [None]
        parent = one.getparent()
        if one.tag in parent.attrib:
            return root, [None]
        parent.set(one.tag, (one.text or "yes").strip())
        parent.remove(one)
        return root, [parent]

    KINDS = ("delete", "delete_attribute", "duplicate", "move", "misspell_element", "misspell_attribute",
             "misspell_value", "wrong_value", "value_of_elsewhere", "stray_text", "attribute_as_element",
             "element_as_attribute")

    def mutant(self, kind):
        """One of @kind; None where the document has nothing to make it of."""
        root, marks = getattr(self, kind)()
        if any(mark is None for mark in marks):
            return None
        places = [list(root.iter(etree.Element)).index(mark) for mark in marks]
        etree.indent(root)
        text = etree.tostring(root).decode() + "\n"
        again = list(etree.fromstring(text).iter(etree.Element))
        lines = {again[place].sourceline for place in places}
        return Mutant(kind, text, lines)


def mutants(documents, count, seed=1):
    """About @count of them, of each kind as many."""
    chance = random.Random(seed)
    made = []
    while len(made) < count:
        mutator = Mutator(chance.choice(documents), chance.random())
        one = mutator.mutant(Mutator.KINDS[len(made) % len(Mutator.KINDS)])
        if one is not None:
            made.append(one)
    return made
