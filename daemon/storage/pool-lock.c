/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * The lock of a pool as its operations use it. Jobs about volumes share it; a job about the pool as a whole
 * has it alone, and may go on when nobody waits for its answer: the pool itself is the holder.
 */
#include "daemon/call/operation.h"
#include "daemon/storage/pools.h"

typedef struct {
  StoragePool *pool; /* is there as long as its lock is not closed */
  Call *call;
  StoragePoolBegin begin;
} PoolRequest;

static gboolean
check_idle (gpointer data, GError **error)
{
  const PoolRequest *request = data;

  if (lock_shared (request->pool->lock) == 0)
    return TRUE;
  virt_error_set (error, VIR_ERR_INTERNAL_ERROR, "pool '%s' has asynchronous jobs running.",
                  request->pool->name);
  return FALSE;
}

static void
begin (gpointer data)
{
  g_autofree PoolRequest *request = data;

  request->begin (request->pool, request->call);
}

static void
fail (gpointer data, GError *error)
{
  g_autofree PoolRequest *request = data;

  call_fail (request->call, error);
}

static void
acquire (StoragePool *pool, Call *call, StoragePoolBegin begin_locked, gboolean shared)
{
  PoolRequest wanted = { pool, call, begin_locked };
  LockRequest request = { .name = call->operation->name,
                          .holder = pool,
                          .shared = shared,
                          .check = shared ? NULL : check_idle,
                          .begin = begin,
                          .fail = fail,
                          .data = g_memdup2 (&wanted, sizeof wanted) };

  lock_acquire (pool->lock, &request);
}

void
storage_pool_lock (StoragePool *pool, Call *call, StoragePoolBegin begin_locked)
{
  acquire (pool, call, begin_locked, FALSE);
}

void
storage_pool_lock_shared (StoragePool *pool, Call *call, StoragePoolBegin begin_locked)
{
  acquire (pool, call, begin_locked, TRUE);
}

gboolean
storage_pool_try_lock (StoragePool *pool, const char *name)
{
  return lock_try (pool->lock, name, pool);
}

void
storage_pool_unlock (Manager *manager, const char *uuid)
{
  StoragePool *pool = storage_pool_find_uuid (manager, uuid, NULL);

  if (pool != NULL)
    lock_release (pool->lock, pool);
}

void
storage_pool_unlock_shared (StoragePool *pool)
{
  lock_release_shared (pool->lock);
}
