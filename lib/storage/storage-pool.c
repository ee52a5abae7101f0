/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * <pool>: what it is called, where its volumes come from, and where they are seen. Of types that are no
 * directories the document is read, checked, kept and written; that they cannot be made active here is said
 * where one is to be defined.
 */
#include "storage/storage-pool.h"

#include <string.h>

#define PATH_BYTES_MAX 4095 /* the kernel's PATH_MAX without the NUL */

const EnumTable storage_pool_types = { "storage pool type",
                                       { NULL, "dir", "fs", "netfs", "logical", "disk", "iscsi",
                                         "iscsi-direct", "scsi", "mpath", "rbd", "sheepdog", "gluster", "zfs",
                                         "vstorage" } };

/* The source of a directory is empty, and libvirt writes it so: open and closed, a line each. */
static gboolean
source_is_set (const Field *field G_GNUC_UNUSED, gconstpointer member G_GNUC_UNUSED)
{
  return TRUE;
}

static void
source_write (const Field *field, gconstpointer member, XmlElement *parent, const char *name, guint flags)
{
  XmlElement *element = xml_element_ensure (parent, name);

  field_write (field->detail, member, element, flags);
  if (xml_element_is_empty (element))
    xml_element_set_text (element, "\n  ");
}

static void
source_read (FieldReader *reader, const Field *field, gpointer member, xmlNode *element)
{
  field_read (reader, field->detail, member, element);
}

static void
source_clear (const Field *field, gpointer member)
{
  field_clear (field->detail, member);
}

static void
source_copy (const Field *field, gpointer member, gconstpointer from)
{
  field_copy_into (field->detail, member, from);
}

static char *
source_compare (const Field *field, gconstpointer a, gconstpointer b, guint flags)
{
  return field_compare (field->detail, a, b, flags);
}

static const FieldType field_source = {
  .read = source_read,
  .write = source_write,
  .is_set = source_is_set,
  .compare = source_compare,
  .clear = source_clear,
  .copy = source_copy,
};

static const EnumTable volume_allocations = { "allocation", { NULL, "default", "capacity" } };

static const Field pool_fields[] = {
  FIELD_WITH (StoragePoolDef, type, "@type", field_enum, &storage_pool_types, FIELD_REQUIRED),
  FIELD (StoragePoolDef, name, "name", field_text, NULL),
  FIELD (StoragePoolDef, uuid, "uuid", field_uuid, NULL),
  FIELD (StoragePoolDef, capacity, "capacity", field_bytes, NULL),
  FIELD (StoragePoolDef, allocation, "allocation", field_bytes, NULL),
  FIELD (StoragePoolDef, available, "available", field_bytes, NULL),
  FIELD (StoragePoolDef, cow, "features/cow/@state", field_yes_no, NULL),
  FIELD (StoragePoolDef, source, "source", field_source, &storage_source_table),
  FIELD (StoragePoolDef, path, "target/path", field_text, NULL),
  FIELD (StoragePoolDef, permissions, "target/permissions", field_struct, &storage_permissions_table),
  FIELD (StoragePoolDef, volume_allocation, "refresh/volume/@allocation", field_enum, &volume_allocations),
  FIELD (StoragePoolDef, mount_options, "fs:mount_opts/fs:option", field_list, &storage_mount_option_table),
  FIELD (StoragePoolDef, config_options, "rbd:config_opts/rbd:option", field_list, &storage_option_table),
  FIELD_END,
};

static const FieldTable pool_table = { sizeof (StoragePoolDef), pool_fields };

static gboolean
has_mount_options (gconstpointer def)
{
  return ((const StoragePoolDef *)def)->mount_options != NULL;
}

static gboolean
has_config_options (gconstpointer def)
{
  return ((const StoragePoolDef *)def)->config_options != NULL;
}

static const DocumentNamespace namespaces[] = {
  { "fs", "http://libvirt.org/schemas/storagepool/fs/1.0", has_mount_options },
  { "rbd", "http://libvirt.org/schemas/storagepool/rbd/1.0", has_config_options },
  { NULL, NULL, NULL },
};

static void
validate_name (const StoragePoolDef *def, const FieldReader *reader)
{
  Position where = source_map_find (reader->map, &def->name, def);
  const char *mistake = def->name != NULL ? storage_name_mistake (def->name) : NULL;

  /* What has a name at its source gives it to the pool. */
  if (def->name == NULL && def->source.name == NULL)
    diagnostics_error (reader->diagnostics, where, VIR_ERR_XML_ERROR, "missing pool source name element");
  else if (mistake != NULL)
    diagnostics_error (reader->diagnostics, where, VIR_ERR_XML_ERROR, "name %s %s", def->name, mistake);
}

/* Pools whose volumes are seen nowhere, or always in the same directory. */
#define NEEDS_NO_PATH                                                                                     \
  (FIELD_VALUE (STORAGE_POOL_NONE) | FIELD_VALUE (STORAGE_POOL_LOGICAL) | FIELD_VALUE (STORAGE_POOL_DISK) \
   | FIELD_VALUE (STORAGE_POOL_ISCSI_DIRECT) | FIELD_VALUE (STORAGE_POOL_MPATH)                           \
   | FIELD_VALUE (STORAGE_POOL_RBD) | FIELD_VALUE (STORAGE_POOL_SHEEPDOG)                                 \
   | FIELD_VALUE (STORAGE_POOL_GLUSTER) | FIELD_VALUE (STORAGE_POOL_ZFS))

static void
validate_path (const StoragePoolDef *def, const FieldReader *reader)
{
  Position where = source_map_find (reader->map, &def->path, def);

  if ((def->path == NULL || def->path[0] == '\0') && (FIELD_VALUE (def->type) & NEEDS_NO_PATH) == 0)
    diagnostics_error (reader->diagnostics, where, VIR_ERR_XML_ERROR, "missing storage pool target path");
  else if (def->path != NULL && strlen (def->path) > PATH_BYTES_MAX)
    diagnostics_error (reader->diagnostics, where, VIR_ERR_XML_ERROR,
                       "storage pool target path is longer than %d bytes", PATH_BYTES_MAX);
}

static void
validate (gconstpointer data, const FieldReader *reader, guint flags G_GNUC_UNUSED)
{
  const StoragePoolDef *def = data;

  validate_name (def, reader);
  validate_path (def, reader);
}

static void
validate_usable (gconstpointer data, const FieldReader *reader, guint flags)
{
  const StoragePoolDef *def = data;

  if (def->type == STORAGE_POOL_NONE || def->type == STORAGE_POOL_DIR)
    validate (def, reader, flags);
  else
    diagnostics_error (reader->diagnostics, source_map_find (reader->map, &def->type, def),
                       VIR_ERR_CONFIG_UNSUPPORTED, "storage pools of type '%s' are not supported; 'dir' is",
                       enum_table_name (&storage_pool_types, def->type));
}

static void
complete (gpointer data)
{
  StoragePoolDef *def = data;

  if (def->name == NULL)
    def->name = g_strdup (def->source.name);
  /* One that does not begin with '/' is seen from there, where libvirt's daemon stands. */
  if (def->path != NULL) {
    char *path = g_canonicalize_filename (def->path, "/");

    g_free (def->path);
    def->path = path;
  }
  def->capacity = def->allocation = def->available = NUMBER (0);
}

#define ROW(validate_)                                                                              \
  {                                                                                                 \
    .root = "pool", .schema = SCHEMA_STORAGE_POOL, .table = &pool_table, .namespaces = namespaces,  \
    .ref_count = G_STRUCT_OFFSET (StoragePoolDef, ref_count),                                       \
    .name = G_STRUCT_OFFSET (StoragePoolDef, name), .uuid = G_STRUCT_OFFSET (StoragePoolDef, uuid), \
    .validate = (validate_), .complete = complete,                                                  \
  }

const DocumentKind storage_pool_document = ROW (validate);
const DocumentKind storage_pool_usable_document = ROW (validate_usable);

StoragePoolDef *
storage_pool_def_parse (const char *text, gssize length, guint flags, Diagnostics *diagnostics)
{
  return document_read (&storage_pool_usable_document, text, length, flags, diagnostics);
}

StoragePoolDef *
storage_pool_def_ref (StoragePoolDef *def)
{
  return document_ref (&storage_pool_document, def);
}

void
storage_pool_def_unref (StoragePoolDef *def)
{
  document_unref (&storage_pool_document, def);
}

StoragePoolDef *
storage_pool_def_copy (const StoragePoolDef *def)
{
  return document_copy (&storage_pool_document, def);
}

char *
storage_pool_def_to_xml (const StoragePoolDef *def)
{
  return document_to_xml (&storage_pool_document, def, 0);
}
