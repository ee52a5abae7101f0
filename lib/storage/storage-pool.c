/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * <pool>: what it is called and which directory it is. The rest of libvirt's format is about kinds of
 * storage that are not directories; of it only the words are known here, so that a refusal can say what was
 * asked for.
 */
#include "storage/storage-pool.h"

#include <string.h>

#define PATH_BYTES_MAX 4095 /* the kernel's PATH_MAX without the NUL */

const EnumTable storage_pool_types = { "storage pool type",
                                       { NULL, "dir", "fs", "netfs", "logical", "disk", "iscsi",
                                         "iscsi-direct", "scsi", "mpath", "rbd", "sheepdog", "gluster", "zfs",
                                         "vstorage" } };

/* The source of a directory is empty, and libvirt writes it so: open and closed, a line each. */
static void
source_read (FieldReader *reader, const Field *field G_GNUC_UNUSED, gpointer member, xmlNode *element)
{
  char **source = member;

  g_free (*source);
  *source = element->properties != NULL || xmlFirstElementChild (element) != NULL
                ? xml_document_verbatim (reader->document, element)
                : NULL;
}

static gboolean
source_is_set (const Field *field G_GNUC_UNUSED, gconstpointer member G_GNUC_UNUSED)
{
  return TRUE;
}

static void
source_write (const Field *field G_GNUC_UNUSED, gconstpointer member, XmlElement *parent, const char *name,
              guint flags G_GNUC_UNUSED)
{
  const char *source = *(char *const *)member;

  if (source != NULL)
    xml_element_add_parsed (parent, source);
  else
    xml_element_set_text (xml_element_ensure (parent, name), "\n  ");
}

static void
source_clear (const Field *field G_GNUC_UNUSED, gpointer member)
{
  g_clear_pointer ((char **)member, g_free);
}

static void
source_copy (const Field *field G_GNUC_UNUSED, gpointer member, gconstpointer from)
{
  *(char **)member = g_strdup (*(char *const *)from);
}

static char *
source_compare (const Field *field, gconstpointer a, gconstpointer b, guint flags G_GNUC_UNUSED)
{
  return g_strcmp0 (*(char *const *)a, *(char *const *)b) == 0
             ? NULL
             : g_strdup_printf ("%s is not the same in both", field->path);
}

static const FieldType field_source = {
  .size = sizeof (char *),
  .read = source_read,
  .write = source_write,
  .is_set = source_is_set,
  .compare = source_compare,
  .clear = source_clear,
  .copy = source_copy,
};

static const Field pool_fields[] = {
  FIELD_WITH (StoragePoolDef, type, "@type", field_enum, &storage_pool_types, FIELD_REQUIRED),
  FIELD (StoragePoolDef, name, "name", field_text, NULL),
  FIELD (StoragePoolDef, uuid, "uuid", field_uuid, NULL),
  FIELD (StoragePoolDef, capacity, "capacity", field_bytes, NULL),
  FIELD (StoragePoolDef, allocation, "allocation", field_bytes, NULL),
  FIELD (StoragePoolDef, available, "available", field_bytes, NULL),
  FIELD (StoragePoolDef, features, "features", field_verbatim, NULL),
  FIELD (StoragePoolDef, source, "source", field_source, NULL),
  FIELD (StoragePoolDef, path, "target/path", field_text, NULL),
  FIELD (StoragePoolDef, permissions, "target/permissions", field_struct, &storage_permissions_table),
  FIELD_END,
};

static const FieldTable pool_table = { sizeof (StoragePoolDef), pool_fields };

static void
validate_name (const StoragePoolDef *def, const FieldReader *reader)
{
  Position where = source_map_find (reader->map, &def->name, def);
  const char *mistake = def->name != NULL ? storage_name_mistake (def->name) : NULL;

  if (def->name == NULL)
    diagnostics_error (reader->diagnostics, where, VIR_ERR_XML_ERROR, "missing pool source name element");
  else if (mistake != NULL)
    diagnostics_error (reader->diagnostics, where, VIR_ERR_XML_ERROR, "name %s %s", def->name, mistake);
}

static void
validate_path (const StoragePoolDef *def, const FieldReader *reader)
{
  Position where = source_map_find (reader->map, &def->path, def);

  if (def->path == NULL || def->path[0] == '\0')
    diagnostics_error (reader->diagnostics, where, VIR_ERR_XML_ERROR, "missing storage pool target path");
  else if (strlen (def->path) > PATH_BYTES_MAX)
    diagnostics_error (reader->diagnostics, where, VIR_ERR_XML_ERROR,
                       "storage pool target path is longer than %d bytes", PATH_BYTES_MAX);
}

static void
validate (gconstpointer data, const FieldReader *reader, guint flags G_GNUC_UNUSED)
{
  const StoragePoolDef *def = data;
  Position where = source_map_find (reader->map, &def->type, def);

  if (def->type != STORAGE_POOL_NONE && def->type != STORAGE_POOL_DIR) {
    diagnostics_error (reader->diagnostics, where, VIR_ERR_CONFIG_UNSUPPORTED,
                       "storage pools of type '%s' are not supported; 'dir' is",
                       enum_table_name (&storage_pool_types, def->type));
    return;
  }
  validate_name (def, reader);
  validate_path (def, reader);
}

static void
complete (gpointer data)
{
  StoragePoolDef *def = data;
  /* One that does not begin with '/' is seen from there, where libvirt's daemon stands. */
  char *path = g_canonicalize_filename (def->path, "/");

  g_free (def->path);
  def->path = path;
  def->capacity = def->allocation = def->available = NUMBER (0);
}

const DocumentKind storage_pool_document = {
  .root = "pool",
  .schema = SCHEMA_STORAGE_POOL,
  .table = &pool_table,
  .ref_count = G_STRUCT_OFFSET (StoragePoolDef, ref_count),
  .name = G_STRUCT_OFFSET (StoragePoolDef, name),
  .uuid = G_STRUCT_OFFSET (StoragePoolDef, uuid),
  .validate = validate,
  .complete = complete,
};

StoragePoolDef *
storage_pool_def_parse (const char *text, gssize length, guint flags, Diagnostics *diagnostics)
{
  return document_read (&storage_pool_document, text, length, flags, diagnostics);
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
