/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * The semantic difference of two documents. It is that of the completed documents, where every value has one
 * spelling and what is not said has its default; what the sources say decides which of the differences
 * somebody meant, and where they stand.
 */
#include "document/difference.h"

#include <string.h>

/* What may be left open without meaning anything by it: each choice is as good. */
static const char *const free_elements[] = { "uuid", "genid", "address", "alias", "mac" };
static const char *const free_attributes[] = { "port", "websocket", "tlsPort", "startport" };

typedef struct {
  Origins *before, *after;
  GPtrArray *differences;
} Comparison;

void
difference_free (gpointer data)
{
  Difference *difference = data;

  g_free (difference->path);
  g_free (difference->before);
  g_free (difference->after);
  g_free (difference);
}

const char *
difference_effect_name (DifferenceEffect effect)
{
  static const char *const names[] = { NULL, "live", "start", "hardware" };

  return names[effect];
}

static gboolean
is_one_of (const char *const *words, gsize count, const xmlChar *name)
{
  for (gsize i = 0; i < count; i++)
    if (g_str_equal (words[i], (const char *)name))
      return TRUE;
  return FALSE;
}

static gboolean
is_free (const xmlNode *node)
{
  if (node->type == XML_ATTRIBUTE_NODE)
    return is_one_of (free_attributes, G_N_ELEMENTS (free_attributes), node->name)
           || is_one_of (free_elements, G_N_ELEMENTS (free_elements), node->parent->name);
  return is_one_of (free_elements, G_N_ELEMENTS (free_elements), node->name);
}

/* Does the difference of the two mean anything? Either may be NULL: it is not there. */
static gboolean
is_meant (const Comparison *comparison, const xmlNode *before, const xmlNode *after)
{
  gboolean written_before = before != NULL && origins_is_written (comparison->before, before);
  gboolean written_after = after != NULL && origins_is_written (comparison->after, after);

  if (!written_before && !written_after)
    return FALSE;
  if (written_before && written_after)
    return TRUE;
  return !is_free (before != NULL ? before : after);
}

/* The number of the device that @node is in; -1: in none. */
static int
device_of (const xmlNode *node)
{
  int number = 0;

  while (node != NULL && node->parent != NULL && node->parent->type == XML_ELEMENT_NODE
         && !(xmlStrEqual (node->parent->name, BAD_CAST "devices") && node->parent->parent != NULL
              && node->parent->parent->type == XML_ELEMENT_NODE
              && node->parent->parent->parent->type == XML_DOCUMENT_NODE))
    node = node->parent;
  if (node == NULL || node->parent == NULL || node->parent->type != XML_ELEMENT_NODE)
    return -1;
  for (const xmlNode *other = node->prev; other != NULL; other = other->prev)
    number += other->type == XML_ELEMENT_NODE && !xmlStrEqual (other->name, BAD_CAST "emulator");
  return number;
}

static void
add (Comparison *comparison, char *path, const xmlNode *before, const xmlNode *after, char *value_before,
     char *value_after, const xmlNode *parent_before, const xmlNode *parent_after)
{
  Difference *difference = g_new0 (Difference, 1);

  difference->path = path;
  difference->before = value_before;
  difference->after = value_after;
  difference->where_before = origins_place (comparison->before, before != NULL ? before : parent_before);
  difference->where_after = origins_place (comparison->after, after != NULL ? after : parent_after);
  difference->device_before = device_of (before != NULL ? before : parent_before);
  difference->device_after = device_of (after != NULL ? after : parent_after);
  g_ptr_array_add (comparison->differences, difference);
}

static void
compare_attribute (Comparison *comparison, const xmlNode *before, const xmlNode *after, const xmlChar *name,
                   const char *path)
{
  xmlAttr *one = xmlHasProp (before, name), *other = xmlHasProp (after, name);
  g_autofree char *value = one != NULL ? xml_node_attribute (before, (const char *)name) : NULL;
  g_autofree char *other_value = other != NULL ? xml_node_attribute (after, (const char *)name) : NULL;

  if (g_strcmp0 (value, other_value) != 0 && is_meant (comparison, (xmlNode *)one, (xmlNode *)other))
    add (comparison, g_strdup_printf ("%s/@%s", path, (const char *)name), (xmlNode *)one, (xmlNode *)other,
         g_steal_pointer (&value), g_steal_pointer (&other_value), before, after);
}

static void
compare_attributes (Comparison *comparison, const xmlNode *before, const xmlNode *after, const char *path)
{
  for (const xmlAttr *attribute = before->properties; attribute != NULL; attribute = attribute->next)
    compare_attribute (comparison, before, after, attribute->name, path);
  for (const xmlAttr *attribute = after->properties; attribute != NULL; attribute = attribute->next)
    if (xmlHasProp (before, attribute->name) == NULL)
      compare_attribute (comparison, before, after, attribute->name, path);
}

static char *
text_of (const xmlNode *element)
{
  xmlBuffer *buffer = xmlBufferCreate ();
  char *text;

  xmlNodeDump (buffer, element->doc, (xmlNode *)element, 0, 0);
  text = g_strdup ((const char *)xmlBufferContent (buffer));
  xmlBufferFree (buffer);
  return text;
}

/* How often elements of its name are beside it decides whether a number is needed. */
static char *
path_below (const char *path, const xmlNode *element)
{
  g_autofree char *identity = element_identity (element);
  guint number = 1;
  gboolean alone = TRUE;

  if (identity != NULL)
    return g_strdup_printf ("%s/%s%s", path, (const char *)element->name, identity);
  for (const xmlNode *node = element->prev; node != NULL; node = node->prev)
    number += node->type == XML_ELEMENT_NODE && xmlStrEqual (node->name, element->name);
  for (const xmlNode *node = element->next; node != NULL && alone; node = node->next)
    alone = node->type != XML_ELEMENT_NODE || !xmlStrEqual (node->name, element->name);
  return number == 1 && alone ? g_strdup_printf ("%s/%s", path, (const char *)element->name)
                              : g_strdup_printf ("%s/%s[%u]", path, (const char *)element->name, number);
}

static void
compare_elements (Comparison *comparison, const xmlNode *before, const xmlNode *after, const char *path)
{
  g_autoptr (GArray) pairs = elements_match (before, after);
  g_autofree char *text = xml_node_text (before), *other_text = xml_node_text (after);

  compare_attributes (comparison, before, after, path);
  if (!g_str_equal (text, other_text) && is_meant (comparison, before, after))
    add (comparison, g_strdup (path), before, after, g_steal_pointer (&text), g_steal_pointer (&other_text),
         before, after);
  for (guint i = 0; i < pairs->len; i++) {
    const ElementPair *pair = &g_array_index (pairs, ElementPair, i);
    g_autofree char *below = path_below (path, pair->one != NULL ? pair->one : pair->other);

    if (pair->one != NULL && pair->other != NULL)
      compare_elements (comparison, pair->one, pair->other, below);
    else if (is_meant (comparison, pair->one, pair->other))
      add (comparison, g_steal_pointer (&below), pair->one, pair->other,
           pair->one != NULL ? text_of (pair->one) : NULL, pair->other != NULL ? text_of (pair->other) : NULL,
           before, after);
  }
}

/* Take out of a completed document what was chosen freely: by it nothing is known again. */
static void
forget_free_choices (const Origins *origins, xmlNode *element)
{
  xmlNode *next;
  xmlAttr *following;

  for (xmlAttr *attribute = element->properties; attribute != NULL; attribute = following) {
    following = attribute->next;
    if (is_free ((xmlNode *)attribute) && !origins_is_written (origins, (xmlNode *)attribute))
      xmlRemoveProp (attribute);
  }
  for (xmlNode *child = element->children; child != NULL; child = next) {
    next = child->next;
    if (child->type != XML_ELEMENT_NODE)
      continue;
    if (is_free (child) && !origins_is_written (origins, child)) {
      xmlUnlinkNode (child);
      xmlFreeNode (child);
    } else {
      forget_free_choices (origins, child);
    }
  }
}

GPtrArray *
documents_compare (Origins *before, Origins *after)
{
  Comparison comparison = { before, after, g_ptr_array_new_with_free_func (difference_free) };
  g_autofree char *path = g_strdup_printf ("/%s", (const char *)origins_root (before)->name);

  forget_free_choices (before, origins_root (before));
  forget_free_choices (after, origins_root (after));
  compare_elements (&comparison, origins_root (before), origins_root (after), path);
  return comparison.differences;
}
