/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The host as its capabilities describe it: NUMA cells with their memory, pages, distances and CPUs. A host
 * without NUMA has one cell of everything. All strings live in one chunk, so that the facts are freed at
 * once.
 */
#include "daemon/host/host-probe.h"

#include "daemon/host/host-cache.h"
#include "daemon/host/host-cpu.h"
#include "daemon/host/node.h"

#include "base/scalars.h"

#include <string.h>

#define FACTS_MAX_CELLS 1024
#define NODE_DIRECTORY  "/sys/devices/system/node"
#define CPU_DIRECTORY   "/sys/devices/system/cpu"

struct NodeFacts {
  HostFacts host;
  GStringChunk *strings;
  DomainCpu *cpu;
  GArray *cells;     /* HostCell */
  GPtrArray *arrays; /* GArray: what the cells point to */
};

static char *
read_file (const char *directory, const char *name)
{
  g_autofree char *path = g_build_filename (directory, name, NULL);
  char *text = NULL;

  return g_file_get_contents (path, &text, NULL, NULL) ? g_strstrip (text) : NULL;
}

static char *
cell_file (guint id, const char *name)
{
  g_autofree char *directory = g_strdup_printf (NODE_DIRECTORY "/node%u", id);

  return read_file (directory, name);
}

static guint64
cpu_number (guint id, const char *name)
{
  g_autofree char *directory = g_strdup_printf (CPU_DIRECTORY "/cpu%u/topology", id);
  g_autofree char *text = read_file (directory, name);

  return text != NULL ? g_ascii_strtoull (text, NULL, 10) : 0;
}

static GArray *
new_array (NodeFacts *facts, guint size)
{
  GArray *array = g_array_new (FALSE, TRUE, size);

  g_ptr_array_add (facts->arrays, array);
  return array;
}

/* "MemTotal:  5073108 kB" of the cell, or of the host. */
static guint64
cell_memory (guint id)
{
  g_autofree char *text = cell_file (id, "meminfo");
  const char *line = text != NULL ? strstr (text, "MemTotal:") : NULL;
  NodeMemoryStats memory = { 0 };

  if (line != NULL)
    return g_ascii_strtoull (line + strlen ("MemTotal:"), NULL, 10);
  return node_memory_stats (&memory, NULL) ? memory.total : 0;
}

static int
compare_pages (gconstpointer a, gconstpointer b)
{
  return (int)((const HostPages *)a)->size - (int)((const HostPages *)b)->size;
}

/* Ordinary pages first, then each size of huge ones: "hugepages-2048kB". */
static GArray *
read_pages (NodeFacts *facts, guint id, guint64 memory)
{
  GArray *pages = new_array (facts, sizeof (HostPages));
  HostPages ordinary = { .size = 4, .count = memory / 4 };
  g_autofree char *directory = g_strdup_printf (NODE_DIRECTORY "/node%u/hugepages", id);
  GDir *dir = g_dir_open (directory, 0, NULL);
  const char *name;

  g_array_append_val (pages, ordinary);
  while (dir != NULL && (name = g_dir_read_name (dir)) != NULL) {
    g_autofree char *file = g_build_filename ("hugepages", name, "nr_hugepages", NULL);
    g_autofree char *number = cell_file (id, file);
    HostPages huge = { .count = number != NULL ? g_ascii_strtoull (number, NULL, 10) : 0 };

    if (!g_str_has_prefix (name, "hugepages-"))
      continue;
    huge.size = (guint)g_ascii_strtoull (name + strlen ("hugepages-"), NULL, 10);
    g_array_append_val (pages, huge);
  }
  if (dir != NULL)
    g_dir_close (dir);
  g_array_sort (pages, compare_pages);
  return pages;
}

static GArray *
read_cpus (NodeFacts *facts, const CpuSet *set)
{
  GArray *cpus = new_array (facts, sizeof (HostCpu));

  for (guint id = 0, left = cpu_set_count (set); left > 0 && id < CPU_SET_MAX; id++) {
    g_autofree char *directory = NULL, *siblings = NULL;
    HostCpu cpu = { .id = id };

    if (!cpu_set_contains (set, id))
      continue;
    left--;
    directory = g_strdup_printf (CPU_DIRECTORY "/cpu%u/topology", id);
    siblings = read_file (directory, "thread_siblings_list");
    cpu.socket = (guint)cpu_number (id, "physical_package_id");
    cpu.die = (guint)cpu_number (id, "die_id");
    cpu.core = (guint)cpu_number (id, "core_id");
    cpu.siblings = siblings != NULL ? g_string_chunk_insert (facts->strings, siblings) : NULL;
    g_array_append_val (cpus, cpu);
  }
  return cpus;
}

/* "10 21": to each cell. NULL when the kernel does not say, or not to all. */
static const guint *
read_distances (NodeFacts *facts, guint id, guint cell_count)
{
  g_autofree char *text = cell_file (id, "distance");
  g_auto (GStrv) words = g_strsplit (text != NULL ? text : "", " ", -1);
  GArray *distances;

  if (g_strv_length (words) != cell_count)
    return NULL;
  distances = new_array (facts, sizeof (guint));
  for (guint i = 0; i < cell_count; i++) {
    guint distance = (guint)g_ascii_strtoull (words[i], NULL, 10);

    g_array_append_val (distances, distance);
  }
  return (const guint *)(gpointer)distances->data;
}

static void
add_cell (NodeFacts *facts, guint id, guint cell_count, const CpuSet *set)
{
  HostCell cell = { .id = id, .memory = cell_memory (id) };
  GArray *pages = read_pages (facts, id, cell.memory), *cpus = read_cpus (facts, set);

  cell.pages = (const HostPages *)(gpointer)pages->data;
  cell.page_count = pages->len;
  cell.cpus = (const HostCpu *)(gpointer)cpus->data;
  cell.cpu_count = cpus->len;
  cell.distances = read_distances (facts, id, cell_count);
  g_array_append_val (facts->cells, cell);
}

static void
read_cells (NodeFacts *facts)
{
  g_autofree char *online_text = read_file (NODE_DIRECTORY, "online"), *all = node_cpus_online ();
  g_autoptr (CpuSet) online = online_text != NULL ? cpu_set_parse (online_text, NULL) : NULL;
  guint count = online != NULL ? MIN (cpu_set_count (online), FACTS_MAX_CELLS) : 0;

  for (guint id = 0, left = count; left > 0 && id < CPU_SET_MAX; id++) {
    g_autofree char *text = NULL;
    g_autoptr (CpuSet) set = NULL;

    if (!cpu_set_contains (online, id))
      continue;
    left--;
    text = cell_file (id, "cpulist");
    set = text != NULL && *text != '\0' ? cpu_set_parse (text, NULL) : cpu_set_new ();
    if (set != NULL)
      add_cell (facts, id, count, set);
  }
  if (facts->cells->len == 0) {
    g_autoptr (CpuSet) set = all != NULL ? cpu_set_parse (all, NULL) : NULL;

    if (set != NULL)
      add_cell (facts, 0, 1, set);
  }
  facts->host.cells = (const HostCell *)(gpointer)facts->cells->data;
  facts->host.cell_count = facts->cells->len;
}

static const char *
keep (NodeFacts *facts, char *taken)
{
  g_autofree char *text = taken;

  return text != NULL ? g_string_chunk_insert (facts->strings, text) : NULL;
}

/* The processor, as a model that @caps knows. */
static void
read_cpu (NodeFacts *facts, const QemuCaps *caps)
{
  const HostCpuFacts *cpu = host_cpu_get ();

  facts->cpu = caps != NULL ? host_cpu_model (caps, NULL) : NULL;
  facts->host.cpu = facts->cpu;
  facts->host.cpu_vendor = cpu->data.vendor;
  facts->host.signature = cpu->data.signature;
  facts->host.microcode = cpu->microcode;
  facts->host.tsc_frequency = cpu->tsc_frequency;
  facts->host.tsc_scaling = cpu->tsc_scaling;
  facts->host.physical_bits = cpu->physical_bits;
}

static gboolean
has_iommu (void)
{
  g_autoptr (GDir) groups = g_dir_open ("/sys/kernel/iommu_groups", 0, NULL);

  return groups != NULL && g_dir_read_name (groups) != NULL;
}

NodeFacts *
node_facts_read (const QemuCaps *caps)
{
  NodeFacts *facts = g_new0 (NodeFacts, 1);
  GArray *caches;
  g_auto (NodeInfo) info = { 0 };

  facts->strings = g_string_chunk_new (1024);
  facts->cells = g_array_new (FALSE, TRUE, sizeof (HostCell));
  facts->arrays = g_ptr_array_new_with_free_func ((GDestroyNotify)g_array_unref);
  node_info_read (&info);
  facts->host.uuid = keep (facts, node_uuid ());
  facts->host.arch = g_string_chunk_insert (facts->strings, info.model);
  read_cpu (facts, caps);
  facts->host.sockets = info.sockets;
  facts->host.dies = 1;
  facts->host.cores = info.cores;
  facts->host.threads = info.threads;
  facts->host.iommu = has_iommu ();
  caches = host_caches_read (facts->strings);
  g_ptr_array_add (facts->arrays, caches);
  facts->host.caches = (const HostCache *)(gpointer)caches->data;
  facts->host.cache_count = caches->len;
  read_cells (facts);
  return facts;
}

void
node_facts_free (NodeFacts *facts)
{
  if (facts == NULL)
    return;
  field_free (&domain_cpu_table, facts->cpu);
  g_ptr_array_unref (facts->arrays);
  g_array_unref (facts->cells);
  g_string_chunk_free (facts->strings);
  g_free (facts);
}

const HostFacts *
node_facts_get (const NodeFacts *facts)
{
  return &facts->host;
}
