# SPDX-License-Identifier: LGPL-2.1-or-later
"""Every error that can be provoked, of domaind and of the real libvirtd: the same number, the same part of libvirt, the
same level and the same words.

A provocation is a line of the tables below: what is wrong, and the call that does it, with the connection, a machine
that runs (paused, so that it stays as it is) and one that does not. What cannot be the same is in KNOWN.
"""

import re
import socket
import subprocess
import types
import uuid

import both
import libvirt
import libvirt_qemu
import pytest

LIVE, CONFIG = libvirt.VIR_DOMAIN_AFFECT_LIVE, libvirt.VIR_DOMAIN_AFFECT_CONFIG
NOBODY = "0b6e8d56-0000-4000-8000-000000000000"
BAD = 1 << 30  # a flag that nothing has

DOCUMENT = """<domain type='qemu'>
  <name>{name}</name>
  <uuid>{uuid}</uuid>
  <memory unit='MiB'>64</memory>
  <vcpu current='1'>2</vcpu>
  <os><type arch='x86_64' machine='pc-q35-7.2'>hvm</type></os>
  <devices>
    <disk type='file' device='disk'>
      <driver name='qemu' type='raw'/><source file='{image}'/><target dev='vda' bus='virtio'/>
    </disk>
    <disk type='file' device='cdrom'><target dev='sda' bus='sata'/><readonly/></disk>
    <serial type='pty'/>
    <serial type='null'/>
    <channel type='unix'><target type='virtio' name='org.qemu.guest_agent.0'/></channel>
    <graphics type='vnc' port='-1'/>
    <video><model type='vga'/></video>
  </devices>
</domain>
"""

DISK = "<disk type='file' device='disk'><source file='/dev/null'/><target dev='{}' bus='virtio'/></disk>"
INTERFACE = "<interface type='user'><mac address='52:54:00:00:00:{}'/><model type='virtio'/></interface>"


def minimal(inside="", kind="qemu", name="<name>new</name>", memory="<memory>65536</memory>",
            os="<os><type arch='x86_64'>hvm</type></os>"):
    return f"<domain type='{kind}'>{name}{memory}{os}{inside}</domain>"


def devices(inside):
    return minimal(f"<devices>{inside}</devices>")


LOOKUPS = [
    ("domain by name", lambda w: w.c.lookupByName("nobody")),
    ("domain by empty name", lambda w: w.c.lookupByName("")),
    ("domain by UUID", lambda w: w.c.lookupByUUIDString(NOBODY)),
    ("domain by id", lambda w: w.c.lookupByID(9999)),
    ("network by name", lambda w: w.c.networkLookupByName("nobody")),
    ("network by UUID", lambda w: w.c.networkLookupByUUIDString(NOBODY)),
    ("pool by name", lambda w: w.c.storagePoolLookupByName("nobody")),
    ("pool by UUID", lambda w: w.c.storagePoolLookupByUUIDString(NOBODY)),
    ("pool by path", lambda w: w.c.storagePoolLookupByTargetPath("/nowhere")),
    ("volume by path", lambda w: w.c.storageVolLookupByPath("/nowhere/at/all")),
    ("volume by key", lambda w: w.c.storageVolLookupByKey("nobody")),
    ("node device by name", lambda w: w.c.nodeDeviceLookupByName("nobody")),
    ("secret by UUID", lambda w: w.c.secretLookupByUUIDString(NOBODY)),
    ("secret by usage", lambda w: w.c.secretLookupByUsage(libvirt.VIR_SECRET_USAGE_TYPE_VOLUME, "nobody")),
    ("filter by name", lambda w: w.c.nwfilterLookupByName("nobody")),
    ("filter by UUID", lambda w: w.c.nwfilterLookupByUUIDString(NOBODY)),
    ("filter binding", lambda w: w.c.nwfilterBindingLookupByPortDev("nobody")),
    *((f"stale: {method}", lambda w, method=method: getattr(w.stale, method)())
      for method in ("create", "info", "XMLDesc", "isActive", "undefine", "destroy", "state", "autostart", "hasManagedSaveImage",
                     "maxMemory", "OSType", "suspend", "hasCurrentSnapshot", "snapshotListNames")),
    ("snapshot by name", lambda w: w.off.snapshotLookupByName("nobody")),
    ("current snapshot", lambda w: w.off.snapshotCurrent()),
    ("checkpoint by name", lambda w: w.off.checkpointLookupByName("nobody")),
]

# What takes a running machine, of one that does not run.
STOPPED = [
    ("destroy", lambda d: d.destroy()),
    ("destroy gracefully", lambda d: d.destroyFlags(libvirt.VIR_DOMAIN_DESTROY_GRACEFUL)),
    ("suspend", lambda d: d.suspend()),
    ("resume", lambda d: d.resume()),
    ("shutdown", lambda d: d.shutdown()),
    ("shutdown by agent", lambda d: d.shutdownFlags(libvirt.VIR_DOMAIN_SHUTDOWN_GUEST_AGENT)),
    ("reboot", lambda d: d.reboot(0)),
    ("reset", lambda d: d.reset()),
    ("NMI", lambda d: d.injectNMI()),
    ("wakeup", lambda d: d.pMWakeup()),
    ("sleep", lambda d: d.pMSuspendForDuration(0, 0)),
    ("keys", lambda d: d.sendKey(0, 0, [1], 1)),
    ("console", lambda d: d.openConsole(None, d.connect().newStream(), 0)),
    ("channel", lambda d: d.openChannel(None, d.connect().newStream(), 0)),
    ("graphics", lambda d: d.openGraphicsFD(0)),
    ("screenshot", lambda d: d.screenshot(d.connect().newStream(), 0)),
    ("save", lambda d: d.save("/tmp/nowhere/file")),
    ("managed save", lambda d: d.managedSave()),
    ("core dump", lambda d: d.coreDump("/tmp/nowhere/core")),
    ("memory of the live one", lambda d: d.setMemory(32768)),
    ("memory live", lambda d: d.setMemoryFlags(32768, LIVE)),
    ("vCPUs of the live one", lambda d: d.setVcpus(1)),
    ("vCPUs live", lambda d: d.setVcpusFlags(1, LIVE)),
    ("count vCPUs live", lambda d: d.vcpusFlags(LIVE)),
    ("maximum of vCPUs", lambda d: d.maxVcpus()),
    ("vCPU information", lambda d: d.vcpus()),
    ("memory statistics", lambda d: d.memoryStats()),
    ("block statistics", lambda d: d.blockStats("vda")),
    ("block statistics with flags", lambda d: d.blockStatsFlags("vda")),
    ("interface statistics", lambda d: d.interfaceStats("vnet0")),
    ("CPU statistics", lambda d: d.getCPUStats(True)),
    ("disk errors", lambda d: d.diskErrors()),
    ("control information", lambda d: d.controlInfo()),
    ("abort a job", lambda d: d.abortJob()),
    ("job statistics", lambda d: d.jobStats()),
    ("statistics period live", lambda d: d.setMemoryStatsPeriod(5, LIVE)),
    ("attach live", lambda d: d.attachDevice(DISK.format("vdb"))),
    ("attach with flag", lambda d: d.attachDeviceFlags(DISK.format("vdb"), LIVE)),
    ("detach live", lambda d: d.detachDevice(DISK.format("vdb"))),
    ("detach with flag", lambda d: d.detachDeviceFlags(DISK.format("vdb"), LIVE)),
    ("detach alias live", lambda d: d.detachDeviceAlias("ua-x", LIVE)),
    ("update live", lambda d: d.updateDeviceFlags(DISK.format("vdb"), LIVE)),
    ("metadata live", lambda d: d.metadata(libvirt.VIR_DOMAIN_METADATA_TITLE, None, LIVE)),
    ("set metadata live", lambda d: d.setMetadata(libvirt.VIR_DOMAIN_METADATA_TITLE, "x", None, None, LIVE)),
    ("block peek", lambda d: d.blockPeek("vda", 0, 1)),
    ("memory peek", lambda d: d.memoryPeek(0, 1, libvirt.VIR_MEMORY_PHYSICAL)),
    ("block job", lambda d: d.blockJobAbort("vda")),
    ("block pull", lambda d: d.blockPull("vda")),
    ("block resize", lambda d: d.blockResize("vda", 1)),
    ("time", lambda d: d.getTime()),
    ("set time", lambda d: d.setTime({"seconds": 1, "nseconds": 0})),
    ("host name", lambda d: d.hostname()),
    ("freeze", lambda d: d.fsFreeze()),
    ("thaw", lambda d: d.fsThaw()),
    ("trim", lambda d: d.fSTrim(None, 0)),
    ("file systems", lambda d: d.fsInfo()),
    ("password", lambda d: d.setUserPassword("root", "x")),
    ("guest information", lambda d: d.guestInfo()),
    ("guest's vCPUs", lambda d: d.guestVcpus()),
    ("set guest's vCPUs", lambda d: d.setGuestVcpus("0", 1)),
    ("agent command", lambda d: libvirt_qemu.qemuAgentCommand(d, "{}", 1, 0)),
    ("agent timeout", lambda d: d.agentSetResponseTimeout(1)),
    ("keys of a user", lambda d: d.authorizedSSHKeysGet("root")),
    ("addresses", lambda d: d.interfaceAddresses(libvirt.VIR_DOMAIN_INTERFACE_ADDRESSES_SRC_LEASE)),
    ("monitor command", lambda d: libvirt_qemu.qemuMonitorCommand(d, "{}", 0)),
    ("pin live", lambda d: d.pinVcpuFlags(0, (True,), LIVE)),
    ("emulator pin live", lambda d: d.emulatorPinInfo(LIVE)),
    ("block tuning live", lambda d: d.blockIoTune("vda", LIVE)),
    ("memory parameters live", lambda d: d.memoryParameters(LIVE)),
    ("blkio parameters live", lambda d: d.blkioParameters(LIVE)),
    ("numa parameters live", lambda d: d.numaParameters(LIVE)),
    ("scheduler live", lambda d: d.schedulerParametersFlags(LIVE)),
    ("perf events live", lambda d: d.perfEvents(LIVE)),
    ("I/O threads live", lambda d: d.ioThreadInfo(LIVE)),
    ("block threshold", lambda d: d.setBlockThreshold("vda", 1)),
    ("process signal", lambda d: d.sendProcessSignal(1, 1)),
    ("lifecycle action live", lambda d: d.setLifecycleAction(0, 0, LIVE)),
    ("interface parameters live", lambda d: d.interfaceParameters("vnet0", LIVE)),
]

# Of the running machine, or of either.
WRONG = [
    ("start what runs", lambda w: w.on.create()),
    ("start what runs, with a flag", lambda w: w.on.createWithFlags(libvirt.VIR_DOMAIN_START_PAUSED)),
    ("rename what runs", lambda w: w.on.rename("other")),
    ("rename to what is there", lambda w: w.off.rename("on")),
    ("rename to itself", lambda w: w.off.rename("off")),
    ("rename to nothing", lambda w: w.off.rename("")),
    ("maximum of memory of what runs", lambda w: w.on.setMaxMemory(32768)),
    ("more memory than there is", lambda w: w.on.setMemory(1 << 30)),
    ("no memory", lambda w: w.off.setMemoryFlags(0, CONFIG)),
    ("more vCPUs than there are", lambda w: w.on.setVcpus(3)),
    ("more vCPUs than there are, config", lambda w: w.off.setVcpusFlags(3, CONFIG)),
    ("no vCPUs", lambda w: w.off.setVcpusFlags(0, CONFIG)),
    ("maximum of vCPUs, both", lambda w: w.on.setVcpusFlags(4, LIVE | CONFIG | libvirt.VIR_DOMAIN_VCPU_MAXIMUM)),
    ("a vCPU that cannot go", lambda w: w.on.setVcpu("0", 0, LIVE)),
    ("the first vCPU of the definition", lambda w: w.off.setVcpu("0", 0, CONFIG)),
    ("a vCPU that is on", lambda w: w.on.setVcpu("0", 1, LIVE)),
    ("a vCPU beyond", lambda w: w.on.setVcpu("1-2", 1, LIVE)),
    ("a vCPU beyond, config", lambda w: w.off.setVcpu("2", 1, CONFIG)),
    ("a vCPU of no state", lambda w: w.on.setVcpu("1", 2, LIVE)),
    ("vCPUs that are no set", lambda w: w.off.setVcpu("x", 1, CONFIG)),
    ("vCPUs of no set", lambda w: w.off.setVcpu("", 1, CONFIG)),
    ("vCPUs of the guest, of no agent", lambda w: w.on.setVcpusFlags(1, libvirt.VIR_DOMAIN_VCPU_GUEST)),
    ("vCPUs of the guest's definition", lambda w: w.off.vcpusFlags(CONFIG | libvirt.VIR_DOMAIN_VCPU_GUEST)),
    ("vCPUs of the guest that does not run", lambda w: w.off.vcpusFlags(libvirt.VIR_DOMAIN_VCPU_GUEST)),
    ("vCPUs live and of the definition", lambda w: w.on.vcpusFlags(LIVE | CONFIG)),
    ("no key of Windows", lambda w: w.on.sendKey(8, 0, [1], 1)),
    ("no key of USB", lambda w: w.on.sendKey(7, 0, [1], 1)),
    ("statistics of memory before time", lambda w: w.on.setMemoryStatsPeriod(-1)),
    ("dirty rate of no time", lambda w: w.on.startDirtyRateCalc(0)),
    ("dirty rate of too long a time", lambda w: w.on.startDirtyRateCalc(61)),
    ("dirty rate by a ring that is not there",
     lambda w: w.on.startDirtyRateCalc(1, libvirt.VIR_DOMAIN_DIRTYRATE_MODE_DIRTY_RING)),
    ("launch security of none", lambda w: w.on.launchSecurityInfo()),
    ("a launch secret", lambda w: w.on.setLaunchSecurityState({"sev-secret": "x"})),
    ("no launch secret", lambda w: w.on.setLaunchSecurityState({"x": "y"})),
    ("maximum of vCPUs live", lambda w: w.on.setVcpusFlags(4, LIVE | libvirt.VIR_DOMAIN_VCPU_MAXIMUM)),
    ("vCPUs of both", lambda w: w.on.vcpusFlags(LIVE | CONFIG)),
    ("information of no disk", lambda w: w.on.blockInfo("vdz")),
    ("statistics of no disk", lambda w: w.on.blockStats("vdz")),
    ("statistics of no disk with flags", lambda w: w.on.blockStatsFlags("vdz")),
    ("statistics of no interface", lambda w: w.on.interfaceStats("vnet9")),
    ("statistics of no interface with MAC", lambda w: w.on.interfaceStats("52:54:00:00:00:99")),
    ("attach what is there", lambda w: w.on.attachDevice(DISK.format("vda"))),
    ("attach what is there, config", lambda w: w.off.attachDeviceFlags(DISK.format("vda"), CONFIG)),
    ("attach no device", lambda w: w.on.attachDevice("<gizmo/>")),
    ("attach no XML", lambda w: w.on.attachDevice("<disk")),
    ("attach nothing", lambda w: w.on.attachDevice("")),
    ("detach what is not there", lambda w: w.on.detachDevice(DISK.format("vdz"))),
    ("detach what is not there, config", lambda w: w.off.detachDeviceFlags(DISK.format("vdz"), CONFIG)),
    ("detach no interface", lambda w: w.on.detachDevice(INTERFACE.format("99"))),
    ("detach no interface, config", lambda w: w.off.detachDeviceFlags(INTERFACE.format("99"), CONFIG)),
    ("detach no alias", lambda w: w.on.detachDeviceAlias("ua-x", LIVE)),
    ("detach no alias, config", lambda w: w.off.detachDeviceAlias("ua-x", CONFIG)),
    ("update no disk", lambda w: w.on.updateDeviceFlags(DISK.format("vdz"), LIVE)),
    ("update no disk, config", lambda w: w.off.updateDeviceFlags(DISK.format("vdz"), CONFIG)),
    ("no such console", lambda w: w.on.openConsole("console9", w.c.newStream(), 0)),
    ("no pty", lambda w: w.on.openConsole("serial1", w.c.newStream(), 0)),
    ("no such channel", lambda w: w.on.openChannel("org.nobody", w.c.newStream(), 0)),
    ("no such screen", lambda w: w.on.screenshot(w.c.newStream(), 7)),
    ("no such display", lambda w: w.on.openGraphicsFD(7)),
    ("no keys", lambda w: w.on.sendKey(0, 0, [], 0)),
    ("no such code set", lambda w: w.on.sendKey(99, 0, [1], 1)),
    ("no such key", lambda w: w.on.sendKey(0, 0, [1 << 20], 1)),
    ("no title", lambda w: w.off.metadata(libvirt.VIR_DOMAIN_METADATA_TITLE, None)),
    ("no description", lambda w: w.off.metadata(libvirt.VIR_DOMAIN_METADATA_DESCRIPTION, None)),
    ("no element", lambda w: w.off.metadata(libvirt.VIR_DOMAIN_METADATA_ELEMENT, "urn:nobody")),
    ("no such metadata", lambda w: w.off.metadata(9, None)),
    ("a title of two lines", lambda w: w.off.setMetadata(libvirt.VIR_DOMAIN_METADATA_TITLE, "a\nb", None, None)),
    ("metadata without key", lambda w: w.off.setMetadata(libvirt.VIR_DOMAIN_METADATA_ELEMENT, "<a/>", None, None)),
    ("metadata that is no XML", lambda w: w.off.setMetadata(libvirt.VIR_DOMAIN_METADATA_ELEMENT, "<a", "k", "urn:a")),
    ("no managed save to remove", lambda w: w.off.managedSaveRemove()),
    ("no managed save to read", lambda w: w.off.managedSaveGetXMLDesc()),
    ("no image to restore", lambda w: w.c.restore("/nowhere/at/all")),
    ("no image to read", lambda w: w.c.saveImageGetXMLDesc("/nowhere/at/all")),
    ("no saved image", lambda w: w.c.saveImageGetXMLDesc("/etc/passwd")),
    ("no saved image to restore", lambda w: w.c.restore("/etc/passwd")),
    ("no job to abort", lambda w: w.on.abortJob()),
    ("autostart of a transient one", lambda w: w.transient.setAutostart(1)),
    ("undefine a transient one", lambda w: w.transient.undefine()),
    ("managed save of a transient one", lambda w: w.transient.managedSave()),
    ("config of a transient one", lambda w: w.transient.setMemoryFlags(32768, CONFIG)),
    ("attach to config of a transient one", lambda w: w.transient.attachDeviceFlags(DISK.format("vdb"), CONFIG)),
    ("metadata of a transient one's config", lambda w: w.transient.metadata(1, None, CONFIG)),
    ("rename a transient one", lambda w: w.transient.rename("other")),
    ("inactive document of a transient one", lambda w: bool(w.transient.XMLDesc(libvirt.VIR_DOMAIN_XML_INACTIVE))),
    ("no block job", lambda w: w.on.blockJobAbort("vda")),
    ("block job of no disk", lambda w: w.on.blockJobAbort("vdz")),
    ("resize no disk", lambda w: w.on.blockResize("vdz", 1)),
    ("peek no disk", lambda w: w.on.blockPeek("vdz", 0, 1)),
    ("tuning of no disk", lambda w: w.on.blockIoTune("vdz")),
    ("threshold of no disk", lambda w: w.on.setBlockThreshold("vdz", 1)),
    ("pin no vCPU", lambda w: w.on.pinVcpu(9, (True,))),
    ("sleep for a time", lambda w: w.on.pMSuspendForDuration(0, 5)),
    ("both modes of an agent's list", lambda w: w.on.interfaceAddresses(9)),
    ("monitor command that is none", lambda w: libvirt_qemu.qemuMonitorCommand(w.on, "nonsense", 0)),
    ("agent that is not there: time", lambda w: w.on.getTime()),
    ("agent that is not there: command", lambda w: libvirt_qemu.qemuAgentCommand(w.on, "{}", 1, 0)),
    ("agent that is not there: host name", lambda w: w.on.hostname()),
    ("agent that is not there: information", lambda w: w.on.guestInfo()),
    ("agent that is not there: addresses", lambda w: w.on.interfaceAddresses(1)),
    ("agent that is not there: shutdown", lambda w: w.on.shutdownFlags(libvirt.VIR_DOMAIN_SHUTDOWN_GUEST_AGENT)),
    ("no agent at all: time", lambda w: w.transient.getTime()),
    ("no agent at all: shutdown", lambda w: w.transient.shutdownFlags(libvirt.VIR_DOMAIN_SHUTDOWN_GUEST_AGENT)),
    ("no agent at all: host name", lambda w: w.transient.hostname()),
    ("a lifecycle action that is none", lambda w: w.off.setLifecycleAction(0, 99, CONFIG)),
    ("lifecycle of no event", lambda w: w.off.setLifecycleAction(99, 0, CONFIG)),
    ("a signal that is none", lambda w: w.on.sendProcessSignal(1, 999)),
    ("no VNC socket", lambda w: w.on.openGraphics(7, socket.socketpair()[0].fileno())),
]

FLAGS = [(f"flags of {name}", call) for name, call in [
    ("XMLDesc", lambda w: w.off.XMLDesc(BAD)),
    ("create", lambda w: w.off.createWithFlags(BAD)),
    ("createXML", lambda w: w.c.createXML(minimal(), BAD)),
    ("defineXML", lambda w: w.c.defineXMLFlags(minimal(), BAD)),
    ("destroy", lambda w: w.on.destroyFlags(BAD)),
    ("undefine", lambda w: w.off.undefineFlags(BAD)),
    ("shutdown", lambda w: w.on.shutdownFlags(BAD)),
    ("reboot", lambda w: w.on.reboot(BAD)),
    ("reset", lambda w: w.on.reset(BAD)),
    ("state", lambda w: w.off.state(BAD)),
    ("list", lambda w: w.c.listAllDomains(BAD)),
    ("stats", lambda w: w.c.getAllDomainStats(1 << 29, libvirt.VIR_CONNECT_GET_ALL_DOMAINS_STATS_ENFORCE_STATS)),
    ("attach", lambda w: w.on.attachDeviceFlags(DISK.format("vdb"), BAD)),
    ("detach", lambda w: w.on.detachDeviceFlags(DISK.format("vdb"), BAD)),
    ("update", lambda w: w.on.updateDeviceFlags(DISK.format("vdb"), BAD)),
    ("vCPUs", lambda w: w.off.vcpusFlags(BAD)),
    ("set vCPUs", lambda w: w.off.setVcpusFlags(1, BAD)),
    ("memory", lambda w: w.off.setMemoryFlags(1024, BAD)),
    ("managed save", lambda w: w.on.managedSave(BAD)),
    ("save", lambda w: w.on.saveFlags("/tmp/x", None, BAD)),
    ("rename", lambda w: w.off.rename("x", BAD)),
    ("keys", lambda w: w.on.sendKey(0, 0, [1], 1, BAD)),
    ("NMI", lambda w: w.on.injectNMI(BAD)),
    ("screenshot", lambda w: w.on.screenshot(w.c.newStream(), 0, BAD)),
    ("console", lambda w: w.on.openConsole(None, w.c.newStream(), BAD)),
    ("channel", lambda w: w.on.openChannel(None, w.c.newStream(), BAD)),
    ("graphics", lambda w: w.on.openGraphicsFD(0, BAD)),
    ("metadata", lambda w: w.off.metadata(1, None, BAD)),
    ("set metadata", lambda w: w.off.setMetadata(1, "x", None, None, BAD)),
    ("control information", lambda w: w.on.controlInfo(BAD)),
    ("job statistics", lambda w: w.on.jobStats(BAD)),
    ("memory statistics period", lambda w: w.on.setMemoryStatsPeriod(1, BAD)),
    ("block information", lambda w: w.on.blockInfo("vda", BAD)),
    ("disk errors", lambda w: w.on.diskErrors(BAD)),
    ("host name", lambda w: w.on.hostname(BAD)),
    ("time", lambda w: w.on.getTime(BAD)),
    ("agent command", lambda w: libvirt_qemu.qemuAgentCommand(w.on, "{}", 1, BAD)),
    ("monitor command", lambda w: libvirt_qemu.qemuMonitorCommand(w.on, "{}", BAD)),
    ("messages", lambda w: w.on.messages(BAD)),
    ("lifecycle action", lambda w: w.off.setLifecycleAction(0, 0, BAD)),
    ("sleep", lambda w: w.on.pMSuspendForDuration(0, 0, BAD)),
    ("wakeup", lambda w: w.on.pMWakeup(BAD)),
    ("pools", lambda w: w.c.listAllStoragePools(BAD)),
    ("networks", lambda w: w.c.listAllNetworks(BAD)),
    ("node devices", lambda w: w.c.listAllDevices(BAD)),
    ("interfaces", lambda w: w.c.listAllInterfaces(BAD)),
    ("secrets", lambda w: w.c.listAllSecrets(BAD)),
    ("filters", lambda w: w.c.listAllNWFilters(BAD)),
]]

DEFINITIONS = [(f"define: {what}", lambda w, text=text: w.c.defineXML(text).undefine()) for what, text in [
    ("nothing", ""),
    ("not well-formed", "<domain"),
    ("two roots", "<domain/><domain/>"),
    ("another root", "<network/>"),
    ("no name", minimal(name="")),
    ("an empty name", minimal(name="<name/>")),
    ("a name with a slash", minimal(name="<name>a/b</name>")),
    ("no memory", minimal(memory="")),
    ("memory that is no number", minimal(memory="<memory>much</memory>")),
    ("memory of no unit", minimal(memory="<memory unit='furlong'>1</memory>")),
    ("no type", "<domain><name>x</name></domain>"),
    ("an unknown type", minimal(kind="bogus")),
    ("no os", minimal(os="")),
    ("an unknown os", minimal(os="<os><type>vax</type></os>")),
    ("an unknown architecture", minimal(os="<os><type arch='vax'>hvm</type></os>")),
    ("an unknown machine", minimal(os="<os><type arch='x86_64' machine='vax'>hvm</type></os>")),
    ("a bad UUID", minimal("<uuid>x</uuid>")),
    ("no vCPUs", minimal("<vcpu>0</vcpu>")),
    ("too many current vCPUs", minimal("<vcpu current='3'>2</vcpu>")),
    ("vCPUs that are no number", minimal("<vcpu>x</vcpu>")),
    ("an unknown action", minimal("<on_poweroff>explode</on_poweroff>")),
    ("an unknown clock", minimal("<clock offset='moon'/>")),
    ("an unknown feature's state", minimal("<features><hap state='maybe'/></features>")),
    ("an unknown CPU mode", minimal("<cpu mode='fast'/>")),
    ("an unknown CPU match", minimal("<cpu match='roughly'><model>qemu64</model></cpu>")),
    ("a disk without target", devices("<disk type='file'><source file='/x'/></disk>")),
    ("a disk of no type", devices("<disk type='tape'><target dev='vda'/></disk>")),
    ("a disk on no bus", devices("<disk type='file'><target dev='vda' bus='air'/></disk>")),
    ("an unknown disk device", devices("<disk type='file' device='drum'><target dev='vda'/></disk>")),
    ("two disks of one target", devices(DISK.format("vda") + DISK.format("vda"))),
    ("an unknown cache", devices("<disk type='file'><driver name='qemu' cache='some'/><target dev='vda'/></disk>")),
    ("a cdrom on virtio", devices("<disk type='file' device='cdrom'><target dev='vda' bus='virtio'/></disk>")),
    ("an interface of no type", devices("<interface type='carrier-pigeon'/>")),
    ("an interface with a bad MAC", devices("<interface type='user'><mac address='x'/></interface>")),
    ("an interface with a group MAC", devices("<interface type='user'><mac address='01:00:00:00:00:00'/></interface>")),
    ("an unknown controller", devices("<controller type='joystick'/>")),
    ("an unknown controller model", devices("<controller type='usb' model='usb9'/>")),
    ("two controllers of one index", devices("<controller type='scsi' index='0'/><controller type='scsi' index='0'/>")),
    ("an unknown graphics", devices("<graphics type='smoke'/>")),
    ("an unknown video", devices("<video><model type='cga'/></video>")),
    ("an unknown sound", devices("<sound model='drum'/>")),
    ("an unknown watchdog", devices("<watchdog model='cat'/>")),
    ("an unknown rng", devices("<rng model='dice'><backend model='random'/></rng>")),
    ("an unknown input", devices("<input type='foot' bus='usb'/>")),
    ("an unknown serial", devices("<serial type='string'/>")),
    ("an unknown balloon", devices("<memballoon model='helium'/>")),
    ("an address of no type", devices("<disk type='file'><target dev='vda'/><address type='street'/></disk>")),
    ("a PCI slot too great", devices("<disk type='file'><target dev='vda'/>"
                                     "<address type='pci' domain='0' bus='0' slot='0x99' function='0'/></disk>")),
    ("one PCI address twice", devices("".join(
        f"<disk type='file'><source file='/x{n}'/><target dev='vd{n}' bus='virtio'/>"
        "<address type='pci' domain='0' bus='0' slot='0x7' function='0'/></disk>" for n in "ab"))),
    ("emulator that is not there", devices("<emulator>/nowhere/qemu</emulator>")),
    ("boot order zero", devices("<disk type='file'><target dev='vda'/><boot order='0'/></disk>")),
    ("boot order twice", devices("".join(
        f"<disk type='file'><source file='/x{n}'/><target dev='vd{n}'/><boot order='1'/></disk>" for n in "ab"))),
    ("an unknown boot device", minimal(os="<os><type>hvm</type><boot dev='tape'/></os>")),
]] + [
    ("define: the UUID of another", lambda w: w.c.defineXML(w.document("other", w.off_uuid))),
    ("define: the name of another", lambda w: w.c.defineXML(w.document("off", NOBODY))),
    ("create: the name of another", lambda w: w.c.createXML(w.document("off", NOBODY))),
    ("create: what runs", lambda w: w.c.createXML(w.document("on", w.on_uuid))),
    ("create: not well-formed", lambda w: w.c.createXML("<domain")),
    ("start: no image", lambda w: w.started(DISK.format("vda").replace("/dev/null", "/nowhere/at/all"))),
    ("validate: an unknown element", lambda w: w.c.defineXMLFlags(minimal("<gizmo/>"), libvirt.VIR_DOMAIN_DEFINE_VALIDATE)),
]

HOST = [
    ("free memory of no cell", lambda w: w.c.getCellsFreeMemory(99, 1)),
    ("memory statistics of no cell", lambda w: w.c.getMemoryStats(99)),
    ("CPU statistics of no CPU", lambda w: w.c.getCPUStats(9999)),
    ("free pages of no cell", lambda w: w.c.getFreePages([4], 99, 1)),
    ("models of no architecture", lambda w: w.c.getCPUModelNames("vax")),
    ("domain capabilities of no architecture", lambda w: w.c.getDomainCapabilities(None, "vax")),
    ("domain capabilities of no machine", lambda w: w.c.getDomainCapabilities(None, "x86_64", "vax")),
    ("domain capabilities of no kind", lambda w: w.c.getDomainCapabilities(None, "x86_64", None, "bogus")),
    ("domain capabilities of no emulator", lambda w: w.c.getDomainCapabilities("/nowhere/qemu")),
    ("domain capabilities' flags", lambda w: w.c.getDomainCapabilities(None, None, None, None, BAD)),
    ("vCPUs of no kind", lambda w: w.c.getMaxVcpus("bogus")),
    ("compare no XML", lambda w: w.c.compareCPU("<cpu")),
    ("compare another root", lambda w: w.c.compareCPU("<domain/>")),
    ("baseline of nothing", lambda w: w.c.baselineCPU([])),
    ("sysinfo's flags", lambda w: w.c.getSysinfo(BAD)),
    ("suspend to RAM", lambda w: w.c.suspendForDuration(0, 60)),
    ("suspend to disk", lambda w: w.c.suspendForDuration(1, 60)),
    ("suspend to both", lambda w: w.c.suspendForDuration(2, 60)),
    ("suspend to nowhere", lambda w: w.c.suspendForDuration(9, 60)),
    ("AMD's SEV", lambda w: w.c.getSEVInfo()),
    ("ordinary pages", lambda w: w.c.allocPages({4: 1}, 0, 1)),
    ("pages of no size", lambda w: w.c.allocPages({3: 1}, 0, 1)),
    ("pages of no size of the host", lambda w: w.c.allocPages({3: 1}, -1, 1)),
    ("pages of no cell", lambda w: w.c.allocPages({2048: 1}, 4000, 1)),
    ("flags of pages", lambda w: w.c.allocPages({2048: 1}, 0, 1, BAD)),
    ("flags of suspend", lambda w: w.c.suspendForDuration(0, 60, BAD)),
    ("from another native format", lambda w: w.c.domainXMLFromNative("vmx", "x")),
    ("from the native format", lambda w: w.c.domainXMLFromNative("qemu-argv", "qemu-system-x86_64")),
    ("to another native format", lambda w: w.c.domainXMLToNative("vmx", minimal())),
    ("to native from no document", lambda w: w.c.domainXMLToNative("qemu-argv", "<domain")),
    ("to native from another root", lambda w: w.c.domainXMLToNative("qemu-argv", "<network/>")),
    ("to native's flags", lambda w: w.c.domainXMLToNative("qemu-argv", minimal(), BAD)),
    ("events of no kind", lambda w: w.c.domainEventRegisterAny(None, 99, lambda *_: None, None)),
]

# On a connection that only reads.
READING = [(f"read-only: {what}", call) for what, call in [
    ("define", lambda w: w.reader.defineXML(minimal())),
    ("create", lambda w: w.reader.createXML(minimal())),
    ("start", lambda w: w.read_off.create()),
    ("destroy", lambda w: w.read_on.destroy()),
    ("suspend", lambda w: w.read_on.suspend()),
    ("undefine", lambda w: w.read_off.undefine()),
    ("secure document", lambda w: w.read_off.XMLDesc(libvirt.VIR_DOMAIN_XML_SECURE)),
    ("migratable document", lambda w: w.read_off.XMLDesc(libvirt.VIR_DOMAIN_XML_MIGRATABLE)),
    ("guest's vCPUs", lambda w: w.read_on.vcpusFlags(libvirt.VIR_DOMAIN_VCPU_GUEST)),
    ("addresses by the agent", lambda w: w.read_on.interfaceAddresses(1)),
    ("screenshot", lambda w: w.read_on.screenshot(w.reader.newStream(), 0)),
    ("memory", lambda w: w.read_on.setMemory(1024)),
    ("attach", lambda w: w.read_on.attachDevice(DISK.format("vdb"))),
    ("autostart", lambda w: w.read_off.setAutostart(1)),
    ("monitor command", lambda w: libvirt_qemu.qemuMonitorCommand(w.read_on, "{}", 0)),
    ("metadata", lambda w: w.read_off.setMetadata(1, "x", None, None)),
    ("to native", lambda w: w.reader.domainXMLToNative("qemu-argv", minimal())),
    ("domain capabilities", lambda w: w.reader.getDomainCapabilities() != ""),
    ("define a pool", lambda w: w.reader.storagePoolDefineXML("<pool/>")),
    ("time", lambda w: w.read_on.getTime()),
]]

POOL = "<pool type='dir'><name>{}</name><target><path>{}</path></target></pool>"
STORAGE = [(f"storage: {what}", call) for what, call in [
    ("define no XML", lambda w: w.c.storagePoolDefineXML("<pool")),
    ("define another root", lambda w: w.c.storagePoolDefineXML("<domain/>")),
    ("define no type", lambda w: w.c.storagePoolDefineXML("<pool><name>x</name></pool>")),
    ("define an unknown type", lambda w: w.c.storagePoolDefineXML("<pool type='heap'><name>x</name></pool>")),
    ("define without name", lambda w: w.c.storagePoolDefineXML("<pool type='dir'><target><path>/x</path></target></pool>")),
    ("define without path", lambda w: w.c.storagePoolDefineXML("<pool type='dir'><name>x</name></pool>")),
    ("start what runs", lambda w: w.pool.create()),
    ("undefine what runs", lambda w: w.pool.undefine()),
    ("stop what does not run", lambda w: w.idle_pool.destroy()),
    ("refresh what does not run", lambda w: w.idle_pool.refresh()),
    ("list what does not run", lambda w: w.idle_pool.listVolumes()),
    ("delete what runs", lambda w: w.pool.delete()),
    ("build what runs", lambda w: w.pool.build()),
    ("the path of another", lambda w: w.c.storagePoolDefineXML(POOL.format("other", w.pool_path))),
    ("no such volume", lambda w: w.pool.storageVolLookupByName("nobody")),
    ("make no XML", lambda w: w.pool.createXML("<volume")),
    ("make another root", lambda w: w.pool.createXML("<pool/>")),
    ("make without name", lambda w: w.pool.createXML("<volume><capacity>1</capacity></volume>")),
    ("make without capacity", lambda w: w.pool.createXML("<volume><name>x</name></volume>")),
    ("make what is there", lambda w: w.pool.createXML("<volume><name>there.raw</name><capacity>1</capacity></volume>")),
    ("make an unknown format", lambda w: w.pool.createXML(
        "<volume><name>x</name><capacity>1</capacity><target><format type='tape'/></target></volume>")),
    ("make in what does not run", lambda w: w.idle_pool.createXML("<volume><name>x</name><capacity>1</capacity></volume>")),
    ("shrink without saying so", lambda w: w.pool.storageVolLookupByName("there.raw").resize(512)),
]]

PROVOCATIONS = (LOOKUPS + [(f"stopped: {what}", lambda w, call=call: call(w.off)) for what, call in STOPPED]
                + WRONG + FLAGS + DEFINITIONS + HOST + READING + STORAGE)

# Where we differ, and why: (a pattern of what is provoked, "text": only the words differ, "all": the answer does, why).
KNOWN = [
    (r"define: an unknown machine", "all", "libvirtd counts the buses of a machine it does not know; we name the machine"),
    (r"define: no vCPUs", "all", "libvirtd complains of a NUMA node that nobody asked for"),
    (r"define: a cdrom on virtio", "all", "found with what the model says, not with what QEMU can"),
    (r"define: emulator that is not there", "all", "a document may name an emulator that is installed later"),
    (r"stopped: set time", "all", "libvirtd asks for QEMU's abilities before it looks whether QEMU runs"),
    (r"(define|create|attach|storage: (define|make)|metadata|to native).*", "text",
     "all mistakes of a document are told, with their places and what would be accepted"),
    (r"validate: .*", "text", "likewise; libvirtd tells of libxml2's words and its own file"),
    (r"stopped: (block job|block pull)|no block job|block job of no disk", "all", "not there yet"),
    (r"no key of Windows", "all", "a button of the mouse; libvirtd sends QEMU a key of number 0"),
    (r"compare no XML", "text", "likewise, with its place"),
    (r"no pty", "text", "a console may be a socket too"),
    (r"no managed save to remove", "text", "each daemon has its own directory"),
    (r"no saved image.*", "text", "the file is named"),
    (r"start: no image", "text", "the disk is named"),
    (r"monitor command that is none", "text", "each has a parser of its own"),
    (r"CPU statistics of no CPU", "text", "the CPU is named"),
    (r"(models|domain capabilities) of no architecture", "text", "an architecture is known where an emulator has it"),
]


def document(image, name, domain_uuid):
    return DOCUMENT.format(name=name, uuid=domain_uuid, image=image)


class World:
    """What the provocations work on, at one daemon."""

    def __init__(self, uri, directory, identities):
        directory.mkdir()
        image = directory / "image.raw"
        subprocess.run(["qemu-img", "create", "-q", "-f", "raw", image, "1M"], check=True)
        self.image = image
        self.c, self.reader = libvirt.open(uri), libvirt.openReadOnly(uri)
        self.on_uuid, self.off_uuid, stale, transient = identities
        self.off = self.c.defineXML(self.document("off", self.off_uuid))
        self.on = self.c.defineXML(self.document("on", self.on_uuid))
        self.on.createWithFlags(libvirt.VIR_DOMAIN_START_PAUSED)
        self.stale = self.c.defineXML(self.document("stale", stale))
        self.stale.undefine()
        self.transient = self.c.createXML(minimal(f"<uuid>{transient}</uuid>", name="<name>transient</name>"),
                                          libvirt.VIR_DOMAIN_START_PAUSED)
        self.read_on, self.read_off = self.reader.lookupByName("on"), self.reader.lookupByName("off")
        self.pool_path = directory / "pool"
        self.pool_path.mkdir()
        (self.pool_path / "there.raw").write_bytes(bytes(1024))
        self.pool = self.c.storagePoolDefineXML(POOL.format("busy", self.pool_path))
        self.pool.create()
        self.idle_pool = self.c.storagePoolDefineXML(POOL.format("idle", directory / "idle"))

    def document(self, name, domain_uuid):
        return document(self.image, name, domain_uuid)

    def started(self, inside):
        return self.c.createXML(devices(inside))

    def close(self):
        for domain in self.c.listAllDomains():
            if domain.isActive():
                both.outcome(domain.destroy)
            both.outcome(domain.undefine)
        both.outcome(self.pool.destroy)
        both.outcome(self.pool.undefine)
        both.outcome(self.idle_pool.undefine)
        self.reader.close()
        self.c.close()


@pytest.fixture
def worlds(uris, tmp_path):
    libvirt.registerErrorHandler(lambda context, error: None, None)
    identities = [str(uuid.uuid4()) for _ in range(4)]
    made = []
    try:
        for name, uri in zip(("ours", "theirs"), uris):
            made.append(World(uri, tmp_path / name, identities))
        yield made
    finally:
        for world in made:
            world.close()


def plain(outcome, world):
    """An outcome without what differs by the way it was made."""
    if isinstance(outcome, tuple) and outcome and isinstance(outcome[-1], str):
        text = outcome[-1].replace(str(world.image.parent), "DIRECTORY")
        return (*outcome[:-1], re.sub(r"/dev/pts/\d+", "/dev/pts/-", text))
    return type(outcome).__name__ if not isinstance(outcome, (int, str, tuple, list, dict, type(None))) else outcome


def known(what, ours, theirs):
    for pattern, extent, _ in KNOWN:
        if re.fullmatch(pattern, what):
            return extent == "all" or (isinstance(ours, tuple) and isinstance(theirs, tuple) and ours[0] == theirs[0])
    return False


def test_every_provocation(worlds):
    ours_world, theirs_world = worlds
    different, errors = [], 0
    for what, call in PROVOCATIONS:
        theirs = plain(both.outcome(call, theirs_world), theirs_world)
        ours = plain(both.outcome(call, ours_world), ours_world)
        errors += isinstance(theirs, tuple)
        if ours != theirs and not known(what, ours, theirs):
            different.append(f"{what}:\n  libvirtd {theirs!r}\n  domaind  {ours!r}")
    assert not different, "\n".join(different)
    assert errors > 300
