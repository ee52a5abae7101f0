/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * The steps back. Of an external snapshot the images of then are never written again: the disks go on in new
 * ones on top of them, which the snapshot's document has as <revertDisks>; the images in which they went on
 * before are removed when nothing refers to them any more.
 */
#include "daemon/snapshot/snapshot-revert.h"

#include "daemon/object/child-store.h"
#include "daemon/snapshot/snapshot-kind.h"
#include "daemon/snapshot/snapshot-references.h"
#include "snapshot/snapshot-align.h"
#include "snapshot/snapshot-domain.h"

#include <string.h>

#define NAMES_MAX 10000 /* tried for a new image */

SnapshotRevert *
snapshot_revert_new (SnapshotPlace *place, const SnapshotDef *def, const SnapshotDef *current)
{
  SnapshotRevert *revert = g_new0 (SnapshotRevert, 1);

  revert->place = place;
  revert->def = document_copy (&snapshot_document, def);
  revert->leaving = g_ptr_array_new_with_free_func (g_free);
  if (current != NULL)
    revert->left = document_copy (&snapshot_document, current);
  return revert;
}

void
snapshot_revert_free (SnapshotRevert *revert)
{
  if (revert == NULL)
    return;
  snapshot_place_free (revert->place);
  document_unref (&snapshot_document, revert->def);
  document_unref (&snapshot_document, revert->left);
  g_clear_pointer (&revert->before, domain_def_unref);
  g_clear_pointer (&revert->then, domain_def_unref);
  g_clear_pointer (&revert->config, domain_def_unref);
  g_clear_pointer (&revert->start, domain_def_unref);
  g_ptr_array_unref (revert->leaving);
  g_free (revert);
}

/* "/srv/web.qcow2": "/srv/web.1796021503", or the next number that is free. */
static char *
new_name (const char *path)
{
  const char *base = strrchr (path, '/'), *dot = strrchr (path, '.');
  gsize length = dot != NULL && (base == NULL || dot > base) ? (gsize)(dot - path) : strlen (path);
  gint64 number = g_get_real_time () / G_USEC_PER_SEC;
  char *name = NULL;

  for (guint i = 0; i < NAMES_MAX; i++) {
    g_free (name);
    name = g_strdup_printf ("%.*s.%" G_GINT64_FORMAT, (int)length, path, number + i);
    if (!g_file_test (name, G_FILE_TEST_EXISTS))
      break;
  }
  return name;
}

/* The disks on which an external snapshot was taken go on in new images. */
static gboolean
choose_images (SnapshotRevert *revert, GError **error)
{
  GPtrArray *disks = g_ptr_array_new ();

  for (guint i = 0; revert->def->disks != NULL && i < revert->def->disks->len; i++) {
    const SnapshotDisk *disk = g_ptr_array_index (revert->def->disks, i);
    const DeviceDisk *device = domain_def_find_disk (revert->then, disk->name);
    SnapshotDisk *image;

    if (disk->where != SNAPSHOT_WHERE_EXTERNAL)
      continue;
    if (device == NULL || device->type != DISK_TYPE_FILE || device->file == NULL) {
      virt_error_set (error, VIR_ERR_CONFIG_UNSUPPORTED,
                      "disk '%s' was no file when snapshot '%s' was made: no new image can be made on top of "
                      "it",
                      disk->name, revert->def->name);
      snapshot_def_set_disks (&revert->def->revert_disks, &revert->def->has_revert_disks, disks);
      return FALSE;
    }
    image = snapshot_disk_new (disk->name, SNAPSHOT_WHERE_EXTERNAL);
    image->type = DISK_TYPE_FILE;
    image->driver_type = g_strdup ("qcow2");
    image->file = new_name (device->file);
    g_ptr_array_add (disks, image);
  }
  snapshot_def_set_disks (&revert->def->revert_disks, &revert->def->has_revert_disks, disks);
  return TRUE;
}

/* The images in which the disks go on now: they hold what is given up. */
static void
find_leaving (SnapshotRevert *revert)
{
  const SnapshotDef *current = revert->left;
  const GPtrArray *disks;

  if (current == NULL || !snapshot_is_external (current))
    return;
  disks = current->revert_disks != NULL ? current->revert_disks : current->disks;
  for (guint i = 0; i < disks->len; i++) {
    const SnapshotDisk *disk = g_ptr_array_index (disks, i);

    if (disk->where == SNAPSHOT_WHERE_EXTERNAL && disk->type == DISK_TYPE_FILE && disk->file != NULL)
      g_ptr_array_add (revert->leaving, g_strdup (disk->file));
  }
}

/* Inside of an image the snapshot takes the place of what the image holds now: nobody may need that. */
static gboolean
check_images (const SnapshotRevert *revert, GError **error)
{
  for (guint i = 0; revert->def->disks != NULL && i < revert->def->disks->len; i++) {
    const SnapshotDisk *disk = g_ptr_array_index (revert->def->disks, i);
    const DeviceDisk *device = domain_def_find_disk (revert->then, disk->name);
    const char *path = device != NULL ? disk_path (device) : NULL;
    g_autoptr (GPtrArray) images = NULL;
    g_autofree char *frozen = NULL;

    if (disk->where != SNAPSHOT_WHERE_INTERNAL || path == NULL)
      continue;
    images = snapshot_images_on (path, error);
    if (images == NULL)
      return FALSE;
    frozen = snapshot_find_frozen (revert->place, path, revert->def->name);
    if (frozen == NULL && images->len == 0)
      continue;
    virt_error_set (
        error, VIR_ERR_OPERATION_UNSUPPORTED,
        "snapshot '%s' is inside of '%s', and %s%s' %s what that holds now: it must be deleted before",
        revert->def->name, path, frozen != NULL ? "snapshot '" : "the image '",
        frozen != NULL ? frozen : (const char *)g_ptr_array_index (images, 0),
        frozen != NULL ? "is" : "stands on");
    return FALSE;
  }
  return TRUE;
}

static void
rename_domain (DomainDef *def, const char *name)
{
  g_free (def->name);
  def->name = g_strdup (name);
}

/* The definitions of then, with the domain's name of now. */
static gboolean
read_definitions (SnapshotRevert *revert, GError **error)
{
  g_autoptr (DomainDef) then = snapshot_read_domain (revert->def, revert->place->platform, error);
  g_autoptr (DomainDef) inactive = NULL;
  g_autoptr (GError) problem = NULL;

  if (then == NULL)
    return FALSE;
  inactive = snapshot_read_inactive (revert->def, revert->place->platform, &problem);
  if (problem != NULL) {
    g_propagate_error (error, g_steal_pointer (&problem));
    return FALSE;
  }
  revert->then = domain_def_copy (then);
  revert->start = domain_def_copy (then);
  revert->config = domain_def_copy (inactive != NULL ? inactive : then);
  rename_domain (revert->then, revert->place->domain);
  rename_domain (revert->start, revert->place->domain);
  rename_domain (revert->config, revert->place->domain);
  return TRUE;
}

static void
use_new_images (SnapshotRevert *revert)
{
  snapshot_switch_disks (revert->start, revert->def->revert_disks, FALSE);
  snapshot_switch_disks (revert->config, revert->def->revert_disks, FALSE);
}

gboolean
snapshot_revert_prepare (SnapshotRevert *revert, GError **error)
{
  SnapshotDef *def = revert->def;

  if (!read_definitions (revert, error))
    return FALSE;
  find_leaving (revert);
  if (!snapshot_is_external (def)) {
    snapshot_def_set_disks (&def->revert_disks, &def->has_revert_disks, NULL);
    return check_images (revert, error);
  }
  if (!choose_images (revert, error))
    return FALSE;
  use_new_images (revert);
  return TRUE;
}

gboolean
snapshot_revert_again (SnapshotRevert *revert, const SnapshotIntent *intent, GError **error)
{
  if (!read_definitions (revert, error))
    return FALSE;
  for (guint i = 0; i < intent->files->len; i++)
    g_ptr_array_add (revert->leaving, g_strdup (g_ptr_array_index (intent->files, i)));
  use_new_images (revert);
  return snapshot_revert_disks (revert, error) && snapshot_revert_store (revert, error);
}

gboolean
snapshot_revert_disks (SnapshotRevert *revert, GError **error)
{
  const SnapshotPlace *place = revert->place;
  g_autoptr (SnapshotIntent) intent = snapshot_intent_new (SNAPSHOT_INTENT_REVERT, revert->def->name);

  intent->document = document_to_xml (&snapshot_document, revert->def, FIELD_WRITE_SECURE);
  for (guint i = 0; i < revert->leaving->len; i++)
    g_ptr_array_add (intent->files, g_strdup (g_ptr_array_index (revert->leaving, i)));
  return snapshot_intent_write (intent, place->directory, error)
         && snapshot_go_back (place, revert->def, revert->then, error);
}

/* Is everything but the disks as it was? Then the user's text stays, too. */
static gboolean
differs_in_disks_only (const DomainDef *before, const DomainDef *after)
{
  g_autoptr (DomainDef) mixed = domain_def_copy (before);
  g_autofree char *wanted = domain_def_to_xml (after, DOMAIN_WRITE_SECURE), *made = NULL;

  for (guint i = 0; i < mixed->devices->len; i++) {
    Device *device = g_ptr_array_index (mixed->devices, i);
    const DeviceDisk *disk =
        device->kind == &disk_kind ? domain_def_find_disk (after, ((DeviceDisk *)device)->target) : NULL;

    if (disk == NULL)
      continue;
    device_free (device);
    mixed->devices->pdata[i] = device_copy (&disk->device);
  }
  made = domain_def_to_xml (mixed, DOMAIN_WRITE_SECURE);
  return g_str_equal (made, wanted);
}

static gboolean
store_definition (const SnapshotRevert *revert, GError **error)
{
  g_autofree char *was = domain_def_to_xml (revert->before, DOMAIN_WRITE_SECURE);
  g_autofree char *is = domain_def_to_xml (revert->config, DOMAIN_WRITE_SECURE);

  if (g_str_equal (was, is))
    return TRUE;
  return differs_in_disks_only (revert->before, revert->config)
             ? snapshot_store_disks (revert->place, revert->before, revert->config, error)
             : snapshot_store_domain (revert->place, revert->config, error);
}

gboolean
snapshot_revert_store (SnapshotRevert *revert, GError **error)
{
  const SnapshotPlace *place = revert->place;

  if (revert->left != NULL
      && (revert->left->revert_disks == NULL || g_strcmp0 (revert->left->name, revert->def->name) == 0)) {
    document_unref (&snapshot_document, revert->left);
    revert->left = NULL;
  }
  if (revert->left != NULL)
    snapshot_def_set_disks (&revert->left->revert_disks, &revert->left->has_revert_disks, NULL);
  if (!store_definition (revert, error)
      || !child_store_save (&snapshot_kind, place->directory, revert->def, error)
      || (revert->left != NULL && !child_store_save (&snapshot_kind, place->directory, revert->left, error))
      || !child_store_set_current (place->directory, revert->def->name, error))
    return FALSE;
  snapshot_remove_unused (place, revert->leaving);
  return snapshot_intent_remove (place->directory, error);
}

GPtrArray *
snapshot_revert_targets (const SnapshotRevert *revert)
{
  GPtrArray *targets = g_ptr_array_new_with_free_func (g_free);

  for (guint i = 0; revert->def->disks != NULL && i < revert->def->disks->len; i++) {
    const SnapshotDisk *disk = g_ptr_array_index (revert->def->disks, i);

    if (disk->where == SNAPSHOT_WHERE_INTERNAL)
      g_ptr_array_add (targets, g_strdup (disk->name));
  }
  return targets;
}
