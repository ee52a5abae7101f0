/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * What devices must not share: disk targets, boot orders, aliases; and each kind's own checks, which are its
 * `validate`. Addresses are looked after where they are given out.
 */

#include "domain/complete-parts.h"
#include "domain/devices/console.h"
#include "domain/devices/disk.h"
#include "domain/devices/host-device.h"
#include "domain/devices/interface.h"
#include "domain/machines/machine-kind.h"

static const char *
source_of (const DeviceDisk *disk)
{
  const char *path = disk_path (disk);

  return path != NULL ? path : "(none)";
}

static void
validate_disk_targets (Validation *validation)
{
  g_autoptr (GHashTable) targets = g_hash_table_new (g_str_hash, g_str_equal);

  DOMAIN_FOREACH_DEVICE (validation->def, disk_kind, const DeviceDisk, disk) {
    const DeviceDisk *other;

    if (disk->target == NULL)
      continue;
    other = g_hash_table_lookup (targets, disk->target);
    if (other == NULL)
      g_hash_table_insert (targets, disk->target, (gpointer)disk);
    else
      validation_value_error (validation, VIR_ERR_XML_ERROR, &disk->target, disk,
                              "target '%s' duplicated for disk sources '%s' and '%s'", disk->target,
                              source_of (other), source_of (disk));
  }
}

static void
validate_macs (Validation *validation)
{
  g_autoptr (GHashTable) macs = g_hash_table_new (g_str_hash, g_str_equal);

  DOMAIN_FOREACH_DEVICE (validation->def, interface_kind, const DeviceInterface, interface) {
    if (interface->mac != NULL && !g_hash_table_add (macs, interface->mac))
      validation_warning (validation, &interface->mac, interface,
                          "MAC address %s is that of another interface of this machine", interface->mac);
  }
}

static void
validate_boot_order (Validation *validation, const Device *device, GHashTable *orders)
{
  const DomainOs *os = &validation->def->os;
  gpointer order = GSIZE_TO_POINTER (device->boot_order.value);

  if (!device->boot_order.set)
    return;
  if (os->boots != NULL)
    validation_value_error (validation, VIR_ERR_CONFIG_UNSUPPORTED, &device->boot_order, device,
                            "per-device boot elements cannot be used together with os/boot elements");
  if (!g_hash_table_add (orders, order)) {
    g_autofree char *what = device_describe (device);

    validation_value_error (validation, VIR_ERR_CONFIG_UNSUPPORTED, &device->boot_order, device,
                            "boot order '%" G_GUINT64_FORMAT
                            "' used for more than one device: %s is the second",
                            device->boot_order.value, what);
  }
}

/* What is on a bus of its own has no slot that the firmware could number. */
static void
validate_acpi_index (Validation *validation, const Device *device)
{
  if (device->acpi_index.set && device->address.type != ADDRESS_PCI && device->address.type != ADDRESS_NONE)
    validation_value_error (validation, VIR_ERR_CONFIG_UNSUPPORTED, &device->acpi_index, device,
                            "ACPI index is only supported for PCI devices");
}

static void
validate_zpci (Validation *validation, const Device *device)
{
  const DeviceAddress *address = &device->address;

  if ((address->zpci_uid.set || address->zpci_fid.set) && !machine_kind_of (validation->def)->has_zpci)
    validation_host_error (validation, &device->address, device, "This QEMU binary doesn't support zPCI");
}

/* Only the user's own have to differ: the first console goes by the alias of the serial port it shows. */
static void
validate_alias (Validation *validation, const Device *device, GHashTable *aliases)
{
  if (device->alias == NULL || !g_str_has_prefix (device->alias, USER_ALIAS_PREFIX)
      || device->kind == &console_kind)
    return;
  if (!g_hash_table_add (aliases, device->alias))
    validation_value_error (validation, VIR_ERR_CONFIG_UNSUPPORTED, &device->alias, device,
                            "non unique alias detected: %s", device->alias);
}

void
domain_validate_shared (Validation *validation)
{
  const DomainDef *def = validation->def;
  g_autoptr (GHashTable) orders = g_hash_table_new (NULL, NULL);
  g_autoptr (GHashTable) aliases = g_hash_table_new (g_str_hash, g_str_equal);

  for (guint i = 0; i < def->devices->len; i++) {
    const Device *device = g_ptr_array_index (def->devices, i);

    validate_boot_order (validation, device, orders);
    validate_alias (validation, device, aliases);
    validate_acpi_index (validation, device);
    validate_zpci (validation, device);
  }
  validate_disk_targets (validation);
  validate_macs (validation);
  host_devices_check_duplicates (validation);
}

void
validate_devices (Validation *validation)
{
  const DomainDef *def = validation->def;

  if (validation_may_miss (validation, &def->os.machine))
    return; /* they have not been completed */
  if (def->type != VIRT_TYPE_QEMU && def->type != VIRT_TYPE_KVM)
    return; /* the kinds' own checks are about what QEMU can make of them */
  for (guint i = 0; i < def->devices->len; i++) {
    const Device *device = g_ptr_array_index (def->devices, i);

    if (device->kind->validate != NULL)
      device->kind->validate (validation, device);
  }
}
