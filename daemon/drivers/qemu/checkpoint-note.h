/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "base/virt-error.h"
#include "snapshot/checkpoint-document.h"

/* What is about to be done to a running machine's checkpoints, in its run directory: the one that is being
 * made, or those that are being removed with the ones that follow them. */
typedef struct {
  CheckpointDef *created; /* NULL: some are removed */
  gboolean with_backup;   /* it begins with a backup */
  GPtrArray *removed;     /* char *: names; of a removal */
  gboolean bitmaps;       /* and their bitmaps go too */
  GPtrArray *followers;   /* CheckpointDef: as they are once those are gone */
  char *current;          /* then; NULL: none */
} CheckpointNote;

CheckpointNote *checkpoint_note_new (void);
void checkpoint_note_free (CheckpointNote *note);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (CheckpointNote, checkpoint_note_free)

/* Any thread; blocking. */
gboolean checkpoint_note_save (const CheckpointNote *note, const char *directory, GError **error);
/* NULL without @error: there is none. */
CheckpointNote *checkpoint_note_load (const char *directory, GError **error);
gboolean checkpoint_note_remove (const char *directory, GError **error);
