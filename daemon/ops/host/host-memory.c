/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The host's memory beyond its size: the kernel's merging of equal pages (KSM), and how many pages of each
 * size are free. All of it is what /sys says at the moment of asking.
 */
#include "daemon/host/node.h"
#include "daemon/ops/ops.h"

#include "base/scalars.h"

#include <errno.h>
#include <unistd.h>

#define KSM_DIRECTORY  "/sys/kernel/mm/ksm"
#define HUGE_DIRECTORY "/sys/kernel/mm/hugepages"

/* In libvirt's order. */
static const struct {
  const char *parameter, *file;
  gboolean wide; /* an unsigned 64-bit number, else one of 32 bits */
  gboolean settable;
} merging[] = {
  { VIR_NODE_MEMORY_SHARED_PAGES_TO_SCAN, "pages_to_scan", FALSE, TRUE },
  { VIR_NODE_MEMORY_SHARED_SLEEP_MILLISECS, "sleep_millisecs", FALSE, TRUE },
  { VIR_NODE_MEMORY_SHARED_PAGES_SHARED, "pages_shared", TRUE, FALSE },
  { VIR_NODE_MEMORY_SHARED_PAGES_SHARING, "pages_sharing", TRUE, FALSE },
  { VIR_NODE_MEMORY_SHARED_PAGES_UNSHARED, "pages_unshared", TRUE, FALSE },
  { VIR_NODE_MEMORY_SHARED_PAGES_VOLATILE, "pages_volatile", TRUE, FALSE },
  { VIR_NODE_MEMORY_SHARED_FULL_SCANS, "full_scans", TRUE, FALSE },
  { VIR_NODE_MEMORY_SHARED_MERGE_ACROSS_NODES, "merge_across_nodes", FALSE, TRUE },
};

static gboolean
read_number (const char *directory, const char *file, guint64 *ret)
{
  g_autofree char *path = g_build_filename (directory, file, NULL);
  g_autofree char *text = NULL;

  return g_file_get_contents (path, &text, NULL, NULL) && parse_uint (g_strchomp (text), G_MAXUINT64, ret);
}

void
op_node_get_memory_parameters (Call *call)
{
  gboolean only_count = call_int (call, 0) == 0;
  GVariantBuilder list;
  int count = 0;

  if (!call_check_flags (call, call_uint (call, 1), VIR_TYPED_PARAM_STRING_OKAY))
    return;
  g_variant_builder_init (&list, G_VARIANT_TYPE ("a{sv}"));
  for (gsize i = 0; i < G_N_ELEMENTS (merging); i++) {
    guint64 value;

    if (!read_number (KSM_DIRECTORY, merging[i].file, &value))
      continue;
    count++;
    if (!only_count)
      g_variant_builder_add (&list, "{sv}", merging[i].parameter,
                             merging[i].wide ? g_variant_new_uint64 (value)
                                             : g_variant_new_uint32 ((guint32)value));
  }
  call_answer (call, g_variant_new ("(a{sv}i)", &list, only_count ? count : 0));
}

/* The row of a parameter that may be set to @value; -1 when there is none. */
static int
find_settable (const char *name, GVariant *value)
{
  for (gsize i = 0; i < G_N_ELEMENTS (merging); i++)
    if (merging[i].settable && g_str_equal (merging[i].parameter, name)
        && g_variant_is_of_type (value, G_VARIANT_TYPE_UINT32))
      return (int)i;
  return -1;
}

/* All are known before the first is written. */
static gboolean
check_parameters (Call *call, GVariant *list)
{
  GVariantIter iter;
  const char *name;
  GVariant *value;

  g_variant_iter_init (&iter, list);
  while (g_variant_iter_loop (&iter, "{&sv}", &name, &value)) {
    if (find_settable (name, value) < 0) {
      g_variant_unref (value);
      call_fail_with (call, VIR_ERR_INVALID_ARG,
                      "parameter '%s' not supported; accepted, as unsigned integers: %s, %s, %s", name,
                      VIR_NODE_MEMORY_SHARED_PAGES_TO_SCAN, VIR_NODE_MEMORY_SHARED_SLEEP_MILLISECS,
                      VIR_NODE_MEMORY_SHARED_MERGE_ACROSS_NODES);
      return FALSE;
    }
  }
  return TRUE;
}

void
op_node_set_memory_parameters (Call *call)
{
  g_autoptr (GVariant) list = g_variant_get_child_value (call->arguments, 0);
  GVariantIter iter;
  const char *name;
  GVariant *value;

  if (!call_check_flags (call, call_uint (call, 1), 0) || !check_parameters (call, list))
    return;
  g_variant_iter_init (&iter, list);
  while (g_variant_iter_loop (&iter, "{&sv}", &name, &value)) {
    const char *file = merging[find_settable (name, value)].file;
    g_autofree char *path = g_build_filename (KSM_DIRECTORY, file, NULL);
    g_autofree char *text = g_strdup_printf ("%u\n", g_variant_get_uint32 (value));
    g_autoptr (GError) error = NULL;

    /* Not replaced by a rename, as a plain file would be: the kernel takes what is written. */
    if (!g_file_set_contents_full (path, text, -1, G_FILE_SET_CONTENTS_NONE, 0644, &error)) {
      g_variant_unref (value);
      call_fail_with (call, VIR_ERR_OPERATION_FAILED, "failed to set %s: %s", name, error->message);
      return;
    }
  }
  call_answer_nothing (call);
}

/* Free pages of @size KiB; FALSE when the host has none of that size. */
static gboolean
free_pages (guint size, guint64 *ret)
{
  guint ordinary = (guint)sysconf (_SC_PAGESIZE) / 1024;
  g_autofree char *name = g_strdup_printf ("hugepages-%ukB", size);
  g_autofree char *directory = g_build_filename (HUGE_DIRECTORY, name, NULL);

  if (size != ordinary)
    return read_number (directory, "free_hugepages", ret);
  *ret = node_free_memory () / 1024 / ordinary;
  return TRUE;
}

/* One cell, as everywhere here. */
void
op_node_get_free_pages (Call *call)
{
  g_autoptr (GVariant) sizes = g_variant_get_child_value (call->arguments, 0);
  int first = call_int (call, 1);
  guint cells = call_uint (call, 2);
  gsize count = g_variant_n_children (sizes);
  GVariantBuilder list;

  if (!call_check_flags (call, call_uint (call, 3), 0))
    return;
  if (first > 0 || first < -1 || cells == 0) {
    call_fail_with (call, VIR_ERR_INTERNAL_ERROR, "start cell %d out of range (0-%d)", first, 0);
    return;
  }
  g_variant_builder_init (&list, G_VARIANT_TYPE ("at"));
  for (gsize i = 0; i < count; i++) {
    guint64 pages;
    guint32 size;

    g_variant_get_child (sizes, i, "u", &size);
    if (!free_pages (size, &pages)) {
      g_variant_builder_clear (&list);
      call_fail_with (call, VIR_ERR_OPERATION_FAILED, "page size %u is not available on node %d", size,
                      first);
      return;
    }
    g_variant_builder_add (&list, "t", pages);
  }
  call_answer (call, g_variant_new ("(at)", &list));
}
