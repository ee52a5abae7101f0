/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Values of the kernel. They belong to the host and its other programs as well, so each is read first and
 * written only when it has to change: a container whose /proc/sys is not to be written to, and whose values
 * are already right, loses nothing.
 */
#include "daemon/host/sysctl.h"

#include "daemon/core/file.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#define SYSCTL_DIRECTORY "/proc/sys"

/* A link's name is one part of the path, and no part may lead elsewhere. */
static char *
sysctl_path (const char *name)
{
  if (name[0] == '/' || strstr (name, "..") != NULL)
    return NULL;
  return g_build_filename (SYSCTL_DIRECTORY, name, NULL);
}

char *
sysctl_get (const char *name)
{
  g_autofree char *path = sysctl_path (name);
  int fd = path != NULL ? open (path, O_RDONLY | O_CLOEXEC) : -1;
  char text[SYSCTL_MAX_VALUE] = "";
  ssize_t got;

  if (fd < 0)
    return NULL;
  got = read (fd, text, sizeof text - 1);
  close (fd);
  return got > 0 ? g_strdup (g_strchomp (text)) : NULL;
}

gboolean
sysctl_set (const char *name, const char *value, gboolean *ret_changed, GError **error)
{
  g_autofree char *path = sysctl_path (name), *present = sysctl_get (name);
  gboolean written = FALSE;
  int fd;

  if (ret_changed != NULL)
    *ret_changed = FALSE;
  if (g_strcmp0 (present, value) == 0)
    return TRUE;
  fd = path != NULL ? open (path, O_WRONLY | O_CLOEXEC) : -1;
  if (fd >= 0)
    written = write (fd, value, strlen (value)) == (ssize_t)strlen (value);
  if (!written)
    virt_error_set (error, VIR_ERR_SYSTEM_ERROR, "cannot write '%s' to %s: %s", value,
                    path != NULL ? path : name, g_strerror (path != NULL ? errno : EINVAL));
  if (fd >= 0)
    close (fd);
  if (written && ret_changed != NULL)
    *ret_changed = TRUE;
  return written;
}
