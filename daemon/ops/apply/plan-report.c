/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * A plan as JSON, which is what domctl prints of it, and keeps for an apply that comes later. Its digest is
 * of the documents, of what would be done and of all that it was planned on: two plans with the same digest
 * are of the same world.
 */
#include "daemon/ops/apply/plan.h"

#include <json-glib/json-glib.h>

static const char *const actions[] = { "keep", "create", "change", "remove" };
static const char *const runs[] = { NULL, "start", "stop", "restart" };

static void
add_string (JsonBuilder *builder, const char *name, const char *value)
{
  if (value == NULL)
    return;
  json_builder_set_member_name (builder, name);
  json_builder_add_string_value (builder, value);
}

static void
add_number (JsonBuilder *builder, const char *name, gint64 value)
{
  json_builder_set_member_name (builder, name);
  json_builder_add_int_value (builder, value);
}

static void
add_truth (JsonBuilder *builder, const char *name, gboolean value)
{
  json_builder_set_member_name (builder, name);
  json_builder_add_boolean_value (builder, value);
}

static void
add_difference (JsonBuilder *builder, const Difference *difference, gboolean active)
{
  json_builder_begin_object (builder);
  add_string (builder, "path", difference->path);
  add_string (builder, "before", difference->before);
  add_string (builder, "after", difference->after);
  add_number (builder, "line", difference->where_after.line);
  add_number (builder, "column", difference->where_after.column);
  if (active)
    add_string (builder, "effect", difference_effect_name (difference->effect));
  json_builder_end_object (builder);
}

static void
add_item (JsonBuilder *builder, const PlanItem *item)
{
  json_builder_begin_object (builder);
  add_string (builder, "kind", item->row->kind->document->root);
  add_string (builder, "name", item->name);
  add_string (builder, "uuid", item->uuid);
  add_string (builder, "file", item->document != NULL ? item->document->shown : NULL);
  add_string (builder, "action", actions[item->action]);
  add_string (builder, "run", runs[item->run]);
  if (item->autostart >= 0)
    add_truth (builder, "autostart", item->autostart);
  add_string (builder, "label", item->label);
  if (item->relabels) {
    add_truth (builder, "relabels", TRUE);
    add_string (builder, "labelWas", item->label_was);
  }
  if (plan_item_waits (item))
    add_truth (builder, "waitsForStart", item->run != PLAN_RESTART_IT);
  if (item->differences != NULL && item->differences->len > 0) {
    json_builder_set_member_name (builder, "differences");
    json_builder_begin_array (builder);
    for (guint i = 0; i < item->differences->len; i++)
      add_difference (builder, g_ptr_array_index (item->differences, i), item->active);
    json_builder_end_array (builder);
  }
  json_builder_end_object (builder);
}

char *
plan_digest (const Plan *plan)
{
  g_autoptr (GChecksum) checksum = g_checksum_new (G_CHECKSUM_SHA256);
  g_autofree char *whole = g_strdup_printf (
      "%s\n%u\n", plan->input->source != NULL ? plan->input->source : "", plan->input->flags);

  g_checksum_update (checksum, (const guchar *)whole, -1);
  for (guint i = 0; i < plan->items->len; i++) {
    const PlanItem *item = g_ptr_array_index (plan->items, i);
    g_autofree char *line = g_strdup_printf (
        "%s\n%s\n%d %d %d %s\n%s\n", item->row->kind->name, item->name, item->action, item->run,
        item->autostart, item->sum != NULL ? item->sum : "", item->relabels ? item->label : "");

    g_checksum_update (checksum, (const guchar *)line, -1);
    if (item->document != NULL)
      g_checksum_update (checksum, (const guchar *)item->document->text, -1);
  }
  return g_strdup (g_checksum_get_string (checksum));
}

char *
plan_to_json (const Plan *plan)
{
  g_autoptr (JsonBuilder) builder = json_builder_new ();
  g_autoptr (JsonNode) root = NULL;
  g_autofree char *digest = plan_digest (plan);

  json_builder_begin_object (builder);
  add_string (builder, "source", plan->input->source);
  add_string (builder, "digest", digest);
  add_number (builder, "changes", plan->changes);
  json_builder_set_member_name (builder, "objects");
  json_builder_begin_array (builder);
  for (guint i = 0; i < plan->items->len; i++)
    add_item (builder, g_ptr_array_index (plan->items, i));
  json_builder_end_array (builder);
  json_builder_set_member_name (builder, "ignored");
  json_builder_begin_array (builder);
  for (guint i = 0; i < plan->ignored->len; i++)
    json_builder_add_string_value (builder, g_ptr_array_index (plan->ignored, i));
  json_builder_end_array (builder);
  json_builder_end_object (builder);
  root = json_builder_get_root (builder);
  return json_to_string (root, FALSE);
}
