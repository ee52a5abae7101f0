/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A machine that lived on while no daemon did: it is the domain's at once, as its state file says, and its
 * monitor is asked in a job what is true by now. What was under way when the last daemon ended is finished or
 * undone then. A monitor that does not answer is asked again and again: its process may have been stopped, or
 * be stuck at its disks.
 */
#include "daemon/domain/machine.h"

#include "daemon/core/main-loop.h"
#include "daemon/domain/domain-migration.h"
#include "daemon/domain/machine-backup.h"
#include "daemon/domain/machine-devices.h"
#include "daemon/drivers/driver-job.h"
#include "daemon/drivers/qemu/control.h"

#define CLIENT_ENDED        "the end of the client that started it"
#define ADOPT_AGAIN_SECONDS 5 /* before a machine whose monitor was silent is asked again */

typedef struct {
  Manager *manager;
  char *uuid;
  int id;
  gboolean first; /* it holds the domain's lock, until the monitor was asked for the first time */
} AdoptContext;

static gboolean adopt_again (gpointer data);

/* What was under way when the daemon ended is over with it. */
static void
end_found (Machine *machine, const AdoptContext *context, const char *what, int reason, int detail)
{
  g_message ("domain '%s' was %s when the daemon ended", machine->domain->name, what);
  if (context->first)
    lock_pass (machine->domain->lock, context, machine, NULL); /* who starts it anew waits for the end */
  machine_end (machine, FALSE, reason, detail);
}

/* Those that came and went while no daemon was there to say so. */
static void
take_up_devices (Machine *machine, AdoptedMachine *answer)
{
  Store *store = machine->domain->manager->store;

  if (answer->added->len > 0)
    machine_devices_added (machine, answer->added);
  for (guint i = 0; i < answer->added->len; i++)
    store_remove_hotplug (store, machine->domain->uuid,
                          ((const Device *)g_ptr_array_index (answer->added, i))->alias);
  for (guint i = 0; i < answer->updated->len; i++) {
    const Device *device = g_ptr_array_index (answer->updated, i);

    machine_device_updated (machine, device);
    store_remove_hotplug (store, machine->domain->uuid, device->alias);
  }
  for (guint i = 0; i < answer->vcpus->len; i++)
    machine_vcpu_added (machine, g_array_index (answer->vcpus, guint, i));
  if (answer->iothreads != NULL)
    machine_iothreads_found (machine, answer->iothreads);
  for (guint i = 0; i < answer->removed->len; i++) {
    g_autoptr (JsonObject) gone = json_object_new ();

    json_object_set_string_member (gone, "device", g_ptr_array_index (answer->removed, i));
    machine_events_qmp (machine->events, "DEVICE_DELETED", gone);
  }
}

/* What the last daemon was doing with them, which is done now. */
static void
take_up_checkpoints (Machine *machine, const CheckpointNote *note)
{
  ChildTree *tree = machine->domain->checkpoints;

  if (note == NULL)
    return;
  if (note->created != NULL)
    tree->current = child_tree_put (tree, note->created);
  for (guint i = 0; i < note->removed->len; i++) {
    Child *child = child_find (tree, g_ptr_array_index (note->removed, i), NULL);

    if (child != NULL)
      child_tree_remove (child);
  }
}

/* What is left to do of a migration that was under way; QEMU was told already (adopt.c). */
static void
take_up_migration (Machine *machine, const AdoptContext *context)
{
  Domain *domain = machine->domain;
  Migration *migration = domain->migration;

  if (migration == NULL)
    return;
  if (migration->phase == MIGRATION_PERFORMED && migration->peer != NULL && context->first) {
    lock_pass (domain->lock, context, migration, "migration");
    domain->manager->resolve_migration (domain);
    return;
  }
  if (migration->phase == MIGRATION_PERFORMED)
    g_warning (
        "domain '%s' was migrated, and nobody has said whether it runs on the target: it stays paused here; "
        "resume it if it does not, destroy it if it does",
        domain->name);
  migration_end (migration);
}

/* The monitor has answered: what it says now is the state. */
static void
take_up (Machine *machine, AdoptedMachine *answer, const AdoptContext *context)
{
  Domain *domain = machine->domain;

  if (answer->half_started) {
    end_found (machine, context, "being started", VIR_DOMAIN_SHUTOFF_FAILED, VIR_DOMAIN_EVENT_STOPPED_FAILED);
    return;
  }
  if (answer->saved) {
    end_found (machine, context, "saved", VIR_DOMAIN_SHUTOFF_SAVED, VIR_DOMAIN_EVENT_STOPPED_SAVED);
    return;
  }
  if (domain->migration != NULL && domain->migration->phase == MIGRATION_CONFIRM) {
    end_found (machine, context, "migrated", VIR_DOMAIN_SHUTOFF_MIGRATED, VIR_DOMAIN_EVENT_STOPPED_MIGRATED);
    return;
  }
  domain->managed_save = domain->managed_save && !answer->image_gone;
  machine->qmp = g_steal_pointer (&answer->qmp);
  machine->starting = FALSE;
  g_clear_pointer (&machine->save_path, g_free);
  g_clear_pointer (&machine->save_id, g_free);
  domain_set_state (domain, answer->state, answer->reason, -1, 0);
  machine_events_found (machine->events, answer->state, answer->reason);
  machine_found (machine, answer);
  machine_watch_monitor (machine);
  take_up_devices (machine, answer);
  take_up_checkpoints (machine, answer->checkpoints);
  if (answer->backup != NULL)
    machine_backup_found (machine, g_steal_pointer (&answer->backup));
  take_up_migration (machine, context);
}

static void
adopted (gpointer result, const GError *error, gpointer data)
{
  g_autoptr (AdoptedMachine) answer = result;
  AdoptContext *context = data;
  Domain *domain = manager_find_uuid (context->manager, context->uuid, NULL);
  /* It may have ended, and a transient domain be another one already. */
  Machine *machine = domain != NULL && domain->id == context->id ? domain->machine : NULL;

  if (machine != NULL && context->first)
    domain->job = NULL;
  if (machine != NULL && error != NULL) {
    g_log (G_LOG_DOMAIN, context->first ? G_LOG_LEVEL_WARNING : G_LOG_LEVEL_DEBUG,
           "domain '%s' runs, but its monitor does not answer: %s", domain->name, error->message);
    machine->ask_again = g_timeout_add_seconds (ADOPT_AGAIN_SECONDS, adopt_again, machine);
  } else if (machine != NULL) {
    take_up (machine, answer, context);
  }
  if (domain != NULL)
    lock_release (domain->lock, context);
  g_free (context->uuid);
  g_free (context);
}

static Job *
begin_adoption (Machine *machine, const MachineStatus *status, gboolean first)
{
  Domain *domain = machine->domain;
  Manager *manager = domain->manager;
  AdoptContext *context = g_new0 (AdoptContext, 1);
  const Hotplug plug = { NULL, manager->settings, manager->store, manager->caps, machine->helpers };
  AdoptRequest *request;

  *context = (AdoptContext){ manager, g_strdup (domain->uuid), domain->id, first };
  if (first) /* changes wait until the monitor has answered; destroy does not */
    lock_try (domain->lock, "adopt", context);
  if (machine->driver != NULL)
    return driver_job_adopt (machine_driver_view (machine), &plug, manager->platform, status->starting,
                             status->state, status->reason, manager->settings->call_timeout, adopted,
                             context);
  request = adopt_request_new (status, machine->def, manager->platform, &plug, domain->checkpoints->kind);
  return job_start ("adopt", adopt_job, request, (GDestroyNotify)adopt_request_free,
                    manager->settings->call_timeout, adopted, context);
}

/* A process that was stopped, or stuck at its disks, may go on and answer. Nobody waits for that: calls are
 * told meanwhile that it is silent. */
static gboolean
adopt_again (gpointer data)
{
  Machine *machine = data;
  const MachineStatus status = machine_status (machine);

  machine->ask_again = 0;
  begin_adoption (machine, &status, FALSE);
  return G_SOURCE_REMOVE;
}

void
machine_adopt (Domain *domain, MachineStatus *status, DomainDef *live, Process *process)
{
  MAIN_LOOP_ONLY ();

  g_autofree char *run_directory = store_run_directory (domain->manager->store, domain->uuid);
  Machine *machine = machine_new (domain, process, domain_def_ref (live), status->state, status->reason);

  machine->started = status->started;
  machine->starting = status->starting;
  end_asked_copy (&machine->asked, &status->asked);
  machine->save_path = g_strdup (status->save_path);
  machine->save_id = g_strdup (status->save_id);
  domain->state_changed = status->state_changed;
  domain->tainted = status->tainted;
  domain->agent_timeout = status->agent_timeout;
  manager_set_id (domain->manager, domain, status->id);
  migration_found (domain, status);
  if (status->shutdown_seen)
    machine_events_set_shutdown_seen (machine->events);
  machine_events_restart_on_shutdown (machine->events, status->restart_on_shutdown);
  machine_watch_process (machine);
  helper_set_add_all (machine->helpers, helpers_find (run_directory));

  domain->job = begin_adoption (machine, status, TRUE);
  /* Its client's connection has ended with the daemon. */
  if (status->auto_destroy && machine->asked.wire == NULL)
    machine->asked = (EndAsked){ .wire = g_strdup (CLIENT_ENDED), .at = g_get_real_time () };
  if (status->auto_destroy)
    machine_end (machine, FALSE, VIR_DOMAIN_SHUTOFF_DESTROYED, VIR_DOMAIN_EVENT_STOPPED_DESTROYED);
}
