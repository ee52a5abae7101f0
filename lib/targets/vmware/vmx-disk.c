/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Disks of a .vmx, and their controllers. VMware reads VMDK images: one of another format becomes one beside
 * the .vmx by a step of qemu-img, under the disk's own name, so that no path of this host is asked for there.
 */
#include "targets/vmware/vmware-private.h"

#include "domain/devices/controller.h"
#include "domain/devices/disk.h"

#include <string.h>

typedef struct {
  const char *prefix; /* "scsi" */
  guint bus, unit;
} Place;

/* "sda" is 0:0, "sdb" 0:1; unit 7 of SCSI is the controller's own, and passed over. */
static gboolean
place_of (const DeviceDisk *disk, Place *place)
{
  int index = disk_target_index (disk->target);
  const DeviceAddress *address = &disk->device.address;
  gboolean has_address = address->type == ADDRESS_DRIVE && address->unit.set;
  guint per_bus;

  if (index < 0)
    return FALSE;
  if (disk->bus == DISK_BUS_IDE) {
    *place = (Place){ "ide", (guint)index / VMX_IDE_UNITS, (guint)index % VMX_IDE_UNITS };
    return index < VMX_IDE_BUSES * VMX_IDE_UNITS;
  }
  if (disk->bus == DISK_BUS_SATA) {
    *place = (Place){ "sata", (guint)index / VMX_SATA_UNITS, (guint)index % VMX_SATA_UNITS };
    if (has_address && disk->device.address.controller.set)
      *place = (Place){ "sata", (guint)address->controller.value, (guint)address->unit.value };
    return place->bus < VMX_SATA_BUSES && place->unit < VMX_SATA_UNITS;
  }
  per_bus = VMX_SCSI_UNITS - 1;
  *place = (Place){ "scsi", (guint)index / per_bus, (guint)index % per_bus };
  place->unit += place->unit >= VMX_SCSI_OWN_UNIT;
  if (disk->bus == DISK_BUS_SCSI && has_address)
    *place = (Place){ "scsi", (guint)address->controller.value, (guint)address->unit.value };
  return place->bus < VMX_SCSI_BUSES && place->unit < VMX_SCSI_UNITS && place->unit != VMX_SCSI_OWN_UNIT;
}

/* Documents of VMware's own machines say no format. */
static gboolean
is_vmdk (const DomainDef *def, const DeviceDisk *disk)
{
  const char *path = disk_path (disk);

  if (disk->format != NULL && g_str_equal (disk->format, "vmdk"))
    return TRUE;
  if (def->type == VIRT_TYPE_VMWARE && (disk->format == NULL || g_str_equal (disk->format, "raw")))
    return TRUE;
  return path != NULL && g_str_has_suffix (path, ".vmdk");
}

/* The image as the .vmx calls it: itself, or what a step makes of it. NULL with a loss. (transfer full) */
static char *
image_of (VmxWriter *writer, const DeviceDisk *disk)
{
  const char *path = disk_path (disk);
  const char *format = disk->format != NULL ? disk->format : "raw";
  g_autofree char *made = NULL;

  if (path == NULL) {
    target_lose (writer->losses, &disk->device, NULL, "opens files and block devices");
    return NULL;
  }
  if (is_vmdk (writer->def, disk))
    return g_strdup (path);
  made = g_strdup_printf ("%s.vmdk", disk->target);
  target_config_add_step (writer->config,
                          (const char *const[]){ "qemu-img", "convert", "-f", format, "-O", "vmdk", "-o",
                                                 "subformat=monolithicSparse", path, made, NULL });
  return g_steal_pointer (&made);
}

static void
add_hard_disk (VmxWriter *writer, const DeviceDisk *disk, const Place *place)
{
  g_autofree char *image = image_of (writer, disk);

  if (image == NULL)
    return;
  vmx_add (writer, "true", "%s%u:%u.present", place->prefix, place->bus, place->unit);
  vmx_add (writer, g_str_equal (place->prefix, "scsi") ? "scsi-hardDisk" : "ata-hardDisk",
           "%s%u:%u.deviceType", place->prefix, place->bus, place->unit);
  vmx_add (writer, image, "%s%u:%u.fileName", place->prefix, place->bus, place->unit);
  if (disk->cache == DISK_CACHE_WRITETHROUGH && g_str_equal (place->prefix, "scsi"))
    vmx_add (writer, "true", "%s%u:%u.writeThrough", place->prefix, place->bus, place->unit);
  else if (disk->cache != DISK_CACHE_NONE && disk->cache != DISK_CACHE_DEFAULT)
    target_lose (writer->losses, &disk->device, "<driver cache=>",
                 "writes through on SCSI, or leaves caching to the host");
  if (disk->readonly)
    target_lose (writer->losses, &disk->device, "readonly", "has no hard disks that cannot be written");
}

static void
add_cdrom (VmxWriter *writer, const DeviceDisk *disk, const Place *place)
{
  const char *path = disk_path (disk);
  gboolean is_device = disk->type == DISK_TYPE_BLOCK;

  vmx_add (writer, "true", "%s%u:%u.present", place->prefix, place->bus, place->unit);
  if (path == NULL) {
    vmx_add (writer, "atapi-cdrom", "%s%u:%u.deviceType", place->prefix, place->bus, place->unit);
    vmx_add (writer, "auto detect", "%s%u:%u.fileName", place->prefix, place->bus, place->unit);
    vmx_add (writer, "false", "%s%u:%u.startConnected", place->prefix, place->bus, place->unit);
    return;
  }
  vmx_add (writer, is_device ? "atapi-cdrom" : "cdrom-image", "%s%u:%u.deviceType", place->prefix, place->bus,
           place->unit);
  vmx_add (writer, path, "%s%u:%u.fileName", place->prefix, place->bus, place->unit);
  if (disk->startup_policy == STARTUP_OPTIONAL)
    vmx_add (writer, "false", "%s%u:%u.startConnected", place->prefix, place->bus, place->unit);
}

/* @places: char *, those that are taken. */
static void
add_disk (VmxWriter *writer, GHashTable *places, const DeviceDisk *disk)
{
  Place place;

  if (disk->bus != DISK_BUS_SCSI && disk->bus != DISK_BUS_IDE && disk->bus != DISK_BUS_SATA)
    target_lose (writer->losses, &disk->device, "<target bus=>",
                 "has the buses 'scsi', 'sata' and 'ide': dropped, the disk is on 'scsi'");
  if (!place_of (disk, &place)
      || !g_hash_table_add (places, g_strdup_printf ("%s%u:%u", place.prefix, place.bus, place.unit))) {
    target_lose (writer->losses, &disk->device, NULL,
                 "has no such place, or it is taken: %d controllers of SCSI with %d disks each, "
                 "%d of SATA with %d, and %d disks of IDE",
                 VMX_SCSI_BUSES, VMX_SCSI_UNITS - 1, VMX_SATA_BUSES, VMX_SATA_UNITS,
                 VMX_IDE_BUSES * VMX_IDE_UNITS);
    return;
  }
  if (disk->device_type == DISK_DEVICE_LUN)
    target_lose (writer->losses, &disk->device, NULL, "passes no disks of the host through here");
  else if (disk->device_type == DISK_DEVICE_CDROM)
    add_cdrom (writer, disk, &place);
  else
    add_hard_disk (writer, disk, &place);
}

static const char *
scsi_model (VmxWriter *writer, guint bus)
{
  DOMAIN_FOREACH_DEVICE (writer->def, controller_kind, DeviceController, controller) {
    if (controller->type != CONTROLLER_SCSI || !controller->index.set || controller->index.value != bus)
      continue;
    switch (controller->model) {
      case SCSI_BUSLOGIC:
        return "buslogic";
      case SCSI_LSILOGIC:
        return "lsilogic";
      case SCSI_LSISAS1068:
        return "lsisas1068";
      case SCSI_VMPVSCSI:
        return "pvscsi";
      case CONTROLLER_MODEL_NONE:
      case SCSI_AUTO:
        return NULL;
      default:
        target_lose (writer->losses, &controller->device, "model=",
                     "has SCSI controllers of the models 'buslogic', 'lsilogic', 'lsisas1068' and "
                     "'vmpvscsi': dropped, "
                     "it is 'lsilogic'");
        return "lsilogic";
    }
  }
  return NULL;
}

/* Those that disks are on, and those the document has. */
static void
add_controllers (VmxWriter *writer)
{
  guint scsi = 0, sata = 0;
  Place place;

  DOMAIN_FOREACH_DEVICE (writer->def, disk_kind, DeviceDisk, disk)
    if (disk->device_type != DISK_DEVICE_FLOPPY && place_of (disk, &place)
        && !g_str_equal (place.prefix, "ide")) {
      if (g_str_equal (place.prefix, "scsi"))
        scsi |= 1u << place.bus;
      else
        sata |= 1u << place.bus;
    }
  DOMAIN_FOREACH_DEVICE (writer->def, controller_kind, DeviceController, controller)
    if (controller->type == CONTROLLER_SCSI && !controller->device.implied
        && controller->index.value < VMX_SCSI_BUSES)
      scsi |= 1u << controller->index.value;
  for (guint bus = 0; bus < VMX_SCSI_BUSES; bus++)
    if ((scsi & 1u << bus) != 0) {
      vmx_add (writer, "true", "scsi%u.present", bus);
      vmx_add (writer, scsi_model (writer, bus), "scsi%u.virtualDev", bus);
    }
  for (guint bus = 0; bus < VMX_SATA_BUSES; bus++)
    if ((sata & 1u << bus) != 0)
      vmx_add (writer, "true", "sata%u.present", bus);
}

/* VMware has a floppy drive unless it is told that it has none. */
static void
add_floppies (VmxWriter *writer)
{
  const DeviceDisk *drives[VMX_FLOPPIES] = { NULL };

  DOMAIN_FOREACH_DEVICE (writer->def, disk_kind, DeviceDisk, disk) {
    int index = disk->device_type == DISK_DEVICE_FLOPPY ? disk_target_index (disk->target) : -1;

    if (index >= 0 && index < VMX_FLOPPIES)
      drives[index] = disk;
  }
  for (guint i = 0; i < VMX_FLOPPIES; i++) {
    vmx_add (writer, drives[i] != NULL ? "true" : "false", "floppy%u.present", i);
    if (drives[i] == NULL)
      continue;
    vmx_add (writer, drives[i]->type == DISK_TYPE_BLOCK ? "device" : "file", "floppy%u.fileType", i);
    vmx_add (writer, disk_path (drives[i]), "floppy%u.fileName", i);
  }
}

void
vmx_add_disks (VmxWriter *writer)
{
  g_autoptr (GHashTable) places = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);

  add_controllers (writer);
  DOMAIN_FOREACH_DEVICE (writer->def, disk_kind, DeviceDisk, disk)
    if (disk->device_type != DISK_DEVICE_FLOPPY)
      add_disk (writer, places, disk);
  add_floppies (writer);
}
