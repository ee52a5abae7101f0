/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "storage/storage-pool.h"

/*
 * The document of a storage volume: what a client asks for, and what there is. Pure; immutable once made,
 * shared by reference, any thread.
 */
typedef enum { /* in virStorageVolType's order, one behind it */
               STORAGE_VOLUME_NONE,
               STORAGE_VOLUME_FILE,
               STORAGE_VOLUME_BLOCK,
               STORAGE_VOLUME_DIR
} StorageVolumeType;

typedef enum {
  STORAGE_FORMAT_NONE,
  STORAGE_FORMAT_RAW,
  STORAGE_FORMAT_DIR,
  STORAGE_FORMAT_QCOW2
} StorageFormat; /* the others: only found, never made */
extern const EnumTable storage_formats;

typedef struct {
  int type; /* passphrase */
  char *uuid, *usage;
} StorageSecret;

typedef struct {
  int format, engine;
  GPtrArray *secrets; /* StorageSecret; NULL: none */
  char *cipher_name, *cipher_mode, *cipher_hash, *ivgen_name, *ivgen_hash;
  Number cipher_size; /* bits */
} StorageEncryption;

typedef struct {
  char *path;
  GPtrArray *extents; /* StorageExtent: which parts of the device; NULL: none */
} StorageVolumeDevice;

typedef struct {
  char *path;
  int format; /* StorageFormat */
  char *atime, *mtime, *ctime, *btime;
  StoragePermissions permissions;
} StorageBacking;

typedef struct {
  int type; /* StorageVolumeType */
  char *name, *key;
  Number capacity, allocation, physical; /* bytes */
  char *path;
  int format; /* StorageFormat */
  StoragePermissions permissions;
  char *atime, *mtime, *ctime, *btime; /* "SECONDS.NANOSECONDS" */
  GPtrArray *devices;            /* StorageVolumeDevice: where it lies, in pools of devices; NULL: none */
  StorageEncryption *encryption; /* NULL: none */
  char *compat;                  /* "0.10", "1.1" */
  gboolean nocow;
  Number cluster_size; /* bytes */
  gboolean has_features, lazy_refcounts, extended_l2;
  StorageBacking *backing; /* NULL: none */
  gint ref_count;
} StorageVolumeDef;

extern const DocumentKind storage_volume_document;

/* A document that asks for a volume. NULL, with the mistakes in @diagnostics. The name cannot leave the
 * pool's directory, the format is one that can be made, the capacity is there unless @from is (or a backing
 * file). */
StorageVolumeDef *storage_volume_def_parse (const char *text, gssize length, guint flags, gboolean from,
                                            Diagnostics *diagnostics);
StorageVolumeDef *storage_volume_def_new (void);
StorageVolumeDef *storage_volume_def_ref (StorageVolumeDef *def);
void storage_volume_def_unref (StorageVolumeDef *def);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (StorageVolumeDef, storage_volume_def_unref)
StorageVolumeDef *storage_volume_def_copy (const StorageVolumeDef *def);
StorageBacking *storage_backing_new (void);
/* (transfer full) */
char *storage_volume_def_to_xml (const StorageVolumeDef *def);
