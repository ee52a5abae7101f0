/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Drive addresses: controller, bus, target, unit. A disk without one gets it from its target's name alone,
 * "sdb" being the second place of its bus whatever else there is; so two disks can want one place though
 * neither says an address, and the message must say where the place came from.
 */
#include "domain/devices/controller.h"
#include "domain/devices/disk.h"
#include "domain/machines/machine-kind.h"
#include "domain/pc/address-assign.h"

/* How libvirt counts the places of a bus when it goes by names: a SCSI controller has seven, with the number
 * of the narrow SCSI bus it once was. */
#define IDE_UNITS  2
#define IDE_BUSES  2
#define SATA_UNITS 6
#define SCSI_UNITS 7
#define FDC_UNITS  2

/* What QEMU's controllers have. */
#define LSILOGIC_LAST_UNIT   7
#define SCSI_LAST_TARGET     255
#define VIRTIO_SCSI_LAST_LUN 16383

/* The last place of a controller, by each part of the address. */
typedef struct {
  guint bus, target, unit;
} DriveLimits;

static gboolean
has_drive_address (const DeviceDisk *disk)
{
  return disk->device.address.type == ADDRESS_DRIVE;
}

static gboolean
wants_drive_address (const Completion *completion, const Device *device)
{
  const DomainDef *def = completion->def;

  return device->kind == &disk_kind && !completion_is_invalid (completion, device)
         && device->address.type == ADDRESS_NONE && device->kind->place (def, device) == PLACE_DRIVE;
}

static void
set_place (DeviceAddress *address, guint controller, guint bus, guint unit)
{
  address->type = ADDRESS_DRIVE;
  address->controller = NUMBER (controller);
  address->bus = NUMBER (bus);
  address->target = NUMBER (0);
  address->unit = NUMBER (unit);
}

static void
place_by_name (DeviceDisk *disk)
{
  DeviceAddress *address = &disk->device.address;
  int index = disk->target ? disk_target_index (disk->target) : -1;
  guint n = (guint)index;

  if (index < 0)
    return; /* the disk's own validation refuses such a name */
  switch (disk->bus) {
    case DISK_BUS_IDE:
      set_place (address, n / (IDE_BUSES * IDE_UNITS), n / IDE_UNITS % IDE_BUSES, n % IDE_UNITS);
      break;
    case DISK_BUS_SATA:
      set_place (address, n / SATA_UNITS, 0, n % SATA_UNITS);
      break;
    case DISK_BUS_SCSI:
      set_place (address, n / SCSI_UNITS, 0, n % SCSI_UNITS);
      break;
    case DISK_BUS_FDC:
      set_place (address, n / FDC_UNITS, 0, n % FDC_UNITS);
      break;
    default:
      break;
  }
}

void
assign_drive_addresses (Completion *completion)
{
  for (guint i = 0; i < completion->def->devices->len; i++) {
    Device *device = g_ptr_array_index (completion->def->devices, i);

    if (wants_drive_address (completion, device))
      place_by_name ((DeviceDisk *)device);
  }
}

/* What is known of all drives and their controllers while each is checked. */
typedef struct {
  GHashTable *controllers;
  GHashTable *places; /* the place as text → DeviceDisk, the first that is there */
} DriveTables;

static DriveLimits
drive_limits (const DriveTables *tables, const DeviceDisk *disk)
{
  const DeviceController *controller;

  switch (disk->bus) {
    case DISK_BUS_IDE:
      return (DriveLimits){ IDE_BUSES - 1, 0, IDE_UNITS - 1 };
    case DISK_BUS_SATA:
      return (DriveLimits){ 0, 0, SATA_UNITS - 1 };
    case DISK_BUS_FDC:
      return (DriveLimits){ 0, 0, FDC_UNITS - 1 };
    default:
      controller =
          controller_table_find (tables->controllers, CONTROLLER_SCSI, disk->device.address.controller.value);
      if (controller && controller->model == SCSI_LSILOGIC)
        return (DriveLimits){ 0, 0, LSILOGIC_LAST_UNIT };
      return (DriveLimits){ 0, SCSI_LAST_TARGET, VIRTIO_SCSI_LAST_LUN };
  }
}

static void
check_part (Completion *completion, const DeviceDisk *disk, const char *part, const Number *value, guint last)
{
  const char *bus = enum_table_name (&disk_buses, disk->bus);

  if (value->value <= last || completion_may_miss (completion, &controller_kind))
    return;
  if (last == 0)
    address_error (completion, &disk->device,
                   "%s must be 0 for %s controller: disk '%s' says %" G_GUINT64_FORMAT, part, bus,
                   disk->target, value->value);
  else
    address_error (completion, &disk->device,
                   "disk '%s' says %s='%" G_GUINT64_FORMAT "', but a %s controller has 0 to %u", disk->target,
                   part, value->value, bus, last);
}

/* The chipset has one IDE and one floppy controller, and no more can be added. */
static void
check_controller (Completion *completion, const DeviceDisk *disk)
{
  guint64 controller = disk->device.address.controller.value;
  gboolean is_ide = disk->bus == DISK_BUS_IDE;
  const MachineKind *machine = machine_kind_of (completion->def);

  if (is_ide && machine->has_no_ide) {
    completion_error (
        completion, &disk->bus, disk,
        "IDE controllers are unsupported for this QEMU binary or machine type: disk '%s' can use bus='%s'",
        disk->target, machine->is_bare ? "virtio" : "sata");
    return;
  }
  if ((is_ide || disk->bus == DISK_BUS_FDC) && controller > 0)
    address_error (completion, &disk->device,
                   "Only 1 %s controller is supported: disk '%s' would be on controller %" G_GUINT64_FORMAT,
                   is_ide ? "IDE" : "fdc", disk->target, controller);
}

static void
check_limits (Completion *completion, const DriveTables *tables, const DeviceDisk *disk)
{
  DriveLimits limits = drive_limits (tables, disk);
  const DeviceAddress *address = &disk->device.address;

  check_part (completion, disk, "bus", &address->bus, limits.bus);
  check_part (completion, disk, "target", &address->target, limits.target);
  check_part (completion, disk, "unit", &address->unit, limits.unit);
}

/* (transfer full) */
static char *
place_of (const DeviceDisk *disk)
{
  const DeviceAddress *address = &disk->device.address;

  return g_strdup_printf (
      "%d:%" G_GUINT64_FORMAT ":%" G_GUINT64_FORMAT ":%" G_GUINT64_FORMAT ":%" G_GUINT64_FORMAT, disk->bus,
      address->controller.value, address->bus.value, address->target.value, address->unit.value);
}

static void
fill_places (const DriveTables *tables, const DomainDef *def)
{
  DOMAIN_FOREACH_DEVICE (def, disk_kind, DeviceDisk, disk) {
    g_autofree char *place = has_drive_address (disk) ? place_of (disk) : NULL;

    if (place != NULL && !g_hash_table_contains (tables->places, place))
      g_hash_table_insert (tables->places, g_steal_pointer (&place), disk);
  }
}

static gboolean
is_free (const DriveTables *tables, const DeviceDisk *wanted)
{
  g_autofree char *place = place_of (wanted);

  return !g_hash_table_contains (tables->places, place);
}

/* A free place on the same controller, as text to say; NULL when it is full. */
static char *
free_place (const DriveTables *tables, const DeviceDisk *disk)
{
  DriveLimits limits = drive_limits (tables, disk);
  DeviceDisk candidate = *disk;
  DeviceAddress *address = &candidate.device.address;

  for (guint bus = 0; bus <= limits.bus; bus++) {
    for (guint unit = 0; unit <= MIN (limits.unit, SCSI_LAST_TARGET); unit++) {
      address->bus = NUMBER (bus);
      address->unit = NUMBER (unit);
      if (is_free (tables, &candidate))
        return g_strdup_printf ("bus='%u' unit='%u' of controller %" G_GUINT64_FORMAT " is free", bus, unit,
                                address->controller.value);
    }
  }
  return g_strdup_printf ("controller %" G_GUINT64_FORMAT " is full", address->controller.value);
}

static void
report_clash (Completion *completion, const DriveTables *tables, const DeviceDisk *first,
              const DeviceDisk *second)
{
  g_autofree char *user = assign_describe (completion, &first->device);
  g_autofree char *other = assign_describe (completion, &second->device);
  g_autofree char *instead = free_place (tables, second);
  const DeviceAddress *address = &second->device.address;

  address_clash (
      completion, &second->device,
      "Found duplicate drive address for disk with target name '%s' controller='%u' bus='%u' target='%u' "
      "unit='%u': it is used by %s and %s; %s",
      second->target, (guint)address->controller.value, (guint)address->bus.value,
      (guint)address->target.value, (guint)address->unit.value, user, other, instead);
}

void
check_drive_addresses (Completion *completion)
{
  g_autoptr (GHashTable) controllers = controller_table_new (completion->def);
  g_autoptr (GHashTable) places = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  const DriveTables tables = { controllers, places };

  fill_places (&tables, completion->def);
  DOMAIN_FOREACH_DEVICE (completion->def, disk_kind, DeviceDisk, disk) {
    g_autofree char *place = has_drive_address (disk) ? place_of (disk) : NULL;
    const DeviceDisk *first = place != NULL ? g_hash_table_lookup (places, place) : NULL;

    if (place == NULL)
      continue;
    check_controller (completion, disk);
    check_limits (completion, &tables, disk);
    if (first != disk)
      report_clash (completion, &tables, first, disk);
  }
}
