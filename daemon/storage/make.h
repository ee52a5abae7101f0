/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "daemon/storage/scan.h"

/*
 * Making and changing volumes, in a job's thread. A new file is made in the pool's directory with O_EXCL and
 * O_NOFOLLOW, and filled through its descriptor, so that neither a name nor a link can lead elsewhere; one
 * that cannot be finished is removed again. What is changed is opened with O_NOFOLLOW as well.
 */
typedef struct {
  char *pool_path;
  StorageVolumeDef *volume; /* wanted: from storage_volume_def_parse */
  guint flags;              /* virStorageVolCreateFlags */
  char *from_path;          /* copied from there, NULL: nothing */
  int from_format;          /* StorageFormat */
  guint64 from_capacity;    /* bytes */
} StorageMake;

/* The volume as it is then. */
StorageVolumeDef *storage_make (Job *job, const StorageMake *make, GError **error);

/* @volume: as last seen, in the directory @pool_path. @capacity: bytes. @flags: virStorageVolResizeFlags,
 * without DELTA. */
gboolean storage_resize (Job *job, const char *pool_path, const StorageVolumeDef *volume, guint64 capacity,
                         guint flags, GError **error);
/* Zeros over all of it. */
gboolean storage_wipe (Job *job, const char *pool_path, const StorageVolumeDef *volume, GError **error);
gboolean storage_delete (const char *pool_path, const StorageVolumeDef *volume, GError **error);
/* Opened for reading or writing; regular files and block devices only, and never through a link to write. */
int storage_open_volume (const char *pool_path, const char *name, int mode, GError **error);
