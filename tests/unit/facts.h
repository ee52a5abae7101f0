/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <gio/gio.h>
#include <string.h>

#include "cmocka-glib.h"

/* The tables in tests/facts: tab-separated, the first line names the columns. */

typedef void (*FactsRow) (GHashTable *row, gpointer data); /* column → text */

static inline guint
facts_read (const char *file, FactsRow each, gpointer data)
{
  g_autofree char *path = g_build_filename (FACTS_DIRECTORY, file, NULL);
  g_autofree char *text = NULL;
  g_auto (GStrv) lines = NULL;
  g_auto (GStrv) columns = NULL;
  guint count = 0;

  assert_true (g_file_get_contents (path, &text, NULL, NULL));
  lines = g_strsplit (text, "\n", -1);
  columns = g_strsplit (lines[0], "\t", -1);
  for (guint i = 1; lines[i] != NULL; i++) {
    g_autoptr (GHashTable) row = g_hash_table_new (g_str_hash, g_str_equal);
    g_auto (GStrv) fields = g_strsplit (lines[i], "\t", -1);

    if (lines[i][0] == '\0')
      continue;
    for (guint j = 0; columns[j] != NULL && fields[j] != NULL; j++)
      g_hash_table_insert (row, columns[j], fields[j]);
    each (row, data);
    count++;
  }
  return count;
}
