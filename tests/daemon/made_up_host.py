# SPDX-License-Identifier: LGPL-2.1-or-later
"""A host that is not there: what the kernel shows of its devices in sys and dev, below a directory of ours, and the
little of the kernel that gives them to drivers."""

import os
import re
import select
import threading


class MadeUpHost:
    """Use as a context manager. Functions begin with their host's driver; None: they have none."""

    def __init__(self, top):
        self.top = top
        self.pci = top / "sys/bus/pci"
        self.own = {}  # name → the driver the host has for it
        self.refusing = set()  # drivers that take nothing
        self.told, self.tell = os.pipe()  # "+": there is more to look at; "x": the end
        for directory in ("sys/kernel/iommu_groups", "sys/bus/pci/devices", "sys/bus/pci/drivers",
                          "sys/bus/usb/devices", "sys/bus/scsi/devices", "sys/bus/mdev/devices", "dev/vfio"):
            (top / directory).mkdir(parents=True)
        (top / "dev/vfio/vfio").touch()
        self.fifos = {}
        self.add_fifo(self.pci / "drivers_probe", self.probe)
        self.add_driver("vfio-pci")

    def add_fifo(self, path, act):
        os.mkfifo(path)
        self.fifos[os.open(path, os.O_RDWR | os.O_NONBLOCK)] = act
        os.write(self.tell, b"+")

    def add_driver(self, driver):
        if not (self.pci / "drivers" / driver).exists():
            (self.pci / "drivers" / driver).mkdir()
            self.add_fifo(self.pci / "drivers" / driver / "unbind", self.unbind)

    def add_function(self, name, group, driver="host-driver", kind="0x020000"):
        device = self.pci / "devices" / name
        device.mkdir()
        (device / "config").write_bytes(bytes(4096))
        (device / "class").write_text(f"{kind}\n")
        (device / "driver_override").write_text("(null)\n")
        members = self.top / f"sys/kernel/iommu_groups/{group}/devices"
        members.mkdir(parents=True, exist_ok=True)
        (members / name).symlink_to(device)
        (device / "iommu_group").symlink_to(members.parent)
        (self.top / f"dev/vfio/{group}").touch()
        self.own[name] = driver
        if driver is not None:
            self.add_driver(driver)
            (device / "driver").symlink_to(self.pci / "drivers" / driver)
        return device

    def add_usb(self, vendor, product, bus, device):
        directory = self.top / f"sys/bus/usb/devices/{bus}-{device}"
        directory.mkdir()
        for file, text in (("idVendor", f"{vendor:04x}"), ("idProduct", f"{product:04x}"), ("busnum", bus),
                           ("devnum", device)):
            (directory / file).write_text(f"{text}\n")
        node = self.top / f"dev/bus/usb/{bus:03}/{device:03}"
        node.parent.mkdir(parents=True, exist_ok=True)
        node.touch()

    def add_scsi(self, place, generic):
        (self.top / f"sys/bus/scsi/devices/{place}/scsi_generic/sg{generic}").mkdir(parents=True)
        (self.top / f"dev/sg{generic}").touch()

    def driver(self, name):
        link = self.pci / "devices" / name / "driver"
        return os.path.basename(os.readlink(link)) if link.is_symlink() else None

    # What the kernel does when it is told.

    def unbind(self, name):
        (self.pci / "devices" / name / "driver").unlink(missing_ok=True)

    def probe(self, name):
        device = self.pci / "devices" / name
        override = (device / "driver_override").read_text().splitlines()[0]
        driver = override if override not in ("", "(null)") else self.own[name]
        if driver is not None and driver not in self.refusing and not (device / "driver").is_symlink():
            (device / "driver").symlink_to(self.pci / "drivers" / driver)

    def run(self):
        while True:
            ready, _, _ = select.select([self.told, *self.fifos], [], [])
            for fifo in ready:
                said = os.read(fifo, 4096)
                if fifo != self.told:
                    for name in re.findall(r"[0-9a-f:]{10}\.[0-7]", said.decode()):  # writes may come together
                        self.fifos[fifo](name)
                elif b"x" in said:
                    return

    def __enter__(self):
        self.thread = threading.Thread(target=self.run)
        self.thread.start()
        return self

    def __exit__(self, *_):
        os.write(self.tell, b"x")
        self.thread.join()
        for descriptor in (self.told, self.tell, *self.fifos):
            os.close(descriptor)
