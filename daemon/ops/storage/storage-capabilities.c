/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What pools there could be. */
#include "daemon/ops/storage/storage.h"

#include "base/xml-writer.h"

static XmlElement *
add_pool (XmlElement *root, const char *type, gboolean supported)
{
  XmlElement *pool = xml_element_add (root, "pool");

  xml_element_set (pool, "type", type);
  xml_element_set (pool, "supported", supported ? "yes" : "no");
  return pool;
}

/* Every type by name; of those that are there, the formats in which volumes can be made. */
void
op_connect_get_storage_pool_capabilities (Call *call)
{
  static const int formats[] = { STORAGE_FORMAT_RAW, STORAGE_FORMAT_DIR, STORAGE_FORMAT_QCOW2 };
  g_autoptr (XmlElement) root = xml_element_new ("storagepoolCapabilities");
  g_autofree char *xml = NULL;
  const char *type;

  if (!call_check_flags (call, call_uint (call, 0), 0))
    return;
  for (int i = STORAGE_POOL_DIR; (type = enum_table_name (&storage_pool_types, i)) != NULL; i++) {
    XmlElement *pool = add_pool (root, type, i == STORAGE_POOL_DIR), *options, *list;

    if (i != STORAGE_POOL_DIR)
      continue;
    options = xml_element_add (pool, "volOptions");
    xml_element_set (xml_element_add (options, "defaultFormat"), "type", "raw");
    list = xml_element_add (options, "enum");
    xml_element_set (list, "name", "targetFormatType");
    for (gsize format = 0; format < G_N_ELEMENTS (formats); format++)
      xml_element_set_text (xml_element_add (list, "value"),
                            enum_table_name (&storage_formats, formats[format]));
  }
  xml = xml_element_to_string (root);
  call_answer (call, g_variant_new ("(s)", xml));
}

void
op_connect_find_storage_pool_sources (Call *call)
{
  const char *type = call_string (call, 0);

  if (enum_table_value (&storage_pool_types, type) == 0)
    call_fail_with (call, VIR_ERR_INTERNAL_ERROR, "unknown storage pool type %s", type);
  else
    call_fail_with (call, VIR_ERR_NO_SUPPORT, "pool type '%s' does not support source discovery", type);
}
