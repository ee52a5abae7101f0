/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Tables in virsh's layout, which scripts cut apart: a space before each cell, two behind the widest.
 */

#include "cli/table.h"

#include <stdarg.h>

struct Table {
  GPtrArray *rows; /* GStrv; the first are the titles */
};

static char **
collect (const char *first, va_list rest)
{
  GPtrArray *cells = g_ptr_array_new ();

  for (const char *cell = first; cell != NULL; cell = va_arg (rest, const char *))
    g_ptr_array_add (cells, g_strdup (cell));
  g_ptr_array_add (cells, NULL);
  return (char **)g_ptr_array_free (cells, FALSE);
}

Table *
table_new (const char *title, ...)
{
  Table *table = g_new0 (Table, 1);
  va_list rest;

  table->rows = g_ptr_array_new_with_free_func ((GDestroyNotify)g_strfreev);
  va_start (rest, title);
  g_ptr_array_add (table->rows, collect (title, rest));
  va_end (rest);
  return table;
}

void
table_free (Table *table)
{
  if (table == NULL)
    return;
  g_ptr_array_unref (table->rows);
  g_free (table);
}

void
table_add (Table *table, const char *cell, ...)
{
  va_list rest;

  va_start (rest, cell);
  g_ptr_array_add (table->rows, collect (cell, rest));
  va_end (rest);
}

static glong
column_width (const Table *table, guint column)
{
  glong width = 0;

  for (guint i = 0; i < table->rows->len; i++) {
    char **row = g_ptr_array_index (table->rows, i);

    width = MAX (width, g_utf8_strlen (row[column], -1));
  }
  return width;
}

char *
table_to_string (const Table *table)
{
  guint columns = g_strv_length (g_ptr_array_index (table->rows, 0));
  GString *text = g_string_new (NULL);

  for (guint i = 0; i < table->rows->len; i++) {
    char **row = g_ptr_array_index (table->rows, i);
    glong total = 0;

    for (guint column = 0; column < columns; column++) {
      glong width = column_width (table, column);

      total += width + 3;
      g_string_append_printf (text, " %s", row[column]);
      if (column + 1 < columns)
        g_string_append_printf (text, "%*s", (int)(width + 2 - g_utf8_strlen (row[column], -1)), "");
    }
    g_string_append_c (text, '\n');
    for (; i == 0 && total > 0; total--)
      g_string_append_c (text, '-');
    if (i == 0)
      g_string_append_c (text, '\n');
  }
  return g_string_free (text, FALSE);
}
