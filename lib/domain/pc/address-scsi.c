/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * The drive addresses of the host's SCSI devices. One without a place takes the first free unit of the lowest
 * controller, as libvirt counts them, and may so ask for a controller that is yet to be made; disks, whose
 * places follow from their names, have had theirs before.
 */
#include "domain/devices/disk.h"
#include "domain/devices/host-device.h"
#include "domain/devices/hostdev.h"
#include "domain/pc/address-assign.h"
#include "domain/pc/controllers.h"

#define SCSI_UNITS \
  7 /* of a controller, as libvirt gives them out: those of the narrow SCSI bus it once was */

static gboolean
is_scsi_hostdev (const Device *device)
{
  return device->kind == &hostdev_kind && device_host_type (device) == HOSTDEV_SCSI;
}

static gboolean
is_scsi_disk (const Device *device)
{
  return device->kind == &disk_kind && ((const DeviceDisk *)device)->bus == DISK_BUS_SCSI;
}

static char *
place_key (const DeviceAddress *address)
{
  return g_strdup_printf ("%u:%u:%u:%u", (guint)address->controller.value, (guint)address->bus.value,
                          (guint)address->target.value, (guint)address->unit.value);
}

/* Where each SCSI device is: key → Device. Of two in one place, the first. */
static GHashTable *
collect_places (const DomainDef *def)
{
  GHashTable *places = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);

  for (guint i = 0; i < def->devices->len; i++) {
    Device *device = g_ptr_array_index (def->devices, i);
    g_autofree char *key = NULL;

    if ((!is_scsi_disk (device) && !is_scsi_hostdev (device)) || device->address.type != ADDRESS_DRIVE)
      continue;
    key = place_key (&device->address);
    if (!g_hash_table_contains (places, key))
      g_hash_table_insert (places, g_steal_pointer (&key), device);
  }
  return places;
}

/* @place is where the search goes on: what is before it is full. */
static void
assign_next (GHashTable *places, Device *device, guint *place)
{
  DeviceAddress *address = &device->address;
  g_autofree char *key = NULL;

  *address = (DeviceAddress){ .type = ADDRESS_DRIVE, .bus = NUMBER (0), .target = NUMBER (0) };
  do {
    address->controller = NUMBER (*place / SCSI_UNITS);
    address->unit = NUMBER (*place % SCSI_UNITS);
    g_free (key);
    key = place_key (address);
    (*place)++;
  } while (g_hash_table_contains (places, key));
  g_hash_table_insert (places, g_steal_pointer (&key), device);
}

void
assign_scsi_hostdev_addresses (Completion *completion)
{
  g_autoptr (GHashTable) places = collect_places (completion->def);
  guint place = 0;

  for (guint i = 0; i < completion->def->devices->len; i++) {
    Device *device = g_ptr_array_index (completion->def->devices, i);

    if (is_scsi_hostdev (device) && device->address.type == ADDRESS_NONE
        && !completion_is_invalid (completion, device))
      assign_next (places, device, &place);
  }
}

static void
check_controller (Completion *completion, const Device *device)
{
  const DeviceAddress *address = &device->address;
  const DeviceController *controller =
      controllers_find (completion->def, CONTROLLER_SCSI, address->controller.value);

  if (completion_may_miss (completion, &controller_kind))
    return;
  if (address->bus.value != 0)
    completion_error (completion, address, device,
                      "bus must be 0 for scsi controller: hostdev says %" G_GUINT64_FORMAT,
                      address->bus.value);
  if (controller != NULL && controller->model == SCSI_LSILOGIC && address->target.value != 0)
    completion_error (completion, address, device,
                      "target must be 0 for controller model 'lsilogic': hostdev says %" G_GUINT64_FORMAT,
                      address->target.value);
}

/* libvirt's words depend on what is in the place. */
static void
report_clash (Completion *completion, const Device *device, const Device *other)
{
  const DeviceAddress *address = &device->address;
  g_autofree char *place =
      g_strdup_printf ("controller='%u' bus='%u' target='%u' unit='%u'", (guint)address->controller.value,
                       (guint)address->bus.value, (guint)address->target.value, (guint)address->unit.value);

  if (is_scsi_disk (other) && source_map_find (completion->map, &other->address, NULL).line != 0)
    completion_value_error (completion, VIR_ERR_XML_ERROR, &device->address, device,
                            "SCSI host address %s in use by a SCSI disk", place);
  else if (is_scsi_disk (other))
    completion_value_error (completion, VIR_ERR_CONFIG_UNSUPPORTED, &device->address, device,
                            "using disk target name '%s' conflicts with SCSI host device address %s",
                            ((const DeviceDisk *)other)->target, place);
  else
    completion_value_error (completion, VIR_ERR_CONFIG_UNSUPPORTED, &device->address, device,
                            "SCSI host address %s in use by another SCSI host device", place);
}

void
check_scsi_hostdev_addresses (Completion *completion)
{
  g_autoptr (GHashTable) places = collect_places (completion->def);

  for (guint i = 0; i < completion->def->devices->len; i++) {
    const Device *device = g_ptr_array_index (completion->def->devices, i), *first;
    g_autofree char *key = NULL;

    if (!is_scsi_hostdev (device) || device->address.type != ADDRESS_DRIVE)
      continue;
    check_controller (completion, device);
    key = place_key (&device->address);
    first = g_hash_table_lookup (places, key);
    if (first != NULL && first != device)
      report_clash (completion, device, first);
  }
}
