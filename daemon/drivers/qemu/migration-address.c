/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * The addresses of migrations. The daemon connects where it can and hands QEMU the connected socket: QEMU's
 * account need not reach a socket's place then, and a refused connection is told in words of its own.
 */
#include "daemon/drivers/qemu/migration-address.h"

#include <gio/gunixsocketaddress.h>
#include <glib-unix.h>
#include <string.h>
#include <unistd.h>

#define CONNECT_SECONDS 30 /* until the target's QEMU takes the connection */

void
migration_address_clear (MigrationAddress *address)
{
  g_clear_pointer (&address->host, g_free);
  g_clear_pointer (&address->path, g_free);
}

static gboolean
bad_address (const char *uri, GError **error)
{
  virt_error_set (
      error, VIR_ERR_INVALID_ARG,
      "malformed migration URI '%s': accepted are tcp:HOST:PORT, tcp://HOST:PORT and unix:///PATH", uri);
  return FALSE;
}

/* "HOST", "HOST:PORT", "[HOST]:PORT". */
static gboolean
read_host (const char *text, const char *uri, MigrationAddress *ret, GError **error)
{
  const char *end = *text == '[' ? strchr (text, ']') : NULL;
  const char *colon = strrchr (end != NULL ? end : text, ':');
  guint64 port = 0;

  if (*text == '[' && end == NULL)
    return bad_address (uri, error);
  if (colon != NULL && !g_ascii_string_to_unsigned (colon + 1, 10, 0, G_MAXUINT16, &port, NULL))
    return bad_address (uri, error);
  if (end != NULL)
    ret->host = g_strndup (text + 1, (gsize)(end - text - 1));
  else
    ret->host = colon != NULL ? g_strndup (text, (gsize)(colon - text)) : g_strdup (text);
  ret->port = (guint)port;
  return *ret->host != '\0' || bad_address (uri, error);
}

gboolean
migration_address_parse (const char *uri, MigrationAddress *ret, GError **error)
{
  g_autofree char *text = g_strndup (uri, strcspn (uri, "?"));

  if (g_str_has_prefix (text, "rdma:")) {
    virt_error_set (error, VIR_ERR_ARGUMENT_UNSUPPORTED,
                    "outgoing RDMA migration is not supported: '%s'; accepted are tcp:// and unix://", uri);
    return FALSE;
  }
  if (g_str_has_prefix (text, "tcp:")) {
    const char *rest = text + strlen ("tcp:");
    gsize length = strlen (rest);

    if (g_str_has_prefix (rest, "//"))
      rest += 2;
    length = strlen (rest);
    if (length > 0 && rest[length - 1] == '/')
      text[strlen (text) - 1] = '\0';
    return read_host (rest, uri, ret, error);
  }
  if (g_str_has_prefix (text, "unix:")) {
    const char *path = text + strlen ("unix:");

    while (path[0] == '/' && path[1] == '/')
      path++;
    if (*path != '/')
      return bad_address (uri, error);
    ret->path = g_strdup (path);
    return TRUE;
  }
  return bad_address (uri, error);
}

char *
migration_address_to_qemu (const MigrationAddress *address)
{
  if (address->path != NULL)
    return g_strconcat ("unix:", address->path, NULL);
  return g_strdup_printf (strchr (address->host, ':') != NULL ? "tcp:[%s]:%u" : "tcp:%s:%u", address->host,
                          address->port);
}

char *
migration_address_to_uri (const MigrationAddress *address)
{
  if (address->path != NULL)
    return g_strconcat ("unix://", address->path, NULL);
  return g_strdup_printf (strchr (address->host, ':') != NULL ? "tcp:[%s]:%u" : "tcp:%s:%u", address->host,
                          address->port);
}

int
migration_address_connect (const MigrationAddress *address, GCancellable *cancellable, GError **error)
{
  g_autoptr (GSocketClient) client = g_socket_client_new ();
  g_autoptr (GSocketConnectable) place = NULL;
  g_autoptr (GSocketConnection) connection = NULL;
  g_autoptr (GError) problem = NULL;
  GSocket *socket;
  int fd;

  if (address->path != NULL)
    place = G_SOCKET_CONNECTABLE (g_unix_socket_address_new (address->path));
  else
    place = g_network_address_new (address->host, (guint16)address->port);
  g_socket_client_set_enable_proxy (client, FALSE);
  g_socket_client_set_timeout (client, CONNECT_SECONDS);
  connection = g_socket_client_connect (client, place, cancellable, &problem);
  socket = connection != NULL ? g_socket_connection_get_socket (connection) : NULL;
  fd = socket != NULL ? dup (g_socket_get_fd (socket)) : -1;
  if (fd < 0) {
    g_autofree char *text = migration_address_to_uri (address);

    virt_error_set (error, VIR_ERR_OPERATION_FAILED, "unable to connect to the target's QEMU at '%s': %s",
                    text, problem != NULL ? problem->message : "no descriptor is left");
    return -1;
  }
  g_unix_set_fd_nonblocking (fd, FALSE, NULL);
  return fd;
}
