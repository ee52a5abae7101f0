/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "snapshot/backup-document.h"
#include "targets/qemu/bitmaps.h"

/*
 * A backup job in QEMU's terms: for each disk that is copied the nodes of its store, the block job, and the
 * bitmap that says what is to be copied. The names are libvirt's. Pure; any thread.
 */
typedef struct {
  char *target;                   /* the disk's: "vda" */
  char *node;                     /* its image's on top: "libvirt-3-format" */
  char *job;                      /* "backup-vda-libvirt-3-format" */
  char *storage, *top;            /* the store's nodes; the same where its format needs none of its own */
  char *bitmap;                   /* "backup-vda"; NULL: everything is copied */
  char *since;                    /* the checkpoint; NULL */
  GPtrArray *chain;               /* char *: the nodes of the disk's images, from the top */
  char *backing, *backing_format; /* of the disk's image on top, for the store's header; NULL: not local */
  guint64 size, cluster;          /* of it; cluster 0: QEMU's choice */
  guint64 granularity;            /* of the bitmap */
} BackupNode;

void backup_node_free (gpointer node);

/* The nodes of every disk of @def that is copied, in its order, numbered from @number on; sets the index of
 * each. @def is completed, and not shared yet. NULL with an error in libvirt's words where a checkpoint's
 * bitmap is missing. (BackupNode, transfer full) */
GPtrArray *backup_nodes_new (BackupDef *def, const DomainDef *live, const QemuCaps *caps,
                             const NodeStates *states, guint number, GError **error);

/* Is the store opened with its disk beneath: what is not in it is read from there. */
gboolean backup_node_has_backing (const BackupDef *def, const BackupNode *node);
/* Arguments of "blockdev-add" for the store's bytes, found at @file; and for its format (NULL: it has none of
 * its own). */
JsonObject *backup_storage_arguments (const BackupDisk *disk, const BackupNode *node, const char *file);
JsonObject *backup_format_arguments (const BackupDef *def, const BackupDisk *disk, const BackupNode *node);
/* Arguments of "blockdev-create"; NULL: there is nothing to be made. */
JsonObject *backup_create_arguments (const BackupDef *def, const BackupDisk *disk, const BackupNode *node);
#define BACKUP_CREATE_PREFIX "create-" /* of the id of that job; the store's top node follows */
/* The transaction that begins all jobs at one instant. @checkpoint (may be NULL): bitmaps of its name begin
 * then too, on the disks in @checkpoint_nodes (char *). Arguments of "transaction". */
JsonObject *backup_begin_arguments (const BackupDef *def, const GPtrArray *nodes, const char *checkpoint,
                                    const GPtrArray *checkpoint_nodes);
/* Arguments of "block-export-add". */
JsonObject *backup_export_arguments (const BackupDisk *disk, const BackupNode *node);
