/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Pools when the daemon starts: those on disk are known again, those that were active are active again, and
 * the first daemon since the host's start makes those active that are marked for it. Each is scanned in a
 * job; nobody is served yet, so the main loop runs here until they are, but never long: a directory on a
 * server that does not answer becomes active when it does.
 */
#include "daemon/core/service.h"
#include "daemon/storage/formats.h"
#include "daemon/storage/pool-files.h"
#include "daemon/storage/pools.h"

#define LOAD_MILLISECONDS 2000

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
start (StoragePool *pool)
{
  if (storage_pool_try_exclusive (pool, "start"))
    storage_pool_start (pool, NULL, 0, NULL);
}

static gboolean
is_starting (Manager *manager)
{
  g_autoptr (GPtrArray) pools = storage_pool_list (manager);

  for (guint i = 0; i < pools->len; i++)
    if (lock_is_held (((const StoragePool *)g_ptr_array_index (pools, i))->lock))
      return TRUE;
  return FALSE;
}

static gboolean
be_late (gpointer late)
{
  *(gboolean *)late = TRUE;
  return G_SOURCE_REMOVE;
}

static void
settle (Manager *manager)
{
  gboolean late = FALSE;
  guint timer;

  if (!is_starting (manager))
    return;
  timer = g_timeout_add (LOAD_MILLISECONDS, be_late, &late);
  while (!late && is_starting (manager))
    g_main_context_iteration (NULL, TRUE);
  if (!late)
    g_source_remove (timer);
}

void
storage_pools_loaded (Registry *registry)
{
  Manager *manager = registry->manager;
  g_autoptr (GPtrArray) active = pool_files_load (registry->settings);
  gboolean autostart = service_first_since_boot (registry->settings->run_directory, "storage");
  g_autoptr (GPtrArray) pools = NULL;

  storage_formats_open (registry->settings->state_directory);
  for (guint i = 0; i < active->len; i++) {
    StoragePool *pool = take_up (manager, g_ptr_array_index (active, i));

    if (pool != NULL)
      start (pool);
  }
  pools = storage_pool_list (manager);
  for (guint i = 0; i < pools->len; i++) {
    StoragePool *pool = g_ptr_array_index (pools, i);

    if (autostart && pool->autostart)
      start (pool);
  }
  settle (manager);
}
