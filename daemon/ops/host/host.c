/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The host's processors and memory, as libvirt counts them.
 */
#include "daemon/host/node.h"
#include "daemon/ops/ops.h"

#include "base/scalars.h"

#include <string.h>

#define NODE_MODEL_BYTES 32

void
op_connect_get_hostname (Call *call)
{
  g_autofree char *hostname = node_hostname ();

  call_answer (call, g_variant_new ("(s)", hostname));
}

void
op_node_get_info (Call *call)
{
  g_auto (NodeInfo) info = { 0 };
  char model[NODE_MODEL_BYTES] = { 0 };

  node_info_read (&info);
  g_strlcpy (model, info.model != NULL ? info.model : "", sizeof model);
  call_answer (call, g_variant_new ("(@aytiiiiii)",
                                    g_variant_new_fixed_array (G_VARIANT_TYPE_BYTE, model, sizeof model, 1),
                                    info.memory, (int)info.cpus, (int)info.mhz, (int)info.nodes,
                                    (int)info.sockets, (int)info.cores, (int)info.threads));
}

typedef struct {
  const char *name;
  guint64 value;
} NamedValue;

/* Lists of (name, value): with @wanted 0 only the count is asked. */
static void
answer_values (Call *call, const NamedValue *values, guint count, int wanted)
{
  GVariantBuilder list;

  g_variant_builder_init (&list, G_VARIANT_TYPE ("a(st)"));
  for (guint i = 0; wanted != 0 && i < count; i++)
    g_variant_builder_add (&list, "(st)", values[i].name, values[i].value);
  call_answer (call, g_variant_new ("(a(st)i)", &list, (int)count));
}

void
op_node_get_cpu_stats (Call *call)
{
  NodeCpuStats stats = { 0 };
  GError *error = NULL;

  if (!call_check_flags (call, call_uint (call, 2), 0))
    return;
  if (!node_cpu_stats (call_int (call, 0), &stats, &error)) {
    call_fail (call, error);
    return;
  }
  const NamedValue values[] = {
    { VIR_NODE_CPU_STATS_KERNEL, stats.kernel },
    { VIR_NODE_CPU_STATS_USER, stats.user },
    { VIR_NODE_CPU_STATS_IDLE, stats.idle },
    { VIR_NODE_CPU_STATS_IOWAIT, stats.iowait },
  };
  answer_values (call, values, G_N_ELEMENTS (values), call_int (call, 1));
}

void
op_node_get_memory_stats (Call *call)
{
  NodeMemoryStats stats = { 0 };
  GError *error = NULL;
  int cell = call_int (call, 1);

  if (!call_check_flags (call, call_uint (call, 2), 0))
    return;
  if (cell != VIR_NODE_MEMORY_STATS_ALL_CELLS && cell != 0) {
    call_fail_plain (call, VIR_FROM_NONE, VIR_ERR_INVALID_ARG,
                     "cellNum in %s must be less than or equal to %d", "virHostMemGetStats", 0);
    return;
  }
  if (!node_memory_stats (&stats, &error)) {
    call_fail (call, error);
    return;
  }
  const NamedValue values[] = {
    { VIR_NODE_MEMORY_STATS_TOTAL, stats.total },
    { VIR_NODE_MEMORY_STATS_FREE, stats.free },
    { VIR_NODE_MEMORY_STATS_BUFFERS, stats.buffers },
    { VIR_NODE_MEMORY_STATS_CACHED, stats.cached },
  };
  answer_values (call, values, G_N_ELEMENTS (values), call_int (call, 0));
}

void
op_node_get_free_memory (Call *call)
{
  call_answer (call, g_variant_new ("(t)", node_free_memory ()));
}

/* One cell: the host's memory nodes are not told apart yet. */
void
op_node_get_cells_free_memory (Call *call)
{
  GVariantBuilder cells;

  if (call_int (call, 0) != 0) {
    call_fail_with (call, VIR_ERR_INTERNAL_ERROR, "start cell %d out of range (0-%d)", call_int (call, 0), 0);
    return;
  }
  g_variant_builder_init (&cells, G_VARIANT_TYPE ("at"));
  g_variant_builder_add (&cells, "t", node_free_memory ());
  call_answer (call, g_variant_new ("(at)", &cells));
}

void
op_node_get_cpu_map (Call *call)
{
  g_autofree char *present_text = node_cpus_present (), *online_text = node_cpus_online ();
  g_autoptr (CpuSet) present = cpu_set_parse (present_text, NULL);
  g_autoptr (CpuSet) online = cpu_set_parse (online_text, NULL);
  g_autofree guint8 *map = NULL;
  guint count = 0;

  if (!call_check_flags (call, call_uint (call, 2), 0))
    return;
  if (present == NULL || online == NULL) {
    call_fail_with (call, VIR_ERR_INTERNAL_ERROR, "the kernel's list of processors cannot be read");
    return;
  }
  while (cpu_set_contains (present, count))
    count++;
  map = g_malloc0 (count / 8 + 1);
  for (guint cpu = 0; cpu < count; cpu++)
    if (cpu_set_contains (online, cpu))
      map[cpu / 8] |= (guint8)(1 << cpu % 8);
  call_answer (call,
               g_variant_new ("(@ayui)",
                              g_variant_new_fixed_array (G_VARIANT_TYPE_BYTE, map,
                                                         call_int (call, 0) != 0 ? (count + 7) / 8 : 0, 1),
                              call_int (call, 1) != 0 ? cpu_set_count (online) : 0, (int)count));
}

/* No security driver labels machines here; libvirt's name for that is "none". The arrays are C strings. */
void
op_node_get_security_model (Call *call)
{
  call_answer (call, g_variant_new ("(@ay@ay)",
                                    g_variant_new_fixed_array (G_VARIANT_TYPE_BYTE, "none", sizeof "none", 1),
                                    g_variant_new_fixed_array (G_VARIANT_TYPE_BYTE, "0", sizeof "0", 1)));
}
