# SPDX-License-Identifier: LGPL-2.1-or-later
"""What a desktop program shows, by its accessibility tree, as a screen reader has it.

    accessible.py wait TEXT...      until all of them are shown: exit status 0
    accessible.py press ROLE NAME   find it, and do its (first) action
    accessible.py click TEXT        click on the row of a list, or the tab, that shows TEXT
    accessible.py set NAME NUMBER   turn a spin button
    accessible.py type NAME TEXT    fill a field
    accessible.py tree              everything, indented

A program of its own because the accessibility bus belongs to one desktop, and a test process sees several.
"""

import sys
import time
import warnings

import gi

gi.require_version("Atspi", "2.0")
from gi.repository import Atspi, GLib  # noqa: E402

warnings.simplefilter("ignore", DeprecationWarning)  # of getters that only newer libraries have other names for

PATIENCE = 100  # seconds
MAX_DEPTH = 40
MAX_CHILDREN = 500


def walk(node, depth=0):
    """(depth, node) of everything that is shown below @node."""
    yield depth, node
    if depth < MAX_DEPTH:
        for index in range(min(node.get_child_count(), MAX_CHILDREN)):
            child = node.get_child_at_index(index)
            if child is not None and (depth < 1 or child.get_state_set().contains(Atspi.StateType.VISIBLE)):
                yield from walk(child, depth + 1)


def everything():
    """Like walk(), of the whole desktop. Windows come and go meanwhile: what has gone is left out."""
    try:
        yield from walk(Atspi.get_desktop(0))
    except GLib.Error:
        return


def texts(node):
    found = [node.get_name() or ""]
    if node.get_text_iface() is not None:
        text = node.get_text_iface()
        found.append(Atspi.Text.get_text(text, 0, Atspi.Text.get_character_count(text)))
    return found


def find(condition):
    """The first thing on the desktop that @condition holds for, once there is one."""
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        Atspi.get_desktop(0).clear_cache()
        for _, node in everything():
            try:
                if condition(node):
                    return node
            except GLib.Error:
                continue
        time.sleep(0.2)
    return None


def shows(wanted):
    return lambda node: any(wanted in text for text in texts(node))


def press(node):
    return node.get_action_iface() is not None and Atspi.Action.do_action(node.get_action_iface(), 0)


def click(node):
    area = Atspi.Component.get_extents(node.get_component_iface(), Atspi.CoordType.SCREEN)
    return Atspi.generate_mouse_event(area.x + area.width // 2, area.y + area.height // 2, "b1c")


def turn(node, number):
    return Atspi.Value.set_current_value(node.get_value_iface(), number)


def tree():
    for depth, node in everything():
        print("  " * depth + f"{node.get_role_name()}: {' | '.join(filter(None, texts(node)))!r}")


def main(command, *words):
    if command == "tree":
        tree()
        return 0
    if command == "wait":
        missing = [word for word in words if find(shows(word)) is None]
        done = not missing
    elif command == "press":
        role, name = words
        node = find(lambda node: node.get_role_name() == role and node.get_name() == name
                    and node.get_state_set().contains(Atspi.StateType.SENSITIVE))
        done = node is not None and press(node)
    elif command == "type":
        name, text = words
        node = find(lambda node: node.get_role_name() == "text" and node.get_name() == name
                    and node.get_state_set().contains(Atspi.StateType.SHOWING))
        done = node is not None and Atspi.EditableText.set_text_contents(node.get_editable_text_iface(), text)
    elif command == "set":
        name, number = words
        node = find(lambda node: node.get_role_name() == "spin button" and node.get_name() == name)
        done = node is not None and turn(node, float(number))
    else:
        node = find(lambda node: node.get_role_name() in ("table cell", "list item", "page tab") and shows(words[0])(node))
        done = node is not None and click(node)
    if not done:
        print(f"accessible: {command} {words} failed; this is shown:")
        tree()
    return 0 if done else 1


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
