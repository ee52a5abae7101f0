/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The parser of json-glib calls itself for each bracket, so depth is counted first, without understanding
 * more of the text than where its strings are. */
#include "daemon/qemu/untrusted-json.h"

static gboolean
is_nested_too_deep (const char *text, gsize length)
{
  guint depth = 0;
  gboolean in_string = FALSE;

  for (gsize i = 0; i < length; i++) {
    if (in_string && text[i] == '\\')
      i++;
    else if (text[i] == '"')
      in_string = !in_string;
    else if (!in_string && (text[i] == '{' || text[i] == '['))
      depth++;
    else if (!in_string && (text[i] == '}' || text[i] == ']'))
      depth -= depth > 0;
    if (depth > UNTRUSTED_JSON_MAX_DEPTH)
      return TRUE;
  }
  return FALSE;
}

JsonObject *
untrusted_json_object (const char *text, gsize length)
{
  g_autoptr (JsonParser) parser = NULL;
  JsonNode *root;

  if (!g_utf8_validate (text, (gssize)length, NULL) || is_nested_too_deep (text, length))
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
