/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Allocating and overwriting. A file system that cannot allocate gets zeros written instead, as
 * posix_fallocate would do, but only where nothing is yet, and without a wait that nobody can end.
 */
#include "daemon/storage/allocate.h"

#include "daemon/storage/tool.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#define ALLOCATE_PIECE (G_GUINT64_CONSTANT (1) << 30)
#define WRITE_PIECE    (1024 * 1024)
#define BLOCK_BYTES    512 /* the unit of st_blocks */

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

static gboolean
cannot_allocate (const char *path, guint64 bytes, GError **error)
{
  virt_error_set (error, VIR_ERR_SYSTEM_ERROR, "cannot allocate %" G_GUINT64_FORMAT " bytes in file '%s': %s",
                  bytes, path, g_strerror (errno));
  return FALSE;
}

/* What cannot fit is not tried: the try would take all the room others need meanwhile. */
static gboolean
has_room (int fd, guint64 bytes)
{
  struct statvfs sizes;
  struct stat status;

  if (fstatvfs (fd, &sizes) < 0 || fstat (fd, &status) < 0 || !S_ISREG (status.st_mode))
    return TRUE;
  errno = ENOSPC;
  return bytes <= (guint64)status.st_blocks * BLOCK_BYTES
         || (bytes - (guint64)status.st_blocks * BLOCK_BYTES) / MAX (sizes.f_frsize, 1) <= sizes.f_bfree;
}

/* Data is left as it is. */
static gboolean
fill_holes (Job *job, int fd, const char *path, guint64 bytes, GError **error)
{
  for (guint64 from = 0; from < bytes;) {
    off_t hole = lseek (fd, (off_t)from, SEEK_HOLE);
    guint64 begin = hole < 0 ? from : (guint64)hole;
    off_t data = lseek (fd, (off_t)begin, SEEK_DATA);
    guint64 end = data < 0 ? bytes : MIN ((guint64)data, bytes);

    if (begin < bytes && !write_zeros (job, fd, path, begin, end, error))
      return FALSE;
    from = MAX (end, begin + 1);
  }
  return TRUE;
}

gboolean
storage_allocate (Job *job, int fd, const char *path, guint64 bytes, GError **error)
{
  if (!has_room (fd, bytes))
    return cannot_allocate (path, bytes, error);
  for (guint64 done = 0; done < bytes; done += MIN (bytes - done, ALLOCATE_PIECE)) {
    int status;

    do
      status = fallocate (fd, FALLOC_FL_KEEP_SIZE, (off_t)done, (off_t)MIN (bytes - done, ALLOCATE_PIECE));
    while (status < 0 && errno == EINTR);
    if (status < 0 && errno == EOPNOTSUPP)
      return fill_holes (job, fd, path, bytes, error);
    if (status < 0)
      return cannot_allocate (path, bytes, error);
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
