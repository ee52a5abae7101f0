/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Steps that snapshots are made of. A creation is first planned, then everything new is made beside what is
 * there, then the document is written, and last the definition names the new images: so whatever is cut short
 * leaves disks that somebody knows.
 */
#include "daemon/snapshot/snapshot-steps.h"

#include "base/xml-writer.h"
#include "daemon/core/file.h"
#include "daemon/object/child-store.h"
#include "daemon/snapshot/snapshot-images.h"
#include "daemon/snapshot/snapshot-kind.h"
#include "daemon/snapshot/snapshot-state.h"
#include "domain/source-device.h"
#include "snapshot/snapshot-align.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

SnapshotPlace *
snapshot_place_new (const Settings *settings, Store *store, const Platform *platform, const char *uuid,
                    const char *domain)
{
  SnapshotPlace *place = g_new0 (SnapshotPlace, 1);

  place->settings = settings;
  place->store = store;
  place->platform = platform;
  place->uuid = g_strdup (uuid);
  place->domain = g_strdup (domain);
  place->directory = child_store_directory (&snapshot_kind, settings, uuid);
  return place;
}

void
snapshot_place_free (SnapshotPlace *place)
{
  if (place == NULL)
    return;
  g_free (place->uuid);
  g_free (place->domain);
  g_free (place->directory);
  author_free (place->author);
  g_free (place);
}

/* Making. */

static gboolean
plan_file (SnapshotIntent *intent, const SnapshotDisk *disk, gboolean reuse, GError **error)
{
  const char *path = snapshot_disk_path (disk);
  struct stat status;
  gboolean there = path != NULL && stat (path, &status) == 0;

  if (path == NULL) {
    virt_error_set (error, VIR_ERR_CONFIG_UNSUPPORTED,
                    "the external snapshot of disk '%s' says no file or device for its new image",
                    disk->name);
    return FALSE;
  }
  if (!there && errno != ENOENT) {
    virt_error_set (error, VIR_ERR_SYSTEM_ERROR, "unable to stat for disk %s: %s: %s", disk->name, path,
                    g_strerror (errno));
    return FALSE;
  }
  if (reuse && !there) {
    virt_error_set (error, VIR_ERR_SYSTEM_ERROR, "missing existing file for disk %s: %s: %s", disk->name,
                    path, g_strerror (ENOENT));
    return FALSE;
  }
  if (!reuse && there && !S_ISBLK (status.st_mode) && status.st_size > 0) {
    virt_error_set (error, VIR_ERR_CONFIG_UNSUPPORTED,
                    "external snapshot file for disk %s already exists and is not a block device: %s",
                    disk->name, path);
    return FALSE;
  }
  if (!there)
    g_ptr_array_add (intent->files, g_strdup (path));
  return TRUE;
}

gboolean
snapshot_plan_files (SnapshotIntent *intent, const SnapshotDef *def, gboolean reuse, GError **error)
{
  for (guint i = 0; def->disks != NULL && i < def->disks->len; i++) {
    const SnapshotDisk *disk = g_ptr_array_index (def->disks, i);

    if (disk->where == SNAPSHOT_WHERE_EXTERNAL && !plan_file (intent, disk, reuse, error))
      return FALSE;
  }
  if (def->memory == SNAPSHOT_WHERE_EXTERNAL && !g_file_test (def->memory_file, G_FILE_TEST_EXISTS))
    g_ptr_array_add (intent->files, g_strdup (def->memory_file));
  return TRUE;
}

static gboolean
make_images (const GPtrArray *disks, const DomainDef *domain, GError **error)
{
  for (guint i = 0; disks != NULL && i < disks->len; i++) {
    const SnapshotDisk *disk = g_ptr_array_index (disks, i);
    const DeviceDisk *device = domain_def_find_disk (domain, disk->name);

    if (disk->where != SNAPSHOT_WHERE_EXTERNAL)
      continue;
    if (device == NULL || disk_path (device) == NULL) {
      virt_error_set (error, VIR_ERR_CONFIG_UNSUPPORTED,
                      "disk '%s' of domain '%s' is no file and no block device: its image cannot be one that "
                      "another one stands on",
                      disk->name, domain->name);
      return FALSE;
    }
    if (!snapshot_image_make (snapshot_disk_path (disk), disk->driver_type, disk_path (device),
                              device->format != NULL ? device->format : "raw", error))
      return FALSE;
  }
  return TRUE;
}

gboolean
snapshot_make_images (const SnapshotDef *def, const DomainDef *domain, GError **error)
{
  return make_images (def->disks, domain, error);
}

/* (transfer full) */
static char *
disk_element (const DeviceDisk *disk)
{
  g_autoptr (XmlElement) root = xml_element_new ("devices");
  g_autofree char *xml = NULL;
  char *begin, *end;

  device_write (&disk->device, root, FIELD_WRITE_SECURE);
  xml = xml_element_to_string (root);
  begin = strstr (xml, "<disk");
  end = g_strrstr (xml, "</devices>");
  return begin != NULL && end != NULL ? g_strchomp (g_strndup (begin, (gsize)(end - begin))) : NULL;
}

gboolean
snapshot_store_disks (const SnapshotPlace *place, const DomainDef *before, const DomainDef *after,
                      GError **error)
{
  g_autofree char *source = store_load_source (place->store, place->domain, error);
  g_autofree char *completed = domain_def_to_xml (after, DOMAIN_WRITE_SECURE);

  if (source == NULL)
    return FALSE;
  DOMAIN_FOREACH_DEVICE (before, disk_kind, DeviceDisk, disk) {
    const DeviceDisk *now = domain_def_find_disk (after, disk->target);
    g_autofree char *was = disk_element (disk), *is = now != NULL ? disk_element (now) : NULL;
    g_autofree char *edited = NULL;

    if (is == NULL || g_strcmp0 (was, is) == 0)
      continue;
    edited = source_replace_device (source, before, &disk->device, is);
    g_free (source);
    source = edited != NULL ? g_steal_pointer (&edited) : g_strdup (completed);
  }
  return store_save (place->store, place->uuid, place->domain, source, completed, place->author, error);
}

gboolean
snapshot_store_domain (const SnapshotPlace *place, const DomainDef *after, GError **error)
{
  g_autofree char *xml = domain_def_to_xml (after, DOMAIN_WRITE_SECURE);

  return store_save (place->store, place->uuid, place->domain, xml, xml, place->author, error);
}

gboolean
snapshot_finish (const SnapshotPlace *place, const SnapshotIntent *intent, const SnapshotDef *def,
                 const DomainDef *before, DomainDef *after, GError **error)
{
  if (intent->keeps
      && (!child_store_save (&snapshot_kind, place->directory, def, error)
          || !child_store_set_current (place->directory, def->name, error)))
    return FALSE;
  if (after != NULL && !snapshot_store_disks (place, before, after, error))
    return FALSE;
  return snapshot_intent_remove (place->directory, error);
}

void
snapshot_undo (const SnapshotPlace *place, const SnapshotIntent *intent, const SnapshotDef *def,
               const DomainDef *domain)
{
  g_autoptr (GError) error = NULL;

  if (domain != NULL && !snapshot_images (SNAPSHOT_IMAGE_DELETE, def, domain, def->name, &error))
    g_warning ("domain '%s': what was begun of snapshot '%s' stays in a disk: %s", place->domain, def->name,
               error->message);
  g_clear_error (&error);
  for (guint i = 0; i < intent->files->len; i++)
    if (unlink (g_ptr_array_index (intent->files, i)) != 0 && errno != ENOENT)
      g_warning ("domain '%s': cannot remove '%s': %s", place->domain,
                 (const char *)g_ptr_array_index (intent->files, i), g_strerror (errno));
  snapshot_state_remove (place->directory, def->name);
  if (!child_store_remove (place->directory, def->name, &error)
      || !snapshot_intent_remove (place->directory, &error))
    g_warning ("domain '%s': %s", place->domain, error->message);
}

/* Going back. */

/* What was made by an attempt that was cut short is made again. */
static void
remove_revert_images (const SnapshotDef *def)
{
  for (guint i = 0; def->revert_disks != NULL && i < def->revert_disks->len; i++) {
    const SnapshotDisk *disk = g_ptr_array_index (def->revert_disks, i);

    if (disk->where == SNAPSHOT_WHERE_EXTERNAL && disk->type == DISK_TYPE_FILE && disk->file != NULL)
      unlink (disk->file);
  }
}

gboolean
snapshot_go_back (const SnapshotPlace *place, const SnapshotDef *def, const DomainDef *domain, GError **error)
{
  if (!snapshot_images (SNAPSHOT_IMAGE_APPLY, def, domain, def->name, error))
    return FALSE;
  if (snapshot_is_external (def)) {
    remove_revert_images (def);
    if (!make_images (def->revert_disks, domain, error))
      return FALSE;
  }
  return snapshot_state_put_back (place->directory, def->name, domain, place->settings, error);
}
