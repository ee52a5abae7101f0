/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Disks that a document names by pool and volume. A definition keeps those names; a machine that starts, or
 * gets such a disk, opens a file, so here the names become its path. The running machine's document has the
 * path: the pool may be stopped meanwhile, the file stays open.
 */
#include "daemon/ops/domain/volume-disks.h"

#include "base/virt-error.h"
#include "daemon/storage/pools.h"

/* What the document says, and what the main loop finds of it. */
typedef struct {
  Manager *manager;
  const char *target, *pool, *volume; /* of the disk */
  char *path;                         /* of the volume; NULL with @error */
  gboolean is_device;
  GError *error;
} VolumeSearch;

static void
search_clear (VolumeSearch *search)
{
  g_free (search->path);
  g_clear_error (&search->error);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (VolumeSearch, search_clear)

static const StorageVolumeDef *
find_volume (const VolumeSearch *search, GError **error)
{
  StoragePool *pool = storage_pool_find_name (search->manager, search->pool, error);

  if (pool == NULL)
    return NULL;
  if (!pool->active) {
    virt_error_set (error, VIR_ERR_CONFIG_UNSUPPORTED,
                    "storage pool '%s' containing volume '%s' is not active", search->pool, search->volume);
    return NULL;
  }
  return storage_pool_find_volume (pool, search->volume, error);
}

/* In the main loop. */
static void
search_volume (gpointer data)
{
  VolumeSearch *search = data;
  const StorageVolumeDef *volume = find_volume (search, &search->error);

  if (volume != NULL && (volume->type == STORAGE_VOLUME_FILE || volume->type == STORAGE_VOLUME_BLOCK)) {
    search->path = g_strdup (volume->path);
    search->is_device = volume->type == STORAGE_VOLUME_BLOCK;
  } else if (volume != NULL)
    virt_error_set (&search->error, VIR_ERR_CONFIG_UNSUPPORTED,
                    "disk '%s': volume '%s' of pool '%s' is no file and no block device", search->target,
                    search->volume, search->pool);
}

static gboolean
check_source (const DeviceDisk *disk, GError **error)
{
  if (disk->source.pool == NULL || disk->source.volume == NULL)
    virt_error_set (error, VIR_ERR_XML_ERROR,
                    "'pool' and 'volume' must be specified together for 'pool' type source: disk '%s'",
                    disk->target);
  else if (disk->source.pool_mode != DISK_POOL_MODE_NONE)
    virt_error_set (error, VIR_ERR_XML_ERROR,
                    "disk source mode is only valid when storage pool is of iscsi type: disk '%s'",
                    disk->target);
  else
    return TRUE;
  return FALSE;
}

gboolean
volume_disk_translate (Job *job, Manager *manager, DeviceDisk *disk, GError **error)
{
  g_auto (VolumeSearch) search = {
    .manager = manager, .target = disk->target, .pool = disk->source.pool, .volume = disk->source.volume
  };

  if (disk->type != DISK_TYPE_VOLUME)
    return TRUE;
  if (!check_source (disk, error))
    return FALSE;
  job_in_main_loop (job, search_volume, &search);
  if (search.path == NULL) {
    g_propagate_error (error, g_steal_pointer (&search.error));
    return FALSE;
  }
  disk->type = search.is_device ? DISK_TYPE_BLOCK : DISK_TYPE_FILE;
  *(search.is_device ? &disk->dev : &disk->file) = g_steal_pointer (&search.path);
  g_clear_pointer (&disk->source.pool, g_free);
  g_clear_pointer (&disk->source.volume, g_free);
  if (disk->format == NULL)
    disk->format =
        g_strdup ("raw"); /* as of every other disk that does not say; what is inside is not trusted */
  return TRUE;
}

DomainDef *
volume_disks_translate (Job *job, Manager *manager, DomainDef *def, GError **error)
{
  g_autoptr (DomainDef) translated = NULL;
  gboolean any = FALSE;

  DOMAIN_FOREACH_DEVICE (def, disk_kind, DeviceDisk, disk)
    any = any || disk->type == DISK_TYPE_VOLUME;
  if (!any)
    return domain_def_ref (def);
  translated = domain_def_copy (def);
  DOMAIN_FOREACH_DEVICE (translated, disk_kind, DeviceDisk, disk)
    if (!volume_disk_translate (job, manager, disk, error))
      return NULL;
  return g_steal_pointer (&translated);
}
