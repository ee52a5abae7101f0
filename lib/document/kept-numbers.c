/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * What a kept part (document/kept-check.h) says in more than one place: the maps of users and groups, which
 * come in pairs and begin with root. libvirt compares them whenever it reads a document, in these words.
 */

#include "document/kept-numbers.h"

static xmlNode *
next_named (xmlNode *node, const char *name)
{
  while (node != NULL && (node->type != XML_ELEMENT_NODE || !xmlStrEqual (node->name, BAD_CAST name)))
    node = node->next;
  return node;
}

static void
refuse (FieldReader *reader, const xmlNode *where, virErrorNumber code, const char *message)
{
  diagnostics_error (reader->diagnostics, xml_document_node_position (reader->document, where), code, "%s",
                     message);
}

static const char *const idmap_attributes[] = { "start", "target", "count" };

static gboolean
check_idmap_entry (FieldReader *reader, xmlNode *entry, guint64 *ret_start)
{
  for (guint i = 0; i < G_N_ELEMENTS (idmap_attributes); i++) {
    g_autofree char *text = xml_node_attribute (entry, idmap_attributes[i]);
    guint64 value = 0;

    if (text != NULL && g_ascii_string_to_unsigned (text, 10, 0, G_MAXUINT32, &value, NULL)) {
      if (i == 0)
        *ret_start = value;
      continue;
    }
    diagnostics_error_from (reader->diagnostics, xml_document_node_position (reader->document, entry),
                            VIR_FROM_XML, VIR_ERR_XML_ERROR,
                            text != NULL
                                ? "Invalid value for attribute '%s' in element '%s': '%s' (expected a whole "
                                  "number)"
                                : "Missing required attribute '%s' in element '%s'%s",
                            idmap_attributes[i], (const char *)entry->name, text != NULL ? text : "");
    return FALSE;
  }
  return TRUE;
}

/* FALSE when it is wrong. Sets @ret_count to how many there are. */
static gboolean
check_idmap_entries (FieldReader *reader, xmlNode *part, const char *name, guint *ret_count)
{
  guint64 lowest = G_MAXUINT64, start = 0;

  *ret_count = 0;
  for (xmlNode *entry = next_named (part->children, name); entry != NULL;
       entry = next_named (entry->next, name)) {
    if (!check_idmap_entry (reader, entry, &start))
      return FALSE;
    lowest = MIN (lowest, start);
    (*ret_count)++;
  }
  if (*ret_count == 0 || lowest == 0)
    return TRUE;
  refuse (reader, part, VIR_ERR_CONFIG_UNSUPPORTED, "You must map the root user of container");
  return FALSE;
}

void
kept_check_idmap (FieldReader *reader, xmlNode *part)
{
  guint users, groups;

  if (check_idmap_entries (reader, part, "uid", &users) && check_idmap_entries (reader, part, "gid", &groups)
      && (users == 0) != (groups == 0))
    refuse (reader, part, VIR_ERR_CONFIG_UNSUPPORTED, "uid and gid should be mapped both");
}
