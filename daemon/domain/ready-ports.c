/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Each port by its own connection, all at once; the round is over when the last has been taken or refused. */
#include "daemon/domain/ready-ports.h"

#include "daemon/core/main-loop.h"

#include <gio/gio.h>
#include <string.h>

typedef struct {
  ReadyPorts *ports;
  const PolicyPort *port;
  gboolean open;
  char *problem; /* of the last time; NULL: it was not tried */
} ReadyPort;

struct ReadyPorts {
  GArray *list; /* ReadyPort */
  GCancellable *cancellable;
  guint trying;
  void (*done) (gpointer data);
  gpointer data;
};

static void
ready_port_clear (gpointer data)
{
  g_free (((ReadyPort *)data)->problem);
}

ReadyPorts *
ready_ports_new (const GPtrArray *ports)
{
  ReadyPorts *all = g_new0 (ReadyPorts, 1);

  all->list = g_array_new (FALSE, TRUE, sizeof (ReadyPort));
  g_array_set_clear_func (all->list, ready_port_clear);
  all->cancellable = g_cancellable_new ();
  for (guint i = 0; ports != NULL && i < ports->len; i++) {
    const ReadyPort port = { .ports = all, .port = g_ptr_array_index (ports, i) };

    g_array_append_val (all->list, port);
  }
  return all;
}

void
ready_ports_cancel (ReadyPorts *ports)
{
  g_cancellable_cancel (ports->cancellable);
}

void
ready_ports_free (ReadyPorts *ports)
{
  g_array_unref (ports->list);
  g_object_unref (ports->cancellable);
  g_free (ports);
}

static ReadyPort *
nth (const ReadyPorts *ports, guint index)
{
  return &g_array_index (ports->list, ReadyPort, index);
}

gboolean
ready_ports_want_address (const ReadyPorts *ports)
{
  for (guint i = 0; i < ports->list->len; i++)
    if (!nth (ports, i)->open && nth (ports, i)->port->address == NULL)
      return TRUE;
  return FALSE;
}

/* The last one ends the round, and @ports may go with it. */
static void
one_tried (ReadyPorts *ports)
{
  if (--ports->trying == 0)
    ports->done (ports->data);
}

static void
tried (GObject *client, GAsyncResult *result, gpointer data)
{
  ReadyPort *port = data;
  g_autoptr (GError) error = NULL;
  g_autoptr (GSocketConnection) connection =
      g_socket_client_connect_to_host_finish (G_SOCKET_CLIENT (client), result, &error);

  g_clear_pointer (&port->problem, g_free);
  port->open = connection != NULL;
  if (error != NULL)
    port->problem = g_strdup (error->message);
  one_tried (port->ports);
}

static void
try_one (ReadyPort *port, const char *address)
{
  g_autoptr (GSocketClient) client = g_socket_client_new ();
  g_autofree char *host =
      strchr (address, ':') != NULL ? g_strdup_printf ("[%s]", address) : g_strdup (address);

  g_socket_client_set_enable_proxy (client, FALSE);
  g_socket_client_set_timeout (client, READY_CONNECT_SECONDS);
  port->ports->trying++;
  g_socket_client_connect_to_host_async (client, host, (guint16)port->port->number.value,
                                         port->ports->cancellable, tried, port);
}

void
ready_ports_try (ReadyPorts *ports, const char *address, void (*done) (gpointer data), gpointer data)
{
  MAIN_LOOP_ONLY ();
  ports->done = done;
  ports->data = data;
  ports->trying = 1; /* this one */
  for (guint i = 0; i < ports->list->len; i++) {
    ReadyPort *port = nth (ports, i);
    const char *where = port->port->address != NULL ? port->port->address : address;

    if (!port->open && where != NULL)
      try_one (port, where);
  }
  one_tried (ports);
}

void
ready_ports_add_missing (const ReadyPorts *ports, GString *list)
{
  for (guint i = 0; i < ports->list->len; i++) {
    const ReadyPort *port = nth (ports, i);

    if (port->open)
      continue;
    g_string_append_printf (list, "%sport %u", list->len > 0 ? "; " : "", (guint)port->port->number.value);
    if (port->port->address != NULL)
      g_string_append_printf (list, " at %s", port->port->address);
    g_string_append (list, " takes no connection");
    if (port->problem != NULL)
      g_string_append_printf (list, ": %s", port->problem);
  }
}
