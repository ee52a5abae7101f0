/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * The nodes of a guest's memory, which an xl.cfg has as a list of lists of texts, as <cpu><numa>.
 */
#include "targets/xen/xen-private.h"

#include "base/scalars.h"

#include <string.h>

#define KIB_IN_MIB   1024
#define NODE_MIB_MAX (64 * (guint64)1024 * 1024)

static void
add_distances (XmlElement *cell, const char *text)
{
  g_auto (GStrv) values = g_strsplit (text, ",", -1);
  XmlElement *distances = xml_element_add (cell, "distances");

  for (guint i = 0; values[i] != NULL; i++) {
    g_autofree char *number = g_strdup_printf ("%u", i);
    XmlElement *sibling = xml_element_add (distances, "sibling");

    xml_element_set (sibling, "id", number);
    xml_element_set (sibling, "value", g_strstrip (values[i]));
  }
}

static void
read_option (XlImport *import, XmlElement *cell, const XlValue *option)
{
  guint64 mib;

  if (g_str_has_prefix (option->text, "size=")) {
    g_autofree char *memory = NULL;

    if (!parse_uint (option->text + strlen ("size="), NODE_MIB_MAX, &mib)) {
      xl_mistake (import, option->where, "vnuma: '%s': expected the node's MiB", option->text);
      return;
    }
    memory = g_strdup_printf ("%" G_GUINT64_FORMAT, mib * KIB_IN_MIB);
    xml_element_set (cell, "memory", memory);
    xml_element_set (cell, "unit", "KiB");
  } else if (g_str_has_prefix (option->text, "vcpus=")) {
    xml_element_set (cell, "cpus", option->text + strlen ("vcpus="));
  } else if (g_str_has_prefix (option->text, "vdistances=")) {
    add_distances (cell, option->text + strlen ("vdistances="));
  } else if (!g_str_has_prefix (option->text, "pnode=")) {
    xl_without_place (import, option->where, "vnuma: '%s' has no place in the format", option->text);
  }
}

static void
read_node (XlImport *import, XmlElement *numa, const XlValue *node, guint index)
{
  g_autofree char *id = g_strdup_printf ("%u", index), *node_name = g_strdup_printf ("pnode=%u", index);
  XmlElement *cell = xml_element_add (numa, "cell");

  xml_element_set (cell, "id", id);
  for (guint i = 0; i < node->items->len; i++) {
    const XlValue *option = g_ptr_array_index (node->items, i);

    if (option->kind == XL_LIST) {
      xl_mistake (import, option->where, "vnuma: expected a string");
      continue;
    }
    if (g_str_has_prefix (option->text, "pnode=") && !g_str_equal (option->text, node_name))
      xl_without_place (import, option->where,
                        "vnuma: the host's node of one of the guest has no place in the format");
    read_option (import, cell, option);
  }
}

void
xl_read_nodes (XlImport *import)
{
  const XlValue *nodes = xl_file_find (import->file, "vnuma");
  XmlElement *numa;

  if (nodes == NULL || (nodes->kind == XL_LIST && nodes->items->len == 0))
    return;
  if (nodes->kind != XL_LIST) {
    xl_mistake (import, nodes->where, "vnuma: expected a list of lists");
    return;
  }
  numa = xml_element_add (xml_element_ensure (import->domain, "cpu"), "numa");
  for (guint i = 0; i < nodes->items->len; i++) {
    const XlValue *node = g_ptr_array_index (nodes->items, i);

    if (node->kind == XL_LIST)
      read_node (import, numa, node, i);
    else
      xl_mistake (import, node->where, "vnuma: expected a list of strings");
  }
}
