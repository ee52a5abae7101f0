/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * <address>: one element whose `type` says which attributes it has. Each type has a table of its own, so that
 * an attribute of another type is as unknown as a misspelt one; the struct is one for all, since whoever
 * assigns addresses turns one type into another. What libvirt reads as "not said" is made so here: a PCI
 * address of all zeros asks for an address, and a drive address is complete even when it says nothing.
 */

#include "domain/devices/address.h"
#include "domain/devices/device.h"

static const EnumTable address_types = { "address type",
                                         { NULL, "pci", "drive", "virtio-serial", "ccid", "usb", "spapr-vio",
                                           "virtio-s390", "ccw", "virtio-mmio", "isa", "dimm",
                                           "unassigned" } };

static const FieldRange pci_domain = { 0, 0xffff };
static const FieldRange pci_bus = { 0, 0xff };
static const FieldRange pci_slot = { 0, 0x1f };
static const FieldRange pci_function = { 0, 7 };
static const FieldRange zpci_uid = { 0, 0xffff };
static const FieldRange range_32 = { 0, G_MAXUINT32 };
static const FieldRange isa_iobase = { 0, 0xffff };
static const FieldRange isa_irq = { 0, 0xf };
static const FieldRange ccw_cssid = { 0, 0xfe };
static const FieldRange ccw_ssid = { 0, 3 };
static const FieldRange ccw_devno = { 0, 0xffff };

const FieldRange boot_orders = { 1, G_MAXUINT32 };
const FieldRange acpi_indexes = { 1, G_MAXUINT32 };

#define USB_PORT_LEVELS 4 /* hubs behind one another, and the root port */

/* A Number of any base, written 0x%08x. */
static gboolean
parse_hex8 (const Field *field, gpointer member, const char *text, char **ret_accepted)
{
  const FieldRange *range = field->detail;
  Number *number = member;
  guint64 value;

  if (!parse_uint_any_base (text, range->maximum, &value)) {
    *ret_accepted = g_strdup_printf ("a number from 0 to 0x%" G_GINT64_MODIFIER "x", range->maximum);
    return FALSE;
  }
  *number = NUMBER (value);
  return TRUE;
}

static char *
format_hex8 (const Field *field G_GNUC_UNUSED, gconstpointer member)
{
  const Number *number = member;

  return number->set ? g_strdup_printf ("0x%08" G_GINT64_MODIFIER "x", number->value) : NULL;
}

static const FieldType field_hex8 = {
  .size = sizeof (Number), .parse = parse_hex8, .format = format_hex8, .is_number = TRUE
};

/* "1", "2.1", ...: the way from the root through the hubs. */
static gboolean
is_usb_port (const char *text)
{
  g_auto (GStrv) levels = g_strsplit (text, ".", USB_PORT_LEVELS + 1);
  guint count = g_strv_length (levels);

  if (count == 0 || count > USB_PORT_LEVELS)
    return FALSE;
  for (guint i = 0; i < count; i++) {
    guint64 port;

    if (!parse_uint (levels[i], G_MAXUINT32, &port))
      return FALSE;
  }
  return TRUE;
}

static gboolean
parse_usb_port (const Field *field G_GNUC_UNUSED, gpointer member, const char *text, char **ret_accepted)
{
  char **port = member;

  if (!is_usb_port (text)) {
    *ret_accepted =
        g_strdup_printf ("up to %d port numbers with dots between, such as '1' or '2.4'", USB_PORT_LEVELS);
    return FALSE;
  }
  g_free (*port);
  *port = g_strdup (text);
  return TRUE;
}

static char *
format_usb_port (const Field *field G_GNUC_UNUSED, gconstpointer member)
{
  return g_strdup (*(char *const *)member);
}

static void
clear_usb_port (const Field *field G_GNUC_UNUSED, gpointer member)
{
  g_clear_pointer ((char **)member, g_free);
}

static void
copy_usb_port (const Field *field G_GNUC_UNUSED, gpointer member, gconstpointer from)
{
  *(char **)member = g_strdup (*(char *const *)from);
}

static const FieldType field_usb_port = { .size = sizeof (char *),
                                          .parse = parse_usb_port,
                                          .format = format_usb_port,
                                          .clear = clear_usb_port,
                                          .copy = copy_usb_port };

#define ADDRESS_FIELD(member, path, type, range) FIELD (DeviceAddress, member, path, type, range)
#define TYPE_FIELD                               FIELD_WITH (DeviceAddress, type, "@type", field_enum, &address_types, FIELD_REQUIRED)

static const Field none_fields[] = { TYPE_FIELD, FIELD_END };
static const Field pci_fields[] = {
  TYPE_FIELD,
  ADDRESS_FIELD (domain, "@domain", field_hex4, &pci_domain),
  ADDRESS_FIELD (bus, "@bus", field_hex2, &pci_bus),
  ADDRESS_FIELD (slot, "@slot", field_hex2, &pci_slot),
  ADDRESS_FIELD (function, "@function", field_hex1, &pci_function),
  ADDRESS_FIELD (multifunction, "@multifunction", field_on_off, NULL),
  ADDRESS_FIELD (zpci_uid, "zpci/@uid", field_hex4, &zpci_uid),
  ADDRESS_FIELD (zpci_fid, "zpci/@fid", field_hex8, &range_32),
  FIELD_END,
};
static const Field drive_fields[] = {
  TYPE_FIELD,
  ADDRESS_FIELD (controller, "@controller", field_number, &range_32),
  ADDRESS_FIELD (bus, "@bus", field_number, &range_32),
  ADDRESS_FIELD (target, "@target", field_number, &range_32),
  ADDRESS_FIELD (unit, "@unit", field_number, &range_32),
  FIELD_END,
};
static const Field virtio_serial_fields[] = {
  TYPE_FIELD,
  ADDRESS_FIELD (controller, "@controller", field_number, &range_32),
  ADDRESS_FIELD (bus, "@bus", field_number, &range_32),
  ADDRESS_FIELD (port, "@port", field_number, &range_32),
  FIELD_END,
};
static const Field ccid_fields[] = {
  TYPE_FIELD,
  ADDRESS_FIELD (controller, "@controller", field_number, &range_32),
  ADDRESS_FIELD (slot, "@slot", field_number, &range_32),
  FIELD_END,
};
static const Field usb_fields[] = {
  TYPE_FIELD,
  ADDRESS_FIELD (bus, "@bus", field_number, &range_32),
  ADDRESS_FIELD (usb_port, "@port", field_usb_port, NULL),
  FIELD_END,
};
static const Field spapr_vio_fields[] = {
  TYPE_FIELD,
  ADDRESS_FIELD (reg, "@reg", field_hex8, &range_32),
  FIELD_END,
};
static const Field ccw_fields[] = {
  TYPE_FIELD,
  ADDRESS_FIELD (cssid, "@cssid", field_hex1, &ccw_cssid),
  ADDRESS_FIELD (ssid, "@ssid", field_hex1, &ccw_ssid),
  ADDRESS_FIELD (devno, "@devno", field_hex4, &ccw_devno),
  FIELD_END,
};
static const Field isa_fields[] = {
  TYPE_FIELD,
  ADDRESS_FIELD (iobase, "@iobase", field_hex1, &isa_iobase),
  ADDRESS_FIELD (irq, "@irq", field_hex1, &isa_irq),
  FIELD_END,
};
static const Field dimm_fields[] = {
  TYPE_FIELD,
  FIELD_WITH (DeviceAddress, dimm_slot, "@slot", field_number, &range_32, FIELD_REQUIRED),
  ADDRESS_FIELD (base, "@base", field_hex1, NULL),
  FIELD_END,
};

/* All of the struct: for clearing and copying, and for reading an element whose type is no type. */
static const Field all_fields[] = {
  TYPE_FIELD,
  ADDRESS_FIELD (domain, "@domain", field_hex4, NULL),
  ADDRESS_FIELD (bus, "@bus", field_hex1, NULL),
  ADDRESS_FIELD (slot, "@slot", field_hex1, NULL),
  ADDRESS_FIELD (function, "@function", field_hex1, NULL),
  ADDRESS_FIELD (multifunction, "@multifunction", field_on_off, NULL),
  ADDRESS_FIELD (controller, "@controller", field_number, NULL),
  ADDRESS_FIELD (target, "@target", field_number, NULL),
  ADDRESS_FIELD (unit, "@unit", field_number, NULL),
  ADDRESS_FIELD (usb_port, "@port", field_text, NULL),
  ADDRESS_FIELD (reg, "@reg", field_hex1, NULL),
  ADDRESS_FIELD (cssid, "@cssid", field_hex1, NULL),
  ADDRESS_FIELD (ssid, "@ssid", field_hex1, NULL),
  ADDRESS_FIELD (devno, "@devno", field_hex1, NULL),
  ADDRESS_FIELD (iobase, "@iobase", field_hex1, NULL),
  ADDRESS_FIELD (irq, "@irq", field_hex1, NULL),
  ADDRESS_FIELD (base, "@base", field_hex1, NULL),
  ADDRESS_FIELD (zpci_uid, "zpci/@uid", field_hex1, NULL),
  ADDRESS_FIELD (zpci_fid, "zpci/@fid", field_hex1, NULL),
  FIELD_END,
};

const FieldTable address_table = { sizeof (DeviceAddress), all_fields };

static const FieldTable type_tables[] = {
  [ADDRESS_NONE] = { sizeof (DeviceAddress), all_fields },
  [ADDRESS_PCI] = { sizeof (DeviceAddress), pci_fields },
  [ADDRESS_DRIVE] = { sizeof (DeviceAddress), drive_fields },
  [ADDRESS_VIRTIO_SERIAL] = { sizeof (DeviceAddress), virtio_serial_fields },
  [ADDRESS_CCID] = { sizeof (DeviceAddress), ccid_fields },
  [ADDRESS_USB] = { sizeof (DeviceAddress), usb_fields },
  [ADDRESS_SPAPR_VIO] = { sizeof (DeviceAddress), spapr_vio_fields },
  [ADDRESS_VIRTIO_S390] = { sizeof (DeviceAddress), none_fields },
  [ADDRESS_CCW] = { sizeof (DeviceAddress), ccw_fields },
  [ADDRESS_VIRTIO_MMIO] = { sizeof (DeviceAddress), none_fields },
  [ADDRESS_ISA] = { sizeof (DeviceAddress), isa_fields },
  [ADDRESS_DIMM] = { sizeof (DeviceAddress), dimm_fields },
  [ADDRESS_UNASSIGNED] = { sizeof (DeviceAddress), none_fields },
};

static void
default_zero (Number *number)
{
  if (!number->set)
    *number = NUMBER (0);
}

static void
settle_pci (DeviceAddress *address)
{
  Number *const parts[] = { &address->domain, &address->bus, &address->slot, &address->function };
  gboolean said = FALSE;

  for (guint i = 0; i < G_N_ELEMENTS (parts); i++)
    said |= parts[i]->set && parts[i]->value != 0;
  for (guint i = 0; i < G_N_ELEMENTS (parts); i++) {
    if (said)
      default_zero (parts[i]);
    else
      *parts[i] = (Number){ FALSE, 0 };
  }
}

static void
settle (DeviceAddress *address)
{
  switch (address->type) {
    case ADDRESS_PCI:
      settle_pci (address);
      break;
    case ADDRESS_DRIVE:
      default_zero (&address->controller);
      default_zero (&address->bus);
      default_zero (&address->target);
      default_zero (&address->unit);
      break;
    case ADDRESS_VIRTIO_SERIAL:
      default_zero (&address->controller);
      default_zero (&address->bus);
      break;
    case ADDRESS_CCID:
      default_zero (&address->controller);
      default_zero (&address->slot);
      break;
    case ADDRESS_USB:
      default_zero (&address->bus);
      break;
    default:
      break;
  }
}

static void
read_address (FieldReader *reader, const Field *field G_GNUC_UNUSED, gpointer member, xmlNode *element)
{
  DeviceAddress *address = member;
  g_autofree char *type = xml_node_attribute (element, "type");
  int value = type != NULL ? enum_table_value (&address_types, type) : ADDRESS_NONE;

  field_read (reader, &type_tables[value], address, element);
  address->type = value;
  settle (address);
}

static gboolean
address_is_set (const Field *field G_GNUC_UNUSED, gconstpointer member)
{
  return ((const DeviceAddress *)member)->type != ADDRESS_NONE;
}

static void
write_address (const Field *field G_GNUC_UNUSED, gconstpointer member, XmlElement *parent, const char *name,
               guint flags)
{
  const DeviceAddress *address = member;

  field_write (&type_tables[address->type], address, xml_element_add (parent, name), flags);
}

static char *
compare_addresses (const Field *field, gconstpointer a, gconstpointer b, guint flags G_GNUC_UNUSED)
{
  g_autofree char *text_a = device_address_to_text (a);
  g_autofree char *text_b = device_address_to_text (b);

  if (g_strcmp0 (text_a, text_b) == 0
      && ((const DeviceAddress *)a)->multifunction == ((const DeviceAddress *)b)->multifunction)
    return NULL;
  return g_strdup_printf ("%s: '%s' and '%s'", field->path, text_a, text_b);
}

static void
clear_address (const Field *field G_GNUC_UNUSED, gpointer member)
{
  field_clear (&address_table, member);
  memset (member, 0, sizeof (DeviceAddress));
}

static void
copy_address (const Field *field G_GNUC_UNUSED, gpointer member, gconstpointer from)
{
  field_copy_into (&address_table, member, from);
}

const FieldType field_address = { .size = sizeof (DeviceAddress),
                                  .read = read_address,
                                  .write = write_address,
                                  .is_set = address_is_set,
                                  .compare = compare_addresses,
                                  .clear = clear_address,
                                  .copy = copy_address };

gboolean
device_address_is_assigned (const DeviceAddress *address)
{
  switch (address->type) {
    case ADDRESS_NONE:
      return FALSE;
    case ADDRESS_PCI:
      return address->slot.set;
    case ADDRESS_VIRTIO_SERIAL:
      return address->port.set && address->port.value != 0;
    case ADDRESS_USB:
      return address->usb_port != NULL;
    case ADDRESS_SPAPR_VIO:
      return address->reg.set;
    case ADDRESS_CCW:
      return address->devno.set;
    default:
      return TRUE;
  }
}

/* Every attribute of the type that is said: "isa iobase='0x505' irq='0x3'". */
static char *
attributes_to_text (const DeviceAddress *address)
{
  GString *text = g_string_new (enum_table_name (&address_types, address->type));

  for (const Field *field = type_tables[address->type].fields + 1; field->path != NULL; field++) {
    g_autofree char *value = field->type->format (field, (const char *)address + field->offset);

    if (value != NULL)
      g_string_append_printf (text, " %s='%s'", field->path + 1, value);
  }
  return g_string_free (text, FALSE);
}

char *
device_address_to_text (const DeviceAddress *address)
{
  switch (address->type) {
    case ADDRESS_NONE:
      return g_strdup ("none");
    case ADDRESS_PCI:
      if (!address->slot.set)
        return g_strdup ("pci");
      return g_strdup_printf ("%04x:%02x:%02x.%x", (guint)address->domain.value, (guint)address->bus.value,
                              (guint)address->slot.value, (guint)address->function.value);
    case ADDRESS_USB:
      return g_strdup_printf ("usb %u:%s", (guint)address->bus.value,
                              address->usb_port != NULL ? address->usb_port : "-");
    case ADDRESS_DRIVE:
      return g_strdup_printf ("drive %u:%u:%u:%u", (guint)address->controller.value,
                              (guint)address->bus.value, (guint)address->target.value,
                              (guint)address->unit.value);
    default:
      return attributes_to_text (address);
  }
}
