/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Streams: what a call opened goes on as packets with the call's serial, both ways, until one side finishes
 * or gives up. Here a stream is a descriptor that is read and written as the peer keeps up: a peer that does
 * not read stops the reading of the descriptor, and a descriptor that does not take stops the reading of
 * the peer.
 *
 * A file is streamed by a job, and the descriptor is a socket between it and here: it carries messages
 * (stream-message.h) instead of plain bytes, for holes, for errors in words, and for the end's being heard.
 */

#include "daemon/core/stream-message.h"
#include "daemon/core/terminal.h"
#include "daemon/core/watch.h"
#include "daemon/rpc/client.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define STREAMS_MAX 64 /* open on one connection */
#define STREAM_PIECE                                                                    \
  (256 * 1024 - 24) /* bytes of one packet: the old payload limit, which clients expect \
                     */
#define STREAM_QUEUE_MAX \
  (1024 * 1024) /* bytes waiting in the connection beyond which descriptors are not read */
#define STREAM_PENDING_MAX (32 * 1024 * 1024) /* bytes waiting for the descriptor: one largest packet */

typedef struct {
  RpcClient *client;
  RpcHeader request;
  int fd;
  gboolean messages; /* it carries StreamMessages */
  guint read_source, write_source;
  GByteArray *pending;      /* from the peer, for the descriptor */
  guint written;            /* of it, already */
  gboolean holding;         /* the connection, for @pending's sake */
  gboolean finishing;       /* the peer has said all */
  gboolean ended;           /* the descriptor has said all */
  TerminalSession *session; /* NULL: others may have the same thing open */
} Stream;

struct RpcStreams {
  RpcClient *client;
  GHashTable *by_serial; /* serial → Stream */
};

static void
stream_free (gpointer data)
{
  Stream *stream = data;

  g_clear_handle_id (&stream->read_source, g_source_remove);
  g_clear_handle_id (&stream->write_source, g_source_remove);
  if (stream->holding && stream->client->connection != NULL)
    rpc_connection_release (stream->client->connection);
  g_byte_array_unref (stream->pending);
  terminal_session_free (stream->session);
  close (stream->fd);
  g_free (stream);
}

RpcStreams *
rpc_streams_new (RpcClient *client)
{
  RpcStreams *streams = g_new0 (RpcStreams, 1);

  streams->client = client;
  streams->by_serial = g_hash_table_new_full (NULL, NULL, NULL, stream_free);
  return streams;
}

void
rpc_streams_free (RpcStreams *streams)
{
  g_hash_table_unref (streams->by_serial);
  g_free (streams);
}

static void
send_packet (Stream *stream, RpcStatus status, const guint8 *bytes, gsize length)
{
  RpcHeader header = stream->request;
  GByteArray *frame;

  header.type = RPC_STREAM;
  header.status = status;
  frame = rpc_frame_new (&header);
  g_byte_array_append (frame, bytes, (guint)length);
  rpc_connection_send (stream->client->connection, frame, NULL, 0);
}

static void
end_stream (Stream *stream)
{
  g_hash_table_remove (stream->client->streams->by_serial, GUINT_TO_POINTER (stream->request.serial));
}

static void
fail (Stream *stream, const char *doing)
{
  RpcHeader header = stream->request;

  header.type = RPC_STREAM;
  rpc_client_reply_error_in (stream->client, &header, VIR_FROM_STREAMS, VIR_ERR_SYSTEM_ERROR,
                             "cannot %s stream: %s", doing, g_strerror (errno));
  end_stream (stream);
}

static void
send_hole (Stream *stream, guint64 length)
{
  RpcHeader header = stream->request;
  GByteArray *frame;

  header.type = RPC_STREAM_HOLE;
  header.status = RPC_CONTINUE;
  frame = rpc_frame_new (&header);
  rpc_append_word (frame, (guint32)(length >> 32));
  rpc_append_word (frame, (guint32)length);
  rpc_append_word (frame, 0);
  rpc_connection_send (stream->client->connection, frame, NULL, 0);
}

/* Confirmed, and over. */
static void
finish (Stream *stream)
{
  send_packet (stream, RPC_OK, NULL, 0);
  end_stream (stream);
}

/* One message of the job's, @count bytes of it. FALSE: nothing more comes; the stream may be gone. */
static gboolean
handle_message (Stream *stream, const guint8 *packet, gssize count)
{
  const guint8 *bytes = packet + sizeof (StreamMessage);
  gsize length = (gsize)count - sizeof (StreamMessage);
  RpcHeader header = stream->request;
  StreamMessage message;

  memcpy (&message, packet, sizeof message);
  switch (message.kind) {
    case STREAM_MESSAGE_DATA:
      send_packet (stream, RPC_CONTINUE, bytes, length);
      return TRUE;
    case STREAM_MESSAGE_HOLE:
      send_hole (stream, message.length);
      return TRUE;
    case STREAM_MESSAGE_END:
      stream->ended = TRUE;
      if (stream->finishing)
        finish (stream);
      else
        send_packet (stream, RPC_CONTINUE, NULL, 0);
      return FALSE;
    default:
      header.type = RPC_STREAM;
      rpc_client_reply_error_in (stream->client, &header, VIR_FROM_STORAGE, (virErrorNumber)message.code,
                                 "%.*s", (int)length, (const char *)bytes);
      end_stream (stream);
      return FALSE;
  }
}

static gboolean
on_message (Stream *stream)
{
  const gsize size = sizeof (StreamMessage) + STREAM_MESSAGE_DATA_MAX;
  g_autofree guint8 *packet = g_malloc (size);
  ssize_t count = recv (stream->fd, packet, size, MSG_DONTWAIT);
  guint source = stream->read_source;

  if (count < 0 && (errno == EAGAIN || errno == EINTR))
    return G_SOURCE_CONTINUE;
  stream->read_source = 0;
  if (count < (ssize_t)sizeof (StreamMessage)) {
    errno = count < 0 ? errno : ECONNRESET;
    fail (stream, "read from");
    return G_SOURCE_REMOVE;
  }
  if (!handle_message (stream, packet, count)
      || rpc_connection_queued (stream->client->connection) >= STREAM_QUEUE_MAX)
    return G_SOURCE_REMOVE;
  stream->read_source = source;
  return G_SOURCE_CONTINUE;
}

static void watch_reading (Stream *stream);

static gboolean
on_readable (gint fd, GIOCondition condition G_GNUC_UNUSED, gpointer data)
{
  Stream *stream = data;
  g_autofree guint8 *bytes = NULL;
  ssize_t count;

  if (stream->messages)
    return on_message (stream);
  bytes = g_malloc (STREAM_PIECE);
  count = read (fd, bytes, STREAM_PIECE);

  if (count < 0 && (errno == EAGAIN || errno == EINTR))
    return G_SOURCE_CONTINUE;
  if (count > 0) {
    send_packet (stream, RPC_CONTINUE, bytes, (gsize)count);
    if (rpc_connection_queued (stream->client->connection) < STREAM_QUEUE_MAX)
      return G_SOURCE_CONTINUE;
    stream->read_source = 0;
    return G_SOURCE_REMOVE;
  }

  stream->read_source = 0;
  /* A pty whose other side is gone says EIO: the end, and no failure. */
  if (count == 0 || errno == EIO) {
    stream->ended = TRUE;
    send_packet (stream, RPC_CONTINUE, NULL, 0);
  } else {
    fail (stream, "read from");
  }
  return G_SOURCE_REMOVE;
}

static void
watch_reading (Stream *stream)
{
  if (stream->read_source == 0 && !stream->ended)
    stream->read_source = watch_fd (stream->fd, G_IO_IN | G_IO_HUP | G_IO_ERR, on_readable, stream, NULL);
}

void
rpc_streams_drained (RpcClient *client)
{
  GHashTableIter streams;
  gpointer stream;

  g_hash_table_iter_init (&streams, client->streams->by_serial);
  while (g_hash_table_iter_next (&streams, NULL, &stream))
    watch_reading (stream);
}

static gboolean
carries_messages (int fd)
{
  int type = 0;
  socklen_t length = sizeof type;

  return getsockopt (fd, SOL_SOCKET, SO_TYPE, &type, &length) == 0 && type == SOCK_SEQPACKET;
}

/* Somebody else has taken the terminal by force. */
static void
on_taken_over (gpointer data)
{
  Stream *stream = data;
  RpcHeader header = stream->request;

  header.type = RPC_STREAM;
  rpc_client_reply_error_in (stream->client, &header, VIR_FROM_STREAMS, VIR_ERR_OPERATION_ABORTED,
                             "operation aborted: another client has taken this console over");
  end_stream (stream);
}

void
rpc_streams_open (RpcClient *client, const RpcHeader *request, int fd, const char *terminal)
{
  Stream *stream;

  if (client->connection == NULL || g_hash_table_size (client->streams->by_serial) >= STREAMS_MAX) {
    RpcHeader header = *request;

    close (fd);
    header.type = RPC_STREAM;
    rpc_client_reply_error_in (client, &header, VIR_FROM_STREAMS, VIR_ERR_RPC,
                               "more than %d streams on one connection", STREAMS_MAX);
    return;
  }
  g_unix_set_fd_nonblocking (fd, TRUE, NULL);
  stream = g_new0 (Stream, 1);
  stream->client = client;
  stream->request = *request;
  stream->fd = fd;
  stream->messages = carries_messages (fd);
  stream->pending = g_byte_array_new ();
  if (terminal != NULL)
    stream->session = terminal_session_new (terminal, on_taken_over, stream);
  g_hash_table_insert (client->streams->by_serial, GUINT_TO_POINTER (request->serial), stream);
  watch_reading (stream);
}

static gboolean on_writable (gint fd, GIOCondition condition, gpointer data);

/* As write: some of what is pending, a whole message where it is messages. */
static ssize_t
write_some (Stream *stream)
{
  const guint8 *bytes = stream->pending->data + stream->written;
  gsize length = stream->pending->len - stream->written;
  StreamMessage message;

  if (!stream->messages)
    return write (stream->fd, bytes, length);
  memcpy (&message, bytes, sizeof message);
  length = sizeof message + (message.kind == STREAM_MESSAGE_DATA ? message.length : 0);
  return send (stream->fd, bytes, length, MSG_DONTWAIT | MSG_NOSIGNAL);
}

/* The job does not listen any more: it says why, or it is one that only talks, and the peer has heard enough.
 */
static void
handle_deafness (Stream *stream)
{
  const gsize size = sizeof (StreamMessage) + STREAM_MESSAGE_DATA_MAX;
  g_autofree guint8 *packet = g_malloc (size);
  ssize_t count;

  while ((count = recv (stream->fd, packet, size, MSG_DONTWAIT)) >= (ssize_t)sizeof (StreamMessage)) {
    StreamMessage message;

    memcpy (&message, packet, sizeof message);
    if (message.kind == STREAM_MESSAGE_ERROR) {
      handle_message (stream, packet, count);
      return;
    }
  }
  if (stream->finishing) {
    finish (stream);
  } else {
    errno = EPIPE;
    fail (stream, "write to");
  }
}

/* Write what is pending. The stream may be gone afterwards. */
static void
write_pending (Stream *stream)
{
  while (stream->written < stream->pending->len) {
    ssize_t count = write_some (stream);

    if (count < 0 && errno == EINTR)
      continue;
    if (count < 0 && errno == EAGAIN)
      break;
    if (count <= 0 && stream->messages) {
      handle_deafness (stream);
      return;
    }
    if (count <= 0) {
      fail (stream, "write to");
      return;
    }
    stream->written += (guint)count;
  }

  if (stream->written < stream->pending->len) {
    if (stream->write_source == 0)
      stream->write_source = watch_fd (stream->fd, G_IO_OUT | G_IO_ERR, on_writable, stream, NULL);
    if (!stream->holding) {
      stream->holding = TRUE;
      rpc_connection_hold (stream->client->connection);
    }
    return;
  }
  g_byte_array_set_size (stream->pending, 0);
  stream->written = 0;
  if (stream->holding) {
    stream->holding = FALSE;
    rpc_connection_release (stream->client->connection);
  }
  /* A job confirms that it has taken all. */
  if (stream->finishing && !stream->messages)
    finish (stream);
}

static gboolean
on_writable (gint fd G_GNUC_UNUSED, GIOCondition condition G_GNUC_UNUSED, gpointer data)
{
  Stream *stream = data;

  stream->write_source = 0;
  write_pending (stream);
  return G_SOURCE_REMOVE;
}

static void
append_message (Stream *stream, StreamMessageKind kind, const guint8 *bytes, guint64 length)
{
  StreamMessage message = { .kind = kind, .length = length };

  g_byte_array_append (stream->pending, (const guint8 *)&message, sizeof message);
  if (bytes != NULL)
    g_byte_array_append (stream->pending, bytes, (guint)length);
}

static void
append_data (Stream *stream, const guint8 *payload, gsize length)
{
  if (!stream->messages) {
    g_byte_array_append (stream->pending, payload, (guint)length);
    return;
  }
  for (gsize done = 0; done < length; done += MIN (length - done, STREAM_MESSAGE_DATA_MAX))
    append_message (stream, STREAM_MESSAGE_DATA, payload + done,
                    MIN (length - done, STREAM_MESSAGE_DATA_MAX));
}

/* A hole in a stream of plain bytes is the zeros it stands for, within reason. */
static gboolean
append_hole (Stream *stream, const guint8 *payload, gsize length)
{
  guint64 hole;
  guint old_length = stream->pending->len;

  if (length < 2 * RPC_WORD)
    return FALSE;
  hole = (guint64)rpc_word (payload) << 32 | rpc_word (payload + RPC_WORD);
  if (stream->messages) {
    append_message (stream, STREAM_MESSAGE_HOLE, NULL, hole);
    return TRUE;
  }
  if (hole > STREAM_PENDING_MAX - old_length)
    return FALSE;
  g_byte_array_set_size (stream->pending, old_length + (guint)hole);
  memset (stream->pending->data + old_length, 0, hole);
  return TRUE;
}

void
rpc_streams_handle (RpcClient *client, const RpcHeader *header, const guint8 *payload, gsize length)
{
  Stream *stream = g_hash_table_lookup (client->streams->by_serial, GUINT_TO_POINTER (header->serial));

  if (stream == NULL || header->procedure != stream->request.procedure
      || header->program != stream->request.program)
    return;
  switch (header->status) {
    case RPC_CONTINUE:
      if (header->type == RPC_STREAM_HOLE && !append_hole (stream, payload, length)) {
        errno = EFBIG;
        fail (stream, "write a hole to");
        return;
      }
      if (header->type == RPC_STREAM)
        append_data (stream, payload, length);
      write_pending (stream);
      return;
    case RPC_OK:
      stream->finishing = TRUE;
      if (stream->messages && stream->ended) {
        finish (stream);
        return;
      }
      if (stream->messages)
        append_message (stream, STREAM_MESSAGE_END, NULL, 0);
      write_pending (stream);
      return;
    default:
      /* Given up by the peer, which is told that we have let go. */
      send_packet (stream, RPC_OK, NULL, 0);
      end_stream (stream);
  }
}
