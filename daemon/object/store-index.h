/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>
#include <sys/stat.h>

/*
 * A note of which UUID each user's document has, kept so that a start need not read a thousand documents:
 * one line a document with the file's identity (inode, size, modification time). It is only a note: a line
 * whose file has another identity counts for nothing, and the whole file may be lost.
 *
 * Lines are appended; the last one for a name holds. Any thread.
 */
typedef struct StoreIndex StoreIndex;

StoreIndex *store_index_open (const char *path);
void store_index_free (StoreIndex *index);

/* The UUID of the document of that encoded name, if the file is still the one noted. (transfer full) */
char *store_index_find (StoreIndex *index, const char *encoded_name, const struct stat *file);
void
store_index_note (StoreIndex *index, const char *encoded_name, const char *uuid, const struct stat *file);
/* Forget every name that is not in @present (a set of encoded names), and write the file again when few of
 * its lines still hold. */
void store_index_compact (StoreIndex *index, GHashTable *present);
