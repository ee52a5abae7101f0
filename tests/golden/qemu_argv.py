# SPDX-License-Identifier: LGPL-2.1-or-later
"""Command lines of golden documents: made by ours, kept in a case's qemu-argv, and changed so that QEMU can be started
with them anywhere: images are made, servers listen on sockets in a scratch directory."""

import json
import pathlib
import socket
import subprocess

import golden

TRANSLATE = golden.build_directory() / "tests" / "translate"
RUN_DIRECTORY = "/run/domaind/machines/UUID"
NEEDS = {"egl-headless": "a render node", "sdl": "a display", "dbus": "a bus"}
HOST_DEVICES = ("vfio-pci", "usb-host", "vhost-scsi-pci", "scsi-generic")


def translate(name, directory=RUN_DIRECTORY):
    return subprocess.run([TRANSLATE, directory, "domain.xml"], cwd=golden.FOLDER / name, capture_output=True,
                          text=True, check=False)


def options(text):
    """[(option, value or None)], the emulator's own line first."""
    return [(option, value or None) for option, _, value in (line.partition(" ") for line in text.splitlines())]


def missing(arguments):
    """What this command line needs and a test's host does not have; None when it can be started anywhere."""
    if any(option == "-device" and json.loads(value)["driver"].startswith(HOST_DEVICES) for option, value in arguments):
        return "a device of the host to give away"
    return next((NEEDS[value.split(",")[0]] for option, value in arguments
                 if option == "-display" and value.split(",")[0] in NEEDS), None)


def make_image(path, image_format):
    subprocess.run(["qemu-img", "create", "-q", "-f", image_format, path, "1M"], check=True)


def startable(arguments, directory):
    """The same machine with images of our own and no ports."""
    nodes = [json.loads(value) for option, value in arguments if option == "-blockdev"]
    formats = {node["file"]: node["driver"] for node in nodes if "file" in node}
    words = []
    for option, value in arguments:
        if option == "-blockdev" and "filename" in (node := json.loads(value)):
            node["filename"] = str(directory / f"{node['node-name']}.img")
            node["driver"] = "file"
            if not pathlib.Path(node["filename"]).exists():
                make_image(node["filename"], formats[node["node-name"]])
            value = json.dumps(node)
        elif option == "-chardev" and value.startswith("file,"):
            value = value.split(",path=")[0] + f",path={directory}/output"
        elif option == "-chardev" and ",path=/tmp/" in value and f",path={directory}/" not in value:
            value = value.replace(",path=/tmp/", f",path={directory}/")
        elif option == "-vnc" and ":" in value and not value.startswith("unix:"):
            value = ",".join([f"unix:{directory}/vnc"] + value.split(",")[1:])
        elif option == "-spice":
            rest = [word for word in value.split(",") if not word.startswith(("port=", "addr=", "unix="))]
            value = ",".join(["unix=on", f"addr={directory}/spice", *rest])
        elif option == "-audiodev" and "path" in (audio := json.loads(value)):
            value = json.dumps({**audio, "path": str(directory / "sound.wav")})
        elif option == "-object" and "mem-path" in (memory := json.loads(value)):
            value = json.dumps({**memory, "mem-path": str(directory / memory["id"])})
        elif option in ("-kernel", "-initrd", "-append"):
            continue
        elif option == "-netdev":
            value = json.dumps({"type": "user", "id": json.loads(value)["id"]})
        elif option == "-chardev" and value.startswith("socket,id=charnet"):
            continue
        words += [option] if value is None else [option, value]
    return words


class Machine:
    """QEMU with that command line, its monitor connected; ended at the end of the `with`."""

    def __init__(self, words, monitor):
        self.process = subprocess.Popen(words, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                        stderr=subprocess.STDOUT, text=True)
        self.monitor = monitor

    def __enter__(self):
        connection = socket.socket(socket.AF_UNIX)
        while connection.connect_ex(str(self.monitor)):
            if self.process.poll() is not None:
                raise AssertionError(f"QEMU ended: {self.process.stdout.read()}")
        self.stream = connection.makefile("rw")
        self.stream.readline()
        self.ask("qmp_capabilities")
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.communicate()

    def ask_all(self, questions):
        """What it says to each (command, arguments), asked at once: the answer, or None where it refuses."""
        self.stream.write("".join(json.dumps({"execute": command, "arguments": arguments}) + "\n"
                                  for command, arguments in questions))
        self.stream.flush()
        answers = []
        while len(answers) < len(questions):
            answer = json.loads(self.stream.readline())
            if "event" not in answer:
                answers.append(answer.get("return"))
        return answers

    def ask(self, command, **arguments):
        return self.ask_all([(command, arguments)])[0]


# Members of -device that are no property of the device, or are another thing in it: its type and name, where it sits
# (which is looked at by itself), and names that QEMU resolves.
NOT_ASKED = {"driver", "id", "bus", "addr", "multifunction", "drive", "netdev", "chardev", "audiodev", "memdev", "fsdev",
             "iothread", "masterbus", "port", "rng", "cryptodev", "tpmdev", "iobase", "channel", "scsi-id", "lun", "unit",
             "bootindex", "failover", "disable-legacy", "disable-modern"}
ON_OFF = {"on": True, "off": False}


def same_value(said, has):
    """Is what the machine has what was said? Sizes and switches have more than one spelling."""
    if isinstance(has, bool) and isinstance(said, str):
        said = ON_OFF.get(said, said)
    if isinstance(has, str) and isinstance(said, bool):
        has = ON_OFF.get(has, has)
    return said == has or str(said).lower() == str(has).lower()


def device_options(arguments):
    return [json.loads(value) for option, value in arguments if option == "-device"]


def ids_of(arguments, wanted, key):
    """The names of what these options make, as their first or their JSON member says."""
    found = set()
    for option, value in arguments:
        if option == wanted and value.startswith("{"):
            found.add(json.loads(value)[key])
        elif option == wanted:
            found.add(dict(word.partition("=")[::2] for word in value.split(","))[key])
    return found


def wrong_properties(machine, devices):
    """[(device, property, what was said, what it is)] for all that differ."""
    questions = [(device, name, value) for device in devices if "id" in device
                 for name, value in device.items() if name not in NOT_ASKED]
    answers = machine.ask_all([("qom-get", {"path": f"/machine/peripheral/{device['id']}", "property": name})
                               for device, name, _ in questions])
    return [(device["id"], name, value, has) for (device, name, value), has in zip(questions, answers)
            if not same_value(value, has)]


def document_places(name):
    """What the running document says of PCI devices: id -> where it may be, device and function as one number. The
    controllers of one USB bus share its id."""
    found = {}
    for line in golden.text(name, "aliases.txt").splitlines():
        _, alias, *words = line.split(" ")
        address = dict(word.split("=", 1) for word in words if "=" in word)
        if address.get("type") == "pci" and alias != "-":
            place = int(address["slot"], 16) * 8 + int(address["function"], 16)
            found.setdefault(alias, set()).add(place)
    return found


def pci_places(arguments):
    """What the command line says: id → (bus, device and function as one number)."""
    found = {}
    for device in (json.loads(value) for option, value in arguments if option == "-device"):
        if isinstance(device.get("addr"), str) and "id" in device:
            slot, _, function = device["addr"].partition(".")
            found[device["id"]] = (device["bus"], int(slot, 16) * 8 + int(function or "0", 16))
    return found


def pci_place(machine, device):
    """The same as the machine has it."""
    path = f"/machine/peripheral/{device}"
    bus = machine.ask("qom-get", path=path, property="parent_bus")
    return bus.rpartition("/")[2], machine.ask("qom-get", path=path, property="addr")
