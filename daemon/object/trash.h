/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "daemon/object/store.h"

/*
 * Definitions that were removed and can come back: their texts and history, and the files of the daemon's
 * that were theirs alone (a machine's firmware variables, its TPM's state, its managed save; a secret's
 * value). What belongs to others, as disks, stays where it is. Each is a directory of its own below the state
 * directory. For jobs; callers serialize, as all changes of definitions are (change.h).
 */
typedef struct TrashFile TrashFile;

typedef struct {
  guint number;    /* of the entry, from 1 */
  char *directory; /* its place */
  char *kind;      /* the element of its document */
  char *uuid, *name;
  gint64 time; /* microseconds since 1970 */
  gint64 uid;  /* who removed it */
  char *client;
  gboolean autostart, autostart_once;
  GPtrArray *files; /* TrashFile */
} TrashEntry;

void trash_entry_free (TrashEntry *entry);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (TrashEntry, trash_entry_free)
/* Where the files were and will be again. (transfer full) */
GStrv trash_entry_files (const TrashEntry *entry);
/* What was completed of it, to be read before it comes back. (transfer full) */
char *trash_entry_completed (const TrashEntry *entry, GError **error);

/* First half of a removal: its texts are in the trash, and that it is about to go is written down. @files:
 * below the state directory, perhaps not there; NULL: none. */
TrashEntry *
trash_begin (const Settings *settings, Store *store, const char *uuid, const char *name, gboolean autostart,
             gboolean autostart_once, const char *const *files, const Author *author, GError **error);
/* The second, once the definition is gone: the files follow it. One that cannot be moved stays where it is,
 * with a warning. */
void trash_take (TrashEntry *entry);
/* Instead of it: the definition stays. */
void trash_cancel (TrashEntry *entry);

/* TrashEntry, the oldest first; what cannot be read is passed over with a warning. */
GPtrArray *trash_list (const Settings *settings);
/* VIR_ERR_INVALID_ARG: there is none of that number. */
TrashEntry *trash_open (const Settings *settings, guint number, GError **error);
/* It is defined again as it was, files and marks and all, and no longer in the trash; FALSE: it is there
 * still. Its name and UUID must be free. */
gboolean trash_restore (TrashEntry *entry, Store *store, GError **error);
/* For good. */
gboolean trash_remove (TrashEntry *entry, GError **error);

/* At the start, once the stores are whole: what was cut short is finished or undone. @stores: of the kinds
 * that are kept (Store). */
void trash_recover (const Settings *settings, Store *const *stores, guint count);
