/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * <mirror>: the image that a copy or a commit of the topmost image is written to, and that becomes the disk's
 * own when the job is completed. True of a running machine only; a copy's also has the attributes that
 * documents had before there was a <source> in it, as libvirt writes both.
 */
#include "domain/devices/disk-private.h"

static const EnumTable mirror_jobs = { "mirror job", { NULL, "copy", "active-commit" } };
static const EnumTable mirror_readies = { "mirror state", { NULL, "yes", "abort", "pivot" } };

#define FILE_TYPE (DISK_TYPE_BIT (NONE) | DISK_TYPE_BIT (FILE))

static const Field mirror_fields[] = {
  FIELD (DiskMirror, type, "@type", field_enum, &disk_types),
  FIELD (DiskMirror, old_file, "@file", field_text, NULL),
  FIELD (DiskMirror, old_format, "@format", field_text, NULL),
  FIELD (DiskMirror, job, "@job", field_enum, &mirror_jobs),
  FIELD (DiskMirror, ready, "@ready", field_enum, &mirror_readies),
  FIELD (DiskMirror, format, "format/@type", field_text, NULL),
  FIELD (DiskMirror, metadata_cache, "format/metadata_cache/max_size", field_memory, &disk_cache_size),
  FIELD_WHEN (DiskMirror, file, "source/@file", field_text, NULL, type, FILE_TYPE),
  FIELD_WHEN (DiskMirror, fdgroup, "source/@fdgroup", field_text, NULL, type, FILE_TYPE),
  FIELD_WHEN (DiskMirror, dev, "source/@dev", field_text, NULL, type, DISK_TYPE_BIT (BLOCK)),
  FIELD (DiskMirror, startup_policy, "source/@startupPolicy", field_enum, &startup_policies),
  DISK_SOURCE_ATTRIBUTES (DiskMirror),
  FIELD_WITH (DiskMirror, source_index, "source/@index", field_number, &disk_range_32, FIELD_LIVE),
  DISK_SOURCE_ELEMENTS (DiskMirror),
  FIELD (DiskMirror, backing, "backingStore", field_optional, &disk_backing_table),
  FIELD_END,
};
const FieldTable disk_mirror_table = { sizeof (DiskMirror), mirror_fields };
