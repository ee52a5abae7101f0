/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * The stages of an apply. Definitions come first, from what is named to what names it; then goes what is to
 * go, so that what it holds (an address, a bridge, an image) is free for what starts; then what is to run
 * runs, networks and pools before machines, and volumes are made between them. A step is a function that
 * begins something and is told of its end; a stage may also be one step for all its items, where they share
 * the disk's time.
 */
#include "daemon/ops/apply/apply-run.h"

#include <json-glib/json-glib.h>
#include <string.h>
#include <unistd.h>

static gboolean
defines (const PlanItem *item, guint rank)
{
  return item->row->rank == rank && item->document != NULL && (item->action != PLAN_KEEP || item->rewrites);
}

static gboolean
removes (const PlanItem *item, guint rank)
{
  return item->row->rank == rank && item->action == PLAN_REMOVE;
}

static gboolean
marks (const PlanItem *item, guint rank)
{
  return item->row->rank == rank && item->autostart >= 0 && item->row->set_autostart != 0;
}

static gboolean
makes (const PlanItem *item, guint rank)
{
  return item->row->rank == rank && (item->action == PLAN_CREATE || item->action == PLAN_CHANGE);
}

static gboolean
runs (const PlanItem *item, guint rank)
{
  return item->row->rank == rank && item->action != PLAN_REMOVE && item->run != PLAN_LEAVE;
}

static gboolean
changes_live (const PlanItem *item, guint rank)
{
  return item->row->rank == rank && item->run == PLAN_LEAVE && apply_is_live (item);
}

static const struct {
  const char *what; /* in progress: what was done */
  gboolean (*wants) (const PlanItem *item, guint rank);
  guint rank;
  void (*step) (ApplyStep *step);
  void (*all) (ApplyRun *run, void (*done) (ApplyRun *run)); /* in place of steps */
} stages[] = {
  { "defined", defines, 0, apply_define_object, NULL },
  { "defined", defines, 1, apply_define_object, NULL },
  { NULL, NULL, APPLY_RANK_DOMAIN, NULL, apply_define_machines },
  { NULL, NULL, 0, NULL, apply_keep_sources },
  { "removed", removes, 2, apply_remove, NULL },
  { "removed", removes, 1, apply_remove, NULL },
  { "removed", removes, 0, apply_remove, NULL },
  { "marked", marks, APPLY_RANK_DOMAIN, apply_mark, NULL },
  { "started", runs, 1, apply_start_or_stop, NULL },
  { "marked", marks, 1, apply_mark, NULL }, /* until then a pool is new: see apply_start_or_stop */
  { "made", makes, APPLY_RANK_VOLUME, apply_volume, NULL },
  { "changed", changes_live, APPLY_RANK_DOMAIN, apply_live, NULL },
  { "started", runs, APPLY_RANK_DOMAIN, apply_start_or_stop, NULL },
  { NULL, NULL, APPLY_RANK_DOMAIN, NULL, apply_wait_ready },
};

static void run_stage (ApplyRun *run);

void
apply_note (ApplyRun *run, const PlanItem *item, const char *format, ...)
{
  GString *notes = g_hash_table_lookup (run->notes, item);
  g_autofree char *note = NULL;
  va_list arguments;

  va_start (arguments, format);
  note = g_strdup_vprintf (format, arguments);
  va_end (arguments);
  if (notes == NULL) {
    notes = g_string_new (NULL);
    g_hash_table_insert (run->notes, (gpointer)item, notes);
  }
  g_string_append_printf (notes, "%s%s", notes->len > 0 ? "; " : "", note);
}

Object *
apply_object (ApplyRun *run, const PlanItem *item, GError **error)
{
  Registry *registry = manager_registry (run->call->manager, item->row->kind);

  return item->uuid != NULL ? registry_find_uuid (registry, item->uuid, error)
                            : registry_find_name (registry, item->name, error);
}

static void
add_string (JsonBuilder *builder, const char *name, const char *value)
{
  if (value == NULL)
    return;
  json_builder_set_member_name (builder, name);
  json_builder_add_string_value (builder, value);
}

static void
add_result (JsonBuilder *builder, const ApplyRun *run, const PlanItem *item)
{
  static const char *const actions[] = { "keep", "create", "change", "remove" };
  static const char *const states[] = { NULL, "start", "stop", "restart" };
  const GError *failure = g_hash_table_lookup (run->failures, item);
  const GString *notes = g_hash_table_lookup (run->notes, item);

  json_builder_begin_object (builder);
  add_string (builder, "kind", item->row->kind->document->root);
  add_string (builder, "name", item->name);
  add_string (builder, "file", item->document != NULL ? item->document->shown : NULL);
  add_string (builder, "action", actions[item->action]);
  add_string (builder, "run", states[item->run]);
  if (plan_item_waits (item) && item->run == PLAN_LEAVE) {
    json_builder_set_member_name (builder, "waitsForStart");
    json_builder_add_boolean_value (builder, TRUE);
  }
  add_string (builder, "note", notes != NULL ? notes->str : NULL);
  add_string (builder, "error", failure != NULL ? failure->message : NULL);
  add_string (builder, "notReady", g_hash_table_lookup (run->unready, item));
  json_builder_end_object (builder);
}

/* What became of each. */
static char *
results (const ApplyRun *run)
{
  g_autoptr (JsonBuilder) builder = json_builder_new ();
  g_autoptr (JsonNode) root = NULL;

  json_builder_begin_object (builder);
  json_builder_set_member_name (builder, "changes");
  json_builder_add_int_value (builder, run->plan->changes);
  json_builder_set_member_name (builder, "failed");
  json_builder_add_int_value (builder, g_hash_table_size (run->failures));
  json_builder_set_member_name (builder, "notReady");
  json_builder_add_int_value (builder, g_hash_table_size (run->unready));
  json_builder_set_member_name (builder, "objects");
  json_builder_begin_array (builder);
  for (guint i = 0; i < run->plan->items->len; i++) {
    const PlanItem *item = g_ptr_array_index (run->plan->items, i);

    if (plan_item_changes (item) || g_hash_table_contains (run->failures, item)
        || g_hash_table_contains (run->unready, item))
      add_result (builder, run, item);
  }
  json_builder_end_array (builder);
  json_builder_end_object (builder);
  root = json_builder_get_root (builder);
  return json_to_string (root, FALSE);
}

/* Nobody waits for who does not read. */
void
apply_report (const ApplyRun *run, const PlanItem *item, const char *what, const GError *error)
{
  g_autoptr (JsonBuilder) builder = json_builder_new ();
  g_autoptr (JsonNode) root = NULL;
  g_autofree char *text = NULL, *line = NULL;

  if (run->progress < 0 || what == NULL)
    return;
  json_builder_begin_object (builder);
  add_string (builder, "kind", item->row->kind->document->root);
  add_string (builder, "name", item->name);
  add_string (builder, "did", what);
  add_string (builder, "error", error != NULL ? error->message : NULL);
  json_builder_end_object (builder);
  root = json_builder_get_root (builder);
  text = json_to_string (root, FALSE);
  line = g_strconcat (text, "\n", NULL);
  if (write (run->progress, line, strlen (line)) < 0)
    g_debug ("apply: the progress is not read");
}

static void
run_free (ApplyRun *run)
{
  if (!run->over)
    run->call->manager->applying = FALSE;
  readiness_unsubscribe (run->ready);
  if (run->progress >= 0)
    close (run->progress);
  g_queue_clear (&run->waiting);
  g_hash_table_unref (run->failures);
  g_hash_table_unref (run->notes);
  g_hash_table_unref (run->machines);
  g_hash_table_unref (run->begun);
  g_hash_table_unref (run->rested);
  g_hash_table_unref (run->unready);
  plan_free (run->plan);
  plan_input_free (run->input);
  g_free (run);
}

static void
finish (ApplyRun *run)
{
  Call *call = run->call;
  g_autofree char *text = results (run);

  run_free (run);
  call_answer (call, g_variant_new ("(s)", text));
}

static void
next_stage (ApplyRun *run)
{
  run->stage++;
  run_stage (run);
}

static void
fail_item (ApplyRun *run, PlanItem *item, const GError *error)
{
  if (!g_hash_table_contains (run->failures, item))
    g_hash_table_insert (run->failures, item, g_error_copy (error));
}

/* The first machine before @item whose start is not over, or itself where one that runs is not ready;
 * *@ret_failed: one it requires that failed. */
static const PlanItem *
still_starting (ApplyRun *run, const PlanItem *item, const PlanItem **ret_failed)
{
  g_autoptr (GPtrArray) before = NULL;

  *ret_failed = NULL;
  if (!plan_item_is_machine (item) || item->policy == NULL || stages[run->stage].wants != runs)
    return NULL;
  if (item->run != PLAN_STOP && apply_must_wait (run, item))
    return item;
  before = plan_predecessors (item, run->machines);
  for (guint i = 0; i < before->len; i++) {
    const PlanItem *other = g_ptr_array_index (before, i);

    if (g_hash_table_contains (run->begun, other))
      return other;
    if (g_hash_table_contains (run->failures, other) && policy_requires (item->policy, other->name))
      *ret_failed = other;
  }
  return NULL;
}

static void
take (ApplyRun *run, PlanItem *item)
{
  ApplyStep *step = g_new0 (ApplyStep, 1);

  *step = (ApplyStep){ run, item };
  run->taken++;
  stages[run->stage].step (step);
}

static void
refuse (ApplyRun *run, PlanItem *item, const char *why)
{
  g_autoptr (GError) error = NULL;

  virt_error_set (&error, VIR_ERR_OPERATION_FAILED, "'%s' is not started: it requires %s", item->name, why);
  fail_item (run, item, error);
  g_hash_table_remove (run->begun, item);
  apply_report (run, item, stages[run->stage].what, error);
}

static void advance (ApplyRun *run);

typedef struct {
  ApplyRun *run;
  PlanItem *item;
} Rest;

static gboolean
rest_over (gpointer data)
{
  g_autofree Rest *rest = data;

  rest->run->resting--;
  g_hash_table_add (rest->run->rested, rest->item);
  g_queue_push_head (&rest->run->waiting, rest->item);
  advance (rest->run);
  return G_SOURCE_REMOVE;
}

/* Its delay begins when those before it are ready, and takes nobody's place meanwhile. FALSE: it has none, or
 * has had it. */
static gboolean
rests (ApplyRun *run, PlanItem *item)
{
  guint delay =
      stages[run->stage].wants == runs && item->run != PLAN_STOP ? policy_start_delay (item->policy) : 0;
  Rest *rest;

  if (delay == 0 || g_hash_table_contains (run->rested, item))
    return FALSE;
  rest = g_new0 (Rest, 1);
  *rest = (Rest){ run, item };
  run->resting++;
  g_timeout_add_seconds (delay, rest_over, rest);
  return TRUE;
}

/* Why it cannot start now that those before it are over; NULL: it can. (transfer full) */
static char *
reason_against (const ApplyRun *run, const PlanItem *item, const PlanItem *failed)
{
  if (failed != NULL)
    return g_strdup_printf ("'%s', which failed", failed->name);
  return stages[run->stage].wants == runs && item->run != PLAN_STOP ? apply_late_requirement (run, item)
                                                                    : NULL;
}

/* Begin what may begin. What has failed before is left. TRUE: something has begun, or is over without. */
static gboolean
take_one (ApplyRun *run)
{
  for (GList *link = run->waiting.head; link != NULL; link = link->next) {
    PlanItem *item = link->data;
    g_autofree char *against = NULL;
    const PlanItem *failed;

    if (still_starting (run, item, &failed) != NULL)
      continue;
    g_queue_delete_link (&run->waiting, link);
    against = reason_against (run, item, failed);
    if (against != NULL)
      refuse (run, item, against);
    else if (!rests (run, item))
      take (run, item);
    return TRUE;
  }
  return FALSE;
}

static void
advance (ApplyRun *run)
{
  if (run->advancing)
    return;
  run->advancing = TRUE;
  while (run->taken < run->parallel && take_one (run))
    ;
  run->advancing = FALSE;
  if (run->taken == 0 && run->resting == 0 && run->waiting.length == 0)
    next_stage (run);
}

void
apply_item_over (ApplyRun *run, PlanItem *item, const char *did, const GError *error)
{
  if (error != NULL)
    fail_item (run, item, error);
  apply_report (run, item, did, error);
}

void
apply_step_over (ApplyStep *step, const GError *error)
{
  ApplyRun *run = step->run;

  if (error != NULL)
    fail_item (run, step->item, error);
  apply_report (run, step->item,
                step->item->run == PLAN_STOP && stages[run->stage].wants == runs ? "stopped"
                                                                                 : stages[run->stage].what,
                error);
  g_hash_table_remove (run->begun, step->item);
  run->taken--;
  g_free (step);
  advance (run);
}

static void
run_stage (ApplyRun *run)
{
  if (run->stage == G_N_ELEMENTS (stages)) {
    finish (run);
    return;
  }
  if (stages[run->stage].all != NULL) {
    stages[run->stage].all (run, next_stage);
    return;
  }
  for (guint i = 0; i < run->plan->items->len; i++) {
    PlanItem *item = g_ptr_array_index (run->plan->items, i);

    if (!stages[run->stage].wants (item, stages[run->stage].rank)
        || g_hash_table_contains (run->failures, item))
      continue;
    g_queue_push_tail (&run->waiting, item);
    if (stages[run->stage].wants == runs)
      g_hash_table_add (run->begun, item);
  }
  advance (run);
}

/* Machines of this stage may wait for it. */
static void
ready_changed (gpointer data)
{
  ApplyRun *run = data;

  if (run->waiting.length > 0)
    advance (run);
}

static void
free_notes (gpointer notes)
{
  g_string_free (notes, TRUE);
}

void
apply_run_start (Call *call, PlanInput *input, Plan *plan, guint parallel, gboolean waits, int progress)
{
  ApplyRun *run = g_new0 (ApplyRun, 1);

  run->call = call;
  run->input = input;
  run->plan = plan;
  run->parallel = parallel > 0 ? MIN (parallel, APPLY_PARALLEL_MAX) : APPLY_PARALLEL_DEFAULT;
  run->progress = progress;
  run->failures = g_hash_table_new_full (NULL, NULL, NULL, (GDestroyNotify)g_error_free);
  run->notes = g_hash_table_new_full (NULL, NULL, NULL, free_notes);
  run->machines = plan_machines (plan);
  run->begun = g_hash_table_new (NULL, NULL);
  run->waits = waits;
  run->rested = g_hash_table_new (NULL, NULL);
  run->unready = g_hash_table_new_full (NULL, NULL, NULL, g_free);
  run->ready = readiness_subscribe (ready_changed, run);
  run_stage (run);
}
