/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Control groups, plainly: a directory, and the process's number written into it. */
#include "daemon/host/cgroup.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define SYSTEMD_RUNS "/run/systemd/system"

/* Where the version 2 hierarchy is mounted; NULL when it is not. (transfer full) */
static char *
find_hierarchy (void)
{
  g_autofree char *text = NULL;

  if (!g_file_get_contents ("/proc/self/mountinfo", &text, NULL, NULL))
    return NULL;
  g_auto (GStrv) lines = g_strsplit (text, "\n", -1);
  for (guint i = 0; lines[i] != NULL; i++) {
    /* "36 35 98:0 ROOT MOUNTPOINT OPTIONS ... - TYPE SOURCE OPTIONS" */
    const char *type = strstr (lines[i], " - ");
    if (type == NULL || !g_str_has_prefix (type, " - cgroup2 "))
      continue;
    g_auto (GStrv) words = g_strsplit (lines[i], " ", 6);
    if (g_strv_length (words) >= 5)
      return g_strdup (words[4]);
  }
  return NULL;
}

static char *
group_path (const char *uuid)
{
  /* The hierarchy of a host with systemd has one writer, and that is systemd: see scope.h. */
  g_autofree char *hierarchy = access (SYSTEMD_RUNS, F_OK) != 0 ? find_hierarchy () : NULL;

  return hierarchy != NULL ? g_build_filename (hierarchy, "domaind", uuid, NULL) : NULL;
}

void
cgroup_enter (const char *uuid, GPid pid)
{
  g_autofree char *path = group_path (uuid);
  char number[32];

  if (path == NULL || g_mkdir_with_parents (path, 0755) != 0)
    return;
  g_autofree char *processes = g_build_filename (path, "cgroup.procs", NULL);
  int fd = open (processes, O_WRONLY | O_CLOEXEC);
  if (fd < 0)
    return;
  int length = g_snprintf (number, sizeof number, "%d", pid);
  if (write (fd, number, (gsize)length) != length)
    g_debug ("machine %s has no control group of its own: %s", uuid, g_strerror (errno));
  close (fd);
}

void
cgroup_remove (const char *uuid)
{
  g_autofree char *path = group_path (uuid);

  if (path != NULL)
    rmdir (path);
}
