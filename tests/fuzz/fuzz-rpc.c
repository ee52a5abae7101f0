/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Any bytes as a client of the RPC wire: framing, login, dispatch, decoding and the operations behind, as far
 * as a read-only client gets, so that no input can change the host. An input is a first byte, then either
 * frames as they stand (odd) or (even) a list of: procedure (2 bytes), type and program (1), length of the
 * payload (2), payload; of these the headers are made here, behind an opening that is right.
 */
#include "daemon/rpc/client.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define FRAMES_MAX 64
#define TURNS_MAX  10000 /* of the main loop for one input */

int LLVMFuzzerInitialize (int *argc, char ***argv);
int LLVMFuzzerTestOneInput (const guint8 *data, gsize size);

static Manager *manager;

int
LLVMFuzzerInitialize (int *argc, char ***argv)
{
  g_autofree char *root = g_dir_make_tmp ("fuzz-rpc-XXXXXX", NULL);
  Settings *settings = settings_load (TRUE, root, NULL, NULL);

  (void)argc;
  (void)argv;
  manager = settings != NULL ? manager_new (settings, NULL) : NULL;
  g_assert_nonnull (manager);
  return 0;
}

static void
add_frame (GByteArray *out, RpcHeader header, const guint8 *payload, gsize length)
{
  GByteArray *frame = rpc_frame_new (&header);

  g_byte_array_append (frame, payload, (guint)length);
  rpc_frame_finish (frame);
  g_byte_array_append (out, frame->data, frame->len);
  g_byte_array_unref (frame);
}

static void
add_opening (GByteArray *out)
{
  static const guint8 open[] = { 0, 0, 0, 0, 0, 0, 0, VIR_CONNECT_RO };

  add_frame (out, (RpcHeader){ RPC_PROGRAM_REMOTE, RPC_VERSION, 1, RPC_CALL, 0, RPC_OK }, open, sizeof open);
}

static void
add_frames (GByteArray *out, const guint8 *data, gsize size)
{
  add_opening (out);
  for (guint i = 1; i <= FRAMES_MAX && size >= 5; i++) {
    RpcHeader header = { RPC_PROGRAM_REMOTE, RPC_VERSION, data[0] << 8 | data[1], data[2] & 0x0f, i, RPC_OK };
    gsize length = MIN ((gsize)(data[3] << 8 | data[4]), size - 5);

    if (data[2] & 0x10)
      header.program = RPC_PROGRAM_QEMU;
    if (data[2] & 0x20)
      header.serial = 1; /* a packet of a stream that may be there */
    add_frame (out, header, data + 5, length);
    data += 5 + length;
    size -= 5 + length;
  }
}

/* TRUE once the daemon's side has closed. */
static gboolean
drain (int fd)
{
  guint8 bytes[16384];
  ssize_t count;

  while ((count = recv (fd, bytes, sizeof bytes, MSG_DONTWAIT)) > 0)
    ;
  return count == 0 || (errno != EAGAIN && errno != EINTR);
}

int
LLVMFuzzerTestOneInput (const guint8 *data, gsize size)
{
  g_autoptr (GByteArray) frames = g_byte_array_new ();
  int pair[2];

  if (size == 0)
    return 0;
  if (data[0] & 1)
    g_byte_array_append (frames, data + 1, (guint)size - 1);
  else
    add_frames (frames, data + 1, size - 1);
  g_assert_cmpint (socketpair (AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), ==, 0);
  g_assert_nonnull (rpc_client_new (NULL, manager, pair[0], TRUE));
  for (gsize sent = 0; sent < frames->len;) {
    ssize_t count = send (pair[1], frames->data + sent, frames->len - sent, MSG_NOSIGNAL | MSG_DONTWAIT);

    if (count <= 0 && (errno != EAGAIN || drain (pair[1])))
      break;
    sent += count > 0 ? (gsize)count : 0;
    g_main_context_iteration (NULL, FALSE);
  }
  shutdown (pair[1], SHUT_WR);
  for (guint turn = 0; turn < TURNS_MAX && !drain (pair[1]); turn++)
    g_main_context_iteration (NULL, FALSE);
  close (pair[1]);
  while (g_main_context_iteration (NULL, FALSE))
    ;
  return 0;
}
