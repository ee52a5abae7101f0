/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * How <hostdev> and <interface type='hostdev'> say which device of the host they stand for: fields, and what
 * can be told of them without the device they are part of.
 */

#include "domain/devices/hostdev-source.h"

#include "domain/report.h"

const EnumTable hostdev_drivers = { "driver name", { NULL, "kvm", "vfio", "xen" } };

const FieldRange host_pci_domains = { 0, G_MAXUINT32 };
const FieldRange host_pci_buses = { 0, 0xff };
const FieldRange host_pci_slots = { 0, 0x1f };
const FieldRange host_pci_functions = { 0, 7 };
const FieldRange host_usb_numbers = { 0, G_MAXUINT32 };
const FieldRange host_usb_ids = { 0, 0xffff };

/* As libvirt reads them, by strtoul: a leading 0 makes it octal, so bus='010' is the eighth. */
static gboolean
parse_usb_number (const Field *field, gpointer member, const char *text, char **ret_accepted)
{
  const FieldRange *range = field->detail;
  char *end = NULL;
  guint64 value = g_ascii_isdigit (text[0]) ? g_ascii_strtoull (text, &end, 0) : 0;

  if (end == NULL || *end != '\0' || value > range->maximum) {
    *ret_accepted = g_strdup_printf ("expected a number up to %" G_GUINT64_FORMAT
                                     ", in decimal, in hexadecimal behind 0x or in octal behind 0",
                                     range->maximum);
    return FALSE;
  }
  *(Number *)member = NUMBER (value);
  return TRUE;
}

static char *
format_usb_number (const Field *field G_GNUC_UNUSED, gconstpointer member)
{
  const Number *number = member;

  return number->set ? g_strdup_printf ("%" G_GUINT64_FORMAT, number->value) : NULL;
}

const FieldType field_usb_number = {
  .size = sizeof (Number), .parse = parse_usb_number, .format = format_usb_number, .is_number = TRUE
};

void
host_pci_complete (Completion *completion, HostPci *pci)
{
  Number *const parts[] = { &pci->domain, &pci->bus, &pci->slot, &pci->function };
  const Platform *platform = completion->platform;
  g_autofree char *name = NULL;

  if (!pci->domain.set && !pci->bus.set && !pci->slot.set && !pci->function.set)
    return;
  for (guint i = 0; i < G_N_ELEMENTS (parts); i++)
    if (!parts[i]->set)
      *parts[i] = NUMBER (0);
  name = host_pci_name (pci);
  pci->is_conventional = platform != NULL && platform->is_conventional_pci != NULL
                         && platform->is_conventional_pci (platform, name);
}

/* The first bus and the first device of one have number 1. */
void
host_usb_complete (HostUsb *usb)
{
  if (usb->bus.value == 0 && usb->device.value == 0)
    usb->bus.set = usb->device.set = FALSE;
}

char *
host_pci_name (const HostPci *pci)
{
  return g_strdup_printf ("%04x:%02x:%02x.%x", (guint)pci->domain.value, (guint)pci->bus.value,
                          (guint)pci->slot.value, (guint)pci->function.value);
}

gboolean
host_pci_equal (const HostPci *a, const HostPci *b)
{
  return a->domain.value == b->domain.value && a->bus.value == b->bus.value && a->slot.value == b->slot.value
         && a->function.value == b->function.value;
}

gboolean
host_usb_equal (const HostUsb *first, const HostUsb *other)
{
  if (first->bus.value != 0 && first->device.value != 0)
    return first->bus.value == other->bus.value && first->device.value == other->device.value;
  return first->vendor.value == other->vendor.value && first->product.value == other->product.value;
}
