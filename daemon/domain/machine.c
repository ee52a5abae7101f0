/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * One running machine. Three voices speak of it: its process (a pidfd), its monitor (QMP events) and what
 * both mean (machine-events.c, which decides states and policies); here they are joined to the domain. The
 * end of the process is the only end: whatever else happens, the machine is there until then.
 */
#include "daemon/domain/machine.h"

#include "daemon/call/call.h"
#include "daemon/core/main-loop.h"
#include "daemon/domain/domain-migration.h"
#include "daemon/domain/last-end-record.h"
#include "daemon/domain/machine-backup.h"
#include "daemon/domain/machine-crash.h"
#include "daemon/domain/machine-devices.h"
#include "daemon/drivers/driver-job.h"
#include "daemon/drivers/qemu/control.h"
#include "daemon/drivers/qemu/interfaces.h"
#include "daemon/drivers/qemu/listening.h"
#include "daemon/drivers/qemu/machine-tpm.h"
#include "daemon/drivers/qemu/missing-disks.h"
#include "daemon/drivers/qemu/taint.h"
#include "domain/devices/channel.h"
#include "domain/devices/memory.h"

#define LAST_WORDS_WAIT 1000 /* ms a dead process's monitor has to be read to its end */

static const MachineWatcher *watchers[MACHINE_WATCHERS_MAX];
static guint watcher_count;

void
machine_add_watcher (const MachineWatcher *watcher)
{
  g_return_if_fail (watcher_count < MACHINE_WATCHERS_MAX);
  watchers[watcher_count++] = watcher;
}

MachineStatus
machine_status (const Machine *machine)
{
  const Domain *domain = machine->domain;
  const Migration *migration = domain->migration;

  return (MachineStatus){
    .name = domain->name,
    .uuid = domain->uuid,
    .id = domain->id,
    .pid = process_pid (machine->process),
    .start_time = process_start_time (machine->process),
    .starting = machine->starting,
    .transient = !domain->persistent,
    .state = domain->state,
    .reason = domain->reason,
    .started = machine->started,
    .state_changed = domain->state_changed,
    .shutdown_seen = machine_events_shutdown_seen (machine->events),
    .restart_on_shutdown = machine_events_will_restart (machine->events),
    .tainted = domain->tainted,
    .auto_destroy = machine->owner != NULL,
    .agent_timeout = domain->agent_timeout,
    .save_path = machine->save_path,
    .save_id = machine->save_id,
    .asked = machine->asked,
    .migration_phase = migration != NULL ? (char *)migration_phase_word (migration->phase) : NULL,
    .migration_peer = migration != NULL ? migration->peer : NULL,
    .migration_flags = migration != NULL ? (gint64)migration->flags : 0,
    .migration_ran =
        migration != NULL && (migration_is_incoming (migration) ? migration->defined : migration->ran),
  };
}

static void
save_status (Machine *machine, const char *live)
{
  const Domain *domain = machine->domain;
  const MachineStatus status = machine_status (machine);
  g_autoptr (GError) error = NULL;
  g_autofree char *json = NULL;

  if (machine->ended)
    return;
  json = machine_status_to_json (&status);
  if (!store_save_status (domain->manager->store, domain->uuid, json, live, &error))
    g_warning ("domain '%s': %s", domain->name, error->message);
}

void
machine_save_status (Machine *machine)
{
  save_status (machine, NULL);
}

void
machine_free (Machine *machine)
{
  if (machine == NULL)
    return;
  if (machine->linger != 0)
    g_source_remove (machine->linger);
  g_clear_handle_id (&machine->ask_again, g_source_remove);
  if (machine->qmp != NULL) {
    qmp_close (machine->qmp);
    qmp_unref (machine->qmp);
  }
  process_free (machine->process);
  machine_events_free (machine->events);
  domain_def_unref (machine->def);
  g_clear_pointer (&machine->endings, g_ptr_array_unref);
  g_clear_pointer (&machine->removals, g_ptr_array_unref);
  g_clear_pointer (&machine->block_jobs, g_ptr_array_unref);
  helper_set_free (machine->helpers);
  g_clear_pointer (&machine->statistics, json_node_unref);
  g_clear_pointer (&machine->disks, json_node_unref);
  g_clear_pointer (&machine->driver_counters, g_hash_table_unref);
  end_asked_clear (&machine->asked);
  g_free (machine->owner);
  g_free (machine->save_path);
  g_free (machine->save_id);
  g_free (machine);
}

/* A call that waits for the end. */
typedef struct {
  Machine *machine;
  Call *call;
  guint timeout;
} Ending;

static gboolean
ending_failed (gpointer data)
{
  Ending *ending = data;
  Machine *machine = ending->machine;
  Call *call = ending->call;

  g_ptr_array_remove (machine->endings, ending);
  call_fail_with (
      call, VIR_ERR_OPERATION_FAILED,
      "Failed to terminate process %d of domain '%s': it is still there; it may be waiting for its disks",
      process_pid (machine->process), machine->domain->name);
  g_free (ending);
  return G_SOURCE_REMOVE;
}

static void
ending_answer (Ending *ending)
{
  g_source_remove (ending->timeout);
  call_answer_nothing (ending->call);
  g_free (ending);
}

void
machine_answer_at_end (Machine *machine, Call *call, guint seconds)
{
  Ending *ending = g_new0 (Ending, 1);

  ending->machine = machine;
  ending->call = call;
  ending->timeout = g_timeout_add_seconds (seconds, ending_failed, ending);
  g_ptr_array_add (machine->endings, ending);
}

/* Before anything of it is cleared away. */
static void
record_end (const Machine *machine)
{
  const Domain *domain = machine->domain;
  const GPtrArray *died = helper_set_messages (machine->helpers);
  LastEnd *end;

  if (!domain->persistent) {
    last_end_forget (domain->manager->settings, domain->uuid);
    return;
  }
  end = last_end_new ();
  end->ended = g_get_real_time ();
  end->started = machine->started;
  end->reason = machine->end_reason;
  end->exit = machine->exit;
  end->pid = process_pid (machine->process);
  end->panicked = machine->panicked;
  end->off = machine->off;
  end_asked_copy (&end->asked, &machine->asked);
  for (guint i = 0; i < died->len; i++)
    g_ptr_array_add (end->helpers, g_strdup (g_ptr_array_index (died, i)));
  last_end_record (domain->manager->settings, domain->uuid, domain->name, end);
}

static gboolean
free_later (gpointer machine)
{
  machine_free (machine);
  return G_SOURCE_REMOVE;
}

/* The machine is over: the domain is shut off before anybody is told so, and those who waited for it are
 * answered. */
static void
finish (Machine *machine)
{
  Domain *domain = machine->domain;
  Manager *manager = domain->manager;
  GPtrArray *endings = g_steal_pointer (&machine->endings);
  g_autofree char *directory = machine_directory (manager->store, domain->uuid);

  g_clear_handle_id (&machine->ask_again, g_source_remove);
  interfaces_close_later (manager->settings, machine->def);
  listening_close_later (machine->def, directory);
  helper_set_stop_all (machine->helpers);
  record_end (machine);
  machine_backup_end (machine);
  machine_clean_up (manager->settings, manager->store, domain->uuid);
  if (domain->job != NULL)
    job_cancel (domain->job);
  domain->machine = NULL;
  domain->active = FALSE;
  domain->updated = FALSE;
  domain->tainted = FALSE;
  manager_set_id (manager, domain, -1);
  domain_set_state (domain, VIR_DOMAIN_SHUTOFF, machine->end_reason, VIR_DOMAIN_EVENT_STOPPED,
                    machine->end_detail);
  if (!domain->persistent) {
    Migration *migration = g_steal_pointer (&domain->migration);

    tpm_forget (machine->def, manager->settings, FALSE);
    manager_remove (manager, domain);
    migration_free (migration);
  } else {
    lock_release (domain->lock, machine); /* where a half-started one was found again */
    migration_machine_ended (domain);
  }
  for (guint i = 0; i < endings->len; i++)
    ending_answer (g_ptr_array_index (endings, i));
  g_ptr_array_unref (endings);
  machine_removals_end (machine);
  for (guint i = 0; i < watcher_count; i++)
    if (watchers[i]->ended != NULL)
      watchers[i]->ended (machine);
  /* This runs inside the process's and the events' own callbacks. */
  g_idle_add (free_later, machine);
}

static void
end_notified (Machine *machine)
{
  if (machine->linger != 0)
    g_source_remove (machine->linger);
  machine->linger = 0;
  machine_events_ended (machine->events);
  finish (machine);
}

static gboolean
lingered (gpointer data)
{
  Machine *machine = data;

  machine->linger = 0;
  end_notified (machine);
  return G_SOURCE_REMOVE;
}

/* Its last words may still be unread in the monitor's socket: they say whether it was a crash. */
static void
process_ended (G_GNUC_UNUSED Process *process, ProcessExit how, gpointer data)
{
  Machine *machine = data;

  g_debug ("domain '%s': process %d ended (%s %d)", machine->domain->name, process_pid (machine->process),
           !how.known      ? "not known how"
           : how.signalled ? "signal"
                           : "status",
           how.code);
  machine->ended = TRUE;
  machine->exit = how;
  /* Another hypervisor says nothing of its guest's end; an orderly one is what follows from it. */
  if (machine->driver != NULL && how.known && !how.signalled && how.code == 0)
    machine_events_set_shutdown_seen (machine->events);
  if (machine->qmp != NULL && !machine->monitor_closed)
    machine->linger = g_timeout_add (LAST_WORDS_WAIT, lingered, machine);
  else
    end_notified (machine);
}

/* What the guest does that an end comes of. */
static void
see_guest (Machine *machine, int state, int reason, int event, int detail)
{
  if (state == VIR_DOMAIN_CRASHED)
    machine->panicked = reason == VIR_DOMAIN_CRASHED_PANICKED;
  else if (event == VIR_DOMAIN_EVENT_SHUTDOWN)
    machine->off = detail == VIR_DOMAIN_EVENT_SHUTDOWN_GUEST;
  else if (state == VIR_DOMAIN_RUNNING)
    machine->panicked = machine->off = FALSE;
}

static void
state_changed (gpointer data, virDomainState state, int reason, int event, int detail)
{
  Machine *machine = data;

  see_guest (machine, state, reason, event, detail);
  if (!machine->ended || state != VIR_DOMAIN_SHUTOFF) {
    domain_set_state (machine->domain, state, reason, event, detail);
    return;
  }
  machine->end_reason = reason;
  machine->end_detail = detail;
}

static void
client_event (gpointer data, int number, GVariant *payload)
{
  Machine *machine = data;

  events_domain (machine->domain->manager->events, machine->domain, number, payload);
}

static void
act (gpointer data, MachineAction action)
{
  Machine *machine = data;

  if (action == MACHINE_DUMP)
    machine_dump_crashed (machine);
  else if (action == MACHINE_RESTART && machine->qmp != NULL)
    machine_restart (machine);
  else
    control_end (machine->process, FALSE);
}

static void
balloon_changed (gpointer data, guint64 kib)
{
  Machine *machine = data;

  machine->balloon_kib = kib;
}

void
machine_replace_def (Machine *machine, DomainDef *def)
{
  MAIN_LOOP_ONLY ();

  g_autofree char *live = NULL;

  domain_def_unref (machine->def);
  machine->def = def;
  machine_events_set_def (machine->events, def);
  live = domain_def_to_xml (def, DOMAIN_WRITE_LIVE | DOMAIN_WRITE_SECURE);
  save_status (machine, live);
}

static void
device_deleted (gpointer data, const char *alias)
{
  machine_device_deleted (data, alias);
}

static void
device_refused (gpointer data, const char *alias)
{
  machine_device_refused (data, alias);
}

static void
tray_moved (gpointer data, const char *alias, gboolean open)
{
  machine_tray_moved (data, alias, open);
}

/* The guest has opened its end of a channel, or closed it. */
static void
channel_changed (gpointer data, const char *alias, gboolean open)
{
  Machine *machine = data;
  DomainDef *def = domain_def_copy (machine->def);
  Device *device = domain_def_find_alias (def, alias);

  if (device == NULL || device->kind != &channel_kind) {
    domain_def_unref (def);
    return;
  }
  ((DeviceChannel *)device)->state = open ? CHANNEL_STATE_CONNECTED : CHANNEL_STATE_DISCONNECTED;
  machine_replace_def (machine, def);
}

static void
memory_changed (gpointer data, const char *alias, guint64 size)
{
  Machine *machine = data;
  g_autoptr (DomainDef) def = domain_def_copy (machine->def);
  Device *device = domain_def_find_alias (def, alias);

  if (device == NULL || device->kind != &memory_kind)
    return;
  ((DeviceMemory *)device)->current = NUMBER (size);
  machine_replace_def (machine, g_steal_pointer (&def));
}

static void
memory_dumped (gpointer data, const char *problem)
{
  Progress *progress = ((Machine *)data)->domain->progress;

  if (*problem != '\0' && progress != NULL)
    progress_tell_problem (progress, problem);
}

static const MachineEventHandlers event_handlers = {
  .state = state_changed,
  .event = client_event,
  .action = act,
  .balloon = balloon_changed,
  .device_deleted = device_deleted,
  .channel = channel_changed,
  .memory = memory_changed,
  .device_refused = device_refused,
  .dumped = memory_dumped,
  .tray = tray_moved,
};

/* To those who listen to QEMU itself. */
static void
report_monitor_event (Machine *machine, const char *name, JsonObject *arguments, gint64 microseconds)
{
  g_autofree char *text = arguments != NULL ? json_object_text (arguments) : NULL;

  events_monitor (machine->domain->manager->events, machine->domain,
                  g_variant_new ("(sxums)", name, microseconds / G_USEC_PER_SEC,
                                 (guint32)(microseconds % G_USEC_PER_SEC), text));
}

static void
monitor_event (G_GNUC_UNUSED Qmp *qmp, const char *name, JsonObject *arguments, gint64 microseconds,
               gpointer data)
{
  Machine *machine = data;

  report_monitor_event (machine, name, arguments, microseconds);
  machine_events_qmp (machine->events, name, arguments);
  for (guint i = 0; i < watcher_count; i++)
    if (watchers[i]->monitor_event != NULL)
      watchers[i]->monitor_event (machine, name, arguments);
}

/* A monitor that hangs up while the process goes on: the machine runs, but nothing can be asked of it. */
static void
monitor_closed (G_GNUC_UNUSED Qmp *qmp, const GError *error, gpointer data)
{
  Machine *machine = data;

  g_debug ("domain '%s': the monitor closed: %s", machine->domain->name,
           error != NULL ? error->message : "-");
  machine->monitor_closed = TRUE;
  if (machine->ended && machine->linger != 0)
    end_notified (machine);
}

static const QmpHandlers monitor_handlers = { .event = monitor_event, .closed = monitor_closed };

void
machine_watch_process (Machine *machine)
{
  process_watch (machine->process, process_ended, machine);
}

void
machine_watch_monitor (Machine *machine)
{
  if (machine->qmp != NULL)
    qmp_set_handlers (machine->qmp, &monitor_handlers, machine);
}

void
machine_found (Machine *machine, const AdoptedMachine *adopted)
{
  for (guint i = 0; i < watcher_count; i++)
    if (watchers[i]->found != NULL)
      watchers[i]->found (machine, adopted);
}

static gboolean
machine_runs (gpointer data)
{
  const Machine *machine = data;

  return !machine->ended && process_is_alive (machine->process);
}

Machine *
machine_new (Domain *domain, Process *process, DomainDef *def, int state, int reason)
{
  Machine *machine = g_new0 (Machine, 1);
  g_autofree char *owner = g_strdup_printf ("domain '%s'", domain->name);

  machine->domain = domain;
  machine->process = process;
  machine->def = def;
  machine->driver = driver_of (def);
  machine->endings = g_ptr_array_new ();
  machine->helpers = helper_set_new (owner, machine_runs, machine);
  machine->end_reason = VIR_DOMAIN_SHUTOFF_UNKNOWN;
  machine->events = machine_events_new (def, state, reason, &event_handlers, machine);
  domain->machine = machine;
  domain->active = TRUE;
  domain->state = state;
  domain->reason = reason;
  return machine;
}

void
machine_set_saving (Machine *machine, const char *path, const char *id)
{
  g_free (machine->save_path);
  g_free (machine->save_id);
  machine->save_path = g_strdup (path);
  machine->save_id = g_strdup (id);
  machine_save_status (machine);
}

DriverMachine *
machine_driver_view (const Machine *machine)
{
  g_autofree char *directory = machine_directory (machine->domain->manager->store, machine->domain->uuid);

  return driver_machine_new (machine->driver, machine->def, directory);
}

void
machine_taint_by_monitor (Machine *machine)
{
  Domain *domain = machine->domain;

  if (domain->tainted)
    return;
  g_warning ("Domain id=%d name='%s' uuid=%s is tainted: custom-monitor", domain->id, domain->name,
             domain->uuid);
  domain->tainted = TRUE;
  machine_save_status (machine);
}

void
machine_end (Machine *machine, gboolean graceful, int reason, int detail)
{
  MAIN_LOOP_ONLY ();

  Domain *domain = machine->domain;

  machine_events_expect_end (machine->events, reason, detail);
  if (domain->job != NULL)
    job_cancel (domain->job);
  control_end (machine->process, graceful);
}
