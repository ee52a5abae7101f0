/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "document/document-kind.h"
#include "storage/storage-fields.h"
#include "storage/storage-source.h"

/*
 * The document of a storage pool, of all of libvirt's types. Which of them can be defined and made active is
 * not the document's business: storage_pool_def_parse is for those that can. Pure; immutable once made,
 * shared by reference, any thread.
 */
typedef enum { /* in the order of storage_pool_types */
               STORAGE_POOL_NONE,
               STORAGE_POOL_DIR,
               STORAGE_POOL_FS,
               STORAGE_POOL_NETFS,
               STORAGE_POOL_LOGICAL,
               STORAGE_POOL_DISK,
               STORAGE_POOL_ISCSI,
               STORAGE_POOL_ISCSI_DIRECT,
               STORAGE_POOL_SCSI,
               STORAGE_POOL_MPATH,
               STORAGE_POOL_RBD,
               STORAGE_POOL_SHEEPDOG,
               STORAGE_POOL_GLUSTER,
               STORAGE_POOL_ZFS,
               STORAGE_POOL_VSTORAGE
} StoragePoolType;
extern const EnumTable storage_pool_types;

typedef struct {
  int type; /* StoragePoolType */
  char *name, *uuid;
  Number capacity, allocation,
      available;            /* bytes of the file system; what a document says of them is not kept */
  int cow;                  /* Tristate: what of copy on write is asked for */
  StoragePoolSource source; /* a directory has none */
  char *path;               /* absolute, without "." and ".." and doubled or last '/'; NULL: it has none */
  StoragePermissions permissions; /* of the directory: asked for, or as found */
  int volume_allocation;          /* of those found by a refresh: 1 default, 2 capacity */
  GPtrArray *mount_options;       /* StorageOption, whose values are NULL; NULL: none */
  GPtrArray *config_options;      /* StorageOption; NULL: none */
  gint ref_count;
} StoragePoolDef;

extern const DocumentKind storage_pool_document;        /* of any type */
extern const DocumentKind storage_pool_usable_document; /* of a type that can be made active */

/* One that can be used here: of a type that is no directory it is refused with VIR_ERR_CONFIG_UNSUPPORTED.
 * @flags: DocumentReadFlags. NULL, with the mistakes in @diagnostics. What is missing and has a default (the
 * UUID) is filled in. */
StoragePoolDef *
storage_pool_def_parse (const char *text, gssize length, guint flags, Diagnostics *diagnostics);
StoragePoolDef *storage_pool_def_ref (StoragePoolDef *def);
void storage_pool_def_unref (StoragePoolDef *def);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (StoragePoolDef, storage_pool_def_unref)
StoragePoolDef *storage_pool_def_copy (const StoragePoolDef *def);
/* As libvirt writes it: sizes are always there, 0 while they are not known. (transfer full) */
char *storage_pool_def_to_xml (const StoragePoolDef *def);
