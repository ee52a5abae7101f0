/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The place of one value in a JSON text. The text is walked once for each question, which is asked only when
 * there is something to say: values that are not on the path are passed over by their brackets and quotes
 * alone, so nothing here depends on how deep they are.
 */
#include "targets/json-place.h"

#include <string.h>

static const char *
skip_space (const char *text)
{
  return text + strspn (text, " \t\r\n");
}

/* Behind the string that begins at @text. */
static const char *
skip_string (const char *text)
{
  for (text++; *text != '\0' && *text != '"'; text++)
    if (*text == '\\' && text[1] != '\0')
      text++;
  return *text == '"' ? text + 1 : text;
}

/* Behind the value that begins at @text. */
static const char *
skip_value (const char *text)
{
  guint depth = 0;

  while (*text != '\0') {
    if (*text == '"')
      text = skip_string (text);
    else if (depth == 0 && (*text == ',' || *text == ']' || *text == '}'))
      return text;
    else {
      if (*text == '{' || *text == '[')
        depth++;
      else if (*text == '}' || *text == ']')
        depth--;
      text++;
    }
    if (depth == 0 && (text[-1] == '}' || text[-1] == ']' || text[-1] == '"'))
      return text;
  }
  return text;
}

/* Is the string at @text that name? Names that have to be looked for need no escapes. */
static gboolean
is_name (const char *text, const char *name, gsize length)
{
  return *text == '"' && strncmp (text + 1, name, length) == 0 && text[length + 1] == '"';
}

/* The value in @container of that name, or of that number; NULL: it has none. */
static const char *
find_value (const char *container, const char *name, gsize length, const char **ret_key)
{
  gboolean is_object = *container == '{';
  guint64 wanted = is_object ? 0 : g_ascii_strtoull (name, NULL, 10), index = 0;
  const char *next = skip_space (container + 1);

  while (*next != '\0' && *next != '}' && *next != ']') {
    const char *key = next;

    if (is_object) {
      if (*next != '"')
        return NULL;
      next = skip_space (skip_string (next));
      next = skip_space (next + (*next == ':'));
    }
    if (is_object ? is_name (key, name, length) : index == wanted) {
      *ret_key = key;
      return next;
    }
    next = skip_space (skip_value (next));
    next = skip_space (next + (*next == ','));
    index++;
  }
  return NULL;
}

static Position
position_of (const char *text, const char *place)
{
  Position where = { 1, 1 };
  const char *line = text;

  for (const char *next = text; next < place; next++)
    if (*next == '\n') {
      where.line++;
      line = next + 1;
    }
  where.column = (guint)g_utf8_strlen (line, place - line) + 1;
  return where;
}

Position
json_place_find (const char *text, const char *path)
{
  const char *value = skip_space (text), *place = value;

  while (*path != '\0' && (*value == '{' || *value == '[')) {
    gsize length = strcspn (path, "/");

    value = find_value (value, path, length, &place);
    if (value == NULL)
      break;
    path += length;
    path += *path == '/';
  }
  return position_of (text, place);
}
