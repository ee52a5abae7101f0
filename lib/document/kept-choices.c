/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Completion chooses what a document leaves open, and a document that comes again leaves it open again. So
 * the choices are written into a copy of it before it is completed: element by element, as two documents are
 * compared, what the old document's author did not write and the new one's did not either.
 */
#include "document/kept-choices.h"

#include "document/origin.h"

#include <string.h>

/* Elements that are chosen whole, wherever they stand. */
static const char *const chosen_elements[] = { "uuid", "mac", "address" };

/* What must not differ for a device to stay at its address. */
static const char *const placing_paths[] = { "@model", "@bus", "@mode", "target/@bus", "model/@type" };

static xmlNode *
child_named (const xmlNode *parent, const char *name, gsize length)
{
  for (xmlNode *child = parent->children; child != NULL; child = child->next)
    if (child->type == XML_ELEMENT_NODE && strlen ((const char *)child->name) == length
        && strncmp ((const char *)child->name, name, length) == 0)
      return child;
  return NULL;
}

static char *
value_at (const xmlNode *element, const char *path)
{
  const char *slash = strchr (path, '/');
  const xmlNode *holder = slash != NULL ? child_named (element, path, (gsize)(slash - path)) : element;

  return holder != NULL ? xml_node_attribute (holder, slash != NULL ? slash + 2 : path + 1) : NULL;
}

/* Does the new one say something else of where the device can sit? */
static gboolean
moves (const xmlNode *old, const xmlNode *new)
{
  for (guint i = 0; i < G_N_ELEMENTS (placing_paths); i++) {
    g_autofree char *before = value_at (old, placing_paths[i]);
    g_autofree char *after = value_at (new, placing_paths[i]);

    if (after != NULL && g_strcmp0 (before, after) != 0)
      return TRUE;
  }
  return FALSE;
}

static gboolean
is_named (const xmlNode *node, const char *name)
{
  return node != NULL && node->type == XML_ELEMENT_NODE && xmlStrEqual (node->name, BAD_CAST name);
}

/* Is @element, which nobody wrote, to be chosen again in @new, the partner of its parent? */
static gboolean
is_kept (const xmlNode *element, const xmlNode *new)
{
  if (is_named (element, "controller") || (is_named (element, "bridge") && is_named (new, "network")))
    return TRUE;
  if (is_named (element, "address") && moves (element->parent, new))
    return FALSE;
  for (guint i = 0; i < G_N_ELEMENTS (chosen_elements); i++)
    if (is_named (element, chosen_elements[i]))
      return TRUE;
  return FALSE;
}

/* Whoever is known by its name has the UUID it had, whoever chose it. */
static gboolean
is_identity (const xmlNode *element)
{
  return is_named (element, "uuid") && element->parent->parent != NULL
         && element->parent->parent->type == XML_DOCUMENT_NODE;
}

/* An empty <genid/> asks for one. */
static void
keep_text (const xmlNode *old, xmlNode *new)
{
  g_autofree char *before = xml_node_text (old), *after = xml_node_text (new);

  if (is_named (new, "genid") && after[0] == '\0')
    xmlNodeSetContent (new, BAD_CAST before);
}

static void
keep_below (const Origins *origins, const xmlNode *old, xmlNode *new)
{
  g_autoptr (GArray) pairs = elements_match (old, new);

  keep_text (old, new);
  for (guint i = 0; i < pairs->len; i++) {
    const ElementPair *pair = &g_array_index (pairs, ElementPair, i);

    if (pair->one != NULL && pair->other != NULL)
      keep_below (origins, pair->one, pair->other);
    else if (pair->one != NULL
             && (is_identity (pair->one)
                 || (!origins_is_written (origins, pair->one) && is_kept (pair->one, new))))
      xmlAddChild (new, xmlDocCopyNode (pair->one, new->doc, 1));
  }
  /* A parent that only holds what was chosen. */
  if (is_named (old, "domain") && child_named (new, "devices", strlen ("devices")) == NULL) {
    const xmlNode *devices = child_named (old, "devices", strlen ("devices"));

    if (devices != NULL)
      keep_below (origins, devices, xmlNewChild (new, NULL, BAD_CAST "devices", NULL));
  }
}

static xmlNode *
machine_type (const xmlNode *root)
{
  const xmlNode *os = child_named (root, "os", strlen ("os"));

  return os != NULL ? child_named (os, "type", strlen ("type")) : NULL;
}

/* Is "pc-q35-7.2" chosen for "q35"? @word NULL: for none. */
static gboolean
is_version_of (const char *version, const char *word)
{
  const char *family = g_strcmp0 (word, "pc") == 0    ? "pc-i440fx"
                       : g_strcmp0 (word, "q35") == 0 ? "pc-q35"
                                                      : word;

  return word == NULL || g_str_equal (version, word)
         || (g_str_has_prefix (version, family) && version[strlen (family)] == '-');
}

/* "q35" is a version of it, chosen when it was first said; it is while the same word is said. @supposed: that
 * it was this word is only supposed. */
static void
keep_machine (const xmlNode *source, const xmlNode *completed, xmlNode *new, gboolean supposed)
{
  const xmlNode *said = machine_type (source), *chosen = machine_type (completed);
  xmlNode *type = machine_type (new);
  g_autofree char *before = said != NULL ? xml_node_attribute (said, "machine") : NULL;
  g_autofree char *version = chosen != NULL ? xml_node_attribute (chosen, "machine") : NULL;
  g_autofree char *after = type != NULL ? xml_node_attribute (type, "machine") : NULL;

  if (type != NULL && version != NULL && g_strcmp0 (before, after) == 0
      && (!supposed || is_version_of (version, after)))
    xmlSetProp (type, BAD_CAST "machine", BAD_CAST version);
}

char *
choices_keep (const char *source, const char *old_source, const char *old_completed, Diagnostics *diagnostics)
{
  g_autoptr (XmlDocument) new = xml_document_parse (source, -1, diagnostics);
  const char *before = old_source != NULL ? old_source : source;
  g_autoptr (XmlDocument) old = new != NULL ? xml_document_parse (before, -1, diagnostics) : NULL;
  g_autoptr (Origins) origins = old != NULL ? origins_new (before, old_completed, diagnostics) : NULL;

  if (origins == NULL)
    return NULL;
  if (is_named (xml_document_root (new), "domain"))
    keep_machine (xml_document_root (old), origins_root (origins), xml_document_root (new),
                  old_source == NULL);
  keep_below (origins, origins_root (origins), xml_document_root (new));
  return xml_document_verbatim (new, xml_document_root (new));
}
