/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A bound socket's name, known again by device and inode. The listening descriptor cannot tell: its own inode
 * is that of the socket, not of the name. The directory is watched rather than looked at from time to time,
 * so that the log says when the place was lost, beside what the other daemon logs.
 */
#include "daemon/rpc/socket-file.h"

#include <gio/gio.h>
#include <sys/stat.h>
#include <unistd.h>

struct SocketFile {
  char *path;
  dev_t device;
  ino_t inode;
  GFileMonitor *monitor; /* NULL: not watched, or the loss has been logged */
};

gboolean
socket_file_is_ours (const SocketFile *file)
{
  struct stat now;

  return lstat (file->path, &now) == 0 && now.st_dev == file->device && now.st_ino == file->inode;
}

static void
changed (GFileMonitor *monitor G_GNUC_UNUSED, GFile *it G_GNUC_UNUSED, GFile *other G_GNUC_UNUSED,
         GFileMonitorEvent event G_GNUC_UNUSED, gpointer data)
{
  SocketFile *file = data;

  if (file->monitor == NULL || socket_file_is_ours (file))
    return;
  g_warning ("socket '%s' was removed or replaced by another program: new clients that look there no longer "
             "reach domaind; it listens there again after a restart, when the place is free",
             file->path);
  g_clear_object (&file->monitor);
}

SocketFile *
socket_file_new (const char *path)
{
  g_autoptr (GFile) place = g_file_new_for_path (path);
  SocketFile *file;
  struct stat bound;

  if (lstat (path, &bound) < 0)
    return NULL;
  file = g_new0 (SocketFile, 1);
  file->path = g_strdup (path);
  file->device = bound.st_dev;
  file->inode = bound.st_ino;
  file->monitor = g_file_monitor_file (place, G_FILE_MONITOR_NONE, NULL, NULL);
  if (file->monitor != NULL)
    g_signal_connect (file->monitor, "changed", G_CALLBACK (changed), file);
  return file;
}

void
socket_file_free (SocketFile *file)
{
  if (file == NULL)
    return;
  if (file->monitor != NULL)
    g_signal_handlers_disconnect_by_data (file->monitor, file);
  g_clear_object (&file->monitor);
  if (socket_file_is_ours (file))
    unlink (file->path);
  g_free (file->path);
  g_free (file);
}
