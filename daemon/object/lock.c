/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * The lock. Giving it on runs callbacks that may release it again, close it, or free the object it belongs
 * to; so the queue is worked off by one loop, which holds a reference and reads everything anew each time.
 */
#include "daemon/object/lock.h"

#include "daemon/core/main-loop.h"

struct Lock {
  gint ref_count;
  char *what;
  guint waiting_max;
  gboolean held;
  gconstpointer holder;
  const char *name;
  gint64 since;
  guint shared;
  GQueue waiting; /* Waiting */
  gboolean giving;
  void (*released) (gpointer data); /* or NULL */
  gpointer released_data;
  GError *closed; /* what those who come are answered; NULL: it is open */
};

typedef struct {
  Lock *lock;
  LockRequest request;
  guint timeout; /* source */
} Waiting;

Lock *
lock_new (const char *what, guint waiting_max)
{
  Lock *lock = g_new0 (Lock, 1);

  lock->ref_count = 1;
  lock->what = g_strdup (what);
  lock->waiting_max = waiting_max;
  g_queue_init (&lock->waiting);
  return lock;
}

Lock *
lock_ref (Lock *lock)
{
  lock->ref_count++;
  return lock;
}

static void
waiting_free (Waiting *waiting)
{
  if (waiting->timeout != 0)
    g_source_remove (waiting->timeout);
  g_free (waiting);
}

static void
fail_all (Lock *lock, const GError *error)
{
  Waiting *waiting;

  while ((waiting = g_queue_pop_head (&lock->waiting)) != NULL) {
    LockRequest request = waiting->request;

    waiting_free (waiting);
    request.fail (request.data, g_error_copy (error));
  }
}

void
lock_unref (Lock *lock)
{
  if (lock == NULL || --lock->ref_count > 0)
    return;
  g_assert (g_queue_is_empty (&lock->waiting)); /* who lets an object go closes its lock */
  g_clear_error (&lock->closed);
  g_free (lock->what);
  g_free (lock);
}

void
lock_close (Lock *lock, const GError *error)
{
  MAIN_LOOP_ONLY ();

  lock_ref (lock);
  lock->released = NULL;
  if (lock->closed == NULL)
    lock->closed = g_error_copy (error);
  fail_all (lock, error);
  lock_unref (lock);
}

void
lock_rename (Lock *lock, const char *what)
{
  g_free (lock->what);
  lock->what = g_strdup (what);
}

void
lock_set_released (Lock *lock, void (*released) (gpointer data), gpointer data)
{
  lock->released = released;
  lock->released_data = data;
}

static gboolean
is_free_for (const Lock *lock, const LockRequest *request)
{
  return !lock->held && (request->shared || lock->shared == 0);
}

static void
hold (Lock *lock, const char *name, gconstpointer holder)
{
  lock->held = TRUE;
  lock->holder = holder;
  lock->name = name;
  lock->since = g_get_monotonic_time ();
}

static void
begin (Lock *lock, const LockRequest *request)
{
  if (request->shared)
    lock->shared++;
  else
    hold (lock, request->name, request->holder);
  request->begin (request->data);
}

/* The first that waits, if it need not wait any more: begun, or failed by its own check. */
static gboolean
give_to_first (Lock *lock)
{
  Waiting *waiting = g_queue_peek_head (&lock->waiting);
  LockRequest request;
  GError *error = NULL;

  if (waiting == NULL || lock->held)
    return FALSE;
  request = waiting->request;
  if (request.check != NULL && !request.check (request.data, &error)) {
    g_queue_pop_head (&lock->waiting);
    waiting_free (waiting);
    request.fail (request.data, error);
    return TRUE;
  }
  if (!is_free_for (lock, &request))
    return FALSE;
  g_queue_pop_head (&lock->waiting);
  waiting_free (waiting);
  begin (lock, &request);
  return TRUE;
}

static void
give_on (Lock *lock)
{
  if (lock->giving)
    return;
  lock_ref (lock);
  lock->giving = TRUE;
  while (give_to_first (lock))
    ;
  lock->giving = FALSE;
  lock_unref (lock);
}

static gboolean
waited_too_long (gpointer data)
{
  Waiting *waiting = data;
  Lock *lock = waiting->lock;
  LockRequest request = waiting->request;
  GError *error = NULL;

  waiting->timeout = 0;
  g_queue_remove (&lock->waiting, waiting);
  waiting_free (waiting);
  virt_error_set (&error, VIR_ERR_OPERATION_TIMEOUT,
                  "cannot acquire state change lock (held by %s for %" G_GINT64_FORMAT " seconds)",
                  lock->held && lock->name != NULL ? lock->name : "another call",
                  lock->held ? (g_get_monotonic_time () - lock->since) / G_USEC_PER_SEC : 0);
  request.fail (request.data, error);
  return G_SOURCE_REMOVE;
}

static void
wait_for (Lock *lock, const LockRequest *request)
{
  Waiting *waiting = g_new0 (Waiting, 1);

  waiting->lock = lock;
  waiting->request = *request;
  g_queue_push_tail (&lock->waiting, waiting);
  if (request->seconds > 0)
    waiting->timeout = g_timeout_add_seconds (request->seconds, waited_too_long, waiting);
}

void
lock_acquire (Lock *lock, const LockRequest *request)
{
  MAIN_LOOP_ONLY ();

  GError *error = NULL;

  if (lock->closed != NULL) {
    request->fail (request->data, g_error_copy (lock->closed));
    return;
  }
  if ((lock->held || lock->waiting.length > 0) && lock->waiting.length >= lock->waiting_max) {
    virt_error_set (&error, VIR_ERR_OPERATION_FAILED,
                    "cannot acquire state change lock due to max_queued limit (%u calls wait for %s)",
                    lock->waiting_max, lock->what);
    request->fail (request->data, error);
    return;
  }
  wait_for (lock, request);
  give_on (lock);
}

gboolean
lock_try (Lock *lock, const char *name, gconstpointer holder)
{
  MAIN_LOOP_ONLY ();

  if (lock->held || lock->shared > 0)
    return FALSE;
  hold (lock, name, holder);
  return TRUE;
}

gboolean
lock_try_shared (Lock *lock)
{
  MAIN_LOOP_ONLY ();

  if (lock->held)
    return FALSE;
  lock->shared++;
  return TRUE;
}

void
lock_pass (Lock *lock, gconstpointer from, gconstpointer to, const char *name)
{
  g_return_if_fail (lock->held && lock->holder == from);
  lock->holder = to;
  if (name != NULL)
    lock->name = name;
}

void
lock_release (Lock *lock, gconstpointer holder)
{
  MAIN_LOOP_ONLY ();

  if (!lock->held || lock->holder != holder)
    return;
  lock->held = FALSE;
  lock->holder = NULL;
  lock->name = NULL;
  lock_ref (lock);
  if (lock->released != NULL)
    lock->released (lock->released_data);
  give_on (lock);
  lock_unref (lock);
}

void
lock_release_shared (Lock *lock)
{
  MAIN_LOOP_ONLY ();

  g_return_if_fail (lock->shared > 0);
  lock->shared--;
  give_on (lock);
}

gboolean
lock_is_held (const Lock *lock)
{
  return lock->held;
}

guint
lock_shared (const Lock *lock)
{
  return lock->shared;
}

const char *
lock_name (const Lock *lock)
{
  return lock->held ? lock->name : NULL;
}

gint64
lock_since (const Lock *lock)
{
  return lock->since;
}
