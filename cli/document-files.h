/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

#define DOCUMENT_FILES_MAX       100000 /* of all words of a command together */
#define DOCUMENT_FILES_DEPTH_MAX 32     /* directories in one another */

/* One file of those a command is given. */
typedef struct {
  char *path;
  gboolean named; /* it was named itself, and not found in a directory */
} DocumentFile;

/* The files that @words mean: a directory means all *.xml below it, sorted, links to directories and hidden
 * ones left out. NULL with @error when one cannot be read or there are too many. (transfer full) */
GPtrArray *document_files_find (char *const *words, guint count, GError **error);
