/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "document/template.h"

#include <gio/gio.h>

/*
 * The documents of directories and files, as `domctl plan`, `apply` and `render` take them: found, read,
 * their values filled in and their includes exchanged.
 */
typedef struct {
  char *shown; /* as the user would name it */
  char *file;  /* absolute */
  char *root;  /* the directory, absolute, that its includes cannot leave */
  char *text;  /* as it stands in the file */
  Rendering *rendering;
  Diagnostics *diagnostics;
  gboolean included; /* another one includes it: it is a part, and no document */
} SetDocument;

typedef struct {
  GPtrArray *documents; /* SetDocument */
  char *directory;      /* absolute: of a set that is one directory; NULL: of others */
} DocumentSet;

#define DOCUMENT_SET_BYTES_MAX (64 * 1024 * 1024) /* of all files together */

/* The values of ${NAME}, besides the environment's: a file of NAME=VALUE lines. */
extern char *document_set_values;
#define VALUES_OPTION                                                                               \
  {                                                                                                 \
    "values", 0, 0, G_OPTION_ARG_FILENAME, &document_set_values,                                    \
        N_ ("Take values of ${NAME} from FILE, lines of NAME=VALUE; the environment's come first"), \
        N_ ("FILE")                                                                                 \
  }

/* NULL with @error when files cannot be found or read, or change meanwhile. Mistakes inside of them are in
 * their diagnostics. */
DocumentSet *document_set_read (char *const *words, guint count, GError **error);
void document_set_free (DocumentSet *set);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (DocumentSet, document_set_free)
/* Print the mistakes of all documents; how many documents have some. */
guint document_set_print_mistakes (const DocumentSet *set);
/* Of the document shown so, where line *@line of its rendered text came from. (borrowed) */
const char *document_set_origin (const DocumentSet *set, const char *shown, guint *line);
/* @message with the places of rendered texts exchanged for those of the files. (transfer full) */
char *document_set_place (const DocumentSet *set, const char *message);
