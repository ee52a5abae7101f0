/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Names of sockets hold 107 characters; directories may be longer, so both ends go through a descriptor of
 * theirs. */
#include "daemon/drivers/qemu/monitor-socket.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#define MONITOR_BACKLOG 4 /* QEMU takes one at a time; a new daemon may come before it saw the old one go */

static int
fail (const char *run_directory, int directory, int fd, GError **error)
{
  int number = errno;

  virt_error_set (error, VIR_ERR_SYSTEM_ERROR, "cannot use the monitor socket in '%s': %s", run_directory,
                  g_strerror (number));
  if (fd >= 0)
    close (fd);
  if (directory >= 0)
    close (directory);
  errno = number;
  return -1;
}

/* The socket, its address by way of @ret_directory. */
static int
open_socket (const char *run_directory, int *ret_directory, struct sockaddr_un *ret_address)
{
  memset (ret_address, 0, sizeof *ret_address);
  ret_address->sun_family = AF_UNIX;
  *ret_directory = open (run_directory, O_PATH | O_DIRECTORY | O_CLOEXEC);
  if (*ret_directory < 0)
    return -1;
  g_snprintf (ret_address->sun_path, sizeof ret_address->sun_path, "/proc/self/fd/%d/" MONITOR_SOCKET,
              *ret_directory);
  return socket (AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
}

int
monitor_socket_listen (const char *run_directory, GError **error)
{
  struct sockaddr_un address;
  int directory = -1;
  int fd = open_socket (run_directory, &directory, &address);

  if (fd < 0)
    return fail (run_directory, directory, fd, error);
  unlinkat (directory, MONITOR_SOCKET, 0);
  /* Nobody can connect before it listens, and then only the daemon's account. */
  if (bind (fd, (struct sockaddr *)&address, sizeof address) != 0 || chmod (address.sun_path, 0600) != 0
      || listen (fd, MONITOR_BACKLOG) != 0)
    return fail (run_directory, directory, fd, error);
  close (directory);
  return fd;
}

int
monitor_socket_connect (const char *run_directory, GError **error)
{
  struct sockaddr_un address;
  int directory = -1;
  int fd = open_socket (run_directory, &directory, &address);

  /* Not blocking: a queue that is full because QEMU accepts nothing is an error, not a wait. */
  if (fd < 0 || fcntl (fd, F_SETFL, O_NONBLOCK) != 0
      || connect (fd, (struct sockaddr *)&address, sizeof address) != 0)
    return fail (run_directory, directory, fd, error);
  close (directory);
  return fd;
}

gboolean
monitor_socket_is_held (const char *run_directory)
{
  g_autoptr (GError) error = NULL;
  int fd = monitor_socket_connect (run_directory, &error);
  gboolean held = fd >= 0 || errno == EAGAIN; /* or its queue is full */

  if (fd >= 0)
    close (fd);
  return held;
}
