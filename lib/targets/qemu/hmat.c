/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What the guest is told of its memory's speed (ACPI's HMAT), as -numa takes it: after the nodes, the links
 * between them in the document's order, and then the caches.
 */
#include "targets/qemu/recipe-private.h"

#include "domain/numa-hmat.h"

static const CpuNuma *
numa_of (const Recipe *recipe)
{
  const DomainDef *def = recipe_def (recipe);

  return def->cpu != NULL && numa_has_speeds (&def->cpu->numa) ? &def->cpu->numa : NULL;
}

gboolean
recipe_has_hmat (const Recipe *recipe)
{
  return numa_of (recipe) != NULL;
}

/* The node with processors that is nearest to node @node: itself, or by the shortest way, or by the broadest,
 * or the first. */
static guint
find_initiator (const CpuNuma *numa, guint node)
{
  const NumaLink *shortest = NULL, *broadest = NULL;
  const NumaCell *cell = g_ptr_array_index (numa->cells, node);

  if (cell->cpus != NULL)
    return node;
  for (guint i = 0; numa->links != NULL && i < numa->links->len; i++) {
    const NumaLink *link = g_ptr_array_index (numa->links, i);

    if (link->target.value != node || link->cache.value != 0)
      continue;
    if (!link->is_bandwidth && (shortest == NULL || link->value.value < shortest->value.value))
      shortest = link;
    if (link->is_bandwidth && (broadest == NULL || link->value.value > broadest->value.value))
      broadest = link;
  }
  if (shortest != NULL || broadest != NULL)
    return (guint)(shortest != NULL ? shortest : broadest)->initiator.value;
  for (guint i = 0; i < numa->cells->len; i++)
    if (((const NumaCell *)g_ptr_array_index (numa->cells, i))->cpus != NULL)
      return i;
  return 0;
}

void
recipe_append_initiator (const Recipe *recipe, GString *text, guint node)
{
  const CpuNuma *numa = numa_of (recipe);

  if (numa != NULL)
    g_string_append_printf (text, ",initiator=%u", find_initiator (numa, node));
}

static void
add_link (Recipe *recipe, const NumaLink *link)
{
  static const char *const hierarchies[] = { "memory", "first-level", "second-level", "third-level" };
  const char *what = link->is_bandwidth ? "bandwidth" : "latency";

  recipe_option (recipe, "-numa",
                 "hmat-lb,initiator=%" G_GUINT64_FORMAT ",target=%" G_GUINT64_FORMAT
                 ",hierarchy=%s,data-type=%s-%s,%s=%" G_GUINT64_FORMAT "%s",
                 link->initiator.value, link->target.value, hierarchies[link->cache.value],
                 enum_table_name (&numa_accesses, link->access), what, what, link->value.value,
                 link->is_bandwidth ? "K" : "");
}

static void
add_cache (Recipe *recipe, guint node, const NumaCache *cache)
{
  static const char *const associativities[] = { "none", "none", "direct", "complex" };
  static const char *const policies[] = { "none", "none", "write-back", "write-through" };

  recipe_option (recipe, "-numa",
                 "hmat-cache,node-id=%u,size=%" G_GUINT64_FORMAT "K,level=%" G_GUINT64_FORMAT
                 ",associativity=%s,policy=%s,line=%" G_GUINT64_FORMAT,
                 node, cache->size.value, cache->level.value, associativities[cache->associativity],
                 policies[cache->policy], cache->line.value);
}

gboolean
recipe_add_hmat (Recipe *recipe, GError **error)
{
  const CpuNuma *numa = numa_of (recipe);

  if (numa == NULL)
    return TRUE;
  if (qemu_caps_is_lacked (recipe_caps (recipe), "numa.hmat"))
    return qemu_lacks (recipe, NULL, "HMAT: <cache> and <interconnects> of <numa>", NULL, error);
  for (guint i = 0; numa->links != NULL && i < numa->links->len; i++)
    add_link (recipe, g_ptr_array_index (numa->links, i));
  for (guint i = 0; i < numa->cells->len; i++) {
    const GPtrArray *caches = ((const NumaCell *)g_ptr_array_index (numa->cells, i))->caches;

    for (guint j = 0; caches != NULL && j < caches->len; j++)
      add_cache (recipe, i, g_ptr_array_index (caches, j));
  }
  return TRUE;
}
