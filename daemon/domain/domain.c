/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * One domain's identity and state. What it does is elsewhere: its definition in definition.c, its running
 * half in machine.c.
 */
#include "daemon/call/call.h"
#include "daemon/core/progress-parameters.h"
#include "daemon/domain/definition.h"
#include "daemon/domain/machine.h"

typedef struct {
  Domain *domain; /* who waits for its lock is failed before it goes */
  Call *call;
  void (*begin) (Domain *domain, Call *call);
} Locking;

static void
locking_begin (gpointer data)
{
  g_autofree Locking *locking = data;

  locking->call->lock = lock_ref (locking->domain->lock);
  locking->call->domain = locking->domain;
  locking->begin (locking->domain, locking->call);
}

static void
locking_fail (gpointer data, GError *error)
{
  g_autofree Locking *locking = data;

  call_fail (locking->call, error);
}

void
domain_lock (Domain *domain, const char *name, Call *call, void (*begin) (Domain *domain, Call *call))
{
  const Locking locking = { domain, call, begin };
  const LockRequest request = { .name = name,
                                .holder = call,
                                .seconds = domain->manager->settings->call_timeout,
                                .begin = locking_begin,
                                .fail = locking_fail,
                                .data = g_memdup2 (&locking, sizeof locking) };

  lock_acquire (domain->lock, &request);
}

gboolean
domain_is_active (const Domain *domain)
{
  return domain->machine != NULL;
}

gboolean
domain_check_active (const Domain *domain, GError **error)
{
  if (domain_is_active (domain))
    return TRUE;
  virt_error_set_from (error, VIR_FROM_DOMAIN, VIR_ERR_OPERATION_INVALID, "domain is not running");
  return FALSE;
}

gboolean
domain_check_monitor (const Domain *domain, GError **error)
{
  const Machine *machine = domain->machine;

  if (machine->qmp != NULL && !machine->monitor_closed)
    return TRUE;
  if (machine->driver != NULL) {
    virt_error_set (error, VIR_ERR_OPERATION_UNSUPPORTED,
                    "domain '%s' is run by %s, for which only QEMU has what is asked for", domain->name,
                    machine->driver->title);
    return FALSE;
  }
  virt_error_set (error, machine->monitor_closed ? VIR_ERR_OPERATION_FAILED : VIR_ERR_OPERATION_TIMEOUT,
                  "the monitor of domain '%s' does not answer; destroy still works", domain->name);
  return FALSE;
}

/* For the log. */
static const char *
event_word (int event)
{
  static const char *const words[] = {
    [VIR_DOMAIN_EVENT_DEFINED] = "defined",        [VIR_DOMAIN_EVENT_UNDEFINED] = "undefined",
    [VIR_DOMAIN_EVENT_STARTED] = "started",        [VIR_DOMAIN_EVENT_SUSPENDED] = "suspended",
    [VIR_DOMAIN_EVENT_RESUMED] = "resumed",        [VIR_DOMAIN_EVENT_STOPPED] = "stopped",
    [VIR_DOMAIN_EVENT_SHUTDOWN] = "shutting down", [VIR_DOMAIN_EVENT_PMSUSPENDED] = "suspended by the guest",
    [VIR_DOMAIN_EVENT_CRASHED] = "crashed",
  };

  return event >= 0 && event < (int)G_N_ELEMENTS (words) ? words[event] : "changed";
}

void
domain_lifecycle_event (Domain *domain, int event, int detail)
{
  g_info ("domain '%s' (%s): %s (%d)", domain->name, domain->uuid, event_word (event), detail);
  events_domain (domain->manager->events, domain, VIR_DOMAIN_EVENT_ID_LIFECYCLE,
                 g_variant_new ("(ii)", event, detail));
}

void
domain_set_state (Domain *domain, virDomainState state, int reason, int event, int detail)
{
  domain->state = state;
  domain->reason = reason;
  domain->state_changed = g_get_real_time ();
  if (domain->machine != NULL)
    machine_save_status (domain->machine);
  if (event >= 0)
    domain_lifecycle_event (domain, event, detail);
}

static void
send_event (Events *events, EventFamily family, Domain *domain, int number, GVariant *payload)
{
  g_autoptr (GVariant) handle = g_variant_ref_sink (call_domain_value (domain));
  g_autoptr (GVariant) sunk = g_variant_ref_sink (payload);
  /* Copies: a handler may cause the domain to be renamed or forgotten. */
  g_autofree char *name = g_strdup (domain->name), *uuid = g_strdup (domain->uuid);
  Event event = { family, number, name, uuid, domain->id, handle, sunk };

  events_send (events, &event);
}

void
events_domain (Events *events, Domain *domain, int number, GVariant *payload)
{
  send_event (events, EVENT_DOMAIN, domain, number, payload);
}

void
events_monitor (Events *events, Domain *domain, GVariant *payload)
{
  send_event (events, EVENT_MONITOR, domain, 0, payload);
}

/* As libvirt does, of backups, and of what migration has written. */
static void
tell_completed (Domain *domain)
{
  Progress *progress = domain->completed;
  ProgressFigures figures;

  progress_get (progress, &figures);
  if (progress_operation (progress) == VIR_DOMAIN_JOB_OPERATION_BACKUP
      || (progress_type (progress) == VIR_DOMAIN_JOB_COMPLETED && figures.is_memory
          && progress_operation (progress) != VIR_DOMAIN_JOB_OPERATION_RESTORE))
    events_domain (domain->manager->events, domain, VIR_DOMAIN_EVENT_ID_JOB_COMPLETED,
                   g_variant_new ("(@a{sv})", progress_to_parameters (progress)));
}

void
domain_end_progress (Domain *domain, const GError *error)
{
  virDomainJobType how = error == NULL                                          ? VIR_DOMAIN_JOB_COMPLETED
                         : virt_error_code (error) == VIR_ERR_OPERATION_ABORTED ? VIR_DOMAIN_JOB_CANCELLED
                                                                                : VIR_DOMAIN_JOB_FAILED;
  ProgressFigures figures;

  if (domain->progress == NULL)
    return;
  progress_end (domain->progress, how);
  progress_unref (domain->completed);
  domain->completed = g_steal_pointer (&domain->progress);
  progress_get (domain->completed, &figures);
  if (error == NULL && !figures.is_memory
      && progress_operation (domain->completed) != VIR_DOMAIN_JOB_OPERATION_BACKUP)
    g_clear_pointer (&domain->completed, progress_unref); /* as libvirt, which forgets such a dump's */
  else
    tell_completed (domain);
}
