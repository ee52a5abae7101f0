/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Pools defined as every kind of object is, and pools made for as long as they run.
 */
#include "daemon/ops/object/object-define.h"
#include "daemon/ops/storage/storage.h"

#include <string.h>

/* The call's document. */
static gpointer
parse (G_GNUC_UNUSED Job *job, gpointer input, GError **error)
{
  const Call *call = input;
  g_autoptr (Diagnostics) diagnostics = diagnostics_new (NULL);
  g_autoptr (StoragePoolDef) def =
      storage_pool_def_parse (call_string (call, 0), -1, DOCUMENT_LAX, diagnostics);

  return diagnostics_check (diagnostics, error) ? g_steal_pointer (&def) : NULL;
}

void
op_storage_pool_define_xml (Call *call)
{
  guint flags = call_uint (call, 1);

  if (call_check_flags (call, flags, VIR_STORAGE_POOL_DEFINE_VALIDATE))
    object_define (call, &storage_pool_kind, (flags & VIR_STORAGE_POOL_DEFINE_VALIDATE) != 0);
}

static void
create (Call *call, StoragePoolDef *def)
{
  guint flags = call_uint (call, 1);
  GError *error = NULL;
  StoragePool *pool;

  if (!call_check_pool_create_flags (call, def->name, flags))
    return;
  if (!storage_pools_check_create (call->manager, def, &pool, &error)) {
    call_fail (call, error);
    return;
  }
  if (pool != NULL && !storage_pool_try_lock (pool, "create")) {
    call_fail_with (call, VIR_ERR_INTERNAL_ERROR, "pool '%s' has asynchronous jobs running.", def->name);
    return;
  }
  if (pool == NULL) {
    pool = storage_pool_add (call->manager, storage_pool_def_ref (def));
    storage_pool_try_lock (pool, "create"); /* nobody else has it yet */
  } else {
    pool->next = g_steal_pointer (&pool->def);
    pool->def = storage_pool_def_ref (def);
  }
  storage_pool_start (pool, call, flags,
                      g_variant_new ("(@(say))", storage_pool_kind.handle (&pool->object)));
}

static void
parsed (gpointer result, const GError *error, gpointer data)
{
  g_autoptr (StoragePoolDef) def = result;
  Call *call = data;

  if (def == NULL)
    call_fail (call, g_error_copy (error));
  else
    create (call, def);
}

/* A pool without a file; or one with a file, run from another document this once. */
void
op_storage_pool_create_xml (Call *call)
{
  call_work (call, strlen (call_string (call, 0)), "pool-document", parse, call, NULL, parsed);
}
