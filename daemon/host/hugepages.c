/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Pages of more than the ordinary size, which the kernel keeps in pools that it fills when it is told to. A
 * pool that could not be filled as far as asked keeps what it got, as libvirt leaves it: who asked may want
 * less.
 */
#include "daemon/host/hugepages.h"

#include "base/scalars.h"

#include <unistd.h>

#define HOST_DIRECTORY "/sys/kernel/mm/hugepages"
#define NODE_DIRECTORY "/sys/devices/system/node"

static gboolean
read_pool (const char *path, guint64 *ret)
{
  g_autofree char *text = NULL;

  return g_file_get_contents (path, &text, NULL, NULL) && parse_uint (g_strchomp (text), G_MAXUINT64, ret);
}

/* (transfer full); NULL with @error. */
static char *
pool_path (int node, guint size, GError **error)
{
  g_autofree char *own = g_strdup_printf (NODE_DIRECTORY "/node%d", node);
  g_autofree char *path =
      g_strdup_printf ("%s%s/hugepages-%ukB/nr_hugepages", node < 0 ? HOST_DIRECTORY : own,
                       node < 0 ? "" : "/hugepages", size);

  if (node >= 0 && !g_file_test (own, G_FILE_TEST_IS_DIR)) {
    virt_error_set_from (error, VIR_FROM_NONE, VIR_ERR_OPERATION_FAILED, "NUMA node %d is not available",
                         node);
    return NULL;
  }
  if (g_file_test (path, G_FILE_TEST_EXISTS))
    return g_steal_pointer (&path);
  if (node < 0)
    virt_error_set_from (error, VIR_FROM_NONE, VIR_ERR_OPERATION_FAILED, "page size %u is not available",
                         size);
  else
    virt_error_set_from (error, VIR_FROM_NONE, VIR_ERR_OPERATION_FAILED,
                         "page size %u is not available on node %d", size, node);
  return NULL;
}

gboolean
hugepages_set (int node, guint size, guint64 count, gboolean add, GError **error)
{
  g_autofree char *path = NULL, *text = NULL;
  g_autoptr (GError) problem = NULL;
  guint64 before = 0, after = 0;

  if (size == (guint)sysconf (_SC_PAGESIZE) / 1024) {
    virt_error_set_from (error, VIR_FROM_NONE, VIR_ERR_OPERATION_UNSUPPORTED,
                         "system pages pool can't be modified");
    return FALSE;
  }
  path = pool_path (node, size, error);
  if (path == NULL)
    return FALSE;
  if (add && (!read_pool (path, &before) || !g_uint64_checked_add (&count, count, before))) {
    virt_error_set_from (error, VIR_FROM_NONE, VIR_ERR_OPERATION_FAILED, "%s: the pool's size cannot be told",
                         path);
    return FALSE;
  }
  text = g_strdup_printf ("%" G_GUINT64_FORMAT "\n", count);
  /* Not replaced by a rename, as a plain file would be: the kernel takes what is written. */
  if (!g_file_set_contents_full (path, text, -1, G_FILE_SET_CONTENTS_NONE, 0644, &problem)) {
    virt_error_set_from (error, VIR_FROM_NONE, VIR_ERR_SYSTEM_ERROR, "Unable to write to: %s: %s", path,
                         problem->message);
    return FALSE;
  }
  if (read_pool (path, &after) && after == count)
    return TRUE;
  virt_error_set_from (error, VIR_FROM_NONE, VIR_ERR_OPERATION_FAILED,
                       "Unable to allocate %" G_GUINT64_FORMAT " pages. Allocated only %" G_GUINT64_FORMAT,
                       count, after);
  return FALSE;
}
