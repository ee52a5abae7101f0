/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * A disk is read by the daemon itself, which has opened it for QEMU before. Memory only QEMU can read, and it
 * writes what it reads to a file it opens by name: the daemon makes that file in the machine's own directory,
 * empty, keeps it open, and reads back through its own descriptor, whatever becomes of the name.
 */
#include "daemon/drivers/qemu/peek.h"

#include "daemon/host/named-file.h"
#include "targets/qemu/recipe.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#define MEMORY_FILE "memory.XXXXXX"

void
disk_peek_free (gpointer data)
{
  DiskPeek *peek = data;

  g_free (peek->path);
  g_free (peek->name);
  g_free (peek);
}

void
memory_peek_free (gpointer data)
{
  MemoryPeek *peek = data;

  qmp_unref (peek->qmp);
  g_free (peek->directory);
  g_free (peek);
}

/* As much as there is; -1 with errno set. */
static gssize
read_all (int fd, guint8 *bytes, gsize length, guint64 offset)
{
  gsize done = 0;

  while (done < length) {
    ssize_t got = pread (fd, bytes + done, length - done, (off_t)(offset + done));

    if (got < 0 && errno == EINTR)
      continue;
    if (got < 0)
      return -1;
    if (got == 0)
      break;
    done += (gsize)got;
  }
  return (gssize)done;
}

static GBytes *
read_disk (const DiskPeek *peek, int fd, GError **error)
{
  g_autofree guint8 *bytes = g_malloc0 (peek->size + 1);
  struct stat status;
  gssize got = 0;

  if (fstat (fd, &status) != 0 || (!S_ISREG (status.st_mode) && !S_ISBLK (status.st_mode))) {
    virt_error_set (error, VIR_ERR_OPERATION_UNSUPPORTED, "'%s' is neither a file nor a block device",
                    peek->path);
    return NULL;
  }
  if (peek->offset <= (guint64)G_MAXINT64 - peek->size)
    got = read_all (fd, bytes, peek->size, peek->offset);
  if (got < 0) {
    virt_error_set (error, VIR_ERR_SYSTEM_ERROR, "cannot read '%s': %s", peek->path, g_strerror (errno));
    return NULL;
  }
  if ((gsize)got < peek->size) {
    virt_error_set (error, VIR_ERR_INVALID_ARG,
                    "'%s' starting from %" G_GUINT64_FORMAT " has only %" G_GSSIZE_FORMAT " bytes available",
                    peek->name, peek->offset, got);
    return NULL;
  }
  return g_bytes_new_take (g_steal_pointer (&bytes), peek->size);
}

gpointer
disk_peek_job (G_GNUC_UNUSED Job *job, gpointer data, GError **error)
{
  const DiskPeek *peek = data;
  int fd = named_file_open (peek->path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY, 0);
  GBytes *bytes;

  if (fd < 0) {
    virt_error_set (error, VIR_ERR_SYSTEM_ERROR, "Failed to open file '%s': %s", peek->path,
                    g_strerror (errno));
    return NULL;
  }
  bytes = read_disk (peek, fd, error);
  close (fd);
  return bytes;
}

/* Empty, and QEMU's to write to. -1 with @error. */
static int
make_file (const MemoryPeek *peek, char *path, GError **error)
{
  int fd = g_mkstemp_full (path, O_RDWR | O_CLOEXEC, 0600);
  struct stat directory;

  if (fd >= 0 && stat (peek->directory, &directory) == 0
      && (directory.st_uid == geteuid () || fchown (fd, directory.st_uid, directory.st_gid) == 0))
    return fd;
  virt_error_set (error, VIR_ERR_SYSTEM_ERROR, "failed to create file '%s': %s", path, g_strerror (errno));
  if (fd >= 0)
    close (fd);
  return -1;
}

static GBytes *
read_memory (const MemoryPeek *peek, Job *job, int fd, const char *path, GError **error)
{
  g_autofree guint8 *bytes = g_malloc0 (peek->size + 1);
  g_autoptr (JsonNode) answer = qmp_call (
      peek->qmp, job, peek->physical ? "pmemsave" : "memsave",
      props ("val", "t", peek->offset, "size", "t", (guint64)peek->size, "filename", "s", path, NULL), error);
  gssize got;

  if (answer == NULL)
    return NULL;
  got = read_all (fd, bytes, peek->size, 0);
  if (got != (gssize)peek->size) {
    virt_error_set (error, VIR_ERR_OPERATION_FAILED,
                    "QEMU has written %" G_GSSIZE_FORMAT " bytes of the guest's memory, and not %u", got,
                    peek->size);
    return NULL;
  }
  return g_bytes_new_take (g_steal_pointer (&bytes), peek->size);
}

gpointer
memory_peek_job (Job *job, gpointer data, GError **error)
{
  const MemoryPeek *peek = data;
  g_autofree char *path = g_build_filename (peek->directory, MEMORY_FILE, NULL);
  int fd = make_file (peek, path, error);
  GBytes *bytes;

  if (fd < 0)
    return NULL;
  bytes = read_memory (peek, job, fd, path, error);
  unlink (path);
  close (fd);
  return bytes;
}
