/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "daemon/object/store.h"

/*
 * Where a definition was applied from: the label of its source, by which a later apply knows what is its own
 * to remove, and the file its document was in, whose directory the names of files in the document's policy
 * are of. It is kept beside the completed definition, and goes with it. Any thread.
 */
typedef struct {
  char *source; /* label; NULL: it was applied without one */
  char *file;   /* absolute; NULL: not known */
} Applied;

void applied_free (Applied *applied);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (Applied, applied_free)

/* NULL: it was never applied, or nothing that can be understood is left of it. */
Applied *store_load_applied (Store *store, const char *uuid);
/* On the disk when it returns TRUE. Before the definition it belongs to, or with it. */
gboolean
store_save_applied (Store *store, const char *uuid, const char *source, const char *file, GError **error);
/* @name as a file beside the document that was applied: absolute as it is, otherwise in the directory of
 * @applied's file. NULL with @error when no directory is known. (transfer full) */
char *applied_resolve (const Applied *applied, const char *name, GError **error);
