/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Clients on the bus and their calls of operations.
 *
 * A client is known only while it has calls in flight: the bus's policy has decided who may call at all, so
 * there is nothing to remember between calls, and nothing to clean up when one leaves without a word, unless
 * it has started a machine that is to end with it: then its name is watched. Meanwhile it has a place in its
 * user's account, which the bytes of its calls are charged to, and a user's connections to the bus share
 * their turns as well.
 */
#include "daemon/dbus/codec.h"
#include "daemon/dbus/private.h"
#include "daemon/domain/auto-destroy.h"

struct DbusClient {
  Client client;
  DbusServer *server; /* NULL once it is gone */
  ClientAccount *account;
  gsize charged; /* bytes of it to the account */
  guint calls;   /* in flight; 0 frees it */
};

static void
client_free (DbusClient *client)
{
  client_account_charge (client->account, &client->charged, 0);
  client_account_leave (client->account);
  g_free (client->client.who);
  g_free (client);
}

/* The bus's end is the end of all names on it. */
static void
name_vanished (GDBusConnection *connection G_GNUC_UNUSED, const char *name, gpointer data)
{
  DbusServer *server = data;
  g_autofree char *id = g_strdup (name);

  g_hash_table_remove (server->watched, name);
  auto_destroy_client_ended (server->manager, id);
}

static void
watch (Client *client)
{
  DbusServer *server = ((DbusClient *)client)->server;
  guint number;

  if (server == NULL || server->connection == NULL || g_hash_table_contains (server->watched, client->id))
    return;
  number = g_bus_watch_name_on_connection (server->connection, client->id, G_BUS_NAME_WATCHER_FLAGS_NONE,
                                           NULL, name_vanished, server, NULL);
  g_hash_table_insert (server->watched, g_strdup (client->id), GUINT_TO_POINTER (number));
}

static DbusClient *
client_new (DbusServer *server, const char *sender, uid_t uid, ClientAccount *account)
{
  DbusClient *client = g_new0 (DbusClient, 1);

  client->client = (Client){ .uid = uid, .pid = -1, .who = g_strdup (sender), .watch = watch };
  client->client.id = client->client.who;
  client->server = server;
  client->account = account;
  g_hash_table_insert (server->clients, client->client.who, client);
  return client;
}

DbusClient *
dbus_client_begin (DbusServer *server, const char *sender, uid_t uid, GError **error)
{
  DbusClient *client = g_hash_table_lookup (server->clients, sender);
  guint most = server->manager->settings->max_client_requests;

  if (client != NULL && client->calls >= most) {
    g_set_error (error, G_DBUS_ERROR, G_DBUS_ERROR_LIMITS_EXCEEDED,
                 "%u calls of this client wait for their answers: no more until one has it", most);
    return NULL;
  }
  if (client == NULL) {
    ClientAccount *account = client_accounts_enter (server->manager->accounts, uid, FALSE);

    if (account == NULL) {
      g_set_error (error, G_DBUS_ERROR, G_DBUS_ERROR_LIMITS_EXCEEDED,
                   "no place for another client of user %u: no more until one has its answers", (guint)uid);
      return NULL;
    }
    client = client_new (server, sender, uid, account);
  }
  client->calls++;
  return client;
}

void
dbus_client_end (DbusClient *client)
{
  if (--client->calls > 0)
    return;
  if (client->server != NULL)
    g_hash_table_remove (client->server->clients, client->client.who);
  client_free (client);
}

DbusServer *
dbus_client_server (const DbusClient *client)
{
  return client->server;
}

void
dbus_clients_detach (DbusServer *server)
{
  GHashTableIter clients;
  gpointer client;

  g_hash_table_iter_init (&clients, server->clients);
  while (g_hash_table_iter_next (&clients, NULL, &client))
    ((DbusClient *)client)->server = NULL;
}

/* A call's wire half. */
typedef struct {
  DbusClient *client;
  gsize bytes; /* charged to the client's account */
  GVariantType *out;
  DbusAnswered answered;
  gpointer data;
} DbusCall;

static void
dbus_call_free (gpointer data)
{
  DbusCall *half = data;

  g_variant_type_free (half->out);
  g_free (half);
}

static void
respond (Call *call, GVariant *answer, const GError *error)
{
  DbusCall *half = call->wire_data;
  g_autoptr (GError) mistake = NULL;
  g_autoptr (GVariant) converted = NULL;

  client_account_charge (half->client->account, &half->client->charged, half->client->charged - half->bytes);
  if (answer != NULL)
    converted = dbus_codec_answer (call->operation, answer, half->out, &mistake);
  half->answered (converted, call->descriptors,
                  converted != NULL ? NULL
                  : error != NULL   ? error
                                    : mistake,
                  half->data);
}

void
dbus_call (DbusClient *client, const Operation *operation, const DbusObject *object, GVariant *parameters,
           GUnixFDList *files, const GVariantType *out, DbusAnswered answered, gpointer data)
{
  g_autoptr (GVariant) value = NULL;
  g_autoptr (GError) error = NULL;
  GVariant *arguments;
  gsize bytes;
  DbusCall *half;
  Call *call;

  if (object != NULL
      && (value = manager_find_handle (client->server->manager, object->kind, object->key, &error)) == NULL) {
    answered (NULL, NULL, error, data);
    return;
  }
  arguments = dbus_codec_arguments (operation, value, parameters, &error);
  if (arguments == NULL) {
    answered (NULL, NULL, error, data);
    return;
  }

  bytes = g_variant_get_size (arguments);
  if (!client_account_charge (client->account, &client->charged, client->charged + bytes)) {
    client_account_charge (client->account, &client->charged, client->charged - bytes);
    g_variant_unref (arguments);
    g_set_error (&error, G_DBUS_ERROR, G_DBUS_ERROR_LIMITS_EXCEEDED,
                 "the calls of user %u that wait have more than its share of memory",
                 (guint)client->client.uid);
    answered (NULL, NULL, error, data);
    return;
  }
  half = g_new0 (DbusCall, 1);
  *half = (DbusCall){ client, bytes, g_variant_type_copy (out), answered, data };
  call = g_new0 (Call, 1);
  call->operation = operation;
  call->manager = client->server->manager;
  call->client = &client->client;
  call->arguments = arguments;
  call->files = files != NULL ? g_object_ref (files) : NULL;
  call->respond = respond;
  call->wire_data = half;
  call->wire_free = dbus_call_free;
  operation_dispatch (call);
}
