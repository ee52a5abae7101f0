/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * The parser of json-glib calls itself for each bracket, so depth is counted first, without understanding
 * more of the text than where its strings are. The parser also takes comments, strings in single quotes and
 * variables' names, in which brackets would be counted otherwise than it does: what stands outside of strings
 * must be of the characters that JSON has there.
 *
 * A value costs the parser up to some 240 bytes, even if the text has three for it, so values are counted
 * before as well. Each is a bracket that opens, or stands behind one, a comma or a colon: there are no more
 * values than such characters.
 */
#include "base/untrusted-json.h"

#include <string.h>

#define JSON_BETWEEN_STRINGS "{}[]:,+-.0123456789truefalsenullE \t\r\n"

/* One object, with nothing before or behind it: of several values the parser keeps the last and loses the
 * memory of the others. Nothing in it but JSON's own, no deeper nested and no more values than the limits. */
static gboolean
is_plain (const char *text, gsize length, guint most_values)
{
  guint depth = 0, values = 0;
  gboolean in_string = FALSE, ended = FALSE;

  for (gsize i = 0; i < length; i++) {
    if (!in_string && depth == 0 && !g_ascii_isspace (text[i]) && (ended || text[i] != '{'))
      return FALSE;
    if (in_string && text[i] == '\\')
      i++;
    else if (text[i] == '"')
      in_string = !in_string;
    else if (!in_string && (text[i] == '{' || text[i] == '['))
      depth++;
    else if (!in_string && (text[i] == '}' || text[i] == ']'))
      ended = --depth == 0;
    else if (!in_string && (text[i] == '\0' || strchr (JSON_BETWEEN_STRINGS, text[i]) == NULL))
      return FALSE;
    values += !in_string && text[i] != '\0' && strchr ("{[,:", text[i]) != NULL;
    if (depth > UNTRUSTED_JSON_MAX_DEPTH || values > most_values)
      return FALSE;
  }
  return TRUE;
}

JsonObject *
untrusted_json_object (const char *text, gsize length)
{
  return untrusted_json_object_of (text, length, UNTRUSTED_JSON_MAX_VALUES);
}

JsonObject *
untrusted_json_object_of (const char *text, gsize length, guint values)
{
  g_autoptr (JsonParser) parser = NULL;
  JsonNode *root;

  if (length == 0 || !g_utf8_validate (text, (gssize)length, NULL) || !is_plain (text, length, values))
    return NULL;
  parser = json_parser_new ();
  if (!json_parser_load_from_data (parser, text, (gssize)length, NULL))
    return NULL;
  root = json_parser_get_root (parser);
  return root != NULL && JSON_NODE_HOLDS_OBJECT (root) ? json_node_dup_object (root) : NULL;
}

static JsonNode *
member (JsonObject *object, const char *name)
{
  return object != NULL ? json_object_get_member (object, name) : NULL;
}

const char *
untrusted_text_of (JsonNode *node)
{
  const char *text =
      node != NULL && json_node_get_value_type (node) == G_TYPE_STRING ? json_node_get_string (node) : NULL;

  return text != NULL && strnlen (text, UNTRUSTED_TEXT_MAX + 1) <= UNTRUSTED_TEXT_MAX ? text : NULL;
}

const char *
untrusted_text (JsonObject *object, const char *name)
{
  return untrusted_text_of (member (object, name));
}

gboolean
untrusted_number (JsonObject *object, const char *name, gint64 *ret)
{
  JsonNode *node = member (object, name);

  if (node == NULL || json_node_get_value_type (node) != G_TYPE_INT64)
    return FALSE;
  *ret = json_node_get_int (node);
  return TRUE;
}

guint64
untrusted_count (JsonObject *object, const char *name)
{
  gint64 value = 0;

  untrusted_number (object, name, &value);
  return (guint64)MAX (value, 0);
}

gboolean
untrusted_switch (JsonObject *object, const char *name)
{
  JsonNode *node = member (object, name);

  return node != NULL && json_node_get_value_type (node) == G_TYPE_BOOLEAN && json_node_get_boolean (node);
}

JsonObject *
untrusted_object_of (JsonNode *node)
{
  return node != NULL && JSON_NODE_HOLDS_OBJECT (node) ? json_node_get_object (node) : NULL;
}

JsonObject *
untrusted_object (JsonObject *object, const char *name)
{
  return untrusted_object_of (member (object, name));
}

JsonArray *
untrusted_list_of (JsonNode *node)
{
  return node != NULL && JSON_NODE_HOLDS_ARRAY (node) ? json_node_get_array (node) : NULL;
}

JsonArray *
untrusted_list (JsonObject *object, const char *name)
{
  return untrusted_list_of (member (object, name));
}

char *
json_object_text (JsonObject *object)
{
  g_autoptr (JsonNode) node = json_node_init_object (json_node_alloc (), object);

  return json_to_string (node, FALSE);
}
