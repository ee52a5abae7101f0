/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "daemon/snapshot/snapshot-steps.h"

/*
 * Deleting one snapshot. Inside of disks it is taken out of them. One in images of its own is forgotten, and
 * where one image alone stands on a disk of then, the two become one: what was written since goes into the
 * image of then, and whoever stood on the other one, or named it, has that. Where several do, the images stay
 * as they are, for all of them are needed. Images that a machine has open are merged by its block jobs
 * (snapshot-merge-live.h). Everything can be done again.
 */
typedef struct {
  SnapshotPlace *place;    /* owned */
  SnapshotDef *def;        /* what is deleted */
  DomainDef *config;       /* the stored definition; NULL: there is none */
  DomainDef *config_after; /* what it becomes; NULL: it stays */
  DomainDef *live;         /* of the running machine; NULL: it does not run */
  GPtrArray *others;       /* SnapshotDef, owned: all others of the domain */
  GPtrArray *changed; /* SnapshotDef, owned: those of them that have other images or follow another one now */
  GPtrArray *merges;  /* SnapshotMerge, owned: NULL: not planned yet */
  char *current;      /* the current one afterwards; NULL: none */
  gboolean metadata_only;
  gboolean stays; /* not all could be merged: it is still there, and can only be deleted */
} SnapshotDelete;

void snapshot_delete_free (SnapshotDelete *deletion);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (SnapshotDelete, snapshot_delete_free)

/* All of this is done in a job's thread, in this order. */

/* What is to be merged is planned, and written down. */
gboolean snapshot_delete_plan (SnapshotDelete *deletion, GError **error);
/* What is inside of the disks, which is not this function's where the machine runs, and images that no
 * machine has open. Of one that was cut short, and whose machine has ended meanwhile, those that it had open.
 */
gboolean snapshot_delete_images (SnapshotDelete *deletion, GError **error);
/* Everybody who named an image that has been merged names the other one. With merges that did not happen, the
 * snapshot stays. */
gboolean snapshot_delete_follow (SnapshotDelete *deletion, GError **error);
/* Documents, definition, and then files that nothing needs. */
gboolean snapshot_delete_store (SnapshotDelete *deletion, GError **error);
