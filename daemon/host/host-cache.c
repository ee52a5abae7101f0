/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The caches CPUs share, as the kernel describes them beside each CPU. Those of one core alone say nothing
 * that a machine could be placed by, and are left out, as libvirt does.
 */
#include "daemon/host/host-cache.h"

#include "base/scalars.h"

#include "daemon/host/node.h"

#include <string.h>

#define CPU_DIRECTORY "/sys/devices/system/cpu"
#define LEVEL_SHARED  3 /* the first level that cores share on the hosts that are met */
#define INDEX_MAX     16

static char *
read_value (guint cpu, guint index, const char *name)
{
  g_autofree char *path = g_strdup_printf (CPU_DIRECTORY "/cpu%u/cache/index%u/%s", cpu, index, name);
  char *text = NULL;

  return g_file_get_contents (path, &text, NULL, NULL) ? g_strstrip (text) : NULL;
}

/* "32768K" → bytes. */
static guint64
parse_size (const char *text)
{
  char *unit;
  guint64 size = g_ascii_strtoull (text, &unit, 10);

  return *unit == 'M' ? size << 20 : *unit == 'K' ? size << 10 : size;
}

/* FALSE when the CPU has no cache of that index. */
static gboolean
read_cache (guint cpu, guint index, GStringChunk *strings, HostCache *ret)
{
  g_autofree char *level = read_value (cpu, index, "level"), *type = read_value (cpu, index, "type");
  g_autofree char *id = read_value (cpu, index, "id"), *size = read_value (cpu, index, "size");
  g_autofree char *cpus = read_value (cpu, index, "shared_cpu_list");

  if (level == NULL || type == NULL || id == NULL || size == NULL || cpus == NULL)
    return FALSE;
  ret->level = (guint)g_ascii_strtoull (level, NULL, 10);
  ret->id = (guint)g_ascii_strtoull (id, NULL, 10);
  ret->size = parse_size (size);
  ret->type = strcmp (type, "Unified") == 0 ? "both" : strcmp (type, "Data") == 0 ? "data" : "code";
  ret->cpus = g_string_chunk_insert_const (strings, cpus);
  return TRUE;
}

static int
compare (gconstpointer a, gconstpointer b)
{
  const HostCache *left = a, *right = b;
  int types = strcmp (left->type, right->type);

  if (left->level != right->level)
    return left->level < right->level ? -1 : 1;
  if (types != 0)
    return types;
  return left->id < right->id ? -1 : left->id > right->id;
}

static void
add (GArray *caches, const HostCache *cache)
{
  for (guint i = 0; i < caches->len; i++)
    if (compare (&g_array_index (caches, HostCache, i), cache) == 0)
      return;
  g_array_append_vals (caches, cache, 1);
}

GArray *
host_caches_read (GStringChunk *strings)
{
  GArray *caches = g_array_new (FALSE, FALSE, sizeof (HostCache));
  g_autofree char *online = node_cpus_online ();
  g_autoptr (CpuSet) set = online != NULL ? cpu_set_parse (online, NULL) : NULL;
  guint left = set != NULL ? cpu_set_count (set) : 0;

  for (guint cpu = 0; left > 0 && cpu < CPU_SET_MAX; cpu++) {
    HostCache cache;

    if (!cpu_set_contains (set, cpu))
      continue;
    left--;
    for (guint index = 0; index < INDEX_MAX && read_cache (cpu, index, strings, &cache); index++)
      if (cache.level >= LEVEL_SHARED)
        add (caches, &cache);
  }
  g_array_sort (caches, compare);
  return caches;
}
