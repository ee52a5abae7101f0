/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * The socket of one RPC client. Input is taken in large pieces into one buffer from which whole frames are
 * handed on in place; output is appended to one buffer that is written when the input is dealt with, so that
 * sixty-four calls in flight cost two system calls and not a hundred and twenty-eight.
 *
 * The socket is a source of its own kind: what it waits for changes without the source being made anew, and
 * it may recurse, as GLib otherwise wakes the main loop twice for every dispatch, which is two system calls
 * of five. Nothing here runs the main loop again, so nothing ever recurses.
 *
 * Descriptors travel beside the bytes: behind a frame that announces N of them come N single bytes, each with
 * one descriptor. The kernel ends a read at such a byte, so they arrive in order and are kept in a queue.
 */

#include "daemon/rpc/connection.h"

#include <errno.h>
#include <fcntl.h>
#include <glib-unix.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define READ_BYTES     (64 * 1024)
#define READS_IN_A_ROW 16          /* pieces before other clients have their turn */
#define SLICE_US       2000        /* of one connection's calls, before the others have their turn */
#define KEPT_BYTES     (16 * 1024) /* a buffer that has grown larger is given back once it is empty */

typedef struct {
  gsize position; /* in the output, of the byte it goes with */
  int fd;
} OutgoingFd;

typedef struct {
  GSource source;
  RpcConnection *connection;
  gpointer tag; /* of the socket */
} ConnectionSource;

struct RpcConnection {
  int fd;
  const RpcConnectionHandlers *handlers;
  gpointer data;
  GByteArray *input, *output;
  gsize sent;               /* of the output */
  GArray *incoming;         /* int: received, not yet handed on */
  GArray *outgoing;         /* OutgoingFd */
  ConnectionSource *source; /* NULL once it has ended */
  GIOCondition condition;   /* that the source waits for */
  guint soon;               /* the main loop's next turn, to go on with what is here */
  guint holds;
  gsize frame_max; /* bytes */
  gboolean handling, closed;
  gboolean finishing; /* ends as soon as all is sent; nothing more is taken or queued */
  gboolean broken;    /* ends at the main loop's next turn, whatever is left to send */
  gboolean kept;      /* there may be whole frames in the input that were not handed on */
  gboolean *freed;    /* set where a handler may free the connection under us */
};

static gboolean on_ready (GSource *source, GSourceFunc callback, gpointer data);
static gboolean handle_kept (gpointer data);

static GSourceFuncs connection_source_functions = { .dispatch = on_ready };

static ConnectionSource *
connection_source_new (RpcConnection *connection)
{
  GSource *source = g_source_new (&connection_source_functions, sizeof (ConnectionSource));
  ConnectionSource *own = (ConnectionSource *)source;

  own->connection = connection;
  own->tag = g_source_add_unix_fd (source, connection->fd, connection->condition);
  g_source_set_can_recurse (source, TRUE);
  g_source_attach (source, NULL);
  return own;
}

static void
connection_source_end (ConnectionSource *source)
{
  g_source_destroy (&source->source);
  g_source_unref (&source->source);
}

/* Whether more may be taken from the peer: it may not while it has too much in flight, or does not read what
 * it is answered. */
static gboolean
takes_frames (const RpcConnection *connection)
{
  return connection->holds == 0 && !connection->finishing
         && rpc_connection_queued (connection) < RPC_OUTPUT_MAX;
}

static void
watch (RpcConnection *connection)
{
  GIOCondition condition = G_IO_HUP | G_IO_ERR;

  if (connection->closed)
    return;
  if (takes_frames (connection))
    condition |= G_IO_IN;
  if (rpc_connection_queued (connection) > 0)
    condition |= G_IO_OUT;
  if (condition == connection->condition)
    return;
  connection->condition = condition;
  g_source_modify_unix_fd (&connection->source->source, connection->source->tag, condition);
}

/* At the main loop's next turn: frames that came before a hold wait in the buffer, and no socket will
 * announce them again; answers that were given later are sent; and an end is never told from inside a call of
 * ours. */
static void
go_on_soon (RpcConnection *connection)
{
  if (connection->soon == 0)
    connection->soon = g_idle_add_full (G_PRIORITY_DEFAULT, handle_kept, connection, NULL);
}

RpcConnection *
rpc_connection_new (int fd, const RpcConnectionHandlers *handlers, gpointer data)
{
  RpcConnection *connection = g_new0 (RpcConnection, 1);

  connection->fd = fd;
  connection->handlers = handlers;
  connection->data = data;
  connection->frame_max = RPC_LOGIN_FRAME_MAX;
  connection->input = g_byte_array_new ();
  connection->output = g_byte_array_new ();
  connection->incoming = g_array_new (FALSE, FALSE, sizeof (int));
  connection->outgoing = g_array_new (FALSE, FALSE, sizeof (OutgoingFd));
  connection->condition = G_IO_IN | G_IO_HUP | G_IO_ERR;
  connection->source = connection_source_new (connection);
  return connection;
}

void
rpc_connection_admit (RpcConnection *connection)
{
  connection->frame_max = RPC_FRAME_MAX;
}

void
rpc_connection_free (RpcConnection *connection)
{
  if (connection == NULL)
    return;
  if (connection->freed != NULL)
    *connection->freed = TRUE;
  g_clear_pointer (&connection->source, connection_source_end);
  g_clear_handle_id (&connection->soon, g_source_remove);
  close (connection->fd);
  for (guint i = 0; i < connection->incoming->len; i++)
    close (g_array_index (connection->incoming, int, i));
  for (guint i = 0; i < connection->outgoing->len; i++)
    close (g_array_index (connection->outgoing, OutgoingFd, i).fd);
  g_array_unref (connection->incoming);
  g_array_unref (connection->outgoing);
  g_byte_array_unref (connection->input);
  g_byte_array_unref (connection->output);
  g_free (connection);
}

gsize
rpc_connection_queued (const RpcConnection *connection)
{
  return connection->output->len - connection->sent;
}

gsize
rpc_connection_output_bytes (const RpcConnection *connection)
{
  return connection->output->len;
}

/* The peer is gone. Returns FALSE: nothing more is to be done with the connection. */
static gboolean
end (RpcConnection *connection)
{
  if (!connection->closed) {
    connection->closed = TRUE;
    g_clear_pointer (&connection->source, connection_source_end);
    g_clear_handle_id (&connection->soon, g_source_remove);
    connection->handlers->closed (connection, connection->data);
  }
  return FALSE;
}

/* A buffer that is done with: empty, and small again if it was large. What was in it may have been a secret.
 */
static void
empty (GByteArray **buffer)
{
  if ((*buffer)->len > 0)
    explicit_bzero ((*buffer)->data, (*buffer)->len);
  if ((*buffer)->len > KEPT_BYTES) {
    g_byte_array_unref (*buffer);
    *buffer = g_byte_array_new ();
  } else {
    g_byte_array_set_size (*buffer, 0);
  }
}

/* The rest moves to the front, and nothing of it stays behind. */
static void
remove_first (GByteArray *buffer, gsize length)
{
  g_byte_array_remove_range (buffer, 0, (guint)length);
  explicit_bzero (buffer->data + buffer->len, length);
}

/* A peer that reads, but never all of it, must not make the buffer grow with everything it was ever sent. */
static void
forget_sent (RpcConnection *connection)
{
  gsize sent = connection->sent;

  if (sent < KEPT_BYTES || sent < rpc_connection_queued (connection))
    return;
  remove_first (connection->output, sent);
  for (guint i = 0; i < connection->outgoing->len; i++)
    g_array_index (connection->outgoing, OutgoingFd, i).position -= sent;
  connection->sent = 0;
}

static ssize_t
send_piece (RpcConnection *connection)
{
  const guint8 *bytes = connection->output->data + connection->sent;
  gsize length = rpc_connection_queued (connection);
  OutgoingFd *next =
      connection->outgoing->len > 0 ? &g_array_index (connection->outgoing, OutgoingFd, 0) : NULL;
  struct iovec piece = { .iov_base = (gpointer)bytes, .iov_len = length };
  struct msghdr message = { .msg_iov = &piece, .msg_iovlen = 1 };
  union {
    struct cmsghdr header;
    char space[CMSG_SPACE (sizeof (int))];
  } control = { 0 };
  ssize_t count;

  if (next == NULL)
    return send (connection->fd, bytes, length, MSG_NOSIGNAL | MSG_DONTWAIT);
  if (next->position > connection->sent)
    return send (connection->fd, bytes, next->position - connection->sent, MSG_NOSIGNAL | MSG_DONTWAIT);

  piece.iov_len = 1;
  message.msg_control = &control;
  message.msg_controllen = sizeof control.space;
  control.header = (struct cmsghdr){ .cmsg_len = CMSG_LEN (sizeof (int)),
                                     .cmsg_level = SOL_SOCKET,
                                     .cmsg_type = SCM_RIGHTS };
  memcpy (CMSG_DATA (&control.header), &next->fd, sizeof (int));
  count = sendmsg (connection->fd, &message, MSG_NOSIGNAL | MSG_DONTWAIT);
  if (count == 1) {
    close (next->fd);
    g_array_remove_index (connection->outgoing, 0);
  }
  return count;
}

/* What is kept of this connection is known to who answers for it; an empty buffer costs nothing. */
static void
report_kept (RpcConnection *connection)
{
  if (!connection->closed
      && !connection->handlers->keeps (connection, connection->input->len + connection->output->len,
                                       connection->data))
    rpc_connection_break (connection);
}

/* FALSE once the connection has ended (and may be freed). */
static gboolean
flush_output (RpcConnection *connection)
{
  gboolean had_output = rpc_connection_queued (connection) > 0;

  if (connection->broken)
    return end (connection);
  while (rpc_connection_queued (connection) > 0) {
    ssize_t count = send_piece (connection);

    if (count < 0 && errno == EINTR)
      continue;
    if (count < 0 && (errno == EAGAIN || errno == EWOULDBLOCK))
      break;
    if (count <= 0)
      return end (connection);
    connection->sent += (gsize)count;
  }
  if (rpc_connection_queued (connection) == 0) {
    empty (&connection->output);
    connection->sent = 0;
    if (connection->finishing)
      return end (connection);
    if (had_output)
      connection->handlers->drained (connection, connection->data);
  } else {
    forget_sent (connection);
  }
  report_kept (connection);
  if (connection->kept && takes_frames (connection))
    go_on_soon (connection);
  watch (connection);
  return TRUE;
}

/* FALSE when there is nothing more for now, or ever: @ret_ended tells. One place to read into serves all
 * connections, so that each costs no more than what it has not been answered yet. */
static gboolean
receive (RpcConnection *connection, gboolean *ret_ended)
{
  static guint8 bytes[READ_BYTES];
  union {
    struct cmsghdr header;
    char space[CMSG_SPACE (RPC_FDS_MAX * sizeof (int))];
  } control;
  struct iovec piece = { bytes, sizeof bytes };
  struct msghdr message = {
    .msg_iov = &piece, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof control.space
  };
  ssize_t count;

  do
    count = recvmsg (connection->fd, &message, MSG_CMSG_CLOEXEC | MSG_DONTWAIT);
  while (count < 0 && errno == EINTR);
  if (count > 0)
    g_byte_array_append (connection->input, bytes, (guint)count);
  if (count > 0)
    explicit_bzero (bytes, (gsize)count);

  for (struct cmsghdr *header = count > 0 ? CMSG_FIRSTHDR (&message) : NULL; header != NULL;
       header = CMSG_NXTHDR (&message, header)) {
    if (header->cmsg_level == SOL_SOCKET && header->cmsg_type == SCM_RIGHTS)
      g_array_append_vals (connection->incoming, CMSG_DATA (header),
                           (header->cmsg_len - CMSG_LEN (0)) / sizeof (int));
  }
  *ret_ended = count == 0 || (count < 0 && errno != EAGAIN && errno != EWOULDBLOCK);
  return count == READ_BYTES || (count > 0 && message.msg_controllen > 0);
}

/* How long the frame at @bytes is with the bytes of its descriptors: 0 when more must come first, -1 when it
 * is none. */
static gssize
frame_extent (const RpcConnection *connection, const guint8 *bytes, gsize available, gsize *ret_length,
              guint *ret_fds)
{
  gsize length;
  RpcHeader header;

  *ret_fds = 0;
  if (available < RPC_WORD)
    return 0;
  length = rpc_word (bytes);
  if (length < RPC_FRAME_MINIMUM || length > connection->frame_max)
    return -1;
  *ret_length = length;
  if (available < length)
    return 0;

  rpc_header_decode (bytes, &header);
  if (header.type == RPC_CALL_WITH_FDS) {
    if (length < RPC_FRAME_MINIMUM + RPC_WORD)
      return -1;
    *ret_fds = rpc_word (bytes + RPC_FRAME_MINIMUM);
    if (*ret_fds > RPC_FDS_MAX)
      return -1;
    if (available < length + *ret_fds)
      return 0;
    if (connection->incoming->len < *ret_fds)
      return -1;
  }
  return (gssize)(length + *ret_fds);
}

static void
hand_on (RpcConnection *connection, const guint8 *bytes, gsize length, guint fd_count)
{
  gsize skipped = fd_count > 0 || rpc_word (bytes + 4 * RPC_WORD) == RPC_CALL_WITH_FDS ? RPC_WORD : 0;
  int fds[RPC_FDS_MAX];
  RpcHeader header;

  rpc_header_decode (bytes, &header);
  if (fd_count > 0) {
    memcpy (fds, connection->incoming->data, fd_count * sizeof (int));
    g_array_remove_range (connection->incoming, 0, fd_count);
  }
  connection->handlers->frame (connection, &header, bytes + RPC_FRAME_MINIMUM + skipped,
                               length - RPC_FRAME_MINIMUM - skipped, fds, fd_count, connection->data);
}

/* The whole frames of the input, as far as the peer may have more answered and its slice of time reaches:
 * others wait, and go on with the rest at the main loop's next turn. FALSE once the connection has ended (and
 * may be freed). */
static gboolean
handle_frames (RpcConnection *connection)
{
  gint64 slice_end = g_get_monotonic_time () + SLICE_US;
  gboolean freed = FALSE;
  gsize taken = 0;

  connection->freed = &freed;
  connection->handling = TRUE;
  connection->kept = TRUE;
  while (takes_frames (connection)) {
    guint fd_count;
    gsize length = 0;
    gsize left = connection->input->len - taken;
    gssize extent =
        left > 0 ? frame_extent (connection, connection->input->data + taken, left, &length, &fd_count) : 0;

    if (extent < 0) {
      connection->freed = NULL;
      rpc_connection_end (connection);
      return FALSE;
    }
    if (extent == 0) {
      connection->kept = FALSE;
      break;
    }
    hand_on (connection, connection->input->data + taken, length, fd_count);
    if (freed)
      return FALSE;
    taken += (gsize)extent;
    if (g_get_monotonic_time () >= slice_end) {
      go_on_soon (connection);
      break;
    }
  }
  connection->freed = NULL;
  connection->handling = FALSE;

  if (taken == connection->input->len)
    empty (&connection->input);
  else if (taken > 0)
    remove_first (connection->input, taken);
  report_kept (connection);
  /* Descriptors that no frame announced are not collected for ever. */
  return connection->incoming->len <= 2 * RPC_FDS_MAX || end (connection);
}

static gboolean
on_ready (GSource *source, GSourceFunc callback G_GNUC_UNUSED, gpointer data G_GNUC_UNUSED)
{
  RpcConnection *connection = ((ConnectionSource *)source)->connection;
  GIOCondition condition = g_source_query_unix_fd (source, ((ConnectionSource *)source)->tag);
  gboolean ended = FALSE;

  if ((condition & G_IO_IN) != 0) {
    for (guint i = 0; i < READS_IN_A_ROW; i++) {
      gboolean more = receive (connection, &ended);

      if (!handle_frames (connection))
        return G_SOURCE_REMOVE;
      if (!more || ended || connection->soon != 0 || !takes_frames (connection))
        break;
    }
  } else if ((condition & (G_IO_HUP | G_IO_ERR)) != 0) {
    ended = TRUE;
  }
  /* Who has said all may still want to hear the answers. */
  if (flush_output (connection) && ended)
    end (connection);
  return G_SOURCE_CONTINUE;
}

/* Takes @frame: a large one that nothing waits before becomes the output as it is. */
static void
append_output (RpcConnection *connection, GByteArray *frame)
{
  if (connection->output->len == 0 && frame->len > KEPT_BYTES) {
    g_byte_array_unref (connection->output);
    connection->output = frame;
    return;
  }
  g_byte_array_append (connection->output, frame->data, frame->len);
  explicit_bzero (frame->data, frame->len);
  g_byte_array_unref (frame);
}

void
rpc_connection_send (RpcConnection *connection, GByteArray *frame, const int *fds, guint fd_count)
{
  static const guint8 beside[1] = { 0 };

  if (connection->finishing) {
    g_byte_array_unref (frame);
    return;
  }
  rpc_frame_finish (frame);
  append_output (connection, frame);
  for (guint i = 0; i < fd_count; i++) {
    OutgoingFd outgoing = { connection->output->len, fcntl (fds[i], F_DUPFD_CLOEXEC, 0) };

    g_array_append_val (connection->outgoing, outgoing);
    g_byte_array_append (connection->output, beside, sizeof beside);
  }
  /* Within a frame's handling, the end of the handling writes; otherwise the main loop, at its next turn,
   * with whatever else this one gives to send. Nothing is to be tried where the socket is known to be full.
   */
  if (!connection->handling && !connection->closed && (connection->condition & G_IO_OUT) == 0)
    go_on_soon (connection);
}

void
rpc_connection_hold (RpcConnection *connection)
{
  connection->holds++;
  if (!connection->handling)
    watch (connection);
}

static gboolean
handle_kept (gpointer data)
{
  RpcConnection *connection = data;

  connection->soon = 0;
  if (handle_frames (connection))
    flush_output (connection);
  return G_SOURCE_REMOVE;
}

void
rpc_connection_release (RpcConnection *connection)
{
  g_return_if_fail (connection->holds > 0);
  if (--connection->holds == 0 && !connection->handling && !connection->closed)
    go_on_soon (connection);
}

void
rpc_connection_finish (RpcConnection *connection)
{
  connection->finishing = TRUE;
  if (!connection->handling && !connection->closed)
    go_on_soon (connection);
}

void
rpc_connection_break (RpcConnection *connection)
{
  connection->broken = TRUE;
  rpc_connection_finish (connection);
}

gboolean
rpc_connection_is_held (const RpcConnection *connection)
{
  return connection->holds > 0;
}

void
rpc_connection_end (RpcConnection *connection)
{
  if (flush_output (connection))
    end (connection);
}
