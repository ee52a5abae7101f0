/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * <disk>: what holds the data and the drive the guest sees. Sources that are a file or a block device are
 * fields; those no target can open yet are kept as they stand. Which bus a drive is on and which order drives
 * are in follow from the target's name, as libvirt reads it, since guests depend on both. What is refused, is
 * in disk-validate.c.
 */

#include "base/virt-error.h"
#include "domain/device-match.h"
#include "domain/devices/controller.h"
#include "domain/devices/disk-private.h"
#include "domain/devices/pci-connect.h"
#include "domain/report.h"

#include <string.h>

const EnumTable disk_devices = { "disk device", { NULL, "disk", "cdrom", "floppy", "lun" } };
const EnumTable disk_buses = { "disk bus",
                               { NULL, "ide", "fdc", "scsi", "virtio", "xen", "usb", "uml", "sata", "sd" } };
const EnumTable disk_caches = {
  "disk cache mode", { NULL, "default", "none", "writethrough", "writeback", "directsync", "unsafe" }
};
const EnumTable disk_error_policies = { "disk error policy",
                                        { NULL, "stop", "report", "ignore", "enospace" } };
const EnumTable disk_ios = { "disk I/O mode", { NULL, "native", "threads", "io_uring" } };
const EnumTable disk_discards = { "disk discard mode", { NULL, "unmap", "ignore" } };
const EnumTable detect_zeroes_modes = { "disk zero detection", { NULL, "off", "on", "unmap" } };

static const EnumTable sgios = { "SCSI command filter", { NULL, "filtered", "unfiltered" } };
static const EnumTable snapshots = { "disk snapshot mode", { NULL, "no", "internal", "external", "manual" } };
const EnumTable startup_policies = { "startup policy", { NULL, "mandatory", "requisite", "optional" } };
static const EnumTable trays = { "tray state", { NULL, "closed", "open" } };

static const EnumTable translations = { "geometry translation", { NULL, "auto", "none", "lba" } };

static const FieldRange range_32 = { 0, G_MAXUINT32 };

#define FILE_TYPE  (FIELD_VALUE (DISK_TYPE_NONE) | FIELD_VALUE (DISK_TYPE_FILE))
#define BLOCK_TYPE FIELD_VALUE (DISK_TYPE_BLOCK)

#define HOST_FIELD(member, path, kind, detail) \
  FIELD_WITH (DeviceDisk, member, path, kind, detail, FIELD_NO_ABI)
#define SOURCE_FIELD(member, path, kind, detail, flags, types)                               \
  {                                                                                          \
    (path), G_STRUCT_OFFSET (DeviceDisk, member), &(kind), (detail), FIELD_NO_ABI | (flags), \
    {                                                                                        \
      G_STRUCT_OFFSET (DeviceDisk, type), (types)                                            \
    }                                                                                        \
  }

const FieldSize disk_cache_size = { 1, 1, "bytes", 1 };

static const Field queue_fields[] = {
  FIELD_WITH (DiskQueue, id, "@id", field_number, &range_32, FIELD_REQUIRED),
  FIELD_END,
};
static const FieldTable queue_table = { sizeof (DiskQueue), queue_fields };

static const Field iothread_fields[] = {
  FIELD_WITH (DiskIothread, id, "@id", field_number, &range_32, FIELD_REQUIRED),
  FIELD (DiskIothread, queues, "queue", field_list, &queue_table),
  FIELD_END,
};
static const FieldTable iothread_table = { sizeof (DiskIothread), iothread_fields };

static const Field throttle_filter_fields[] = {
  FIELD (DiskThrottleFilter, group, "@group", field_text, NULL),
  FIELD_END,
};
static const FieldTable throttle_filter_table = { sizeof (DiskThrottleFilter), throttle_filter_fields };

static const Field disk_fields[] = {
  HOST_FIELD (type, "@type", field_enum, &disk_types),
  FIELD (DeviceDisk, device_type, "@device", field_enum, &disk_devices),
  FIELD (DeviceDisk, model, "@model", field_enum, &virtio_models),
  FIELD (DeviceDisk, rawio, "@rawio", field_yes_no, NULL),
  FIELD (DeviceDisk, sgio, "@sgio", field_enum, &sgios),
  HOST_FIELD (snapshot, "@snapshot", field_enum, &snapshots),

  HOST_FIELD (driver, "driver/@name", field_text, NULL),
  HOST_FIELD (format, "driver/@type", field_text, NULL),
  HOST_FIELD (cache, "driver/@cache", field_enum, &disk_caches),
  HOST_FIELD (error_policy, "driver/@error_policy", field_enum, &disk_error_policies),
  HOST_FIELD (rerror_policy, "driver/@rerror_policy", field_enum, &disk_error_policies),
  HOST_FIELD (io, "driver/@io", field_enum, &disk_ios),
  FIELD (DeviceDisk, ioeventfd, "driver/@ioeventfd", field_on_off, NULL),
  FIELD (DeviceDisk, event_idx, "driver/@event_idx", field_on_off, NULL),
  HOST_FIELD (copy_on_read, "driver/@copy_on_read", field_on_off, NULL),
  HOST_FIELD (discard, "driver/@discard", field_enum, &disk_discards),
  HOST_FIELD (iothread, "driver/@iothread", field_number, &range_32),
  HOST_FIELD (detect_zeroes, "driver/@detect_zeroes", field_enum, &detect_zeroes_modes),
  HOST_FIELD (discard_no_unref, "driver/@discard_no_unref", field_on_off, NULL),
  FIELD (DeviceDisk, queues, "driver/@queues", field_number, &range_32),
  FIELD (DeviceDisk, queue_size, "driver/@queue_size", field_number, &range_32),
  VIRTIO_FIELDS (DeviceDisk),
  HOST_FIELD (iothreads, "driver/iothreads/iothread", field_list, &iothread_table),
  HOST_FIELD (metadata_cache, "driver/metadata_cache/max_size", field_memory, &disk_cache_size),
  HOST_FIELD (auth, "auth", field_optional, &disk_auth_table),

  SOURCE_FIELD (file, "source/@file", field_text, NULL, 0, FILE_TYPE),
  SOURCE_FIELD (fdgroup, "source/@fdgroup", field_text, NULL, 0, FILE_TYPE),
  SOURCE_FIELD (dev, "source/@dev", field_text, NULL, 0, BLOCK_TYPE),
  DISK_SOURCE_ATTRIBUTES (DeviceDisk),
  HOST_FIELD (startup_policy, "source/@startupPolicy", field_enum, &startup_policies),
  FIELD_WITH (DeviceDisk, source_index, "source/@index", field_number, &range_32, FIELD_LIVE | FIELD_NO_ABI),
  DISK_SOURCE_ELEMENTS (DeviceDisk),

  HOST_FIELD (backing, "backingStore", field_disk_backing, &disk_backing_table),
  HOST_FIELD (backend_domain, "backenddomain", field_verbatim, NULL),
  FIELD (DeviceDisk, cylinders, "geometry/@cyls", field_number, &range_32),
  FIELD (DeviceDisk, heads, "geometry/@heads", field_number, &range_32),
  FIELD (DeviceDisk, sectors, "geometry/@secs", field_number, &range_32),
  FIELD (DeviceDisk, translation, "geometry/@trans", field_enum, &translations),
  FIELD (DeviceDisk, logical_block_size, "blockio/@logical_block_size", field_number, &range_32),
  FIELD (DeviceDisk, physical_block_size, "blockio/@physical_block_size", field_number, &range_32),
  FIELD (DeviceDisk, discard_granularity, "blockio/@discard_granularity", field_number, &range_32),
  FIELD_WITH (DeviceDisk, mirror, "mirror", field_optional, &disk_mirror_table, FIELD_LIVE | FIELD_NO_ABI),

  FIELD (DeviceDisk, target, "target/@dev", field_text, NULL),
  FIELD (DeviceDisk, bus, "target/@bus", field_enum, &disk_buses),
  HOST_FIELD (tray, "target/@tray", field_enum, &trays),
  FIELD (DeviceDisk, removable, "target/@removable", field_on_off, NULL),
  FIELD (DeviceDisk, rotation_rate, "target/@rotation_rate", field_number, &disk_rotation_rates),

  HOST_FIELD (iotune, "iotune", field_optional, &disk_iotune_table),
  HOST_FIELD (throttle_filters, "throttlefilters/throttlefilter", field_list, &throttle_filter_table),
  FIELD (DeviceDisk, readonly, "readonly", field_flag, NULL),
  FIELD (DeviceDisk, shareable, "shareable", field_flag, NULL),
  FIELD (DeviceDisk, transient, "transient", field_flag, NULL),
  FIELD (DeviceDisk, transient_share_backing, "transient/@shareBacking", field_yes_no, NULL),
  FIELD (DeviceDisk, serial, "serial", field_text, NULL),
  FIELD (DeviceDisk, wwn, "wwn", field_text, NULL),
  FIELD (DeviceDisk, vendor, "vendor", field_text, NULL),
  FIELD (DeviceDisk, product, "product", field_text, NULL),
  HOST_FIELD (encryption, "encryption", field_optional, &disk_encryption_table),
  DEVICE_BOOT_FIELDS (DeviceDisk),
  DEVICE_FIELDS (DeviceDisk),
  FIELD_END,
};

const char *
disk_path (const DeviceDisk *disk)
{
  return disk->type == DISK_TYPE_BLOCK ? disk->dev : disk->file;
}

gboolean
disk_has_source (const DeviceDisk *disk)
{
  return disk->file != NULL || disk->dev != NULL || disk_source_is_set (disk->type, &disk->source);
}

const char *
disk_source_text (const DeviceDisk *disk)
{
  const char *path = disk_path (disk);

  return path != NULL ? path : disk_source_name (disk->type, &disk->source);
}

gboolean
disk_is_reserved (const DeviceDisk *disk)
{
  return disk->source.reservations != NULL && disk->source.reservations->managed == TRISTATE_YES;
}

const DiskAuth *
disk_auth (const DeviceDisk *disk)
{
  return disk->auth != NULL ? disk->auth : disk->source.auth;
}

const DiskEncryption *
disk_encryption (const DeviceDisk *disk)
{
  return disk->encryption != NULL ? disk->encryption : disk->source.encryption;
}

gboolean
disk_has_nodes (const DeviceDisk *disk)
{
  return disk->type != DISK_TYPE_VHOST_USER && disk_has_source (disk);
}

gboolean
disk_is_readonly (const DeviceDisk *disk)
{
  return disk->readonly || disk->device_type == DISK_DEVICE_CDROM;
}

DiskImage
disk_image (const DeviceDisk *disk)
{
  return (DiskImage){ .type = disk->type,
                      .format = disk->format,
                      .path = disk_path (disk),
                      .fdgroup = disk->fdgroup,
                      .source = &disk->source,
                      .auth = disk_auth (disk),
                      .encryption = disk_encryption (disk),
                      .metadata_cache = disk->metadata_cache };
}

DeviceDisk *
domain_def_find_disk (const DomainDef *def, const char *name)
{
  DOMAIN_FOREACH_DEVICE (def, disk_kind, DeviceDisk, disk) {
    if (g_strcmp0 (disk->target, name) == 0 || g_strcmp0 (disk_path (disk), name) == 0)
      return disk;
  }
  return NULL;
}

gboolean
disk_has_image (const DeviceDisk *disk, guint64 index)
{
  if (!disk->source_index.set || index == 0)
    return FALSE;
  for (const DiskBacking *backing = disk->backing; backing != NULL; backing = backing->backing)
    if (backing->index.value == index)
      return TRUE;
  return disk->source_index.value == index;
}

/* What a target's name begins with, and the bus libvirt takes from it. */
static const struct {
  const char *prefix;
  DiskBus bus;
} target_prefixes[] = {
  { "fd", DISK_BUS_FDC },    { "hd", DISK_BUS_IDE },  { "sd", DISK_BUS_SCSI },
  { "vd", DISK_BUS_VIRTIO }, { "xvd", DISK_BUS_XEN }, { "ubd", DISK_BUS_UML },
};

#define TARGET_INDEX_MAX 0xffffff /* far more drives than any bus has */

int
disk_target_index (const char *target)
{
  const char *name = NULL;
  guint64 index = 0;

  for (guint i = 0; target != NULL && name == NULL && i < G_N_ELEMENTS (target_prefixes); i++) {
    if (g_str_has_prefix (target, target_prefixes[i].prefix))
      name = target + strlen (target_prefixes[i].prefix);
  }
  if (name == NULL || !g_ascii_islower (*name))
    return -1;

  for (; g_ascii_islower (*name); name++) {
    index = index * 26 + (*name - 'a') + 1;
    if (index > TARGET_INDEX_MAX)
      return -1;
  }
  while (g_ascii_isdigit (*name))
    name++;
  return *name == '\0' ? (int)index - 1 : -1;
}

static DiskBus
bus_from_target (const DeviceDisk *disk)
{
  for (guint i = 0; disk->target != NULL && i < G_N_ELEMENTS (target_prefixes); i++) {
    if (g_str_has_prefix (disk->target, target_prefixes[i].prefix))
      return target_prefixes[i].bus;
  }
  return disk->device_type == DISK_DEVICE_FLOPPY ? DISK_BUS_FDC : DISK_BUS_IDE;
}

static void
disk_complete_bus (DeviceDisk *disk)
{
  if (disk->bus == DISK_BUS_NONE)
    disk->bus = bus_from_target (disk);
}

/* Said, but saying nothing: libvirt takes it as not said. */
static void
drop_empty (char **text)
{
  if (*text != NULL && **text == '\0')
    g_clear_pointer (text, g_free);
}

/* libvirt keeps a geometry that is whole, and sizes that are some. */
static void
drop_sizes_of_nothing (DeviceDisk *disk)
{
  Number *const sizes[] = { &disk->logical_block_size, &disk->physical_block_size,
                            &disk->discard_granularity };

  if (disk->cylinders.value == 0 || disk->heads.value == 0 || disk->sectors.value == 0) {
    disk->cylinders = disk->heads = disk->sectors = (Number){ 0 };
    disk->translation = TRANSLATION_UNSET;
  }
  for (guint i = 0; i < G_N_ELEMENTS (sizes); i++)
    if (sizes[i]->value == 0)
      sizes[i]->set = FALSE;
}

static void
disk_complete (Completion *completion, Device *device)
{
  DeviceDisk *disk = (DeviceDisk *)device;

  if (disk->type == DISK_TYPE_NONE)
    disk->type = DISK_TYPE_FILE;
  if (disk->device_type == DISK_DEVICE_NONE)
    disk->device_type = DISK_DEVICE_DISK;
  disk_complete_bus (disk);
  if (disk->device_type == DISK_DEVICE_CDROM)
    disk->readonly = TRUE;
  if (disk->cache == DISK_CACHE_DEFAULT)
    disk->cache = DISK_CACHE_NONE;
  if (disk->tray == TRAY_CLOSED)
    disk->tray = TRAY_NONE;
  if (disk->metadata_cache.value == 0)
    disk->metadata_cache.set = FALSE;
  if (disk->transient_share_backing == TRISTATE_NO)
    disk->transient_share_backing = TRISTATE_ABSENT;
  if (!completion->live && disk->mirror != NULL) {
    field_free (&disk_mirror_table, disk->mirror);
    disk->mirror = NULL;
  }
  if (disk->type == DISK_TYPE_VHOST_USER && disk->snapshot == DISK_SNAPSHOT_NONE)
    disk->snapshot = DISK_SNAPSHOT_NO;
  if (disk->rotation_rate.value == 0)
    disk->rotation_rate.set = FALSE;
  if (disk->queues.value == 0)
    disk->queues.set = FALSE;
  if (disk->queue_size.value == 0)
    disk->queue_size.set = FALSE;

  if (disk->driver == NULL
      && (completion->def->type == VIRT_TYPE_QEMU || completion->def->type == VIRT_TYPE_KVM))
    disk->driver = g_strdup ("qemu");
  if (g_strcmp0 (disk->format, "aio") == 0)
    g_clear_pointer (&disk->format, g_free);
  if (disk->format == NULL && disk->type != DISK_TYPE_VOLUME)
    disk->format = g_strdup ("raw");

  drop_empty (&disk->file);
  drop_empty (&disk->dev);
  drop_empty (&disk->serial);
  drop_empty (&disk->vendor);
  drop_empty (&disk->product);
  disk_source_complete (completion, disk->type, &disk->source);
  if (disk->type == DISK_TYPE_NVME && disk->source.managed == TRISTATE_ABSENT)
    disk->source.managed = TRISTATE_YES;
  disk_auth_complete (disk->auth);
  disk_encryption_complete (disk->encryption);
  disk_backing_complete (completion, disk);
  drop_sizes_of_nothing (disk);
  disk_iotune_complete (disk);
}

static DevicePlace
disk_place (const DomainDef *def G_GNUC_UNUSED, const Device *device)
{
  switch (((const DeviceDisk *)device)->bus) {
    case DISK_BUS_VIRTIO:
      return PLACE_PCI;
    case DISK_BUS_IDE:
    case DISK_BUS_FDC:
    case DISK_BUS_SCSI:
    case DISK_BUS_SATA:
      return PLACE_DRIVE;
    case DISK_BUS_USB:
      return PLACE_USB;
    default:
      return PLACE_NONE;
  }
}

static guint
disk_pci_connect (const DomainDef *def, const Device *device)
{
  const DeviceDisk *disk = (const DeviceDisk *)device;

  return disk->bus == DISK_BUS_VIRTIO ? pci_connect_virtio (def, disk->model) : 0;
}

/* Does a SCSI drive sit on a controller whose buses count, as those of LSI Logic's chips do? */
static gboolean
has_scsi_bus (const DomainDef *def, const DeviceDisk *disk)
{
  guint64 index = disk->device.address.controller.value;
  g_autoptr (GHashTable) own = def->controllers == NULL ? controller_table_new (def) : NULL;
  const DeviceController *controller =
      controller_table_find (own != NULL ? own : def->controllers, CONTROLLER_SCSI, index);

  return controller != NULL && controller->model == SCSI_LSILOGIC;
}

static char *
disk_alias (const DomainDef *def, const Device *device, guint index G_GNUC_UNUSED)
{
  const DeviceDisk *disk = (const DeviceDisk *)device;
  const DeviceAddress *address = &device->address;
  const char *bus = enum_table_name (&disk_buses, disk->bus);

  if (address->type != ADDRESS_DRIVE)
    return g_strdup_printf ("%s-disk%d", bus, disk_target_index (disk->target));
  if (disk->bus == DISK_BUS_SCSI && !has_scsi_bus (def, disk))
    return g_strdup_printf ("%s%u-%u-%u-%u", bus, (guint)address->controller.value, (guint)address->bus.value,
                            (guint)address->target.value, (guint)address->unit.value);
  return g_strdup_printf ("%s%u-%u-%u", bus, (guint)address->controller.value, (guint)address->bus.value,
                          (guint)address->unit.value);
}

/* libvirt keeps the drives of one bus in the order of their names, by the bus as the document says it. */
static guint
disk_position (const DomainDef *def, const Device *device)
{
  const DeviceDisk *disk = (const DeviceDisk *)device;
  int index = disk_target_index (disk->target);
  guint end = 0, after_bus = G_MAXUINT;

  DOMAIN_FOREACH_DEVICE (def, disk_kind, DeviceDisk, other) {
    end = other_index + 1;
    if (other->bus != disk->bus)
      continue;
    if (disk_target_index (other->target) > index)
      return other_index;
    after_bus = other_index + 1;
  }
  return after_bus != G_MAXUINT ? after_bus : end;
}

static char *
disk_describe (const Device *device)
{
  const DeviceDisk *disk = (const DeviceDisk *)device;

  return g_strdup_printf ("disk '%s'", disk->target != NULL ? disk->target : "");
}

static int
disk_drive_controller (const Device *device)
{
  switch (((const DeviceDisk *)device)->bus) {
    case DISK_BUS_IDE:
      return CONTROLLER_IDE;
    case DISK_BUS_FDC:
      return CONTROLLER_FDC;
    case DISK_BUS_SCSI:
      return CONTROLLER_SCSI;
    case DISK_BUS_SATA:
      return CONTROLLER_SATA;
    default:
      return CONTROLLER_NONE;
  }
}

/* A drive's place goes by its bus. */
static void
disk_before_position (Device *device)
{
  disk_complete_bus ((DeviceDisk *)device);
}

static Device *
disk_match (const DomainDef *def, const Device *wanted, GError **error)
{
  const char *target = ((const DeviceDisk *)wanted)->target;

  DOMAIN_FOREACH_DEVICE (def, disk_kind, DeviceDisk, disk) {
    if (g_strcmp0 (disk->target, target) == 0)
      return &disk->device;
  }
  virt_error_set (error, VIR_ERR_DEVICE_MISSING, "disk %s not found",
                  target != NULL ? target : "without a target");
  return NULL;
}

/* In the words clients know, which are others for the definition and for the machine. */
static gboolean
disk_check_names (const Device *device, const Device *other_device, DeviceChange change, GError **error)
{
  const DeviceDisk *disk = (const DeviceDisk *)device, *other = (const DeviceDisk *)other_device;

  if (g_strcmp0 (disk->target, other->target) != 0)
    return TRUE;
  if (change == DEVICE_CHANGE_LIVE)
    virt_error_set (error, VIR_ERR_XML_ERROR, "target '%s' duplicated for disk sources '%s' and '%s'",
                    disk->target, disk_path (other) != NULL ? disk_path (other) : "(null)",
                    disk_path (disk) != NULL ? disk_path (disk) : "(null)");
  else
    virt_error_set (error, VIR_ERR_OPERATION_INVALID, "target %s already exists", disk->target);
  return FALSE;
}

/* What of a drive may change under the guest: its medium. */
static const char *const medium_fields[] = { "@type",   "driver/@type", "driver/@name",
                                             "source/", "backingStore", "target/@tray",
                                             NULL };

static void
take_text (char **text, const char *value)
{
  g_free (*text);
  *text = g_strdup (value);
}

/* The source of one copy for that of another, with all that belongs to it. */
static void
exchange_sources (DeviceDisk *disk, DeviceDisk *other)
{
  const DiskSource source = disk->source;

  disk->source = other->source;
  other->source = source;
}

/* Is the medium the same one? */
gboolean
disk_has_same_source (const DeviceDisk *disk, const DeviceDisk *given)
{
  if (g_strcmp0 (disk_path (disk), disk_path (given)) != 0)
    return FALSE;
  for (const Field *field = disk_fields; field->path != NULL; field++)
    if (field->offset >= G_STRUCT_OFFSET (DeviceDisk, source)
        && field->offset < G_STRUCT_OFFSET (DeviceDisk, source) + sizeof (DiskSource)
        && field->type != NULL) {
      const Field one[] = { *field, FIELD_END };
      const FieldTable table = { sizeof (DeviceDisk), one };
      g_autofree char *difference = field_compare (&table, disk, given, 0);

      if (difference != NULL)
        return FALSE;
    }
  return TRUE;
}

static Device *
disk_update (const Device *device, const Device *given_device, GError **error)
{
  const DeviceDisk *disk = (const DeviceDisk *)device, *given = (const DeviceDisk *)given_device;
  gboolean removable = disk->device_type == DISK_DEVICE_CDROM || disk->device_type == DISK_DEVICE_FLOPPY;
  gboolean same = disk_has_same_source (disk, given);
  DeviceDisk *updated, *copy;

  if (!device_check_difference (device, given_device, medium_fields, "disk", error))
    return NULL;
  if (!removable && !same) {
    virt_error_set (error, VIR_ERR_INTERNAL_ERROR, "disk type of '%s' does not support ejectable media",
                    disk->target);
    return NULL;
  }
  updated = (DeviceDisk *)device_copy (device);
  updated->startup_policy = given->startup_policy;
  if (!removable)
    return &updated->device;
  if (given->type != DISK_TYPE_NONE)
    updated->type = given->type;
  take_text (&updated->file, given->file);
  take_text (&updated->dev, given->dev);
  copy = (DeviceDisk *)device_copy (given_device);
  exchange_sources (updated, copy);
  device_free (&copy->device);
  disk_backing_free (updated->backing);
  updated->backing = disk_backing_copy (given->backing);
  if (given->format != NULL)
    take_text (&updated->format, given->format);
  if (!same)
    updated->tray = TRAY_NONE;
  return &updated->device;
}

static gboolean
disk_is_virtio (const Device *device)
{
  return ((const DeviceDisk *)device)->bus == DISK_BUS_VIRTIO;
}

const DeviceKind disk_kind = {
  .element = "disk",
  .table = { sizeof (DeviceDisk), disk_fields },
  .complete = disk_complete,
  .validate = disk_validate,
  .place = disk_place,
  .pci_connect = disk_pci_connect,
  .is_virtio = disk_is_virtio,
  .alias = disk_alias,
  .position = disk_position,
  .describe = disk_describe,
  .pci_order = PCI_ORDER_DISK,
  .drive_controller = disk_drive_controller,
  .before_position = disk_before_position,
  .match = disk_match,
  .check_names = disk_check_names,
  .update = disk_update,
  .attachable = TRUE,
  .updatable = TRUE,
};
