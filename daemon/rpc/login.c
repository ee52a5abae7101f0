/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * The procedures around a connection: who is it, may it, what does it open, and good-bye. They belong to
 * this wire alone. Authentication is by the socket's own permissions and the peer's credentials; where
 * the settings ask for polkit, polkit decides about everyone but root and the daemon's own user.
 */

#include "daemon/rpc/client.h"
#include "daemon/rpc/polkit.h"
#include "daemon/rpc/server.h"
#include "wire/xdr.h"

#include <string.h>
#include <unistd.h>

enum {
  PROCEDURE_CONNECT_OPEN = 1,
  PROCEDURE_CONNECT_CLOSE = 2,
  PROCEDURE_SUPPORTS_FEATURE = 60,
  PROCEDURE_AUTH_LIST = 66,
  PROCEDURE_AUTH_SASL_INIT = 67,
  PROCEDURE_AUTH_SASL_START = 68,
  PROCEDURE_AUTH_SASL_STEP = 69,
  PROCEDURE_AUTH_POLKIT = 70,
  PROCEDURE_REGISTER_CLOSE_CALLBACK = 360,
  PROCEDURE_UNREGISTER_CLOSE_CALLBACK = 361,
};

enum { AUTH_NONE = 0, AUTH_POLKIT = 2 };
enum { FEATURE_KEEPALIVE = 10 }; /* VIR_DRV_FEATURE_PROGRAM_KEEPALIVE */

static void
reply (RpcClient *client, const RpcHeader *header, const char *shape, GVariant *answer)
{
  g_autoptr (GVariant) value = g_variant_ref_sink (answer);
  g_autoptr (GByteArray) payload = g_byte_array_new ();

  xdr_encode (shape_of (shape), value, payload, NULL);
  rpc_client_reply (client, header, payload, NULL, 0);
}

gboolean
rpc_login_needs_polkit (const RpcClient *client)
{
  return client->server != NULL && rpc_server_uses_polkit (client->server) && client->client.uid != 0
         && client->client.uid != geteuid ();
}

/* One kind is offered, as libvirtd does. */
static void
auth_list (RpcClient *client, const RpcHeader *header)
{
  gint32 kind = rpc_login_needs_polkit (client) ? AUTH_POLKIT : AUTH_NONE;

  reply (client, header, "ai{20}",
         g_variant_new ("(@ai)", g_variant_new_fixed_array (G_VARIANT_TYPE_INT32, &kind, 1, 4)));
}

static gboolean
login_took_too_long (gpointer data)
{
  RpcClient *client = data;

  if (rpc_connection_is_held (client->connection)) /* polkit, and whoever is asked for a password */
    return G_SOURCE_CONTINUE;
  client->login_timer = 0;
  g_info ("client %s has not logged in within %u s: closing", client->client.who,
          client->manager->settings->login_timeout);
  rpc_connection_break (client->connection);
  return G_SOURCE_REMOVE;
}

void
rpc_login_begin (RpcClient *client)
{
  client->login_timer =
      g_timeout_add_seconds (client->manager->settings->login_timeout, login_took_too_long, client);
}

void
rpc_login_done (RpcClient *client)
{
  g_clear_handle_id (&client->login_timer, g_source_remove);
  if (client->awaited)
    client_account_login (client->account);
  client->awaited = FALSE;
}

typedef struct {
  RpcClient *client;
  RpcHeader header;
} PolkitQuestion;

static void
polkit_answered (PolkitAnswer answer, gpointer data)
{
  g_autofree PolkitQuestion *question = data;
  RpcClient *client = question->client;

  if (client->connection != NULL)
    rpc_connection_release (client->connection);
  switch (answer) {
    case POLKIT_ALLOWED:
      client->authenticated = TRUE;
      reply (client, &question->header, "i", g_variant_new ("(i)", 1));
      break;
    case POLKIT_NEEDS_AGENT:
      rpc_client_reply_error_in (
          client, &question->header, VIR_FROM_POLKIT, VIR_ERR_AUTH_UNAVAILABLE,
          "authentication unavailable: no polkit agent available to authenticate action '%s'",
          polkit_action (client->client.read_only));
      break;
    case POLKIT_REFUSED:
      rpc_client_reply_error_in (client, &question->header, VIR_FROM_POLKIT, VIR_ERR_AUTH_FAILED,
                                 "authentication failed: access denied by policy");
      break;
  }
  rpc_client_unref (client);
}

static void
auth_polkit (RpcClient *client, const RpcHeader *header)
{
  PolkitQuestion *question;

  if (!rpc_login_needs_polkit (client)) {
    rpc_client_reply_error_in (client, header, VIR_FROM_RPC, VIR_ERR_AUTH_FAILED,
                               "authentication failed: polkit is not in use");
    return;
  }
  question = g_new0 (PolkitQuestion, 1);
  *question = (PolkitQuestion){ rpc_client_ref (client), *header };
  rpc_connection_hold (client->connection);
  polkit_check (polkit_action (client->client.read_only), client->client.pid, client->client.uid,
                polkit_answered, question);
}

/* The URIs we are: what the other daemon of a pair would answer is said as libvirt says it. Parameters are
 * the client's business: the library keeps those that it knows, and sends the others along. */
static gboolean
check_uri (const RpcClient *client, const char *uri, GError **error)
{
  const char *own = client->manager->settings->session ? "qemu:///session" : "qemu:///system";

  gsize length = uri != NULL ? strcspn (uri, "?#") : 0;

  if (length == 0 || (length == strlen (own) && strncmp (uri, own, length) == 0))
    return TRUE;
  if (g_str_has_prefix (uri, "qemu:///"))
    virt_error_set (error, VIR_ERR_INTERNAL_ERROR, "unexpected QEMU URI path '%.*s', try %s",
                    (int)(length - strlen ("qemu://")), uri + strlen ("qemu://"), own);
  else
    virt_error_set (error, VIR_ERR_NO_CONNECT, "%s", uri);
  return FALSE;
}

/* Of the flags only VIR_CONNECT_RO is the server's: libvirt's client sends along the others that it decided
 * by itself, as that this is a user's session (2) and that it may start the daemon (4). */
static void
connect_open (RpcClient *client, const RpcHeader *header, const guint8 *payload, gsize length)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GVariant) arguments = xdr_decode (shape_of ("msu"), payload, length, &error);
  const char *uri = NULL;
  guint32 flags;

  if (arguments == NULL) {
    rpc_client_reply_error_in (client, header, VIR_FROM_RPC, VIR_ERR_RPC, "%s", error->message);
    return;
  }
  g_variant_get (arguments, "(m&su)", &uri, &flags);
  if (client->opened)
    rpc_client_reply_error_in (client, header, VIR_FROM_RPC, VIR_ERR_INTERNAL_ERROR,
                               "internal error: connection already open");
  else if (!check_uri (client, uri, &error))
    rpc_client_reply_error_in (client, header, VIR_FROM_NONE, virt_error_code (error), "%s", error->message);
  else {
    client->opened = TRUE;
    rpc_login_done (client);
    rpc_connection_admit (client->connection);
    client->client.read_only = client->client.read_only || (flags & VIR_CONNECT_RO) != 0;
    rpc_client_reply (client, header, NULL, NULL, 0);
  }
}

/* Asked before the connection is open, and then only about keepalive, which it turns on. */
static gboolean
asks_keepalive (const guint8 *payload, gsize length)
{
  return length >= RPC_WORD && rpc_word (payload) == FEATURE_KEEPALIVE;
}

static gboolean
handle_open_connection (RpcClient *client, const RpcHeader *header, const guint8 *payload, gsize length)
{
  switch (header->procedure) {
    case PROCEDURE_CONNECT_OPEN:
      connect_open (client, header, payload, length);
      return TRUE;
    case PROCEDURE_CONNECT_CLOSE:
      rpc_client_reply (client, header, NULL, NULL, 0);
      rpc_connection_finish (client->connection);
      return TRUE;
    case PROCEDURE_SUPPORTS_FEATURE:
      if (!asks_keepalive (payload, length))
        return FALSE;
      rpc_keepalive_start (client);
      reply (client, header, "i", g_variant_new ("(i)", 1));
      return TRUE;
    case PROCEDURE_REGISTER_CLOSE_CALLBACK:
    case PROCEDURE_UNREGISTER_CLOSE_CALLBACK:
      client->close_callback = header->procedure == PROCEDURE_REGISTER_CLOSE_CALLBACK;
      rpc_client_reply (client, header, NULL, NULL, 0);
      return TRUE;
    default:
      return FALSE;
  }
}

gboolean
rpc_login_handle (RpcClient *client, const RpcHeader *header, const guint8 *payload, gsize length)
{
  if (header->program != RPC_PROGRAM_REMOTE)
    return FALSE;
  switch (header->procedure) {
    case PROCEDURE_AUTH_LIST:
      auth_list (client, header);
      return TRUE;
    case PROCEDURE_AUTH_POLKIT:
      auth_polkit (client, header);
      return TRUE;
    case PROCEDURE_AUTH_SASL_INIT:
    case PROCEDURE_AUTH_SASL_START:
    case PROCEDURE_AUTH_SASL_STEP:
      rpc_client_reply_error_in (client, header, VIR_FROM_RPC, VIR_ERR_AUTH_FAILED,
                                 "authentication failed: SASL is not offered here: local sockets need none");
      return TRUE;
    default:
      return client->authenticated && handle_open_connection (client, header, payload, length);
  }
}
