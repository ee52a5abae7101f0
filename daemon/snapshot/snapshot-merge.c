/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Images merged, and everybody who names them told. The order is: written down, data moved, headers,
 * documents and definition, and only then files removed, each after a look at who might still need it. A
 * second attempt finds of each step that it is done, or does it again.
 */
#include "daemon/snapshot/snapshot-merge.h"

#include "daemon/object/child-store.h"
#include "daemon/snapshot/snapshot-images.h"
#include "daemon/snapshot/snapshot-kind.h"
#include "daemon/snapshot/snapshot-references.h"
#include "daemon/snapshot/snapshot-state.h"
#include "snapshot/snapshot-align.h"
#include "snapshot/snapshot-domain.h"

#include <string.h>

static void
unref_def (gpointer def)
{
  document_unref (&snapshot_document, def);
}

void
snapshot_delete_free (SnapshotDelete *deletion)
{
  if (deletion == NULL)
    return;
  snapshot_place_free (deletion->place);
  document_unref (&snapshot_document, deletion->def);
  g_clear_pointer (&deletion->config, domain_def_unref);
  g_clear_pointer (&deletion->config_after, domain_def_unref);
  g_clear_pointer (&deletion->others, g_ptr_array_unref);
  g_clear_pointer (&deletion->changed, g_ptr_array_unref);
  g_free (deletion->current);
  g_free (deletion);
}

/* The disks of @domain that are @from become @to, of @format. */
static gboolean
replace_in_domain (DomainDef *domain, const char *from, const char *to, const char *format)
{
  gboolean replaced = FALSE;

  DOMAIN_FOREACH_DEVICE (domain, disk_kind, DeviceDisk, disk) {
    if (g_strcmp0 (disk_path (disk), from) != 0)
      continue;
    g_clear_pointer (&disk->file, g_free);
    g_clear_pointer (&disk->dev, g_free);
    g_clear_pointer (&disk->backing, disk_backing_free);
    if (disk->type == DISK_TYPE_BLOCK)
      disk->dev = g_strdup (to);
    else
      disk->file = g_strdup (to);
    g_free (disk->format);
    disk->format = g_strdup (format);
    replaced = TRUE;
  }
  return replaced;
}

/* Another snapshot's definitions. NULL: it does not name the image. (transfer full) */
static SnapshotDef *
replace_in_snapshot (const SnapshotDelete *deletion, const SnapshotDef *def, const char *from, const char *to,
                     const char *format)
{
  const Platform *platform = deletion->place->platform;
  g_autoptr (DomainDef) domain = snapshot_read_domain (def, platform, NULL);
  g_autoptr (DomainDef) inactive = snapshot_read_inactive (def, platform, NULL);
  g_autoptr (DomainDef) domain_after = domain != NULL ? domain_def_copy (domain) : NULL;
  g_autoptr (DomainDef) inactive_after = inactive != NULL ? domain_def_copy (inactive) : NULL;
  gboolean replaced = domain_after != NULL && replace_in_domain (domain_after, from, to, format);
  SnapshotDef *copy;

  if (inactive_after != NULL)
    replaced = replace_in_domain (inactive_after, from, to, format) || replaced;
  if (!replaced)
    return NULL;
  copy = document_copy (&snapshot_document, def);
  snapshot_set_domain (copy, domain_after, inactive_after);
  return copy;
}

/* The one of its name among those that change, or that of all others. */
static void
change_snapshots (SnapshotDelete *deletion, const char *from, const char *to, const char *format)
{
  for (guint i = 0; i < deletion->others->len; i++) {
    const SnapshotDef *def = g_ptr_array_index (deletion->others, i);
    SnapshotDef *replaced;
    guint at = 0;

    while (at < deletion->changed->len
           && !g_str_equal (((SnapshotDef *)g_ptr_array_index (deletion->changed, at))->name, def->name))
      at++;
    if (at < deletion->changed->len)
      def = g_ptr_array_index (deletion->changed, at);
    replaced = replace_in_snapshot (deletion, def, from, to, format);
    if (replaced == NULL)
      continue;
    if (at < deletion->changed->len)
      g_ptr_array_remove_index (deletion->changed, at);
    g_ptr_array_add (deletion->changed, replaced);
  }
}

static gboolean
rebase_all (const char *from, const char *to, const char *format, GError **error)
{
  g_autoptr (GPtrArray) images = snapshot_images_on (from, error);

  for (guint i = 0; images != NULL && i < images->len; i++)
    if (!snapshot_image_rebase (g_ptr_array_index (images, i), to, format, error))
      return FALSE;
  return images != NULL;
}

/* A snapshot that is inside of the image: it would go with it. NULL: none. (borrowed) */
static const char *
find_inside (const SnapshotDelete *deletion, const char *image)
{
  g_autofree char *escaped = g_markup_escape_text (image, -1);

  for (guint i = 0; i < deletion->others->len; i++) {
    const SnapshotDef *def = g_ptr_array_index (deletion->others, i);

    if (!snapshot_is_external (def) && def->domain != NULL && strstr (def->domain, escaped) != NULL)
      return def->name;
  }
  return NULL;
}

/* @base: the image of then. */
static gboolean
merge_disk (SnapshotDelete *deletion, const SnapshotDisk *disk, const char *base, const char *format,
            GError **error)
{
  g_autoptr (GPtrArray) above = snapshot_images_on (base, error);
  g_autofree char *frozen = snapshot_find_frozen (deletion->place, base, deletion->def->name);
  const char *top;

  if (above == NULL)
    return FALSE;
  if (above->len != 1 || frozen != NULL) {
    g_message ("domain '%s': the images of disk '%s' stay as they are: %u stand on '%s'%s%s%s",
               deletion->place->domain, disk->name, above->len, base,
               frozen != NULL ? ", which is snapshot '" : "", frozen != NULL ? frozen : "",
               frozen != NULL ? "' as well" : "");
    return TRUE;
  }
  top = g_ptr_array_index (above, 0);
  if (find_inside (deletion, top) != NULL) {
    g_message ("domain '%s': the images of disk '%s' stay as they are: snapshot '%s' is inside of '%s'",
               deletion->place->domain, disk->name, find_inside (deletion, top), top);
    return TRUE;
  }
  if (!snapshot_image_commit (top, error) || !rebase_all (top, base, format, error))
    return FALSE;
  if (deletion->config_after == NULL)
    deletion->config_after = domain_def_copy (deletion->config);
  replace_in_domain (deletion->config_after, top, base, format);
  change_snapshots (deletion, top, base, format);
  return TRUE;
}

static gboolean
merge (SnapshotDelete *deletion, const DomainDef *then, GError **error)
{
  const SnapshotDef *def = deletion->def;

  for (guint i = 0; def->disks != NULL && i < def->disks->len; i++) {
    const SnapshotDisk *disk = g_ptr_array_index (def->disks, i);
    const DeviceDisk *device = domain_def_find_disk (then, disk->name);

    if (disk->where == SNAPSHOT_WHERE_EXTERNAL && device != NULL && disk_path (device) != NULL
        && !merge_disk (deletion, disk, disk_path (device), device->format != NULL ? device->format : "raw",
                        error))
      return FALSE;
  }
  return TRUE;
}

gboolean
snapshot_delete_images (SnapshotDelete *deletion, gboolean in_qemu, GError **error)
{
  const SnapshotDef *def = deletion->def;
  g_autoptr (SnapshotIntent) intent = snapshot_intent_new (SNAPSHOT_INTENT_DELETE, def->name);
  g_autoptr (DomainDef) then = NULL;

  if (deletion->changed == NULL)
    deletion->changed = g_ptr_array_new_with_free_func (unref_def);
  intent->keeps = deletion->metadata_only;
  intent->document = document_to_xml (&snapshot_document, def, FIELD_WRITE_SECURE);
  if (!snapshot_intent_write (intent, deletion->place->directory, error))
    return FALSE;
  if (deletion->metadata_only)
    return TRUE;
  then = snapshot_read_domain (def, deletion->place->platform, error);
  return then != NULL && (in_qemu || snapshot_images (SNAPSHOT_IMAGE_DELETE, def, then, def->name, error))
         && merge (deletion, then, error);
}

/* Files that were made for it: images of its disks, and its memory. */
static GPtrArray *
list_files (const SnapshotDef *def)
{
  GPtrArray *files = g_ptr_array_new ();
  const GPtrArray *lists[] = { def->disks, def->revert_disks };

  for (gsize l = 0; l < G_N_ELEMENTS (lists); l++)
    for (guint i = 0; lists[l] != NULL && i < lists[l]->len; i++) {
      const SnapshotDisk *disk = g_ptr_array_index (lists[l], i);

      if (disk->where == SNAPSHOT_WHERE_EXTERNAL && disk->type == DISK_TYPE_FILE && disk->file != NULL)
        g_ptr_array_add (files, disk->file);
    }
  if (def->memory == SNAPSHOT_WHERE_EXTERNAL && def->memory_file != NULL)
    g_ptr_array_add (files, def->memory_file);
  return files;
}

gboolean
snapshot_delete_store (SnapshotDelete *deletion, GError **error)
{
  const SnapshotPlace *place = deletion->place;
  g_autoptr (GPtrArray) files = list_files (deletion->def);

  if (!child_store_set_current (place->directory, deletion->current, error))
    return FALSE;
  for (guint i = 0; i < deletion->changed->len; i++)
    if (!child_store_save (&snapshot_kind, place->directory, g_ptr_array_index (deletion->changed, i), error))
      return FALSE;
  if (deletion->config_after != NULL
      && !snapshot_store_disks (place, deletion->config, deletion->config_after, error))
    return FALSE;
  if (!child_store_remove (place->directory, deletion->def->name, error))
    return FALSE;
  if (!deletion->metadata_only) {
    snapshot_remove_unused (place, files);
    snapshot_state_remove (place->directory, deletion->def->name);
  }
  return snapshot_intent_remove (place->directory, error);
}
