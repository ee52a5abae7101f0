/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * A file without a name (O_TMPFILE) is the file system's own way to forget what was never finished. It gets a
 * name of its own for the instant between link and rename, as a link cannot take another's place. A block
 * device has no aside: it is written to as it is.
 */
#include "daemon/core/atomic-file.h"

#include "daemon/core/blocking.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define ASIDE_ATTEMPTS 16 /* at a name nobody else has */

static gboolean
cannot_make (const char *path, int problem, GError **error)
{
  virt_error_set (error, VIR_ERR_OPERATION_FAILED, "failed to create file '%s': %s", path,
                  g_strerror (problem));
  return FALSE;
}

/* Where a link leads; what is not there yet has the name it was given. (transfer full) */
static char *
follow_links (const char *path)
{
  char *found = realpath (path, NULL);
  char *target = g_strdup (found != NULL ? found : path);

  free (found);
  return target;
}

/* Without a name where the file system can, and else under another. */
static int
open_temporary (AtomicFile *aside)
{
  g_autofree char *directory = g_path_get_dirname (aside->path);
  int fd = open (directory, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);

  if (fd < 0 && (errno == EOPNOTSUPP || errno == EISDIR)) {
    aside->named = g_strdup_printf ("%s.XXXXXX", aside->path);
    fd = g_mkstemp_full (aside->named, O_RDWR | O_CLOEXEC, 0600);
  }
  return fd;
}

static gpointer
open_now (gpointer path, GError **error)
{
  g_autoptr (AtomicFile) aside = g_new0 (AtomicFile, 1);
  struct stat status = { 0 };
  gboolean exists;

  aside->fd = -1;
  aside->path = follow_links (path);
  exists = stat (aside->path, &status) == 0;
  aside->is_device = exists && S_ISBLK (status.st_mode);
  if (exists && !S_ISREG (status.st_mode) && !aside->is_device) {
    virt_error_set (error, VIR_ERR_OPERATION_INVALID,
                    "'%s' exists and is no regular file and no block device", (const char *)path);
    return NULL;
  }
  aside->fd = aside->is_device ? open (aside->path, O_RDWR | O_CLOEXEC) : open_temporary (aside);
  if (aside->fd < 0) {
    int problem = errno;

    g_clear_pointer (&aside->named, g_free);
    cannot_make (path, problem, error);
    return NULL;
  }
  return g_steal_pointer (&aside);
}

static void
free_opened (gpointer aside)
{
  atomic_file_free (aside);
}

AtomicFile *
atomic_file_open (const char *path, GError **error)
{
  if (g_path_is_absolute (path))
    return blocking_run (open_now, g_strdup (path), g_free, free_opened, error);
  virt_error_set (error, VIR_ERR_INVALID_ARG, "the file's name '%s' must be an absolute path", path);
  return NULL;
}

static gboolean
give_name (AtomicFile *aside)
{
  g_autofree char *self = g_strdup_printf ("/proc/self/fd/%d", aside->fd);

  for (guint i = 0; i < ASIDE_ATTEMPTS; i++) {
    g_autofree char *name = g_strdup_printf ("%s.%08x", aside->path, g_random_int ());

    if (linkat (AT_FDCWD, self, AT_FDCWD, name, AT_SYMLINK_FOLLOW) == 0) {
      aside->named = g_steal_pointer (&name);
      return TRUE;
    }
    if (errno != EEXIST)
      return FALSE;
  }
  return FALSE;
}

gboolean
atomic_file_commit (AtomicFile *aside, GError **error)
{
  g_autofree char *directory = g_path_get_dirname (aside->path);

  if (aside->is_device)
    return fsync (aside->fd) == 0 || cannot_make (aside->path, errno, error);
  if (fsync (aside->fd) != 0 || (aside->named == NULL && !give_name (aside))
      || rename (aside->named, aside->path) != 0)
    return cannot_make (aside->path, errno, error);
  aside->keeps = TRUE;

  int fd = open (directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd >= 0) {
    fsync (fd);
    close (fd);
  }
  return TRUE;
}

void
atomic_file_free (AtomicFile *aside)
{
  if (aside == NULL)
    return;
  if (aside->named != NULL && !aside->keeps)
    unlink (aside->named);
  if (aside->fd >= 0)
    close (aside->fd);
  g_free (aside->named);
  g_free (aside->path);
  g_free (aside);
}
