/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * An apply and the readiness of machines (readiness.h): its starts wait for those before them that run, also
 * where somebody else has started these, and where its client asks for it the whole waits, at last, for
 * everything that runs. By then nothing is changed any more, so another apply may begin, and a client that
 * has gone ends the wait.
 */
#include "daemon/ops/apply/apply-run.h"

#include <glib-unix.h>

/* The state of a machine by its name. */
static ReadyState
state_of (const ApplyRun *run, const char *name, Domain **ret_domain)
{
  *ret_domain = manager_find_name (run->call->manager, name, NULL);
  return *ret_domain != NULL ? readiness_state (*ret_domain) : READY_NOT_RUNNING;
}

static gboolean
one_waits (const ApplyRun *run, const GPtrArray *names)
{
  Domain *domain;

  for (guint i = 0; names != NULL && i < names->len; i++)
    if (state_of (run, g_ptr_array_index (names, i), &domain) == READY_WAITING)
      return TRUE;
  return FALSE;
}

gboolean
apply_must_wait (const ApplyRun *run, const PlanItem *item)
{
  return item->policy != NULL
         && (one_waits (run, item->policy->start.after) || one_waits (run, item->policy->start.requires));
}

char *
apply_late_requirement (const ApplyRun *run, const PlanItem *item)
{
  const GPtrArray *names = item->policy != NULL ? item->policy->start.requires : NULL;

  for (guint i = 0; names != NULL && i < names->len; i++) {
    const char *name = g_ptr_array_index (names, i);
    Domain *domain;

    if (state_of (run, name, &domain) == READY_LATE) {
      g_autofree char *missing = readiness_missing (domain);

      return g_strdup_printf ("'%s', which is %s", name, missing);
    }
  }
  return NULL;
}

/* The wait at the end. */

typedef struct {
  ApplyRun *run;
  GPtrArray *items; /* PlanItem: those that may still become ready */
  ReadinessSubscription *subscription;
  guint gone; /* source: nobody reads the progress any more */
  void (*done) (ApplyRun *run);
} Wait;

static void
wait_over (Wait *wait)
{
  ApplyRun *run = wait->run;
  void (*done) (ApplyRun * run) = wait->done;

  readiness_unsubscribe (wait->subscription);
  g_clear_handle_id (&wait->gone, g_source_remove);
  g_ptr_array_unref (wait->items);
  g_free (wait);
  done (run);
}

/* FALSE: it may still become ready. */
static gboolean
settle (ApplyRun *run, const PlanItem *item)
{
  Domain *domain;
  ReadyState state = state_of (run, item->name, &domain);

  if (state == READY_WAITING)
    return FALSE;
  if (state == READY_YES) {
    apply_report (run, item, "ready", NULL);
    return TRUE;
  }
  g_hash_table_insert (run->unready, (gpointer)item,
                       state == READY_LATE ? readiness_missing (domain)
                                           : g_strdup ("it ended before it was ready"));
  return TRUE;
}

static void
look (gpointer data)
{
  Wait *wait = data;

  for (guint i = wait->items->len; i > 0; i--)
    if (settle (wait->run, g_ptr_array_index (wait->items, i - 1)))
      g_ptr_array_remove_index (wait->items, i - 1);
  if (wait->items->len == 0)
    wait_over (wait);
}

static gboolean
client_gone (G_GNUC_UNUSED int fd, G_GNUC_UNUSED GIOCondition condition, gpointer data)
{
  Wait *wait = data;

  wait->gone = 0;
  for (guint i = 0; i < wait->items->len; i++)
    g_hash_table_insert (wait->run->unready, g_ptr_array_index (wait->items, i),
                         g_strdup ("nobody waited for it any more"));
  wait_over (wait);
  return G_SOURCE_REMOVE;
}

/* Machines of the documents that are to run. */
static gboolean
is_to_be_ready (const ApplyRun *run, const PlanItem *item)
{
  Domain *domain;

  return plan_item_is_machine (item) && item->action != PLAN_REMOVE && item->run != PLAN_STOP
         && !g_hash_table_contains (run->failures, item) && policy_waits_ready (item->policy)
         && (item->run != PLAN_LEAVE || state_of (run, item->name, &domain) != READY_NOT_RUNNING);
}

static void
tell_waiting (const ApplyRun *run, const PlanItem *item)
{
  Domain *domain;

  if (state_of (run, item->name, &domain) == READY_WAITING) {
    g_autofree char *missing = readiness_missing (domain);

    apply_report (run, item, missing, NULL);
  }
}

void
apply_wait_ready (ApplyRun *run, void (*done) (ApplyRun *run))
{
  Wait *wait;

  if (!run->waits) {
    done (run);
    return;
  }
  run->over = TRUE;
  run->call->manager->applying = FALSE;
  wait = g_new0 (Wait, 1);
  wait->run = run;
  wait->done = done;
  wait->items = g_ptr_array_new ();
  for (guint i = 0; i < run->plan->items->len; i++) {
    PlanItem *item = g_ptr_array_index (run->plan->items, i);

    if (is_to_be_ready (run, item)) {
      g_ptr_array_add (wait->items, item);
      tell_waiting (run, item);
    }
  }
  wait->subscription = readiness_subscribe (look, wait);
  if (run->progress >= 0)
    wait->gone = g_unix_fd_add (run->progress, G_IO_ERR, client_gone, wait);
  look (wait);
}
