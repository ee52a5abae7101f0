/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Pools of huge pages, of one NUMA cell after the other, in a job: the kernel may have to move memory about.
 * A mistake ends it; what was done before stays, as in libvirt.
 */
#include "daemon/host/hugepages.h"
#include "daemon/ops/ops.h"

#include "base/scalars.h"

#include <stdio.h>

#define ONLINE_FILE "/sys/devices/system/node/online"

typedef struct {
  Call *call;
  GVariant *sizes, *counts;
  int first, last; /* cells; -1 the host as a whole */
  gboolean add;
  gint32 done;
} Pools;

static void
pools_free (gpointer data)
{
  Pools *pools = data;

  g_variant_unref (pools->sizes);
  g_variant_unref (pools->counts);
  g_free (pools);
}

static gpointer
set_pools (Job *job, gpointer input, GError **error)
{
  Pools *pools = input;

  for (int cell = pools->first; cell <= pools->last; cell++)
    for (gsize i = 0; i < g_variant_n_children (pools->sizes); i++) {
      guint64 count;
      guint32 size;

      g_variant_get_child (pools->sizes, i, "u", &size);
      g_variant_get_child (pools->counts, i, "t", &count);
      if (!job_check (job, error) || !hugepages_set (cell, size, count, pools->add, error))
        return NULL;
      pools->done++;
    }
  return JOB_OK;
}

static void
pools_set (gpointer result, const GError *error, gpointer data)
{
  Pools *pools = data;

  if (result == NULL)
    call_fail (pools->call, g_error_copy (error));
  else
    call_answer (pools->call, g_variant_new ("(i)", pools->done));
}

/* The number of the last cell. */
static int
last_cell (void)
{
  g_autofree char *text = NULL;
  g_autoptr (CpuSet) cells = NULL;
  const char *mistake;
  int last = 0;

  if (!g_file_get_contents (ONLINE_FILE, &text, NULL, NULL))
    return 0;
  cells = cpu_set_parse (g_strchomp (text), &mistake);
  for (guint i = 0; cells != NULL && i < CPU_SET_MAX; i++)
    if (cpu_set_contains (cells, i))
      last = (int)i;
  return last;
}

void
op_node_alloc_pages (Call *call)
{
  int first = call_int (call, 2), last = last_cell ();
  guint cells = call_uint (call, 3), flags = call_uint (call, 4);
  Pools *pools;

  if (!call_check_flags (call, flags, VIR_NODE_ALLOC_PAGES_SET))
    return;
  if (cells == 0) {
    call_fail_with (call, VIR_ERR_INVALID_ARG, "cellCount in virNodeAllocPages must not be zero");
    return;
  }
  if (first < -1 || first > last) {
    call_fail_from (call, VIR_FROM_NONE, VIR_ERR_INTERNAL_ERROR, "start cell %d out of range (0-%d)", first,
                    last);
    return;
  }
  pools = g_new0 (Pools, 1);
  pools->call = call;
  pools->sizes = g_variant_get_child_value (call->arguments, 0);
  pools->counts = g_variant_get_child_value (call->arguments, 1);
  pools->first = first;
  pools->last = first < 0 ? first : (int)MIN ((gint64)first + cells - 1, last);
  pools->add = (flags & VIR_NODE_ALLOC_PAGES_SET) == 0;
  if (g_variant_n_children (pools->sizes) == g_variant_n_children (pools->counts)) {
    job_start ("pages", set_pools, pools, pools_free, 0, pools_set, pools);
    return;
  }
  call_fail_with (call, VIR_ERR_INVALID_ARG, "there are %u sizes of pages and %u counts of them",
                  (guint)g_variant_n_children (pools->sizes), (guint)g_variant_n_children (pools->counts));
  pools_free (pools);
}
