/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * One changing job per domain. A call that must wait its turn waits here, without a thread, for as long as a
 * call may take, and is then told what holds it up, as libvirt tells it.
 */
#include "daemon/call/call.h"

#include "daemon/core/main-loop.h"

typedef struct {
  char *uuid;
  Manager *manager;
  const char *name;
  Call *call;
  void (*begin) (Domain *domain, Call *call);
  guint timeout;
} Turn;

static void
turn_free (Turn *turn)
{
  if (turn->timeout != 0)
    g_source_remove (turn->timeout);
  g_free (turn->uuid);
  g_free (turn);
}

static void
take_turn (Domain *domain, const char *name, Call *call, void (*begin) (Domain *domain, Call *call))
{
  call->holds_domain = TRUE;
  call->domain = domain;
  domain->holder = call;
  domain->busy = TRUE;
  domain->job_name = name;
  domain->job_since = g_get_monotonic_time ();
  begin (domain, call);
}

static gboolean
waited_too_long (gpointer data)
{
  Turn *turn = data;
  Domain *domain = manager_find_uuid (turn->manager, turn->uuid, NULL);
  Call *call = turn->call;

  turn->timeout = 0;
  if (domain != NULL)
    g_queue_remove (&domain->waiting, turn);
  call_fail_with (call, VIR_ERR_OPERATION_TIMEOUT,
                  "cannot acquire state change lock (held by %s for %" G_GINT64_FORMAT " seconds)",
                  domain != NULL && domain->job_name != NULL ? domain->job_name : "another call",
                  domain != NULL ? (g_get_monotonic_time () - domain->job_since) / G_USEC_PER_SEC : 0);
  turn_free (turn);
  return G_SOURCE_REMOVE;
}

void
domain_queue (Domain *domain, const char *name, Call *call, void (*begin) (Domain *domain, Call *call))
{
  MAIN_LOOP_ONLY ();

  Turn *turn;

  if (!domain->busy) {
    take_turn (domain, name, call, begin);
    return;
  }
  if (g_queue_get_length (&domain->waiting) >= DOMAIN_MAX_WAITING) {
    call_fail_with (
        call, VIR_ERR_OPERATION_FAILED,
        "cannot acquire state change lock due to max_queued limit (%d calls wait for domain '%s')",
        DOMAIN_MAX_WAITING, domain->name);
    return;
  }
  turn = g_new0 (Turn, 1);
  turn->manager = domain->manager;
  turn->uuid = g_strdup (domain->uuid);
  turn->name = name;
  turn->call = call;
  turn->begin = begin;
  turn->timeout = g_timeout_add_seconds (domain->manager->settings->call_timeout, waited_too_long, turn);
  g_queue_push_tail (&domain->waiting, turn);
}

void
domain_done (Manager *manager, const char *uuid, const Call *holder)
{
  Domain *domain = manager_find_uuid (manager, uuid, NULL);
  Call *destroyer;
  Turn *turn;

  if (domain == NULL || domain->holder != holder)
    return;
  domain->busy = FALSE;
  domain->holder = NULL;
  domain->job = NULL;
  domain->job_name = NULL;
  while ((destroyer = g_queue_pop_head (&domain->destroyers)) != NULL)
    call_answer_nothing (destroyer); /* the start they wanted given up is over */
  turn = g_queue_pop_head (&domain->waiting);
  if (turn == NULL)
    return;
  take_turn (domain, turn->name, turn->call, turn->begin);
  turn_free (turn);
}

void
domain_fail_waiting (Domain *domain, const GError *error)
{
  Turn *turn;

  while ((turn = g_queue_pop_head (&domain->waiting)) != NULL) {
    call_fail (turn->call, g_error_copy (error));
    turn_free (turn);
  }
}
