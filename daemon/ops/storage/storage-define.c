/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Pools defined, made for as long as they run, marked for autostart and forgotten. What is written to disk
 * goes through the daemon's one queue of changes (change.h), so that no name is given twice.
 */
#include "daemon/object/change.h"
#include "daemon/ops/storage/storage.h"
#include "daemon/storage/pool-files.h"

typedef struct {
  Call *call;
  char *uuid; /* of the pool it is about */
  char *name, *xml;
  StoragePoolDef *def;
  gboolean autostart;
} PoolChange;

static void
change_free (gpointer data)
{
  PoolChange *change = data;

  g_free (change->uuid);
  g_free (change->name);
  g_free (change->xml);
  storage_pool_def_unref (change->def);
  g_free (change);
}

/* The document; NULL, and the call failed, when it is wrong. Short, and read at once. */
static StoragePoolDef *
parse (Call *call, gboolean strict)
{
  g_autoptr (Diagnostics) diagnostics = diagnostics_new (NULL);
  StoragePoolDef *def =
      storage_pool_def_parse (call_string (call, 0), -1, strict ? 0 : STORAGE_READ_LAX, diagnostics);
  GError *error = NULL;

  if (!diagnostics_check (diagnostics, &error)) {
    g_clear_pointer (&def, storage_pool_def_unref);
    call_fail (call, error);
  }
  return def;
}

static gboolean
define_check (Manager *manager, gpointer data, GError **error)
{
  PoolChange *change = data;
  StoragePool *pool;

  return storage_pools_check (manager, change->def, FALSE, &pool, error);
}

static gboolean
define_write (G_GNUC_UNUSED Store *store, gpointer data, GError **error)
{
  PoolChange *change = data;

  return pool_files_save (change->call->manager->settings, change->def->name, change->xml, error);
}

static void
define_done (Manager *manager, gpointer data, const GError *error)
{
  PoolChange *change = data;
  StoragePool *pool;

  if (error != NULL) {
    call_fail (change->call, g_error_copy (error));
    return;
  }
  pool = storage_pool_find_uuid (manager, change->def->uuid, NULL);
  if (pool == NULL) {
    pool = storage_pool_add (manager, storage_pool_def_ref (change->def));
  } else if (pool->active || pool->exclusive) {
    storage_pool_def_unref (pool->next);
    pool->next = storage_pool_def_ref (change->def);
  } else {
    storage_pool_def_unref (pool->def);
    pool->def = storage_pool_def_ref (change->def);
  }
  pool->persistent = TRUE;
  storage_pool_event (pool, VIR_STORAGE_POOL_EVENT_DEFINED);
  call_answer_storage_pool (change->call, pool, NULL);
}

static const ChangeKind define_change = { "pool-define", define_check, define_write, define_done };

void
op_storage_pool_define_xml (Call *call)
{
  guint flags = call_uint (call, 1);
  PoolChange *change;
  StoragePoolDef *def;

  if (!call_check_flags (call, flags, VIR_STORAGE_POOL_DEFINE_VALIDATE)
      || (def = parse (call, (flags & VIR_STORAGE_POOL_DEFINE_VALIDATE) != 0)) == NULL)
    return;
  change = g_new0 (PoolChange, 1);
  change->call = call;
  change->def = def;
  change->xml = storage_pool_def_to_xml (def);
  change_start (call->manager, &define_change, change, change_free);
}

/* A pool without a file; or one with a file, run from another document this once. */
void
op_storage_pool_create_xml (Call *call)
{
  guint flags = call_uint (call, 1);
  g_autoptr (StoragePoolDef) def = NULL;
  GError *error = NULL;
  StoragePool *pool;

  if ((def = parse (call, FALSE)) == NULL || !call_check_pool_create_flags (call, def->name, flags))
    return;
  if (!storage_pools_check (call->manager, def, TRUE, &pool, &error)) {
    call_fail (call, error);
    return;
  }
  if (pool == NULL) {
    pool = storage_pool_add (call->manager, storage_pool_def_ref (def));
  } else {
    pool->next = g_steal_pointer (&pool->def);
    pool->def = storage_pool_def_ref (def);
  }
  pool->exclusive = TRUE;
  storage_pool_start (pool, call, flags, g_variant_new ("(@(say))", storage_pool_value (def)));
}

static StoragePool *
find (Manager *manager, const PoolChange *change, const char *doing, GError **error)
{
  StoragePool *pool = storage_pool_find_uuid (manager, change->uuid, error);

  if (pool == NULL || pool->persistent)
    return pool;
  virt_error_set (error, VIR_ERR_INVALID_ARG, "cannot %s transient pool", doing);
  return NULL;
}

static gboolean
undefine_check (Manager *manager, gpointer data, GError **error)
{
  PoolChange *change = data;
  StoragePool *pool = find (manager, change, "undefine", error);

  if (pool == NULL || !storage_pool_check_inactive (pool, error))
    return FALSE;
  if (pool->exclusive) {
    virt_error_set (error, VIR_ERR_INTERNAL_ERROR, "pool '%s' has asynchronous jobs running.",
                    pool->def->name);
    return FALSE;
  }
  change->name = g_strdup (pool->def->name);
  pool->exclusive = TRUE; /* nobody starts it meanwhile */
  return TRUE;
}

static gboolean
undefine_write (G_GNUC_UNUSED Store *store, gpointer data, GError **error)
{
  PoolChange *change = data;

  return pool_files_remove (change->call->manager->settings, change->name, error);
}

static void
undefine_done (Manager *manager, gpointer data, const GError *error)
{
  PoolChange *change = data;
  StoragePool *pool = storage_pool_find_uuid (manager, change->uuid, NULL);

  if (error == NULL && pool != NULL) {
    pool->persistent = pool->autostart = FALSE;
    storage_pool_event (pool, VIR_STORAGE_POOL_EVENT_UNDEFINED);
    storage_pool_remove (pool);
  } else if (change->name != NULL) { /* its check had passed */
    storage_pool_exclusive_done (manager, change->uuid);
  }
  if (error != NULL)
    call_fail (change->call, g_error_copy (error));
  else
    call_answer_nothing (change->call);
}

static const ChangeKind undefine_change = { "pool-undefine", undefine_check, undefine_write, undefine_done };

static PoolChange *
change_new (Call *call, const StoragePool *pool)
{
  PoolChange *change = g_new0 (PoolChange, 1);

  change->call = call;
  change->uuid = g_strdup (pool->def->uuid);
  return change;
}

void
op_storage_pool_undefine (Call *call)
{
  StoragePool *pool = call_storage_pool (call);

  if (pool != NULL)
    change_start (call->manager, &undefine_change, change_new (call, pool), change_free);
}

static gboolean
autostart_check (Manager *manager, gpointer data, GError **error)
{
  PoolChange *change = data;
  StoragePool *pool = find (manager, change, "set autostart for", error);

  change->name = pool != NULL ? g_strdup (pool->def->name) : NULL;
  return pool != NULL;
}

static gboolean
autostart_write (G_GNUC_UNUSED Store *store, gpointer data, GError **error)
{
  PoolChange *change = data;

  return pool_files_set_autostart (change->call->manager->settings, change->name, change->autostart, error);
}

static void
autostart_done (Manager *manager, gpointer data, const GError *error)
{
  PoolChange *change = data;
  StoragePool *pool = storage_pool_find_uuid (manager, change->uuid, NULL);

  if (error != NULL) {
    call_fail (change->call, g_error_copy (error));
    return;
  }
  if (pool != NULL)
    pool->autostart = change->autostart;
  call_answer_nothing (change->call);
}

static const ChangeKind autostart_change = { "pool-autostart", autostart_check, autostart_write,
                                             autostart_done };

void
op_storage_pool_set_autostart (Call *call)
{
  StoragePool *pool = call_storage_pool (call);
  PoolChange *change;

  if (pool == NULL)
    return;
  change = change_new (call, pool);
  change->autostart = call_int (call, 1) != 0;
  change_start (call->manager, &autostart_change, change, change_free);
}
