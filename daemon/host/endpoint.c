/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * A name is only a way to an object, and the object is what is checked: it is opened without following links
 * and beneath the directory where it has to be, and then asked whose it is. A pty is QEMU's when QEMU holds
 * its master, which the kernel tells by the pty's number; a socket is, when QEMU is who listens on it. In a
 * session everything has one owner, so that owners and modes would say nothing.
 */
#include "daemon/host/endpoint.h"

#include "base/scalars.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/un.h>
#include <unistd.h>

#define PTS_DIRECTORY   "/dev/pts"
#define PTS_MAJOR       136 /* UNIX98_PTY_SLAVE_MAJOR of <linux/major.h>; the minor is the pty's number */
#define PTS_NUMBER_MAX  G_MAXINT
#define DESCRIPTORS_MAX 16384 /* of QEMU's that are looked at for the master of a pty */
#define FDINFO_MAX      4096  /* bytes of /proc/PID/fdinfo/N that are read */
#define TTY_INDEX       "tty-index:"

gboolean
endpoint_is_pty_path (const char *path)
{
  guint64 number;

  return g_str_has_prefix (path, PTS_DIRECTORY "/")
         && parse_uint (path + strlen (PTS_DIRECTORY "/"), PTS_NUMBER_MAX, &number);
}

static int
open_beneath (const char *directory, const char *name, guint64 flags)
{
  struct open_how how = { .flags = flags, .resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS };
  int parent = open (directory, O_PATH | O_DIRECTORY | O_CLOEXEC);
  int fd = parent >= 0 ? (int)syscall (SYS_openat2, parent, name, &how, sizeof how) : -1;
  int problem = errno;

  if (parent >= 0)
    close (parent);
  errno = problem;
  return fd;
}

/* Of which pty descriptor @name of a process is the master; -1: of none. */
static gint64
master_number (int fdinfo, const char *name)
{
  char text[FDINFO_MAX];
  int fd = openat (fdinfo, name, O_RDONLY | O_CLOEXEC);
  ssize_t length = fd >= 0 ? read (fd, text, sizeof text - 1) : -1;
  const char *found;

  if (fd >= 0)
    close (fd);
  if (length <= 0)
    return -1;
  text[length] = '\0';
  found = strstr (text, TTY_INDEX);
  return found != NULL ? g_ascii_strtoll (found + strlen (TTY_INDEX), NULL, 10) : -1;
}

/* Only masters have the line: see Documentation/filesystems/proc.rst. */
static gboolean
holds_master (pid_t owner, gint64 number)
{
  g_autofree char *path = g_strdup_printf ("/proc/%d/fdinfo", owner);
  DIR *directory = opendir (path);
  gboolean found = FALSE;
  const struct dirent *entry;

  for (guint i = 0;
       directory != NULL && !found && i < DESCRIPTORS_MAX && (entry = readdir (directory)) != NULL; i++)
    found = g_ascii_isdigit (entry->d_name[0]) && master_number (dirfd (directory), entry->d_name) == number;
  if (directory != NULL)
    closedir (directory);
  return found;
}

/* The pty cannot become another's while it is open: it is looked at through its descriptor. */
static gboolean
is_pty_of (int fd, pid_t owner)
{
  struct stat status;

  return fstat (fd, &status) == 0 && S_ISCHR (status.st_mode) && major (status.st_rdev) == PTS_MAJOR
         && holds_master (owner, minor (status.st_rdev));
}

int
endpoint_open_pty (const char *path, pid_t owner, GError **error)
{
  int fd;

  if (!endpoint_is_pty_path (path)) {
    virt_error_set (error, VIR_ERR_OPERATION_FAILED, "'%s' is no pseudo terminal (" PTS_DIRECTORY "/N)",
                    path);
    return -1;
  }
  fd = open_beneath (PTS_DIRECTORY, path + strlen (PTS_DIRECTORY "/"),
                     O_RDWR | O_NOCTTY | O_NONBLOCK | O_CLOEXEC);
  if (fd < 0) {
    virt_error_set (error, VIR_ERR_SYSTEM_ERROR, "cannot open %s: %s", path, g_strerror (errno));
    return -1;
  }
  if (is_pty_of (fd, owner))
    return fd;
  virt_error_set (error, VIR_ERR_OPERATION_FAILED, "%s is no pseudo terminal of the domain's QEMU", path);
  close (fd);
  return -1;
}

/* The socket itself, not what is behind it. */
static int
open_name (const char *path, gboolean follow)
{
  g_autofree char *directory = g_path_get_dirname (path), *name = g_path_get_basename (path);
  struct stat status;
  int fd = follow ? open (path, O_PATH | O_CLOEXEC)
                  : open_beneath (directory, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);

  if (fd >= 0 && fstat (fd, &status) == 0 && S_ISSOCK (status.st_mode))
    return fd;
  if (fd >= 0) {
    close (fd);
    errno = ENOTSOCK;
  }
  return -1;
}

static gboolean
is_listened_by (int fd, pid_t owner)
{
  struct ucred peer;
  socklen_t length = sizeof peer;

  return getsockopt (fd, SOL_SOCKET, SO_PEERCRED, &peer, &length) == 0 && peer.pid == owner;
}

/* A socket whose connect waits as long as that; it does not block in anything else. */
static gboolean
connect_within (int fd, const struct sockaddr_un *address, guint patience)
{
  const struct timeval time = { .tv_sec = (time_t)patience };

  if (patience > 0
      && (setsockopt (fd, SOL_SOCKET, SO_SNDTIMEO, &time, sizeof time) < 0 || fcntl (fd, F_SETFL, 0) < 0))
    return FALSE;
  return connect (fd, (const struct sockaddr *)address, sizeof *address) == 0
         && fcntl (fd, F_SETFL, O_NONBLOCK) == 0;
}

int
endpoint_connect (const char *path, pid_t owner, guint patience, GError **error)
{
  struct sockaddr_un address = { .sun_family = AF_UNIX };
  int name = open_name (path, owner == 0);
  int fd = name >= 0 ? socket (AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0) : -1;
  int problem;

  g_snprintf (address.sun_path, sizeof address.sun_path, "/proc/self/fd/%d", name);
  if (fd >= 0 && connect_within (fd, &address, patience) && (owner == 0 || is_listened_by (fd, owner))) {
    close (name);
    return fd;
  }
  problem = errno != 0 ? errno : EPERM;
  if (problem == EAGAIN)
    virt_error_set (error, VIR_ERR_OPERATION_FAILED,
                    "cannot connect to %s: QEMU has not taken the connections that were made to it before",
                    path);
  else
    virt_error_set (error, VIR_ERR_SYSTEM_ERROR, "cannot connect to %s: %s", path, g_strerror (problem));
  if (fd >= 0)
    close (fd);
  if (name >= 0)
    close (name);
  errno = problem;
  return -1;
}
