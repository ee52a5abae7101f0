/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * The map of a sparse file. A file system may have a hole for each of a million blocks; an archive's map of
 * them would be larger than what it saves, so smaller holes are passed over until there are few enough.
 */
#include "daemon/bundle/stretches.h"

#include <errno.h>
#include <unistd.h>

/* All of it where the file system, or a device, does not tell. FALSE: it cannot be read. */
static gboolean
next_data (int fd, guint64 size, guint64 from, Stretch *ret)
{
  off_t start = lseek (fd, (off_t)from, SEEK_DATA);
  off_t end;

  if (start < 0 && errno == ENXIO) {
    *ret = (Stretch){ size, 0 };
    return TRUE;
  }
  if (start < 0 && errno == EINVAL) {
    *ret = (Stretch){ from, size - from };
    return TRUE;
  }
  end = start >= 0 ? lseek (fd, start, SEEK_HOLE) : -1;
  if (end < 0)
    return FALSE;
  *ret = (Stretch){ MIN ((guint64)start, size), 0 };
  ret->length = MIN ((guint64)end, size) - ret->offset;
  return TRUE;
}

static GArray *
read_with_gap (int fd, guint64 size, guint64 gap)
{
  GArray *stretches = g_array_new (FALSE, FALSE, sizeof (Stretch));
  guint64 at = 0;

  while (at < size && stretches->len <= STRETCHES_MAX) {
    Stretch next;
    Stretch *last = stretches->len > 0 ? &g_array_index (stretches, Stretch, stretches->len - 1) : NULL;

    if (!next_data (fd, size, at, &next)) {
      g_array_unref (stretches);
      return NULL;
    }
    at = next.offset + next.length;
    if (next.length == 0)
      break;
    if (last != NULL && next.offset - (last->offset + last->length) < gap)
      last->length = at - last->offset;
    else
      g_array_append_val (stretches, next);
  }
  return stretches;
}

GArray *
stretches_read (int fd, guint64 size, const char *path, GError **error)
{
  for (guint64 gap = STRETCHES_GAP;; gap *= 4) {
    GArray *stretches = read_with_gap (fd, size, gap);

    if (stretches == NULL) {
      virt_error_set (error, VIR_ERR_SYSTEM_ERROR, "cannot look for the holes of '%s': %s", path,
                      g_strerror (errno));
      return NULL;
    }
    if (stretches->len <= STRETCHES_MAX)
      return stretches;
    g_array_unref (stretches);
  }
}

guint64
stretches_total (const GArray *stretches)
{
  guint64 total = 0;

  for (guint i = 0; i < stretches->len; i++)
    total += g_array_index (stretches, Stretch, i).length;
  return total;
}
