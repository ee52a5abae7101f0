/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "domain/devices/disk.h"
#include "domain/devices/interface.h"
#include "targets/target.h"

#include <json-glib/json-glib.h>

/*
 * What the hypervisors have in common that take their launch config as JSON and know virtio and little else:
 * Firecracker and Cloud Hypervisor, whose rate limiters and taps are the same.
 */

/* Rows of a table of parts: what is the host's, or has no meaning without the devices they do not have. */
#define LAUNCH_COMMON_PARTS                                                                                  \
  { "name", TARGET_NEEDLESS, NULL }, { "memory", TARGET_CARRIED, NULL },                                     \
      { "currentMemory", TARGET_CARRIED, NULL }, { "memoryBacking/nosharepages", TARGET_NEEDLESS, NULL },    \
      { "memoryBacking/source", TARGET_NEEDLESS, NULL }, { "os/type", TARGET_CARRIED, NULL },                \
      { "os/kernel", TARGET_CARRIED, NULL }, { "os/initrd", TARGET_CARRIED, NULL },                          \
      { "os/cmdline", TARGET_CARRIED, NULL }, { "os/bootmenu", TARGET_LOST, "has no boot menu" },            \
      { "os/bios", TARGET_LOST, "has no BIOS" }, { "features/acpi", TARGET_CARRIED, NULL },                  \
      { "features/apic", TARGET_CARRIED, NULL }, { "features/pae", TARGET_NEEDLESS, NULL },                  \
      { "cpu@mode", TARGET_CARRIED, NULL }, { "cpu@check", TARGET_NEEDLESS, NULL },                          \
      { "cpu@match", TARGET_NEEDLESS, NULL }, { "cpu@migratable", TARGET_NEEDLESS, NULL },                   \
      { "cpu/model", TARGET_LOST, "gives its guest the host's processor, and knows no models by name" },     \
      { "cpu/vendor", TARGET_LOST, "gives its guest the host's processor" },                                 \
      { "cpu/feature", TARGET_LOST, "gives its guest the host's processor, with all its features" },         \
      { "cpu/topology", TARGET_CARRIED, NULL }, { "clock@offset", TARGET_CARRIED, NULL },                    \
      { "clock/timer", TARGET_LOST, "lets no timers be chosen" }, { "on_poweroff", TARGET_NEEDLESS, NULL },  \
      { "on_reboot", TARGET_NEEDLESS, NULL }, { "on_crash", TARGET_NEEDLESS, NULL },                         \
      { "on_lockfailure", TARGET_NEEDLESS, NULL }, { "pm/suspend-to-mem", TARGET_CARRIED, NULL },            \
      { "pm/suspend-to-disk", TARGET_CARRIED, NULL },                                                        \
      { "blkiotune", TARGET_LOST, "leaves what it may take of the host to whoever starts it" },              \
      { "memtune", TARGET_LOST, "leaves what it may take of the host to whoever starts it" },                \
      { "resource", TARGET_LOST, "leaves what it may take of the host to whoever starts it" },               \
      { "iothreads", TARGET_LOST, "has no I/O threads" },                                                    \
      { "iothreadids", TARGET_LOST, "has no I/O threads" },                                                  \
      { "defaultiothread", TARGET_LOST, "has no I/O threads" },                                              \
      { "throttlegroups", TARGET_LOST, "limits each disk by itself" },                                       \
      { "launchSecurity", TARGET_LOST, "has no confidential guests that a document can describe" },          \
      { "seclabel", TARGET_LOST, "has no security labels" }, { "devices/emulator", TARGET_CARRIED, NULL },   \
      { "devices/controller", TARGET_CARRIED, NULL }, { "devices/*/address", TARGET_NEEDLESS, NULL },        \
      { "devices/*/acpi", TARGET_NEEDLESS, NULL }, { "devices/graphics", TARGET_LOST, "has no display" },    \
      { "devices/video", TARGET_LOST, "has no display" }, { "devices/sound", TARGET_LOST, "has no sound" },  \
      { "devices/audio", TARGET_LOST, "has no sound" },                                                      \
      { "devices/input", TARGET_LOST, "has no input devices" },                                              \
      { "devices/channel", TARGET_LOST, "has no virtio-serial ports: vsock is what there is" },              \
      { "devices/parallel", TARGET_LOST, "has no parallel ports" },                                          \
      { "devices/redirdev", TARGET_LOST, "has no USB" },                                                     \
      { "devices/redirfilter", TARGET_LOST, "has no USB" }, { "devices/hub", TARGET_LOST, "has no USB" },    \
      { "devices/smartcard", TARGET_LOST, "has no USB" },                                                    \
      { "devices/shmem", TARGET_LOST, "has no memory shared between machines" },                             \
      { "devices/nvram", TARGET_LOST, "keeps no variables" },                                                \
      { "devices/lease", TARGET_LOST, "locks nothing" }, { "devices/disk@type", TARGET_CARRIED, NULL },      \
      { "devices/disk@device", TARGET_CARRIED, NULL }, { "devices/disk@model", TARGET_CARRIED, NULL },       \
      { "devices/disk@snapshot", TARGET_NEEDLESS, NULL },                                                    \
      { "devices/disk/driver@name", TARGET_NEEDLESS, NULL },                                                 \
      { "devices/disk/driver@type", TARGET_CARRIED, NULL },                                                  \
      { "devices/disk/driver@cache", TARGET_CARRIED, NULL },                                                 \
      { "devices/disk/driver@io", TARGET_CARRIED, NULL },                                                    \
      { "devices/disk/driver@discard", TARGET_CARRIED, NULL },                                               \
      { "devices/disk/source@file", TARGET_CARRIED, NULL },                                                  \
      { "devices/disk/source@dev", TARGET_CARRIED, NULL },                                                   \
      { "devices/disk/source@type", TARGET_CARRIED, NULL },                                                  \
      { "devices/disk/source@path", TARGET_CARRIED, NULL },                                                  \
      { "devices/disk/source@index", TARGET_NEEDLESS, NULL },                                                \
      { "devices/disk/backingStore", TARGET_CARRIED, NULL },                                                 \
      { "devices/disk/target@dev", TARGET_CARRIED, NULL },                                                   \
      { "devices/disk/target@bus", TARGET_CARRIED, NULL },                                                   \
      { "devices/disk/readonly", TARGET_CARRIED, NULL },                                                     \
      { "devices/disk/iotune/total_bytes_sec", TARGET_CARRIED, NULL },                                       \
      { "devices/disk/iotune/total_iops_sec", TARGET_CARRIED, NULL },                                        \
      { "devices/disk/iotune/total_bytes_sec_max", TARGET_CARRIED, NULL },                                   \
      { "devices/disk/iotune/total_iops_sec_max", TARGET_CARRIED, NULL },                                    \
      { "devices/disk/iotune/total_bytes_sec_max_length", TARGET_CARRIED, NULL },                            \
      { "devices/disk/iotune/total_iops_sec_max_length", TARGET_CARRIED, NULL },                             \
      { "devices/disk/iotune/read_bytes_sec", TARGET_LOST, "limits reads and writes together" },             \
      { "devices/disk/iotune/write_bytes_sec", TARGET_LOST, "limits reads and writes together" },            \
      { "devices/disk/iotune/read_iops_sec", TARGET_LOST, "limits reads and writes together" },              \
      { "devices/disk/iotune/write_iops_sec", TARGET_LOST, "limits reads and writes together" },             \
      { "devices/disk/iotune/group_name", TARGET_LOST, "limits each disk by itself" },                       \
      { "devices/interface@type", TARGET_CARRIED, NULL }, { "devices/interface/mac", TARGET_CARRIED, NULL }, \
      { "devices/interface/model", TARGET_CARRIED, NULL },                                                   \
      { "devices/interface/source@bridge", TARGET_CARRIED, NULL },                                           \
      { "devices/interface/source@network", TARGET_CARRIED, NULL },                                          \
      { "devices/interface/source@portgroup", TARGET_CARRIED, NULL },                                        \
      { "devices/interface/source@dev", TARGET_CARRIED, NULL },                                              \
      { "devices/interface/source@mode", TARGET_CARRIED, NULL },                                             \
      { "devices/interface/source@type", TARGET_CARRIED, NULL },                                             \
      { "devices/interface/source@path", TARGET_CARRIED, NULL },                                             \
      { "devices/interface/target@dev", TARGET_CARRIED, NULL },                                              \
      { "devices/interface/target@managed", TARGET_CARRIED, NULL },                                          \
      { "devices/interface/mtu", TARGET_CARRIED, NULL },                                                     \
      { "devices/interface/link@state", TARGET_CARRIED, NULL },                                              \
      { "devices/interface/bandwidth/inbound", TARGET_CARRIED, NULL },                                       \
      { "devices/interface/bandwidth/outbound", TARGET_CARRIED, NULL },                                      \
      { "devices/interface/boot", TARGET_LOST, "boots from no network" },                                    \
      { "devices/interface/rom", TARGET_LOST, "has no option ROMs" },                                        \
      { "devices/interface/filterref", TARGET_LOST, "filters no packets" },                                  \
      { "devices/serial@type", TARGET_CARRIED, NULL }, { "devices/serial/source", TARGET_CARRIED, NULL },    \
      { "devices/serial/target", TARGET_CARRIED, NULL },                                                     \
      { "devices/serial/protocol", TARGET_CARRIED, NULL }, { "devices/console@type", TARGET_CARRIED, NULL }, \
      { "devices/console/source", TARGET_CARRIED, NULL },                                                    \
      { "devices/console/target", TARGET_CARRIED, NULL },                                                    \
      { "devices/console/protocol", TARGET_CARRIED, NULL },                                                  \
      { "devices/console@tty", TARGET_NEEDLESS, NULL }, { "devices/serial@tty", TARGET_NEEDLESS, NULL },     \
      { "devices/memballoon@model", TARGET_CARRIED, NULL },                                                  \
      { "devices/memballoon@autodeflate", TARGET_CARRIED, NULL },                                            \
      { "devices/memballoon@freePageReporting", TARGET_CARRIED, NULL },                                      \
      { "devices/vsock@model", TARGET_CARRIED, NULL }, { "devices/vsock/cid", TARGET_CARRIED, NULL },        \
      { "devices/rng@model", TARGET_CARRIED, NULL }, { "devices/rng/backend", TARGET_CARRIED, NULL },        \
  {                                                                                                          \
    "devices/memory", TARGET_CARRIED, NULL                                                                   \
  }

#define LAUNCH_RUNS_ONLY_WITH_KVM "runs only with KVM: type='kvm' is what it takes"

/* What of the machine as a whole depends on values: its type, architecture and clock, its controllers. */
void launch_lose_machine (const DomainDef *def, TargetLosses *losses);
/* MiB and KiB differ, so do hypervisors: KiB with which the machine boots, without memory devices. */
guint64 launch_memory (const DomainDef *def);
/* KiB that the balloon holds from the beginning. */
guint64 launch_balloon (const DomainDef *def);
/* Bytes of the pages that all its memory is to be made of; 0: ordinary ones. A size for some nodes is lost.
 */
guint64 launch_huge_page (const DomainDef *def, TargetLosses *losses);
/* The number by which a guest is reached: what the document says, or the first there is: it is known within
 * the process alone, and two machines may have the same. */
guint64 launch_vsock_cid (const DomainDef *def);

/* Is it one that virtio can be, in a file, a block device or behind a vhost-user server? What is said of it
 * and neither hypervisor has is lost. FALSE: the disk itself is. */
gboolean launch_can_disk (const DeviceDisk *disk, TargetLosses *losses);
/* Is there no medium of its own ahead of the next? */
gboolean launch_is_chained (const DeviceDisk *disk);
/* A token bucket for each limit that both directions share; NULL: none. (transfer full) */
JsonObject *launch_disk_limiter (const DeviceDisk *disk);
/* The same of one direction of a card. What it lacks is lost. NULL is fine. (transfer full) */
JsonObject *
launch_interface_limiter (const DeviceInterface *interface, const InterfaceRate *rate, TargetLosses *losses);

/* Does it end in a tap of the host? FALSE: it is lost. */
gboolean launch_can_tap (const DeviceInterface *interface, TargetLosses *losses);
/* The name of its tap, with the steps that make one that is not there, or a warning where the document does
 * not say how. @index: the place among the taps. (transfer full) */
char *launch_tap (TargetConfig *config, const DeviceInterface *interface, guint index);

/* Is it, by its file name, the program of one of them? NULL is not. */
gboolean launch_is_program (const char *path);
/* The emulator the document names, where it is a @program (or @program-something); @program otherwise. */
const char *launch_program (const DomainDef *def, const char *program);
/* Indented text of @object, which is taken, as the file @name. */
void launch_add_file (TargetConfig *config, const char *name, JsonObject *object);
