/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * From QEMU's events to libvirt's. One function an event, found in a table; each reads the members it needs
 * (a missing or wrong one is as good as empty), says what clients see, in libvirt's order, and asks for what
 * the definition's policies demand.
 *
 * A machine is started with -no-shutdown, so QEMU stops where it would have ended and waits for us: a
 * shutdown is first a state and then an end, or it is half of a restart, of which clients see the reboot
 * only.
 */
#include "daemon/drivers/qemu/machine-events-private.h"

#include "base/untrusted-json.h"

#include <string.h>

/* Reading what QEMU says. */

const char *
event_text (JsonObject *object, const char *name)
{
  const char *text = untrusted_text (object, name);

  return text != NULL ? text : "";
}

gint64
event_number (JsonObject *object, const char *name)
{
  gint64 value = 0;

  untrusted_number (object, name, &value);
  return value;
}

int
event_word (const char *word, const char *const *words, guint count, int otherwise)
{
  for (guint i = 0; i < count; i++)
    if (g_str_equal (word, words[i]))
      return (int)i;
  return otherwise;
}

/* Telling. */

void
machine_events_change (MachineEvents *events, int state, int reason, int event, int detail)
{
  events->state = state;
  events->reason = reason;
  events->handlers->state (events->data, (virDomainState)state, reason, event, detail);
}

void
machine_events_emit (MachineEvents *events, int number, GVariant *payload)
{
  g_autoptr (GVariant) sunk = g_variant_ref_sink (payload);

  events->handlers->event (events->data, number, sunk);
}

static void
begin_restart (MachineEvents *events)
{
  events->restart_on_shutdown = FALSE;
  events->shutdown_seen = FALSE;
  events->restarting = TRUE;
  machine_events_expect_run (events, VIR_DOMAIN_RUNNING_BOOTED, VIR_DOMAIN_EVENT_RESUMED_UNPAUSED);
  events->handlers->action (events->data, MACHINE_RESTART);
}

static void
begin_end (MachineEvents *events, int reason, int detail)
{
  machine_events_expect_end (events, reason, detail);
  events->handlers->action (events->data, MACHINE_END);
}

/* What the guest's CPUs do. */

static void
on_stop (MachineEvents *events, JsonObject *arguments)
{
  Expected why = events->pause;

  (void)arguments;
  events->pause.set = FALSE;
  if (events->state != VIR_DOMAIN_RUNNING || events->restarting)
    return; /* the end of a shutdown, a crash or an I/O error that was told already; half of a reboot */
  machine_events_change (events, VIR_DOMAIN_PAUSED, why.set ? why.reason : VIR_DOMAIN_PAUSED_UNKNOWN,
                         VIR_DOMAIN_EVENT_SUSPENDED,
                         why.set ? why.detail : VIR_DOMAIN_EVENT_SUSPENDED_PAUSED);
}

static void
on_resume (MachineEvents *events, JsonObject *arguments)
{
  Expected why = events->run;

  (void)arguments;
  events->run.set = FALSE;
  events->restarting = FALSE;
  if (events->state == VIR_DOMAIN_RUNNING)
    return;
  events->shutdown_seen = FALSE;
  machine_events_change (events, VIR_DOMAIN_RUNNING, why.set ? why.reason : VIR_DOMAIN_RUNNING_UNPAUSED,
                         VIR_DOMAIN_EVENT_RESUMED, why.set ? why.detail : VIR_DOMAIN_EVENT_RESUMED_UNPAUSED);
}

static int
shutdown_detail (JsonObject *arguments)
{
  if (arguments == NULL || !json_object_has_member (arguments, "guest"))
    return VIR_DOMAIN_EVENT_SHUTDOWN_FINISHED;
  return untrusted_switch (arguments, "guest") ? VIR_DOMAIN_EVENT_SHUTDOWN_GUEST
                                               : VIR_DOMAIN_EVENT_SHUTDOWN_HOST;
}

static gboolean
is_half_of_a_reboot (const MachineEvents *events, int policy)
{
  return events->restart_on_shutdown || policy == ON_EVENT_RESTART || policy == ON_EVENT_RENAME_RESTART;
}

static void
obey_shutdown (MachineEvents *events, int policy)
{
  if (is_half_of_a_reboot (events, policy))
    begin_restart (events);
  else if (policy != ON_EVENT_PRESERVE)
    begin_end (events, VIR_DOMAIN_SHUTOFF_SHUTDOWN, VIR_DOMAIN_EVENT_STOPPED_SHUTDOWN);
}

static void
on_shutdown (MachineEvents *events, JsonObject *arguments)
{
  const char *reason = event_text (arguments, "reason");
  gboolean ends_itself = g_str_equal (reason, "host-signal") || g_str_equal (reason, "host-qmp-quit");
  /* A reboot that is to be an end comes as a shutdown too. */
  int policy = g_str_equal (reason, "guest-reset") ? events->def->on_reboot : events->def->on_poweroff;

  if (events->shutdown_seen)
    return;
  events->shutdown_seen = TRUE;
  if (events->end.set)
    return; /* destroyed: nothing but its end is told */
  /* As in libvirt, nobody is told of the shutdown in the middle of a reboot. */
  if (ends_itself || !is_half_of_a_reboot (events, policy))
    machine_events_change (events, VIR_DOMAIN_SHUTDOWN, VIR_DOMAIN_SHUTDOWN_UNKNOWN,
                           VIR_DOMAIN_EVENT_SHUTDOWN, shutdown_detail (arguments));

  if (ends_itself)
    machine_events_expect_end (events, VIR_DOMAIN_SHUTOFF_SHUTDOWN, VIR_DOMAIN_EVENT_STOPPED_SHUTDOWN);
  else
    obey_shutdown (events, policy);
}

static void
on_reset (MachineEvents *events, JsonObject *arguments)
{
  machine_events_emit (events, VIR_DOMAIN_EVENT_ID_REBOOT, g_variant_new ("()"));
  if (untrusted_switch (arguments, "guest") && events->def->on_reboot == ON_EVENT_DESTROY && !events->end.set)
    begin_end (events, VIR_DOMAIN_SHUTOFF_SHUTDOWN, VIR_DOMAIN_EVENT_STOPPED_SHUTDOWN);
}

void
machine_events_crash_dumped (MachineEvents *events)
{
  switch (events->def->on_crash) {
    case ON_EVENT_PRESERVE:
      break;
    case ON_EVENT_RESTART:
    case ON_EVENT_RENAME_RESTART:
    case ON_EVENT_COREDUMP_RESTART:
      begin_restart (events);
      break;
    default:
      begin_end (events, VIR_DOMAIN_SHUTOFF_CRASHED, VIR_DOMAIN_EVENT_STOPPED_CRASHED);
  }
}

static void
obey_crash (MachineEvents *events)
{
  int policy = events->def->on_crash;

  if (policy == ON_EVENT_COREDUMP_DESTROY || policy == ON_EVENT_COREDUMP_RESTART)
    events->handlers->action (events->data, MACHINE_DUMP);
  else
    machine_events_crash_dumped (events);
}

static void
on_panicked (MachineEvents *events, JsonObject *arguments)
{
  if (events->end.set || g_str_equal (event_text (arguments, "action"), "run"))
    return;
  machine_events_change (events, VIR_DOMAIN_CRASHED, VIR_DOMAIN_CRASHED_PANICKED, VIR_DOMAIN_EVENT_CRASHED,
                         VIR_DOMAIN_EVENT_CRASHED_PANICKED);

  obey_crash (events);
}

/* { "result": { "status": "failed", ... }, "error": "..." } */
static void
on_dumped (MachineEvents *events, JsonObject *arguments)
{
  if (events->handlers->dumped != NULL)
    events->handlers->dumped (events->data, event_text (arguments, "error"));
}

static void
on_crash_loaded (MachineEvents *events, JsonObject *arguments)
{
  (void)arguments;
  events->handlers->state (events->data, (virDomainState)events->state, events->reason,
                           VIR_DOMAIN_EVENT_CRASHED, VIR_DOMAIN_EVENT_CRASHED_CRASHLOADED);
}

static void
on_suspend (MachineEvents *events, JsonObject *arguments)
{
  (void)arguments;
  machine_events_emit (events, VIR_DOMAIN_EVENT_ID_PMSUSPEND, g_variant_new ("(i)", 0));
  machine_events_change (events, VIR_DOMAIN_PMSUSPENDED, VIR_DOMAIN_PMSUSPENDED_UNKNOWN,
                         VIR_DOMAIN_EVENT_PMSUSPENDED, VIR_DOMAIN_EVENT_PMSUSPENDED_MEMORY);
}

static void
on_suspend_disk (MachineEvents *events, JsonObject *arguments)
{
  (void)arguments;
  machine_events_emit (events, VIR_DOMAIN_EVENT_ID_PMSUSPEND_DISK, g_variant_new ("(i)", 0));
  machine_events_change (events, VIR_DOMAIN_PMSUSPENDED, VIR_DOMAIN_PMSUSPENDED_DISK_UNKNOWN,
                         VIR_DOMAIN_EVENT_PMSUSPENDED, VIR_DOMAIN_EVENT_PMSUSPENDED_DISK);
}

static void
on_wakeup (MachineEvents *events, JsonObject *arguments)
{
  (void)arguments;
  machine_events_emit (events, VIR_DOMAIN_EVENT_ID_PMWAKEUP, g_variant_new ("(i)", 0));
  if (events->state == VIR_DOMAIN_PMSUSPENDED)
    machine_events_change (events, VIR_DOMAIN_RUNNING, VIR_DOMAIN_RUNNING_WAKEUP, VIR_DOMAIN_EVENT_STARTED,
                           VIR_DOMAIN_EVENT_STARTED_WAKEUP);
}

static void
on_watchdog (MachineEvents *events, JsonObject *arguments)
{
  static const char *const actions[] = { "none",     "pause", "reset",     "poweroff",
                                         "shutdown", "debug", "inject-nmi" };
  int action = event_word (event_text (arguments, "action"), actions, G_N_ELEMENTS (actions),
                           VIR_DOMAIN_EVENT_WATCHDOG_NONE);

  machine_events_emit (events, VIR_DOMAIN_EVENT_ID_WATCHDOG, g_variant_new ("(i)", action));
  if (action == VIR_DOMAIN_EVENT_WATCHDOG_PAUSE && events->state == VIR_DOMAIN_RUNNING)
    machine_events_change (events, VIR_DOMAIN_PAUSED, VIR_DOMAIN_PAUSED_WATCHDOG, VIR_DOMAIN_EVENT_SUSPENDED,
                           VIR_DOMAIN_EVENT_SUSPENDED_WATCHDOG);
}

/* A pass over the memory begins: what is being written is the machine's state. */
static void
on_migration_pass (MachineEvents *events, JsonObject *arguments)
{
  int pass = (int)CLAMP (event_number (arguments, "pass"), 0, G_MAXINT);

  machine_events_emit (events, VIR_DOMAIN_EVENT_ID_MIGRATION_ITERATION, g_variant_new ("(i)", pass));
}

static const struct {
  const char *name;
  void (*handle) (MachineEvents *events, JsonObject *arguments);
} table[] = {
  { "ACPI_DEVICE_OST", on_acpi_ost },
  { "BALLOON_CHANGE", on_balloon_change },
  { "BLOCK_IO_ERROR", on_io_error },
  { "BLOCK_WRITE_THRESHOLD", on_write_threshold },
  { "DEVICE_DELETED", on_device_deleted },
  { "DEVICE_TRAY_MOVED", on_tray_moved },
  { "DEVICE_UNPLUG_GUEST_ERROR", on_unplug_error },
  { "DUMP_COMPLETED", on_dumped },
  { "GUEST_CRASHLOADED", on_crash_loaded },
  { "GUEST_PANICKED", on_panicked },
  { "MEMORY_DEVICE_SIZE_CHANGE", on_memory_size_change },
  { "MEMORY_FAILURE", on_memory_failure },
  { "MEM_UNPLUG_ERROR", on_unplug_error },
  { "MIGRATION_PASS", on_migration_pass },
  { "RESET", on_reset },
  { "RESUME", on_resume },
  { "RTC_CHANGE", on_rtc_change },
  { "SHUTDOWN", on_shutdown },
  { "SPICE_CONNECTED", on_graphics_connected },
  { "SPICE_DISCONNECTED", on_graphics_disconnected },
  { "SPICE_INITIALIZED", on_graphics_initialized },
  { "STOP", on_stop },
  { "SUSPEND", on_suspend },
  { "SUSPEND_DISK", on_suspend_disk },
  { "VNC_CONNECTED", on_graphics_connected },
  { "VNC_DISCONNECTED", on_graphics_disconnected },
  { "VNC_INITIALIZED", on_graphics_initialized },
  { "VSERPORT_CHANGE", on_port_change },
  { "WAKEUP", on_wakeup },
  { "WATCHDOG", on_watchdog },
};

void
machine_events_qmp (MachineEvents *events, const char *name, JsonObject *arguments)
{
  for (guint i = 0; i < G_N_ELEMENTS (table); i++)
    if (g_str_equal (table[i].name, name)) {
      table[i].handle (events, arguments);
      return;
    }
}

void
machine_events_ended (MachineEvents *events)
{
  Expected why = events->end;

  if (!why.set && events->shutdown_seen)
    why = (Expected){ TRUE, VIR_DOMAIN_SHUTOFF_SHUTDOWN, VIR_DOMAIN_EVENT_STOPPED_SHUTDOWN };
  else if (!why.set)
    why = (Expected){ TRUE, VIR_DOMAIN_SHUTOFF_CRASHED, VIR_DOMAIN_EVENT_STOPPED_FAILED };
  machine_events_change (events, VIR_DOMAIN_SHUTOFF, why.reason, VIR_DOMAIN_EVENT_STOPPED, why.detail);
}

MachineEvents *
machine_events_new (DomainDef *def, int state, int reason, const MachineEventHandlers *handlers,
                    gpointer data)
{
  MachineEvents *events = g_new0 (MachineEvents, 1);

  events->def = domain_def_ref (def);
  events->state = state;
  events->reason = reason;
  events->handlers = handlers;
  events->data = data;
  return events;
}

void
machine_events_free (MachineEvents *events)
{
  if (events == NULL)
    return;
  domain_def_unref (events->def);
  g_free (events);
}

void
machine_events_set_def (MachineEvents *events, DomainDef *def)
{
  domain_def_ref (def);
  domain_def_unref (events->def);
  events->def = def;
}

void
machine_events_found (MachineEvents *events, int state, int reason)
{
  events->state = state;
  events->reason = reason;
  if (state == VIR_DOMAIN_SHUTDOWN) {
    events->shutdown_seen = TRUE;
    obey_shutdown (events, events->def->on_poweroff);
  } else if (state == VIR_DOMAIN_CRASHED) {
    obey_crash (events);
  }
}

void
machine_events_expect_pause (MachineEvents *events, int reason, int detail)
{
  events->pause = (Expected){ TRUE, reason, detail };
}

void
machine_events_expect_run (MachineEvents *events, int reason, int detail)
{
  events->run = (Expected){ TRUE, reason, detail };
}

void
machine_events_expect_end (MachineEvents *events, int reason, int detail)
{
  events->end = (Expected){ TRUE, reason, detail };
}

void
machine_events_restart_on_shutdown (MachineEvents *events, gboolean restart)
{
  events->restart_on_shutdown = restart;
}

gboolean
machine_events_will_restart (const MachineEvents *events)
{
  return events->restart_on_shutdown;
}

gboolean
machine_events_shutdown_seen (const MachineEvents *events)
{
  return events->shutdown_seen;
}

void
machine_events_set_shutdown_seen (MachineEvents *events)
{
  events->shutdown_seen = TRUE;
}

void
machine_state_from_qemu (const char *status, int *state, int *reason)
{
  static const struct {
    const char *status;
    int state, reason;
    gboolean any_reason; /* the reason known for this state still fits */
  } rows[] = {
    { "running", VIR_DOMAIN_RUNNING, VIR_DOMAIN_RUNNING_UNKNOWN, TRUE },
    { "debug", VIR_DOMAIN_RUNNING, VIR_DOMAIN_RUNNING_UNKNOWN, TRUE },
    { "paused", VIR_DOMAIN_PAUSED, VIR_DOMAIN_PAUSED_UNKNOWN, TRUE },
    { "prelaunch", VIR_DOMAIN_PAUSED, VIR_DOMAIN_PAUSED_STARTING_UP, TRUE },
    { "inmigrate", VIR_DOMAIN_PAUSED, VIR_DOMAIN_PAUSED_MIGRATION, TRUE },
    { "finish-migrate", VIR_DOMAIN_PAUSED, VIR_DOMAIN_PAUSED_MIGRATION, TRUE },
    { "postmigrate", VIR_DOMAIN_PAUSED, VIR_DOMAIN_PAUSED_MIGRATION, TRUE },
    { "save-vm", VIR_DOMAIN_PAUSED, VIR_DOMAIN_PAUSED_SAVE, TRUE },
    { "restore-vm", VIR_DOMAIN_PAUSED, VIR_DOMAIN_PAUSED_UNKNOWN, TRUE },
    { "io-error", VIR_DOMAIN_PAUSED, VIR_DOMAIN_PAUSED_IOERROR, FALSE },
    { "watchdog", VIR_DOMAIN_PAUSED, VIR_DOMAIN_PAUSED_WATCHDOG, FALSE },
    { "internal-error", VIR_DOMAIN_PAUSED, VIR_DOMAIN_PAUSED_UNKNOWN, TRUE },
    { "guest-panicked", VIR_DOMAIN_CRASHED, VIR_DOMAIN_CRASHED_PANICKED, FALSE },
    { "shutdown", VIR_DOMAIN_SHUTDOWN, VIR_DOMAIN_SHUTDOWN_UNKNOWN, FALSE },
    { "suspended", VIR_DOMAIN_PMSUSPENDED, VIR_DOMAIN_PMSUSPENDED_UNKNOWN, TRUE },
  };

  for (guint i = 0; i < G_N_ELEMENTS (rows); i++)
    if (g_str_equal (status, rows[i].status)) {
      if (!rows[i].any_reason || *state != rows[i].state)
        *reason = rows[i].reason;
      *state = rows[i].state;
      return;
    }
}
