/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Pools when the daemon starts: those on disk are known again, those that were active are active again, and
 * the first daemon since the host's start makes those active that are marked for it. Each is scanned in a
 * job; clients and machines that start by themselves wait until they are, but never long: a directory on a
 * server that does not answer becomes active when it does.
 */
#include "daemon/core/service.h"
#include "daemon/storage/formats.h"
#include "daemon/storage/pool-files.h"
#include "daemon/storage/pools.h"

#define LOAD_SECONDS 2

typedef struct {
  Registry *registry;
  RegistrySettled settled;
  gpointer data;
  guint pending; /* pools that start, and the reading of which those are */
} Settling;

/* A pool that was active, as it was then: its definition is the next one. One without a definition comes back
 * as well. (transfer none) NULL: it is skipped. */
static StoragePool *
take_up (Manager *manager, StoragePoolDef *def)
{
  g_autoptr (GError) error = NULL;
  StoragePool *pool;

  if (!storage_pools_check_create (manager, def, &pool, &error)) {
    g_warning ("storage pool '%s' is not active any more: %s", def->name, error->message);
    return NULL;
  }
  if (pool == NULL)
    return storage_pool_add (manager, storage_pool_def_ref (def));
  pool->next = g_steal_pointer (&pool->def);
  pool->def = storage_pool_def_ref (def);
  return pool;
}

static void
one_less (Settling *settling)
{
  if (--settling->pending > 0)
    return;
  settling->settled (settling->data);
  g_free (settling);
}

/* The lock is only waited for, and never taken. */
static gboolean
is_over (G_GNUC_UNUSED gpointer data, GError **error)
{
  virt_error_set (error, VIR_ERR_OPERATION_ABORTED, "the pool's start is over");
  return FALSE;
}

static void
is_over_or_late (gpointer data, GError *error)
{
  g_error_free (error);
  one_less (data);
}

/* Who waits for the pool's lock is told when its start is over, or takes too long. */
static void
start (StoragePool *pool, Settling *settling)
{
  const LockRequest end_of_start = { .name = "load",
                                     .shared = TRUE,
                                     .seconds = LOAD_SECONDS,
                                     .check = is_over,
                                     .fail = is_over_or_late,
                                     .data = settling };

  if (!storage_pool_try_lock (pool, "start"))
    return;
  storage_pool_start (pool, NULL, 0, NULL);
  settling->pending++;
  lock_acquire (pool->lock, &end_of_start);
}

static gpointer
read_active (G_GNUC_UNUSED Job *job, gpointer settings, G_GNUC_UNUSED GError **error)
{
  return pool_files_load (settings);
}

static void
active_read (gpointer result, G_GNUC_UNUSED const GError *error, gpointer data)
{
  Settling *settling = data;
  Registry *registry = settling->registry;
  g_autoptr (GPtrArray) active = result, pools = NULL;
  gboolean autostart = service_first_since_boot (registry->settings->run_directory, "storage");

  for (guint i = 0; active != NULL && i < active->len; i++) {
    StoragePool *pool = take_up (registry->manager, g_ptr_array_index (active, i));

    if (pool != NULL)
      start (pool, settling);
  }
  pools = storage_pool_list (registry->manager);
  for (guint i = 0; i < pools->len; i++) {
    StoragePool *pool = g_ptr_array_index (pools, i);

    if (autostart && pool->autostart)
      start (pool, settling);
  }
  one_less (settling);
}

void
storage_pools_loaded (Registry *registry, RegistrySettled settled, gpointer data)
{
  Settling *settling = g_new0 (Settling, 1);

  *settling = (Settling){ registry, settled, data, 1 };
  storage_formats_open (registry->settings->state_directory);
  job_start ("pools", read_active, (gpointer)registry->settings, NULL, 0, active_read, settling);
}
