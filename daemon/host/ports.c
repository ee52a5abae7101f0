/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Free ports are found by binding to them, as the kernel alone knows. */
#include "daemon/host/ports.h"

#include <gio/gio.h>
#include <sys/socket.h>
#include <unistd.h>

static GMutex lock;
static GHashTable *taken; /* port numbers */

static gboolean
can_bind (GSocketAddress *address, GError **error)
{
  g_autoptr (GSocket) socket = g_socket_new (g_socket_address_get_family (address), G_SOCKET_TYPE_STREAM,
                                             G_SOCKET_PROTOCOL_TCP, error);

  /* With the address reusable, as QEMU does: a port in TIME_WAIT is free. */
  return socket != NULL && g_socket_bind (socket, address, TRUE, error) && g_socket_listen (socket, error);
}

/* A host's name is QEMU's to resolve: a port that is free on every address is free on its own. */
static GSocketAddress *
place_of (const char *address, guint port)
{
  GSocketAddress *place = address != NULL ? g_inet_socket_address_new_from_string (address, port) : NULL;

  return place != NULL ? place : g_inet_socket_address_new_from_string ("0.0.0.0", port);
}

guint
ports_take (const char *address, guint first, GError **error)
{
  guint found = 0;

  g_mutex_lock (&lock);
  if (taken == NULL)
    taken = g_hash_table_new (NULL, NULL);
  for (guint port = first; port <= PORTS_LAST && found == 0; port++) {
    if (g_hash_table_contains (taken, GUINT_TO_POINTER (port)))
      continue;
    g_autoptr (GSocketAddress) place = place_of (address, port);

    if (can_bind (place, NULL))
      found = port;
  }
  if (found != 0)
    g_hash_table_add (taken, GUINT_TO_POINTER (found));
  g_mutex_unlock (&lock);

  if (found == 0)
    virt_error_set (error, VIR_ERR_OPERATION_FAILED,
                    "no port from %u on can be had on the address '%s' for a display", first,
                    address != NULL ? address : "any address");
  return found;
}

void
ports_release (guint port)
{
  g_mutex_lock (&lock);
  if (taken != NULL)
    g_hash_table_remove (taken, GUINT_TO_POINTER (port));
  g_mutex_unlock (&lock);
}

gboolean
ports_can_listen (const char *address, guint port, char **ret_problem)
{
  g_autoptr (GSocketAddress) place = place_of (address, port);
  g_autoptr (GError) error = NULL;

  if (can_bind (place, &error))
    return TRUE;
  *ret_problem = g_strdup (error->message);
  return FALSE;
}
