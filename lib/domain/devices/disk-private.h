/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "domain/devices/disk.h"
#include "domain/report.h"

/* What disk.c and disk-validate.c share. */
extern const FieldRange disk_rotation_rates;

extern const FieldSize disk_cache_size;

extern const FieldType field_disk_backing; /* DiskBacking *; what was detected is live only */
void disk_backing_complete (Completion *completion, DeviceDisk *disk);
void disk_backing_validate (Validation *validation, const DeviceDisk *disk);

/* Values that say nothing are dropped, and <iotune> with them. */
void disk_iotune_complete (DeviceDisk *disk);
/* A limit is said for both directions, or for each. @object: for the place. */
void disk_iotune_validate_totals (Validation *validation, gconstpointer object, const DiskIotune *tune);
void disk_iotune_validate (Validation *validation, const DeviceDisk *disk);

/* Is it one that libvirt has a name for? */
gboolean disk_knows_format (const char *format);
void disk_validate (Validation *validation, const Device *device);
/* What holds for each image of a chain; @disk: for the place. */
void disk_image_validate (Validation *validation, const DeviceDisk *disk, DiskImage image);
/* disk-driver-validate.c: who serves the disk, and how. */
void disk_driver_validate (Validation *validation, const DeviceDisk *disk);
/* throttle-groups.c */
void disk_throttle_validate (Validation *validation, const DeviceDisk *disk);
