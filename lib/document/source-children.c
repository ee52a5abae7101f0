/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Children are compared by their names and places among those of one name. Where as many are there before,
 * after, and in the user's text, those that differ are exchanged one by one; otherwise all of that name are
 * replaced by what they are now.
 */
#include "document/source-children.h"

#include "base/xml-writer.h"
#include "document/source-edit-private.h"

#include <string.h>

#define CHILDREN_MAX 4096 /* of a root: each name looks through all of them */

static gboolean
is_named (const xmlNode *node, const char *name)
{
  g_autofree char *full = NULL;

  if (node->type != XML_ELEMENT_NODE)
    return FALSE;
  if (node->ns != NULL && node->ns->prefix != NULL)
    full = g_strconcat ((const char *)node->ns->prefix, ":", (const char *)node->name, NULL);
  return g_str_equal (full != NULL ? full : (const char *)node->name, name);
}

static char *
name_of (const xmlNode *node)
{
  return node->ns != NULL && node->ns->prefix != NULL
             ? g_strconcat ((const char *)node->ns->prefix, ":", (const char *)node->name, NULL)
             : g_strdup ((const char *)node->name);
}

static GPtrArray *
children_named (XmlDocument *document, const char *name)
{
  GPtrArray *found = g_ptr_array_new ();

  for (xmlNode *node = xml_document_root (document)->children; node != NULL; node = node->next)
    if (is_named (node, name))
      g_ptr_array_add (found, node);
  return found;
}

/* An element with nothing but blanks in it is an empty one: what we write in two lines, people do in one. */
static void
strip_blanks (xmlNode *node)
{
  gboolean is_blank = node->children != NULL;

  for (xmlNode *child = node->children; child != NULL; child = child->next)
    if (child->type == XML_ELEMENT_NODE) {
      strip_blanks (child);
      is_blank = FALSE;
    } else if (!xmlIsBlankNode (child))
      is_blank = FALSE;
  if (!is_blank)
    return;
  xmlFreeNodeList (node->children);
  node->children = node->last = NULL;
}

static char *
text_of (XmlDocument *document, xmlNode *node)
{
  g_autofree char *verbatim = xml_document_verbatim (document, node);

  return g_strchomp (xml_normalize (verbatim));
}

/* As it stands below a root: lines behind the first two blanks further in. */
static char *
indented (const char *text)
{
  g_auto (GStrv) lines = g_strsplit (text, "\n", -1);

  return g_strjoinv ("\n  ", lines);
}

/* A text, with its document. */
typedef struct {
  XmlDocument *before, *after;
  char *source;
} Edit;

static gboolean
bounds (const Edit *edit, XmlDocument *document, const xmlNode *node, const char **ret_from,
        const char **ret_to)
{
  *ret_from = source_byte_at (edit->source, xml_document_node_position (document, node));
  if (*ret_from == NULL || **ret_from != '<')
    return FALSE;
  *ret_to = source_skip_element (*ret_from);
  return TRUE;
}

static void
take (Edit *edit, char *text)
{
  g_free (edit->source);
  edit->source = text;
}

/* Where the root's end tag begins, or NULL. */
static const char *
root_end (const Edit *edit)
{
  const char *end = strrchr (edit->source, '>');

  while (end != NULL && end > edit->source && *end != '<')
    end--;
  return end != NULL && end[0] == '<' && end[1] == '/' ? end : NULL;
}

/* From the last to the first, so that places before stay true. */
static gboolean
exchange_each (Edit *edit, XmlDocument *source, const GPtrArray *in_source, const GPtrArray *before,
               const GPtrArray *after)
{
  for (guint i = in_source->len; i > 0; i--) {
    g_autofree char *was = text_of (edit->before, g_ptr_array_index (before, i - 1));
    g_autofree char *is = text_of (edit->after, g_ptr_array_index (after, i - 1));
    g_autofree char *text = NULL;
    const char *from, *to;

    if (g_str_equal (was, is))
      continue;
    if (!bounds (edit, source, g_ptr_array_index (in_source, i - 1), &from, &to))
      return FALSE;
    text = indented (is);
    take (edit, source_exchange (edit->source, from, to, text));
  }
  return TRUE;
}

static gboolean
exchange_all (Edit *edit, XmlDocument *source, const GPtrArray *in_source, const GPtrArray *after)
{
  g_autoptr (GString) text = g_string_new (NULL);
  const char *from, *to;

  for (guint i = 0; i < after->len; i++) {
    g_autofree char *is = text_of (edit->after, g_ptr_array_index (after, i)), *lines = indented (is);

    g_string_append_printf (text, "%s%s", i > 0 ? "\n  " : "", lines);
  }
  for (guint i = in_source->len; i > 0; i--) {
    gboolean is_first = i == 1;

    if (!bounds (edit, source, g_ptr_array_index (in_source, i - 1), &from, &to))
      return FALSE;
    if (!is_first || after->len == 0)
      from = source_line_start (edit->source, from);
    take (edit, source_exchange (edit->source, from, to, is_first ? text->str : ""));
  }
  if (in_source->len > 0 || after->len == 0)
    return TRUE;
  from = root_end (edit);
  if (from == NULL)
    return FALSE;
  g_string_prepend (text, "  ");
  g_string_append_c (text, '\n');
  take (edit, source_exchange (edit->source, from, from, text->str));
  return TRUE;
}

static gboolean
differ (const Edit *edit, const GPtrArray *before, const GPtrArray *after)
{
  if (before->len != after->len)
    return TRUE;
  for (guint i = 0; i < before->len; i++) {
    g_autofree char *was = text_of (edit->before, g_ptr_array_index (before, i));
    g_autofree char *is = text_of (edit->after, g_ptr_array_index (after, i));

    if (!g_str_equal (was, is))
      return TRUE;
  }
  return FALSE;
}

static gboolean
change_named (Edit *edit, const char *name)
{
  g_autoptr (Diagnostics) diagnostics = diagnostics_new (NULL);
  g_autoptr (GPtrArray) before = children_named (edit->before, name);
  g_autoptr (GPtrArray) after = children_named (edit->after, name);
  g_autoptr (GPtrArray) in_source = NULL;
  g_autoptr (XmlDocument) source = NULL;

  if (!differ (edit, before, after))
    return TRUE;
  source = xml_document_parse (edit->source, -1, diagnostics);
  if (source == NULL)
    return FALSE;
  in_source = children_named (source, name);
  if (in_source->len == before->len && before->len == after->len)
    return exchange_each (edit, source, in_source, before, after);
  return exchange_all (edit, source, in_source, after);
}

static gboolean
collect_names (XmlDocument *document, GHashTable *names)
{
  guint count = 0;

  for (xmlNode *node = xml_document_root (document)->children; node != NULL; node = node->next)
    if (node->type == XML_ELEMENT_NODE && ++count <= CHILDREN_MAX)
      g_hash_table_add (names, name_of (node));
  return count <= CHILDREN_MAX;
}

char *
source_change_children (const char *source, const char *before, const char *after)
{
  g_autoptr (Diagnostics) diagnostics = diagnostics_new (NULL);
  g_autoptr (XmlDocument) was = xml_document_parse (before, -1, diagnostics);
  g_autoptr (XmlDocument) is = xml_document_parse (after, -1, diagnostics);
  g_autoptr (XmlDocument) check = NULL;
  g_autoptr (GHashTable) names = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  g_autofree char *text = g_strdup (source);
  Edit edit = { was, is, g_steal_pointer (&text) };
  GHashTableIter iter;
  gpointer name;
  gboolean is_edited = was != NULL && is != NULL && g_utf8_validate (source, -1, NULL)
                       && collect_names (was, names) && collect_names (is, names);

  if (is_edited) {
    strip_blanks (xml_document_root (was));
    strip_blanks (xml_document_root (is));
  }
  g_hash_table_iter_init (&iter, names);
  while (is_edited && g_hash_table_iter_next (&iter, &name, NULL))
    is_edited = change_named (&edit, name);
  text = edit.source;
  if (is_edited)
    check = xml_document_parse (text, -1, diagnostics);
  return check != NULL ? g_steal_pointer (&text) : NULL;
}
