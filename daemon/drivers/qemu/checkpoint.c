/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * A checkpoint's bitmaps. Each checkpoint has one of its own in every disk from its time on, and none of them
 * is merged into another when one is removed: so removing needs no more than a removal, and what a backup
 * copies since a checkpoint is in the bitmaps of that checkpoint alone.
 */
#include "daemon/drivers/qemu/checkpoint.h"

#include "daemon/object/child-store.h"
#include "targets/qemu/recipe.h"

#include <string.h>

#define MEASURE_BITMAP "libvirt-tmp-size-xml" /* merged into for a moment, to be counted */

void
checkpoint_host_init (CheckpointHost *host, const ObjectKind *kind, const Settings *settings,
                      const char *uuid, Qmp *qmp, CapsCache *caps, DomainDef *live, const char *run_directory)
{
  *host = (CheckpointHost){ .kind = kind,
                            .qmp = qmp != NULL ? qmp_ref (qmp) : NULL,
                            .caps = caps,
                            .live = live != NULL ? domain_def_ref (live) : NULL,
                            .run_directory = g_strdup (run_directory),
                            .directory = child_store_directory (kind, settings, uuid),
                            .patience = settings->call_timeout };
}

void
checkpoint_host_clear (CheckpointHost *host)
{
  g_clear_pointer (&host->qmp, qmp_unref);
  g_clear_pointer (&host->live, domain_def_unref);
  g_free (host->run_directory);
  g_free (host->directory);
}

static JsonNode *
ask (Job *job, const CheckpointHost *host, const char *command, JsonObject *arguments, GError **error)
{
  job_extend_deadline (job, host->patience);
  return qmp_call (host->qmp, job, command, arguments, error);
}

NodeStates *
checkpoint_ask_nodes (Job *job, const CheckpointHost *host, GError **error)
{
  g_autoptr (JsonNode) answer =
      ask (job, host, "query-named-block-nodes", props ("flat", "b", TRUE, NULL), error);

  return answer != NULL ? node_states_new (answer) : NULL;
}

/* Takes @actions; none: nothing is asked. */
static gboolean
transact (Job *job, const CheckpointHost *host, JsonArray *actions, GError **error)
{
  g_autoptr (JsonNode) answer = NULL;

  if (json_array_get_length (actions) == 0) {
    json_array_unref (actions);
    return TRUE;
  }
  answer = ask (job, host, "transaction", props ("actions", "a", actions, NULL), error);
  return answer != NULL;
}

/* What is to be done for each disk that has a bitmap. */
typedef gboolean (*EachDisk) (const CheckpointDisk *disk, const GPtrArray *chain, gpointer data,
                              GError **error);

static gboolean
for_each_disk (const CheckpointHost *host, const CheckpointDef *def, EachDisk each, gpointer data,
               GError **error)
{
  g_autoptr (QemuCaps) caps = caps_cache_get (host->caps, host->live->emulator, error);

  for (guint i = 0; caps != NULL && def->disks != NULL && i < def->disks->len; i++) {
    const CheckpointDisk *disk = g_ptr_array_index (def->disks, i);
    const DeviceDisk *device = domain_def_find_disk (host->live, disk->name);
    g_autoptr (GPtrArray) chain = NULL;

    if (disk->checkpoint != CHECKPOINT_BITMAP || device == NULL || !device->source_index.set)
      continue;
    chain = qemu_disk_chain (caps, device);
    if (!each (disk, chain, data, error))
      return FALSE;
  }
  return caps != NULL;
}

static gboolean
add_top (const CheckpointDisk *disk G_GNUC_UNUSED, const GPtrArray *chain, gpointer nodes,
         GError **error G_GNUC_UNUSED)
{
  g_ptr_array_add (nodes, g_strdup (g_ptr_array_index (chain, 0)));
  return TRUE;
}

GPtrArray *
checkpoint_nodes (const CheckpointHost *host, const CheckpointDef *def, GError **error)
{
  g_autoptr (GPtrArray) nodes = g_ptr_array_new_with_free_func (g_free);

  return for_each_disk (host, def, add_top, nodes, error) ? g_steal_pointer (&nodes) : NULL;
}

gboolean
checkpoint_keep (const CheckpointHost *host, const CheckpointDef *def, GError **error)
{
  return child_store_save (host->kind, host->directory, def, error)
         && child_store_set_current (host->directory, def->name, error)
         && checkpoint_note_remove (host->run_directory, error);
}

static void
undo_creation (Job *job, const CheckpointHost *host, const CheckpointDef *def, const GPtrArray *nodes)
{
  JsonArray *actions = json_array_new ();
  g_autoptr (GError) problem = NULL;

  for (guint i = 0; i < nodes->len; i++)
    bitmap_action_remove (actions, g_ptr_array_index (nodes, i), def->name);
  if (!transact (job, host, actions, &problem) || !child_store_remove (host->directory, def->name, &problem)
      || !checkpoint_note_remove (host->run_directory, &problem))
    g_warning ("a bitmap of checkpoint '%s', which was not made, stays: %s", def->name, problem->message);
}

gboolean
checkpoint_create (Job *job, const CheckpointHost *host, CheckpointDef *def, GError **error)
{
  g_autoptr (CheckpointNote) note = checkpoint_note_new ();
  g_autoptr (GPtrArray) nodes = checkpoint_nodes (host, def, error);
  JsonArray *actions;

  if (nodes == NULL)
    return FALSE;
  note->created = document_ref (&checkpoint_document, def);
  if (!checkpoint_note_save (note, host->run_directory, error))
    return FALSE;
  actions = json_array_new ();
  for (guint i = 0; i < nodes->len; i++)
    bitmap_action_add (actions, g_ptr_array_index (nodes, i), def->name, TRUE, FALSE, 0);
  if (!transact (job, host, actions, error)) {
    checkpoint_note_remove (host->run_directory, NULL);
    return FALSE;
  }
  if (checkpoint_keep (host, def, error))
    return TRUE;
  undo_creation (job, host, def, nodes);
  return FALSE;
}

/* Removing. */

typedef struct {
  const NodeStates *states;
  const char *name;
  JsonArray *actions;
} Removal;

/* One below the first that is open for reading only keeps its bitmap, which nothing speaks of any more. */
static gboolean
remove_bitmaps (const CheckpointDisk *disk G_GNUC_UNUSED, const GPtrArray *chain, gpointer data,
                GError **error G_GNUC_UNUSED)
{
  const Removal *removal = data;
  const char *top = g_ptr_array_index (chain, 0);

  if (node_state_find_bitmap (node_states_find (removal->states, top), removal->name) != NULL)
    bitmap_action_remove (removal->actions, top, removal->name);
  return TRUE;
}

static gboolean
remove_all_bitmaps (Job *job, const CheckpointHost *host, const CheckpointNote *note, GError **error)
{
  g_autoptr (NodeStates) states = checkpoint_ask_nodes (job, host, error);
  g_autoptr (JsonArray) actions = json_array_new ();

  for (guint i = 0; states != NULL && i < note->removed->len; i++) {
    Removal removal = { states, g_ptr_array_index (note->removed, i), actions };
    CheckpointDef *def = child_store_load (host->kind, host->directory, removal.name, NULL);
    gboolean good = def == NULL || for_each_disk (host, def, remove_bitmaps, &removal, error);

    document_unref (&checkpoint_document, def);
    if (!good)
      return FALSE;
  }
  return states != NULL && transact (job, host, json_array_ref (actions), error);
}

gboolean
checkpoint_remove (Job *job, const CheckpointHost *host, const CheckpointNote *note, GError **error)
{
  if (note->bitmaps && !remove_all_bitmaps (job, host, note, error))
    return FALSE;
  for (guint i = 0; i < note->followers->len; i++)
    if (!child_store_save (host->kind, host->directory, g_ptr_array_index (note->followers, i), error))
      return FALSE;
  for (guint i = 0; i < note->removed->len; i++)
    if (!child_store_remove (host->directory, g_ptr_array_index (note->removed, i), error))
      return FALSE;
  return child_store_set_current (host->directory, note->current, error)
         && (host->qmp == NULL || checkpoint_note_remove (host->run_directory, error));
}

/* Measuring. */

typedef struct {
  const NodeStates *states;
  JsonArray *actions; /* add and merge; or NULL */
  GPtrArray *nodes;   /* char *: where the bitmap is for the moment */
} Measure;

static gboolean
no_bitmap (const CheckpointDisk *disk, GError **error)
{
  virt_error_set (error, VIR_ERR_CHECKPOINT_INCONSISTENT, "missing or broken bitmap '%s' for disk '%s'",
                  disk->bitmap, disk->name);
  return FALSE;
}

static gboolean
begin_measure (const CheckpointDisk *disk, const GPtrArray *chain, gpointer data, GError **error)
{
  const Measure *measure = data;
  g_autoptr (GPtrArray) nodes = bitmap_chain (measure->states, chain, disk->bitmap);
  const char *top = g_ptr_array_index (chain, 0);

  if (nodes == NULL)
    return no_bitmap (disk, error);
  /* One of a daemon that was ended while it counted. */
  if (node_state_find_bitmap (node_states_find (measure->states, top), MEASURE_BITMAP) != NULL)
    bitmap_action_remove (measure->actions, top, MEASURE_BITMAP);
  bitmap_action_add (measure->actions, top, MEASURE_BITMAP, FALSE, TRUE,
                     bitmap_chain_granularity (measure->states, nodes, disk->bitmap));
  bitmap_action_merge (measure->actions, top, MEASURE_BITMAP, nodes, disk->bitmap);
  g_ptr_array_add (measure->nodes, g_strdup (top));
  return TRUE;
}

static gboolean
read_measure (const CheckpointDisk *disk, const GPtrArray *chain, gpointer data, GError **error)
{
  const Measure *measure = data;
  const NodeState *state = node_states_find (measure->states, g_ptr_array_index (chain, 0));
  const NodeBitmap *bitmap = node_state_find_bitmap (state, MEASURE_BITMAP);

  if (bitmap == NULL)
    return no_bitmap (disk, error);
  ((CheckpointDisk *)disk)->size = NUMBER (bitmap->count);
  return TRUE;
}

static void
end_measure (Job *job, const CheckpointHost *host, const GPtrArray *nodes)
{
  JsonArray *actions = json_array_new ();
  g_autoptr (GError) problem = NULL;

  for (guint i = 0; i < nodes->len; i++)
    bitmap_action_remove (actions, g_ptr_array_index (nodes, i), MEASURE_BITMAP);
  if (!transact (job, host, actions, &problem))
    g_warning ("the bitmap '%s' stays until the next time: %s", MEASURE_BITMAP, problem->message);
}

gboolean
checkpoint_measure (Job *job, const CheckpointHost *host, CheckpointDef *def, GError **error)
{
  g_autoptr (NodeStates) before = checkpoint_ask_nodes (job, host, error), after = NULL;
  g_autoptr (GPtrArray) nodes = g_ptr_array_new_with_free_func (g_free);
  g_autoptr (JsonArray) actions = json_array_new ();
  Measure measure = { before, actions, nodes };
  gboolean good;

  if (before == NULL || !for_each_disk (host, def, begin_measure, &measure, error)
      || !transact (job, host, json_array_ref (actions), error))
    return FALSE;
  after = checkpoint_ask_nodes (job, host, error);
  measure.states = after;
  good = after != NULL && for_each_disk (host, def, read_measure, &measure, error);
  end_measure (job, host, nodes);
  return good;
}

static gboolean
check_bitmap (const CheckpointDisk *disk, const GPtrArray *chain, gpointer states, GError **error)
{
  g_autoptr (GPtrArray) nodes = bitmap_chain (states, chain, disk->bitmap);

  return nodes != NULL || no_bitmap (disk, error);
}

gboolean
checkpoint_check_bitmaps (Job *job, const CheckpointHost *host, const CheckpointDef *def, GError **error)
{
  g_autoptr (NodeStates) states = checkpoint_ask_nodes (job, host, error);

  return states != NULL && for_each_disk (host, def, check_bitmap, states, error);
}

/* After a daemon that was cut short. */

static gboolean
settle_creation (Job *job, const CheckpointHost *host, CheckpointNote *note, gboolean backup_runs,
                 gboolean *ret_done, GError **error)
{
  g_autoptr (NodeStates) states = checkpoint_ask_nodes (job, host, error);
  g_autoptr (GPtrArray) nodes = checkpoint_nodes (host, note->created, error);
  g_autoptr (GPtrArray) made = g_ptr_array_new ();

  if (states == NULL || nodes == NULL)
    return FALSE;
  for (guint i = 0; i < nodes->len; i++)
    if (node_state_find_bitmap (node_states_find (states, g_ptr_array_index (nodes, i)), note->created->name)
        != NULL)
      g_ptr_array_add (made, g_ptr_array_index (nodes, i));
  *ret_done = made->len == nodes->len && (!note->with_backup || backup_runs);
  if (*ret_done)
    return checkpoint_keep (host, note->created, error);
  undo_creation (job, host, note->created, made);
  return TRUE;
}

gboolean
checkpoint_settle (Job *job, const CheckpointHost *host, gboolean backup_runs, CheckpointNote **ret_note,
                   GError **error)
{
  g_autoptr (GError) problem = NULL;
  g_autoptr (CheckpointNote) note = checkpoint_note_load (host->run_directory, &problem);
  gboolean done = TRUE;

  *ret_note = NULL;
  if (note == NULL) {
    if (problem != NULL)
      g_propagate_error (error, g_steal_pointer (&problem));
    return problem == NULL;
  }
  if (note->created != NULL ? !settle_creation (job, host, note, backup_runs, &done, error)
                            : !checkpoint_remove (job, host, note, error))
    return FALSE;
  if (done)
    *ret_note = g_steal_pointer (&note);
  return TRUE;
}
