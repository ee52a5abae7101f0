/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * The kernel's own rules for memory that is asked for and not used yet (vm.overcommit_memory): by default all
 * that is not more than the host has at all; with 1 everything; with 2 what its limit leaves. A guest's
 * memory is asked for as a whole.
 */
#include "daemon/host/memory-room.h"

#include "base/scalars.h"

#include <string.h>

#define MEMINFO    "/proc/meminfo"
#define OVERCOMMIT "/proc/sys/vm/overcommit_memory"
#define POOLS      "/sys/kernel/mm/hugepages"

enum { OVERCOMMIT_GUESS = 0, OVERCOMMIT_ALWAYS = 1, OVERCOMMIT_NEVER = 2 };

guint64
meminfo_value (const char *meminfo, const char *name)
{
  gsize length = strlen (name);

  for (const char *line = meminfo; line != NULL && *line != '\0'; line = strchr (line, '\n')) {
    line += *line == '\n';
    if (strncmp (line, name, length) == 0 && line[length] == ':')
      return g_ascii_strtoull (line + length + 1, NULL, 10);
  }
  return 0;
}

MemoryRoom
memory_room (const char *meminfo, guint overcommit, guint64 wanted, guint64 *ret_left)
{
  guint64 swap = meminfo_value (meminfo, "SwapFree");
  guint64 all = meminfo_value (meminfo, "MemTotal") + meminfo_value (meminfo, "SwapTotal");
  guint64 limit = meminfo_value (meminfo, "CommitLimit"), used = meminfo_value (meminfo, "Committed_AS");

  *ret_left = overcommit == OVERCOMMIT_NEVER ? limit - MIN (limit, used) : all;
  if (overcommit != OVERCOMMIT_ALWAYS && wanted > *ret_left)
    return MEMORY_REFUSED;
  *ret_left = meminfo_value (meminfo, "MemAvailable") + swap;
  return wanted > *ret_left ? MEMORY_IS_SHORT : MEMORY_FITS;
}

static guint64
read_number (const char *path)
{
  g_autofree char *text = NULL;
  guint64 value = 0;

  if (g_file_get_contents (path, &text, NULL, NULL))
    parse_uint (g_strchomp (text), G_MAXUINT64, &value);
  return value;
}

MemoryRoom
memory_room_here (guint64 wanted, guint64 *ret_left)
{
  g_autofree char *meminfo = NULL;

  *ret_left = 0;
  if (!g_file_get_contents (MEMINFO, &meminfo, NULL, NULL))
    return MEMORY_FITS;
  return memory_room (meminfo, (guint)read_number (OVERCOMMIT), wanted, ret_left);
}

gboolean
hugepages_left (guint64 *size, guint64 *ret_count)
{
  g_autofree char *meminfo = NULL, *pool = NULL, *free_path = NULL, *promised_path = NULL;
  guint64 free_pages, promised;

  if (*size == 0 && g_file_get_contents (MEMINFO, &meminfo, NULL, NULL))
    *size = meminfo_value (meminfo, "Hugepagesize");
  pool = g_strdup_printf (POOLS "/hugepages-%" G_GUINT64_FORMAT "kB", *size);
  if (!g_file_test (pool, G_FILE_TEST_IS_DIR))
    return FALSE;
  free_path = g_build_filename (pool, "free_hugepages", NULL);
  promised_path = g_build_filename (pool, "resv_hugepages", NULL);
  free_pages = read_number (free_path);
  promised = read_number (promised_path);
  *ret_count = free_pages - MIN (free_pages, promised);
  return TRUE;
}
