/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * One volume read anew. The call waits for the job or for its time, whichever is first; a job that ends later
 * than that still brings what is known up to date.
 */
#include "daemon/storage/refresh.h"

#include <unistd.h>

typedef struct {
  Manager *manager;
  Call *call; /* NULL once it is answered */
  StorageVolumeRefreshed then;
  char *pool_uuid, *pool_path;
  StorageVolumeDef *known, *seen;
  guint timer;
} VolumeRefresh;

static void
refresh_free (gpointer data)
{
  VolumeRefresh *refresh = data;

  g_free (refresh->pool_uuid);
  g_free (refresh->pool_path);
  storage_volume_def_unref (refresh->known);
  storage_volume_def_unref (refresh->seen);
  g_free (refresh);
}

static gpointer
refresh_job (G_GNUC_UNUSED Job *job, gpointer input, GError **error)
{
  VolumeRefresh *refresh = input;
  int directory = storage_open_directory (refresh->pool_path, error);

  if (directory < 0)
    return NULL;
  refresh->seen = storage_scan_volume (directory, refresh->pool_path, refresh->known->name, error);
  if (refresh->seen == NULL && error != NULL && *error == NULL)
    virt_error_set (error, VIR_ERR_NO_STORAGE_VOL, "no storage vol with matching path '%s'",
                    refresh->known->path);
  close (directory);
  return refresh->seen != NULL ? JOB_OK : NULL;
}

static void
refresh_done (G_GNUC_UNUSED gpointer result, const GError *error, gpointer data)
{
  VolumeRefresh *refresh = data;
  StoragePool *pool = storage_pool_find_uuid (refresh->manager, refresh->pool_uuid, NULL);

  g_clear_handle_id (&refresh->timer, g_source_remove);
  if (pool != NULL && pool->refreshing > 0)
    pool->refreshing--;
  /* It may have been removed meanwhile, or be another's work. */
  if (pool != NULL && error == NULL && !storage_volume_is_used (pool, refresh->known->name)
      && storage_pool_find_volume (pool, refresh->known->name, NULL) != NULL)
    storage_pool_put_volume (pool, storage_volume_def_ref (refresh->seen));
  if (refresh->call == NULL)
    return;
  if (error != NULL)
    call_fail (refresh->call, g_error_copy (error));
  else
    refresh->then (refresh->call, refresh->seen);
}

static gboolean
refresh_late (gpointer data)
{
  VolumeRefresh *refresh = data;

  refresh->timer = 0;
  g_message ("volume '%s' does not say how it is: answering what was last known", refresh->known->path);
  refresh->then (g_steal_pointer (&refresh->call), refresh->known);
  return G_SOURCE_REMOVE;
}

void
storage_volume_refresh (StoragePool *pool, StorageVolumeDef *volume, Call *call, StorageVolumeRefreshed then)
{
  VolumeRefresh *refresh;

  if (pool->refreshing >= VOLUME_REFRESHES_MAX) {
    then (call, volume);
    return;
  }
  pool->refreshing++;
  refresh = g_new0 (VolumeRefresh, 1);
  refresh->manager = pool->manager;
  refresh->call = call;
  refresh->then = then;
  refresh->pool_uuid = g_strdup (pool->def->uuid);
  refresh->pool_path = g_strdup (pool->def->path);
  refresh->known = storage_volume_def_ref (volume);
  refresh->timer = g_timeout_add (VOLUME_REFRESH_MILLISECONDS, refresh_late, refresh);
  job_start ("volume-refresh", refresh_job, refresh, refresh_free, 0, refresh_done, refresh);
}
