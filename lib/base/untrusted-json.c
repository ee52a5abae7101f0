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

char *
json_object_text (JsonObject *object)
{
  g_autoptr (JsonNode) node = json_node_init_object (json_node_alloc (), object);

  return json_to_string (node, FALSE);
}

const char *
untrusted_json_string (JsonNode *node)
{
  return node != NULL && json_node_get_value_type (node) == G_TYPE_STRING ? json_node_get_string (node)
                                                                          : NULL;
}
