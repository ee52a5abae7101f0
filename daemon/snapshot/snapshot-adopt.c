/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Snapshots that were cut short, when the daemon starts again. Those of machines that are off are ended
 * before anything is in memory. A machine that runs has to be adopted first: its domain's lock is asked for
 * at once, so that nobody comes between the adoption and this.
 */
#include "daemon/snapshot/snapshot-adopt.h"

#include "daemon/domain/definition.h"
#include "daemon/domain/machine-devices.h"
#include "daemon/domain/machine.h"
#include "daemon/object/child-store.h"
#include "daemon/snapshot/snapshot-kind.h"
#include "daemon/snapshot/snapshot-merge-live.h"
#include "daemon/snapshot/snapshot-recover.h"

typedef struct {
  Manager *manager;
  char *uuid;
  SnapshotPlace *place;
  Hotplug plug;
  DomainDef *live, *after;  /* NULL: it does not run any more; it stays as it is */
  SnapshotDelete *deletion; /* whose images the machine still merges; NULL: none */
  ChildFamily *family;      /* as it is on disk afterwards */
  guint patience;
} Recovery;

gboolean
snapshot_is_unfinished (Manager *manager, const char *uuid)
{
  return snapshot_recovery_is_needed (manager->settings, uuid);
}

void
snapshot_finish_stopped (Manager *manager, const char *uuid, const char *name)
{
  g_autoptr (SnapshotPlace) place =
      snapshot_place_new (manager->settings, manager->store, manager->platform, uuid, name);

  snapshot_recover (place);
}

static void
recovery_free (gpointer data)
{
  Recovery *recovery = data;

  snapshot_place_free (recovery->place);
  if (recovery->plug.qmp != NULL)
    machine_hotplug_clear (&recovery->plug);
  g_clear_pointer (&recovery->live, domain_def_unref);
  g_clear_pointer (&recovery->after, domain_def_unref);
  g_clear_pointer (&recovery->deletion, snapshot_delete_free);
  g_clear_pointer (&recovery->family, child_family_free);
  g_free (recovery->uuid);
  g_free (recovery);
}

static gpointer
recover_job (Job *job, gpointer data, G_GNUC_UNUSED GError **error)
{
  Recovery *recovery = data;

  if (recovery->live != NULL)
    recovery->after = snapshot_recover_running (job, recovery->place, &recovery->plug, recovery->patience,
                                                recovery->live, &recovery->deletion);
  else
    snapshot_recover (recovery->place);
  recovery->family = child_store_read (&snapshot_kind, recovery->place->settings, recovery->uuid);
  return JOB_OK;
}

static void
over (Recovery *recovery, Domain *domain)
{
  definition_replace (domain, NULL);
  child_tree_clear (domain->snapshots);
  child_tree_fill (domain->snapshots, recovery->family->defs, recovery->family->current);
  lock_release (domain->lock, recovery);
  recovery_free (recovery);
}

/* The rest of a deletion whose images the machine has merged, or not. */

static gpointer
end_deletion_job (G_GNUC_UNUSED Job *job, gpointer data, G_GNUC_UNUSED GError **error)
{
  Recovery *recovery = data;
  const SnapshotDelete *deletion = recovery->deletion;
  g_autoptr (GError) problem = NULL;

  if (!snapshot_delete_follow (recovery->deletion, &problem)
      || !snapshot_delete_store (recovery->deletion, &problem))
    g_warning ("domain '%s': the deletion of snapshot '%s' cannot be ended: %s", deletion->place->domain,
               deletion->def->name, problem->message);
  else
    g_message (
        "domain '%s': the deletion of snapshot '%s' that was begun when the daemon ended is ended now%s",
        deletion->place->domain, deletion->def->name,
        deletion->stays ? "; images that could not be merged are left of it" : "");
  g_clear_pointer (&recovery->family, child_family_free);
  recovery->family = child_store_read (&snapshot_kind, recovery->place->settings, recovery->uuid);
  return JOB_OK;
}

static void
deletion_ended (G_GNUC_UNUSED gpointer result, G_GNUC_UNUSED const GError *error, gpointer data)
{
  Recovery *recovery = data;
  Domain *domain = manager_find_uuid (recovery->manager, recovery->uuid, NULL);

  if (domain != NULL)
    over (recovery, domain);
  else
    recovery_free (recovery);
}

static void
merged (const GError *error, gpointer data)
{
  Recovery *recovery = data;

  if (error != NULL)
    g_warning ("%s", error->message);
  job_start ("snapshot", end_deletion_job, recovery, NULL, 0, deletion_ended, recovery);
}

static void
recovered (G_GNUC_UNUSED gpointer result, G_GNUC_UNUSED const GError *error, gpointer data)
{
  Recovery *recovery = data;
  Domain *domain = manager_find_uuid (recovery->manager, recovery->uuid, NULL);

  if (domain == NULL) {
    recovery_free (recovery);
    return;
  }
  domain->job = NULL;
  if (domain->machine != NULL && recovery->after != NULL)
    machine_replace_def (domain->machine, g_steal_pointer (&recovery->after));
  if (recovery->deletion != NULL)
    snapshot_merge_live (domain, recovery->deletion->merges, merged, recovery);
  else
    over (recovery, domain);
}

static void
begin (gpointer data)
{
  Recovery *recovery = data;
  Domain *domain = manager_find_uuid (recovery->manager, recovery->uuid, NULL);
  Machine *machine = domain->machine;

  if (machine != NULL && !domain_check_monitor (domain, NULL)) {
    g_warning ("domain '%s': what was begun with a snapshot when the daemon ended waits for a machine that "
               "answers",
               domain->name);
    lock_release (domain->lock, recovery);
    recovery_free (recovery);
    return;
  }
  recovery->place = snapshot_place_new (recovery->manager->settings, recovery->manager->store,
                                        recovery->manager->platform, domain->uuid, domain->name);
  recovery->patience = recovery->manager->settings->call_timeout;
  if (machine != NULL) {
    recovery->live = domain_def_ref (machine->def);
    machine_hotplug_init (machine, &recovery->plug);
    machine_events_expect_run (machine->events, VIR_DOMAIN_RUNNING_UNPAUSED,
                               VIR_DOMAIN_EVENT_RESUMED_UNPAUSED);
  }
  domain->job = job_start ("snapshot", recover_job, recovery, NULL, 0, recovered, recovery);
}

static void
fail (gpointer data, GError *error)
{
  g_warning ("%s", error->message);
  g_error_free (error);
  recovery_free (data);
}

void
snapshot_finish_running (Object *owner)
{
  Recovery *recovery = g_new0 (Recovery, 1);
  const LockRequest request = {
    .name = "snapshot", .holder = recovery, .begin = begin, .fail = fail, .data = recovery
  };

  recovery->manager = owner->manager;
  recovery->uuid = g_strdup (owner->uuid);
  lock_acquire (owner->lock, &request);
}
