/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * The order in which machines start, as their policies say it. What would wait for itself is refused with the
 * whole way round, before anything is touched.
 */
#include "daemon/ops/apply/plan-private.h"
#include "domain/start-order.h"

GHashTable *
plan_machines (const Plan *plan)
{
  GHashTable *machines = g_hash_table_new (g_str_hash, g_str_equal);

  for (guint i = 0; i < plan->items->len; i++) {
    PlanItem *item = g_ptr_array_index (plan->items, i);

    if (plan_item_is_machine (item) && item->name != NULL && item->action != PLAN_REMOVE)
      g_hash_table_insert (machines, item->name, item);
  }
  return machines;
}

static void
add_named (GPtrArray *predecessors, const GPtrArray *names, GHashTable *by_name)
{
  for (guint i = 0; names != NULL && i < names->len; i++) {
    PlanItem *item = g_hash_table_lookup (by_name, g_ptr_array_index (names, i));

    if (item != NULL && !g_ptr_array_find (predecessors, item, NULL))
      g_ptr_array_add (predecessors, item);
  }
}

GPtrArray *
plan_predecessors (const PlanItem *item, GHashTable *by_name)
{
  GPtrArray *predecessors = g_ptr_array_new ();

  if (item->policy != NULL) {
    add_named (predecessors, item->policy->start.after, by_name);
    add_named (predecessors, item->policy->start.requires, by_name);
  }
  return predecessors;
}

/* A way round is told at each of its steps, where the document names the next machine. */
static void
tell_cycle (const char *cycle, const GPtrArray *names, GHashTable *by_name, PlanMistakes *mistakes)
{
  for (guint i = 0; i < names->len; i++) {
    const PlanItem *item = g_hash_table_lookup (by_name, g_ptr_array_index (names, i));
    const char *next = g_ptr_array_index (names, (i + 1) % names->len);

    plan_mistake (mistakes, item->document->shown, start_order_place (item->document->text, -1, next),
                  VIR_ERR_XML_ERROR, "machines wait for each other to start: %s", cycle);
  }
}

static void
check_cycles (GHashTable *by_name, PlanMistakes *mistakes)
{
  g_autoptr (GHashTable) set = g_hash_table_new (g_str_hash, g_str_equal);
  GHashTableIter iter;
  gpointer found;

  g_hash_table_iter_init (&iter, by_name);
  while (g_hash_table_iter_next (&iter, NULL, &found))
    g_hash_table_insert (set, ((PlanItem *)found)->name, ((PlanItem *)found)->policy);
  for (;;) {
    g_autoptr (GPtrArray) names = g_ptr_array_new_with_free_func (g_free);
    g_autofree char *cycle = start_order_find_cycle (set, names);

    if (cycle == NULL)
      return;
    tell_cycle (cycle, names, by_name, mistakes);
    for (guint i = 0; i < names->len; i++)
      g_hash_table_remove (set, g_ptr_array_index (names, i));
  }
}

/* What it cannot do without is in the documents, or on the host and stays there. */
static void
check_required (const PlanItem *item, GHashTable *by_name, GHashTable *on_host, PlanMistakes *mistakes)
{
  const GPtrArray *names = item->policy != NULL ? item->policy->start.requires : NULL;

  for (guint i = 0; names != NULL && i < names->len; i++) {
    const char *name = g_ptr_array_index (names, i);

    if (!g_hash_table_contains (by_name, name) && !g_hash_table_contains (on_host, name))
      plan_mistake (mistakes, item->document->shown, start_order_place (item->document->text, -1, name),
                    VIR_ERR_NO_DOMAIN,
                    "the machine requires '%s', which is neither in the documents nor on the host", name);
  }
}

/* Machines that are there, and are not about to be removed. */
static GHashTable *
machines_on_host (const Plan *plan)
{
  GHashTable *names = g_hash_table_new (g_str_hash, g_str_equal);

  for (guint i = 0; i < plan->input->objects->len; i++) {
    const PlanObject *object = g_ptr_array_index (plan->input->objects, i);

    if (object->row->rank == APPLY_RANK_DOMAIN)
      g_hash_table_add (names, object->name);
  }
  for (guint i = 0; i < plan->items->len; i++) {
    const PlanItem *item = g_ptr_array_index (plan->items, i);

    if (plan_item_is_machine (item) && item->action == PLAN_REMOVE)
      g_hash_table_remove (names, item->name);
  }
  return names;
}

void
plan_check_order (const Plan *plan, PlanMistakes *mistakes)
{
  g_autoptr (GHashTable) by_name = plan_machines (plan), on_host = machines_on_host (plan);

  check_cycles (by_name, mistakes);
  for (guint i = 0; i < plan->items->len; i++) {
    const PlanItem *item = g_ptr_array_index (plan->items, i);

    if (plan_item_is_machine (item) && item->name != NULL && item->action != PLAN_REMOVE)
      check_required (item, by_name, on_host, mistakes);
  }
}
