/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Pools when the daemon starts: those on disk are known again, those that were active are active again, and
 * the first daemon since the host's start makes those active that are marked for it. Each is scanned in a
 * job; nobody is served yet, so the main loop runs here until they are, but never long: a directory on a
 * server that does not answer becomes active when it does.
 */
#include "daemon/core/service.h"
#include "daemon/storage/pool-files.h"
#include "daemon/storage/pools.h"

#define LOAD_MILLISECONDS 2000

static void
load_pool (Manager *manager, const PoolFiles *files, gboolean autostart)
{
  StoragePoolDef *def = files->active != NULL ? files->active : files->def;
  g_autoptr (GError) error = NULL;
  StoragePool *same, *pool;

  if (!storage_pools_check (manager, def, FALSE, &same, &error)) {
    g_warning ("storage pool '%s' is skipped: %s", def->name, error->message);
    return;
  }
  pool = storage_pool_add (manager, storage_pool_def_ref (def));
  pool->persistent = files->def != NULL;
  pool->autostart = files->autostart;
  if (files->active != NULL && files->def != NULL)
    pool->next = storage_pool_def_ref (files->def);
  if (files->active == NULL && !(autostart && files->autostart))
    return;
  pool->exclusive = TRUE;
  storage_pool_start (pool, NULL, 0, NULL);
}

static gboolean
is_starting (Manager *manager)
{
  g_autoptr (GPtrArray) pools = storage_pool_list (manager);

  for (guint i = 0; i < pools->len; i++)
    if (((const StoragePool *)g_ptr_array_index (pools, i))->exclusive)
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
storage_pools_load (Manager *manager)
{
  g_autoptr (GHashTable) files = pool_files_load (manager->settings);
  gboolean autostart = service_first_since_boot (manager->settings->run_directory, "storage");
  GHashTableIter iter;
  gpointer found;

  g_hash_table_iter_init (&iter, files);
  while (g_hash_table_iter_next (&iter, NULL, &found))
    load_pool (manager, found, autostart);
  settle (manager);
}
