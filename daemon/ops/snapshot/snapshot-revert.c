/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Back to a snapshot, or forth to one that came later. A machine that runs is ended first; then disks,
 * firmware's variables and TPM become what they were, the stored definition is the one of then, and the
 * machine is started where the snapshot, or the client, says so: with the memory of then where there is one.
 *
 * What is written down before the first step says which snapshot and which new images; until it is removed,
 * everything can be done again from its beginning (snapshot-recover.h).
 */
#include "daemon/snapshot/snapshot-revert.h"
#include "daemon/domain/machine.h"
#include "daemon/object/change.h"
#include "daemon/object/child-store.h"
#include "daemon/ops/domain/domain-start.h"
#include "daemon/ops/object/object-children.h"
#include "daemon/ops/ops.h"
#include "daemon/ops/snapshot/snapshot-end.h"
#include "daemon/snapshot/snapshot-kind.h"

#define REVERT_KNOWN_FLAGS                                                                                   \
  (VIR_DOMAIN_SNAPSHOT_REVERT_RUNNING | VIR_DOMAIN_SNAPSHOT_REVERT_PAUSED | VIR_DOMAIN_SNAPSHOT_REVERT_FORCE \
   | VIR_DOMAIN_SNAPSHOT_REVERT_RESET_NVRAM)

typedef struct {
  Call *call;
  SnapshotRevert *revert;
  gboolean starts, paused;
  guint definition_count;
} Reverting;

static void
reverting_free (gpointer data)
{
  Reverting *reverting = data;

  if (reverting == NULL)
    return;
  snapshot_revert_free (reverting->revert);
  g_free (reverting);
}

/* Start. */

static void
opened (gpointer result, const GError *error, gpointer data)
{
  Reverting *reverting = data;
  SnapshotRevert *revert = reverting->revert;
  Call *call = reverting->call;
  Restore *restore = result;
  Domain *domain = manager_find_uuid (call->manager, call->domain_uuid, NULL);

  if (result == NULL || domain == NULL) {
    restore_free (restore);
    call_fail (call, error != NULL ? g_error_copy (error)
                                   : g_error_new (VIRT_ERROR, VIR_ERR_NO_DOMAIN,
                                                  "no domain with matching uuid '%s'", call->domain_uuid));
    return;
  }
  call->domain = domain;
  domain_def_unref (restore->def);
  restore->def = domain_def_ref (revert->start);
  start_from_snapshot (call, revert->start, restore, reverting->paused);
}

static gpointer
open_memory (G_GNUC_UNUSED Job *job, gpointer data, GError **error)
{
  const SnapshotRevert *revert = data;

  return restore_open (revert->def->memory_file, NULL, revert->place->platform, error);
}

static void
start (Reverting *reverting, Domain *domain)
{
  SnapshotRevert *revert = reverting->revert;
  Call *call = reverting->call;

  call->domain = domain;
  if (revert->def->memory == SNAPSHOT_WHERE_EXTERNAL) {
    job_start ("snapshot-memory", open_memory, revert, NULL, 0, opened, reverting);
  } else if (revert->def->memory == SNAPSHOT_WHERE_INTERNAL) {
    g_autoptr (GPtrArray) targets = snapshot_revert_targets (revert);

    start_from_snapshot (call, revert->start, restore_of_snapshot (revert->def->name, targets, revert->start),
                         reverting->paused);
  } else {
    start_from_snapshot (call, revert->start, NULL, reverting->paused);
  }
}

/* Disks and definition. */

static gboolean
store_check (Manager *manager, gpointer data, GError **error)
{
  const Reverting *reverting = data;

  return manager_find_uuid (manager, reverting->revert->place->uuid, error) != NULL;
}

static gboolean
store_write (Store *store G_GNUC_UNUSED, gpointer data, GError **error)
{
  return snapshot_revert_store (((Reverting *)data)->revert, error);
}

static void
stored (Manager *manager, gpointer data, const GError *error)
{
  Reverting *reverting = data;
  SnapshotRevert *revert = reverting->revert;
  Call *call = reverting->call;
  Domain *domain = manager_find_uuid (manager, revert->place->uuid, NULL);

  if (error != NULL || domain == NULL) {
    call_fail (call, g_error_copy (error));
    return;
  }
  if (domain->persistent)
    definition_replace (domain, revert->config);
  domain->snapshots->current = child_tree_put (domain->snapshots, revert->def);
  if (revert->left != NULL)
    child_tree_put (domain->snapshots, revert->left);
  domain->reason = VIR_DOMAIN_SHUTOFF_FROM_SNAPSHOT;
  if (reverting->starts)
    start (reverting, domain);
  else
    call_answer_nothing (call);
}

static const ChangeKind store_change = { "snapshot-revert", store_check, store_write, stored };

static void
went_back (gpointer result, const GError *error, gpointer data)
{
  Reverting *reverting = data;

  if (result == NULL)
    call_fail (reverting->call, g_error_copy (error));
  else
    change_start (reverting->call->manager, &store_change, reverting, NULL);
}

static gpointer
go_back_job (G_GNUC_UNUSED Job *job, gpointer data, GError **error)
{
  return snapshot_revert_disks (data, error) ? JOB_OK : NULL;
}

/* Its machine is over. */
static void
ended (gpointer data, const GError *error)
{
  Reverting *reverting = data;

  if (error != NULL)
    call_fail (reverting->call, g_error_copy (error));
  else
    job_start ("snapshot-revert", go_back_job, reverting->revert, NULL, 0, went_back, reverting);
}

static void
prepared (gpointer result, const GError *error, gpointer data)
{
  Reverting *reverting = data;
  Call *call = reverting->call;
  Domain *domain;

  if (result == NULL) {
    call_fail (call, g_error_copy (error));
    return;
  }
  domain = call_find_domain_again (call);
  if (domain == NULL)
    return;
  if (domain->machine != NULL)
    snapshot_end_machine (call, domain->machine, ended, reverting);
  else
    job_start ("snapshot-revert", go_back_job, reverting->revert, NULL, 0, went_back, reverting);
}

static gpointer
prepare_job (G_GNUC_UNUSED Job *job, gpointer data, GError **error)
{
  return snapshot_revert_prepare (data, error) ? JOB_OK : NULL;
}

static void
with_config (Call *call, DomainDef *config)
{
  Reverting *reverting = call->user_data;

  reverting->revert->before = domain_def_ref (config);
  job_start ("snapshot-revert", prepare_job, reverting->revert, NULL, 0, prepared, reverting);
}

/* Images of it have been merged, or begun to be, by a deletion that could not be ended. */
static gboolean
is_being_deleted (const SnapshotDef *def)
{
  for (guint i = 0; def->disks != NULL && i < def->disks->len; i++)
    if (((const SnapshotDisk *)g_ptr_array_index (def->disks, i))->deleting)
      return TRUE;
  return FALSE;
}

static gboolean
check (const Domain *domain, const SnapshotDef *def, guint flags, GError **error)
{
  gboolean risky = (flags & VIR_DOMAIN_SNAPSHOT_REVERT_FORCE) == 0;

  if (!domain->persistent)
    virt_error_set (error, VIR_ERR_OPERATION_UNSUPPORTED,
                    "domain '%s' has no stored definition: going back to a snapshot needs one", domain->name);
  else if (is_being_deleted (def))
    virt_error_set (error, VIR_ERR_OPERATION_INVALID,
                    "snapshot '%s' is being deleted: what is left of it can only be deleted", def->name);
  else if (risky && def->domain == NULL)
    virt_error_set (error, VIR_ERR_SNAPSHOT_REVERT_RISKY, "snapshot '%s' lacks domain '%s' rollback info",
                    def->name, domain->name);
  else if (risky && domain->managed_save && def->memory <= SNAPSHOT_WHERE_NO)
    virt_error_set (error, VIR_ERR_SNAPSHOT_REVERT_RISKY,
                    "snapshot without memory state, removal of existing managed saved state strongly "
                    "recommended to avoid corruption");
  else
    return TRUE;
  return FALSE;
}

static void
begin (Domain *domain, Call *call)
{
  guint flags = call_uint (call, 1);
  const Child *child = call_find_child_again (call), *current;
  Reverting *reverting;
  const SnapshotDef *def;
  GError *error = NULL;

  if (child == NULL)
    return;
  def = child->def;
  if (!check (domain, def, flags, &error)) {
    call_fail (call, error);
    return;
  }
  current = domain->snapshots->current;
  reverting = g_new0 (Reverting, 1);
  reverting->call = call;
  reverting->paused =
      (flags & VIR_DOMAIN_SNAPSHOT_REVERT_PAUSED) != 0
      || (def->state == VIR_DOMAIN_PAUSED + 1 && (flags & VIR_DOMAIN_SNAPSHOT_REVERT_RUNNING) == 0);
  reverting->starts = (flags & (VIR_DOMAIN_SNAPSHOT_REVERT_RUNNING | VIR_DOMAIN_SNAPSHOT_REVERT_PAUSED)) != 0
                      || def->memory > SNAPSHOT_WHERE_NO;
  reverting->revert =
      snapshot_revert_new (snapshot_place_new (call->manager->settings, call->manager->store,
                                               call->manager->platform, domain->uuid, domain->name),
                           def, current != NULL ? current->def : NULL);
  reverting->revert->place->author = call_author (call);
  call->user_data = reverting;
  call->user_free = reverting_free;
  call_with_definition (call, DEFINITION_CONFIG, with_config);
}

void
op_domain_revert_to_snapshot (Call *call)
{
  guint flags = call_uint (call, 1);
  guint both = VIR_DOMAIN_SNAPSHOT_REVERT_RUNNING | VIR_DOMAIN_SNAPSHOT_REVERT_PAUSED;

  if (!call_check_flags (call, flags, REVERT_KNOWN_FLAGS))
    return;
  if ((flags & both) == both)
    call_fail_with (call, VIR_ERR_INVALID_ARG,
                    "Flags 'VIR_DOMAIN_SNAPSHOT_REVERT_RUNNING' and 'VIR_DOMAIN_SNAPSHOT_REVERT_PAUSED' are "
                    "mutually exclusive");
  else
    domain_lock (call->domain, "snapshot-revert", call, begin);
}
