/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "base/virt-error.h"

/*
 * One change at a time: the lock of one object. Who holds it is named by a pointer that is only compared: a
 * call, a job, a running machine. The holder may outlive the call that began it (lock_pass). Those who wait
 * are callbacks, without a thread, in the order in which they came. Work on parts of an object (a pool's
 * volumes) may share the lock. Main loop only.
 *
 * A lock has references: an object may go away while its lock is being given on.
 */
typedef struct Lock Lock;

typedef struct {
  const char *name;     /* static: what is done, for those who wait: "start" */
  gconstpointer holder; /* whose the lock is then */
  gboolean shared;
  guint seconds; /* it waits at most so long; 0: until the lock is free or closed */
  /* It would get the lock now: is it still wanted? FALSE with @error: failed, and the next one gets it. Or
   * NULL. */
  gboolean (*check) (gpointer data, GError **error);
  void (*begin) (gpointer data);
  void (*fail) (gpointer data, GError *error); /* takes @error; it has not begun, and will not */
  gpointer data;
} LockRequest;

/* @what, for messages, is copied: "domain 'web'". @waiting_max: requests that may wait. */
Lock *lock_new (const char *what, guint waiting_max);
Lock *lock_ref (Lock *lock);
void lock_unref (Lock *lock);
/* Its object is gone: all who wait fail with a copy of @error, and so do all who come. */
void lock_close (Lock *lock, const GError *error);
void lock_rename (Lock *lock, const char *what);
/* Called whenever it has been released by one who held it alone, before the next one has it; no longer once
 * the lock is closed. */
void lock_set_released (Lock *lock, void (*released) (gpointer data), gpointer data);

/* Exactly one of begin and fail follows, perhaps at once. */
void lock_acquire (Lock *lock, const LockRequest *request);
/* Held from now on, without a callback; FALSE when somebody holds it, shared or not. */
gboolean lock_try (Lock *lock, const char *name, gconstpointer holder);
/* The same, shared; FALSE when somebody holds it alone. */
gboolean lock_try_shared (Lock *lock);
/* What @from holds is @to's, and called @name (NULL: as before). */
void lock_pass (Lock *lock, gconstpointer from, gconstpointer to, const char *name);
/* Nothing happens unless @holder holds it: the lock may have been passed on. The next one gets it. */
void lock_release (Lock *lock, gconstpointer holder);
void lock_release_shared (Lock *lock);

gboolean lock_is_held (const Lock *lock); /* by one alone */
guint lock_shared (const Lock *lock);     /* by so many together */
/* What the holder does; NULL: it is not held. */
const char *lock_name (const Lock *lock);
gint64 lock_since (const Lock *lock); /* g_get_monotonic_time, while it is held */
