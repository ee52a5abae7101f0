/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "daemon/object/store.h"

/* All texts of one definition, byte for byte: the user's document, the completed one and the history, as
 * files in a directory that is not the store's. For jobs. */

/* Into @directory, on the disk when it returns. */
gboolean store_texts_copy_out (Store *store, const char *uuid, const char *name, const char *directory,
                               GError **error);
/* Back, where nothing has that name or UUID: the document comes last. FALSE: nothing of it is there. */
gboolean
store_texts_copy_in (Store *store, const char *uuid, const char *name, const char *directory, GError **error);
/* What a copying in that was cut short has left of a definition that has no document. */
void store_texts_forget (Store *store, const char *uuid);
/* The completed text in @directory. (transfer full) */
char *store_texts_completed (const char *directory, GError **error);
