/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What is done to a running machine. Asking the guest something takes the domain's lock and a job; ending it
 * takes neither: destroy always works, whatever else is stuck.
 */
#include "daemon/domain/machine-asked.h"
#include "daemon/domain/machine.h"
#include "daemon/domain/restart-policy.h"
#include "daemon/drivers/driver-job.h"
#include "daemon/drivers/qemu/control.h"
#include "daemon/ops/ops.h"

#define DESTROY_KNOWN_FLAGS VIR_DOMAIN_DESTROY_GRACEFUL

static guint
flags_of (const Call *call)
{
  gsize count = g_variant_n_children (call->arguments);

  return count > 1 ? call_uint (call, (guint)count - 1) : 0;
}

static void
destroy_now (Call *call, Domain *domain)
{
  gboolean graceful = (flags_of (call) & VIR_DOMAIN_DESTROY_GRACEFUL) != 0;
  guint seconds = graceful ? call->manager->settings->shutdown_timeout : DESTROY_SECONDS;

  machine_note_asked (domain->machine, call, NULL);
  machine_answer_at_end (domain->machine, call, seconds);
  machine_end (domain->machine, graceful, VIR_DOMAIN_SHUTOFF_DESTROYED, VIR_DOMAIN_EVENT_STOPPED_DESTROYED);
}

void
op_domain_destroy (Call *call)
{
  Domain *domain = call->domain;
  GError *error = NULL;

  if (!call_check_flags (call, flags_of (call), DESTROY_KNOWN_FLAGS))
    return;
  if (domain_is_active (domain)) {
    destroy_now (call, domain);
  } else if (g_strcmp0 (lock_name (domain->lock), "start") == 0) {
    domain->destroy_asked = TRUE;
    if (domain->job != NULL)
      job_cancel (domain->job);
    /* Not in the queue: a start that waits there must not hold up a destroy. */
    g_queue_push_tail (&domain->destroyers, call);
  } else {
    domain_check_active (domain, &error);
    if (restart_policies_cancel (domain))
      g_prefix_error_literal (&error, "its restart by its policy is called off; ");
    call_fail (call, error);
  }
}

static void
control_done (gpointer result, const GError *error, gpointer data)
{
  if (result != NULL)
    call_answer_nothing (data);
  else
    call_fail (data, g_error_copy (error));
}

/* What another hypervisor was told is said as QEMU's event would say it, which it does not send. */
static void
note_driven (const Call *call, gpointer result, const char *event)
{
  const Domain *domain = manager_find_uuid (call->manager, call->domain_uuid, NULL);

  if (result != NULL && domain != NULL && domain->machine != NULL)
    machine_events_qmp (domain->machine->events, event, NULL);
}

static void
paused_by_driver (gpointer result, const GError *error, gpointer data)
{
  note_driven (data, result, "STOP");
  control_done (result, error, data);
}

static void
resumed_by_driver (gpointer result, const GError *error, gpointer data)
{
  note_driven (data, result, "RESUME");
  control_done (result, error, data);
}

/* The same of a machine that is not QEMU's, with the domain's lock. */
static void
drive (Call *call, const char *name, DriverOrder order, JobDone done)
{
  GError *error = NULL;

  call->domain->job = driver_job_order (machine_driver_view (call->domain->machine), name, order,
                                        call->manager->settings->call_timeout, done, call, &error);
  if (error != NULL)
    call_fail (call, error);
}

/* Run a control job with the domain's lock. */
static void
control (Call *call, const char *name, JobFunction function)
{
  Domain *domain = call->domain;
  Machine *machine = domain->machine;
  GError *error = NULL;

  if (!domain_check_monitor (domain, &error)) {
    call_fail (call, error);
    return;
  }
  domain->job = job_start (name, function, control_request_new (machine->qmp), control_request_free,
                           call->manager->settings->call_timeout, control_done, call);
}

/* FALSE, and the call failed, unless the domain runs. */
static gboolean
must_run (Domain *domain, Call *call)
{
  GError *error = NULL;

  if (domain_check_active (domain, &error))
    return TRUE;
  call_fail (call, error);
  return FALSE;
}

static void
suspend_begin (Domain *domain, Call *call)
{
  if (!must_run (domain, call))
    return;
  if (domain->state == VIR_DOMAIN_PMSUSPENDED) {
    call_fail_with (call, VIR_ERR_OPERATION_INVALID, "domain is pmsuspended");
  } else if (domain->state == VIR_DOMAIN_PAUSED) {
    call_answer_nothing (call);
  } else {
    machine_events_expect_pause (domain->machine->events, VIR_DOMAIN_PAUSED_USER,
                                 VIR_DOMAIN_EVENT_SUSPENDED_PAUSED);
    if (domain->machine->driver != NULL)
      drive (call, "suspend", domain->machine->driver->suspend, paused_by_driver);
    else
      control (call, "suspend", control_suspend);
  }
}

void
op_domain_suspend (Call *call)
{
  if (must_run (call->domain, call))
    domain_lock (call->domain, "suspend", call, suspend_begin);
}

static void
resume_begin (Domain *domain, Call *call)
{
  if (!must_run (domain, call))
    return;
  if (domain->state == VIR_DOMAIN_PMSUSPENDED) {
    call_fail_with (call, VIR_ERR_OPERATION_INVALID, "domain is pmsuspended");
  } else if (domain->state == VIR_DOMAIN_RUNNING) {
    call_fail_with (call, VIR_ERR_OPERATION_INVALID, "domain is already running");
  } else {
    machine_events_expect_run (domain->machine->events, VIR_DOMAIN_RUNNING_UNPAUSED,
                               VIR_DOMAIN_EVENT_RESUMED_UNPAUSED);
    if (domain->machine->driver != NULL)
      drive (call, "resume", domain->machine->driver->resume, resumed_by_driver);
    else
      control (call, "resume", control_resume);
  }
}

void
op_domain_resume (Call *call)
{
  if (must_run (call->domain, call))
    domain_lock (call->domain, "resume", call, resume_begin);
}

/* The same for what the guest is asked to do itself, where it is the driver that looks in libvirt. */
static gboolean
must_run_for_guest (Domain *domain, Call *call)
{
  if (domain_is_active (domain))
    return TRUE;
  call_fail_with (call, VIR_ERR_OPERATION_INVALID, "domain is not running%s",
                  restart_policies_cancel (domain) ? "; its restart by its policy is called off" : "");
  return FALSE;
}

/* Flags that say how the guest is to be asked. Without any, by the power button. FALSE: answered, or left to
 * the guest's agent. */
static gboolean
check_way (Call *call, guint flags, guint button, guint agent, gboolean restart)
{
  if (!call_check_flags (call, flags, button | agent))
    return FALSE;
  if ((flags & agent) && !(flags & button)) {
    call_order_agent (call, restart);
    return FALSE;
  }
  return TRUE;
}

static void
shutdown_begin (Domain *domain, Call *call)
{
  if (!must_run (domain, call))
    return;
  machine_events_restart_on_shutdown (domain->machine->events, FALSE);
  machine_note_asked (domain->machine, call, NULL);
  if (domain->machine->driver != NULL)
    drive (call, "shutdown", domain->machine->driver->shutdown, control_done);
  else
    control (call, "shutdown", control_shutdown);
}

void
op_domain_shutdown (Call *call)
{
  if (check_way (call, flags_of (call), VIR_DOMAIN_SHUTDOWN_ACPI_POWER_BTN, VIR_DOMAIN_SHUTDOWN_GUEST_AGENT,
                 FALSE)
      && must_run_for_guest (call->domain, call))
    domain_lock (call->domain, "shutdown", call, shutdown_begin);
}

static void
reboot_begin (Domain *domain, Call *call)
{
  if (!must_run (domain, call))
    return;
  if (domain->machine->driver != NULL) {
    drive (call, "reboot", domain->machine->driver->reboot, control_done);
    return;
  }
  /* A reboot that is to be an end is a shutdown. */
  machine_events_restart_on_shutdown (domain->machine->events,
                                      domain->machine->def->on_reboot != ON_EVENT_DESTROY);
  machine_save_status (domain->machine);
  control (call, "reboot", control_shutdown);
}

void
op_domain_reboot (Call *call)
{
  if (check_way (call, flags_of (call), VIR_DOMAIN_REBOOT_ACPI_POWER_BTN, VIR_DOMAIN_REBOOT_GUEST_AGENT, TRUE)
      && must_run (call->domain, call))
    domain_lock (call->domain, "reboot", call, reboot_begin);
}

static void
reset_begin (Domain *domain, Call *call)
{
  if (!must_run (domain, call))
    return;
  if (domain->machine->driver != NULL)
    drive (call, "reset", domain->machine->driver->reset, control_done);
  else
    control (call, "reset", control_reset);
}

void
op_domain_reset (Call *call)
{
  if (call_check_flags (call, flags_of (call), 0) && must_run (call->domain, call))
    domain_lock (call->domain, "reset", call, reset_begin);
}

static void
nmi_begin (Domain *domain, Call *call)
{
  if (!must_run (domain, call))
    return;
  if (domain->machine->driver != NULL)
    drive (call, "inject-nmi", domain->machine->driver->inject_nmi, control_done);
  else
    control (call, "inject-nmi", control_nmi);
}

void
op_domain_inject_nmi (Call *call)
{
  if (call_check_flags (call, flags_of (call), 0) && must_run (call->domain, call))
    domain_lock (call->domain, "inject-nmi", call, nmi_begin);
}

static void
wakeup_begin (Domain *domain, Call *call)
{
  if (must_run (domain, call))
    control (call, "wakeup", control_wakeup);
}

void
op_domain_pm_wakeup (Call *call)
{
  if (call_check_flags (call, flags_of (call), 0) && must_run (call->domain, call))
    domain_lock (call->domain, "wakeup", call, wakeup_begin);
}
