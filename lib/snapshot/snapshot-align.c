/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * The disks of a snapshot beside those of its domain: which are meant, what becomes of those that are not
 * named, what their new images are called, and which combinations there cannot be.
 */
#include "snapshot/snapshot-align.h"

#include "base/virt-error.h"

#include <libvirt/virterror.h>
#include <string.h>

SnapshotDisk *
snapshot_find_disk (const GPtrArray *disks, const char *target)
{
  for (guint i = 0; disks != NULL && i < disks->len; i++)
    if (g_strcmp0 (((SnapshotDisk *)g_ptr_array_index (disks, i))->name, target) == 0)
      return g_ptr_array_index (disks, i);
  return NULL;
}

static int
where_of_domain (const DeviceDisk *disk, SnapshotWhere where)
{
  if (!disk_has_source (disk) || disk_is_readonly (disk))
    return SNAPSHOT_WHERE_NO;
  return disk->snapshot == DISK_SNAPSHOT_NO ? (int)SNAPSHOT_WHERE_NO : (int)where;
}

/* One that the document names. */
static gboolean
align_disk (SnapshotDisk *disk, const DeviceDisk *device, SnapshotWhere where, gboolean uniform,
            GError **error)
{
  const char *path;

  if (disk->where == SNAPSHOT_WHERE_NONE)
    disk->where =
        uniform || snapshot_disk_path (disk) != NULL || !disk_has_source (device) || disk_is_readonly (device)
            ? (int)where
            : where_of_domain (device, where);
  if (uniform && disk->where != (int)where && disk_has_source (device) && !disk_is_readonly (device)) {
    virt_error_set (error, VIR_ERR_CONFIG_UNSUPPORTED, "disk '%s' must use snapshot mode '%s'", disk->name,
                    enum_table_name (&snapshot_wheres, where));
    return FALSE;
  }
  path = snapshot_disk_path (disk);
  if (path != NULL && disk->where != SNAPSHOT_WHERE_EXTERNAL) {
    virt_error_set (error, VIR_ERR_CONFIG_UNSUPPORTED,
                    "file '%s' for disk '%s' requires use of external snapshot mode", path, disk->name);
    return FALSE;
  }
  g_free (disk->name);
  disk->name = g_strdup (device->target);
  return TRUE;
}

static void
complete_disk (SnapshotDisk *disk)
{
  if (disk->where != SNAPSHOT_WHERE_EXTERNAL)
    return;
  if (disk->type == DISK_TYPE_NONE)
    disk->type = DISK_TYPE_FILE;
  if (disk->driver_type == NULL)
    disk->driver_type = g_strdup ("qcow2");
}

/* target → the document's disk. NULL with @error. */
static GHashTable *
index_disks (const SnapshotDef *def, const DomainDef *domain, SnapshotWhere where, gboolean uniform,
             GError **error)
{
  g_autoptr (GHashTable) named = g_hash_table_new (g_str_hash, g_str_equal);

  for (guint i = 0; def->disks != NULL && i < def->disks->len; i++) {
    SnapshotDisk *disk = g_ptr_array_index (def->disks, i);
    const DeviceDisk *device = domain_def_find_disk (domain, disk->name);

    if (device == NULL) {
      virt_error_set (error, VIR_ERR_CONFIG_UNSUPPORTED, "no disk named '%s'", disk->name);
      return NULL;
    }
    if (g_hash_table_contains (named, device->target)) {
      virt_error_set (error, VIR_ERR_CONFIG_UNSUPPORTED, "disk '%s' specified twice", disk->name);
      return NULL;
    }
    if (!align_disk (disk, device, where, uniform, error))
      return NULL;
    g_hash_table_insert (named, device->target, disk);
  }
  return g_steal_pointer (&named);
}

gboolean
snapshot_align_disks (SnapshotDef *def, const DomainDef *domain, SnapshotWhere where, gboolean uniform,
                      GError **error)
{
  g_autoptr (GHashTable) named = index_disks (def, domain, where, uniform, error);
  GPtrArray *aligned;

  if (named == NULL)
    return FALSE;
  aligned = g_ptr_array_new ();
  DOMAIN_FOREACH_DEVICE (domain, disk_kind, DeviceDisk, device) {
    SnapshotDisk *disk = g_hash_table_lookup (named, device->target);

    disk = disk != NULL ? snapshot_disk_copy (disk)
                        : snapshot_disk_new (device->target, where_of_domain (device, where));
    complete_disk (disk);
    g_ptr_array_add (aligned, disk);
  }
  snapshot_def_set_disks (&def->disks, &def->has_disks, aligned);
  return TRUE;
}

/* "/srv/web.qcow2" and "one": "/srv/web.one". */
static char *
name_beside (const char *path, const char *snapshot)
{
  const char *base = strrchr (path, '/'), *dot = strrchr (path, '.');
  gsize length = dot != NULL && (base == NULL || dot > base) ? (gsize)(dot - path) : strlen (path);

  return g_strdup_printf ("%.*s.%s", (int)length, path, snapshot);
}

gboolean
snapshot_name_images (SnapshotDef *def, const DomainDef *domain, GError **error)
{
  g_autoptr (GHashTable) taken = g_hash_table_new (g_str_hash, g_str_equal);

  for (guint i = 0; def->disks != NULL && i < def->disks->len; i++) {
    SnapshotDisk *disk = g_ptr_array_index (def->disks, i);
    const DeviceDisk *device = domain_def_find_disk (domain, disk->name);
    const SnapshotDisk *other;

    if (disk->where != SNAPSHOT_WHERE_EXTERNAL || device == NULL)
      continue;
    if (snapshot_disk_path (disk) == NULL && disk->type == DISK_TYPE_FILE) {
      if (device->type != DISK_TYPE_FILE || device->file == NULL) {
        virt_error_set (error, VIR_ERR_CONFIG_UNSUPPORTED,
                        "cannot generate external snapshot name for disk '%s' on a '%s' device", disk->name,
                        enum_table_name (&disk_types, device->type));
        return FALSE;
      }
      disk->file = name_beside (device->file, def->name);
    }
    if (snapshot_disk_path (disk) == NULL)
      continue;
    other = g_hash_table_lookup (taken, snapshot_disk_path (disk));
    if (other != NULL) {
      virt_error_set (error, VIR_ERR_CONFIG_UNSUPPORTED,
                      "cannot generate external snapshot name for disk '%s': collision with disk '%s'",
                      disk->name, other->name);
      return FALSE;
    }
    g_hash_table_insert (taken, (gpointer)snapshot_disk_path (disk), disk);
  }
  return TRUE;
}

/* What is found while the disks are looked at. */
typedef struct {
  gboolean internal, external, manual, left_out;
} Found;

static gboolean
check_disk (const SnapshotDisk *disk, const DeviceDisk *device, gboolean disks_only, Found *found,
            GError **error)
{
  const char *format = device->format != NULL ? device->format : "raw";

  if (disk->where == SNAPSHOT_WHERE_INTERNAL) {
    if (disks_only)
      virt_error_set (error, VIR_ERR_CONFIG_UNSUPPORTED,
                      "active qemu domains require external disk snapshots; disk %s requested internal",
                      disk->name);
    else if (device->type != DISK_TYPE_FILE && device->type != DISK_TYPE_BLOCK)
      virt_error_set (error, VIR_ERR_CONFIG_UNSUPPORTED,
                      "internal snapshot for disk %s unsupported for a source of type '%s'", disk->name,
                      enum_table_name (&disk_types, device->type));
    else if (!g_str_equal (format, "qcow2"))
      virt_error_set (error, VIR_ERR_CONFIG_UNSUPPORTED,
                      "internal snapshot for disk %s unsupported for storage type %s", disk->name, format);
    else
      return found->internal = TRUE;
    return FALSE;
  }
  if (disk->where == SNAPSHOT_WHERE_EXTERNAL) {
    if (!g_str_equal (disk->driver_type, "qcow2") && !g_str_equal (disk->driver_type, "qed"))
      virt_error_set (error, VIR_ERR_CONFIG_UNSUPPORTED,
                      "external snapshot format for disk %s is unsupported: %s", disk->name,
                      disk->driver_type);
    else if (disk->type != DISK_TYPE_FILE && disk->type != DISK_TYPE_BLOCK)
      virt_error_set (error, VIR_ERR_CONFIG_UNSUPPORTED,
                      "an external snapshot of disk %s on a source of type '%s' is not supported: it may be "
                      "'file' or 'block'",
                      disk->name, enum_table_name (&disk_types, disk->type));
    else
      return found->external = TRUE;
    return FALSE;
  }
  found->manual = found->manual || disk->where == SNAPSHOT_WHERE_MANUAL;
  found->left_out =
      found->left_out
      || (disk->where == SNAPSHOT_WHERE_NO && disk_has_source (device) && !disk_is_readonly (device));
  return TRUE;
}

gboolean
snapshot_check_disks (const SnapshotDef *def, const DomainDef *domain, gboolean active, gboolean disks_only,
                      GError **error)
{
  Found found = { 0 };

  for (guint i = 0; def->disks != NULL && i < def->disks->len; i++) {
    const SnapshotDisk *disk = g_ptr_array_index (def->disks, i);

    if (!check_disk (disk, domain_def_find_disk (domain, disk->name), active && disks_only, &found, error))
      return FALSE;
  }
  if (!found.internal && !found.external && !(found.manual && active) && def->memory <= SNAPSHOT_WHERE_NO)
    virt_error_set (error, VIR_ERR_CONFIG_UNSUPPORTED, "nothing selected for snapshot");
  else if ((found.internal || def->memory == SNAPSHOT_WHERE_INTERNAL) && found.external)
    virt_error_set (error, VIR_ERR_CONFIG_UNSUPPORTED,
                    "mixing internal and external targets for a snapshot is not yet supported");
  else if ((def->memory == SNAPSHOT_WHERE_INTERNAL && !found.internal) || (found.internal && found.left_out))
    virt_error_set (error, VIR_ERR_CONFIG_UNSUPPORTED,
                    "internal and disk only snapshots require all disks to be selected for snapshot");
  else
    return TRUE;
  return FALSE;
}

static void
put_below (DeviceDisk *device)
{
  DiskBacking *below = disk_backing_new ();

  below->type = device->type;
  below->format = g_strdup (device->format != NULL ? device->format : "raw");
  below->file = g_steal_pointer (&device->file);
  below->dev = g_steal_pointer (&device->dev);
  below->backing = g_steal_pointer (&device->backing);
  device->backing = below;
}

void
snapshot_switch_disks (DomainDef *domain, const GPtrArray *disks, gboolean below)
{
  DOMAIN_FOREACH_DEVICE (domain, disk_kind, DeviceDisk, device) {
    const SnapshotDisk *disk = snapshot_find_disk (disks, device->target);

    if (disk == NULL || disk->where != SNAPSHOT_WHERE_EXTERNAL)
      continue;
    if (below)
      put_below (device);
    g_clear_pointer (&device->file, g_free);
    g_clear_pointer (&device->dev, g_free);
    if (!below)
      g_clear_pointer (&device->backing, disk_backing_free);
    device->type = disk->type;
    device->file = g_strdup (disk->file);
    device->dev = g_strdup (disk->dev);
    g_free (device->format);
    device->format = g_strdup (disk->driver_type);
  }
}

void
snapshot_put_below (DomainDef *domain, const DomainDef *before, const GPtrArray *disks)
{
  DOMAIN_FOREACH_DEVICE (domain, disk_kind, DeviceDisk, device) {
    const SnapshotDisk *disk = snapshot_find_disk (disks, device->target);
    const DeviceDisk *old = domain_def_find_disk (before, device->target);
    DiskBacking *below;

    if (disk == NULL || disk->where != SNAPSHOT_WHERE_EXTERNAL || old == NULL)
      continue;
    below = disk_backing_new ();
    below->type = old->type;
    below->index = old->source_index;
    below->format = g_strdup (old->format != NULL ? old->format : "raw");
    below->file = g_strdup (old->file);
    below->dev = g_strdup (old->dev);
    below->backing = disk_backing_copy (old->backing);
    g_clear_pointer (&device->backing, disk_backing_free);
    device->backing = below;
  }
}
