/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * A virtual function of a network card is a PCI device like any other, only that the document tells its MAC
 * address, and calls it an interface. So whoever takes devices from the host, or compares them, asks here and
 * knows neither kind.
 */

#include "domain/devices/host-device.h"

#include "base/virt-error.h"
#include "domain/devices/hostdev.h"
#include "domain/devices/interface.h"

HostdevType
device_host_type (const Device *device)
{
  const DeviceInterface *interface = (const DeviceInterface *)device;

  if (device->kind == &hostdev_kind)
    return (HostdevType)((const DeviceHostdev *)device)->type;
  if (device->kind != &interface_kind || interface->type != INTERFACE_HOSTDEV)
    return HOSTDEV_NONE;
  return interface->host_type == HOST_ADDRESS_PCI ? HOSTDEV_PCI : HOSTDEV_USB;
}

const HostPci *
device_host_pci (const Device *device)
{
  if (device_host_type (device) != HOSTDEV_PCI)
    return NULL;
  return device->kind == &hostdev_kind ? &((const DeviceHostdev *)device)->pci
                                       : &((const DeviceInterface *)device)->host_pci;
}

const HostUsb *
device_host_usb (const Device *device)
{
  if (device_host_type (device) != HOSTDEV_USB)
    return NULL;
  return device->kind == &hostdev_kind ? &((const DeviceHostdev *)device)->usb
                                       : &((const DeviceInterface *)device)->host_usb;
}

gboolean
device_host_is_managed (const Device *device)
{
  int managed = device->kind == &hostdev_kind ? ((const DeviceHostdev *)device)->managed
                                              : ((const DeviceInterface *)device)->managed;

  return device_host_type (device) != HOSTDEV_NONE && managed == TRISTATE_YES;
}

const char *
device_host_mdev (const Device *device)
{
  return device_host_type (device) == HOSTDEV_MDEV ? ((const DeviceHostdev *)device)->uuid : NULL;
}

gboolean
host_devices_can_migrate (const DomainDef *def, GError **error)
{
  DOMAIN_FOREACH_DEVICE (def, hostdev_kind, const DeviceHostdev, hostdev) {
    if (hostdev->type != HOSTDEV_SCSI && hostdev->type != HOSTDEV_SCSI_HOST)
      continue;
    virt_error_set (error, VIR_ERR_OPERATION_INVALID,
                    "cannot migrate a domain with <hostdev mode='subsystem' type='%s'>",
                    enum_table_name (&hostdev_types, hostdev->type));
    return FALSE;
  }
  return TRUE;
}

/* Its place, and its ids as long as it has none: see host_usb_equal. FALSE when one of them is known. */
static gboolean
remember_usb (GHashTable *known, const HostUsb *usb)
{
  gboolean has_place = usb->bus.value != 0 && usb->device.value != 0;
  g_autofree char *ids =
      g_strdup_printf ("usb ids %04x:%04x", (guint)usb->vendor.value, (guint)usb->product.value);
  g_autofree char *place = g_strdup_printf ("usb %u.%u", (guint)usb->bus.value, (guint)usb->device.value);

  if (g_hash_table_contains (known, ids) || (has_place && g_hash_table_contains (known, place)))
    return FALSE;
  g_hash_table_add (known, has_place ? g_steal_pointer (&place) : g_steal_pointer (&ids));
  return TRUE;
}

static char *
host_key (const Device *device)
{
  g_autofree char *name = NULL;

  if (device->kind == &hostdev_kind)
    return hostdev_key ((const DeviceHostdev *)device);
  name = host_pci_name (device_host_pci (device));
  return g_strconcat (enum_table_name (&hostdev_types, HOSTDEV_PCI), " ", name, NULL);
}

void
host_devices_check_duplicates (Validation *validation)
{
  const GPtrArray *devices = validation->def->devices;
  g_autoptr (GHashTable) known = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);

  for (guint i = 0; i < devices->len; i++) {
    const Device *device = g_ptr_array_index (devices, i);
    HostdevType type = device_host_type (device);

    if (type == HOSTDEV_NONE)
      continue;
    if (type == HOSTDEV_USB ? !remember_usb (known, device_host_usb (device))
                            : !g_hash_table_add (known, host_key (device)))
      validation_error_code (validation, VIR_ERR_XML_ERROR, device, device,
                             "Hostdev already exists in the domain configuration");
  }
}
