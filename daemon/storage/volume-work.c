/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * The frame around every change of a volume: it is marked as in use, the job runs, the volume and the file
 * system are looked at again in the same job, and the main loop takes over what was seen.
 */
#include "daemon/storage/volume-work.h"

#include "daemon/storage/transfer.h"

#include <unistd.h>

static void
work_free (gpointer data)
{
  VolumeWork *work = data;

  g_free (work->pool_path);
  g_free (work->name);
  g_free (work->from_name);
  g_free (work->make.from_path);
  storage_volume_def_unref (work->volume);
  storage_volume_def_unref (work->seen);
  storage_scan_free (work->sizes);
  if (work->stream >= 0)
    close (work->stream);
  g_free (work);
}

VolumeWork *
volume_work_new (StoragePool *pool, Call *call, const char *name, VolumeFunction function)
{
  VolumeWork *work = g_new0 (VolumeWork, 1);

  work->pool = pool;
  work->call = call;
  work->pool_path = g_strdup (pool->def->path);
  work->stream = -1;
  work->name = g_strdup (name);
  work->function = function;
  return work;
}

static void
give_back (VolumeWork *work)
{
  storage_pool_unlock_shared (work->pool);
  if (work->from_pool != NULL) {
    storage_volume_release (work->from_pool, work->from_name);
    storage_pool_unlock_shared (work->from_pool);
  }
}

void
volume_work_refuse (VolumeWork *work, GError *error)
{
  Call *call = work->call;

  give_back (work);
  work_free (work);
  call_fail (call, error);
}

/* Nobody else works on it? Otherwise @work ends, and the call with it. */
static gboolean
check_unused (VolumeWork *work)
{
  GError *error = NULL;

  if (!storage_volume_is_used (work->pool, work->name))
    return TRUE;
  virt_error_set (&error, VIR_ERR_OPERATION_INVALID, "volume '%s' is still in use.", work->name);
  volume_work_refuse (work, error);
  return FALSE;
}

VolumeWork *
volume_work_of_call (StoragePool *pool, Call *call, VolumeFunction function)
{
  const char *name;
  GError *error = NULL;
  StorageVolumeDef *volume = NULL;
  VolumeWork *work;

  g_variant_get_child (call->arguments, 0, "(&s&s&s)", NULL, &name, NULL);
  work = volume_work_new (pool, call, name, function);
  if (storage_pool_check_active (pool, &error))
    volume = storage_pool_find_volume (pool, name, &error);
  if (volume == NULL) {
    volume_work_refuse (work, error);
    return NULL;
  }
  work->volume = storage_volume_def_ref (volume);
  return check_unused (work) ? work : NULL;
}

/* What cannot be seen afterwards is left as it was known: the work itself is done. */
static void
look_again (VolumeWork *work, gboolean done)
{
  int directory = storage_open_directory (work->pool_path, NULL);
  g_autoptr (GError) problem = NULL;
  StorageVolumeDef *found = NULL;

  if (directory >= 0) {
    found = storage_scan_volume (directory, work->pool_path, work->name, &problem);
    close (directory);
  }
  if (found != NULL || (directory >= 0 && problem == NULL)) {
    g_clear_pointer (&work->seen, storage_volume_def_unref);
    work->seen = found;
  } else if (!work->makes && !(work->removes && done)) {
    work->seen = storage_volume_def_ref (work->volume);
  }
  work->sizes = storage_scan_sizes (work->pool_path, NULL);
}

static gpointer
work_job (Job *job, gpointer input, GError **error)
{
  VolumeWork *work = input;
  gboolean done = work->function (job, work, error);

  /* Also when it failed: half a write is a change. */
  look_again (work, done);
  return done ? JOB_OK : NULL;
}

static void
commit (VolumeWork *work)
{
  if (work->seen != NULL)
    storage_pool_put_volume (work->pool, storage_volume_def_ref (work->seen));
  else
    storage_pool_drop_volume (work->pool, work->name);
  if (work->sizes != NULL)
    storage_pool_commit_scan (work->pool, work->sizes);
}

static void
work_done (G_GNUC_UNUSED gpointer result, const GError *error, gpointer data)
{
  VolumeWork *work = data;
  Call *call = work->call;
  GVariant *answer = NULL;

  storage_volume_release (work->pool, work->name);
  commit (work);
  if (work->makes && work->seen != NULL)
    answer = g_variant_new ("((sss))", work->pool->def->name, work->seen->name, work->seen->key);
  if (work->refreshes)
    object_event (&work->pool->object, VIR_STORAGE_POOL_EVENT_ID_REFRESH, g_variant_new_tuple (NULL, 0));
  give_back (work);
  if (call == NULL) {
    /* Only now: who is told that it is over may begin with the volume again. */
    storage_stream_end (work->stream, error);
    if (error != NULL)
      g_message ("volume '%s' of pool '%s': %s", work->name, work->pool_path, error->message);
  } else if (error != NULL) {
    call_fail (call, g_error_copy (error));
  } else if (answer != NULL) {
    call_answer (call, g_steal_pointer (&answer));
  } else if (work->makes) {
    call_fail_with (call, VIR_ERR_NO_STORAGE_VOL, "volume '%s' went away while it was made", work->name);
  } else {
    call_answer_nothing (call);
  }
  if (answer != NULL)
    g_variant_unref (g_variant_ref_sink (answer));
}

void
volume_work_start (VolumeWork *work, const char *thread, guint seconds)
{
  storage_volume_use (work->pool, work->name);
  job_start (thread, work_job, work, work_free, seconds, work_done, work);
}
