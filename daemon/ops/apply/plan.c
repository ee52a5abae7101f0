/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * The plan: documents against objects. Everything is read and checked before anything is decided, so that a
 * set of documents with a mistake in one of them is refused whole, with the mistakes of all; then each object
 * is looked at by itself.
 */
#include "daemon/object/store-applied.h"
#include "daemon/ops/apply/plan-private.h"

static void
document_free (gpointer data)
{
  PlanDocument *document = data;

  g_free (document->shown);
  g_free (document->file);
  g_free (document->text);
  g_free (document);
}

static void
object_free (gpointer data)
{
  PlanObject *object = data;

  g_free (object->name);
  g_free (object->uuid);
  storage_volume_def_unref (object->volume);
  domain_def_unref (object->live);
  g_free (object);
}

PlanInput *
plan_input_new (void)
{
  PlanInput *input = g_new0 (PlanInput, 1);

  input->documents = g_ptr_array_new_with_free_func (document_free);
  input->objects = g_ptr_array_new_with_free_func (object_free);
  return input;
}

void
plan_input_free (PlanInput *input)
{
  if (input == NULL)
    return;
  g_ptr_array_unref (input->documents);
  g_ptr_array_unref (input->objects);
  g_free (input->source);
  g_free (input);
}

static void
item_free (gpointer data)
{
  PlanItem *item = data;

  if (item == NULL)
    return;
  g_free (item->name);
  g_free (item->uuid);
  g_free (item->completing);
  g_free (item->label);
  g_free (item->label_was);
  g_clear_pointer (&item->differences, g_ptr_array_unref);
  domain_def_unref (item->was);
  domain_def_unref (item->def);
  g_free (item->completed);
  policy_unref (item->policy);
  g_free (item->pool);
  storage_volume_def_unref (item->volume);
  g_free (item->sum);
  g_free (item);
}

void
plan_free (Plan *plan)
{
  if (plan == NULL)
    return;
  g_ptr_array_unref (plan->items);
  g_ptr_array_unref (plan->ignored);
  g_free (plan);
}

gboolean
plan_item_is_machine (const PlanItem *item)
{
  return item->row->rank == APPLY_RANK_DOMAIN;
}

gboolean
plan_item_is_volume (const PlanItem *item)
{
  return item->row->rank == APPLY_RANK_VOLUME;
}

gboolean
plan_item_changes (const PlanItem *item)
{
  return item->action != PLAN_KEEP || item->run != PLAN_LEAVE || item->autostart >= 0 || item->relabels;
}

gboolean
plan_item_waits (const PlanItem *item)
{
  for (guint i = 0; item->active && item->differences != NULL && i < item->differences->len; i++)
    if (((const Difference *)g_ptr_array_index (item->differences, i))->effect != DIFFERENCE_LIVE)
      return TRUE;
  return FALSE;
}

/* The objects by kind and name, and by kind and UUID. */
typedef struct {
  GHashTable *by_name, *by_uuid; /* char * to PlanObject, borrowed */
} ObjectIndex;

static char *
key_of (const ApplyKind *row, const char *word)
{
  return g_strconcat (row->kind->name, "\n", word, NULL);
}

static ObjectIndex
index_objects (const PlanInput *input)
{
  ObjectIndex index = { g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL),
                        g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL) };

  for (guint i = 0; i < input->objects->len; i++) {
    PlanObject *object = g_ptr_array_index (input->objects, i);

    g_hash_table_insert (index.by_name, key_of (object->row, object->name), object);
    g_hash_table_insert (index.by_uuid, key_of (object->row, object->uuid), object);
  }
  return index;
}

static void
index_clear (ObjectIndex *index)
{
  g_hash_table_unref (index->by_name);
  g_hash_table_unref (index->by_uuid);
}

static PlanObject *
look_up (GHashTable *table, const ApplyKind *row, const char *word)
{
  g_autofree char *key = key_of (row, word);

  return g_hash_table_lookup (table, key);
}

/* The object that the document is of; FALSE after telling that it cannot be one: libvirt's words, as a define
 * would say them. */
static gboolean
find_object (const ObjectIndex *index, PlanItem *item, PlanObject **ret_object, PlanMistakes *mistakes)
{
  PlanObject *named = look_up (index->by_name, item->row, item->name);
  PlanObject *same = item->uuid != NULL ? look_up (index->by_uuid, item->row, item->uuid) : named;
  const PlanObject *other = same != named ? (same != NULL ? same : named) : NULL;

  *ret_object = same;
  if (other == NULL) {
    if (same != NULL && item->uuid == NULL)
      item->uuid = g_strdup (same->uuid);
    return TRUE;
  }
  plan_mistake (mistakes, item->document->shown, (Position){ 0, 0 }, VIR_ERR_OPERATION_FAILED,
                "%s '%s' is already defined with uuid %s", item->row->kind->short_name, other->name,
                other->uuid);
  return FALSE;
}

/* Each document is of an object of its own. */
static gboolean
check_single (GHashTable *seen, const PlanItem *item, const char *word, const char *what,
              PlanMistakes *mistakes)
{
  g_autofree char *key = key_of (item->row, word);
  const PlanItem *other = g_hash_table_lookup (seen, key);

  if (other == NULL) {
    g_hash_table_insert (seen, g_steal_pointer (&key), (gpointer)item);
    return TRUE;
  }
  plan_mistake (mistakes, item->document->shown, (Position){ 0, 0 }, VIR_ERR_XML_ERROR,
                "the %s %s '%s' is that of %s as well", item->row->kind->name, what, word,
                other->document->shown);
  return FALSE;
}

/* Is the document known well enough to go on with it? Of what it lacks its own reading tells. */
static gboolean
check_identity (const PlanItem *item, GHashTable *names, GHashTable *uuids, const Platform *platform,
                PlanMistakes *mistakes)
{
  guint before = mistakes->count;

  if (item->name != NULL && item->name[0] != '\0')
    return check_single (names, item, item->name, "name", mistakes)
           && (item->uuid == NULL || check_single (uuids, item, item->uuid, "UUID", mistakes));
  plan_read_definition ((PlanItem *)item, NULL, platform, mistakes);
  if (mistakes->count == before)
    plan_mistake (mistakes, item->document->shown, (Position){ 0, 0 }, VIR_ERR_XML_ERROR,
                  "a %s in a set of documents needs %s, by which it is known again", item->row->kind->name,
                  item->row->kind->unnamed ? "a <uuid>" : "a <name>");
  return FALSE;
}

static void
decide_label (PlanItem *item, const PlanObject *object, const PlanInput *input)
{
  g_autoptr (Applied) applied = object != NULL ? store_load_applied (object->store, object->uuid) : NULL;
  const char *said =
      item->policy != NULL && item->policy->source != NULL ? item->policy->source : input->source;

  item->label_was = applied != NULL ? g_strdup (applied->source) : NULL;
  item->label = g_strdup (said != NULL ? said : item->label_was);
  item->relabels = object != NULL && g_strcmp0 (item->label, item->label_was) != 0;
  item->moved = applied == NULL || g_strcmp0 (applied->file, item->document->file) != 0;
}

static void
decide_run (PlanItem *item, const PlanObject *object, const PlanInput *input)
{
  PolicyState state = item->row->runs               ? POLICY_STATE_RUNNING
                      : plan_item_is_machine (item) ? policy_state (item->policy)
                                                    : POLICY_STATE_AS_IS;
  gboolean active = object != NULL && object->active, wanted = state == POLICY_STATE_RUNNING;
  gboolean marked = object != NULL && object->autostart;

  item->active = active;
  if (state != POLICY_STATE_AS_IS && wanted != marked)
    item->autostart = wanted;
  if (wanted && !active)
    item->run = PLAN_START;
  else if (state == POLICY_STATE_STOPPED && active)
    item->run = PLAN_STOP;
  else if (active && plan_item_is_machine (item) && (input->flags & PLAN_RESTART) != 0
           && (plan_item_waits (item) || (object->live != NULL && plan_is_pending (object))))
    item->run = PLAN_RESTART_IT;
}

/* What the item was planned on. */
static char *
sum_of (const PlanObject *object)
{
  g_autofree char *source = object->persistent ? store_load_source (object->store, object->name, NULL) : NULL;
  g_autofree char *sum = g_compute_checksum_for_string (G_CHECKSUM_SHA256, source != NULL ? source : "", -1);

  return g_strdup_printf ("%s %d %d", sum, object->active, object->autostart);
}

static void
decide (PlanItem *item, const PlanObject *object, const PlanInput *input, PlanMistakes *mistakes)
{
  plan_read_definition (item, object, input->platform, mistakes);
  decide_label (item, object, input);
  decide_run (item, object, input);
  if (object != NULL)
    item->sum = sum_of (object);
  if (item->uuid == NULL && item->def != NULL)
    item->uuid = g_strdup (item->def->uuid);
}

static PlanItem *
removal_new (const PlanObject *object, const char *label)
{
  PlanItem *item = g_new0 (PlanItem, 1);

  item->row = object->row;
  item->store = object->store;
  item->name = g_strdup (object->name);
  item->uuid = g_strdup (object->uuid);
  item->action = PLAN_REMOVE;
  item->run = object->active ? PLAN_STOP : PLAN_LEAVE;
  item->autostart = -1;
  item->active = object->active;
  item->label_was = g_strdup (label);
  item->policy =
      object->live != NULL && object->live->policy != NULL ? policy_ref (object->live->policy) : NULL;
  item->sum = sum_of (object);
  return item;
}

static void
add_removals (Plan *plan, const PlanInput *input, GHashTable *kept)
{
  for (guint i = 0; i < input->objects->len; i++) {
    const PlanObject *object = g_ptr_array_index (input->objects, i);
    g_autoptr (Applied) applied = NULL;

    if (!object->persistent || g_hash_table_contains (kept, object))
      continue;
    applied = store_load_applied (object->store, object->uuid);
    if (applied != NULL && g_strcmp0 (applied->source, input->source) == 0)
      g_ptr_array_add (plan->items, removal_new (object, applied->source));
  }
}

static Store *
store_of_kind (const PlanInput *input, const ApplyKind *row)
{
  return input->stores[row - apply_kinds];
}

/* Once all pools of the documents are known. */
static void
decide_volumes (Plan *plan, const ObjectIndex *index, GHashTable *names, PlanMistakes *mistakes)
{
  for (guint i = 0; i < plan->items->len; i++) {
    PlanItem *item = g_ptr_array_index (plan->items, i);
    const PlanObject *object;

    if (!plan_item_is_volume (item) || item->name == NULL || item->name[0] == '\0'
        || !plan_place_volume (plan, item, mistakes)
        || !check_single (names, item, item->name, "name", mistakes))
      continue;
    object = look_up (index->by_name, item->row, item->name);
    plan_read_volume (item, object != NULL ? object->volume : NULL, mistakes);
  }
}

static void
read_documents (Plan *plan, const PlanInput *input, PlanMistakes *mistakes)
{
  g_autoptr (GHashTable) names = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  g_autoptr (GHashTable) uuids = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  g_autoptr (GHashTable) kept = g_hash_table_new (NULL, NULL);
  ObjectIndex index = index_objects (input);

  for (guint i = 0; i < input->documents->len; i++) {
    PlanItem *item = plan_read_document (g_ptr_array_index (input->documents, i), mistakes, plan->ignored);
    PlanObject *object = NULL;

    if (item == NULL)
      continue;
    g_ptr_array_add (plan->items, item);
    item->store = store_of_kind (input, item->row);
    if (plan_item_is_volume (item) && item->name != NULL && item->name[0] != '\0')
      continue;
    if (!check_identity (item, names, uuids, input->platform, mistakes)
        || !find_object (&index, item, &object, mistakes))
      continue;
    if (object != NULL)
      g_hash_table_add (kept, object);
    decide (item, object, input, mistakes);
  }
  decide_volumes (plan, &index, names, mistakes);
  if ((input->flags & PLAN_PRUNE) != 0)
    add_removals (plan, input, kept);
  index_clear (&index);
}

Plan *
plan_make (const PlanInput *input, GError **error)
{
  g_autoptr (Plan) plan = g_new0 (Plan, 1);
  PlanMistakes mistakes = { g_string_new (NULL), 0, VIR_ERR_XML_ERROR };

  plan->input = input;
  plan->items = g_ptr_array_new_with_free_func (item_free);
  plan->ignored = g_ptr_array_new_with_free_func (g_free);
  read_documents (plan, input, &mistakes);
  plan_check_order (plan, &mistakes);
  for (guint i = 0; i < plan->items->len; i++)
    plan->changes += plan_item_changes (g_ptr_array_index (plan->items, i));
  if (mistakes.count > 0) {
    g_strchomp (mistakes.lines->str);
    virt_error_set_plain (error, VIR_FROM_XML, mistakes.code, "%s", mistakes.lines->str);
  }
  g_string_free (mistakes.lines, TRUE);
  return mistakes.count > 0 ? NULL : g_steal_pointer (&plan);
}
