/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Whose turn it is with a pool. Jobs about volumes run side by side; a job about the pool as a whole runs
 * alone. Turns are given in the order they were asked for.
 */
#include "daemon/storage/pools.h"

typedef struct {
  Call *call;
  StorageTurn begin;
  gboolean exclusive;
} Waiting;

static gboolean
refuse_busy (StoragePool *pool, Call *call)
{
  if (pool->shared == 0)
    return FALSE;
  call_fail_with (call, VIR_ERR_INTERNAL_ERROR, "pool '%s' has asynchronous jobs running.", pool->def->name);
  return TRUE;
}

static void
take_turn (StoragePool *pool, const Waiting *turn)
{
  if (turn->exclusive) {
    if (refuse_busy (pool, turn->call))
      return;
    pool->exclusive = TRUE;
  } else {
    pool->shared++;
  }
  turn->begin (pool, turn->call);
}

static void
ask (StoragePool *pool, Call *call, StorageTurn begin, gboolean exclusive)
{
  Waiting turn = { call, begin, exclusive };

  if (!pool->exclusive)
    take_turn (pool, &turn);
  else if (pool->waiting.length >= STORAGE_WAITING_MAX)
    call_fail_with (call, VIR_ERR_RESOURCE_BUSY, "%d calls wait for storage pool '%s' already",
                    STORAGE_WAITING_MAX, pool->def->name);
  else
    g_queue_push_tail (&pool->waiting, g_memdup2 (&turn, sizeof turn));
}

void
storage_pool_exclusive (StoragePool *pool, Call *call, StorageTurn begin)
{
  ask (pool, call, begin, TRUE);
}

void
storage_pool_shared (StoragePool *pool, Call *call, StorageTurn begin)
{
  ask (pool, call, begin, FALSE);
}

void
storage_pool_exclusive_done (Manager *manager, const char *given)
{
  g_autofree char *uuid = g_strdup (given); /* it may be the pool's own */
  StoragePool *pool = storage_pool_find_uuid (manager, uuid, NULL);

  if (pool == NULL)
    return;
  pool->exclusive = FALSE;
  /* A turn may end at once, and end the pool. */
  while ((pool = storage_pool_find_uuid (manager, uuid, NULL)) != NULL && !pool->exclusive) {
    g_autofree Waiting *turn = g_queue_pop_head (&pool->waiting);

    if (turn == NULL)
      return;
    take_turn (pool, turn);
  }
}

void
storage_pool_shared_done (StoragePool *pool)
{
  pool->shared--;
}

void
storage_pool_fail_waiting (StoragePool *pool)
{
  Waiting *turn;

  while ((turn = g_queue_pop_head (&pool->waiting)) != NULL) {
    call_fail_with (turn->call, VIR_ERR_NO_STORAGE_POOL, "no storage pool with matching name '%s'",
                    pool->def->name);
    g_free (turn);
  }
}
