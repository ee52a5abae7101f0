/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Matching elements. Two lists of devices are the same whatever their order, so those that have a name (a
 * disk's target, a card's address, a controller's type and index) are known by it; of the others, equal ones
 * are the same, and what is left goes by order. Each step is a look into a hash table, so that long lists
 * cost what short ones do.
 */
#include "document/origin.h"

#include "base/xml-writer.h"

#include <string.h>

struct Origins {
  XmlDocument *source, *completed;
  GHashTable *written; /* nodes of the completed document to those of the source */
};

/* What names an element: paths of which all must be there, and which together are its name. */
#define PARTS_MAX 2
static const struct {
  const char *element; /* NULL: any, and the last rows */
  const char *parts[PARTS_MAX];
} names[] = {
  { "disk", { "target/@dev" } },
  { "filesystem", { "target/@dir" } },
  { "interface", { "mac/@address" } },
  { "controller", { "@type", "@index" } },
  { "channel", { "target/@name" } },
  { "input", { "@type", "@bus" } },
  { "graphics", { "@type" } },
  { "vcpupin", { "@vcpu" } },
  { "cachetune", { "@vcpus" } },
  { "device", { "@path" } },
  { NULL, { "@name" } },
  { NULL, { "@id" } },
};

static char *
value_at (const xmlNode *element, const char *path)
{
  const char *slash = strchr (path, '/');

  if (slash == NULL)
    return xml_node_attribute (element, path + 1);
  for (const xmlNode *child = element->children; child != NULL; child = child->next)
    if (child->type == XML_ELEMENT_NODE && strlen ((const char *)child->name) == (gsize)(slash - path)
        && strncmp ((const char *)child->name, path, (gsize)(slash - path)) == 0)
      return xml_node_attribute (child, slash + 2);
  return NULL;
}

char *
element_identity (const xmlNode *element)
{
  for (guint i = 0; i < G_N_ELEMENTS (names); i++) {
    g_autoptr (GString) text = g_string_new ("[");
    gboolean whole = TRUE;

    if (names[i].element != NULL && !xmlStrEqual (element->name, BAD_CAST names[i].element))
      continue;
    for (guint k = 0; k < PARTS_MAX && names[i].parts[k] != NULL; k++) {
      g_autofree char *value = value_at (element, names[i].parts[k]);

      whole = whole && value != NULL;
      g_string_append_printf (text, "%s%s='%s'", k > 0 ? " and " : "", names[i].parts[k], value);
    }
    g_string_append_c (text, ']');
    if (whole)
      return g_string_free (g_steal_pointer (&text), FALSE);
  }
  return NULL;
}

typedef char *ElementKey (const xmlNode *element);

static char *
key_by_identity (const xmlNode *element)
{
  g_autofree char *identity = element_identity (element);

  return identity != NULL ? g_strconcat ((const char *)element->name, identity, NULL) : NULL;
}

static char *
key_by_contents (const xmlNode *element)
{
  xmlBuffer *buffer = xmlBufferCreate ();
  g_autofree char *raw = NULL;

  xmlNodeDump (buffer, element->doc, (xmlNode *)element, 0, 0);
  raw = g_strdup ((const char *)xmlBufferContent (buffer));
  xmlBufferFree (buffer);
  return xml_normalize (raw);
}

static char *
key_by_name (const xmlNode *element)
{
  return g_strdup ((const char *)element->name);
}

static void
free_queue (gpointer queue)
{
  g_queue_free (queue);
}

/* Pair those of @left and @right that have the same key. Those that have none in one of both are left. */
static void
pair_by (ElementKey *key, GPtrArray *left, GPtrArray *right, GHashTable *partners, GHashTable *taken)
{
  g_autoptr (GHashTable) queues = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, free_queue);

  for (guint i = 0; i < right->len; i++) {
    xmlNode *node = g_ptr_array_index (right, i);
    g_autofree char *word = g_hash_table_contains (taken, node) ? NULL : key (node);
    GQueue *queue = word != NULL ? g_hash_table_lookup (queues, word) : NULL;

    if (word == NULL)
      continue;
    if (queue == NULL) {
      queue = g_queue_new ();
      g_hash_table_insert (queues, g_steal_pointer (&word), queue);
    }
    g_queue_push_tail (queue, node);
  }
  for (guint i = 0; i < left->len; i++) {
    xmlNode *node = g_ptr_array_index (left, i);
    g_autofree char *word = g_hash_table_contains (partners, node) ? NULL : key (node);
    GQueue *queue = word != NULL ? g_hash_table_lookup (queues, word) : NULL;
    xmlNode *partner = queue != NULL ? g_queue_pop_head (queue) : NULL;

    if (partner == NULL)
      continue;
    g_hash_table_insert (partners, node, partner);
    g_hash_table_add (taken, partner);
  }
}

static GPtrArray *
children_of (const xmlNode *element)
{
  GPtrArray *children = g_ptr_array_new ();

  for (xmlNode *child = element != NULL ? element->children : NULL; child != NULL; child = child->next)
    if (child->type == XML_ELEMENT_NODE)
      g_ptr_array_add (children, child);
  return children;
}

/* Of one with a name and one with another, neither is the other. */
static char *
key_by_name_of_nameless (const xmlNode *element)
{
  g_autofree char *identity = element_identity (element);

  return identity == NULL ? key_by_name (element) : NULL;
}

/* What is left by order: those without names first, then one without with one that has a name, as the author
 * may have left the name to be chosen. */
static void
pair_rest (GPtrArray *left, GPtrArray *right, GHashTable *partners, GHashTable *taken)
{
  g_autoptr (GPtrArray) nameless = g_ptr_array_new ();

  pair_by (key_by_name_of_nameless, left, right, partners, taken);
  for (guint i = 0; i < right->len; i++) {
    g_autofree char *key = key_by_name_of_nameless (g_ptr_array_index (right, i));

    if (key != NULL)
      g_ptr_array_add (nameless, g_ptr_array_index (right, i));
  }
  pair_by (key_by_name, left, nameless, partners, taken);
  g_ptr_array_set_size (nameless, 0);
  for (guint i = 0; i < left->len; i++) {
    g_autofree char *key = key_by_name_of_nameless (g_ptr_array_index (left, i));

    if (key != NULL)
      g_ptr_array_add (nameless, g_ptr_array_index (left, i));
  }
  pair_by (key_by_name, nameless, right, partners, taken);
}

GArray *
elements_match (const xmlNode *one, const xmlNode *other)
{
  g_autoptr (GPtrArray) left = children_of (one), right = children_of (other);
  g_autoptr (GHashTable) partners = g_hash_table_new (NULL, NULL), taken = g_hash_table_new (NULL, NULL);
  GArray *pairs = g_array_new (FALSE, FALSE, sizeof (ElementPair));

  pair_by (key_by_identity, left, right, partners, taken);
  pair_by (key_by_contents, left, right, partners, taken);
  pair_rest (left, right, partners, taken);
  for (guint i = 0; i < left->len; i++) {
    xmlNode *node = g_ptr_array_index (left, i);
    ElementPair pair = { node, g_hash_table_lookup (partners, node) };

    g_array_append_val (pairs, pair);
  }
  for (guint i = 0; i < right->len; i++) {
    xmlNode *node = g_ptr_array_index (right, i);
    ElementPair pair = { NULL, node };

    if (!g_hash_table_contains (taken, node))
      g_array_append_val (pairs, pair);
  }
  return pairs;
}

static void
find_written (Origins *origins, xmlNode *completed, xmlNode *source)
{
  g_autoptr (GArray) pairs = elements_match (completed, source);

  g_hash_table_insert (origins->written, completed, source);
  for (xmlAttr *attribute = completed->properties; attribute != NULL; attribute = attribute->next) {
    xmlAttr *written = xmlHasProp (source, attribute->name);

    if (written != NULL)
      g_hash_table_insert (origins->written, attribute, written);
  }
  for (guint i = 0; i < pairs->len; i++) {
    const ElementPair *pair = &g_array_index (pairs, ElementPair, i);

    if (pair->one != NULL && pair->other != NULL)
      find_written (origins, pair->one, pair->other);
  }
}

Origins *
origins_new (const char *source, const char *completed, Diagnostics *diagnostics)
{
  g_autoptr (Origins) origins = g_new0 (Origins, 1);

  origins->written = g_hash_table_new (NULL, NULL);
  origins->source = xml_document_parse (source, -1, diagnostics);
  origins->completed = origins->source != NULL ? xml_document_parse (completed, -1, diagnostics) : NULL;
  if (origins->completed == NULL)
    return NULL;
  find_written (origins, xml_document_root (origins->completed), xml_document_root (origins->source));
  return g_steal_pointer (&origins);
}

void
origins_free (Origins *origins)
{
  if (origins == NULL)
    return;
  xml_document_free (origins->source);
  xml_document_free (origins->completed);
  g_hash_table_unref (origins->written);
  g_free (origins);
}

xmlNode *
origins_root (const Origins *origins)
{
  return xml_document_root (origins->completed);
}

gboolean
origins_is_written (const Origins *origins, const xmlNode *node)
{
  return g_hash_table_contains (origins->written, node);
}

Position
origins_place (const Origins *origins, const xmlNode *node)
{
  const xmlNode *written = NULL;

  for (; node != NULL && written == NULL; node = node->parent)
    written = g_hash_table_lookup (origins->written, node);
  if (written == NULL)
    return (Position){ 0, 0 };
  return written->type == XML_ATTRIBUTE_NODE
             ? xml_document_attribute_position (origins->source, (const xmlAttr *)written)
             : xml_document_node_position (origins->source, written);
}

guint
origins_line (const Origins *origins, const xmlNode *element)
{
  return xml_document_node_position (origins->completed, element).line;
}

gboolean
origins_says_same (const Origins *origins, const xmlAttr *attribute)
{
  const xmlAttr *written = g_hash_table_lookup (origins->written, attribute);
  g_autofree char *value = xml_node_attribute (attribute->parent, (const char *)attribute->name);
  g_autofree char *given =
      written != NULL ? xml_node_attribute (written->parent, (const char *)written->name) : NULL;

  return g_strcmp0 (value, given) == 0;
}
