/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "base/diagnostics.h"

/*
 * Documents that are made of parts: ${NAME} and ${NAME:-DEFAULT} are values, <xi:include> elements are other
 * files or what a path names in them. The rest is left as it stands, byte for byte. Pure: where values and
 * files come from is the caller's. Any thread.
 */
#define TEMPLATE_DEPTH_MAX    16   /* files in one another */
#define TEMPLATE_INCLUDES_MAX 1000 /* of one document */
#define TEMPLATE_VALUE_MAX    65536

typedef struct {
  /* NULL: there is none of that name. (borrowed) */
  const char *(*value) (const char *name, gpointer data);
  /* The text of what @href means in @file, whose name as it is to be shown is in *@ret_file (transfer full
   * both). NULL with @error. */
  char *(*load) (const char *file, const char *href, char **ret_file, gpointer data, GError **error);
  gpointer data;
} TemplateSource;

typedef struct {
  char *text;
  GPtrArray *files; /* char *: the document's own first, then each that was included */
  GArray *lines;    /* TemplateLine, of each line of @text */
} Rendering;

typedef struct {
  guint file; /* index in files */
  guint line; /* from 1 */
} TemplateLine;

/* NULL with mistakes in @diagnostics. @text: the document's, which is in @file. */
Rendering *
template_render (const TemplateSource *source, const char *file, const char *text, Diagnostics *diagnostics);
void rendering_free (Rendering *rendering);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (Rendering, rendering_free)
/* Where line @line of the text came from; @line 0 and those that are not there are of the document's own
 * file. */
const char *rendering_origin (const Rendering *rendering, guint line, guint *ret_line);
