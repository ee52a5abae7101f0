/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Pools as a kind of object, and what they know of their volumes. Volumes can be many and are looked up in
 * their order.
 */
#include "daemon/storage/pools.h"

#include "daemon/core/main-loop.h"

static Registry *
registry_of (Manager *manager)
{
  return manager_registry (manager, &storage_pool_kind);
}

StoragePool *
storage_pool_find_name (Manager *manager, const char *name, GError **error)
{
  MAIN_LOOP_ONLY ();

  return (StoragePool *)registry_find_name (registry_of (manager), name, error);
}

StoragePool *
storage_pool_find_uuid (Manager *manager, const char *uuid, GError **error)
{
  MAIN_LOOP_ONLY ();

  return (StoragePool *)registry_find_uuid (registry_of (manager), uuid, error);
}

GPtrArray *
storage_pool_list (Manager *manager)
{
  MAIN_LOOP_ONLY ();

  return registry_list (registry_of (manager));
}

/* Two pools cannot have one directory. */
static gboolean
check_path (Registry *registry, const Object *same, gconstpointer data, GError **error)
{
  const StoragePoolDef *def = data;
  g_autoptr (GPtrArray) all = registry_list (registry);

  for (guint i = 0; i < all->len; i++) {
    const StoragePool *other = g_ptr_array_index (all, i);

    if (&other->object != same && g_str_equal (other->def->path, def->path)) {
      virt_error_set (error, VIR_ERR_OPERATION_FAILED, "Storage source conflict with pool: '%s'",
                      other->name);
      return FALSE;
    }
  }
  return TRUE;
}

gboolean
storage_pools_check_create (Manager *manager, const StoragePoolDef *def, StoragePool **ret_pool,
                            GError **error)
{
  Registry *registry = registry_of (manager);
  Object *same;

  if (!registry_check_identity (registry, def->name, def->uuid, &same, error))
    return FALSE;
  if (same != NULL && (same->active || lock_is_held (same->lock))) {
    virt_error_set (error, VIR_ERR_OPERATION_INVALID, "pool is already active as '%s'", def->name);
    return FALSE;
  }
  *ret_pool = (StoragePool *)same;
  return check_path (registry, same, def, error);
}

StoragePool *
storage_pool_add (Manager *manager, StoragePoolDef *def)
{
  MAIN_LOOP_ONLY ();

  StoragePool *pool = (StoragePool *)registry_add (registry_of (manager), def->name, def->uuid);

  pool->def = def;
  return pool;
}

static void
init (Object *object)
{
  StoragePool *pool = (StoragePool *)object;

  pool->volumes = g_ptr_array_new_with_free_func ((GDestroyNotify)storage_volume_def_unref);
  pool->in_use = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
}

static void
clear (Object *object)
{
  StoragePool *pool = (StoragePool *)object;

  storage_pool_def_unref (pool->def);
  storage_pool_def_unref (pool->next);
  g_ptr_array_unref (pool->volumes);
  g_hash_table_unref (pool->in_use);
}

/* A pool that is used stays as it is until it stops. */
static void
define (Object *object, gpointer def)
{
  StoragePool *pool = (StoragePool *)object;
  StoragePoolDef **place =
      pool->def != NULL && (pool->active || lock_is_held (pool->lock)) ? &pool->next : &pool->def;

  storage_pool_def_unref (*place);
  *place = storage_pool_def_ref (def);
}

static gboolean
check_undefine (const Object *object, GError **error)
{
  if (!storage_pool_check_inactive ((const StoragePool *)object, error))
    return FALSE;
  if (lock_shared (object->lock) == 0)
    return TRUE;
  virt_error_set (error, VIR_ERR_INTERNAL_ERROR, "pool '%s' has asynchronous jobs running.", object->name);
  return FALSE;
}

static GVariant *
handle (const Object *object)
{
  return g_variant_new ("(s@ay)", object->name, call_uuid_value (object->uuid));
}

#define TYPE_FLAGS                                                                 \
  (VIR_CONNECT_LIST_STORAGE_POOLS_DIR | VIR_CONNECT_LIST_STORAGE_POOLS_FS          \
   | VIR_CONNECT_LIST_STORAGE_POOLS_NETFS | VIR_CONNECT_LIST_STORAGE_POOLS_LOGICAL \
   | VIR_CONNECT_LIST_STORAGE_POOLS_DISK | VIR_CONNECT_LIST_STORAGE_POOLS_ISCSI    \
   | VIR_CONNECT_LIST_STORAGE_POOLS_SCSI | VIR_CONNECT_LIST_STORAGE_POOLS_MPATH    \
   | VIR_CONNECT_LIST_STORAGE_POOLS_RBD | VIR_CONNECT_LIST_STORAGE_POOLS_SHEEPDOG  \
   | VIR_CONNECT_LIST_STORAGE_POOLS_GLUSTER | VIR_CONNECT_LIST_STORAGE_POOLS_ZFS   \
   | VIR_CONNECT_LIST_STORAGE_POOLS_VSTORAGE | VIR_CONNECT_LIST_STORAGE_POOLS_ISCSI_DIRECT)

static gboolean
passes (const Object *object, guint flags)
{
  return object_flag_passes (flags, VIR_CONNECT_LIST_STORAGE_POOLS_ACTIVE,
                             VIR_CONNECT_LIST_STORAGE_POOLS_INACTIVE, object->active)
         && object_flag_passes (flags, VIR_CONNECT_LIST_STORAGE_POOLS_PERSISTENT,
                                VIR_CONNECT_LIST_STORAGE_POOLS_TRANSIENT, object->persistent)
         && object_flag_passes (flags, VIR_CONNECT_LIST_STORAGE_POOLS_AUTOSTART,
                                VIR_CONNECT_LIST_STORAGE_POOLS_NO_AUTOSTART, object->autostart)
         && ((flags & TYPE_FLAGS) == 0 || (flags & VIR_CONNECT_LIST_STORAGE_POOLS_DIR) != 0);
}

static const char *const interfaces[] = { "org.libvirt.StoragePool", NULL };

const ObjectKind storage_pool_kind = {
  .letter = 'S',
  .name = "storage pool",
  .short_name = "pool",
  .missing = VIR_ERR_NO_STORAGE_POOL,
  .origin = VIR_FROM_STORAGE,
  .family = EVENT_STORAGE_POOL,
  .path_element = "storagepool",
  .interfaces = interfaces,
  .lifecycle_signal = "StoragePoolEvent",
  .key = 1,
  .defined = VIR_STORAGE_POOL_EVENT_DEFINED,
  .undefined = VIR_STORAGE_POOL_EVENT_UNDEFINED,
  .transient = VIR_ERR_INVALID_ARG,
  .no_autostart = "pool has no config file",
  .folder = "storage",
  .autostart_folders = { "storage/autostart", NULL },
  .document = &storage_pool_usable_document,
  .size = sizeof (StoragePool),
  .init = init,
  .clear = clear,
  .handle = handle,
  .list_flags = VIR_CONNECT_LIST_STORAGE_POOLS_INACTIVE | VIR_CONNECT_LIST_STORAGE_POOLS_ACTIVE
                | VIR_CONNECT_LIST_STORAGE_POOLS_PERSISTENT | VIR_CONNECT_LIST_STORAGE_POOLS_TRANSIENT
                | VIR_CONNECT_LIST_STORAGE_POOLS_AUTOSTART | VIR_CONNECT_LIST_STORAGE_POOLS_NO_AUTOSTART
                | TYPE_FLAGS,
  .passes = passes,
  .check = check_path,
  .define = define,
  .check_undefine = check_undefine,
  .loaded = storage_pools_loaded,
};

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
  pool->active = TRUE;
  object_lifecycle_event (&pool->object, VIR_STORAGE_POOL_EVENT_STARTED);
}

/* What is defined is what is in use, and nothing else is known. */
static void
fall_back (StoragePool *pool)
{
  pool->active = FALSE;
  g_ptr_array_set_size (pool->volumes, 0);
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
    registry_remove (&pool->object);
}

void
storage_pool_stopped (StoragePool *pool)
{
  fall_back (pool);
  object_lifecycle_event (&pool->object, VIR_STORAGE_POOL_EVENT_STOPPED);
  if (!pool->persistent)
    registry_remove (&pool->object);
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
  g_autoptr (GPtrArray) pools = storage_pool_list (manager);

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

GVariant *
storage_volume_value (const StoragePool *pool, const StorageVolumeDef *volume)
{
  return g_variant_new ("(sss)", pool->name, volume->name, volume->key);
}

static GVariant *
find_volume (Manager *manager, const char *key, GError **error)
{
  StoragePool *pool;
  StorageVolumeDef *volume = storage_volume_find_path (manager, key, &pool);

  if (volume != NULL)
    return storage_volume_value (pool, volume);
  virt_error_set (error, VIR_ERR_NO_STORAGE_VOL, "no storage vol with matching key %s", key);
  return NULL;
}

static void
list_volumes (Manager *manager, GPtrArray *handles)
{
  g_autoptr (GPtrArray) pools = storage_pool_list (manager);

  for (guint i = 0; i < pools->len; i++) {
    const StoragePool *pool = g_ptr_array_index (pools, i);

    for (guint v = 0; v < pool->volumes->len; v++)
      g_ptr_array_add (
          handles, g_variant_ref_sink (storage_volume_value (pool, g_ptr_array_index (pool->volumes, v))));
  }
}

static const char *const volume_interfaces[] = { "org.libvirt.StorageVol", NULL };

/* Volumes belong to their pools: nobody defines them, and they tell of nothing. */
const ObjectKind storage_volume_kind = {
  .letter = 'V',
  .name = "storage vol",
  .short_name = "volume",
  .missing = VIR_ERR_NO_STORAGE_VOL,
  .origin = VIR_FROM_STORAGE,
  .path_element = "storagevol",
  .interfaces = volume_interfaces,
  .key = 2,
  .document = &storage_volume_document,
  .find_handle = find_volume,
  .list_handles = list_volumes,
};

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
