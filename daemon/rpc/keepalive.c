/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Signs of life. Either side may ask; we answer at once, and ask those that said they understand it when they
 * have been silent, and close on those that stay silent.
 */

#include "daemon/rpc/client.h"

#define KEEPALIVE_SECONDS 5 /* of silence before a ping, as libvirtd's default */
#define KEEPALIVE_PINGS   5 /* unanswered before the connection counts as dead */

enum { KEEPALIVE_PING = 1, KEEPALIVE_PONG = 2 };

void
rpc_keepalive_handle (RpcClient *client, const RpcHeader *header)
{
  if (header->version == RPC_VERSION && header->type == RPC_MESSAGE && header->procedure == KEEPALIVE_PING)
    rpc_client_send_message (client, RPC_PROGRAM_KEEPALIVE, KEEPALIVE_PONG, NULL);
}

static gboolean
on_silence (gpointer data)
{
  RpcClient *client = data;

  /* A client that is not read from cannot be heard: its silence is ours. */
  if (client->heard || rpc_connection_is_held (client->connection)) {
    client->heard = FALSE;
    return G_SOURCE_CONTINUE;
  }
  if (client->unanswered_pings >= KEEPALIVE_PINGS) {
    g_info ("client %s: no answer to %u pings: closing", client->client.who, client->unanswered_pings);
    client->keepalive_timer = 0;
    rpc_client_close (client, VIR_CONNECT_CLOSE_REASON_KEEPALIVE);
    return G_SOURCE_REMOVE;
  }
  client->unanswered_pings++;
  rpc_client_send_message (client, RPC_PROGRAM_KEEPALIVE, KEEPALIVE_PING, NULL);
  return G_SOURCE_CONTINUE;
}

void
rpc_keepalive_start (RpcClient *client)
{
  if (client->keepalive_timer == 0)
    client->keepalive_timer = g_timeout_add_seconds (KEEPALIVE_SECONDS, on_silence, client);
}

void
rpc_keepalive_heard (RpcClient *client)
{
  client->unanswered_pings = 0;
  client->heard = TRUE;
}

void
rpc_keepalive_stop (RpcClient *client)
{
  g_clear_handle_id (&client->keepalive_timer, g_source_remove);
}
