/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Disks: the front, that is the device the guest sees. What is behind it, the block nodes, is disk-nodes.c.
 */
#include "targets/qemu/recipe-lookup.h"
#include "targets/qemu/recipe-private.h"

#include "domain/devices/controller.h"
#include "domain/devices/disk.h"
#include "domain/machines/machine-kind.h"

#include <string.h>

#define MAPPING_OLDEST_QEMU 9000000 /* iothread-vq-mapping of virtio-blk */

/* What the document says and nobody here can do yet. */
static gboolean
check_supported (Recipe *recipe, const DeviceDisk *disk)
{
  const UnsupportedPart unsupported[] = {
    { disk->backend_domain != NULL, "<backenddomain>" },
    { disk->driver != NULL && strcmp (disk->driver, "qemu") != 0, "<driver name=> other than 'qemu'" },
    { disk->bus == DISK_BUS_XEN || disk->bus == DISK_BUS_UML, "<target bus=> 'xen' and 'uml'" },
  };

  if (disk->fdgroup != NULL && recipe_by_descriptor (recipe)) {
    g_autoptr (GError) problem = NULL;

    virt_error_set (&problem, VIR_ERR_INVALID_ARG,
                    "file descriptor group '%s' was not associated with the domain", disk->fdgroup);
    return recipe_keep_problem (recipe, &disk->device, "<source fdgroup=>", g_steal_pointer (&problem));
  }
  return recipe_check_parts (recipe, &disk->device, unsupported, G_N_ELEMENTS (unsupported));
}

static gboolean
no_controller (const DeviceDisk *disk, GError **error)
{
  return qemu_unsupported (&disk->device, error, "the machine has no %s controller %u",
                           enum_table_name (&disk_buses, disk->bus),
                           (guint)disk->device.address.controller.value);
}

static const EnumTable translations = { "geometry translation", { NULL, "auto", "none", "lba" } };

static const char *
error_policy (int policy)
{
  return policy == DISK_ERROR_ENOSPACE ? "enospc" : enum_table_name (&disk_error_policies, policy);
}

/* What all disks may have, whatever their bus. */
static void
add_common (JsonObject *properties, const DeviceDisk *disk, const char *node)
{
  int rerror = disk->rerror_policy, cache = disk_cache_mode (disk);

  if (rerror == DISK_ERROR_NONE && disk->error_policy != DISK_ERROR_ENOSPACE)
    rerror = disk->error_policy;
  props_add (properties, "share-rw", "?b", disk->shareable, "drive", "?s", node, NULL);
  if (disk->device_type != DISK_DEVICE_LUN && cache > DISK_CACHE_DEFAULT)
    props_add (properties, "write-cache", "s",
               cache == DISK_CACHE_WRITETHROUGH || cache == DISK_CACHE_DIRECTSYNC ? "off" : "on", NULL);
  if (disk->device_type != DISK_DEVICE_CDROM && disk->device_type != DISK_DEVICE_FLOPPY) {
    props_add (properties, "logical_block_size", "N", &disk->logical_block_size, "physical_block_size", "N",
               &disk->physical_block_size, "discard_granularity", "N", &disk->discard_granularity, NULL);
    if (disk->bus != DISK_BUS_USB)
      props_add (properties, "cyls", "N", &disk->cylinders, "heads", "N", &disk->heads, "secs", "N",
                 &disk->sectors, NULL);
    props_add (properties, "bios-chs-trans", "?s", enum_table_name (&translations, disk->translation), NULL);
  }
  props_add (properties, "werror", "?s", error_policy (disk->error_policy), "rerror", "?s",
             error_policy (rerror), NULL);
}

/* Which threads serve its queues; a thread without queues of its own gets some by QEMU. */
static void
add_iothreads (JsonObject *properties, const DeviceDisk *disk)
{
  JsonArray *mapping;

  props_add_iothread (properties, &disk->iothread);
  if (disk->iothreads == NULL || disk->iothreads->len == 0)
    return;
  mapping = json_array_new ();
  for (guint i = 0; i < disk->iothreads->len; i++) {
    const DiskIothread *thread = g_ptr_array_index (disk->iothreads, i);
    JsonObject *entry = json_object_new ();

    props_add_iothread (entry, &thread->id);
    if (thread->queues != NULL && thread->queues->len > 0) {
      JsonArray *queues = json_array_new ();

      for (guint k = 0; k < thread->queues->len; k++)
        json_array_add_int_element (
            queues, (gint64)((const DiskQueue *)g_ptr_array_index (thread->queues, k))->id.value);
      props_add (entry, "vqs", "a", queues, NULL);
    }
    json_array_add_object_element (mapping, entry);
  }
  props_add (properties, "iothread-vq-mapping", "a", mapping, NULL);
}

static gboolean
recipe_add_virtio_disk (Recipe *recipe, const DeviceDisk *disk, const char *node, GError **error)
{
  gboolean lun = disk->device_type == DISK_DEVICE_LUN;
  JsonObject *properties;

  if (lun && !qemu_caps_has_property (recipe_caps (recipe), "virtio-blk-pci", "scsi"))
    return qemu_unsupported (&disk->device, error,
                             "This QEMU doesn't support SCSI emulation with 'virtio-blk' device: a disk of "
                             "bus 'scsi' can be a 'lun'");
  properties = props ("driver", "s", virtio_driver ("virtio-blk-pci", disk->model), "scsi", "?b", lun, NULL);
  props_add_virtio (properties, &disk->virtio);
  if (disk->iothreads != NULL
      && !qemu_caps_has_property (recipe_caps (recipe), "virtio-blk-pci", "iothread-vq-mapping")
      && qemu_caps_version (recipe_caps (recipe)) < MAPPING_OLDEST_QEMU) {
    json_object_unref (properties);
    return qemu_lacks (recipe, &disk->device, "<driver><iothreads>", NULL, error);
  }
  add_iothreads (properties, disk);
  props_add (properties, "ioeventfd", "T", disk->ioeventfd, "event_idx", "T", disk->event_idx, "num-queues",
             "N", &disk->queues, "queue-size", "N", &disk->queue_size, NULL);
  add_common (properties, disk, node);
  props_add (properties, "serial", "?s", disk->serial, NULL);
  return recipe_device (recipe, &disk->device, properties, error);
}

/* The data are another process's: QEMU has a connection to it and no nodes. */
static gboolean
recipe_add_vhost_user_disk (Recipe *recipe, const DeviceDisk *disk, GError **error)
{
  const DiskSource *source = &disk->source;
  const char *driver = virtio_driver ("vhost-user-blk-pci", disk->model);
  g_autofree char *chardev = g_strconcat ("chr-vu-", disk->device.alias, NULL);
  JsonObject *data, *properties;

  if (!qemu_needs_type (recipe, &disk->device, "vhost-user-blk-pci", error))
    return FALSE;
  data = props ("addr", "o",
                props ("type", "s", "unix", "data", "o", props ("path", "s", source->socket, NULL), NULL),
                "server", "b", FALSE, NULL);
  props_add_reconnect (data, recipe_caps (recipe), source->reconnect, &source->reconnect_timeout);
  recipe_step (recipe, STEP_CHARDEV,
               props ("id", "s", chardev, "backend", "o",
                      props ("type", "s", "socket", "data", "o", data, NULL), NULL));
  properties = props ("driver", "s", driver, NULL);
  props_add_virtio (properties, &disk->virtio);
  props_add (properties, "event_idx", "T", disk->event_idx, "num-queues", "N", &disk->queues, "queue-size",
             "N", &disk->queue_size, "chardev", "s", chardev, NULL);
  return recipe_device (recipe, &disk->device, properties, error);
}

/* A card of a board that has a slot for one: there is no device to plug. */
static gboolean
recipe_add_sd_card (Recipe *recipe, const DeviceDisk *disk, GError **error)
{
  const char *path = disk_path (disk), *format = disk->format != NULL ? disk->format : "raw";
  g_autofree char *file = NULL;

  if (recipe_host (recipe)->plugging || path == NULL)
    return qemu_unsupported (&disk->device, error,
                             "a disk on bus 'sd' is a file that is there from the start");
  file = option_escape (recipe_file (recipe, path, !disk->readonly, &disk->device, "disk image"));
  recipe_option (recipe, "-drive", "file=%s,format=%s,if=sd,index=%d%s", file, format,
                 disk_target_index (disk->target), disk->readonly ? ",readonly=on" : "");
  return TRUE;
}

/* IDE and SATA disks differ in how their controller's ports are numbered: an IDE one has two buses of two
 * units, a SATA one a bus for each port. */
static gboolean
recipe_add_ata_disk (Recipe *recipe, const DeviceDisk *disk, const char *node, GError **error)
{
  const DeviceAddress *address = &disk->device.address;
  gboolean sata = disk->bus == DISK_BUS_SATA;
  const char *controller =
      recipe_controller_bus (recipe, sata ? CONTROLLER_SATA : CONTROLLER_IDE, address->controller.value);
  g_autofree char *bus = NULL;
  JsonObject *properties;

  if (controller == NULL)
    return no_controller (disk, error);
  bus = g_strdup_printf ("%s.%u", controller, (guint)(sata ? address->unit.value : address->bus.value));
  properties = props ("driver", "s", disk->device_type == DISK_DEVICE_CDROM ? "ide-cd" : "ide-hd", "bus", "s",
                      bus, NULL);
  if (!sata)
    props_add (properties, "unit", "N", &address->unit, NULL);
  add_common (properties, disk, node);
  if (disk->device_type != DISK_DEVICE_CDROM)
    props_add (properties, "rotation_rate", "N", &disk->rotation_rate, NULL);
  props_add (properties, "wwn", "?t", disk->wwn != NULL ? g_ascii_strtoull (disk->wwn, NULL, 16) : (guint64)0,
             "model", "?s", disk->product, "serial", "?s", disk->serial, NULL);
  return recipe_device (recipe, &disk->device, properties, error);
}

static gboolean
recipe_add_scsi_disk (Recipe *recipe, const DeviceDisk *disk, const char *node, GError **error)
{
  const DeviceAddress *address = &disk->device.address;
  const DeviceController *controller = recipe_controller (recipe, CONTROLLER_SCSI, address->controller.value);
  g_autofree char *bus = NULL, *name = NULL;
  const char *driver = disk->device_type == DISK_DEVICE_CDROM ? "scsi-cd"
                       : disk->device_type == DISK_DEVICE_LUN ? "scsi-block"
                                                              : "scsi-hd";
  JsonObject *properties;

  if (controller == NULL)
    return no_controller (disk, error);
  bus = g_strdup_printf ("%s.%u", controller->device.alias, (guint)address->bus.value);
  name = g_strconcat ("drive-", disk->device.alias, NULL);
  properties = props ("driver", "s", driver, NULL);
  if (controller->model == SCSI_LSILOGIC || controller->model == SCSI_AM53C974
      || controller->model == SCSI_DC390)
    props_add (properties, "bus", "s", bus, "scsi-id", "N", &address->unit, NULL);
  else {
    g_free (bus);
    bus = g_strconcat (controller->device.alias, ".0", NULL);
    props_add (properties, "bus", "s", bus, "channel", "N", &address->bus, "scsi-id", "N", &address->target,
               "lun", "N", &address->unit, NULL);
  }
  if (disk->device_type != DISK_DEVICE_LUN)
    props_add (properties, "device_id", "s", disk->serial != NULL ? disk->serial : name, NULL);
  add_common (properties, disk, node);
  if (disk->device_type == DISK_DEVICE_DISK)
    props_add (properties, "rotation_rate", "N", &disk->rotation_rate, "removable", "T", disk->removable,
               NULL);
  props_add (properties, "wwn", "?t", disk->wwn != NULL ? g_ascii_strtoull (disk->wwn, NULL, 16) : (guint64)0,
             "vendor", "?s", disk->vendor, "product", "?s", disk->product, "serial", "?s", disk->serial,
             NULL);
  return recipe_device (recipe, &disk->device, properties, error);
}

static gboolean
recipe_add_usb_disk (Recipe *recipe, const DeviceDisk *disk, const char *node, GError **error)
{
  JsonObject *properties;

  if (node == NULL)
    return qemu_unsupported (&disk->device, error, "a USB disk needs a <source>: QEMU has no empty one");
  properties = props ("driver", "s", "usb-storage", NULL);
  add_common (properties, disk, node);
  props_add (properties, "removable", "b", disk->removable == TRISTATE_YES, "serial", "?s", disk->serial,
             NULL);
  return recipe_device (recipe, &disk->device, properties, error);
}

/* The drives' places in the order of boot: QEMU has them as the controller's, "A" and "B". */
static JsonObject *
floppy_boot_indexes (const Recipe *recipe)
{
  static const char *const names[] = { "bootindexA", "bootindexB" };
  JsonObject *indexes = json_object_new ();

  DOMAIN_FOREACH_DEVICE (recipe_def (recipe), disk_kind, DeviceDisk, disk) {
    Number index = recipe_boot_index (recipe, &disk->device);

    if (disk->bus == DISK_BUS_FDC && disk->device.address.unit.value < G_N_ELEMENTS (names))
      props_add (indexes, names[disk->device.address.unit.value], "N", &index, NULL);
  }
  return indexes;
}

/* Before the first drive its controller: a q35 has none of its own. */
static void
add_floppy_controller (Recipe *recipe)
{
  g_autoptr (JsonObject) indexes = floppy_boot_indexes (recipe);
  JsonObject *controller = props ("driver", "s", "isa-fdc", NULL);
  gboolean own = machine_kind_of (recipe_def (recipe))->chipset == CHIPSET_I440FX;
  JsonObjectIter iter;
  const char *name;
  JsonNode *value;

  json_object_iter_init_ordered (&iter, indexes);
  while (json_object_iter_next_ordered (&iter, &name, &value)) {
    json_object_set_member (controller, name, json_node_copy (value));
    if (own)
      recipe_option (recipe, "-global", "isa-fdc.%s=%" G_GINT64_FORMAT, name, json_node_get_int (value));
  }
  if (machine_kind_of (recipe_def (recipe))->chipset != CHIPSET_Q35)
    json_object_unref (controller);
  else
    recipe_step (recipe, STEP_DEVICE, controller);
}

static gboolean
is_first_floppy (const Recipe *recipe, const DeviceDisk *disk)
{
  DOMAIN_FOREACH_DEVICE (recipe_def (recipe), disk_kind, DeviceDisk, other) {
    if (other->bus == DISK_BUS_FDC)
      return other == disk;
  }
  return TRUE;
}

static gboolean
recipe_add_floppy (Recipe *recipe, const DeviceDisk *disk, const char *node, GError **error)
{
  JsonObject *properties = props ("driver", "s", "floppy", "unit", "N", &disk->device.address.unit, NULL);

  if (is_first_floppy (recipe, disk))
    add_floppy_controller (recipe);
  add_common (properties, disk, node);
  return recipe_device (recipe, &disk->device, properties, error);
}

gboolean
recipe_add_disk (Recipe *recipe, const Device *device, GError **error)
{
  const DeviceDisk *disk = (const DeviceDisk *)device;
  g_autofree char *node = NULL;

  if (!check_supported (recipe, disk))
    return FALSE;
  if (disk->bus == DISK_BUS_SD)
    return recipe_add_sd_card (recipe, disk, error);
  if (disk->type == DISK_TYPE_VHOST_USER)
    return recipe_add_vhost_user_disk (recipe, disk, error);
  /* libvirt plugs it in once its overlay is there. */
  if (disk->transient_share_backing == TRISTATE_YES && !disk_has_overlay (recipe, disk))
    return TRUE;
  if (!disk_add_nodes (recipe, disk, &node, error))
    return FALSE;
  switch (disk->bus) {
    case DISK_BUS_VIRTIO:
      if (node == NULL)
        return qemu_unsupported (device, error, "a virtio disk needs a <source>: QEMU has no empty one");
      return recipe_add_virtio_disk (recipe, disk, node, error);
    case DISK_BUS_IDE:
    case DISK_BUS_SATA:
      return recipe_add_ata_disk (recipe, disk, node, error);
    case DISK_BUS_SCSI:
      return recipe_add_scsi_disk (recipe, disk, node, error);
    case DISK_BUS_USB:
      return recipe_add_usb_disk (recipe, disk, node, error);
    case DISK_BUS_FDC:
      return recipe_add_floppy (recipe, disk, node, error);
    default:
      return qemu_unsupported (device, error, "the bus '%s' is not supported by the QEMU target",
                               enum_table_name (&disk_buses, disk->bus));
  }
}

gboolean
disk_can_attach (const Device *device, GError **error)
{
  const DeviceDisk *disk = (const DeviceDisk *)device;

  if (disk->device_type == DISK_DEVICE_FLOPPY)
    virt_error_set (error, VIR_ERR_OPERATION_UNSUPPORTED, "floppy device hotplug isn't supported");
  else if (disk->bus != DISK_BUS_NONE && disk->bus != DISK_BUS_VIRTIO && disk->bus != DISK_BUS_SCSI
           && disk->bus != DISK_BUS_USB)
    virt_error_set (error, VIR_ERR_OPERATION_UNSUPPORTED, "disk bus '%s' cannot be hotplugged.",
                    enum_table_name (&disk_buses, disk->bus));
  else
    return TRUE;
  return FALSE;
}

gboolean
disk_can_detach (const DomainDef *def G_GNUC_UNUSED, const Device *device, GError **error)
{
  const DeviceDisk *disk = (const DeviceDisk *)device;
  gboolean plain = disk->device_type == DISK_DEVICE_DISK || disk->device_type == DISK_DEVICE_LUN;

  if (disk->bus == DISK_BUS_SCSI || disk->bus == DISK_BUS_USB || (plain && disk->bus == DISK_BUS_VIRTIO))
    return TRUE;
  if (plain)
    virt_error_set (error, VIR_ERR_OPERATION_UNSUPPORTED, "This type of disk cannot be hot unplugged");
  else
    virt_error_set (error, VIR_ERR_OPERATION_UNSUPPORTED, "disk device type '%s' cannot be detached",
                    enum_table_name (&disk_devices, disk->device_type));
  return FALSE;
}
