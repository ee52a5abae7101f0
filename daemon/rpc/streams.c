/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Streams: what a call opened goes on as packets with the call's serial, both ways, until one side finishes
 * or gives up. Here a stream is a descriptor that is read and written as the peer keeps up: a peer that does
 * not read stops the reading of the descriptor, and a descriptor that does not take stops the reading of
 * the peer.
 */

#include "daemon/rpc/client.h"

#include <errno.h>
#include <glib-unix.h>
#include <string.h>
#include <unistd.h>

#define STREAMS_MAX  64                /* open on one connection */
#define STREAM_PIECE (256 * 1024 - 24) /* bytes of one packet: the old payload limit, which clients expect \
                                        */
#define STREAM_QUEUE_MAX \
  (1024 * 1024) /* bytes waiting in the connection beyond which descriptors are not read */
#define STREAM_PENDING_MAX (32 * 1024 * 1024) /* bytes waiting for the descriptor: one largest packet */

typedef struct {
  RpcClient *client;
  RpcHeader request;
  int fd;
  guint read_source, write_source;
  GByteArray *pending; /* from the peer, for the descriptor */
  gboolean holding;    /* the connection, for @pending's sake */
  gboolean finishing;  /* the peer has said all */
  gboolean ended;      /* the descriptor has said all */
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

static void watch_reading (Stream *stream);

static gboolean
on_readable (gint fd, GIOCondition condition G_GNUC_UNUSED, gpointer data)
{
  Stream *stream = data;
  g_autofree guint8 *bytes = g_malloc (STREAM_PIECE);
  ssize_t count = read (fd, bytes, STREAM_PIECE);

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
    stream->read_source = g_unix_fd_add (stream->fd, G_IO_IN | G_IO_HUP | G_IO_ERR, on_readable, stream);
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

void
rpc_streams_open (RpcClient *client, const RpcHeader *request, int fd)
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
  stream->pending = g_byte_array_new ();
  g_hash_table_insert (client->streams->by_serial, GUINT_TO_POINTER (request->serial), stream);
  watch_reading (stream);
}

static gboolean on_writable (gint fd, GIOCondition condition, gpointer data);

/* Write what is pending. The stream may be gone afterwards. */
static void
write_pending (Stream *stream)
{
  while (stream->pending->len > 0) {
    ssize_t count = write (stream->fd, stream->pending->data, stream->pending->len);

    if (count < 0 && errno == EINTR)
      continue;
    if (count < 0 && errno == EAGAIN)
      break;
    if (count <= 0) {
      fail (stream, "write to");
      return;
    }
    g_byte_array_remove_range (stream->pending, 0, (guint)count);
  }

  if (stream->pending->len > 0) {
    if (stream->write_source == 0)
      stream->write_source = g_unix_fd_add (stream->fd, G_IO_OUT | G_IO_ERR, on_writable, stream);
    if (!stream->holding) {
      stream->holding = TRUE;
      rpc_connection_hold (stream->client->connection);
    }
    return;
  }
  if (stream->holding) {
    stream->holding = FALSE;
    rpc_connection_release (stream->client->connection);
  }
  if (stream->finishing) {
    send_packet (stream, RPC_OK, NULL, 0);
    end_stream (stream);
  }
}

static gboolean
on_writable (gint fd G_GNUC_UNUSED, GIOCondition condition G_GNUC_UNUSED, gpointer data)
{
  Stream *stream = data;

  stream->write_source = 0;
  write_pending (stream);
  return G_SOURCE_REMOVE;
}

/* A hole in a stream that was not opened as sparse is the zeros it stands for, within reason. */
static gboolean
append_hole (Stream *stream, const guint8 *payload, gsize length)
{
  guint64 hole;
  guint old_length = stream->pending->len;

  if (length < 2 * RPC_WORD)
    return FALSE;
  hole = (guint64)rpc_word (payload) << 32 | rpc_word (payload + RPC_WORD);
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
        g_byte_array_append (stream->pending, payload, (guint)length);
      write_pending (stream);
      return;
    case RPC_OK:
      stream->finishing = TRUE;
      write_pending (stream);
      return;
    default:
      /* Given up by the peer, which is told that we have let go. */
      send_packet (stream, RPC_OK, NULL, 0);
      end_stream (stream);
  }
}
