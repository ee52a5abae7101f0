/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Whose a sender is. Only the bus knows, and it gives a unique name to one connection and never again: so it
 * is asked once for each, and what it has said stays true as long as the bus does. Those who wait for it are
 * handled in the order in which they came. On a session bus everybody is its user.
 */
#include "daemon/dbus/private.h"

#include <unistd.h>

#define IDENTITIES_MAX 4096 /* known ones that are kept: beyond it all are asked for again */
#define WAITING_MAX    1024 /* calls of one sender */
#define ASK_MS         10000

typedef struct {
  DbusIdentified then;
  GDestroyNotify drop;
  gpointer data;
} Waiting;

typedef struct {
  DbusServer *server;
  char *sender;
  gboolean known;
  uid_t uid;
  GQueue waiting; /* Waiting */
} Identity;

/* Those who wait are told by nobody any more. */
static void
identity_free (gpointer data)
{
  Identity *identity = data;
  Waiting *waiting;

  while ((waiting = g_queue_pop_head (&identity->waiting)) != NULL) {
    waiting->drop (waiting->data);
    g_free (waiting);
  }
  g_free (identity->sender);
  g_free (identity);
}

GHashTable *
dbus_identities_new (void)
{
  return g_hash_table_new_full (g_str_hash, g_str_equal, NULL, identity_free);
}

/* One whose name is gone is nobody's. */
static void
told (GObject *source, GAsyncResult *result, gpointer data)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GVariant) answer = g_dbus_connection_call_finish (G_DBUS_CONNECTION (source), result, &error);
  Identity *identity = data;
  guint32 uid = (guint32)-1;
  Waiting *waiting;

  if (g_error_matches (error, G_IO_ERROR, G_IO_ERROR_CANCELLED))
    return; /* the server has parted from the bus */
  if (answer != NULL)
    g_variant_get (answer, "(u)", &uid);
  identity->known = TRUE;
  identity->uid = (uid_t)uid;
  while ((waiting = g_queue_pop_head (&identity->waiting)) != NULL) {
    waiting->then (identity->uid, waiting->data);
    g_free (waiting);
  }
}

static gboolean
is_known (gpointer sender G_GNUC_UNUSED, gpointer identity, gpointer data G_GNUC_UNUSED)
{
  return ((Identity *)identity)->known;
}

static Identity *
ask (DbusServer *server, const char *sender)
{
  Identity *identity = g_new0 (Identity, 1);

  if (g_hash_table_size (server->identities) >= IDENTITIES_MAX)
    g_hash_table_foreach_remove (server->identities, is_known, NULL);
  identity->server = server;
  identity->sender = g_strdup (sender);
  g_queue_init (&identity->waiting);
  g_hash_table_insert (server->identities, identity->sender, identity);
  g_dbus_connection_call (server->connection, "org.freedesktop.DBus", "/org/freedesktop/DBus",
                          "org.freedesktop.DBus", "GetConnectionUnixUser", g_variant_new ("(s)", sender),
                          G_VARIANT_TYPE ("(u)"), G_DBUS_CALL_FLAGS_NONE, ASK_MS, server->asking, told,
                          identity);
  return identity;
}

void
dbus_identify (DbusServer *server, const char *sender, DbusIdentified then, GDestroyNotify drop,
               gpointer data)
{
  Identity *identity;
  Waiting *waiting;

  if (server->manager->settings->session || *sender == '\0' || server->connection == NULL) {
    then (geteuid (), data);
    return;
  }
  identity = g_hash_table_lookup (server->identities, sender);
  if (identity == NULL)
    identity = ask (server, sender);
  if (identity->known || identity->waiting.length >= WAITING_MAX) {
    then (identity->known ? identity->uid : (uid_t)-1, data);
    return;
  }
  waiting = g_new0 (Waiting, 1);
  *waiting = (Waiting){ then, drop, data };
  g_queue_push_tail (&identity->waiting, waiting);
}
