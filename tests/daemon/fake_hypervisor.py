#!/usr/bin/python3 -B
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Firecracker or Cloud Hypervisor as far as the daemon sees it: the process, its API socket, its serial port. The file
name says which. Every body is held against the hypervisor's own schema (tests/facts), every answer is one of its own, and
what was asked is a line of requests.log beside the program.

`manners` beside it, a JSON object, says where it misbehaves: "METHOD PATH" to one of
    stall   it takes the request and is silent         die    it ends
    hangup  it closes the connection                   lie    it answers what is not HTTP
    endless it answers with more than anybody wants    list   its body is JSON, and no object
    no      it refuses, in its own words               chunks it answers in an encoding of its own
    huge    its body is said to be longer than any
    late    it does as it is asked, and is silent
"guest" to "keeps" (a device that it is asked to let go of), and "start" to "die" (with words on standard error) or "silent" (it makes no socket).
"""

import json
import os
import pathlib
import socket
import sys
import termios
import threading
import time

HERE = pathlib.Path(os.path.abspath(__file__)).parent
FACTS = pathlib.Path((HERE / "facts").read_text())
IS_FIRECRACKER = pathlib.Path(sys.argv[0]).name.startswith("firecracker")
# The parts of its config that Firecracker takes before the guest starts, with the schemas of their bodies.
PARTS = {"/boot-source": "BootSource", "/machine-config": "MachineConfiguration", "/drives": "Drive",
         "/network-interfaces": "NetworkInterface", "/vsock": "Vsock", "/balloon": "Balloon", "/entropy": "EntropyDevice",
         "/hotplug/memory": "MemoryHotplugConfig", "/pmem": "Pmem"}


def manners():
    path = HERE / "manners"
    return json.loads(path.read_text()) if path.exists() else {}


class Refused(Exception):
    pass


def check(name, body):
    """The body against its schema; one that is wrong is refused as the real one does."""
    import jsonschema
    import yaml
    document = yaml.safe_load((FACTS / ("firecracker.yaml" if IS_FIRECRACKER else "cloud-hypervisor.yaml")).read_text())
    where = "definitions" if IS_FIRECRACKER else "components"
    path = f"#/definitions/{name}" if IS_FIRECRACKER else f"#/components/schemas/{name}"
    try:
        jsonschema.Draft4Validator({"$ref": path, where: document[where]}).validate(body)
    except jsonschema.ValidationError as error:
        raise Refused(error.message) from None


class Firecracker:
    def __init__(self):
        self.state, self.config = "Not started", {}

    def answer(self, method, path, body):
        if (method, path) == ("GET", "/"):
            return {"app_name": "Firecracker", "id": "fake", "state": self.state, "vmm_version": "1.13.1"}
        part = path if path in PARTS else path.rpartition("/")[0]
        if method == "PUT" and part in PARTS and self.state == "Not started":
            check(PARTS[part], body)
            self.config[path] = body
        elif (method, path) == ("PUT", "/actions"):
            check("InstanceActionInfo", body)
            self.act(body["action_type"])
        elif (method, path) == ("PATCH", "/vm") and self.state != "Not started":
            check("Vm", body)
            self.state = {"Paused": "Paused", "Resumed": "Running"}[body["state"]]
        elif (method, path) == ("PATCH", "/balloon") and "/balloon" in self.config:
            check("BalloonUpdate", body)
        else:
            raise Refused(f"Invalid request method and/or path: {method} {path}.")
        return None

    def act(self, action):
        if action == "InstanceStart":
            if "/boot-source" not in self.config:
                raise Refused("Cannot start microvm without kernel configuration.")
            self.state = "Running"
            guest_speaks()
        elif action == "SendCtrlAltDel":
            threading.Timer(0.1, os._exit, (0,)).start()

    @staticmethod
    def refusal(words):
        return {"fault_message": words}


class CloudHypervisor:
    # What can be added: the call, the schema of its body, and where the config has it.
    ADDED = {"vm.add-disk": ("DiskConfig", "disks"), "vm.add-net": ("NetConfig", "net"), "vm.add-fs": ("FsConfig", "fs"),
             "vm.add-pmem": ("PmemConfig", "pmem")}

    def __init__(self):
        self.state, self.config, self.devices, self.served = None, None, {}, []

    def add(self, device):
        if device["id"] in self.devices:
            raise Refused(f"DeviceIdAlreadyExists({device['id']})")
        if "socket" in device:
            self.connect(device["socket"])
        self.devices[device["id"]] = {"id": device["id"], "resources": [], "children": []}

    def connect(self, path):
        """A helper that is not there is found when the machine is made."""
        client = socket.socket(socket.AF_UNIX)
        try:
            client.connect(path)
        except OSError as error:
            raise Refused(f"cannot connect to {path}: {error.strerror}") from None
        self.served.append(client)

    def remove(self, name):
        """The config forgets it at once, the tree of devices when the guest has let go."""
        if name not in self.devices:
            raise Refused(f"UnknownDeviceId({name})")
        for _, where in self.ADDED.values():
            self.config[where] = [one for one in self.config.get(where, []) if one["id"] != name]
        if manners().get("guest") != "keeps":
            threading.Timer(0.2, self.devices.pop, (name, None)).start()

    def answer(self, method, path, body):
        call = path.removeprefix("/api/v1/")
        if (method, call) == ("GET", "vm.info") and self.config is not None:
            return {"config": self.config, "state": self.state, "device_tree": self.devices}
        if (method, call) == ("GET", "vm.counters") and self.config is not None:
            return {name: {"read_bytes": 4096, "write_bytes": 512, "read_ops": 3, "write_ops": 1} for name in self.devices}
        if method != "PUT":
            raise Refused("no such endpoint")
        if call in self.ADDED:
            schema, where = self.ADDED[call]
            check(schema, body)
            self.add(body)
            self.config.setdefault(where, []).append(body)
            return {"id": body["id"], "bdf": "0000:00:08.0"}
        if call == "vm.remove-device":
            check("VmRemoveDevice", body)
            self.remove(body["id"])
        elif call == "vm.create":
            check("VmConfig", body)
            self.config, self.state = body, "Created"
            for _, where in self.ADDED.values():
                for device in body.get(where, []):
                    self.add(device)
            if "tpm" in body:
                self.connect(body["tpm"]["socket"])
            for console in ("serial", "console"):
                if body[console]["mode"] == "Pty":
                    self.keep = os.openpty()
                    self.config[console]["file"] = os.ttyname(self.keep[1])
        elif call == "vm.resize":
            check("VmResize", body)
        else:
            before, after = {"vm.boot": ("Created", "Running"), "vm.pause": ("Running", "Paused"),
                             "vm.resume": ("Paused", "Running"), "vm.reboot": ("Running", "Running"),
                             "vm.nmi": ("Running", "Running"), "vm.power-button": ("Running", "Running")}[call]
            if self.state != before:
                raise Refused(f"VM is {self.state}")
            self.state = after
            if call == "vm.power-button":
                threading.Timer(0.1, os._exit, (0,)).start()
        return None

    @staticmethod
    def refusal(words):
        return [words]


def guest_speaks():
    """A guest that greets, and says again what it is told."""
    def run():
        if os.isatty(1):
            mode = termios.tcgetattr(1)
            mode[1] &= ~termios.OPOST
            mode[3] &= ~(termios.ECHO | termios.ICANON)
            termios.tcsetattr(1, termios.TCSANOW, mode)
        os.write(1, b"guest: ready\n")
        while line := os.read(0, 100):
            os.write(1, b"guest: " + line)

    threading.Thread(target=run, daemon=True).start()


def send(connection, status, body):
    text = b"" if body is None else json.dumps(body).encode()
    head = f"HTTP/1.1 {status} Words\r\nServer: fake\r\nContent-Length: {len(text)}\r\n\r\n"
    connection.sendall((head.replace("Content-Length: 0\r\n", "") if not text else head).encode() + text)


def misbehave(connection, manner):
    if manner == "stall":
        time.sleep(1000)
    elif manner == "die":
        print("thread 'vmm' panicked at 'the moon is in the wrong phase'", file=sys.stderr, flush=True)
        os._exit(148)
    elif manner == "lie":
        connection.sendall(b"220 this is a mail server\r\n\r\n")
    elif manner == "endless":
        try:
            connection.sendall(b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 1000000)
        except OSError:
            pass
    elif manner == "huge":
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 99999999999\r\n\r\n{")
    elif manner == "list":  # "hangup" says nothing at all
        send(connection, 200, [1, 2])
    elif manner == "chunks":
        connection.sendall(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n")


def serve(connection, machine):
    stream = connection.makefile("rb")
    method, path, _ = stream.readline().decode().split(" ", 2)
    length = 0
    while (line := stream.readline().strip()):
        name, _, value = line.decode().partition(":")
        if name.lower() == "content-length":
            length = int(value)
    body = json.loads(stream.read(length)) if length else None
    with open(HERE / "requests.log", "a", encoding="utf-8") as log:
        log.write(json.dumps([method, path, body]) + "\n")
    manner = manners().get(f"{method} {path}")
    if manner not in (None, "no", "late"):
        misbehave(connection, manner)
        return
    try:
        if manner == "no":
            raise Refused("the moon is in the wrong phase")
        answer = machine.answer(method, path, body)
        if manner == "late":
            time.sleep(1000)
        send(connection, 200 if answer is not None else 204, answer)
    except Refused as refused:
        send(connection, 400, machine.refusal(str(refused)))


def main():
    words = dict(zip(sys.argv[1:], sys.argv[2:]))
    path = words["--api-sock"] if IS_FIRECRACKER else words["--api-socket"].removeprefix("path=")
    manner = manners().get("start")
    if manner == "die":
        print("Error: no /dev/kvm, and the moon is in the wrong phase", file=sys.stderr, flush=True)
        sys.exit(1)
    if manner == "silent":
        time.sleep(1000)
    listening = socket.socket(socket.AF_UNIX)
    listening.bind(path)
    listening.listen()
    machine = Firecracker() if IS_FIRECRACKER else CloudHypervisor()
    while True:
        connection, _ = listening.accept()

        def run(connection=connection):
            with connection:
                try:
                    serve(connection, machine)
                except (OSError, ValueError):
                    pass

        threading.Thread(target=run, daemon=True).start()


if __name__ == "__main__":
    main()
