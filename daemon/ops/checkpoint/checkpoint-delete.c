/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Checkpoints deleted: one, one with what follows it, or only what follows it; with their bitmaps, which
 * needs a running machine, or only what is known of them.
 */
#include "daemon/domain/machine.h"
#include "daemon/drivers/qemu/checkpoint.h"
#include "daemon/ops/object/object-children.h"
#include "daemon/ops/ops.h"
#include "daemon/snapshot/checkpoint-kind.h"

#define CHILDREN      VIR_DOMAIN_CHECKPOINT_DELETE_CHILDREN
#define CHILDREN_ONLY VIR_DOMAIN_CHECKPOINT_DELETE_CHILDREN_ONLY
#define METADATA_ONLY VIR_DOMAIN_CHECKPOINT_DELETE_METADATA_ONLY

typedef struct {
  Call *call;
  CheckpointHost host;
  CheckpointNote *note;
} Delete;

static void
delete_free (gpointer data)
{
  Delete *delete = data;

  checkpoint_host_clear (&delete->host);
  checkpoint_note_free (delete->note);
  g_free (delete);
}

static gpointer
delete_job (Job *job, gpointer data, GError **error)
{
  const Delete *delete = data;

  return (delete->host.qmp == NULL || checkpoint_note_save (delete->note, delete->host.run_directory, error))
                 && checkpoint_remove (job, &delete->host, delete->note, error)
             ? JOB_OK
             : NULL;
}

static void
deleted (gpointer result, const GError *error, gpointer data)
{
  const Delete *delete = data;
  Call *call = delete->call;
  Domain *domain = manager_find_uuid (call->manager, call->domain_uuid, NULL);
  ChildTree *tree = domain != NULL ? domain->checkpoints : NULL;

  if (domain != NULL)
    domain->job = NULL;
  if (result == NULL) {
    call_fail (call, g_error_copy (error));
    return;
  }
  for (guint i = 0; tree != NULL && i < delete->note->removed->len; i++) {
    Child *child = child_find (tree, g_ptr_array_index (delete->note->removed, i), NULL);

    if (child != NULL)
      child_tree_remove (child);
  }
  if (tree != NULL)
    tree->current = delete->note->current != NULL ? child_find (tree, delete->note->current, NULL) : NULL;
  call_answer_nothing (call);
}

/* Which go, those that follow others first, and what that does to the rest. */
static CheckpointNote *
plan (const Child *top, guint flags)
{
  const ChildTree *tree = top->tree;
  gboolean below = (flags & (CHILDREN | CHILDREN_ONLY)) != 0, itself = (flags & CHILDREN_ONLY) == 0;
  const char *before = top->before != NULL ? top->before->name : NULL;
  const Child *current = tree->current;
  CheckpointNote *note = checkpoint_note_new ();
  GPtrArray *names = note->removed;

  if (itself)
    g_ptr_array_add (names, g_strdup (top->name));
  for (const Child *child = child_next (tree, top, NULL); below && child != NULL;
       child = child_next (tree, top, child))
    g_ptr_array_add (names, g_strdup (child->name));
  for (guint i = 0; i < names->len / 2; i++) {
    gpointer name = names->pdata[i];

    names->pdata[i] = names->pdata[names->len - 1 - i];
    names->pdata[names->len - 1 - i] = name;
  }
  for (const Child *child = top->first; itself && !below && child != NULL; child = child->next)
    g_ptr_array_add (note->followers, child_def_after (&checkpoint_kind, child->def, before));
  if (current != NULL && (below ? child_is_below (current, top) : current == top))
    note->current = g_strdup (itself ? before : top->name);
  else if (current != NULL)
    note->current = g_strdup (current->name);
  note->bitmaps = (flags & METADATA_ONLY) == 0;
  return note;
}

static void
delete_begin (Domain *domain, Call *call)
{
  guint flags = call_uint (call, 1);
  Machine *machine = domain->machine;
  g_autofree char *directory = store_run_directory (call->manager->store, domain->uuid);
  gboolean bitmaps = (flags & METADATA_ONLY) == 0;
  Delete *delete;

  if (call_find_child_again (call) == NULL)
    return;
  if (machine == NULL && bitmaps) {
    call_fail_with (call, VIR_ERR_OPERATION_UNSUPPORTED, "cannot delete checkpoint for inactive domain");
    return;
  }
  if (bitmaps && !call_check_monitor (call))
    return;
  delete = g_new0 (Delete, 1);
  delete->call = call;
  delete->note = plan (call->child, flags);
  checkpoint_host_init (&delete->host, &checkpoint_kind, call->manager->settings, domain->uuid,
                        bitmaps ? machine->qmp : NULL, call->manager->caps,
                        machine != NULL ? machine->def : NULL, directory);
  call->user_data = delete;
  call->user_free = delete_free;
  domain->job = job_start ("checkpoint", delete_job, delete, NULL, delete->host.patience, deleted, delete);
}

void
op_domain_checkpoint_delete (Call *call)
{
  guint flags = call_uint (call, 1);

  if (!call_check_flags (call, flags, CHILDREN | CHILDREN_ONLY | METADATA_ONLY))
    return;
  if ((flags & CHILDREN) && (flags & CHILDREN_ONLY))
    call_fail_with (call, VIR_ERR_INVALID_ARG,
                    "Flags 'VIR_DOMAIN_CHECKPOINT_DELETE_CHILDREN' and "
                    "'VIR_DOMAIN_CHECKPOINT_DELETE_CHILDREN_ONLY' are mutually exclusive");
  else
    domain_lock (call->domain, "checkpoint-delete", call, delete_begin);
}
