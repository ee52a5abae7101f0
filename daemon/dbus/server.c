/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * The connection to the bus, and the names on it. A bus may not be there yet, may be restarted, and may give
 * our names to somebody else first: none of that is the daemon's end. It tries again, with longer and longer
 * waits, and queues for its names.
 */
#include "daemon/dbus/server.h"

#include "daemon/dbus/private.h"

#include <unistd.h>

#define RETRY_SECONDS_FIRST 1
#define RETRY_SECONDS_MAX   60

static void connect_to_bus (DbusServer *server);

static void
tell_ready (DbusServer *server)
{
  void (*ready) (gpointer data) = server->ready;

  server->ready = NULL;
  if (ready != NULL)
    ready (server->ready_data);
}

static const char *
bus_name (const DbusServer *server)
{
  return server->manager->settings->session ? "session" : "system";
}

/* Where the bus is. Not GIO's search, which would start a session bus of its own where there is none. */
static char *
bus_address (const DbusServer *server)
{
  gboolean session = server->manager->settings->session;
  const char *given = g_getenv (session ? "DBUS_SESSION_BUS_ADDRESS" : "DBUS_SYSTEM_BUS_ADDRESS");
  g_autofree char *path = NULL, *escaped = NULL;

  if (given != NULL && *given != '\0')
    return g_strdup (given);
  path = session ? g_build_filename (g_get_user_runtime_dir (), "bus", NULL)
                 : g_strdup ("/run/dbus/system_bus_socket");
  escaped = g_dbus_address_escape_value (path);
  return g_strconcat ("unix:path=", escaped, NULL);
}

static gboolean
try_again (gpointer data)
{
  DbusServer *server = data;

  server->retry = 0;
  connect_to_bus (server);
  return G_SOURCE_REMOVE;
}

static void
plan_retry (DbusServer *server, const char *why)
{
  g_log (G_LOG_DOMAIN, server->retry_seconds == RETRY_SECONDS_FIRST ? G_LOG_LEVEL_MESSAGE : G_LOG_LEVEL_DEBUG,
         "no %s bus: %s; trying again in %u s", bus_name (server), why, server->retry_seconds);
  server->retry = g_timeout_add_seconds (server->retry_seconds, try_again, server);
  server->retry_seconds = MIN (server->retry_seconds * 2, RETRY_SECONDS_MAX);
  tell_ready (server);
}

/* Whoever looks for us by name can find us, or cannot and will not: what has waited for that is sent. */
static void
name_settled (DbusServer *server)
{
  server->named = TRUE;
  dbus_release_held (server, TRUE);
  tell_ready (server);
}

static void
name_acquired (GDBusConnection *connection G_GNUC_UNUSED, const char *name, gpointer data)
{
  DbusServer *server = data;

  g_message ("%s on the %s bus", name, bus_name (server));
  name_settled (server);
}

static void
name_lost (GDBusConnection *connection, const char *name, gpointer data)
{
  DbusServer *server = data;

  if (connection == NULL || g_dbus_connection_is_closed (connection))
    return; /* told by closed */
  g_warning ("%s on the %s bus belongs to another program, or the bus does not let this user own it; "
             "its clients are served here once it is free",
             name, bus_name (server));
  name_settled (server);
}

static void
disconnect_from_bus (DbusServer *server)
{
  server->named = FALSE;
  g_cancellable_cancel (server->asking);
  g_clear_object (&server->asking);
  g_hash_table_remove_all (server->identities);
  for (guint i = 0; i < G_N_ELEMENTS (server->names); i++)
    g_clear_handle_id (&server->names[i], g_bus_unown_name);
  if (server->connection != NULL) {
    g_signal_handlers_disconnect_by_data (server->connection, server);
    dbus_objects_unregister (server);
    g_clear_object (&server->connection);
  }
}

static void
closed (GDBusConnection *connection G_GNUC_UNUSED, gboolean remote_peer_vanished G_GNUC_UNUSED, GError *error,
        gpointer data)
{
  DbusServer *server = data;

  disconnect_from_bus (server);
  plan_retry (server, error != NULL ? error->message : "it closed the connection");
}

/* A bus that was running before the group libvirt was made has dropped the rules for the group, and tells its
 * members that they may not; when it reads its configuration again it knows them. */
static void
refresh_rules (const DbusServer *server)
{
  if (!server->manager->settings->session && geteuid () == 0)
    g_dbus_connection_call (server->connection, "org.freedesktop.DBus", "/org/freedesktop/DBus",
                            "org.freedesktop.DBus", "ReloadConfig", NULL, NULL, G_DBUS_CALL_FLAGS_NONE, -1,
                            NULL, NULL, NULL);
}

static void
connected (GObject *source G_GNUC_UNUSED, GAsyncResult *result, gpointer data)
{
  g_autoptr (GError) error = NULL;
  GDBusConnection *connection = g_dbus_connection_new_for_address_finish (result, &error);
  DbusServer *server = data;

  if (g_error_matches (error, G_IO_ERROR, G_IO_ERROR_CANCELLED))
    return; /* the server is gone */
  g_clear_object (&server->connecting);
  if (connection == NULL) {
    plan_retry (server, error->message);
    return;
  }

  server->connection = connection;
  server->asking = g_cancellable_new ();
  server->retry_seconds = RETRY_SECONDS_FIRST;
  refresh_rules (server);
  g_signal_connect (connection, "closed", G_CALLBACK (closed), server);
  dbus_announce_all (server);
  if (!dbus_objects_register (server, &error)) {
    disconnect_from_bus (server);
    plan_retry (server, error->message);
    return;
  }
  server->names[0] = g_bus_own_name_on_connection (connection, DBUS_OWN_NAME, G_BUS_NAME_OWNER_FLAGS_NONE,
                                                   NULL, name_lost, server, NULL);
  server->names[1] = g_bus_own_name_on_connection (connection, DBUS_NAME, G_BUS_NAME_OWNER_FLAGS_NONE,
                                                   name_acquired, name_lost, server, NULL);
}

static void
connect_to_bus (DbusServer *server)
{
  g_autofree char *address = bus_address (server);

  server->connecting = g_cancellable_new ();
  g_dbus_connection_new_for_address (
      address, G_DBUS_CONNECTION_FLAGS_AUTHENTICATION_CLIENT | G_DBUS_CONNECTION_FLAGS_MESSAGE_BUS_CONNECTION,
      NULL, server->connecting, connected, server);
}

static void
unwatch (gpointer number)
{
  g_bus_unwatch_name (GPOINTER_TO_UINT (number));
}

DbusServer *
dbus_server_new (Manager *manager, void (*ready) (gpointer data), gpointer data)
{
  DbusServer *server = g_new0 (DbusServer, 1);

  server->manager = manager;
  server->ready = ready;
  server->ready_data = data;
  server->retry_seconds = RETRY_SECONDS_FIRST;
  server->clients = g_hash_table_new (g_str_hash, g_str_equal);
  server->identities = dbus_identities_new ();
  server->watched = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, unwatch);
  server->announced = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, dbus_announced_free);
  server->subtrees = g_array_new (FALSE, FALSE, sizeof (guint));
  server->events = events_subscribe (manager->events, dbus_signals_event, server);
  connect_to_bus (server);
  return server;
}

void
dbus_server_free (DbusServer *server)
{
  if (server == NULL)
    return;
  events_unsubscribe (server->manager->events, server->events);
  if (server->connecting != NULL)
    g_cancellable_cancel (server->connecting);
  g_clear_object (&server->connecting);
  g_clear_handle_id (&server->retry, g_source_remove);
  g_clear_handle_id (&server->announcing, g_source_remove);
  if (server->connection != NULL)
    g_dbus_connection_flush_sync (server->connection, NULL, NULL);
  disconnect_from_bus (server);
  dbus_release_held (server, FALSE);
  dbus_clients_detach (server);
  g_hash_table_unref (server->clients);
  g_hash_table_unref (server->identities);
  g_hash_table_unref (server->announced);
  g_hash_table_unref (server->watched);
  g_clear_pointer (&server->changed, g_hash_table_unref);
  g_array_unref (server->subtrees);
  g_free (server);
}
