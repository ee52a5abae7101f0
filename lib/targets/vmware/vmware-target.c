/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * VMware among the targets: which parts of a document a .vmx says. Parts that depend on a value stand here as
 * carried, and the writing says what of them is lost.
 */
#include "targets/vmware/vmware-target.h"

#include "base/translate-mark.h"
#include "targets/vmware/vmware-private.h"

#include <string.h>

#define CARRIED(path)          \
  {                            \
    path, TARGET_CARRIED, NULL \
  }
#define NEEDLESS(path)          \
  {                             \
    path, TARGET_NEEDLESS, NULL \
  }
#define LOST(path, reason)    \
  {                           \
    path, TARGET_LOST, reason \
  }

static const TargetPart parts[] = {
  CARRIED ("@type"),
  NEEDLESS ("@id"),
  CARRIED ("name"),
  CARRIED ("uuid"),
  LOST ("genid", "makes the id of a guest's generation by itself"),
  NEEDLESS ("title"),
  CARRIED ("description"),
  NEEDLESS ("metadata"),
  CARRIED ("memory"),
  LOST ("memory@dumpCore", "leaves the memory in every dump"),
  CARRIED ("currentMemory"),
  LOST ("maxMemory", "plugs in no memory of the document while a guest runs"),
  LOST ("memoryBacking", "backs guests with memory of its own"),
  CARRIED ("memtune/min_guarantee"),
  CARRIED ("vcpu"),
  LOST ("vcpus", "has no processors by name"),
  CARRIED ("cputune/shares"),
  LOST ("cputune/vcpupin", "says where all processors run, with <vcpu cpuset=>, and not each"),
  LOST ("numatune", "places memory by itself"),
  LOST ("blkiotune", "has other limits of disks"),
  LOST ("resource", "has no control groups"),
  CARRIED ("os/type"),
  CARRIED ("os@firmware"),
  CARRIED ("os/firmware"),
  CARRIED ("os/loader"),
  NEEDLESS ("os/nvram"),
  LOST ("os/boot", "keeps the order in which it starts in its NVRAM"),
  LOST ("os/kernel", "starts no kernels by itself"),
  LOST ("os/initrd", "starts no kernels by itself"),
  LOST ("os/cmdline", "starts no kernels by itself"),
  LOST ("os/bootmenu", "has a boot menu of its own"),
  LOST ("os/smbios", "says nothing of its own in SMBIOS tables"),
  LOST ("sysinfo", "says nothing of its own in SMBIOS tables"),
  NEEDLESS ("features/acpi"),
  NEEDLESS ("features/apic"),
  NEEDLESS ("features/pae"),
  LOST ("features/hyperv", "chooses what Windows knows by its guestOS"),
  LOST ("features/kvm", "is not KVM"),
  CARRIED ("cpu/topology"),
  NEEDLESS ("cpu@mode"),
  NEEDLESS ("cpu@check"),
  NEEDLESS ("cpu@match"),
  NEEDLESS ("cpu@migratable"),
  LOST ("cpu/model", "shows guests the host's own processor"),
  LOST ("cpu/feature", "shows guests the host's own processor"),
  LOST ("cpu/numa", "shows nodes of its own choice"),
  NEEDLESS ("clock"),
  LOST ("clock/timer", "has timers of its own"),
  NEEDLESS ("on_poweroff"),
  NEEDLESS ("on_reboot"),
  NEEDLESS ("on_crash"),
  NEEDLESS ("pm"),

  NEEDLESS ("devices/*/alias"),
  NEEDLESS ("devices/*/address"),
  NEEDLESS ("devices/emulator"),
  CARRIED ("devices/disk@type"),
  CARRIED ("devices/disk@device"),
  NEEDLESS ("devices/disk/driver@name"),
  CARRIED ("devices/disk/driver@type"),
  CARRIED ("devices/disk/driver@cache"),
  LOST ("devices/disk/driver@io", "has its own way of I/O"),
  LOST ("devices/disk/driver@discard", "discards by itself"),
  LOST ("devices/disk/driver@iothread", "has no I/O threads"),
  CARRIED ("devices/disk/source"),
  LOST ("devices/disk/source/encryption", "opens no encrypted images"),
  LOST ("devices/disk/source/slices", "opens images as a whole"),
  NEEDLESS ("devices/disk/backingStore"),
  CARRIED ("devices/disk/target"),
  CARRIED ("devices/disk/readonly"),
  LOST ("devices/disk/shareable", "shares disks by other means"),
  LOST ("devices/disk/iotune", "has other limits of disks"),
  LOST ("devices/disk/serial", "gives disks serial numbers of its own"),
  LOST ("devices/disk/boot", "keeps the order in which it starts in its NVRAM"),
  CARRIED ("devices/controller@type"),
  CARRIED ("devices/controller@index"),
  CARRIED ("devices/controller@model"),
  NEEDLESS ("devices/controller/master"),
  NEEDLESS ("devices/controller/target"),
  NEEDLESS ("devices/controller/model"),
  NEEDLESS ("devices/controller@ports"),
  CARRIED ("devices/interface@type"),
  CARRIED ("devices/interface/mac"),
  CARRIED ("devices/interface/source@bridge"),
  CARRIED ("devices/interface/source@network"),
  CARRIED ("devices/interface/target@dev"),
  CARRIED ("devices/interface/model"),
  CARRIED ("devices/interface/link"),
  LOST ("devices/interface/boot", "keeps the order in which it starts in its NVRAM"),
  CARRIED ("devices/graphics@type"),
  CARRIED ("devices/graphics@port"),
  CARRIED ("devices/graphics@autoport"),
  CARRIED ("devices/graphics@listen"),
  CARRIED ("devices/graphics@keymap"),
  CARRIED ("devices/graphics@passwd"),
  CARRIED ("devices/graphics/listen"),
  CARRIED ("devices/video/model@type"),
  CARRIED ("devices/video/model@vram"),
  CARRIED ("devices/video/model@heads"),
  NEEDLESS ("devices/video/model@primary"),
  NEEDLESS ("devices/video/model@ram"),
  NEEDLESS ("devices/video/model@vgamem"),
  NEEDLESS ("devices/video/driver"),
  CARRIED ("devices/filesystem@type"),
  NEEDLESS ("devices/filesystem@accessmode"),
  CARRIED ("devices/filesystem/driver"),
  CARRIED ("devices/filesystem/source"),
  CARRIED ("devices/filesystem/target"),
  CARRIED ("devices/filesystem/readonly"),
  CARRIED ("devices/serial"),
  LOST ("devices/serial/log", "writes no log of ports"),
  CARRIED ("devices/parallel"),
  LOST ("devices/parallel/log", "writes no log of ports"),
  CARRIED ("devices/console"),
  NEEDLESS ("devices/input"),
  NEEDLESS ("devices/memballoon"),
  LOST ("devices/sound", "has sound cards of other models"),
  LOST ("devices/hostdev", "passes devices through that the host's administrator gave it"),
  LOST ("devices/tpm", "has a TPM only where the machine is encrypted"),
  LOST ("devices/rng", "has no source of entropy"),
  LOST ("devices/watchdog", "has a watchdog of its own"),
  LOST ("devices/panic", "learns of a guest's crash by itself"),
  LOST ("devices/vsock", "has other sockets between guest and host"),
  LOST ("devices/channel", "has other channels between guest and host"),
  LOST ("devices/redirdev", "redirects USB devices by its own console"),
  LOST ("devices/smartcard", "has other smart cards"),
  LOST ("devices/memory", "plugs in no memory of the document while a guest runs"),
  LOST ("devices/iommu", "has an IOMMU of its own"),
  LOST ("devices/shmem", "shares no memory between guests"),
  LOST ("seclabel", "has no labels"),
  LOST ("launchSecurity", "encrypts no memory here"),
  { NULL, TARGET_LOST, NULL },
};

static gboolean
recognize (const char *file_name, const char *text)
{
  g_autoptr (Diagnostics) ignored = diagnostics_new (NULL);
  g_autoptr (VmxFile) file = NULL;

  if (g_str_has_suffix (file_name, ".vmx"))
    return TRUE;
  file = vmx_file_parse (text, ignored);
  return file != NULL && vmx_file_find (file, "config.version") != NULL
         && vmx_file_find (file, "virtualHW.version") != NULL;
}

const Target vmware_target = {
  .name = "vmware-vmx",
  .title = "VMware",
  .summary = N_ ("a .vmx for VMware's hypervisors, and the commands that make its disks"),
  .parts = parts,
  .translate = vmx_translate,
  .recognize = recognize,
  .import = vmx_import,
};
