/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Who waits for whom, and whether that is anybody himself. Without recursion: there may be thousands in a
 * row. */
#include "domain/start-order.h"

#include "base/xml-document.h"

#include <string.h>

static void
add_of_set (GPtrArray *before, const GPtrArray *names, GHashTable *set)
{
  for (guint i = 0; names != NULL && i < names->len; i++) {
    char *name = g_ptr_array_index (names, i);

    if (g_hash_table_contains (set, name)
        && !g_ptr_array_find_with_equal_func (before, name, g_str_equal, NULL))
      g_ptr_array_add (before, name);
  }
}

GPtrArray *
start_order_before (const Policy *policy, GHashTable *set)
{
  GPtrArray *before = g_ptr_array_new ();

  if (policy != NULL) {
    add_of_set (before, policy->start.after, set);
    add_of_set (before, policy->start.requires, set);
  }
  return before;
}

/* A machine on the way that is being gone, and which of those before it is next. */
typedef struct {
  const char *name;
  GPtrArray *before;
  guint next;
} OnWay;

static void
on_way_clear (gpointer data)
{
  g_ptr_array_unref (((OnWay *)data)->before);
}

enum { UNSEEN, ON_WAY, DONE };

static void
push (GArray *way, GHashTable *states, GHashTable *set, const char *name)
{
  const OnWay step = { name, start_order_before (g_hash_table_lookup (set, name), set), 0 };

  g_hash_table_insert (states, (gpointer)name, GINT_TO_POINTER (ON_WAY));
  g_array_append_val (way, step);
}

static char *
describe (const GArray *way, const char *first, GPtrArray *ret_names)
{
  GString *names = g_string_new (NULL);
  gboolean inside = FALSE;

  for (guint i = 0; i < way->len; i++) {
    const char *name = g_array_index (way, OnWay, i).name;

    inside = inside || g_str_equal (name, first);
    if (!inside)
      continue;
    g_string_append_printf (names, "'%s' → ", name);
    g_ptr_array_add (ret_names, g_strdup (name));
  }
  g_string_append_printf (names, "'%s'", first);
  return g_string_free (names, FALSE);
}

/* Depth first from one machine. */
static char *
walk (GHashTable *set, GHashTable *states, const char *from, GPtrArray *ret_names)
{
  g_autoptr (GArray) way = g_array_new (FALSE, FALSE, sizeof (OnWay));

  g_array_set_clear_func (way, on_way_clear);
  push (way, states, set, from);
  while (way->len > 0) {
    OnWay *last = &g_array_index (way, OnWay, way->len - 1);
    const char *next = last->next < last->before->len ? g_ptr_array_index (last->before, last->next++) : NULL;
    int state = next != NULL ? GPOINTER_TO_INT (g_hash_table_lookup (states, next)) : DONE;

    if (state == ON_WAY)
      return describe (way, next, ret_names);
    if (state == UNSEEN) {
      push (way, states, set, next);
    } else if (next == NULL) {
      g_hash_table_insert (states, (gpointer)last->name, GINT_TO_POINTER (DONE));
      g_array_set_size (way, way->len - 1);
    }
  }
  return NULL;
}

static int
by_text (gconstpointer a, gconstpointer b)
{
  return strcmp (a, b);
}

char *
start_order_find_cycle (GHashTable *set, GPtrArray *ret_names)
{
  g_autoptr (GHashTable) states = g_hash_table_new (g_str_hash, g_str_equal);
  g_autoptr (GList) names = g_list_sort (g_hash_table_get_keys (set), by_text);
  char *found = NULL;

  for (GList *link = names; link != NULL && found == NULL; link = link->next)
    if (g_hash_table_lookup (states, link->data) == NULL)
      found = walk (set, states, link->data, ret_names);
  return found;
}

/* Places. A policy does not keep those of its names: they are looked up where something is wrong. */

static gboolean
is_of_policy (const xmlNode *node)
{
  return node->ns != NULL && g_strcmp0 ((const char *)node->ns->href, POLICY_NAMESPACE) == 0;
}

static gboolean
is_named (const xmlNode *node, const char *name)
{
  return node->type == XML_ELEMENT_NODE && g_str_equal ((const char *)node->name, name);
}

static const xmlNode *
find_name (const xmlNode *start, const char *name)
{
  for (const xmlNode *node = start->children; node != NULL; node = node->next)
    if (is_of_policy (node) && (is_named (node, "after") || is_named (node, "requires"))) {
      g_autofree char *text = xml_node_text (node);

      if (g_str_equal (text, name))
        return node;
    }
  return NULL;
}

/* The element that names it, below @parent, whose elements on the way down are called @way. */
static const xmlNode *
find_below (const xmlNode *parent, const char *const *way, const char *name)
{
  const xmlNode *found = NULL;

  if (*way == NULL)
    return find_name (parent, name);
  for (const xmlNode *node = parent->children; node != NULL && found == NULL; node = node->next)
    if (is_named (node, *way) && (g_str_equal (*way, "metadata") || is_of_policy (node)))
      found = find_below (node, way + 1, name);
  return found;
}

Position
start_order_place (const char *text, gssize length, const char *name)
{
  static const char *const way[] = { "metadata", "policy", "start", NULL };
  g_autoptr (Diagnostics) diagnostics = diagnostics_new (NULL);
  g_autoptr (XmlDocument) document = xml_document_parse (text, length, diagnostics);
  const xmlNode *found = document != NULL ? find_below (xml_document_root (document), way, name) : NULL;

  return found != NULL ? xml_document_node_position (document, found) : (Position){ 0, 0 };
}
