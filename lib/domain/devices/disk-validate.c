/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * What makes a <disk> impossible though each of its words is right: libvirt refuses the same, in the same
 * words where a client could match them. One function a concern; each points at the attribute to change.
 */

#include "domain/devices/disk-private.h"

#include <string.h>

#define VENDOR_MAX      8 /* characters: SCSI INQUIRY's fields */
#define PRODUCT_MAX     16
#define ATA_PRODUCT_MAX 40
#define WWN_DIGITS      16
#define ROTATION_MAX    0xffff

const FieldRange disk_rotation_rates = { 0, ROTATION_MAX };

#define REFUSE(member, ...) validation_error (validation, &disk->member, disk, __VA_ARGS__)
#define REFUSE_XML(member, ...) \
  validation_error_code (validation, VIR_ERR_XML_ERROR, &disk->member, disk, __VA_ARGS__)

static gboolean
is_empty_drive_allowed (const DeviceDisk *disk)
{
  return disk->device_type == DISK_DEVICE_CDROM || disk->device_type == DISK_DEVICE_FLOPPY;
}

static void
validate_target (Validation *validation, const DeviceDisk *disk)
{
  const char *target = disk->target;
  gboolean is_floppy = disk->device_type == DISK_DEVICE_FLOPPY;

  if (target == NULL) {
    validation_error_code (validation, VIR_ERR_NO_TARGET, &disk->target, disk,
                           "%s: the disk needs <target dev=…/>",
                           disk_path (disk) != NULL ? disk_path (disk) : "(no source)");
    return;
  }
  if (is_floppy != g_str_has_prefix (target, "fd")) {
    validation_error_code (validation, VIR_ERR_INTERNAL_ERROR, &disk->target, disk,
                           "Invalid %s device name: %s; %s", is_floppy ? "floppy" : "harddisk", target,
                           is_floppy ? "a floppy's begins with 'fd'" : "'fd…' is for floppies");
    return;
  }
  if (disk_target_index (target) < 0) {
    if (source_map_find (validation->map, &disk->device.address, NULL).line == 0)
      REFUSE_XML (
          target,
          "Unknown disk name '%s' and no address specified; expected one such as 'vda', 'sda' or 'hda'",
          target);
  } else if (g_ascii_isdigit (target[strlen (target) - 1])) {
    REFUSE (target, "invalid disk target '%s', partitions can't appear in disk targets", target);
  }
}

static void
validate_bus (Validation *validation, const DeviceDisk *disk)
{
  const char *bus = enum_table_name (&disk_buses, disk->bus);
  gboolean is_floppy = disk->device_type == DISK_DEVICE_FLOPPY;

  if (disk->target != NULL && is_floppy != (disk->bus == DISK_BUS_FDC))
    validation_error_code (validation, VIR_ERR_INTERNAL_ERROR, &disk->bus, disk,
                           "Invalid bus type '%s' for %s", bus,
                           is_floppy ? "floppy disk; expected 'fdc'" : "disk; 'fdc' is for floppies");
  if (disk->device_type == DISK_DEVICE_CDROM && disk->bus == DISK_BUS_VIRTIO)
    REFUSE (bus, "disk type of '%s' does not support ejectable media; use bus 'sata', 'scsi' or 'usb'",
            disk->target);
  if (disk->model != VIRTIO_MODEL_NONE && disk->bus != DISK_BUS_VIRTIO)
    REFUSE (model, "disk model '%s' not supported for bus '%s'",
            enum_table_name (&virtio_models, disk->model), bus);
  if (disk->removable != TRISTATE_ABSENT && disk->bus != DISK_BUS_USB && disk->bus != DISK_BUS_SCSI)
    REFUSE_XML (removable, "removable is only valid for usb or scsi disks, '%s' is on bus '%s'", disk->target,
                bus);
  if (disk->tray != TRAY_NONE && !is_empty_drive_allowed (disk))
    REFUSE (tray, "tray is only valid for cdrom and floppy");
  if (disk->rotation_rate.set && disk->device_type != DISK_DEVICE_DISK)
    validation_error_code (validation, VIR_ERR_INTERNAL_ERROR, &disk->rotation_rate, disk,
                           "rotation rate is only valid for disk device");
  else if (disk->rotation_rate.set && disk->bus != DISK_BUS_SCSI && disk->bus != DISK_BUS_IDE
           && disk->bus != DISK_BUS_SATA)
    REFUSE (rotation_rate, "rotation rate is only valid for SCSI/IDE/SATA bus, '%s' is on bus '%s'",
            disk->target, bus);
}

static void
validate_sizes (Validation *validation, const DeviceDisk *disk)
{
  if (disk->translation != TRANSLATION_UNSET && disk->bus != DISK_BUS_IDE)
    REFUSE (translation, "CHS translation mode can only be set for 'ide' bus not '%s'",
            enum_table_name (&disk_buses, disk->bus));
}

static void
validate_address (Validation *validation, const DeviceDisk *disk)
{
  const DeviceAddress *address = &disk->device.address;
  const char *bus = enum_table_name (&disk_buses, disk->bus);
  gboolean fits = TRUE;

  switch (disk->bus) {
    case DISK_BUS_IDE:
    case DISK_BUS_SCSI:
    case DISK_BUS_SATA:
    case DISK_BUS_FDC:
      fits = address->type == ADDRESS_DRIVE;
      break;
    case DISK_BUS_USB:
      fits = address->type == ADDRESS_USB;
      break;
    case DISK_BUS_VIRTIO:
      fits = address->type == ADDRESS_PCI || address->type == ADDRESS_CCW
             || address->type == ADDRESS_VIRTIO_MMIO || address->type == ADDRESS_VIRTIO_S390;
      break;
    default:
      break;
  }
  if (!fits && address->type != ADDRESS_NONE && address->type != ADDRESS_UNASSIGNED) {
    g_autofree char *text = device_address_to_text (address);

    REFUSE (device.address, "Invalid address type for the disk '%s' with the bus type '%s': %s", disk->target,
            bus, text);
  }
  if (disk->bus == DISK_BUS_IDE && address->type == ADDRESS_DRIVE && address->target.value != 0)
    REFUSE (device.address, "target must be 0 for ide controller, not %u", (guint)address->target.value);
}

/* The formats that libvirt has a name for and QEMU none. */
static void
validate_format (Validation *validation, const DeviceDisk *disk, const DiskImage *image)
{
  const char *format = image->format != NULL ? image->format : "raw";
  gconstpointer member = &disk->format;

  if (image->type == DISK_TYPE_DIR && strcmp (format, "fat") != 0)
    validation_error (validation, member, disk,
                      "storage type 'dir' requires use of storage format 'fat', not '%s'", format);
  else if (image->type != DISK_TYPE_DIR && strcmp (format, "fat") == 0)
    validation_error (validation, member, disk,
                      "storage format 'fat' is supported only with 'dir' storage type");
  else if (strcmp (format, "iso") == 0)
    validation_error (validation, member, disk,
                      "storage format 'iso' is not directly supported by QEMU, use 'raw' instead");
  else if (strcmp (format, "dir") == 0)
    validation_error (validation, member, disk,
                      "'directory' storage format is not directly supported by QEMU, use 'dir' disk type "
                      "instead");
  else if (strcmp (format, "cow") == 0)
    validation_error (validation, member, disk, "'cow' storage format is not supported");
  if (image->metadata_cache.set && strcmp (format, "qcow2") != 0)
    validation_error (validation, &disk->metadata_cache, disk,
                      "metadata cache max size control is supported only with qcow2 images");
}

void
disk_image_validate (Validation *validation, const DeviceDisk *disk, DiskImage image)
{
  validate_format (validation, disk, &image);
  disk_source_validate (validation, disk, image.type, image.format, image.source);
}

static void
validate_keys (Validation *validation, const DeviceDisk *disk)
{
  if (disk->auth != NULL && disk->source.auth != NULL)
    REFUSE (auth, "an <auth> definition already found for disk source");
  else
    disk_auth_validate (validation, disk, &disk->source, disk->auth);
  if (disk->encryption != NULL && disk->source.encryption != NULL)
    REFUSE (encryption, "an <encryption> definition already found for disk source");
  else
    disk_encryption_validate (validation, disk, disk->type, disk->format, &disk->source, disk->encryption);
}

static void
validate_transient (Validation *validation, const DeviceDisk *disk)
{
  if (!disk->transient)
    return;
  if (disk_is_readonly (disk))
    REFUSE (transient, "transient disk '%s' must not be read-only", disk->target);
  else if (disk->type != DISK_TYPE_FILE && disk->type != DISK_TYPE_VOLUME
           && disk->type != DISK_TYPE_VHOST_USER)
    REFUSE (transient, "transient disk supported only with 'file' type (%s)", disk->target);
  else if (disk->transient_share_backing == TRISTATE_YES && disk->bus != DISK_BUS_VIRTIO
           && disk->bus != DISK_BUS_SCSI && disk->bus != DISK_BUS_USB)
    REFUSE (transient_share_backing, "disk bus '%s' doesn't support transiend disk backing image sharing",
            enum_table_name (&disk_buses, disk->bus));
}

static void
validate_source (Validation *validation, const DeviceDisk *disk)
{
  if (!disk_has_source (disk) && !is_empty_drive_allowed (disk))
    validation_error_code (validation, VIR_ERR_NO_SOURCE, disk, disk,
                           "%s: the disk needs a <source>; only cdrom and floppy drives may be empty",
                           disk->target != NULL ? disk->target : "(no target)");
  if (disk->startup_policy != STARTUP_NONE && disk->type == DISK_TYPE_NETWORK)
    REFUSE_XML (startup_policy, "disk startupPolicy '%s' is not allowed for disk of 'network' type",
                enum_table_name (&startup_policies, disk->startup_policy));
  if (disk->startup_policy == STARTUP_REQUISITE && !is_empty_drive_allowed (disk))
    REFUSE_XML (startup_policy, "disk startupPolicy 'requisite' is allowed only for cdrom or floppy");
  if (disk->type == DISK_TYPE_DIR && !disk_is_readonly (disk) && g_strcmp0 (disk->format, "fat") == 0)
    REFUSE (readonly, "virtual FAT storage can't be accessed in read-write mode");
  /* Every other format keeps in its image what only one machine may change. */
  if (disk->shareable && !disk->readonly && disk_has_source (disk) && disk->format != NULL
      && !g_str_equal (disk->format, "raw"))
    REFUSE (shareable,
            "shared access for disk '%s' requires use of supported storage format: 'raw', not '%s'",
            disk->target, disk->format);
  if (disk->device_type != DISK_DEVICE_LUN)
    return;
  if (disk->type == DISK_TYPE_NETWORK && disk->source.protocol != DISK_PROTOCOL_ISCSI)
    REFUSE (source.protocol, "disk device='lun' is not supported for protocol='%s'; expected 'iscsi'",
            enum_table_name (&disk_protocols, disk->source.protocol));
  else if (disk->type != DISK_TYPE_BLOCK && disk->type != DISK_TYPE_NETWORK && disk->type != DISK_TYPE_VOLUME)
    REFUSE (type, "disk device='lun' is only valid for block type disk source");
  if (disk_encryption (disk) != NULL)
    REFUSE (encryption, "disk device 'lun' doesn't support encryption");
  if (disk->bus != DISK_BUS_SCSI && disk->bus != DISK_BUS_VIRTIO)
    REFUSE (bus, "disk device='lun' is not supported for bus='%s'; expected 'scsi' or 'virtio'",
            enum_table_name (&disk_buses, disk->bus));
  if (disk->format != NULL && !g_str_equal (disk->format, "raw"))
    REFUSE (format, "disk device 'lun' using target '%s' must use 'raw' format, not '%s'", disk->target,
            disk->format);
}

static void
validate_lun_only (Validation *validation, const DeviceDisk *disk)
{
  if (disk->device_type == DISK_DEVICE_LUN) {
    if (disk->vendor != NULL || disk->product != NULL)
      REFUSE (vendor, "disk vendor and product are not supported for device='lun'");
    if (disk->wwn != NULL)
      REFUSE (wwn, "Setting wwn is not supported for lun device");
    if (disk->serial != NULL && disk->bus == DISK_BUS_SCSI)
      REFUSE (serial, "scsi-block 'lun' devices do not support the serial property");
    if (disk->sgio == DISK_SGIO_UNFILTERED)
      REFUSE (sgio, "unfiltered sgio is no longer supported");
    return;
  }
  if (disk->source.reservations != NULL)
    REFUSE (source.reservations, "<reservations/> allowed only for lun devices");
  if (disk->rawio != TRISTATE_ABSENT)
    REFUSE (rawio, "rawio can be used only with device='lun'");
  if (disk->sgio != 0)
    REFUSE (sgio, "sgio can be used only with device='lun'");
}

/* "luks" is a format to libvirt, and none that a disk can say: it is an <encryption>. */
static const char *const formats[] = { "raw", "dir",   "bochs", "cloop", "dmg",   "iso", "vpc",  "vdi", "fat",
                                       "vhd", "ploop", "cow",   "qcow",  "qcow2", "qed", "vmdk", NULL };

gboolean
disk_knows_format (const char *format)
{
  return g_strv_contains (formats, format);
}

static void
validate_driver (Validation *validation, const DeviceDisk *disk)
{
  if (!g_str_equal (disk->driver, "qemu"))
    validation_host_error (validation, &disk->driver, disk,
                           "unsupported driver name '%s' for disk '%s'; expected 'qemu'", disk->driver,
                           disk->target);
  if (disk->format != NULL && !disk_knows_format (disk->format)) {
    const char *nearest = nearest_word (disk->format, formats);

    REFUSE (format, "unknown driver format value '%s'%s%s%s", disk->format, nearest ? "; did you mean '" : "",
            nearest ? nearest : "; expected one such as 'raw' or 'qcow2'", nearest ? "'?" : "");
  }
  if (disk->io == DISK_IO_NATIVE && disk->cache != DISK_CACHE_DISABLE && disk->cache != DISK_CACHE_DIRECTSYNC)
    REFUSE (io, "io='native' needs either no disk cache or directsync cache mode: say cache='none' or "
                "cache='directsync'");
  if (disk->rerror_policy == DISK_ERROR_ENOSPACE)
    REFUSE (rerror_policy,
            "Invalid disk read error policy: 'enospace'; expected 'stop', 'report' or 'ignore'");
  if (disk->copy_on_read == TRISTATE_YES && disk->device_type == DISK_DEVICE_LUN)
    REFUSE (copy_on_read, "copy_on_read is not compatible with 'lun' disk '%s'", disk->target);
  else if (disk->copy_on_read == TRISTATE_YES && disk->readonly)
    REFUSE (copy_on_read, "copy_on_read is not compatible with read-only disk '%s'", disk->target);
  if (disk->discard_no_unref == TRISTATE_YES && g_strcmp0 (disk->format, "qcow2") != 0)
    REFUSE (discard_no_unref, "'discard_no_unref' only works with qcow2 disk format");
  else if (disk->discard_no_unref == TRISTATE_YES && disk->readonly)
    REFUSE (discard_no_unref, "'discard_no_unref' is not compatible with read-only disk");
}

static void
validate_virtio (Validation *validation, const DeviceDisk *disk)
{
  virtio_options_validate (validation, &disk->device, &disk->virtio, disk->bus == DISK_BUS_VIRTIO);
  if (disk->bus == DISK_BUS_VIRTIO)
    return;
  if (disk->ioeventfd != TRISTATE_ABSENT)
    REFUSE (ioeventfd, "disk ioeventfd mode supported only for virtio bus");
  if (disk->event_idx != TRISTATE_ABSENT)
    REFUSE (event_idx, "disk event_idx mode supported only for virtio bus");
  if (disk->queues.set)
    REFUSE (queues, "queues attribute in disk driver element is only supported by virtio-blk");
  if (disk->queue_size.set)
    REFUSE (queue_size, "queue_size attribute in disk driver element is only supported by virtio-blk");
}

static gboolean
is_serial_character (char c)
{
  return g_ascii_isalnum (c) || strchr ("_-.+ ", c) != NULL;
}

static gboolean
is_wwn (const char *wwn)
{
  if (g_str_has_prefix (wwn, "0x"))
    wwn += strlen ("0x");
  return strlen (wwn) == WWN_DIGITS && strspn (wwn, "0123456789abcdefABCDEF") == WWN_DIGITS;
}

/* The model that an ATA disk tells is longer than a SCSI disk's. */
static void
validate_product (Validation *validation, const DeviceDisk *disk)
{
  gboolean is_ata = disk->bus == DISK_BUS_IDE || disk->bus == DISK_BUS_SATA;
  guint most = is_ata ? ATA_PRODUCT_MAX : PRODUCT_MAX;

  if (!is_ata && disk->bus != DISK_BUS_SCSI)
    REFUSE (product, "Only ide, sata and scsi disk supports 'product'");
  else if (strlen (disk->product) > most)
    REFUSE (product, "disk product is more than %u characters", most);
}

static void
validate_identity (Validation *validation, const DeviceDisk *disk)
{
  for (const char *c = disk->serial; c != NULL && *c != '\0'; c++) {
    if (is_serial_character (*c))
      continue;
    validation_error_code (
        validation, VIR_ERR_INTERNAL_ERROR, &disk->serial, disk,
        "driver serial '%s' contains unsafe characters; letters, digits, '_-.+' and space are allowed",
        disk->serial);
    break;
  }
  if (disk->wwn != NULL && !is_wwn (disk->wwn))
    validation_error_code (validation, VIR_ERR_INTERNAL_ERROR, &disk->wwn, disk,
                           "Malformed wwn: %s; expected %d hexadecimal digits", disk->wwn, WWN_DIGITS);
  else if (disk->wwn != NULL && disk->bus != DISK_BUS_IDE && disk->bus != DISK_BUS_SCSI)
    REFUSE (wwn, "Only ide and scsi disk support wwn");
  if (disk->vendor != NULL && strlen (disk->vendor) > VENDOR_MAX)
    REFUSE (vendor, "disk vendor is more than %d characters", VENDOR_MAX);
  if (disk->vendor != NULL && disk->bus != DISK_BUS_SCSI)
    REFUSE (vendor, "Only scsi disk supports 'vendor'");
  if (disk->product != NULL)
    validate_product (validation, disk);
}

void
disk_validate (Validation *validation, const Device *device)
{
  const DeviceDisk *disk = (const DeviceDisk *)device;

  validate_target (validation, disk);
  validate_bus (validation, disk);
  validate_sizes (validation, disk);
  validate_address (validation, disk);
  validate_source (validation, disk);
  validate_lun_only (validation, disk);
  validate_driver (validation, disk);
  validate_keys (validation, disk);
  validate_transient (validation, disk);
  disk_image_validate (validation, disk, disk_image (disk));
  disk_driver_validate (validation, disk);
  validate_virtio (validation, disk);
  validate_identity (validation, disk);
  disk_backing_validate (validation, disk);
  disk_iotune_validate (validation, disk);
  disk_throttle_validate (validation, disk);
}
