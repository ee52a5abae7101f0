/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "domain/devices/disk.h"
#include "targets/qemu/caps.h"

#include <json-glib/json-glib.h>

/* <iotune> of a running machine's disk, as the arguments of QMP's block_set_io_throttle. NULL limits: none.
 * (transfer full) */
JsonObject *qemu_throttle_arguments (const DeviceDisk *disk);
/* The limits of a throttle group, as QEMU's object of that type has them. (transfer full) */
JsonObject *qemu_throttle_limits (const DiskIotune *group);
/* The id of the object of a group. (transfer full) */
char *qemu_throttle_group_id (const char *name);
/* The disk's device in QEMU's object model, as block commands name it. (transfer full) */
char *qemu_disk_object (const DeviceDisk *disk);

/* The block node that a running machine's device is connected to. (transfer full) */
char *qemu_disk_node (const QemuCaps *caps, const DeviceDisk *disk);
/* The node that stands for image @index of its chain; NULL: it has no such image. (transfer full) */
char *qemu_image_node (const QemuCaps *caps, const DeviceDisk *disk, guint64 index);
/* The number of the first of its throttle filters; the others have the next ones. */
guint qemu_disk_filter (const DeviceDisk *disk);

/* What query-block says of the disk's limits ("inserted" of its entry, untrusted; NULL: nothing is inserted).
 * (transfer full) */
DiskIotune *qemu_throttle_read (JsonObject *inserted);
