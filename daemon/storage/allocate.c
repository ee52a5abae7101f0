/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Allocating and overwriting. A file system that cannot allocate gets zeros written instead, as
 * posix_fallocate would do, but only where nothing is yet, and without a wait that nobody can end.
 */
#include "daemon/storage/allocate.h"

#include "daemon/storage/tool.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#define ALLOCATE_PIECE (G_GUINT64_CONSTANT (1) << 30)
#define WRITE_PIECE    (1024 * 1024)

static gboolean
write_zeros (Job *job, int fd, const char *path, guint64 from, guint64 to, GError **error)
{
  g_autofree guint8 *zeros = g_malloc0 (WRITE_PIECE);

  while (from < to) {
    ssize_t written = pwrite (fd, zeros, MIN (to - from, WRITE_PIECE), (off_t)from);

    if (written < 0 && errno != EINTR) {
      virt_error_set (error, VIR_ERR_SYSTEM_ERROR,
                      "cannot write %" G_GUINT64_FORMAT " bytes to file '%s': %s", to, path,
                      g_strerror (errno));
      return FALSE;
    }
    from += written > 0 ? (guint64)written : 0;
    if (!storage_job_check (job, path, error))
      return FALSE;
  }
  return TRUE;
}

gboolean
storage_allocate (Job *job, int fd, const char *path, guint64 bytes, GError **error)
{
  for (guint64 done = 0; done < bytes; done += MIN (bytes - done, ALLOCATE_PIECE)) {
    int status;

    do
      status = fallocate (fd, FALLOC_FL_KEEP_SIZE, (off_t)done, (off_t)MIN (bytes - done, ALLOCATE_PIECE));
    while (status < 0 && errno == EINTR);
    if (status < 0 && errno == EOPNOTSUPP && done == 0) {
      off_t hole = lseek (fd, 0, SEEK_HOLE);

      return write_zeros (job, fd, path, hole > 0 ? (guint64)hole : 0, bytes, error);
    }
    if (status < 0) {
      virt_error_set (error, VIR_ERR_SYSTEM_ERROR,
                      "cannot allocate %" G_GUINT64_FORMAT " bytes in file '%s': %s", bytes, path,
                      g_strerror (errno));
      return FALSE;
    }
    if (!storage_job_check (job, path, error))
      return FALSE;
  }
  return TRUE;
}

gboolean
storage_overwrite (Job *job, int fd, const char *path, GError **error)
{
  off_t data, hole = 0;

  while ((data = lseek (fd, hole, SEEK_DATA)) >= 0) {
    hole = lseek (fd, data, SEEK_HOLE);
    if (hole <= data)
      break;
    if (!write_zeros (job, fd, path, (guint64)data, (guint64)hole, error))
      return FALSE;
  }
  /* Nothing but a hole behind that place is how it ends. */
  if ((data >= 0 || errno == ENXIO) && fsync (fd) == 0)
    return TRUE;
  virt_error_set (error, VIR_ERR_SYSTEM_ERROR, "cannot wipe file '%s': %s", path, g_strerror (errno));
  return FALSE;
}
