/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * A .vmx is the simplest of formats, and written by programs only: NAME = "VALUE" on a line each, where '|'
 * and two digits stand for what a value cannot hold. A line that is none is a mistake and not passed over:
 * what follows would be read as something else.
 */
#include "targets/vmware/vmx-file.h"

#include <string.h>

static void
setting_free (gpointer data)
{
  VmxSetting *setting = data;

  g_free (setting->name);
  g_free (setting->value);
  g_free (setting);
}

void
vmx_file_free (VmxFile *file)
{
  if (file == NULL)
    return;
  g_hash_table_unref (file->names);
  g_ptr_array_unref (file->settings);
  g_free (file);
}

char *
vmx_escape (const char *text)
{
  GString *escaped = g_string_new (NULL);

  for (; *text != '\0'; text++) {
    if (*text == '"' || *text == '|' || (guchar)*text < ' ')
      g_string_append_printf (escaped, "|%02x", (guint)(guchar)*text);
    else
      g_string_append_c (escaped, *text);
  }
  return g_string_free (escaped, FALSE);
}

/* What no document can hold is left out. */
static char *
unescape (const char *text, gsize length)
{
  GString *plain = g_string_new (NULL);

  for (const char *end = text + length; text < end; text++) {
    guint value = (guchar)*text;

    if (*text == '|' && end - text > 2 && g_ascii_isxdigit (text[1]) && g_ascii_isxdigit (text[2])) {
      value = (guint)(g_ascii_xdigit_value (text[1]) * 16 + g_ascii_xdigit_value (text[2]));
      text += 2;
      if (value > 0x7e)
        continue;
    }
    if (value >= ' ' || value == '\n' || value == '\t')
      g_string_append_c (plain, (char)value);
  }
  if (!g_utf8_validate (plain->str, (gssize)plain->len, NULL))
    g_string_truncate (plain, 0);
  return g_string_free (plain, FALSE);
}

static Position
place (guint line, const char *start, const char *at)
{
  return (Position){ line, (guint)g_utf8_strlen (start, at - start) + 1 };
}

static gboolean
mistake (Diagnostics *diagnostics, Position where, const char *what)
{
  diagnostics_error (diagnostics, where, VIR_ERR_CONF_SYNTAX, "%s", what);
  return FALSE;
}

/* @line without its end. */
static gboolean
read_line (VmxFile *file, const char *line, gsize length, guint number, Diagnostics *diagnostics)
{
  g_autofree char *text = g_strndup (line, length);
  char *at = text + strspn (text, " \t\r\xef\xbb\xbf"), *end, *quote;
  gsize name_length = strcspn (at, " \t=");
  VmxSetting *setting;

  g_strchomp (text);
  if (*at == '\0' || *at == '#')
    return TRUE;
  end = at + name_length;
  end += strspn (end, " \t");
  if (name_length == 0 || *end != '=')
    return mistake (diagnostics, place (number, text, at), "expected NAME = \"VALUE\"");
  end++;
  end += strspn (end, " \t");
  quote = *end == '"' ? strchr (end + 1, '"') : NULL;
  if (quote == NULL)
    return mistake (diagnostics, place (number, text, end), "expected a value between double quotes");
  if (quote[1 + strspn (quote + 1, " \t")] != '\0' && quote[1 + strspn (quote + 1, " \t")] != '#')
    return mistake (diagnostics, place (number, text, quote + 1),
                    "expected the end of the line after the value");
  if (file->settings->len == VMX_SETTINGS_MAX)
    return mistake (diagnostics, place (number, text, at), "too many settings");
  setting = g_new0 (VmxSetting, 1);
  setting->name = g_ascii_strdown (at, (gssize)name_length);
  setting->value = unescape (end + 1, (gsize)(quote - end - 1));
  setting->where = place (number, text, end);
  g_ptr_array_add (file->settings, setting);
  g_hash_table_replace (file->names, setting->name, setting);
  return TRUE;
}

VmxFile *
vmx_file_parse (const char *text, Diagnostics *diagnostics)
{
  g_autoptr (VmxFile) file = g_new0 (VmxFile, 1);
  guint number = 1;

  file->settings = g_ptr_array_new_with_free_func (setting_free);
  file->names = g_hash_table_new (g_str_hash, g_str_equal);
  if (strlen (text) > VMX_FILE_MAX) {
    diagnostics_error (diagnostics, (Position){ 0, 0 }, VIR_ERR_CONF_SYNTAX, "larger than %d bytes",
                       VMX_FILE_MAX);
    return NULL;
  }
  for (const char *line = text; *line != '\0'; number++) {
    gsize length = strcspn (line, "\n");

    if (!read_line (file, line, length, number, diagnostics))
      return NULL;
    line += length + (line[length] == '\n');
  }
  return g_steal_pointer (&file);
}

const VmxSetting *
vmx_file_find (VmxFile *file, const char *name)
{
  g_autofree char *small = g_ascii_strdown (name, -1);
  VmxSetting *setting = g_hash_table_lookup (file->names, small);

  if (setting != NULL)
    setting->used = TRUE;
  return setting;
}
