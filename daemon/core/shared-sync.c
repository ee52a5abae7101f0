/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * A thousand definitions are four thousand files and directories, and a disk syncs some hundreds in a second.
 * A file system that is told once to write what it has writes it in one go. The thread's own state says
 * whether syncs are shared, so that whoever writes a file need not know.
 */
#include "daemon/core/shared-sync.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define FILE_SYSTEMS_MAX 16 /* of further ones each file is synced by itself */

typedef struct {
  guint count;
  struct {
    dev_t device;
    int fd;
    gboolean pending;
  } systems[FILE_SYSTEMS_MAX];
} SharedSync;

static void
close_all (gpointer data)
{
  SharedSync *shared = data;

  for (guint i = 0; i < shared->count; i++)
    close (shared->systems[i].fd);
  g_free (shared);
}

static GPrivate current = G_PRIVATE_INIT (close_all);

void
shared_sync_begin (void)
{
  g_private_replace (&current, g_new0 (SharedSync, 1));
}

void
shared_sync_end (void)
{
  g_private_replace (&current, NULL);
}

gboolean
shared_sync_flush (GError **error)
{
  SharedSync *shared = g_private_get (&current);

  for (guint i = 0; i < shared->count; i++) {
    if (shared->systems[i].pending && syncfs (shared->systems[i].fd) < 0) {
      virt_error_set (error, VIR_ERR_SYSTEM_ERROR, "cannot sync the file system of the definitions: %s",
                      g_strerror (errno));
      return FALSE;
    }
    shared->systems[i].pending = FALSE;
  }
  return TRUE;
}

static int
note (SharedSync *shared, int fd, dev_t device)
{
  int copy;

  for (guint i = 0; i < shared->count; i++)
    if (shared->systems[i].device == device) {
      shared->systems[i].pending = TRUE;
      return 0;
    }
  copy = shared->count < FILE_SYSTEMS_MAX ? fcntl (fd, F_DUPFD_CLOEXEC, 3) : -1;
  if (copy < 0)
    return fsync (fd);
  shared->systems[shared->count].device = device;
  shared->systems[shared->count].fd = copy;
  shared->systems[shared->count++].pending = TRUE;
  return 0;
}

int
shared_sync (int fd)
{
  SharedSync *shared = g_private_get (&current);
  struct stat status;

  if (shared == NULL || fstat (fd, &status) < 0)
    return fsync (fd);
  return note (shared, fd, status.st_dev);
}
