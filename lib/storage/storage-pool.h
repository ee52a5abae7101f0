/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "document/document-kind.h"
#include "storage/storage-fields.h"

/*
 * The document of a storage pool. All of libvirt's types are known by name; only directories ("dir") are
 * accepted, the others are refused with VIR_ERR_CONFIG_UNSUPPORTED. Pure; immutable once made, shared by
 * reference, any thread.
 */
typedef enum { STORAGE_POOL_NONE, STORAGE_POOL_DIR } StoragePoolType; /* the others: see storage_pool_types */
extern const EnumTable storage_pool_types;

typedef struct {
  int type; /* StoragePoolType */
  char *name, *uuid;
  Number capacity, allocation,
      available;                  /* bytes of the file system; what a document says of them is not kept */
  char *features, *source;        /* kept as they stand; a directory has no use for them */
  char *path;                     /* absolute, without "." and ".." and doubled or last '/' */
  StoragePermissions permissions; /* of the directory: asked for, or as found */
  gint ref_count;
} StoragePoolDef;

extern const DocumentKind storage_pool_document;

/* @flags: DocumentReadFlags. NULL, with the mistakes in @diagnostics. What is missing and has a default (the
 * UUID) is filled in. */
StoragePoolDef *
storage_pool_def_parse (const char *text, gssize length, guint flags, Diagnostics *diagnostics);
StoragePoolDef *storage_pool_def_ref (StoragePoolDef *def);
void storage_pool_def_unref (StoragePoolDef *def);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (StoragePoolDef, storage_pool_def_unref)
StoragePoolDef *storage_pool_def_copy (const StoragePoolDef *def);
/* As libvirt writes it: sizes are always there, 0 while they are not known. (transfer full) */
char *storage_pool_def_to_xml (const StoragePoolDef *def);
