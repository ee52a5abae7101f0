/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * A small client of libvirt's RPC protocol. One call at a time: a frame is written, and frames are read until
 * the one that answers it; what else comes meanwhile is a ping, which is answered, or an event that nobody
 * has asked for. Once a frame was cut short the connection says nothing any more, so every failure but the
 * other side's own error loses it.
 */
#include "daemon/rpc/remote.h"

#include "daemon/rpc/frame.h"
#include "wire/xdr.h"

#include <gio/gunixsocketaddress.h>
#include <string.h>

#define DEFAULT_SYSTEM_SOCKET "/run/libvirt/libvirt-sock"
#define TCP_PORT              16509
#define ERROR_SHAPE           "iimsimDmsmsmsiimN"
#define POLL_MILLISECONDS     500 /* between two looks at whether the job is still wanted */

enum { PROCEDURE_OPEN = 1, PROCEDURE_CLOSE = 2, PROCEDURE_FEATURE = 60, PROCEDURE_AUTH_LIST = 66 };
enum { KEEPALIVE_PING = 1, KEEPALIVE_PONG = 2 };
enum { AUTH_NONE = 0 };

struct Remote {
  char *uri; /* for messages */
  GSocketConnection *connection;
  guint32 serial;
  guint patience; /* seconds to open it */
  gint64 limit;   /* monotonic time at which it must be open; 0: it is */
  gboolean lost;
};

void
remote_free (Remote *remote)
{
  if (remote == NULL)
    return;
  if (remote->connection != NULL)
    g_io_stream_close (G_IO_STREAM (remote->connection), NULL, NULL);
  g_clear_object (&remote->connection);
  g_free (remote->uri);
  g_free (remote);
}

gboolean
remote_is_lost (const Remote *remote)
{
  return remote->lost;
}

/* Bytes. */

static gboolean
lose (Remote *remote, const char *why, GError **error)
{
  remote->lost = TRUE;
  virt_error_set (error, VIR_ERR_OPERATION_FAILED, "the connection to '%s' is lost: %s", remote->uri, why);
  return FALSE;
}

/* Does the other side still have time to let us in? */
static gboolean
check_limit (Remote *remote, GError **error)
{
  if (remote->limit == 0 || g_get_monotonic_time () < remote->limit)
    return TRUE;
  remote->lost = TRUE;
  virt_error_set (error, VIR_ERR_OPERATION_TIMEOUT, "the daemon at '%s' has said nothing for %u seconds",
                  remote->uri, remote->patience);
  return FALSE;
}

/* Until the socket is ready for @condition, the job is late, or nobody wants it any more. */
static gboolean
wait_until_ready (Remote *remote, Job *job, GIOCondition condition, GError **error)
{
  GSocket *socket = g_socket_connection_get_socket (remote->connection);

  for (;;) {
    g_autoptr (GError) problem = NULL;
    gint64 end = remote->limit != 0 ? MIN (remote->limit, job_deadline (job)) : job_deadline (job);
    gint64 left = end - g_get_monotonic_time ();

    if (!check_limit (remote, error))
      return FALSE;
    if (!job_check (job, error)) {
      remote->lost = TRUE;
      return FALSE;
    }
    if (g_socket_condition_timed_wait (socket, condition, CLAMP (left, 1, (gint64)POLL_MILLISECONDS * 1000),
                                       job_cancellable (job), &problem))
      return TRUE;
    if (!g_error_matches (problem, G_IO_ERROR, G_IO_ERROR_TIMED_OUT)
        && !g_error_matches (problem, G_IO_ERROR, G_IO_ERROR_CANCELLED))
      return lose (remote, problem->message, error);
  }
}

static gboolean
write_all (Remote *remote, Job *job, const guint8 *bytes, gsize length, GError **error)
{
  GSocket *socket = g_socket_connection_get_socket (remote->connection);

  for (gsize done = 0; done < length;) {
    g_autoptr (GError) problem = NULL;
    gssize written;

    if (!wait_until_ready (remote, job, G_IO_OUT, error))
      return FALSE;
    written = g_socket_send (socket, (const char *)bytes + done, length - done, NULL, &problem);
    if (written > 0)
      done += (gsize)written;
    else if (!g_error_matches (problem, G_IO_ERROR, G_IO_ERROR_WOULD_BLOCK))
      return lose (remote, problem != NULL ? problem->message : "it takes nothing", error);
  }
  return TRUE;
}

static gboolean
read_all (Remote *remote, Job *job, guint8 *bytes, gsize length, GError **error)
{
  GSocket *socket = g_socket_connection_get_socket (remote->connection);

  for (gsize done = 0; done < length;) {
    g_autoptr (GError) problem = NULL;
    gssize got;

    if (!wait_until_ready (remote, job, G_IO_IN, error))
      return FALSE;
    got = g_socket_receive (socket, (char *)bytes + done, length - done, NULL, &problem);
    if (got > 0)
      done += (gsize)got;
    else if (!g_error_matches (problem, G_IO_ERROR, G_IO_ERROR_WOULD_BLOCK))
      return lose (remote, problem != NULL ? problem->message : "the other side has closed it", error);
  }
  return TRUE;
}

/* Frames. */

static gboolean
send_frame (Remote *remote, Job *job, const RpcHeader *header, const GByteArray *payload, GError **error)
{
  g_autoptr (GByteArray) frame = rpc_frame_new (header);

  if (payload != NULL)
    g_byte_array_append (frame, payload->data, payload->len);
  rpc_frame_finish (frame);
  return write_all (remote, job, frame->data, frame->len, error);
}

/* (transfer full): the payload. */
static GByteArray *
read_frame (Remote *remote, Job *job, RpcHeader *header, GError **error)
{
  guint8 head[RPC_FRAME_MINIMUM];
  g_autoptr (GByteArray) payload = g_byte_array_new ();
  guint32 length;

  if (!read_all (remote, job, head, sizeof head, error))
    return NULL;
  length = rpc_word (head);
  rpc_header_decode (head, header);
  if (length < RPC_FRAME_MINIMUM || length > RPC_FRAME_MAX) {
    lose (remote, "a frame has a length that the protocol does not have", error);
    return NULL;
  }
  g_byte_array_set_size (payload, length - RPC_FRAME_MINIMUM);
  return read_all (remote, job, payload->data, payload->len, error) ? g_steal_pointer (&payload) : NULL;
}

static gboolean
answer_ping (Remote *remote, Job *job, const RpcHeader *ping, GError **error)
{
  const RpcHeader pong = {
    .program = RPC_PROGRAM_KEEPALIVE, .version = RPC_VERSION, .procedure = KEEPALIVE_PONG, .type = RPC_MESSAGE
  };

  return ping->procedure != KEEPALIVE_PING || send_frame (remote, job, &pong, NULL, error);
}

/* The other side's own words, with its number. */
static void
take_error (const GByteArray *payload, GError **error)
{
  g_autoptr (GVariant) value = xdr_decode (shape_of (ERROR_SHAPE), payload->data, payload->len, NULL);
  const char *message = NULL;
  gint32 code = 0, origin = 0;

  if (value != NULL)
    g_variant_get_child (value, 0, "i", &code);
  if (value != NULL)
    g_variant_get_child (value, 1, "i", &origin);
  if (value != NULL)
    g_variant_get_child (value, 2, "m&s", &message);
  if (code <= VIR_ERR_OK || message == NULL)
    virt_error_set (error, VIR_ERR_RPC, "the other daemon has failed, and does not say why");
  else
    virt_error_set_plain (error, (virErrorDomain)origin, (virErrorNumber)code, "%s", message);
}

static GVariant *
take_answer (Remote *remote, const RpcHeader *header, const GByteArray *payload, const char *out,
             GError **error)
{
  GVariant *answer;

  if (header->status == RPC_ERROR) {
    take_error (payload, error);
    return NULL;
  }
  answer = xdr_decode (shape_of (out), payload->data, payload->len, error);
  remote->lost = remote->lost || answer == NULL;
  return answer;
}

GVariant *
remote_call (Remote *remote, Job *job, int procedure, const char *in, const char *out, GVariant *arguments,
             GError **error)
{
  g_autoptr (GVariant) sunk = g_variant_ref_sink (arguments);
  g_autoptr (GByteArray) body = g_byte_array_new ();
  const RpcHeader header = { .program = RPC_PROGRAM_REMOTE,
                             .version = RPC_VERSION,
                             .procedure = procedure,
                             .type = RPC_CALL,
                             .serial = ++remote->serial };

  if (remote->lost) {
    lose (remote, "it was before", error);
    return NULL;
  }
  if (!xdr_encode (shape_of (in), sunk, body, error) || !send_frame (remote, job, &header, body, error))
    return NULL;
  for (;;) {
    RpcHeader answer;
    g_autoptr (GByteArray) payload = read_frame (remote, job, &answer, error);

    if (payload == NULL)
      return NULL;
    if (answer.program == RPC_PROGRAM_KEEPALIVE) {
      if (!answer_ping (remote, job, &answer, error))
        return NULL;
    } else if (answer.type == RPC_REPLY && answer.serial == header.serial) {
      return take_answer (remote, &answer, payload, out, error);
    }
  }
}

gboolean
remote_supports (Remote *remote, Job *job, int feature)
{
  g_autoptr (GVariant) answer =
      remote_call (remote, job, PROCEDURE_FEATURE, "i", "i", g_variant_new ("(i)", feature), NULL);
  gint32 supported = 0;

  if (answer != NULL)
    g_variant_get (answer, "(i)", &supported);
  return supported == 1;
}

/* The way there. */

static GSocketConnectable *
tcp_address (GUri *uri)
{
  return g_network_address_new (g_uri_get_host (uri),
                                g_uri_get_port (uri) > 0 ? (guint16)g_uri_get_port (uri) : TCP_PORT);
}

static GSocketConnectable *
unix_address (GUri *uri, GError **error)
{
  g_autoptr (GHashTable) parameters =
      g_uri_get_query (uri) != NULL ? g_uri_parse_params (g_uri_get_query (uri), -1, "&;", 0, error) : NULL;
  const char *path = parameters != NULL ? g_hash_table_lookup (parameters, "socket") : NULL;

  if (g_uri_get_query (uri) != NULL && parameters == NULL)
    return NULL;
  return G_SOCKET_CONNECTABLE (g_unix_socket_address_new (path != NULL ? path : DEFAULT_SYSTEM_SOCKET));
}

static GSocketConnectable *
find_address (const char *text, char **ret_name, GError **error)
{
  g_autoptr (GError) problem = NULL;
  g_autoptr (GUri) uri = g_uri_parse (text, G_URI_FLAGS_ENCODED_QUERY, &problem);
  const char *scheme = uri != NULL ? g_uri_get_scheme (uri) : "";
  gboolean has_host = uri != NULL && g_uri_get_host (uri) != NULL && *g_uri_get_host (uri) != '\0';
  GSocketConnectable *address = NULL;

  if (g_str_equal (scheme, "qemu+tcp") && has_host)
    address = tcp_address (uri);
  else if ((g_str_equal (scheme, "qemu") || g_str_equal (scheme, "qemu+unix")) && !has_host)
    address = unix_address (uri, &problem);
  if (address != NULL) {
    *ret_name = g_strconcat ("qemu://", g_uri_get_path (uri), NULL);
    return address;
  }
  virt_error_set (error, VIR_ERR_INVALID_ARG,
                  "the destination '%s' cannot be reached from here: accepted are "
                  "qemu:///system?socket=PATH, qemu+unix:///system?socket=PATH and "
                  "qemu+tcp://HOST[:PORT]/system",
                  text);
  return NULL;
}

static gboolean
log_in (Remote *remote, Job *job, const char *name, GError **error)
{
  g_autoptr (GVariant) kinds =
      remote_call (remote, job, PROCEDURE_AUTH_LIST, "-", "ai{20}", g_variant_new ("()"), error);
  g_autoptr (GVariant) list = kinds != NULL ? g_variant_get_child_value (kinds, 0) : NULL;
  gboolean free_entry = FALSE;

  if (kinds == NULL)
    return FALSE;
  for (gsize i = 0; i < g_variant_n_children (list); i++) {
    gint32 kind = AUTH_NONE + 1;

    g_variant_get_child (list, i, "i", &kind);
    free_entry = free_entry || kind == AUTH_NONE;
  }
  if (!free_entry) {
    virt_error_set (error, VIR_ERR_AUTH_FAILED,
                    "the daemon at '%s' asks for an authentication, and migrations from peer to peer have "
                    "none to offer",
                    remote->uri);
    return FALSE;
  }
  g_autoptr (GVariant) opened =
      remote_call (remote, job, PROCEDURE_OPEN, "msu", "-", g_variant_new ("(msu)", name, 0), error);
  return opened != NULL;
}

Remote *
remote_open (const char *uri, guint patience, Job *job, GError **error)
{
  g_autofree char *name = NULL;
  g_autoptr (GSocketConnectable) address = find_address (uri, &name, error);
  g_autoptr (GSocketClient) client = g_socket_client_new ();
  g_autoptr (Remote) remote = g_new0 (Remote, 1);
  g_autoptr (GError) problem = NULL;

  if (address == NULL)
    return NULL;
  remote->uri = g_strdup (uri);
  remote->patience = patience;
  remote->limit = g_get_monotonic_time () + (gint64)patience * G_USEC_PER_SEC;
  g_socket_client_set_enable_proxy (client, FALSE);
  g_socket_client_set_timeout (client, patience);
  remote->connection = g_socket_client_connect (client, address, job_cancellable (job), &problem);
  if (remote->connection == NULL) {
    virt_error_set (error, VIR_ERR_OPERATION_FAILED, "Failed to connect to remote libvirt URI %s: %s", uri,
                    problem->message);
    return NULL;
  }
  g_socket_set_timeout (g_socket_connection_get_socket (remote->connection),
                        0); /* our own waits have theirs */
  g_socket_set_blocking (g_socket_connection_get_socket (remote->connection), FALSE);
  if (!log_in (remote, job, name, error))
    return NULL;
  remote->limit = 0;
  return g_steal_pointer (&remote);
}
