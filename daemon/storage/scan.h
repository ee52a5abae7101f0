/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "daemon/core/job.h"
#include "storage/storage-volume.h"

/* What is in a pool's directory. In a job's thread: a directory can be on a server that does not answer. */
#define STORAGE_VOLUMES_MAX 16384 /* in one pool: what a list on the wire holds */

typedef struct {
  guint64 capacity, allocation, available; /* bytes of the file system */
  StoragePermissions permissions;          /* of the directory; no label */
  GPtrArray *volumes;                      /* StorageVolumeDef, ordered by name; NULL: not looked for */
} StorageScan;

void storage_scan_free (StorageScan *scan);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (StorageScan, storage_scan_free)

/* The directory open for openat, or -1 with libvirt's text. */
int storage_open_directory (const char *path, GError **error);
/* Everything in it that is a volume. */
StorageScan *storage_scan (Job *job, const char *path, GError **error);
/* The directory alone. */
StorageScan *storage_scan_sizes (const char *path, GError **error);
/* One entry. NULL without @error: it is none that is shown (a socket, a link to nowhere). */
StorageVolumeDef *storage_scan_volume (int directory, const char *path, const char *name, GError **error);
