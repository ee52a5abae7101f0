/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * <pool>: what it is called and which directory it is. The rest of libvirt's format is about kinds of
 * storage that are not directories; of it only the words are known here, so that a refusal can say what was
 * asked for.
 */
#include "storage/storage-pool.h"

#include "document/schema.h"

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

StoragePoolDef *
storage_pool_def_ref (StoragePoolDef *def)
{
  g_atomic_int_inc (&def->ref_count);
  return def;
}

void
storage_pool_def_unref (StoragePoolDef *def)
{
  if (def != NULL && g_atomic_int_dec_and_test (&def->ref_count))
    field_free (&pool_table, def);
}

StoragePoolDef *
storage_pool_def_copy (const StoragePoolDef *def)
{
  StoragePoolDef *copy = field_copy (&pool_table, def);

  copy->ref_count = 1;
  return copy;
}

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
  else if (def->path[0] != '/')
    diagnostics_error (reader->diagnostics, where, VIR_ERR_XML_ERROR,
                       "storage pool target path '%s' is not absolute: it has to begin with '/'", def->path);
  else if (strlen (def->path) > PATH_BYTES_MAX)
    diagnostics_error (reader->diagnostics, where, VIR_ERR_XML_ERROR,
                       "storage pool target path is longer than %d bytes", PATH_BYTES_MAX);
}

static gboolean
validate (const StoragePoolDef *def, const FieldReader *reader)
{
  Position where = source_map_find (reader->map, &def->type, def);

  if (def->type != STORAGE_POOL_NONE && def->type != STORAGE_POOL_DIR) {
    diagnostics_error (reader->diagnostics, where, VIR_ERR_CONFIG_UNSUPPORTED,
                       "storage pools of type '%s' are not supported; 'dir' is",
                       enum_table_name (&storage_pool_types, def->type));
    return FALSE;
  }
  validate_name (def, reader);
  validate_path (def, reader);
  return !diagnostics_has_errors (reader->diagnostics);
}

static void
complete (StoragePoolDef *def)
{
  char *path = g_canonicalize_filename (def->path, "/");

  g_free (def->path);
  def->path = path;
  def->capacity = def->allocation = def->available = NUMBER (0);
  if (def->uuid == NULL) {
    guint8 bytes[UUID_BYTES];

    uuid_generate (bytes);
    def->uuid = g_malloc (UUID_TEXT);
    uuid_format (bytes, def->uuid);
  }
}

StoragePoolDef *
storage_pool_def_parse (const char *text, gssize length, guint flags, Diagnostics *diagnostics)
{
  g_autoptr (XmlDocument) document = xml_document_parse (text, length, diagnostics);
  g_autoptr (SourceMap) map = source_map_new ();
  g_autoptr (StoragePoolDef) def = NULL;
  FieldReader reader = { document, diagnostics, map, (flags & STORAGE_READ_LAX) != 0, NULL };
  xmlNode *root;

  if (document == NULL)
    return NULL;
  root = xml_document_root (document);
  if (!g_str_equal ((const char *)root->name, "pool")) {
    diagnostics_error_from (diagnostics, xml_document_node_position (document, root), VIR_FROM_XML,
                            VIR_ERR_XML_ERROR, "expecting root element of 'pool', not '%s'",
                            (const char *)root->name);
    return NULL;
  }
  def = field_new (&pool_table);
  def->ref_count = 1;
  field_read (&reader, &pool_table, def, root);
  if (!validate (def, &reader))
    return NULL;
  if ((flags & STORAGE_READ_LAX) == 0 && !schema_validate_as (SCHEMA_STORAGE_POOL, document, diagnostics))
    return NULL;
  complete (def);
  return g_steal_pointer (&def);
}

char *
storage_pool_def_to_xml (const StoragePoolDef *def)
{
  g_autoptr (XmlElement) root = xml_element_new ("pool");

  field_write (&pool_table, def, root, 0);
  return xml_element_to_string (root);
}
