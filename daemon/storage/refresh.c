/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Looking at one volume. The call waits for the look or for its time, whichever is first; a look that comes
 * later than that still brings what is known up to date.
 */
#include "daemon/storage/refresh.h"

#include <unistd.h>

typedef struct {
  Manager *manager;
  Call *call; /* NULL once it is answered */
  StorageLooked then;
  char *pool_uuid, *pool_path;
  StorageVolumeDef *known, *seen;
  guint timer;
} Look;

static void
look_free (gpointer data)
{
  Look *look = data;

  g_free (look->pool_uuid);
  g_free (look->pool_path);
  storage_volume_def_unref (look->known);
  storage_volume_def_unref (look->seen);
  g_free (look);
}

static gpointer
look_job (G_GNUC_UNUSED Job *job, gpointer input, GError **error)
{
  Look *look = input;
  int directory = storage_open_directory (look->pool_path, error);

  if (directory < 0)
    return NULL;
  look->seen = storage_scan_volume (directory, look->pool_path, look->known->name, error);
  if (look->seen == NULL && error != NULL && *error == NULL)
    virt_error_set (error, VIR_ERR_NO_STORAGE_VOL, "no storage vol with matching path '%s'",
                    look->known->path);
  close (directory);
  return look->seen != NULL ? JOB_OK : NULL;
}

static void
look_done (G_GNUC_UNUSED gpointer result, const GError *error, gpointer data)
{
  Look *look = data;
  StoragePool *pool = storage_pool_find_uuid (look->manager, look->pool_uuid, NULL);

  g_clear_handle_id (&look->timer, g_source_remove);
  if (pool != NULL && pool->looking > 0)
    pool->looking--;
  /* It may have been removed meanwhile, or be another's work. */
  if (pool != NULL && error == NULL && !storage_volume_is_used (pool, look->known->name)
      && storage_pool_find_volume (pool, look->known->name, NULL) != NULL)
    storage_pool_put_volume (pool, storage_volume_def_ref (look->seen));
  if (look->call == NULL)
    return;
  if (error != NULL)
    call_fail (look->call, g_error_copy (error));
  else
    look->then (look->call, look->seen);
}

static gboolean
look_late (gpointer data)
{
  Look *look = data;

  look->timer = 0;
  g_message ("volume '%s' does not say how it is: telling what was known", look->known->path);
  look->then (g_steal_pointer (&look->call), look->known);
  return G_SOURCE_REMOVE;
}

void
storage_volume_look (StoragePool *pool, StorageVolumeDef *volume, Call *call, StorageLooked then)
{
  Look *look;

  if (pool->looking >= LOOKING_MAX) {
    then (call, volume);
    return;
  }
  pool->looking++;
  look = g_new0 (Look, 1);
  look->manager = pool->manager;
  look->call = call;
  look->then = then;
  look->pool_uuid = g_strdup (pool->def->uuid);
  look->pool_path = g_strdup (pool->def->path);
  look->known = storage_volume_def_ref (volume);
  look->timer = g_timeout_add (LOOK_MILLISECONDS, look_late, look);
  job_start ("volume-look", look_job, look, look_free, 0, look_done, look);
}
