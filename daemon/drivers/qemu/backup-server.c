/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Where clients of a backup's NBD server connect. The daemon listens, as QEMU's account may have no right to
 * the directory or the port, and QEMU accepts.
 */
#include "daemon/drivers/qemu/backup-server.h"

#include "base/virt-error.h"

#include <errno.h>
#include <netdb.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#define BACKLOG     16
#define SOCKET_MODE 0600

static int
listen_unix (const char *path, uid_t owner, GError **error)
{
  struct sockaddr_un address = { .sun_family = AF_UNIX };
  gboolean bound = FALSE;
  int fd;

  if (strlen (path) >= sizeof address.sun_path) {
    virt_error_set (error, VIR_ERR_XML_ERROR, "the path of a socket has at most %u bytes, and '%s' has %zu",
                    (guint)sizeof address.sun_path - 1, path, strlen (path));
    return -1;
  }
  memcpy (address.sun_path, path, strlen (path));
  fd = socket (AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (fd >= 0 && (bound = bind (fd, (const struct sockaddr *)&address, sizeof address) == 0)
      && chmod (path, SOCKET_MODE) == 0 && (geteuid () != 0 || lchown (path, owner, (gid_t)-1) == 0)
      && listen (fd, BACKLOG) == 0)
    return fd;
  virt_error_set (error, VIR_ERR_SYSTEM_ERROR, "Unable to bind to UNIX socket path '%s': %s", path,
                  g_strerror (errno));
  if (bound)
    unlink (path);
  if (fd >= 0)
    close (fd);
  return -1;
}

static int
listen_at (const struct addrinfo *address)
{
  int fd = socket (address->ai_family, SOCK_STREAM | SOCK_CLOEXEC, address->ai_protocol);
  const int yes = 1;

  if (fd >= 0 && setsockopt (fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes) == 0
      && bind (fd, address->ai_addr, address->ai_addrlen) == 0 && listen (fd, BACKLOG) == 0)
    return fd;
  if (fd >= 0) {
    int problem = errno;

    close (fd);
    errno = problem;
  }
  return -1;
}

static int
listen_tcp (const char *name, guint port, GError **error)
{
  const struct addrinfo hints = { .ai_socktype = SOCK_STREAM, .ai_flags = AI_PASSIVE | AI_NUMERICSERV };
  g_autofree char *service = g_strdup_printf ("%u", port);
  struct addrinfo *found = NULL;
  int problem = getaddrinfo (name, service, &hints, &found);
  int fd = -1;

  if (problem != 0) {
    virt_error_set (error, VIR_ERR_SYSTEM_ERROR, "Unable to resolve address '%s' service '%s': %s", name,
                    service, gai_strerror (problem));
    return -1;
  }
  for (const struct addrinfo *address = found; address != NULL && fd < 0; address = address->ai_next)
    fd = listen_at (address);
  problem = errno;
  freeaddrinfo (found);
  if (fd < 0)
    virt_error_set (error, VIR_ERR_SYSTEM_ERROR, "Unable to bind to port %u of '%s': %s", port, name,
                    g_strerror (problem));
  return fd;
}

int
backup_server_listen (const BackupServer *server, uid_t owner, GError **error)
{
  return server->transport == BACKUP_TRANSPORT_UNIX
             ? listen_unix (server->socket, owner, error)
             : listen_tcp (server->name, (guint)server->port.value, error);
}
