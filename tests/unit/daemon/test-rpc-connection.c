/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* A connection of the RPC wire over a real socket: what a peer costs that reads, but never everything. */
#include "daemon/rpc/connection.h"

#include "cmocka-glib.h"

#include <sys/socket.h>
#include <unistd.h>

#define PAYLOAD_BYTES (64 * 1024)
#define ROUNDS        500
#define AHEAD_BYTES   (1024 * 1024) /* what the peer leaves unread; more than a socket holds */

static void
take_frame (RpcConnection *connection G_GNUC_UNUSED, const RpcHeader *header G_GNUC_UNUSED,
            const guint8 *payload G_GNUC_UNUSED, gsize length G_GNUC_UNUSED, const int *fds G_GNUC_UNUSED,
            guint fd_count G_GNUC_UNUSED, gpointer data G_GNUC_UNUSED)
{
}

static gboolean
keep_all (RpcConnection *connection G_GNUC_UNUSED, gsize bytes G_GNUC_UNUSED, gpointer data G_GNUC_UNUSED)
{
  return TRUE;
}

static void
note_drained (RpcConnection *connection G_GNUC_UNUSED, gpointer data)
{
  *(gboolean *)data = TRUE;
}

static void
note_closed (RpcConnection *connection G_GNUC_UNUSED, gpointer data G_GNUC_UNUSED)
{
}

static const RpcConnectionHandlers handlers = { take_frame, keep_all, note_drained, note_closed };

static void
send_one (RpcConnection *connection, guint32 serial)
{
  static const guint8 payload[PAYLOAD_BYTES];
  RpcHeader header = { RPC_PROGRAM_REMOTE, RPC_VERSION, 1, RPC_REPLY, serial, RPC_OK };
  GByteArray *frame = rpc_frame_new (&header);

  g_byte_array_append (frame, payload, sizeof payload);
  rpc_connection_send (connection, frame, NULL, 0);
}

/* Exactly so many bytes, with the main loop's help. */
static void
read_bytes (int peer, gsize count, GByteArray *into)
{
  guint8 piece[4096];

  while (count > 0) {
    ssize_t got = recv (peer, piece, MIN (count, sizeof piece), MSG_DONTWAIT);

    if (got > 0) {
      g_byte_array_append (into, piece, (guint)got);
      count -= (gsize)got;
    } else {
      g_main_context_iteration (NULL, TRUE);
    }
  }
}

static void
peer_that_never_reads_all_costs_what_it_has_not_read (void **state)
{
  const gsize frame_bytes = RPC_FRAME_MINIMUM + PAYLOAD_BYTES;
  const guint ahead = AHEAD_BYTES / PAYLOAD_BYTES;
  g_autoptr (GByteArray) received = g_byte_array_new ();
  gboolean drained = FALSE;
  int ends[2];

  (void)state;
  assert_int_equal (socketpair (AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
  RpcConnection *connection = rpc_connection_new (ends[0], &handlers, &drained);
  for (guint32 serial = 0; serial < ahead; serial++)
    send_one (connection, serial);
  for (guint32 serial = ahead; serial < ahead + ROUNDS; serial++) {
    send_one (connection, serial);
    g_byte_array_set_size (received, 0);
    read_bytes (ends[1], frame_bytes, received);
    assert_int_equal (rpc_word (received->data), frame_bytes);
    assert_int_equal (rpc_word (received->data + 5 * RPC_WORD), serial - ahead);
    assert_false (drained);
    assert_true (rpc_connection_output_bytes (connection) <= 2 * (ahead + 2) * frame_bytes);
  }
  read_bytes (ends[1], ahead * frame_bytes, received);
  while (!drained)
    g_main_context_iteration (NULL, TRUE);
  rpc_connection_free (connection);
  close (ends[1]);
}

int
main (void)
{
  const struct CMUnitTest tests[] = {
    cmocka_unit_test (peer_that_never_reads_all_costs_what_it_has_not_read),
  };

  return cmocka_run_group_tests (tests, NULL, NULL);
}
