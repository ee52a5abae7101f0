/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Kinds of device the format has and no target here can make yet. The document is read and written back with
 * them as they stand; they get no address and no alias, since whoever would need one refuses the device. The
 * address and the boot order that they say are theirs all the same, and no other device's.
 */

#include "domain/devices/verbatim-device.h"

/* For freeing, copying and comparing; device_read and device_write take the element whole. */
static const Field verbatim_fields[] = {
  FIELD (DeviceVerbatim, xml, "xml", field_text, NULL),
  FIELD (DeviceVerbatim, device.boot_order, "boot/@order", field_number, &boot_orders),
  FIELD (DeviceVerbatim, device.address, "address", field_address, NULL),
  FIELD_END,
};

static char *
no_alias (const DomainDef *def G_GNUC_UNUSED, const Device *device G_GNUC_UNUSED, guint index G_GNUC_UNUSED)
{
  return NULL;
}

#define VERBATIM_KIND(name, ...)                                                                            \
  const DeviceKind name##_kind = {                                                                          \
    .element = #name, .table = { sizeof (DeviceVerbatim), verbatim_fields }, .alias = no_alias, __VA_ARGS__ \
  }

VERBATIM_KIND (lease, .attachable = TRUE);
VERBATIM_KIND (redirfilter, .attachable = FALSE);

static xmlNode *
find_child (xmlNode *element, const char *name)
{
  xmlNode *child = xmlFirstElementChild (element);

  while (child != NULL && !xmlStrEqual (child->name, BAD_CAST name))
    child = xmlNextElementSibling (child);
  return child;
}

/* It takes its place among those of the others, though it cannot be made: <boot order='2'/>. */
static Number
boot_order_of (xmlNode *element)
{
  xmlNode *boot = find_child (element, "boot");
  g_autofree char *order = NULL;
  guint64 value;

  order = boot != NULL ? xml_node_attribute (boot, "order") : NULL;
  if (order == NULL || !g_ascii_string_to_unsigned (order, 10, 1, G_MAXUINT32, &value, NULL))
    return (Number){ FALSE, 0 };
  return NUMBER (value);
}

void
verbatim_device_read (FieldReader *reader, Device *device, xmlNode *element)
{
  static const Field address_field = FIELD (DeviceVerbatim, device.address, "address", field_address, NULL);
  g_autofree char *xml = xml_document_verbatim (reader->document, element);
  xmlNode *address = find_child (element, "address");

  ((DeviceVerbatim *)device)->xml = xml_normalize (xml);
  device->boot_order = boot_order_of (element);
  if (address != NULL) {
    field_address.read (reader, &address_field, &device->address, address);
    source_map_add (reader->map, &device->address, xml_document_node_position (reader->document, address));
  }
}

gboolean
device_is_verbatim (const Device *device)
{
  return device->kind->table.fields == verbatim_fields;
}
