/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Xen among the targets: which parts of a document an xl.cfg says. Parts that depend on a value stand here as
 * carried, and the writing says what of them is lost.
 */
#include "targets/xen/xen-target.h"

#include "targets/xen/xen-private.h"

#include "base/translate-mark.h"

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
  LOST ("genid", "gives guests no id of their generation"),
  NEEDLESS ("title"),
  NEEDLESS ("description"),
  NEEDLESS ("metadata"),
  CARRIED ("memory"),
  LOST ("memory@dumpCore", "leaves the memory in every dump"),
  CARRIED ("currentMemory"),
  LOST ("maxMemory", "plugs in no memory while a guest runs"),
  LOST ("memoryBacking", "backs guests with memory of its own"),
  CARRIED ("vcpu"),
  LOST ("vcpus", "turns processors on from the first one upwards"),
  CARRIED ("cputune/vcpupin"),
  LOST ("cputune/shares", "has a scheduler of its own, with other weights"),
  LOST ("cputune/period", "has a scheduler of its own, with other limits"),
  LOST ("cputune/quota", "has a scheduler of its own, with other limits"),
  LOST ("cputune/emulatorpin", "has a device model that runs where Xen likes"),
  LOST ("cputune/iothreadpin", "has no I/O threads"),
  LOST ("numatune", "places memory by itself"),
  LOST ("blkiotune", "does not limit disks"),
  LOST ("memtune", "limits no memory of the host's processes"),
  LOST ("resource", "has no control groups"),
  CARRIED ("bootloader"),
  CARRIED ("bootloader_args"),
  CARRIED ("os/type"),
  CARRIED ("os/kernel"),
  CARRIED ("os/initrd"),
  CARRIED ("os/cmdline"),
  CARRIED ("os/loader"),
  CARRIED ("os/boot"),
  CARRIED ("os@firmware"),
  LOST ("os/loader@secure", "has no Secure Boot"),
  LOST ("os/nvram", "keeps no variables of the firmware"),
  LOST ("os/bootmenu", "has no boot menu"),
  LOST ("os/smbios", "says nothing of its own in SMBIOS tables"),
  LOST ("sysinfo", "says nothing of its own in SMBIOS tables"),
  CARRIED ("features/acpi"),
  CARRIED ("features/apic"),
  CARRIED ("features/pae"),
  CARRIED ("features/hap"),
  CARRIED ("features/viridian"),
  CARRIED ("features/xen"),
  LOST ("features/hyperv", "turns what Windows knows on as a whole, with <viridian>"),
  LOST ("features/kvm", "is not KVM"),
  CARRIED ("cpu@mode"),
  NEEDLESS ("cpu@check"),
  NEEDLESS ("cpu@migratable"),
  NEEDLESS ("cpu@match"),
  CARRIED ("cpu/feature"),
  CARRIED ("cpu/numa/cell"),
  LOST ("cpu/numa/interconnects", "says nothing of the speed between nodes"),
  LOST ("cpu/model", "shows guests the host's own processor"),
  LOST ("cpu/topology", "shows each processor as a socket"),
  CARRIED ("clock"),
  LOST ("clock/timer/catchup", "makes up for no lost ticks"),
  LOST ("clock/timer@tickpolicy", "makes up for no lost ticks"),
  LOST ("clock/timer@frequency", "chooses the frequency of the TSC by itself"),
  CARRIED ("on_poweroff"),
  CARRIED ("on_reboot"),
  CARRIED ("on_crash"),
  LOST ("pm", "leaves suspending to the guest"),

  NEEDLESS ("devices/*/alias"),
  NEEDLESS ("devices/*/address"),
  CARRIED ("devices/emulator"),
  CARRIED ("devices/disk@type"),
  CARRIED ("devices/disk@device"),
  CARRIED ("devices/disk/driver@name"),
  CARRIED ("devices/disk/driver@type"),
  CARRIED ("devices/disk/driver@discard"),
  LOST ("devices/disk/driver@cache", "leaves caching to its back-end"),
  LOST ("devices/disk/driver@io", "leaves the way of I/O to its back-end"),
  LOST ("devices/disk/driver@iothread", "has no I/O threads"),
  CARRIED ("devices/disk/source"),
  NEEDLESS ("devices/disk/source@startupPolicy"),
  NEEDLESS ("devices/disk/source@index"),
  LOST ("devices/disk/source/encryption", "opens no encrypted images"),
  LOST ("devices/disk/source/slices", "opens images as a whole"),
  LOST ("devices/disk/source/reservations", "keeps no reservations"),
  NEEDLESS ("devices/disk/backingStore"),
  CARRIED ("devices/disk/auth"),
  CARRIED ("devices/disk/target"),
  CARRIED ("devices/disk/readonly"),
  CARRIED ("devices/disk/backenddomain"),
  LOST ("devices/disk/shareable", "lets one guest write to a disk"),
  LOST ("devices/disk/iotune", "does not limit disks"),
  LOST ("devices/disk/serial", "gives disks no serial numbers"),
  LOST ("devices/disk/boot", "starts by kind of device, as <os><boot> says"),
  LOST ("devices/disk/encryption", "opens no encrypted images"),
  CARRIED ("devices/controller@type"),
  CARRIED ("devices/controller@index"),
  CARRIED ("devices/controller@model"),
  CARRIED ("devices/controller@ports"),
  CARRIED ("devices/controller@maxGrantFrames"),
  CARRIED ("devices/controller@maxEventChannels"),
  CARRIED ("devices/interface@type"),
  CARRIED ("devices/interface/mac@address"),
  CARRIED ("devices/interface/source@bridge"),
  CARRIED ("devices/interface/source@network"),
  CARRIED ("devices/interface/ip@address"),
  CARRIED ("devices/interface/ip@family"),
  CARRIED ("devices/interface/script"),
  CARRIED ("devices/interface/model"),
  CARRIED ("devices/interface/target"),
  CARRIED ("devices/interface/vlan@trunk"),
  CARRIED ("devices/interface/vlan/tag@id"),
  CARRIED ("devices/interface/virtualport@type"),
  CARRIED ("devices/interface/bandwidth/outbound"),
  LOST ("devices/interface/bandwidth/inbound", "limits what guests send, not what they receive"),
  CARRIED ("devices/interface/backenddomain"),
  LOST ("devices/interface/boot", "starts by kind of device, as <os><boot> says"),
  LOST ("devices/interface/driver", "leaves this to its back-end"),
  CARRIED ("devices/graphics"),
  LOST ("devices/graphics/channel", "secures all channels of SPICE or none"),
  LOST ("devices/graphics/image", "has no such switch of SPICE"),
  LOST ("devices/graphics/jpeg", "has no such switch of SPICE"),
  LOST ("devices/graphics/zlib", "has no such switch of SPICE"),
  LOST ("devices/graphics/playback", "has no such switch of SPICE"),
  LOST ("devices/graphics/streaming", "has no such switch of SPICE"),
  LOST ("devices/graphics/filetransfer", "has no such switch of SPICE"),
  LOST ("devices/graphics/gl", "draws without the host's GPU"),
  LOST ("devices/graphics@websocket", "serves no web sockets"),
  LOST ("devices/graphics@passwdValidTo", "lets passwords be valid for ever"),
  LOST ("devices/graphics@connected", "chooses what becomes of connected clients"),
  LOST ("devices/graphics@sharePolicy", "lets clients share a display"),
  NEEDLESS ("devices/video/driver"),
  CARRIED ("devices/video/model@type"),
  CARRIED ("devices/video/model@vram"),
  NEEDLESS ("devices/video/model@heads"),
  NEEDLESS ("devices/video/model@primary"),
  NEEDLESS ("devices/video/model@ram"),
  NEEDLESS ("devices/video/model@vgamem"),
  CARRIED ("devices/input@type"),
  CARRIED ("devices/input@bus"),
  CARRIED ("devices/sound@model"),
  LOST ("devices/sound/codec", "chooses codecs by itself"),
  CARRIED ("devices/serial"),
  LOST ("devices/serial/log", "writes no log of ports"),
  CARRIED ("devices/parallel"),
  LOST ("devices/parallel/log", "writes no log of ports"),
  CARRIED ("devices/console"),
  LOST ("devices/console/log", "writes no log of ports"),
  CARRIED ("devices/channel"),
  LOST ("devices/channel/log", "writes no log of ports"),
  CARRIED ("devices/hostdev@mode"),
  CARRIED ("devices/hostdev@type"),
  CARRIED ("devices/hostdev@managed"),
  CARRIED ("devices/hostdev/source"),
  NEEDLESS ("devices/hostdev/driver"),
  LOST ("devices/hostdev/rom", "leaves the device's ROM as it is"),
  LOST ("devices/hostdev/boot", "starts by kind of device, as <os><boot> says"),
  CARRIED ("devices/memballoon@model"),
  LOST ("devices/filesystem", "shares no directories here"),
  LOST ("devices/tpm", "has no TPM here"),
  LOST ("devices/rng", "has no source of entropy"),
  LOST ("devices/watchdog", "has no watchdog"),
  LOST ("devices/panic", "learns of a guest's crash by itself: see <on_crash>"),
  LOST ("devices/vsock", "has no sockets between guest and host"),
  LOST ("devices/redirdev", "redirects no USB devices"),
  LOST ("devices/smartcard", "has no smart cards"),
  LOST ("devices/memory", "plugs in no memory while a guest runs"),
  LOST ("devices/iommu", "has no IOMMU for guests"),
  LOST ("devices/shmem", "shares no memory between guests this way"),
  LOST ("seclabel", "has labels of its own, of XSM"),
  LOST ("launchSecurity", "encrypts no memory"),
  { NULL, TARGET_LOST, NULL },
};

/* A name that ends as xl's files mostly do says little: the text has to name something only xl has. */
static gboolean
recognize (const char *file_name, const char *text)
{
  static const char *const words[] = { "name", "memory", "vcpus",  "builder", "type",
                                       "disk", "vif",    "kernel", NULL };
  g_autoptr (Diagnostics) ignored = diagnostics_new (NULL);
  g_autoptr (XlFile) file = NULL;
  guint known = 0;

  if (!g_str_has_suffix (file_name, ".cfg") && !g_str_has_suffix (file_name, ".xl")
      && strchr (file_name, '.') != NULL)
    return FALSE;
  file = xl_file_parse (text, ignored);
  for (guint i = 0; file != NULL && words[i] != NULL; i++)
    known += xl_file_find (file, words[i]) != NULL;
  return known >= 3 && xl_file_find (file, "name") != NULL;
}

const Target xen_target = {
  .name = "xen-xl",
  .title = "Xen",
  .summary = N_ ("xl.cfg for Xen's xl create: PV, PVH and HVM guests"),
  .parts = parts,
  .translate = xl_translate,
  .recognize = recognize,
  .import = xl_import,
};
