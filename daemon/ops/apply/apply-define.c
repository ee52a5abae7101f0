/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Definitions of an apply. Machines come by the thousand: theirs are one change of what is defined, whose
 * texts share the disk's time. The other kinds are defined one by one, as a client's call defines them, for
 * each has its own to do besides. Where each was applied from is kept last, and together.
 */
#include "daemon/core/shared-sync.h"
#include "daemon/object/change.h"
#include "daemon/object/store-applied.h"
#include "daemon/ops/apply/apply-run.h"
#include "daemon/ops/apply/inner-call.h"
#include "daemon/ops/object/object-define.h"

static void
step_done (const GError *error, gpointer data)
{
  apply_step_over (data, error);
}

void
apply_define_object (ApplyStep *step)
{
  const PlanItem *item = step->item;

  object_define_text (inner_call_new (step->run->call, step_done, step), item->row->kind,
                      item->document->text, item->completing, item->uuid, TRUE);
}

typedef struct {
  ApplyRun *run;
  void (*done) (ApplyRun *run);
  Author *author;
  GPtrArray *items; /* PlanItem, borrowed */
  StoreText *texts; /* of each */
} Batch;

static void
batch_free (gpointer data)
{
  Batch *batch = data;

  for (guint i = 0; i < batch->items->len; i++)
    g_clear_error (&batch->texts[i].error);
  author_free (batch->author);
  g_ptr_array_unref (batch->items);
  g_free (batch->texts);
  g_free (batch);
}

/* Who fails here is left out of what is written. */
static gboolean
batch_check (Manager *manager, gpointer data, G_GNUC_UNUSED GError **error)
{
  Batch *batch = data;

  for (guint i = 0; i < batch->items->len; i++) {
    const PlanItem *item = g_ptr_array_index (batch->items, i);

    manager_check_identity (manager, item->def->name, item->def->uuid, NULL, &batch->texts[i].error);
  }
  return TRUE;
}

static gboolean
batch_write (Store *store, gpointer data, G_GNUC_UNUSED GError **error)
{
  Batch *batch = data;

  store_save_many (store, batch->texts, batch->items->len, batch->author);
  return TRUE;
}

static void
batch_done (Manager *manager, gpointer data, G_GNUC_UNUSED const GError *error)
{
  Batch *batch = data;
  ApplyRun *run = batch->run;

  for (guint i = 0; i < batch->items->len; i++) {
    PlanItem *item = g_ptr_array_index (batch->items, i);
    GError *failure = batch->texts[i].error;

    if (failure == NULL)
      manager_commit_definition (manager, item->def, g_ptr_array_new_with_free_func (g_free));
    apply_item_over (run, item, item->action == PLAN_KEEP ? NULL : "defined", failure);
  }
  batch->done (run);
}

static const ChangeKind batch_change = { "apply", batch_check, batch_write, batch_done };

void
apply_define_machines (ApplyRun *run, void (*done) (ApplyRun *run))
{
  Batch *batch = g_new0 (Batch, 1);

  batch->run = run;
  batch->done = done;
  batch->author = call_author (run->call);
  batch->items = g_ptr_array_new ();
  for (guint i = 0; i < run->plan->items->len; i++) {
    PlanItem *item = g_ptr_array_index (run->plan->items, i);

    if (plan_item_is_machine (item) && item->def != NULL && (item->action != PLAN_KEEP || item->rewrites))
      g_ptr_array_add (batch->items, item);
  }
  batch->texts = g_new0 (StoreText, batch->items->len + 1);
  for (guint i = 0; i < batch->items->len; i++) {
    const PlanItem *item = g_ptr_array_index (batch->items, i);

    batch->texts[i] =
        (StoreText){ item->def->uuid, item->def->name, item->document->text, item->completed, NULL };
  }
  if (batch->items->len > 0) {
    change_start (run->call->manager, &batch_change, batch, batch_free);
    return;
  }
  batch_free (batch);
  done (run);
}

/* Where they were applied from. */
typedef struct {
  ApplyRun *run;
  void (*done) (ApplyRun *run);
  GPtrArray *items; /* PlanItem, borrowed */
  GPtrArray *uuids; /* char *: of each */
} Sources;

static void
sources_free (gpointer data)
{
  Sources *sources = data;

  g_ptr_array_unref (sources->items);
  g_ptr_array_unref (sources->uuids);
  g_free (sources);
}

static gpointer
keep_job (G_GNUC_UNUSED Job *job, gpointer input, GError **error)
{
  const Sources *sources = input;
  gboolean kept = TRUE;

  shared_sync_begin ();
  for (guint i = 0; i < sources->items->len && kept; i++) {
    const PlanItem *item = g_ptr_array_index (sources->items, i);

    kept = store_save_applied (item->store, g_ptr_array_index (sources->uuids, i), item->label,
                               item->document->file, error);
  }
  kept = kept && shared_sync_flush (error);
  shared_sync_end ();
  return kept ? JOB_OK : NULL;
}

static void
kept (gpointer result, const GError *error, gpointer data)
{
  const Sources *sources = data;

  for (guint i = 0; result == NULL && i < sources->items->len; i++)
    apply_item_over (sources->run, g_ptr_array_index (sources->items, i), NULL, error);
  sources->done (sources->run);
}

void
apply_keep_sources (ApplyRun *run, void (*done) (ApplyRun *run))
{
  Sources *sources = g_new0 (Sources, 1);

  *sources = (Sources){ run, done, g_ptr_array_new (), g_ptr_array_new_with_free_func (g_free) };
  for (guint i = 0; i < run->plan->items->len; i++) {
    PlanItem *item = g_ptr_array_index (run->plan->items, i);
    const Object *object = plan_item_is_volume (item) ? NULL : apply_object (run, item, NULL);

    if (object == NULL || item->document == NULL
        || !(item->action == PLAN_CREATE || item->relabels || item->moved)
        || g_hash_table_contains (run->failures, item))
      continue;
    g_ptr_array_add (sources->items, item);
    g_ptr_array_add (sources->uuids, g_strdup (object->uuid));
  }
  job_start ("apply", keep_job, sources, sources_free, 0, kept, sources);
}
