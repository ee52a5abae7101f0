/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * <backingStore>: the images a disk's image stands on, each inside the one above it; an empty one ends the
 * chain. A person may spell the chain out, and then it is that. Otherwise it is read from the images when the
 * machine starts, and only the live document shows it: it is true of that start alone.
 */

#include "domain/devices/disk-private.h"

#define FILE_TYPE (DISK_TYPE_BIT (NONE) | DISK_TYPE_BIT (FILE))

static const Field backing_fields[] = {
  FIELD (DiskBacking, type, "@type", field_enum, &disk_types),
  FIELD_WITH (DiskBacking, index, "@index", field_number, &disk_range_32, FIELD_LIVE),
  FIELD (DiskBacking, format, "format/@type", field_text, NULL),
  FIELD (DiskBacking, metadata_cache, "format/metadata_cache/max_size", field_memory, &disk_cache_size),
  FIELD_WHEN (DiskBacking, file, "source/@file", field_text, NULL, type, FILE_TYPE),
  FIELD_WHEN (DiskBacking, fdgroup, "source/@fdgroup", field_text, NULL, type, FILE_TYPE),
  FIELD_WHEN (DiskBacking, dev, "source/@dev", field_text, NULL, type, DISK_TYPE_BIT (BLOCK)),
  DISK_SOURCE_ATTRIBUTES (DiskBacking),
  FIELD (DiskBacking, startup_policy, "source/@startupPolicy", field_enum, &startup_policies),
  FIELD_WITH (DiskBacking, source_index, "source/@index", field_number, &disk_range_32, FIELD_LIVE),
  DISK_SOURCE_ELEMENTS (DiskBacking),
  FIELD (DiskBacking, backing, "backingStore", field_optional, &disk_backing_table),
  FIELD_END,
};
const FieldTable disk_backing_table = { sizeof (DiskBacking), backing_fields };

static void
backing_read (FieldReader *reader, const Field *field, gpointer member, xmlNode *element)
{
  field_optional.read (reader, field, member, element);
}

static void
backing_write (const Field *field, gconstpointer member, XmlElement *parent, const char *name, guint flags)
{
  const DiskBacking *backing = *(const DiskBacking *const *)member;

  if (!backing->detected || (flags & FIELD_WRITE_LIVE) != 0)
    field_optional.write (field, member, parent, name, flags);
}

static gboolean
backing_is_set (G_GNUC_UNUSED const Field *field, gconstpointer member)
{
  return *(gconstpointer const *)member != NULL;
}

static char *
backing_compare (const Field *field, gconstpointer a, gconstpointer b, G_GNUC_UNUSED guint flags)
{
  const DiskBacking *one = *(const DiskBacking *const *)a, *other = *(const DiskBacking *const *)b;
  g_autofree char *difference = NULL;

  one = one != NULL && one->detected ? NULL : one;
  other = other != NULL && other->detected ? NULL : other;
  if (one == NULL || other == NULL)
    return one == other ? NULL : g_strdup_printf ("%s is in only one of the two", field->path);
  difference = field_compare (&disk_backing_table, one, other, 0);
  return difference != NULL ? g_strconcat (field->path, "/", difference, NULL) : NULL;
}

static void
backing_clear (G_GNUC_UNUSED const Field *field, gpointer member)
{
  field_free (&disk_backing_table, *(gpointer *)member);
  *(gpointer *)member = NULL;
}

static void
backing_copy (G_GNUC_UNUSED const Field *field, gpointer member, gconstpointer from)
{
  *(DiskBacking **)member = disk_backing_copy (*(const DiskBacking *const *)from);
}

const FieldType field_disk_backing = {
  .size = sizeof (DiskBacking *),
  .read = backing_read,
  .write = backing_write,
  .is_set = backing_is_set,
  .compare = backing_compare,
  .clear = backing_clear,
  .copy = backing_copy,
};

DiskBacking *
disk_backing_new (void)
{
  return field_new (&disk_backing_table);
}

DiskBacking *
disk_backing_copy (const DiskBacking *backing)
{
  return backing != NULL ? field_copy (&disk_backing_table, backing) : NULL;
}

void
disk_backing_free (DiskBacking *backing)
{
  field_free (&disk_backing_table, backing);
}

gboolean
disk_backing_is_end (const DiskBacking *backing)
{
  return backing->type == DISK_TYPE_NONE && backing->file == NULL;
}

const char *
disk_backing_path (const DiskBacking *backing)
{
  return backing->type == DISK_TYPE_BLOCK ? backing->dev : backing->file;
}

const char *
disk_backing_text (const DiskBacking *backing)
{
  const char *path = disk_backing_path (backing);

  return path != NULL ? path : disk_source_name (backing->type, &backing->source);
}

gboolean
disk_backing_has_source (const DiskBacking *backing)
{
  return disk_backing_path (backing) != NULL || disk_source_is_set (backing->type, &backing->source);
}

DiskImage
disk_backing_image (const DiskBacking *backing)
{
  return (DiskImage){ .type = backing->type,
                      .format = backing->format,
                      .path = disk_backing_path (backing),
                      .fdgroup = backing->fdgroup,
                      .source = &backing->source,
                      .auth = backing->source.auth,
                      .encryption = backing->source.encryption,
                      .metadata_cache = backing->metadata_cache };
}

DiskImage
disk_data_image (const DiskDataStore *store)
{
  return (DiskImage){ .type = store->type,
                      .format = store->format,
                      .path = store->type == DISK_TYPE_BLOCK ? store->dev : store->file,
                      .source = &store->source,
                      .auth = store->source.auth,
                      .encryption = store->source.encryption };
}

/* libvirt reads nothing more of one without a type: it ends the chain, whatever it holds. */
static void
end_without_type (DiskBacking *backing)
{
  for (; backing != NULL; backing = backing->backing)
    if (backing->type == DISK_TYPE_NONE)
      field_clear (&disk_backing_table, backing);
}

/* What a running machine's document says was found, as its indexes tell, is not what a person has said. */
void
disk_backing_complete (Completion *completion, DeviceDisk *disk)
{
  if (disk->backing == NULL)
    return;
  if (completion->lax)
    end_without_type (disk->backing);
  disk->backing->detected = completion->live && disk->backing->index.set;
  for (DiskBacking *backing = disk->backing; backing != NULL; backing = backing->backing) {
    if (!completion->live)
      backing->index = (Number){ 0 };
    if (backing->metadata_cache.value == 0)
      backing->metadata_cache.set = FALSE;
    disk_source_complete (completion, backing->type, &backing->source);
  }
}

#define REFUSE(member, ...) \
  validation_error_code (validation, VIR_ERR_XML_ERROR, &backing->member, disk, __VA_ARGS__)

void
disk_backing_validate (Validation *validation, const DeviceDisk *disk)
{
  for (const DiskBacking *backing = disk->backing; backing != NULL; backing = backing->backing) {
    if (disk_backing_is_end (backing) && backing->backing == NULL && backing->format == NULL)
      continue;
    if (backing->type == DISK_TYPE_NONE)
      REFUSE (type, "missing disk backing store type");
    if (backing->format == NULL)
      REFUSE (format, "missing disk backing store format");
    else if (!disk_knows_format (backing->format))
      REFUSE (format, "unknown storage source format '%s'; expected one such as 'raw' or 'qcow2'",
              backing->format);
    if (!disk_backing_has_source (backing))
      REFUSE (file, "missing disk backing store source");
    disk_image_validate (validation, disk, disk_backing_image (backing));
  }
}
