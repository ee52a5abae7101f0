/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "daemon/snapshot/snapshot-steps.h"

/*
 * Back to a snapshot, as far as it is on disk; the machine does not run. Three steps, in jobs: prepare reads
 * and changes nothing; disks writes down what is to be done, and does it; store makes the definition the one
 * of then, and removes the note. After a kill between the last two all of it is done again.
 */
typedef struct {
  SnapshotPlace *place; /* owned */
  SnapshotDef *def;     /* as it will be: with the new images, where it is an external one */
  SnapshotDef *left;  /* the one that was current, without its new images, which are gone; NULL: as it was */
  DomainDef *before;  /* the stored definition */
  DomainDef *then;    /* that of then, with the images of then */
  DomainDef *config;  /* what will be stored */
  DomainDef *start;   /* what is started with the memory of then, or without */
  GPtrArray *leaving; /* char *: images that nobody needs then, unless somebody still refers to them */
} SnapshotRevert;

/* Takes @place. @current: the one that is current; NULL: none is. */
SnapshotRevert *
snapshot_revert_new (SnapshotPlace *place, const SnapshotDef *def, const SnapshotDef *current);
void snapshot_revert_free (SnapshotRevert *revert);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (SnapshotRevert, snapshot_revert_free)

gboolean snapshot_revert_prepare (SnapshotRevert *revert, GError **error);
gboolean snapshot_revert_disks (SnapshotRevert *revert, GError **error);
gboolean snapshot_revert_store (SnapshotRevert *revert, GError **error);
/* All of it again, from what was written down: @revert is of the snapshot in @intent, with the stored
 * definition in it. */
gboolean snapshot_revert_again (SnapshotRevert *revert, const SnapshotIntent *intent, GError **error);
/* The disks that have the snapshot inside. (char *, transfer full) */
GPtrArray *snapshot_revert_targets (const SnapshotRevert *revert);
