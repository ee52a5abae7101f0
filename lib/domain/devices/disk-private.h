/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "domain/devices/disk.h"
#include "domain/report.h"

/* What disk.c and disk-validate.c share. */
extern const FieldRange disk_rotation_rates;

extern const FieldType field_disk_backing; /* DiskBacking *; what was detected is live only */
void disk_backing_complete (DeviceDisk *disk, gboolean live, gboolean lax);
void disk_backing_validate (Validation *validation, const DeviceDisk *disk);

/* Values that say nothing are dropped, and <iotune> with them. */
void disk_iotune_complete (DeviceDisk *disk);
void disk_iotune_validate (Validation *validation, const DeviceDisk *disk);

/* Is it one that libvirt has a name for? */
gboolean disk_knows_format (const char *format);
void disk_validate (Validation *validation, const Device *device);
