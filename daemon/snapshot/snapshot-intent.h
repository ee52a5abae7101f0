/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "snapshot/snapshot-document.h"

/*
 * What is about to be done to a domain's disks, written down beside its snapshots before it is begun: one at
 * a time, for the domain's lock is held. A daemon that finds one finishes it or undoes it
 * (snapshot-recover.h). Any thread.
 *
 * A creation is SNAPSHOT_INTENT_MAKING until everything that is new stands there whole: until then it is
 * undone, from then on finished. Going back and deleting are done again from their beginning, which any
 * number of times comes to the same. What a deletion merges is in its note, for once it is merged the images
 * do not show it: see SnapshotMerge.
 */
typedef enum {
  SNAPSHOT_INTENT_NONE,
  SNAPSHOT_INTENT_CREATE,
  SNAPSHOT_INTENT_REVERT,
  SNAPSHOT_INTENT_DELETE
} SnapshotIntentKind;

/* What was written into the image @top goes into the one below it, @base, which everybody has from then on.
 */
typedef struct {
  char *disk;         /* its target */
  char *base, *top;   /* paths */
  char *format;       /* of @base */
  gboolean in_qemu;   /* both are images of the running machine's disk: a block job merges them */
  gboolean is_active; /* of those: the machine writes to @top, and to @base afterwards */
  gboolean merged;    /* not written down */
} SnapshotMerge;

void snapshot_merge_free (SnapshotMerge *merge);
SnapshotMerge *snapshot_merge_copy (const SnapshotMerge *merge);

typedef struct {
  int kind;          /* SnapshotIntentKind */
  gboolean made;     /* of a creation: see above */
  gboolean keeps;    /* of a creation: the snapshot is known afterwards */
  gboolean running;  /* of a creation: QEMU runs, and its CPUs did when it was begun */
  char *name;        /* of the snapshot */
  char *document;    /* the snapshot's, as it will be */
  GPtrArray *files;  /* char *: made for it, and nobody else's */
  GPtrArray *merges; /* SnapshotMerge, of a deletion; NULL: nothing was planned yet */
} SnapshotIntent;

SnapshotIntent *snapshot_intent_new (int kind, const char *name);
void snapshot_intent_free (SnapshotIntent *intent);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (SnapshotIntent, snapshot_intent_free)

/* @directory: that of the domain's snapshots. On the disk when it returns TRUE. */
gboolean snapshot_intent_write (const SnapshotIntent *intent, const char *directory, GError **error);
/* NULL without an error: there is none. What is read is untrusted. */
SnapshotIntent *snapshot_intent_read (const char *directory, GError **error);
gboolean snapshot_intent_remove (const char *directory, GError **error);
/* The snapshot in it; NULL with @error. (transfer full) */
SnapshotDef *snapshot_intent_def (const SnapshotIntent *intent, GError **error);
