/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "daemon/snapshot/snapshot-steps.h"

/*
 * Deleting one snapshot, of a machine that does not run. Inside of disks it is taken out of them. One in
 * images of its own is forgotten, and where one image alone stands on a disk of then, the two become one:
 * what was written since goes into the image of then, and whoever stood on the other one, or named it, has
 * that. Where several do, the images stay as they are, for all of them are needed. Everything can be done
 * again.
 */
typedef struct {
  SnapshotPlace *place;    /* owned */
  SnapshotDef *def;        /* what is deleted */
  DomainDef *config;       /* the stored definition */
  DomainDef *config_after; /* what it becomes; NULL: it stays */
  GPtrArray *others;       /* SnapshotDef, owned: all others of the domain */
  GPtrArray *changed; /* SnapshotDef, owned: those of them that have other images or follow another one now */
  char *current;      /* the current one afterwards; NULL: none */
  gboolean metadata_only;
} SnapshotDelete;

void snapshot_delete_free (SnapshotDelete *deletion);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (SnapshotDelete, snapshot_delete_free)

/* What is inside of the disks is not this function's where @in_qemu. */
gboolean snapshot_delete_images (SnapshotDelete *deletion, gboolean in_qemu, GError **error);
/* Documents, definition, and then files that nothing needs. */
gboolean snapshot_delete_store (SnapshotDelete *deletion, GError **error);
