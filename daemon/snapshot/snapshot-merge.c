/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Images merged, and everybody who names them told. The order is: planned and written down, data moved,
 * headers, documents and definition, and only then files removed, each after a look at who might still need
 * it. A second attempt goes by the plan, finds of each step that it is done, or does it again.
 */
#include "daemon/snapshot/snapshot-merge.h"

#include "daemon/domain/definition.h"
#include "daemon/object/child-store.h"
#include "daemon/snapshot/snapshot-images.h"
#include "daemon/snapshot/snapshot-kind.h"
#include "daemon/snapshot/snapshot-references.h"
#include "daemon/snapshot/snapshot-state.h"
#include "domain/devices/disk-chain.h"
#include "snapshot/snapshot-align.h"
#include "snapshot/snapshot-domain.h"

#include <string.h>
#include <sys/stat.h>

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
  g_clear_pointer (&deletion->live, domain_def_unref);
  g_clear_pointer (&deletion->merges, g_ptr_array_unref);
  g_clear_pointer (&deletion->others, g_ptr_array_unref);
  g_clear_pointer (&deletion->changed, g_ptr_array_unref);
  g_free (deletion->current);
  g_free (deletion);
}

/* The image is no longer below @disk's own. */
static gboolean
drop_backing (DeviceDisk *disk, const char *path)
{
  for (DiskBacking **link = &disk->backing; *link != NULL; link = &(*link)->backing) {
    DiskBacking *found = *link;

    if (g_strcmp0 (disk_backing_path (found), path) != 0)
      continue;
    *link = g_steal_pointer (&found->backing);
    disk_backing_free (found);
    return TRUE;
  }
  return FALSE;
}

/* The disks of @domain that are @from become @to, of @format. */
static gboolean
replace_in_domain (DomainDef *domain, const char *from, const char *to, const char *format)
{
  gboolean replaced = FALSE;

  DOMAIN_FOREACH_DEVICE (domain, disk_kind, DeviceDisk, disk) {
    if (g_strcmp0 (disk_path (disk), from) != 0) {
      replaced = drop_backing (disk, from) || replaced;
      continue;
    }
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

/* Plan. */

static SnapshotMerge *
merge_new (const char *disk, const char *base, const char *format, const char *top)
{
  const SnapshotMerge merge = {
    .disk = (char *)disk, .base = (char *)base, .top = (char *)top, .format = (char *)format
  };

  return snapshot_merge_copy (&merge);
}

/* Why the images stay as they are; NULL: they do not. (transfer full) */
static char *
find_obstacle (const SnapshotDelete *deletion, const char *base, const GPtrArray *above)
{
  g_autofree char *frozen = snapshot_find_frozen (deletion->place, base, deletion->def->name);
  const char *inside;

  if (above->len != 1)
    return g_strdup_printf ("%u stand on '%s'", above->len, base);
  if (frozen != NULL)
    return g_strdup_printf ("'%s' is snapshot '%s' as well", base, frozen);
  inside = find_inside (deletion, g_ptr_array_index (above, 0));
  return inside != NULL ? g_strdup_printf ("snapshot '%s' is inside of '%s'", inside,
                                           (const char *)g_ptr_array_index (above, 0))
                        : NULL;
}

static gboolean
is_same_file (const char *one, const char *other)
{
  struct stat first, second;

  return g_strcmp0 (one, other) == 0
         || (one != NULL && other != NULL && stat (one, &first) == 0 && stat (other, &second) == 0
             && first.st_dev == second.st_dev && first.st_ino == second.st_ino);
}

/* The image of the running machine's disk that is the file; 0: none is. */
static guint64
image_at (const DeviceDisk *disk, const char *path)
{
  if (is_same_file (disk_path (disk), path))
    return disk->source_index.value;
  for (const DiskBacking *below = disk->backing; below != NULL; below = below->backing)
    if (is_same_file (disk_backing_path (below), path))
      return below->index.value;
  return 0;
}

/* Has a running machine the images open? FALSE: one of them only, or not one on the other: they stay. */
static gboolean
look_at_live (const SnapshotDelete *deletion, SnapshotMerge *merge)
{
  if (deletion->live == NULL)
    return TRUE;
  DOMAIN_FOREACH_DEVICE (deletion->live, disk_kind, DeviceDisk, disk) {
    guint64 base = image_at (disk, merge->base), top = image_at (disk, merge->top);

    if (base == 0 && top == 0)
      continue;
    if (base == 0 || top == 0 || disk_index_below (disk, top) != base)
      return FALSE;
    merge->in_qemu = TRUE;
    merge->is_active = top == disk->source_index.value;
    g_free (merge->disk);
    merge->disk = g_strdup (disk->target);
    return TRUE;
  }
  return TRUE;
}

/* @base: the image of then. */
static gboolean
plan_disk (SnapshotDelete *deletion, const SnapshotDisk *disk, const char *base, const char *format,
           GError **error)
{
  g_autoptr (GPtrArray) above = snapshot_images_on (base, error);
  g_autofree char *obstacle = NULL;
  SnapshotMerge *merge;

  if (above == NULL)
    return FALSE;
  obstacle = find_obstacle (deletion, base, above);
  if (obstacle == NULL) {
    merge = merge_new (disk->name, base, format, g_ptr_array_index (above, 0));
    if (look_at_live (deletion, merge)) {
      g_ptr_array_add (deletion->merges, merge);
      return TRUE;
    }
    obstacle = g_strdup_printf ("the machine has '%s' or '%s' open otherwise", merge->base, merge->top);
    snapshot_merge_free (merge);
  }
  g_message ("domain '%s': the images of disk '%s' stay as they are: %s", deletion->place->domain, disk->name,
             obstacle);
  return TRUE;
}

static gboolean
plan (SnapshotDelete *deletion, GError **error)
{
  const SnapshotDef *def = deletion->def;
  g_autoptr (DomainDef) then = snapshot_read_domain (def, deletion->place->platform, error);

  if (then == NULL)
    return FALSE;
  for (guint i = 0; def->disks != NULL && i < def->disks->len; i++) {
    const SnapshotDisk *disk = g_ptr_array_index (def->disks, i);
    const DeviceDisk *device = domain_def_find_disk (then, disk->name);

    if (disk->where == SNAPSHOT_WHERE_EXTERNAL && device != NULL && disk_path (device) != NULL
        && !plan_disk (deletion, disk, disk_path (device), device->format != NULL ? device->format : "raw",
                       error))
      return FALSE;
  }
  return TRUE;
}

static void
free_merge (gpointer merge)
{
  snapshot_merge_free (merge);
}

gboolean
snapshot_delete_plan (SnapshotDelete *deletion, GError **error)
{
  g_autoptr (SnapshotIntent) intent = snapshot_intent_new (SNAPSHOT_INTENT_DELETE, deletion->def->name);

  if (deletion->changed == NULL)
    deletion->changed = g_ptr_array_new_with_free_func (unref_def);
  if (deletion->merges == NULL) {
    deletion->merges = g_ptr_array_new_with_free_func (free_merge);
    if (!deletion->metadata_only && !plan (deletion, error))
      return FALSE;
  }
  intent->keeps = deletion->metadata_only;
  intent->document = document_to_xml (&snapshot_document, deletion->def, FIELD_WRITE_SECURE);
  intent->merges = g_ptr_array_ref (deletion->merges);
  return snapshot_intent_write (intent, deletion->place->directory, error);
}

/* Images that no machine has open. */

/* What a machine that has ended meanwhile wrote into @base is newer than what is in @top: the stored
 * definition was changed before the first of it was written. */
static gboolean
is_to_be_merged (const SnapshotDelete *deletion, SnapshotMerge *merge)
{
  const DeviceDisk *disk = merge->is_active && deletion->config != NULL
                               ? domain_def_find_disk (deletion->config, merge->disk)
                               : NULL;

  if (!merge->is_active)
    return TRUE;
  merge->merged = disk != NULL && is_same_file (disk_path (disk), merge->base);
  return disk != NULL && is_same_file (disk_path (disk), merge->top);
}

static gboolean
merge_all (SnapshotDelete *deletion, GError **error)
{
  for (guint i = 0; i < deletion->merges->len; i++) {
    SnapshotMerge *merge = g_ptr_array_index (deletion->merges, i);

    if (merge->merged || (merge->in_qemu && deletion->live != NULL))
      continue;
    if (!is_to_be_merged (deletion, merge))
      continue;
    if (!snapshot_image_commit (merge->top, error))
      return FALSE;
    merge->merged = TRUE;
  }
  return TRUE;
}

gboolean
snapshot_delete_images (SnapshotDelete *deletion, GError **error)
{
  const SnapshotDef *def = deletion->def;
  g_autoptr (DomainDef) then = NULL;

  if (deletion->metadata_only)
    return TRUE;
  then = snapshot_read_domain (def, deletion->place->platform, error);
  return then != NULL
         && (deletion->live != NULL || snapshot_images (SNAPSHOT_IMAGE_DELETE, def, then, def->name, error))
         && merge_all (deletion, error);
}

/* What became of it. */

static SnapshotDisk *
find_merged (const SnapshotDef *def, const SnapshotMerge *merge)
{
  for (guint i = 0; def->disks != NULL && i < def->disks->len; i++) {
    SnapshotDisk *disk = g_ptr_array_index (def->disks, i);

    if (g_str_equal (disk->name, merge->disk))
      return disk;
  }
  return NULL;
}

/* Some images are merged, and some are not: there is no way back to it any more, but what is left of it can
 * be deleted later. */
static void
stay (SnapshotDelete *deletion)
{
  SnapshotDef *left = document_copy (&snapshot_document, deletion->def);

  deletion->stays = TRUE;
  g_ptr_array_set_size (deletion->changed, 0);
  for (guint i = 0; i < deletion->merges->len; i++) {
    const SnapshotMerge *merge = g_ptr_array_index (deletion->merges, i);
    SnapshotDisk *disk = find_merged (left, merge);

    if (disk == NULL)
      continue;
    disk->deleting = TRUE;
    if (merge->merged)
      disk->where = SNAPSHOT_WHERE_NO;
  }
  g_ptr_array_add (deletion->changed, left);
}

/* In the machine's own time its stored definition may have followed. */
static gboolean
read_config_again (SnapshotDelete *deletion, GError **error)
{
  const SnapshotPlace *place = deletion->place;

  if (deletion->config == NULL || deletion->live == NULL)
    return TRUE;
  g_clear_pointer (&deletion->config, domain_def_unref);
  deletion->config = definition_read (place->store, place->platform, place->uuid, place->domain, NULL, error);
  return deletion->config != NULL;
}

gboolean
snapshot_delete_follow (SnapshotDelete *deletion, GError **error)
{
  gboolean all = TRUE;

  if (!read_config_again (deletion, error))
    return FALSE;
  for (guint i = 0; i < deletion->merges->len; i++)
    all = all && ((SnapshotMerge *)g_ptr_array_index (deletion->merges, i))->merged;
  if (!all && deletion->live != NULL)
    stay (deletion);
  for (guint i = 0; i < deletion->merges->len; i++) {
    const SnapshotMerge *merge = g_ptr_array_index (deletion->merges, i);

    if (!merge->merged)
      continue;
    if (!rebase_all (merge->top, merge->base, merge->format, error))
      return FALSE;
    if (deletion->config_after == NULL && deletion->config != NULL)
      deletion->config_after = domain_def_copy (deletion->config);
    if (deletion->config_after != NULL)
      replace_in_domain (deletion->config_after, merge->top, merge->base, merge->format);
    change_snapshots (deletion, merge->top, merge->base, merge->format);
  }
  return TRUE;
}

/* Files that were made for it: images of its disks, and its memory; of one that stays, those merged. */
static GPtrArray *
list_files (const SnapshotDelete *deletion)
{
  const SnapshotDef *def = deletion->def;
  GPtrArray *files = g_ptr_array_new ();
  const GPtrArray *lists[] = { def->disks, def->revert_disks };

  for (guint i = 0; i < deletion->merges->len; i++) {
    const SnapshotMerge *merge = g_ptr_array_index (deletion->merges, i);
    const SnapshotDisk *disk = find_merged (def, merge);

    if (merge->merged && disk != NULL && is_same_file (snapshot_disk_path (disk), merge->top))
      g_ptr_array_add (files, merge->top);
  }
  if (deletion->stays)
    return files;
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
  g_autoptr (GPtrArray) files = list_files (deletion);

  if (!deletion->stays && !child_store_set_current (place->directory, deletion->current, error))
    return FALSE;
  for (guint i = 0; i < deletion->changed->len; i++)
    if (!child_store_save (&snapshot_kind, place->directory, g_ptr_array_index (deletion->changed, i), error))
      return FALSE;
  if (deletion->config_after != NULL
      && !snapshot_store_disks (place, deletion->config, deletion->config_after, error))
    return FALSE;
  if (!deletion->stays && !child_store_remove (place->directory, deletion->def->name, error))
    return FALSE;
  if (!deletion->metadata_only)
    snapshot_remove_unused (place, files);
  if (!deletion->metadata_only && !deletion->stays)
    snapshot_state_remove (place->directory, deletion->def->name);
  return snapshot_intent_remove (place->directory, error);
}
