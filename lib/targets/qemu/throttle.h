/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "domain/devices/disk.h"

#include <json-glib/json-glib.h>

/* <iotune> of a running machine's disk, as the arguments of QMP's block_set_io_throttle. NULL limits: none.
 * (transfer full) */
JsonObject *qemu_throttle_arguments (const DeviceDisk *disk);
/* The disk's device in QEMU's object model, as block commands name it. (transfer full) */
char *qemu_disk_object (const DeviceDisk *disk);

/* What query-block says of the disk's limits ("inserted" of its entry, untrusted; NULL: nothing is inserted).
 * (transfer full) */
DiskIotune *qemu_throttle_read (JsonObject *inserted);
