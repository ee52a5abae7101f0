/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * One storage pool: found, asked about, started, stopped, and the rest of its life. What is asked is answered
 * from what the last scan saw.
 */
#include "daemon/ops/object/object-list.h"
#include "daemon/ops/storage/storage.h"

#define CREATE_KNOWN_FLAGS                                                           \
  (VIR_STORAGE_POOL_CREATE_WITH_BUILD | VIR_STORAGE_POOL_CREATE_WITH_BUILD_OVERWRITE \
   | VIR_STORAGE_POOL_CREATE_WITH_BUILD_NO_OVERWRITE)

StoragePool *
call_storage_pool (Call *call)
{
  return (StoragePool *)call->object;
}

gboolean
call_check_pool_active (Call *call, const StoragePool *pool)
{
  GError *error = NULL;

  if (storage_pool_check_active (pool, &error))
    return TRUE;
  call_fail (call, error);
  return FALSE;
}

/* Whether it is there is asked of the pool alone: a volume's handle is its pool's name and its own. */
void
op_storage_pool_lookup_by_volume (Call *call)
{
  GError *error = NULL;
  const char *name;
  StoragePool *pool;

  g_variant_get_child (call->arguments, 0, "(&s&s&s)", &name, NULL, NULL);
  pool = storage_pool_find_name (call->manager, name, &error);
  object_answer (call, pool != NULL ? &pool->object : NULL, error);
}

void
op_storage_pool_lookup_by_target_path (Call *call)
{
  const char *path = call_string (call, 0);
  g_autofree char *clean = g_canonicalize_filename (path, "/");
  g_autoptr (GPtrArray) pools = storage_pool_list (call->manager);

  for (guint i = 0; i < pools->len; i++) {
    const StoragePool *pool = g_ptr_array_index (pools, i);

    if (path[0] == '/' && pool->active && g_str_equal (pool->def->path, clean)) {
      object_answer (call, &pool->object, NULL);
      return;
    }
  }
  call_fail_with (call, VIR_ERR_NO_STORAGE_POOL, "no storage pool with matching target path '%s'", path);
}

void
op_storage_pool_get_info (Call *call)
{
  const StoragePool *pool = call_storage_pool (call);

  call_answer (call, g_variant_new ("(yttt)",
                                    pool->active                ? VIR_STORAGE_POOL_RUNNING
                                    : lock_is_held (pool->lock) ? VIR_STORAGE_POOL_BUILDING
                                                                : VIR_STORAGE_POOL_INACTIVE,
                                    pool->active ? pool->def->capacity.value : 0,
                                    pool->active ? pool->def->allocation.value : 0,
                                    pool->active ? pool->def->available.value : 0));
}

void
op_storage_pool_get_xml_desc (Call *call)
{
  guint flags = call_uint (call, 1);
  g_autofree char *xml = NULL;
  const StoragePool *pool = call_storage_pool (call);

  if (!call_check_flags (call, flags, VIR_STORAGE_XML_INACTIVE))
    return;
  xml = storage_pool_def_to_xml ((flags & VIR_STORAGE_XML_INACTIVE) && pool->next != NULL ? pool->next
                                                                                          : pool->def);
  call_answer (call, g_variant_new ("(s)", xml));
}

static gboolean
check_overwrite (Call *call, const char *name, guint flags, guint overwrite, guint no_overwrite,
                 const char *which)
{
  if ((flags & overwrite) && (flags & no_overwrite))
    call_fail_with (call, VIR_ERR_INVALID_ARG,
                    "Flags '%s_OVERWRITE' and '%s_NO_OVERWRITE' are mutually exclusive", which, which);
  else if (flags & (overwrite | no_overwrite))
    call_fail_with (call, VIR_ERR_OPERATION_INVALID, "No source device specified when formatting pool '%s'",
                    name);
  else
    return TRUE;
  return FALSE;
}

/* virStoragePoolCreateFlags; there is nothing in a directory to overwrite. */
gboolean
call_check_pool_create_flags (Call *call, const char *name, guint flags)
{
  return call_check_flags (call, flags, CREATE_KNOWN_FLAGS)
         && check_overwrite (call, name, flags, VIR_STORAGE_POOL_CREATE_WITH_BUILD_OVERWRITE,
                             VIR_STORAGE_POOL_CREATE_WITH_BUILD_NO_OVERWRITE,
                             "VIR_STORAGE_POOL_CREATE_WITH_BUILD");
}

static void
create (StoragePool *pool, Call *call)
{
  g_autofree char *uuid = g_strdup (pool->def->uuid);
  Manager *manager = call->manager;

  if (!pool->active) {
    storage_pool_start (pool, call, call_uint (call, 1), NULL);
    return;
  }
  call_fail_with (call, VIR_ERR_OPERATION_INVALID, "storage pool '%s' is already active", pool->def->name);
  storage_pool_unlock (manager, uuid);
}

void
op_storage_pool_create (Call *call)
{
  StoragePool *pool = call_storage_pool (call);

  if (call_check_pool_create_flags (call, pool->def->name, call_uint (call, 1)))
    storage_pool_lock (pool, call, create);
}

void
op_storage_pool_build (Call *call)
{
  guint flags = call_uint (call, 1);
  StoragePool *pool = call_storage_pool (call);

  /* VIR_STORAGE_POOL_BUILD_REPAIR and _RESIZE are known, and mean nothing to a directory. */
  if (call_check_flags (call, flags,
                        VIR_STORAGE_POOL_BUILD_REPAIR | VIR_STORAGE_POOL_BUILD_RESIZE
                            | VIR_STORAGE_POOL_BUILD_OVERWRITE | VIR_STORAGE_POOL_BUILD_NO_OVERWRITE)
      && check_overwrite (call, pool->def->name, flags, VIR_STORAGE_POOL_BUILD_OVERWRITE,
                          VIR_STORAGE_POOL_BUILD_NO_OVERWRITE, "VIR_STORAGE_POOL_BUILD"))
    storage_pool_lock (pool, call, storage_pool_build);
}

void
op_storage_pool_refresh (Call *call)
{
  if (call_check_flags (call, call_uint (call, 1), 0))
    storage_pool_lock (call_storage_pool (call), call, storage_pool_refresh);
}

void
op_storage_pool_destroy (Call *call)
{
  storage_pool_lock (call_storage_pool (call), call, storage_pool_destroy);
}

void
op_storage_pool_delete (Call *call)
{
  if (call_check_flags (call, call_uint (call, 1), VIR_STORAGE_POOL_DELETE_ZEROED))
    storage_pool_lock (call_storage_pool (call), call, storage_pool_delete);
}
