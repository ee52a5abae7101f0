/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * A client's frames, each taken to where it belongs: keepalive, login, event registration, a stream's
 * packet, or a call of an operation. Calls are answered in whatever order their operations finish; a
 * client with too many in flight is simply not read from until one is answered.
 */

#include "daemon/rpc/client.h"

#include "daemon/call/libvirt-names.h"
#include "daemon/domain/auto-destroy.h"
#include "daemon/domain/domain-migration.h"
#include "daemon/rpc/server.h"
#include "wire/xdr.h"

#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>

typedef struct {
  RpcClient *client;
  RpcHeader header;
} RpcCall;

static const RpcConnectionHandlers connection_handlers;

static guint connections; /* since the start */

static gboolean
read_credentials (int fd, Client *client)
{
  struct ucred credentials;
  socklen_t length = sizeof credentials;

  if (getsockopt (fd, SOL_SOCKET, SO_PEERCRED, &credentials, &length) < 0)
    return FALSE;
  client->uid = credentials.uid;
  client->pid = credentials.pid;
  client->who = g_strdup_printf ("unix:%d", credentials.pid);
  client->id = g_strdup_printf ("connection-%u", ++connections);
  return TRUE;
}

RpcClient *
rpc_client_new (RpcServer *server, Manager *manager, int fd, gboolean read_only)
{
  RpcClient *client = g_new0 (RpcClient, 1);

  client->client.read_only = read_only;
  client->client.compares_words = TRUE;
  client->references = 1;
  if (read_credentials (fd, &client->client))
    client->account = client_accounts_enter (manager->accounts, client->client.uid, read_only);
  client->awaited = client->account != NULL;
  if (client->account == NULL || !client_account_await_login (client->account)) {
    rpc_login_done (client);
    g_clear_pointer (&client->account, client_account_leave);
    rpc_client_unref (client);
    close (fd);
    return NULL;
  }
  client->server = server;
  client->manager = manager;
  client->authenticated = !rpc_login_needs_polkit (client);
  client->events = rpc_events_new (client);
  client->monitor_events = rpc_monitor_events_new (client);
  client->streams = rpc_streams_new (client);
  client->connection = rpc_connection_new (fd, &connection_handlers, client);
  rpc_login_begin (client);
  return client;
}

RpcClient *
rpc_client_ref (RpcClient *client)
{
  client->references++;
  return client;
}

void
rpc_client_unref (RpcClient *client)
{
  if (--client->references > 0)
    return;
  g_free (client->client.who);
  g_free (client->client.id);
  g_free (client);
}

static void
on_closed (RpcConnection *connection, gpointer data)
{
  RpcClient *client = data;

  client->connection = NULL;
  client->client.ended = TRUE;
  migration_client_ended (client->manager, client->client.id);
  auto_destroy_client_ended (client->manager, client->client.id);
  rpc_connection_free (connection);
  client_account_charge (client->account, &client->charged, 0);
  rpc_login_done (client);
  g_clear_pointer (&client->account, client_account_leave);
  rpc_keepalive_stop (client);
  g_clear_pointer (&client->events, rpc_events_free);
  g_clear_pointer (&client->monitor_events, rpc_monitor_events_free);
  g_clear_pointer (&client->streams, rpc_streams_free);
  if (client->server != NULL)
    rpc_server_forget (client->server, client);
  rpc_client_unref (client);
}

void
rpc_client_close (RpcClient *client, int reason)
{
  if (client->connection == NULL)
    return;
  if (client->close_callback) {
    g_autoptr (GByteArray) payload = g_byte_array_new ();

    rpc_append_word (payload, (guint32)reason);
    rpc_client_send_message (client, RPC_PROGRAM_REMOTE, RPC_CONNECTION_CLOSED, payload);
  }
  /* Who does not answer will not read either. */
  if (reason == VIR_CONNECT_CLOSE_REASON_KEEPALIVE)
    rpc_connection_break (client->connection);
  else
    rpc_connection_finish (client->connection);
}

void
rpc_client_abandon (RpcClient *client)
{
  rpc_client_close (client, VIR_CONNECT_CLOSE_REASON_EOF);
  client->server = NULL;
  rpc_connection_end (client->connection);
}

/* A frame whose payload can be appended. (transfer full) */
static GByteArray *
frame_with_fds (const RpcHeader *header, guint fd_count)
{
  GByteArray *frame = rpc_frame_new (header);

  if (header->type == RPC_REPLY_WITH_FDS)
    rpc_append_word (frame, fd_count);
  return frame;
}

static void
send_frame (RpcClient *client, const RpcHeader *header, const GByteArray *payload, const int *fds,
            guint fd_count)
{
  GByteArray *frame;

  if (client->connection == NULL)
    return;
  frame = frame_with_fds (header, fd_count);
  if (payload != NULL)
    g_byte_array_append (frame, payload->data, payload->len);
  rpc_connection_send (client->connection, frame, fds, fd_count);
}

static RpcHeader
reply_header (const RpcHeader *request, guint fd_count)
{
  RpcHeader header = *request;

  header.type = fd_count > 0 ? RPC_REPLY_WITH_FDS : RPC_REPLY;
  header.status = RPC_OK;
  return header;
}

void
rpc_client_reply (RpcClient *client, const RpcHeader *request, const GByteArray *payload, const int *fds,
                  guint fd_count)
{
  const RpcHeader header = reply_header (request, fd_count);

  send_frame (client, &header, payload, fds, fd_count);
}

static void
reply_error (RpcClient *client, const RpcHeader *request, int domain, virErrorNumber code,
             const char *message)
{
  g_autoptr (GByteArray) payload = rpc_error_payload (domain, code, message);
  RpcHeader header = *request;

  header.type = request->type == RPC_STREAM || request->type == RPC_STREAM_HOLE ? RPC_STREAM : RPC_REPLY;
  header.status = RPC_ERROR;
  send_frame (client, &header, payload, NULL, 0);
}

void
rpc_client_reply_error (RpcClient *client, const RpcHeader *request, const GError *error)
{
  reply_error (client, request, virt_error_origin (error), virt_error_code (error), error->message);
}

void
rpc_client_reply_error_in (RpcClient *client, const RpcHeader *request, int domain, virErrorNumber code,
                           const char *format, ...)
{
  g_autofree char *message = NULL;
  va_list arguments;

  va_start (arguments, format);
  message = g_strdup_vprintf (format, arguments);
  va_end (arguments);
  reply_error (client, request, domain, code, message);
}

void
rpc_client_send_message (RpcClient *client, guint32 program, gint32 procedure, const GByteArray *payload)
{
  RpcHeader header = { program, RPC_VERSION, procedure, RPC_MESSAGE, 0, RPC_OK };

  if (client->connection != NULL && rpc_connection_queued (client->connection) > RPC_BACKLOG_MAX) {
    g_warning ("client %s does not read its events: closing", client->client.who);
    rpc_connection_break (client->connection);
  }
  send_frame (client, &header, payload, NULL, 0);
}

/* Calls of operations. */

static void
call_ended (RpcClient *client)
{
  client->calls--;
  if (client->held && client->calls <= client->manager->settings->max_client_requests / 2) {
    client->held = FALSE;
    if (client->connection != NULL)
      rpc_connection_release (client->connection);
  }
}

static void
rpc_call_free (gpointer data)
{
  RpcCall *half = data;

  call_ended (half->client);
  rpc_client_unref (half->client);
  g_free (half);
}

/* What a console's or channel's call has opened goes on as a stream with the call's serial. */
static void
begin_stream (RpcClient *client, const RpcHeader *header, const Call *call)
{
  g_autoptr (GError) error = NULL;
  int fd = g_unix_fd_list_get (call->descriptors, 0, &error);

  if (fd < 0)
    rpc_client_reply_error (client, header, error);
  else
    rpc_streams_open (client, header, fd, call->terminal);
}

/* Behind the header. What is kept is encoded by the first who asks. */
static gboolean
append_answer (GByteArray *frame, const Call *call, GVariant *answer, GError **error)
{
  KeptAnswer *kept = call->kept;
  guint start = frame->len;

  if (kept != NULL && kept->encoded != NULL) {
    g_byte_array_append (frame, kept->encoded->data, kept->encoded->len);
    return TRUE;
  }
  if (!xdr_encode (shape_of (call->operation->out), answer, frame, error))
    return FALSE;
  if (kept != NULL)
    kept->encoded = g_byte_array_append (g_byte_array_new (), frame->data + start, frame->len - start);
  return TRUE;
}

/* The answer is encoded where it is sent from: answers can be megabytes. */
static gboolean
reply_answer (RpcClient *client, const RpcHeader *request, const Call *call, GVariant *answer, GError **error)
{
  gboolean has_files = call->descriptors != NULL && call->descriptors_in_answer;
  int count = 0;
  const int *fds = has_files ? g_unix_fd_list_peek_fds (call->descriptors, &count) : NULL;
  const RpcHeader header = reply_header (request, (guint)count);
  g_autoptr (GByteArray) frame = frame_with_fds (&header, (guint)count);

  if (!append_answer (frame, call, answer, error))
    return FALSE;
  if (client->connection != NULL)
    rpc_connection_send (client->connection, g_steal_pointer (&frame), fds, (guint)count);
  if (call->descriptors != NULL && !has_files)
    begin_stream (client, request, call);
  return TRUE;
}

static int
origin_of (const Operation *operation, const GError *error)
{
  int origin = virt_error_origin (error);

  return origin >= 0 ? origin : libvirt_origin (operation->name);
}

static void
respond (Call *call, GVariant *answer, const GError *error)
{
  RpcCall *half = call->wire_data;
  g_autoptr (GError) mistake = NULL;

  if (answer != NULL && reply_answer (half->client, &half->header, call, answer, &mistake))
    return;
  error = answer != NULL ? mistake : error;
  reply_error (half->client, &half->header, origin_of (call->operation, error), virt_error_code (error),
               error->message);
}

static int
program_number (guint32 program)
{
  return program == RPC_PROGRAM_REMOTE ? 0 : program == RPC_PROGRAM_QEMU ? 1 : -1;
}

static void
call_operation (RpcClient *client, const RpcHeader *header, const guint8 *payload, gsize length,
                GUnixFDList *files)
{
  const Operation *operation = operation_by_procedure (program_number (header->program), header->procedure);
  g_autoptr (GVariant) arguments = NULL;
  g_autoptr (GError) error = NULL;
  RpcCall *half;
  Call *call;

  if (operation == NULL) {
    rpc_client_reply_error_in (client, header, VIR_FROM_RPC, VIR_ERR_RPC, "unknown procedure: %d",
                               header->procedure);
    return;
  }
  arguments = xdr_decode (shape_of (operation->in), payload, length, &error);
  if (arguments == NULL) {
    rpc_client_reply_error_in (client, header, VIR_FROM_RPC, VIR_ERR_RPC, "%s", error->message);
    return;
  }

  half = g_new0 (RpcCall, 1);
  *half = (RpcCall){ rpc_client_ref (client), *header };
  if (++client->calls >= client->manager->settings->max_client_requests && !client->held) {
    client->held = TRUE;
    rpc_connection_hold (client->connection);
  }
  call = g_new0 (Call, 1);
  call->operation = operation;
  call->manager = client->manager;
  call->client = &client->client;
  call->arguments = g_steal_pointer (&arguments);
  call->files = files != NULL ? g_object_ref (files) : NULL;
  call->respond = respond;
  call->wire_data = half;
  call->wire_free = rpc_call_free;
  operation_dispatch (call);
}

/* A call that cannot be one at all: said as libvirt says it. FALSE after the answer. */
static gboolean
check_call (RpcClient *client, const RpcHeader *header)
{
  if (program_number (header->program) < 0)
    rpc_client_reply_error_in (client, header, VIR_FROM_RPC, VIR_ERR_RPC, "Cannot find program %u version %u",
                               header->program, header->version);
  else if (header->version != RPC_VERSION)
    rpc_client_reply_error_in (client, header, VIR_FROM_RPC, VIR_ERR_RPC,
                               "program version mismatch (actual %u, expected %d)", header->version,
                               RPC_VERSION);
  else if (header->status != RPC_OK)
    rpc_client_reply_error_in (client, header, VIR_FROM_RPC, VIR_ERR_RPC, "Unexpected message status %u",
                               header->status);
  else
    return TRUE;
  return FALSE;
}

static void
handle_call (RpcClient *client, const RpcHeader *header, const guint8 *payload, gsize length,
             GUnixFDList *files)
{
  if (!check_call (client, header))
    return;
  if (rpc_login_handle (client, header, payload, length))
    return;
  if (!client->authenticated)
    rpc_client_reply_error_in (client, header, VIR_FROM_RPC, VIR_ERR_RPC, "authentication required");
  else if (!client->opened)
    rpc_client_reply_error_in (client, header, VIR_FROM_RPC, VIR_ERR_INTERNAL_ERROR,
                               "internal error: connection not open");
  else if (!rpc_events_handle (client, header, payload, length)
           && !rpc_monitor_events_handle (client, header, payload, length))
    call_operation (client, header, payload, length, files);
}

static void
on_frame (RpcConnection *connection G_GNUC_UNUSED, const RpcHeader *header, const guint8 *payload,
          gsize length, const int *fds, guint fd_count, gpointer data)
{
  RpcClient *client = data;
  /* The list owns them: what no call keeps is closed with it. */
  g_autoptr (GUnixFDList) files = fd_count > 0 ? g_unix_fd_list_new_from_array (fds, (gint)fd_count) : NULL;

  rpc_keepalive_heard (client);
  if (header->program == RPC_PROGRAM_KEEPALIVE)
    rpc_keepalive_handle (client, header);
  else if (header->type == RPC_CALL || header->type == RPC_CALL_WITH_FDS)
    handle_call (client, header, payload, length, files);
  else if (header->type == RPC_STREAM || header->type == RPC_STREAM_HOLE)
    rpc_streams_handle (client, header, payload, length);
  /* What only a server may send is dropped without an answer, as libvirt drops it. */
}

static gboolean
on_keeps (RpcConnection *connection G_GNUC_UNUSED, gsize bytes, gpointer data)
{
  RpcClient *client = data;

  if (client_account_charge (client->account, &client->charged, bytes))
    return TRUE;
  g_warning ("user %u keeps more than its share of memory with frames that wait: closing client %s",
             (guint)client->client.uid, client->client.who);
  return FALSE;
}

static void
on_drained (RpcConnection *connection G_GNUC_UNUSED, gpointer data)
{
  rpc_streams_drained (data);
}

static const RpcConnectionHandlers connection_handlers = {
  .frame = on_frame,
  .keeps = on_keeps,
  .drained = on_drained,
  .closed = on_closed,
};
