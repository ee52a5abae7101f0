/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Snapshots deleted: one, one with what follows it, or only what follows it; with what is kept in the disks,
 * or only what is known of them. They go one after the other, those that follow others first, and each is
 * gone whole before the next: a daemon that is killed meanwhile has deleted some, and none by half. The call
 * has the domain's lock all the time, also while block jobs of a running machine merge its images.
 */
#include "daemon/domain/machine-block-jobs.h"
#include "daemon/domain/machine-devices.h"
#include "daemon/domain/machine.h"
#include "daemon/drivers/qemu/snapshot-job.h"
#include "daemon/object/change.h"
#include "daemon/object/child-store.h"
#include "daemon/ops/object/object-children.h"
#include "daemon/ops/ops.h"
#include "daemon/snapshot/snapshot-kind.h"
#include "daemon/snapshot/snapshot-merge-live.h"
#include "daemon/snapshot/snapshot-merge.h"

#define DELETE_KNOWN_FLAGS                                                        \
  (VIR_DOMAIN_SNAPSHOT_DELETE_CHILDREN | VIR_DOMAIN_SNAPSHOT_DELETE_METADATA_ONLY \
   | VIR_DOMAIN_SNAPSHOT_DELETE_CHILDREN_ONLY)

typedef struct {
  Call *call;
  gboolean metadata_only;
  GPtrArray *names;         /* char *: that are still to go, the next one last */
  SnapshotDelete *deletion; /* of the one that goes now */
  Hotplug plug;             /* of a machine that runs */
  guint patience;
  GError *problem; /* why it stays */
} Deleting;

static void
end_one (Deleting *deleting)
{
  g_clear_pointer (&deleting->deletion, snapshot_delete_free);
  if (deleting->plug.qmp != NULL)
    machine_hotplug_clear (&deleting->plug);
  deleting->plug = (Hotplug){ 0 };
}

static void
deleting_free (gpointer data)
{
  Deleting *deleting = data;

  end_one (deleting);
  g_clear_error (&deleting->problem);
  g_ptr_array_unref (deleting->names);
  g_free (deleting);
}

static void delete_next (Deleting *deleting);

static gboolean
store_check (Manager *manager, gpointer data, GError **error)
{
  const Deleting *deleting = data;

  return manager_find_uuid (manager, deleting->deletion->place->uuid, error) != NULL;
}

static gboolean
store_write (Store *store G_GNUC_UNUSED, gpointer data, GError **error)
{
  return snapshot_delete_store (((Deleting *)data)->deletion, error);
}

/* What is on disk now. */
static void
show (Domain *domain, const SnapshotDelete *deletion)
{
  Child *child = child_find (domain->snapshots, deletion->def->name, NULL);

  if (child != NULL && !deletion->stays)
    child_tree_remove (child);
  for (guint i = 0; i < deletion->changed->len; i++)
    child_tree_put (domain->snapshots, g_ptr_array_index (deletion->changed, i));
  if (!deletion->stays)
    domain->snapshots->current =
        deletion->current != NULL ? child_find (domain->snapshots, deletion->current, NULL) : NULL;
  if (deletion->config_after != NULL)
    definition_replace (domain, deletion->config_after);
}

static void
stored (Manager *manager, gpointer data, const GError *error)
{
  Deleting *deleting = data;
  SnapshotDelete *deletion = deleting->deletion;
  Domain *domain = manager_find_uuid (manager, deletion->place->uuid, NULL);

  if (error != NULL || domain == NULL) {
    call_fail (deleting->call, g_error_copy (error));
    return;
  }
  show (domain, deletion);
  if (deleting->problem != NULL) {
    call_fail (deleting->call, g_steal_pointer (&deleting->problem));
    return;
  }
  end_one (deleting);
  delete_next (deleting);
}

static const ChangeKind store_change = { "snapshot-delete", store_check, store_write, stored };

/* Who named what is merged. */

static void
followed (gpointer result, const GError *error, gpointer data)
{
  Deleting *deleting = data;

  if (result != NULL)
    change_start (deleting->call->manager, &store_change, deleting, NULL);
  else if (deleting->problem != NULL)
    call_fail (deleting->call, g_steal_pointer (&deleting->problem));
  else
    call_fail (deleting->call, g_error_copy (error));
}

static gpointer
follow_job (G_GNUC_UNUSED Job *job, gpointer data, GError **error)
{
  return snapshot_delete_follow (((Deleting *)data)->deletion, error) ? JOB_OK : NULL;
}

static void
merged (const GError *error, gpointer data)
{
  Deleting *deleting = data;

  if (error != NULL)
    deleting->problem = g_error_copy (error);
  job_start ("snapshot-delete", follow_job, deleting, NULL, 0, followed, deleting);
}

/* Images. */

static void
images_done (gpointer result, const GError *error, gpointer data)
{
  Deleting *deleting = data;
  Domain *domain = manager_find_uuid (deleting->call->manager, deleting->call->domain_uuid, NULL);

  if (domain != NULL)
    domain->job = NULL;
  if (result == NULL)
    call_fail (deleting->call, g_error_copy (error));
  else if (domain != NULL)
    snapshot_merge_live (domain, deleting->deletion->merges, merged, deleting);
  else
    merged (NULL, deleting);
}

/* The disks that have it inside. */
static GPtrArray *
inside (const SnapshotDef *def)
{
  GPtrArray *targets = g_ptr_array_new ();

  for (guint i = 0; def->disks != NULL && i < def->disks->len; i++) {
    const SnapshotDisk *disk = g_ptr_array_index (def->disks, i);

    if (disk->where == SNAPSHOT_WHERE_INTERNAL)
      g_ptr_array_add (targets, disk->name);
  }
  return targets;
}

static gpointer
images_job (Job *job, gpointer data, GError **error)
{
  Deleting *deleting = data;
  SnapshotDelete *deletion = deleting->deletion;
  g_autoptr (GPtrArray) targets = inside (deletion->def);
  gboolean in_qemu = deletion->live != NULL && targets->len > 0 && !deletion->metadata_only;

  return snapshot_delete_plan (deletion, error)
                 && (!in_qemu
                     || snapshot_job_run (job, deleting->plug.qmp, deleting->plug.caps, deleting->patience,
                                          "snapshot-delete", deletion->def->name, deletion->live, targets,
                                          error))
                 && snapshot_delete_images (deletion, error)
             ? JOB_OK
             : NULL;
}

static void
unref_def (gpointer def)
{
  document_unref (&snapshot_document, def);
}

/* What follows it follows the one before it then. */
static GPtrArray *
adopted (const Child *child)
{
  GPtrArray *defs = g_ptr_array_new_with_free_func (unref_def);
  const char *before = child->before != NULL ? child->before->name : NULL;

  for (const Child *one = child->first; one != NULL; one = one->next)
    g_ptr_array_add (defs, child_def_after (&snapshot_kind, one->def, before));
  return defs;
}

static GPtrArray *
all_others (const Child *child)
{
  GPtrArray *defs = g_ptr_array_new_with_free_func (unref_def);

  for (const Child *one = child_next (child->tree, NULL, NULL); one != NULL;
       one = child_next (child->tree, NULL, one))
    if (one != child)
      g_ptr_array_add (defs, document_ref (&snapshot_document, one->def));
  return defs;
}

static void
with_config (Call *call, DomainDef *config)
{
  Deleting *deleting = call->user_data;
  Domain *domain = call->domain;
  const Child *child =
      child_find (domain->snapshots, g_ptr_array_index (deleting->names, deleting->names->len - 1), NULL);
  const Child *current = domain->snapshots->current;
  SnapshotDelete *deletion = g_new0 (SnapshotDelete, 1);

  g_ptr_array_set_size (deleting->names, (gint)deleting->names->len - 1);
  deleting->deletion = deletion;
  deletion->place = snapshot_place_new (call->manager->settings, call->manager->store,
                                        call->manager->platform, domain->uuid, domain->name);
  deletion->place->author = call_author (call);
  deletion->metadata_only = deleting->metadata_only;
  deletion->def = document_ref (&snapshot_document, child->def);
  deletion->config = domain->persistent ? domain_def_ref (config) : NULL;
  deletion->changed = adopted (child);
  deletion->others = all_others (child);
  current = current == child ? child->before : current;
  deletion->current = g_strdup (current != NULL ? current->name : NULL);
  if (domain->machine != NULL && domain->machine->qmp != NULL) {
    deletion->live = domain_def_ref (domain->machine->def);
    machine_hotplug_init (domain->machine, &deleting->plug);
    deleting->patience = call->manager->settings->call_timeout;
  }
  domain->job = job_start ("snapshot-delete", images_job, deleting, NULL, 0, images_done, deleting);
}

/* What the machine is to do, it must be able to do. */
static gboolean
check (const Domain *domain, const Deleting *deleting, const SnapshotDef *def, GError **error)
{
  if (deleting->metadata_only || domain->machine == NULL)
    return TRUE;
  if (!domain_check_monitor (domain, error))
    return FALSE;
  for (guint i = 0; def->disks != NULL && i < def->disks->len; i++) {
    const SnapshotDisk *disk = g_ptr_array_index (def->disks, i);

    if (disk->where == SNAPSHOT_WHERE_EXTERNAL
        && !machine_check_no_block_job (domain->machine, disk->name, error))
      return FALSE;
  }
  return TRUE;
}

static void
delete_next (Deleting *deleting)
{
  Call *call = deleting->call;
  GError *error = NULL;
  const Child *child = NULL;
  Domain *domain;

  while (child == NULL) {
    if (deleting->names->len == 0) {
      call_answer_nothing (call);
      return;
    }
    domain = call_find_domain_again (call);
    if (domain == NULL)
      return;
    child =
        child_find (domain->snapshots, g_ptr_array_index (deleting->names, deleting->names->len - 1), NULL);
    if (child == NULL)
      g_ptr_array_set_size (deleting->names, (gint)deleting->names->len - 1);
  }
  call->domain = domain;
  if (check (domain, deleting, child->def, &error))
    call_with_definition (call, DEFINITION_CONFIG, with_config);
  else
    call_fail (call, error);
}

static void
begin (Domain *domain G_GNUC_UNUSED, Call *call)
{
  guint flags = call_uint (call, 1);
  Child *top = call_find_child_again (call);
  Deleting *deleting;

  if (top == NULL)
    return;
  deleting = g_new0 (Deleting, 1);
  deleting->call = call;
  deleting->metadata_only = (flags & VIR_DOMAIN_SNAPSHOT_DELETE_METADATA_ONLY) != 0;
  deleting->names = g_ptr_array_new_with_free_func (g_free);
  if ((flags & VIR_DOMAIN_SNAPSHOT_DELETE_CHILDREN_ONLY) == 0)
    g_ptr_array_add (deleting->names, g_strdup (top->name));
  if ((flags & (VIR_DOMAIN_SNAPSHOT_DELETE_CHILDREN | VIR_DOMAIN_SNAPSHOT_DELETE_CHILDREN_ONLY)) != 0)
    for (const Child *child = child_next (top->tree, top, NULL); child != NULL;
         child = child_next (top->tree, top, child))
      g_ptr_array_add (deleting->names, g_strdup (child->name));
  call->user_data = deleting;
  call->user_free = deleting_free;
  delete_next (deleting);
}

void
op_domain_snapshot_delete (Call *call)
{
  guint flags = call_uint (call, 1);
  guint both = VIR_DOMAIN_SNAPSHOT_DELETE_CHILDREN | VIR_DOMAIN_SNAPSHOT_DELETE_CHILDREN_ONLY;

  if (!call_check_flags (call, flags, DELETE_KNOWN_FLAGS))
    return;
  if ((flags & both) == both)
    call_fail_with (call, VIR_ERR_INVALID_ARG,
                    "Flags 'VIR_DOMAIN_SNAPSHOT_DELETE_CHILDREN' and "
                    "'VIR_DOMAIN_SNAPSHOT_DELETE_CHILDREN_ONLY' are mutually exclusive");
  else
    domain_lock (call->domain, "snapshot-delete", call, begin);
}
