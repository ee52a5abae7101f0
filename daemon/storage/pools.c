/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * The registry. Pools are few, so they are found by looking at each; volumes can be many and are looked up
 * in their order.
 */
#include "daemon/storage/pools.h"

#include "daemon/storage/pool-files.h"

struct StoragePools {
  GPtrArray *all; /* StoragePool, ordered by name */
};

static void
pool_free (gpointer data)
{
  StoragePool *pool = data;

  storage_pool_fail_waiting (pool);
  storage_pool_def_unref (pool->def);
  storage_pool_def_unref (pool->next);
  g_ptr_array_unref (pool->volumes);
  g_hash_table_unref (pool->in_use);
  g_free (pool);
}

StoragePools *
storage_pools_new (void)
{
  StoragePools *pools = g_new0 (StoragePools, 1);

  pools->all = g_ptr_array_new_with_free_func (pool_free);
  return pools;
}

void
storage_pools_free (StoragePools *pools)
{
  if (pools == NULL)
    return;
  g_ptr_array_unref (pools->all);
  g_free (pools);
}

static StoragePool *
find (Manager *manager, gboolean (*fits) (const StoragePool *pool, const char *value), const char *value)
{
  GPtrArray *all = manager->storage->all;

  for (guint i = 0; i < all->len; i++)
    if (fits (g_ptr_array_index (all, i), value))
      return g_ptr_array_index (all, i);
  return NULL;
}

static gboolean
has_name (const StoragePool *pool, const char *name)
{
  return g_str_equal (pool->def->name, name);
}

static gboolean
has_uuid (const StoragePool *pool, const char *uuid)
{
  return g_str_equal (pool->def->uuid, uuid);
}

StoragePool *
storage_pool_find_name (Manager *manager, const char *name, GError **error)
{
  StoragePool *pool = find (manager, has_name, name);

  if (pool == NULL)
    virt_error_set (error, VIR_ERR_NO_STORAGE_POOL, "no storage pool with matching name '%s'", name);
  return pool;
}

StoragePool *
storage_pool_find_uuid (Manager *manager, const char *uuid, GError **error)
{
  StoragePool *pool = find (manager, has_uuid, uuid);

  if (pool == NULL)
    virt_error_set (error, VIR_ERR_NO_STORAGE_POOL, "no storage pool with matching uuid '%s'", uuid);
  return pool;
}

GPtrArray *
storage_pool_list (Manager *manager)
{
  GPtrArray *list = g_ptr_array_sized_new (manager->storage->all->len);

  g_ptr_array_extend (list, manager->storage->all, NULL, NULL);
  return list;
}

static gboolean
check_path (Manager *manager, const StoragePoolDef *def, const StoragePool *self, GError **error)
{
  GPtrArray *all = manager->storage->all;

  for (guint i = 0; i < all->len; i++) {
    const StoragePool *other = g_ptr_array_index (all, i);

    if (other != self && g_str_equal (other->def->path, def->path)) {
      virt_error_set (error, VIR_ERR_OPERATION_FAILED, "Storage source conflict with pool: '%s'",
                      other->def->name);
      return FALSE;
    }
  }
  return TRUE;
}

gboolean
storage_pools_check (Manager *manager, const StoragePoolDef *def, gboolean active, StoragePool **ret_pool,
                     GError **error)
{
  StoragePool *same_uuid = find (manager, has_uuid, def->uuid);
  StoragePool *same_name = find (manager, has_name, def->name);

  if (same_uuid != NULL && !has_name (same_uuid, def->name)) {
    virt_error_set (error, VIR_ERR_OPERATION_FAILED, "pool '%s' is already defined with uuid %s",
                    same_uuid->def->name, def->uuid);
    return FALSE;
  }
  if (same_name != NULL && same_name != same_uuid) {
    virt_error_set (error, VIR_ERR_OPERATION_FAILED, "pool '%s' already exists with uuid %s", def->name,
                    same_name->def->uuid);
    return FALSE;
  }
  if (active && same_uuid != NULL && (same_uuid->active || same_uuid->exclusive)) {
    virt_error_set (error, VIR_ERR_OPERATION_INVALID, "pool is already active as '%s'", def->name);
    return FALSE;
  }
  *ret_pool = same_uuid;
  return check_path (manager, def, same_uuid, error);
}

static int
compare_pools (gconstpointer a, gconstpointer b)
{
  return g_strcmp0 ((*(StoragePool *const *)a)->def->name, (*(StoragePool *const *)b)->def->name);
}

StoragePool *
storage_pool_add (Manager *manager, StoragePoolDef *def)
{
  StoragePool *pool = g_new0 (StoragePool, 1);

  pool->manager = manager;
  pool->def = def;
  pool->volumes = g_ptr_array_new_with_free_func ((GDestroyNotify)storage_volume_def_unref);
  pool->in_use = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  g_queue_init (&pool->waiting);
  g_ptr_array_add (manager->storage->all, pool);
  g_ptr_array_sort (manager->storage->all, compare_pools);
  return pool;
}

void
storage_pool_remove (StoragePool *pool)
{
  g_ptr_array_remove (pool->manager->storage->all, pool);
}

gboolean
storage_pool_check_active (const StoragePool *pool, GError **error)
{
  if (!pool->active)
    virt_error_set (error, VIR_ERR_OPERATION_INVALID, "storage pool '%s' is not active", pool->def->name);
  return pool->active;
}

gboolean
storage_pool_check_inactive (const StoragePool *pool, GError **error)
{
  if (pool->active)
    virt_error_set (error, VIR_ERR_OPERATION_INVALID, "storage pool '%s' is still active", pool->def->name);
  return !pool->active;
}

void
storage_pool_event (const StoragePool *pool, int event)
{
  events_storage_pool (pool->manager->events, pool->def->name, pool->def->uuid,
                       VIR_STORAGE_POOL_EVENT_ID_LIFECYCLE, g_variant_new ("(ii)", event, 0));
}

void
storage_pool_commit_scan (StoragePool *pool, StorageScan *scan)
{
  StoragePoolDef *def = storage_pool_def_copy (pool->def);

  def->capacity = NUMBER (scan->capacity);
  def->allocation = NUMBER (scan->allocation);
  def->available = NUMBER (scan->available);
  def->permissions.mode = scan->permissions.mode;
  def->permissions.owner = scan->permissions.owner;
  def->permissions.group = scan->permissions.group;
  /* What was asked for in the document comes back when it stops. */
  if (pool->next == NULL && pool->persistent)
    pool->next = storage_pool_def_ref (pool->def);
  storage_pool_def_unref (pool->def);
  pool->def = def;
  if (scan->volumes != NULL) {
    g_ptr_array_unref (pool->volumes);
    pool->volumes = g_steal_pointer (&scan->volumes);
  }
}

void
storage_pool_started (StoragePool *pool)
{
  g_autofree char *xml = storage_pool_def_to_xml (pool->def);

  pool->active = TRUE;
  pool_files_save_status (pool->manager->settings, pool->def->name, xml);
  storage_pool_event (pool, VIR_STORAGE_POOL_EVENT_STARTED);
}

/* What is defined is what is in use, and nothing else is known. */
static void
fall_back (StoragePool *pool)
{
  pool->active = FALSE;
  g_ptr_array_set_size (pool->volumes, 0);
  pool_files_save_status (pool->manager->settings, pool->def->name, NULL);
  if (pool->next != NULL) {
    storage_pool_def_unref (pool->def);
    pool->def = g_steal_pointer (&pool->next);
  }
}

void
storage_pool_start_failed (StoragePool *pool)
{
  fall_back (pool);
  if (!pool->persistent)
    storage_pool_remove (pool);
}

void
storage_pool_stopped (StoragePool *pool)
{
  fall_back (pool);
  storage_pool_event (pool, VIR_STORAGE_POOL_EVENT_STOPPED);
  if (!pool->persistent)
    storage_pool_remove (pool);
}

/* The place of @name among the volumes, or where it would be. */
static gboolean
search (const StoragePool *pool, const char *name, guint *ret_place)
{
  guint low = 0, high = pool->volumes->len;

  while (low < high) {
    guint middle = low + (high - low) / 2;
    int order = g_strcmp0 (((StorageVolumeDef *)g_ptr_array_index (pool->volumes, middle))->name, name);

    if (order == 0) {
      *ret_place = middle;
      return TRUE;
    }
    if (order < 0)
      low = middle + 1;
    else
      high = middle;
  }
  *ret_place = low;
  return FALSE;
}

StorageVolumeDef *
storage_pool_find_volume (const StoragePool *pool, const char *name, GError **error)
{
  guint place;

  if (search (pool, name, &place))
    return g_ptr_array_index (pool->volumes, place);
  virt_error_set (error, VIR_ERR_NO_STORAGE_VOL, "no storage vol with matching name '%s'", name);
  return NULL;
}

/* Paths are compared as they are written, without doubled '/': the same file can have several. */
StorageVolumeDef *
storage_volume_find_path (Manager *manager, const char *given, StoragePool **ret_pool)
{
  g_autofree char *path = given[0] == '/' ? g_canonicalize_filename (given, "/") : g_strdup (given);
  g_autofree char *directory = g_path_get_dirname (path), *name = g_path_get_basename (path);
  GPtrArray *pools = manager->storage->all;

  for (guint i = 0; i < pools->len; i++) {
    StoragePool *pool = g_ptr_array_index (pools, i);
    StorageVolumeDef *volume = pool->active && g_str_equal (pool->def->path, directory)
                                   ? storage_pool_find_volume (pool, name, NULL)
                                   : NULL;

    if (volume != NULL) {
      *ret_pool = pool;
      return volume;
    }
  }
  return NULL;
}

void
storage_pool_put_volume (StoragePool *pool, StorageVolumeDef *volume)
{
  guint place;

  if (search (pool, volume->name, &place))
    g_ptr_array_remove_index (pool->volumes, place);
  g_ptr_array_insert (pool->volumes, (gint)place, volume);
}

void
storage_pool_drop_volume (StoragePool *pool, const char *name)
{
  guint place;

  if (search (pool, name, &place))
    g_ptr_array_remove_index (pool->volumes, place);
}

void
storage_volume_use (StoragePool *pool, const char *name)
{
  guint users = GPOINTER_TO_UINT (g_hash_table_lookup (pool->in_use, name));

  g_hash_table_replace (pool->in_use, g_strdup (name), GUINT_TO_POINTER (users + 1));
}

void
storage_volume_release (StoragePool *pool, const char *name)
{
  guint users = GPOINTER_TO_UINT (g_hash_table_lookup (pool->in_use, name));

  if (users > 1)
    g_hash_table_replace (pool->in_use, g_strdup (name), GUINT_TO_POINTER (users - 1));
  else
    g_hash_table_remove (pool->in_use, name);
}

gboolean
storage_volume_is_used (const StoragePool *pool, const char *name)
{
  return g_hash_table_contains (pool->in_use, name);
}
