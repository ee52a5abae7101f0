/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "base/diagnostics.h"

/*
 * The text of an xl.cfg: names with values, which are numbers, strings or lists of values. Pure; one thread.
 */
#define XL_FILE_MAX     (1024 * 1024) /* bytes */
#define XL_SETTINGS_MAX 1024
#define XL_ITEMS_MAX    4096 /* of all lists together */
#define XL_DEPTH_MAX    4    /* of lists in lists */

typedef enum { XL_NUMBER, XL_STRING, XL_LIST } XlKind;

typedef struct {
  XlKind kind;
  Position where;
  char *text; /* of a string; of a number as it stands */
  gint64 number;
  GPtrArray *items; /* XlValue, of a list */
} XlValue;

typedef struct {
  char *name;
  Position where;
  XlValue *value;
  gboolean used; /* somebody asked for it */
} XlSetting;

typedef struct {
  GPtrArray *settings; /* XlSetting, in the order of the file; of a name that comes again, the last */
} XlFile;

/* NULL with the mistake in @diagnostics. @text is hostile. */
XlFile *xl_file_parse (const char *text, Diagnostics *diagnostics);
void xl_file_free (XlFile *file);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (XlFile, xl_file_free)
/* The value of that name, which is used from now on; NULL: there is none. */
const XlValue *xl_file_find (XlFile *file, const char *name);
/* @text between double quotes, as xl reads it. (transfer full) */
char *xl_quote (const char *text);
