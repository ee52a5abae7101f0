/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * A pool's own life: its directory made, scanned, let go of, removed. The directory can be on a server that
 * does not answer, so each touch of it is a job with the pool's lock; all other pools go on.
 */
#include "daemon/storage/pool-files.h"
#include "daemon/storage/pools.h"
#include "daemon/storage/tool.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#define POOL_JOB_SECONDS       300
#define DEFAULT_DIRECTORY_MODE 0711
#define PARENTS_MODE           0755

/* One job about a pool, from its begin to its done. */
typedef struct {
  StoragePool *pool; /* main loop only; not freed while its lock is held */
  const Settings *settings;
  Call *call;       /* NULL: nobody asked */
  GVariant *answer; /* NULL: "()" */
  StoragePoolDef *def;
  guint flags;
  StorageScan *scan;
} PoolWork;

static void
work_free (gpointer data)
{
  PoolWork *work = data;

  g_clear_pointer (&work->answer, g_variant_unref);
  storage_pool_def_unref (work->def);
  storage_scan_free (work->scan);
  g_free (work);
}

static PoolWork *
work_new (StoragePool *pool, Call *call, guint flags)
{
  PoolWork *work = g_new0 (PoolWork, 1);

  work->pool = pool;
  work->settings = pool->manager->settings;
  work->call = call;
  work->flags = flags;
  work->def = storage_pool_def_ref (pool->def);
  return work;
}

/* The lock is given back before the answer. */
static void
finish (Manager *manager, const char *uuid, Call *call, GVariant *answer, const GError *error)
{
  storage_pool_unlock (manager, uuid);
  if (call == NULL)
    return;
  if (error != NULL)
    call_fail (call, g_error_copy (error));
  else if (answer != NULL)
    call_answer (call, answer);
  else
    call_answer_nothing (call);
}

static gboolean
system_error (GError **error, const char *what, const char *path)
{
  virt_error_set (error, VIR_ERR_SYSTEM_ERROR, "%s '%s': %s", what, path, g_strerror (errno));
  return FALSE;
}

/* The directory and what is above it. One that is there already only gets what the document asks for. */
static gboolean
build_directory (const StoragePoolDef *def, GError **error)
{
  const StoragePermissions *wanted = &def->permissions;
  g_autofree char *parent = g_path_get_dirname (def->path);
  mode_t mode = wanted->mode.set ? (mode_t)wanted->mode.value : DEFAULT_DIRECTORY_MODE;
  uid_t owner = wanted->owner.set ? (uid_t)wanted->owner.value : (uid_t)-1;
  gid_t group = wanted->group.set ? (gid_t)wanted->group.value : (gid_t)-1;
  gboolean made, built;
  int fd;

  if (g_mkdir_with_parents (parent, PARENTS_MODE) < 0)
    return system_error (error, "cannot create path", parent);
  made = mkdir (def->path, 0700) == 0;
  if (!made && errno != EEXIST)
    return system_error (error, "failed to create directory", def->path);
  fd = storage_open_directory (def->path, error);
  if (fd < 0)
    return FALSE;
  built = ((owner == (uid_t)-1 && group == (gid_t)-1) || fchown (fd, owner, group) == 0)
          && ((!made && !wanted->mode.set) || fchmod (fd, mode) == 0);
  if (!built)
    system_error (error, "cannot set owner and mode of", def->path);
  close (fd);
  return built;
}

/* Of a pool that is no longer active whether or not that can be written down. */
static void
forget_status (const PoolWork *work)
{
  g_autoptr (GError) error = NULL;

  if (!pool_files_remove_status (work->settings, work->def->name, &error))
    g_warning ("%s", error->message);
}

static gpointer
start_job (Job *job, gpointer input, GError **error)
{
  PoolWork *work = input;

  if ((work->flags & VIR_STORAGE_POOL_CREATE_WITH_BUILD) && !build_directory (work->def, error)) {
    forget_status (work);
    return NULL;
  }
  work->scan = storage_scan (job, work->def->path, error);
  if (work->scan != NULL && pool_files_save_status (work->settings, work->def, error))
    return JOB_OK;
  /* One that was active before this daemon has been left by the one before. */
  forget_status (work);
  return NULL;
}

static void
start_done (G_GNUC_UNUSED gpointer result, const GError *error, gpointer data)
{
  PoolWork *work = data;
  StoragePool *pool = work->pool;
  Manager *manager = pool->manager;
  g_autofree char *uuid = g_strdup (pool->def->uuid);

  if (error == NULL) {
    storage_pool_commit_scan (pool, work->scan);
    storage_pool_started (pool);
    finish (manager, uuid, work->call, work->answer, NULL);
    return;
  }
  if (work->call == NULL)
    g_warning ("storage pool '%s' does not start: %s", pool->def->name, error->message);
  storage_pool_start_failed (pool);
  finish (manager, uuid, work->call, NULL, error);
}

void
storage_pool_start (StoragePool *pool, Call *call, guint flags, GVariant *answer)
{
  PoolWork *work = work_new (pool, call, flags);

  work->answer = answer != NULL ? g_variant_ref_sink (answer) : NULL;
  job_start ("pool-start", start_job, work, work_free, POOL_JOB_SECONDS, start_done, work);
}

static gpointer
build_job (G_GNUC_UNUSED Job *job, gpointer input, GError **error)
{
  PoolWork *work = input;

  return build_directory (work->def, error) ? JOB_OK : NULL;
}

static void
build_done (G_GNUC_UNUSED gpointer result, const GError *error, gpointer data)
{
  PoolWork *work = data;

  if (error == NULL)
    object_lifecycle_event (&work->pool->object, VIR_STORAGE_POOL_EVENT_CREATED);
  finish (work->pool->manager, work->def->uuid, work->call, NULL, error);
}

void
storage_pool_build (StoragePool *pool, Call *call)
{
  PoolWork *work;

  if (pool->active) {
    GError *error = NULL;

    virt_error_set (&error, VIR_ERR_OPERATION_INVALID, "storage pool '%s' is already active",
                    pool->def->name);
    finish (pool->manager, pool->def->uuid, NULL, NULL, NULL);
    call_fail (call, error);
    return;
  }
  work = work_new (pool, call, 0);
  job_start ("pool-build", build_job, work, work_free, POOL_JOB_SECONDS, build_done, work);
}

static gpointer
refresh_job (Job *job, gpointer input, GError **error)
{
  PoolWork *work = input;

  work->scan = storage_scan (job, work->def->path, error);
  if (work->scan == NULL)
    forget_status (work);
  return work->scan != NULL ? JOB_OK : NULL;
}

/* A pool whose directory cannot be read any more is no active pool. */
static void
refresh_done (G_GNUC_UNUSED gpointer result, const GError *error, gpointer data)
{
  PoolWork *work = data;
  StoragePool *pool = work->pool;
  Manager *manager = pool->manager;
  Call *call = work->call;

  if (error == NULL) {
    storage_pool_commit_scan (pool, work->scan);
    object_event (&pool->object, VIR_STORAGE_POOL_EVENT_ID_REFRESH, g_variant_new_tuple (NULL, 0));
  } else {
    storage_pool_stopped (pool);
  }
  finish (manager, work->def->uuid, call, NULL, error);
}

/* FALSE, with the lock given back and the call failed, unless the pool is (in)active. */
static gboolean
check_state (StoragePool *pool, Call *call, gboolean (*check) (const StoragePool *pool, GError **error))
{
  g_autoptr (GError) error = NULL;

  if (check (pool, &error))
    return TRUE;
  finish (pool->manager, pool->def->uuid, call, NULL, error);
  return FALSE;
}

void
storage_pool_refresh (StoragePool *pool, Call *call)
{
  PoolWork *work;

  if (!check_state (pool, call, storage_pool_check_active))
    return;
  work = work_new (pool, call, 0);
  job_start ("pool-refresh", refresh_job, work, work_free, POOL_JOB_SECONDS, refresh_done, work);
}

static gpointer
stop_job (G_GNUC_UNUSED Job *job, gpointer input, GError **error)
{
  const PoolWork *work = input;

  return pool_files_remove_status (work->settings, work->def->name, error) ? JOB_OK : NULL;
}

static void
stop_done (G_GNUC_UNUSED gpointer result, const GError *error, gpointer data)
{
  PoolWork *work = data;
  Manager *manager = work->pool->manager;

  if (error == NULL)
    storage_pool_stopped (work->pool);
  finish (manager, work->def->uuid, work->call, NULL, error);
}

void
storage_pool_destroy (StoragePool *pool, Call *call)
{
  PoolWork *work;

  if (!check_state (pool, call, storage_pool_check_active))
    return;
  work = work_new (pool, call, 0);
  job_start ("pool-stop", stop_job, work, work_free, POOL_JOB_SECONDS, stop_done, work);
}

static gpointer
delete_job (G_GNUC_UNUSED Job *job, gpointer input, GError **error)
{
  PoolWork *work = input;

  return rmdir (work->def->path) == 0 || system_error (error, "failed to remove pool", work->def->path)
             ? JOB_OK
             : NULL;
}

static void
delete_done (G_GNUC_UNUSED gpointer result, const GError *error, gpointer data)
{
  PoolWork *work = data;

  if (error == NULL)
    object_lifecycle_event (&work->pool->object, VIR_STORAGE_POOL_EVENT_DELETED);
  finish (work->pool->manager, work->def->uuid, work->call, NULL, error);
}

void
storage_pool_delete (StoragePool *pool, Call *call)
{
  PoolWork *work;

  if (!check_state (pool, call, storage_pool_check_inactive))
    return;
  work = work_new (pool, call, 0);
  job_start ("pool-delete", delete_job, work, work_free, POOL_JOB_SECONDS, delete_done, work);
}
