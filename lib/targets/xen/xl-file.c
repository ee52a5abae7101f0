/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * The format looks like Python and is none: a name, '=' or '+=', and a number, a string or a list; ends of
 * lines count outside of lists only. Both readers there are, xl's own and libvirt's, are followed where they
 * differ in what they take: strings in either quotes, and in three of them. The text is
 * walked once, and what lists may hold is counted over the whole file, so that no file costs more than its
 * length.
 */
#include "targets/xen/xl-file.h"

#include <string.h>

typedef struct {
  const char *at;
  guint line, column; /* of @counted */
  const char *counted;
  guint items, depth;
  Diagnostics *diagnostics;
} Reader;

static void
value_free (gpointer data)
{
  XlValue *value = data;

  if (value == NULL)
    return;
  g_free (value->text);
  g_clear_pointer (&value->items, g_ptr_array_unref);
  g_free (value);
}

static void
setting_free (gpointer data)
{
  XlSetting *setting = data;

  g_free (setting->name);
  value_free (setting->value);
  g_free (setting);
}

void
xl_file_free (XlFile *file)
{
  if (file == NULL)
    return;
  g_ptr_array_unref (file->settings);
  g_free (file);
}

/* Characters are counted on from where they were counted last. */
static Position
place (Reader *reader)
{
  reader->column += (guint)g_utf8_strlen (reader->counted, reader->at - reader->counted);
  reader->counted = reader->at;
  return (Position){ reader->line, reader->column };
}

static void
mistake (Reader *reader, const char *what)
{
  diagnostics_error (reader->diagnostics, place (reader), VIR_ERR_CONF_SYNTAX, "%s", what);
}

static void
step (Reader *reader)
{
  if (*reader->at++ != '\n')
    return;
  reader->line++;
  reader->column = 1;
  reader->counted = reader->at;
}

/* Blanks and comments; with @lines ends of lines too. */
static void
skip (Reader *reader, gboolean lines)
{
  for (;; step (reader)) {
    if (*reader->at == '#')
      while (reader->at[0] != '\0' && reader->at[0] != '\n')
        reader->at++;
    if (*reader->at == '\0' || strchr (lines ? " \t\r\n" : " \t\r", *reader->at) == NULL)
      return;
  }
}

static guint
read_hex (Reader *reader)
{
  guint value = 0;

  for (guint i = 0; i < 2 && g_ascii_isxdigit (reader->at[1]); i++) {
    value = value * 16 + (guint)g_ascii_xdigit_value (reader->at[1]);
    reader->at++;
  }
  return value;
}

static void
read_escape (Reader *reader, GString *text)
{
  static const char names[] = "nrtabfv", values[] = "\n\r\t"; /* the others are no characters of a document */
  const char *known;

  reader->at++;
  known = *reader->at != '\0' ? strchr (names, *reader->at) : NULL;
  if (known != NULL) {
    if (known - names < (gssize)strlen (values))
      g_string_append_c (text, values[known - names]);
  } else if (*reader->at == 'x' && g_ascii_isxdigit (reader->at[1])) {
    guint value = read_hex (reader);

    if (value >= ' ' && value < 0x7f)
      g_string_append_c (text, (char)value);
  } else if (*reader->at != '\0') {
    g_string_append_c (text, *reader->at);
  }
  if (*reader->at != '\0')
    step (reader);
}

static gboolean
read_string (Reader *reader, XlValue *value)
{
  const char quote = *reader->at;
  const char three[] = { quote, quote, quote, '\0' };
  gboolean is_long = g_str_has_prefix (reader->at, three);
  g_autoptr (GString) text = g_string_new (NULL);
  Reader start = *reader;

  value->kind = XL_STRING;
  reader->at += is_long ? 3 : 1;
  while (*reader->at != '\0' && (is_long || *reader->at != '\n')) {
    if (is_long ? g_str_has_prefix (reader->at, three) : *reader->at == quote) {
      reader->at += is_long ? 3 : 1;
      value->text = g_strdup (text->str);
      return TRUE;
    }
    if (*reader->at == '\\') {
      read_escape (reader, text);
    } else {
      g_string_append_c (text, *reader->at);
      step (reader);
    }
  }
  mistake (&start,
           "the string that begins here has no end: expected the same quote before the end of the line");
  return FALSE;
}

static gboolean
read_number (Reader *reader, XlValue *value)
{
  Reader start = *reader;
  char *end;

  value->kind = XL_NUMBER;
  value->number = g_ascii_strtoll (reader->at, &end, 0);
  if (g_ascii_isalnum (*end) || *end == '_' || *end == '.' || end == reader->at || value->number == G_MAXINT64
      || value->number == G_MININT64) {
    mistake (&start, "not a whole number: expected one, or a string in quotes");
    return FALSE;
  }
  value->text = g_strndup (reader->at, (gsize)(end - reader->at));
  reader->at = end;
  return TRUE;
}

static XlValue *read_value (Reader *reader);

static gboolean
read_list (Reader *reader, XlValue *value)
{
  Reader start = *reader;

  value->kind = XL_LIST;
  value->items = g_ptr_array_new_with_free_func (value_free);
  if (reader->depth == XL_DEPTH_MAX) {
    mistake (reader, "lists in lists are nested too deep");
    return FALSE;
  }
  reader->depth++;
  reader->at++;
  for (skip (reader, TRUE); *reader->at != ']'; skip (reader, TRUE)) {
    XlValue *item;

    if (*reader->at == '\0') {
      mistake (&start, "the list that begins here has no end: expected ']'");
      return FALSE;
    }
    if (++reader->items > XL_ITEMS_MAX) {
      mistake (reader, "the lists have too many items");
      return FALSE;
    }
    item = read_value (reader);
    if (item == NULL)
      return FALSE;
    g_ptr_array_add (value->items, item);
    skip (reader, TRUE);
    if (*reader->at == ',') {
      reader->at++;
    } else if (*reader->at != ']' && *reader->at != '\0') {
      mistake (reader, "expected ',' or ']' after an item of a list");
      return FALSE;
    }
  }
  reader->at++;
  reader->depth--;
  return TRUE;
}

/* NULL with a mistake. */
static XlValue *
read_value (Reader *reader)
{
  XlValue *value = g_new0 (XlValue, 1);
  gboolean read = FALSE;

  value->where = place (reader);
  if (*reader->at == '"' || *reader->at == '\'')
    read = read_string (reader, value);
  else if (*reader->at == '[')
    read = read_list (reader, value);
  else if (g_ascii_isdigit (*reader->at) || *reader->at == '-')
    read = read_number (reader, value);
  else
    mistake (reader, "expected a value: a number, a string in quotes, or a list in brackets");
  if (!read)
    g_clear_pointer (&value, value_free);
  return value;
}

static XlSetting *
find_setting (const XlFile *file, const char *name)
{
  for (guint i = 0; i < file->settings->len; i++) {
    XlSetting *setting = g_ptr_array_index (file->settings, i);

    if (g_str_equal (setting->name, name))
      return setting;
  }
  return NULL;
}

/* Strings and lists grow by "+=". */
static gboolean
append (const Reader *reader, XlValue *value, XlValue *added)
{
  if (value->kind != added->kind || value->kind == XL_NUMBER) {
    diagnostics_error (reader->diagnostics, added->where, VIR_ERR_CONF_SYNTAX,
                       "'+=' adds a string to a string, or a list to a list");
    return FALSE;
  }
  if (value->kind == XL_STRING) {
    char *both = g_strconcat (value->text, added->text, NULL);

    g_free (value->text);
    value->text = both;
    return strlen (both) <= XL_FILE_MAX;
  }
  while (added->items->len > 0)
    g_ptr_array_add (value->items, g_ptr_array_steal_index (added->items, 0));
  return TRUE;
}

/* Takes @value. */
static gboolean
keep (Reader *reader, XlFile *file, const char *name, Position where, XlValue *value, gboolean adds)
{
  XlSetting *setting = find_setting (file, name);
  gboolean kept = TRUE;

  if (setting != NULL && adds) {
    kept = append (reader, setting->value, value);
    value_free (value);
    return kept;
  }
  if (setting == NULL) {
    if (file->settings->len == XL_SETTINGS_MAX) {
      mistake (reader, "too many settings");
      value_free (value);
      return FALSE;
    }
    setting = g_new0 (XlSetting, 1);
    setting->name = g_strdup (name);
    g_ptr_array_add (file->settings, setting);
  }
  setting->where = where;
  value_free (setting->value);
  setting->value = value;
  return TRUE;
}

static gboolean
read_setting (Reader *reader, XlFile *file)
{
  Position where = place (reader);
  const char *start = reader->at;
  g_autofree char *name = NULL;
  gboolean adds;
  XlValue *value;

  while (g_ascii_isalnum (*reader->at) || *reader->at == '_')
    reader->at++;
  if (reader->at == start || g_ascii_isdigit (*start)) {
    mistake (reader, "expected a setting, which begins with its name");
    return FALSE;
  }
  name = g_strndup (start, (gsize)(reader->at - start));
  skip (reader, FALSE);
  adds = g_str_has_prefix (reader->at, "+=");
  if (!adds && *reader->at != '=') {
    mistake (reader, "expected '=' after the name of a setting");
    return FALSE;
  }
  reader->at += adds ? 2 : 1;
  skip (reader, FALSE);
  value = read_value (reader);
  if (value == NULL || !keep (reader, file, name, where, value, adds))
    return FALSE;
  skip (reader, FALSE);
  if (*reader->at != '\0' && *reader->at != '\n' && *reader->at != ';') {
    mistake (reader, "expected the end of the line after a value");
    return FALSE;
  }
  return TRUE;
}

/* What no document can hold is in no string of it. */
static gboolean
has_odd_characters (const char *text)
{
  for (; *text != '\0'; text = g_utf8_next_char (text)) {
    gunichar character = g_utf8_get_char (text);

    if ((character < ' ' && strchr ("\t\r\n", (int)character) == NULL) || character == 0xfffe
        || character == 0xffff)
      return TRUE;
  }
  return FALSE;
}

XlFile *
xl_file_parse (const char *text, Diagnostics *diagnostics)
{
  Reader reader = { text, 1, 1, text, 0, 0, diagnostics };
  g_autoptr (XlFile) file = g_new0 (XlFile, 1);

  file->settings = g_ptr_array_new_with_free_func (setting_free);
  if (strlen (text) > XL_FILE_MAX) {
    diagnostics_error (diagnostics, (Position){ 0, 0 }, VIR_ERR_CONF_SYNTAX, "larger than %d bytes",
                       XL_FILE_MAX);
    return NULL;
  }
  if (has_odd_characters (text)) {
    diagnostics_error (diagnostics, (Position){ 0, 0 }, VIR_ERR_CONF_SYNTAX,
                       "control characters stand in it");
    return NULL;
  }
  for (;;) {
    skip (&reader, TRUE);
    if (*reader.at == ';')
      reader.at++;
    else if (*reader.at == '\0')
      return g_steal_pointer (&file);
    else if (!read_setting (&reader, file))
      return NULL;
  }
}

const XlValue *
xl_file_find (XlFile *file, const char *name)
{
  XlSetting *setting = find_setting (file, name);

  if (setting == NULL)
    return NULL;
  setting->used = TRUE;
  return setting->value;
}

char *
xl_quote (const char *text)
{
  GString *quoted = g_string_new ("\"");

  for (; *text != '\0'; text++) {
    if (*text == '"' || *text == '\\')
      g_string_append_c (quoted, '\\');
    if (*text == '\n')
      g_string_append (quoted, "\\n");
    else
      g_string_append_c (quoted, *text);
  }
  g_string_append_c (quoted, '"');
  return g_string_free (quoted, FALSE);
}
