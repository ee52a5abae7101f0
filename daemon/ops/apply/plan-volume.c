/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Volumes of a plan. Libvirt's document of a volume does not say where it belongs, so its directory does: to
 * the pool whose document stands beside it, or, where none or several do, to the pool that has the name of
 * the directory. A volume is looked after by its pool and has no definition: it carries no label, is never
 * removed, and of one that is there only the capacity is changed, and only upwards. What else a document says
 * of it is said when it is made; where the two cannot be the same volume, nothing is done.
 */
#include "daemon/ops/apply/plan-private.h"

static gboolean
is_pool (const ApplyKind *row)
{
  return g_str_equal (row->kind->document->root, "pool");
}

/* The one whose document stands in the same directory; NULL: none does, or several. */
static const char *
pool_beside (const Plan *plan, const char *directory)
{
  const char *name = NULL;

  for (guint i = 0; i < plan->items->len; i++) {
    const PlanItem *item = g_ptr_array_index (plan->items, i);
    g_autofree char *place = item->document != NULL ? g_path_get_dirname (item->document->file) : NULL;

    if (!is_pool (item->row) || g_strcmp0 (place, directory) != 0 || item->name == NULL)
      continue;
    if (name != NULL)
      return NULL;
    name = item->name;
  }
  return name;
}

/* Is there a pool of that name, in the documents or on the host? */
static gboolean
is_known_pool (const Plan *plan, const char *name)
{
  for (guint i = 0; i < plan->items->len; i++) {
    const PlanItem *item = g_ptr_array_index (plan->items, i);

    if (is_pool (item->row) && g_strcmp0 (item->name, name) == 0)
      return TRUE;
  }
  for (guint i = 0; i < plan->input->objects->len; i++) {
    const PlanObject *object = g_ptr_array_index (plan->input->objects, i);

    if (is_pool (object->row) && g_str_equal (object->name, name))
      return TRUE;
  }
  return FALSE;
}

gboolean
plan_place_volume (const Plan *plan, PlanItem *item, PlanMistakes *mistakes)
{
  g_autofree char *directory = g_path_get_dirname (item->document->file);
  g_autofree char *base = g_path_get_basename (directory), *name = NULL;
  const char *pool = pool_beside (plan, directory);

  if (pool == NULL && is_known_pool (plan, base))
    pool = base;
  if (pool == NULL) {
    plan_mistake (mistakes, item->document->shown, (Position){ 0, 0 }, VIR_ERR_NO_STORAGE_POOL,
                  "nothing says which pool the volume '%s' is in: expected the document of one pool in its "
                  "directory, or a pool called '%s' as the directory is",
                  item->name, base);
    return FALSE;
  }
  item->pool = g_strdup (pool);
  name = g_strdup_printf ("%s/%s", pool, item->name);
  g_free (item->name);
  item->name = g_steal_pointer (&name);
  return TRUE;
}

char *
plan_volume_conflict (const StorageVolumeDef *wanted, const StorageVolumeDef *there)
{
  guint64 most = wanted->capacity.value + VOLUME_ROUNDING;
  const char *below = wanted->backing != NULL ? wanted->backing->path : NULL;
  const char *below_there = there->backing != NULL ? there->backing->path : NULL;

  if (there->format != STORAGE_FORMAT_NONE && wanted->format != there->format)
    return g_strdup_printf (
        "it has the format '%s', and the document says '%s'; a volume's format stays what "
        "it was made with",
        enum_table_name (&storage_formats, there->format),
        enum_table_name (&storage_formats, wanted->format));
  if (below != NULL && g_strcmp0 (below, below_there) != 0)
    return g_strdup_printf ("it stands on %s%s%s, and the document says '%s'; what a volume stands on stays",
                            below_there != NULL ? "'" : "", below_there != NULL ? below_there : "nothing",
                            below_there != NULL ? "'" : "", below);
  if (wanted->capacity.set && there->capacity.value >= most)
    return g_strdup_printf ("it has a capacity of %" G_GUINT64_FORMAT
                            " bytes, and the document says %" G_GUINT64_FORMAT
                            "; a volume is not made smaller, for that would cut off what is in it",
                            there->capacity.value, wanted->capacity.value);
  return NULL;
}

static Position
place_of_capacity (const char *text)
{
  g_autoptr (Diagnostics) unsaid = diagnostics_new (NULL);
  g_autoptr (XmlDocument) document = xml_document_parse (text, -1, unsaid);
  const xmlNode *node = document != NULL ? xml_document_root (document)->children : NULL;

  while (node != NULL && !(node->type == XML_ELEMENT_NODE && xmlStrEqual (node->name, BAD_CAST "capacity")))
    node = node->next;
  return node != NULL ? xml_document_node_position (document, node) : (Position){ 0, 0 };
}

static void
plan_growth (PlanItem *item, const StorageVolumeDef *there)
{
  Difference *difference = g_new0 (Difference, 1);

  difference->path = g_strdup ("/volume/capacity");
  difference->before = g_strdup_printf ("%" G_GUINT64_FORMAT, there->capacity.value);
  difference->after = g_strdup_printf ("%" G_GUINT64_FORMAT, item->volume->capacity.value);
  difference->where_after = place_of_capacity (item->document->text);
  difference->device_before = difference->device_after = -1;
  item->differences = g_ptr_array_new_with_free_func (difference_free);
  g_ptr_array_add (item->differences, difference);
  item->action = PLAN_CHANGE;
}

void
plan_read_volume (PlanItem *item, const StorageVolumeDef *there, PlanMistakes *mistakes)
{
  g_autoptr (Diagnostics) diagnostics = diagnostics_new (item->document->shown);
  g_autofree char *conflict = NULL;

  item->volume = storage_volume_def_parse (item->document->text, -1, 0, FALSE, diagnostics);
  plan_mistakes_add (mistakes, diagnostics);
  if (item->volume == NULL)
    return;
  if (there == NULL) {
    item->action = PLAN_CREATE;
    return;
  }
  item->sum = g_strdup_printf ("%" G_GUINT64_FORMAT " %d", there->capacity.value, there->format);
  conflict = plan_volume_conflict (item->volume, there);
  if (conflict != NULL)
    plan_mistake (mistakes, item->document->shown, place_of_capacity (item->document->text),
                  VIR_ERR_OPERATION_INVALID, "the volume '%s' is there: %s", item->name, conflict);
  else if (plan_volume_grows (item->volume, there))
    plan_growth (item, there);
}

gboolean
plan_volume_grows (const StorageVolumeDef *wanted, const StorageVolumeDef *there)
{
  return wanted->capacity.set && wanted->capacity.value > there->capacity.value;
}
