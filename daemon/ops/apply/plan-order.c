/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * The order in which machines start, as their policies say it. What would wait for itself is refused with the
 * whole way round, before anything is touched.
 */
#include "daemon/ops/apply/plan-private.h"

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

/* A machine on the way that is being gone, and which of its predecessors is next. */
typedef struct {
  PlanItem *item;
  GPtrArray *predecessors;
  guint next;
} OnWay;

static void
report_cycle (const GArray *way, const PlanItem *first, PlanMistakes *mistakes)
{
  g_autoptr (GString) names = g_string_new (NULL);
  gboolean inside = FALSE;

  for (guint i = 0; i < way->len; i++) {
    const PlanItem *item = g_array_index (way, OnWay, i).item;

    inside = inside || item == first;
    if (inside)
      g_string_append_printf (names, "'%s' → ", item->name);
  }
  plan_mistake (mistakes, first->document->shown, (Position){ 0, 0 }, VIR_ERR_XML_ERROR,
                "machines wait for each other to start: %s'%s'", names->str, first->name);
}

enum { UNSEEN, ON_WAY, DONE };

static void
push (GArray *way, GHashTable *states, GHashTable *by_name, PlanItem *item)
{
  OnWay step = { item, plan_predecessors (item, by_name), 0 };

  g_hash_table_insert (states, item, GINT_TO_POINTER (ON_WAY));
  g_array_append_val (way, step);
}

/* Depth first, without recursion: there may be thousands in a row. */
static void
walk (PlanItem *from, GHashTable *by_name, GHashTable *states, PlanMistakes *mistakes)
{
  g_autoptr (GArray) way = g_array_new (FALSE, FALSE, sizeof (OnWay));

  push (way, states, by_name, from);
  while (way->len > 0) {
    OnWay *last = &g_array_index (way, OnWay, way->len - 1);

    if (last->next < last->predecessors->len) {
      PlanItem *next = g_ptr_array_index (last->predecessors, last->next++);
      int state = GPOINTER_TO_INT (g_hash_table_lookup (states, next));

      if (state == ON_WAY)
        report_cycle (way, next, mistakes);
      else if (state == UNSEEN)
        push (way, states, by_name, next);
      continue;
    }
    g_hash_table_insert (states, last->item, GINT_TO_POINTER (DONE));
    g_ptr_array_unref (last->predecessors);
    g_array_set_size (way, way->len - 1);
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
      plan_mistake (mistakes, item->document->shown, (Position){ 0, 0 }, VIR_ERR_NO_DOMAIN,
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
  g_autoptr (GHashTable) states = g_hash_table_new (NULL, NULL);

  for (guint i = 0; i < plan->items->len; i++) {
    PlanItem *item = g_ptr_array_index (plan->items, i);

    if (!plan_item_is_machine (item) || item->name == NULL || item->action == PLAN_REMOVE)
      continue;
    check_required (item, by_name, on_host, mistakes);
    if (g_hash_table_lookup (states, item) == NULL)
      walk (item, by_name, states, mistakes);
  }
}
