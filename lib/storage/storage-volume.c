/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * <volume>: read when a client asks for one, written for those that are there. Most of what is written is
 * what a scan found; most of what is read of it again (key, path, timestamps) has no bearing on a new one,
 * as virt-manager and virsh hand whole documents back with only the name changed.
 */
#include "storage/storage-volume.h"

static const EnumTable volume_types = { "storage volume type",
                                        { NULL, "file", "block", "dir", "network", "netdir" } };

/* Formats of images, then those of devices: file systems, exports, partition tables and partitions. */
const EnumTable storage_formats = {
  "volume format",
  { NULL,      "raw",   "dir",   "qcow2",      "unknown",   "bochs",      "cloop",   "dmg",   "iso",
    "vpc",     "vdi",   "fat",   "vhd",        "ploop",     "luks",       "cow",     "qcow",  "qed",
    "vmdk",    "none",  "auto",  "vhdx",       "parallels", "ext2",       "ext3",    "ext4",  "ufs",
    "iso9660", "udf",   "gfs",   "gfs2",       "vfat",      "hfs+",       "xfs",     "ocfs2", "vmfs",
    "linux",   "fat16", "fat32", "linux-swap", "linux-lvm", "linux-raid", "extended" }
};

static const EnumTable encryption_formats = { "encryption format",
                                              { NULL, "default", "qcow", "luks", "luks2", "luks-any" } };
static const EnumTable encryption_engines = { "engine", { NULL, "qemu", "librbd" } };
static const EnumTable secret_types = { "type of secret", { NULL, "passphrase" } };

static const Field secret_fields[] = {
  FIELD_WITH (StorageSecret, type, "@type", field_enum, &secret_types, FIELD_REQUIRED),
  FIELD (StorageSecret, uuid, "@uuid", field_uuid, NULL),
  FIELD (StorageSecret, usage, "@usage", field_text, NULL),
  FIELD_END,
};

static const FieldTable secret_table = { sizeof (StorageSecret), secret_fields };

static const Field encryption_fields[] = {
  FIELD_WITH (StorageEncryption, format, "@format", field_enum, &encryption_formats, FIELD_REQUIRED),
  FIELD (StorageEncryption, engine, "@engine", field_enum, &encryption_engines),
  FIELD (StorageEncryption, secrets, "secret", field_list, &secret_table),
  FIELD (StorageEncryption, cipher_name, "cipher/@name", field_text, NULL),
  FIELD (StorageEncryption, cipher_size, "cipher/@size", field_number, NULL),
  FIELD (StorageEncryption, cipher_mode, "cipher/@mode", field_text, NULL),
  FIELD (StorageEncryption, cipher_hash, "cipher/@hash", field_text, NULL),
  FIELD (StorageEncryption, ivgen_name, "ivgen/@name", field_text, NULL),
  FIELD (StorageEncryption, ivgen_hash, "ivgen/@hash", field_text, NULL),
  FIELD_END,
};

static const FieldTable encryption_table = { sizeof (StorageEncryption), encryption_fields };

static const Field volume_device_fields[] = {
  FIELD_WITH (StorageVolumeDevice, path, "@path", field_text, NULL, FIELD_REQUIRED),
  FIELD (StorageVolumeDevice, extents, "extent", field_list, &storage_extent_table),
  FIELD_END,
};

static const FieldTable volume_device_table = { sizeof (StorageVolumeDevice), volume_device_fields };

static const Field backing_fields[] = {
  FIELD_WITH (StorageBacking, path, "path", field_text, NULL, FIELD_REQUIRED),
  FIELD (StorageBacking, format, "format/@type", field_enum, &storage_formats),
  FIELD (StorageBacking, permissions, "permissions", field_struct, &storage_permissions_table),
  FIELD (StorageBacking, atime, "timestamps/atime", field_text, NULL),
  FIELD (StorageBacking, mtime, "timestamps/mtime", field_text, NULL),
  FIELD (StorageBacking, ctime, "timestamps/ctime", field_text, NULL),
  FIELD (StorageBacking, btime, "timestamps/btime", field_text, NULL),
  FIELD_END,
};

static const FieldTable backing_table = { sizeof (StorageBacking), backing_fields };

static const Field volume_fields[] = {
  FIELD (StorageVolumeDef, type, "@type", field_enum, &volume_types),
  FIELD (StorageVolumeDef, name, "name", field_text, NULL),
  FIELD (StorageVolumeDef, key, "key", field_text, NULL),
  FIELD (StorageVolumeDef, devices, "source/device", field_list, &volume_device_table),
  FIELD (StorageVolumeDef, capacity, "capacity", field_bytes, NULL),
  FIELD (StorageVolumeDef, allocation, "allocation", field_bytes, NULL),
  FIELD (StorageVolumeDef, physical, "physical", field_bytes, NULL),
  FIELD (StorageVolumeDef, path, "target/path", field_text, NULL),
  FIELD (StorageVolumeDef, format, "target/format/@type", field_enum, &storage_formats),
  FIELD (StorageVolumeDef, permissions, "target/permissions", field_struct, &storage_permissions_table),
  FIELD (StorageVolumeDef, atime, "target/timestamps/atime", field_text, NULL),
  FIELD (StorageVolumeDef, mtime, "target/timestamps/mtime", field_text, NULL),
  FIELD (StorageVolumeDef, ctime, "target/timestamps/ctime", field_text, NULL),
  FIELD (StorageVolumeDef, btime, "target/timestamps/btime", field_text, NULL),
  FIELD (StorageVolumeDef, encryption, "target/encryption", field_optional, &encryption_table),
  FIELD (StorageVolumeDef, compat, "target/compat", field_text, NULL),
  FIELD (StorageVolumeDef, nocow, "target/nocow", field_flag, NULL),
  FIELD (StorageVolumeDef, cluster_size, "target/clusterSize", field_bytes, NULL),
  FIELD (StorageVolumeDef, has_features, "target/features", field_flag, NULL),
  FIELD (StorageVolumeDef, lazy_refcounts, "target/features/lazy_refcounts", field_flag, NULL),
  FIELD (StorageVolumeDef, extended_l2, "target/features/extended_l2", field_flag, NULL),
  FIELD (StorageVolumeDef, backing, "backingStore", field_optional, &backing_table),
  FIELD_END,
};

static const FieldTable volume_table = { sizeof (StorageVolumeDef), volume_fields };

/* What libvirt reads by hand, where it says so by these numbers. */
static const ValueError value_errors[] = {
  { "format", "type", VIR_ERR_CONFIG_UNSUPPORTED, VIR_FROM_STORAGE },
  { NULL, NULL, VIR_ERR_OK, VIR_FROM_NONE },
};

#define VOLUME_FROM_ANOTHER DOCUMENT_OWN_FLAGS        /* its capacity is that of what it is made from */
#define VOLUME_TO_MAKE      (DOCUMENT_OWN_FLAGS << 1) /* it is to be one that can be made */

StorageBacking *
storage_backing_new (void)
{
  return field_new (&backing_table);
}

static void mistake (const FieldReader *reader, const StorageVolumeDef *def, gconstpointer member,
                     virErrorNumber code, const char *format, ...) G_GNUC_PRINTF (5, 6);

static void
mistake (const FieldReader *reader, const StorageVolumeDef *def, gconstpointer member, virErrorNumber code,
         const char *format, ...)
{
  g_autofree char *text = NULL;
  va_list arguments;

  va_start (arguments, format);
  text = g_strdup_vprintf (format, arguments);
  va_end (arguments);
  diagnostics_error (reader->diagnostics, source_map_find (reader->map, member, def), code, "%s", text);
}

static void
validate_identity (const StorageVolumeDef *def, const FieldReader *reader, gboolean from)
{
  const char *reason = def->name != NULL ? storage_name_mistake (def->name) : NULL;

  if (def->name == NULL)
    mistake (reader, def, &def->name, VIR_ERR_XML_ERROR, "missing volume name element");
  else if (reason != NULL)
    mistake (reader, def, &def->name, VIR_ERR_OPERATION_INVALID, "volume name '%s' %s", def->name, reason);
  if (!def->capacity.set && !from && def->backing == NULL && def->format != STORAGE_FORMAT_DIR)
    mistake (reader, def, &def->capacity, VIR_ERR_XML_ERROR, "missing capacity element");
}

static void
validate_format (const StorageVolumeDef *def, const FieldReader *reader)
{
  gboolean qcow2 = def->format == STORAGE_FORMAT_QCOW2;

  if (def->format > STORAGE_FORMAT_QCOW2)
    mistake (reader, def, &def->format, VIR_ERR_CONFIG_UNSUPPORTED,
             "volumes of format '%s' cannot be made; 'raw', 'qcow2' and 'dir' can",
             enum_table_name (&storage_formats, def->format));
  if (def->encryption != NULL)
    mistake (reader, def, &def->encryption, VIR_ERR_CONFIG_UNSUPPORTED,
             "storage pool does not support "
             "encrypted volumes");
  if (def->backing != NULL && !qcow2)
    mistake (reader, def, &def->backing, VIR_ERR_INTERNAL_ERROR,
             "backing storage not supported for %s volumes; it is for 'qcow2'",
             def->format == STORAGE_FORMAT_NONE ? "raw" : enum_table_name (&storage_formats, def->format));
  if (def->backing != NULL && def->backing->path != NULL && def->backing->path[0] != '/')
    mistake (reader, def, &def->backing->path, VIR_ERR_XML_ERROR,
             "the path '%s' of the backing store is not absolute", def->backing->path);
  if (def->compat != NULL && !g_str_equal (def->compat, "0.10") && !g_str_equal (def->compat, "1.1"))
    mistake (reader, def, &def->compat, VIR_ERR_XML_ERROR,
             "forbidden characters in 'compat' attribute: "
             "'%s' is neither '0.10' nor '1.1'",
             def->compat);
  if ((def->lazy_refcounts || def->extended_l2) && g_strcmp0 (def->compat, "0.10") == 0)
    mistake (reader, def, &def->compat, VIR_ERR_CONFIG_UNSUPPORTED,
             "lazy_refcounts and extended_l2 are not supported with compat level 0.10");
}

static void
validate (gconstpointer def, const FieldReader *reader, guint flags)
{
  validate_identity (def, reader, (flags & VOLUME_FROM_ANOTHER) != 0);
  if ((flags & VOLUME_TO_MAKE) != 0)
    validate_format (def, reader);
}

static void
complete (gpointer data)
{
  StorageVolumeDef *def = data;

  if (def->format == STORAGE_FORMAT_NONE)
    def->format = STORAGE_FORMAT_RAW;
  def->has_features = def->has_features || def->lazy_refcounts || def->extended_l2;
}

const DocumentKind storage_volume_document = {
  .root = "volume",
  .schema = SCHEMA_STORAGE_VOLUME,
  .table = &volume_table,
  .value_errors = value_errors,
  .ref_count = G_STRUCT_OFFSET (StorageVolumeDef, ref_count),
  .name = G_STRUCT_OFFSET (StorageVolumeDef, name),
  .uuid = DOCUMENT_NO_MEMBER,
  .validate = validate,
  .complete = complete,
};

StorageVolumeDef *
storage_volume_def_parse (const char *text, gssize length, guint flags, gboolean from,
                          Diagnostics *diagnostics)
{
  return document_read (&storage_volume_document, text, length,
                        flags | VOLUME_TO_MAKE | (from ? VOLUME_FROM_ANOTHER : 0), diagnostics);
}

StorageVolumeDef *
storage_volume_def_new (void)
{
  return document_new (&storage_volume_document);
}

StorageVolumeDef *
storage_volume_def_ref (StorageVolumeDef *def)
{
  return document_ref (&storage_volume_document, def);
}

void
storage_volume_def_unref (StorageVolumeDef *def)
{
  document_unref (&storage_volume_document, def);
}

StorageVolumeDef *
storage_volume_def_copy (const StorageVolumeDef *def)
{
  return document_copy (&storage_volume_document, def);
}

char *
storage_volume_def_to_xml (const StorageVolumeDef *def)
{
  return document_to_xml (&storage_volume_document, def, 0);
}
