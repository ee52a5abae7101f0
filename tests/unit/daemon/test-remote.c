/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * The daemon as another one's client, over a real socket: one that answers, and one that stalls, lies, hangs
 * up or sends too much. Whatever it does, the job ends by its deadline, with a reason.
 */
#include "daemon/rpc/remote.h"

#include "base/virt-error.h"
#include "daemon/rpc/frame.h"
#include "main-loop.h"
#include "wire/xdr.h"

#include "cmocka-glib.h"

#include <gio/gio.h>
#include <gio/gunixsocketaddress.h>
#include <glib/gstdio.h>
#include <string.h>

#define SERVER_TIMEOUT 20 /* seconds; no test comes near */
#define GENEROUS       15 /* seconds of a job that is to end before */
#define SHORT          1  /* of one whose end is its deadline */

enum { PROCEDURE_OPEN = 1, PROCEDURE_VERSION = 4, PROCEDURE_AUTH_LIST = 66 };

/* What the other side does when it is asked for its version. FALSE: it hangs up. */
typedef gboolean (*Behave) (GSocket *socket, const RpcHeader *call);

typedef struct {
  GSocket *listening;
  char *directory, *path, *uri;
  GThread *thread;
  Behave behave;
  gint32 authentication;
  gboolean answers; /* login */
} Peer;

static void
send_bytes (GSocket *socket, const guint8 *bytes, gsize length)
{
  for (gsize done = 0; done < length;) {
    gssize sent = g_socket_send (socket, (const char *)bytes + done, length - done, NULL, NULL);

    if (sent <= 0)
      return; /* the client has gone */
    done += (gsize)sent;
  }
}

/* @payload NULL: none. */
static void
send_frame (GSocket *socket, const RpcHeader *header, const GByteArray *payload)
{
  g_autoptr (GByteArray) frame = rpc_frame_new (header);

  if (payload != NULL)
    g_byte_array_append (frame, payload->data, payload->len);
  rpc_frame_finish (frame);
  send_bytes (socket, frame->data, frame->len);
}

static RpcHeader
reply_to (const RpcHeader *call)
{
  RpcHeader reply = *call;

  reply.type = RPC_REPLY;
  return reply;
}

static void
reply (GSocket *socket, const RpcHeader *call, const char *shape, GVariant *value)
{
  g_autoptr (GVariant) sunk = g_variant_ref_sink (value);
  g_autoptr (GByteArray) payload = g_byte_array_new ();
  RpcHeader header = reply_to (call);

  assert_true (xdr_encode (shape_of (shape), sunk, payload, NULL));
  send_frame (socket, &header, payload);
}

static gboolean
receive (GSocket *socket, guint8 *bytes, gsize length)
{
  for (gsize done = 0; done < length;) {
    gssize got = g_socket_receive (socket, (char *)bytes + done, length - done, NULL, NULL);

    if (got <= 0)
      return FALSE;
    done += (gsize)got;
  }
  return TRUE;
}

static gboolean
next_call (GSocket *socket, RpcHeader *call)
{
  guint8 head[RPC_FRAME_MINIMUM];
  g_autofree guint8 *rest = NULL;
  gsize length;

  if (!receive (socket, head, sizeof head))
    return FALSE;
  rpc_header_decode (head, call);
  length = rpc_word (head) - RPC_FRAME_MINIMUM;
  rest = g_malloc (length + 1);
  return receive (socket, rest, length);
}

static gpointer
serve (gpointer data)
{
  Peer *peer = data;
  g_autoptr (GSocket) socket = g_socket_accept (peer->listening, NULL, NULL);
  RpcHeader call;

  if (socket == NULL)
    return NULL;
  g_socket_set_timeout (socket, SERVER_TIMEOUT);
  while (next_call (socket, &call)) {
    if (!peer->answers)
      continue;
    if (call.procedure == PROCEDURE_AUTH_LIST) {
      GVariant *kinds = g_variant_new_fixed_array (G_VARIANT_TYPE_INT32, &peer->authentication, 1,
                                                   sizeof peer->authentication);

      reply (socket, &call, "ai{20}", g_variant_new_tuple (&kinds, 1));
    } else if (call.procedure == PROCEDURE_OPEN) {
      reply (socket, &call, "-", g_variant_new ("()"));
    } else if (!peer->behave (socket, &call)) {
      return NULL;
    }
  }
  return NULL;
}

static void
peer_start (Peer *peer)
{
  g_autoptr (GSocketAddress) address = NULL;

  peer->directory = g_dir_make_tmp ("rXXXXXX", NULL);
  peer->path = g_build_filename (peer->directory, "socket", NULL);
  peer->uri = g_strdup_printf ("qemu+unix:///system?socket=%s", peer->path);
  address = g_unix_socket_address_new (peer->path);
  peer->listening =
      g_socket_new (G_SOCKET_FAMILY_UNIX, G_SOCKET_TYPE_STREAM, G_SOCKET_PROTOCOL_DEFAULT, NULL);
  assert_true (g_socket_bind (peer->listening, address, FALSE, NULL));
  assert_true (g_socket_listen (peer->listening, NULL));
  g_socket_set_timeout (peer->listening, SERVER_TIMEOUT);
  peer->thread = g_thread_new ("peer", serve, peer);
}

static void
peer_end (Peer *peer)
{
  g_thread_join (peer->thread);
  g_object_unref (peer->listening);
  g_unlink (peer->path);
  g_rmdir (peer->directory);
  g_free (peer->directory);
  g_free (peer->path);
  g_free (peer->uri);
}

/* The client's side. */

typedef struct {
  const char *uri;
  guint patience; /* of the way in */
  gboolean done, lost;
  guint64 version;
  int code;
  char *message;
} Asked;

static gpointer
ask_job (Job *job, gpointer data, GError **error)
{
  Asked *asked = data;
  g_autoptr (Remote) remote = remote_open (asked->uri, asked->patience, job, error);
  g_autoptr (GVariant) answer =
      remote != NULL ? remote_call (remote, job, PROCEDURE_VERSION, "-", "t", g_variant_new ("()"), error)
                     : NULL;

  asked->lost = remote != NULL && remote_is_lost (remote);
  if (answer != NULL)
    g_variant_get (answer, "(t)", &asked->version);
  if (asked->lost && answer == NULL) { /* and stays so */
    g_autoptr (GError) again = NULL;

    assert_null (remote_call (remote, job, PROCEDURE_VERSION, "-", "t", g_variant_new ("()"), &again));
    assert_non_null (again);
  }
  return answer != NULL ? JOB_OK : NULL;
}

static void
told (G_GNUC_UNUSED gpointer result, const GError *error, gpointer data)
{
  Asked *asked = data;

  asked->done = TRUE;
  asked->code = error != NULL ? error->code : 0;
  asked->message = g_strdup (error != NULL ? error->message : "");
}

static Asked
ask (const char *uri, guint patience, guint seconds)
{
  Asked asked = { .uri = uri, .patience = patience };

  job_start ("ask", ask_job, &asked, NULL, seconds, told, &asked);
  assert_true (run_main_loop_until (&asked.done));
  return asked;
}

static void
assert_says (const char *text, const char *words)
{
  if (strstr (text, words) == NULL)
    fail_msg ("'%s' does not say '%s'", text, words);
}

/* What others do. */

static gboolean
answer_it (GSocket *socket, const RpcHeader *call)
{
  reply (socket, call, "t", g_variant_new ("(t)", (guint64)11003000));
  return TRUE;
}

/* A ping, an event and somebody else's answer come first. */
static gboolean
answer_among_others (GSocket *socket, const RpcHeader *call)
{
  const RpcHeader ping = {
    .program = RPC_PROGRAM_KEEPALIVE, .version = 1, .procedure = 1, .type = RPC_MESSAGE
  };
  RpcHeader pong, other = reply_to (call);
  const RpcHeader event = {
    .program = RPC_PROGRAM_REMOTE, .version = 1, .procedure = 318, .type = RPC_MESSAGE
  };

  send_frame (socket, &ping, NULL);
  assert_true (next_call (socket, &pong));
  assert_int_equal (pong.program, RPC_PROGRAM_KEEPALIVE);
  assert_int_equal (pong.procedure, 2);
  send_frame (socket, &event, NULL);
  other.serial += 1000;
  send_frame (socket, &other, NULL);
  return answer_it (socket, call);
}

static gboolean
stall (G_GNUC_UNUSED GSocket *socket, G_GNUC_UNUSED const RpcHeader *call)
{
  return TRUE;
}

static gboolean
hang_up (G_GNUC_UNUSED GSocket *socket, G_GNUC_UNUSED const RpcHeader *call)
{
  return FALSE;
}

static gboolean
cut_short (GSocket *socket, const RpcHeader *call)
{
  RpcHeader header = reply_to (call);
  g_autoptr (GByteArray) frame = rpc_frame_new (&header);

  rpc_append_word (frame, 0);
  rpc_append_word (frame, 5);
  rpc_frame_finish (frame);
  send_bytes (socket, frame->data, frame->len - RPC_WORD);
  return FALSE;
}

static gboolean
say_length (GSocket *socket, const RpcHeader *call, guint32 length)
{
  RpcHeader header = reply_to (call);
  g_autoptr (GByteArray) frame = rpc_frame_new (&header);

  rpc_frame_finish (frame);
  for (guint i = 0; i < RPC_WORD; i++)
    frame->data[i] = (guint8)(length >> (8 * (RPC_WORD - 1 - i)));
  send_bytes (socket, frame->data, frame->len);
  return TRUE;
}

static gboolean
oversized (GSocket *socket, const RpcHeader *call)
{
  return say_length (socket, call, RPC_FRAME_MAX + 1);
}

static gboolean
undersized (GSocket *socket, const RpcHeader *call)
{
  return say_length (socket, call, RPC_FRAME_MINIMUM - 1);
}

/* More of nothing than anybody waits for. */
static gboolean
endless_events (GSocket *socket, G_GNUC_UNUSED const RpcHeader *call)
{
  const RpcHeader event = {
    .program = RPC_PROGRAM_REMOTE, .version = 1, .procedure = 318, .type = RPC_MESSAGE
  };
  g_autoptr (GByteArray) frame = rpc_frame_new (&event);
  gssize sent;

  rpc_frame_finish (frame);
  do
    sent = g_socket_send (socket, (const char *)frame->data, frame->len, NULL, NULL);
  while (sent > 0);
  return FALSE;
}

static gboolean
another_shape (GSocket *socket, const RpcHeader *call)
{
  RpcHeader header = reply_to (call);

  send_frame (socket, &header, NULL);
  return TRUE;
}

static gboolean
error_without_words (GSocket *socket, const RpcHeader *call)
{
  static const guint8 nonsense[] = { 0xff, 0xff, 0xff, 0xff, 1 };
  g_autoptr (GByteArray) payload = g_byte_array_new ();
  RpcHeader header = reply_to (call);

  header.status = RPC_ERROR;
  g_byte_array_append (payload, nonsense, sizeof nonsense);
  send_frame (socket, &header, payload);
  return TRUE;
}

static const struct {
  const char *name;
  Behave behave;
  guint seconds;
  const char *words; /* NULL: it is answered */
  gboolean lost;
} behaviours[] = {
  { "answers", answer_it, GENEROUS, NULL, FALSE },
  { "answers among others", answer_among_others, GENEROUS, NULL, FALSE },
  { "stalls", stall, SHORT, "", TRUE },
  { "hangs up", hang_up, GENEROUS, "is lost: ", TRUE },
  { "is cut short", cut_short, GENEROUS, "is lost: ", TRUE },
  { "says too much", oversized, GENEROUS, "a frame has a length that the protocol does not have", TRUE },
  { "says too little", undersized, GENEROUS, "a frame has a length that the protocol does not have", TRUE },
  { "never ends", endless_events, SHORT, "", TRUE },
  { "answers another question", another_shape, GENEROUS, "", TRUE },
  { "fails without words", error_without_words, GENEROUS, "the other daemon has failed, and does not say why",
    FALSE },
};

static void
each_behaviour (G_GNUC_UNUSED void **state)
{
  for (guint i = 0; i < G_N_ELEMENTS (behaviours); i++) {
    Peer peer = { .behave = behaviours[i].behave, .answers = TRUE };
    Asked asked;

    peer_start (&peer);
    asked = ask (peer.uri, GENEROUS, behaviours[i].seconds);
    peer_end (&peer);
    if (behaviours[i].words == NULL) {
      assert_int_equal (asked.version, 11003000);
      assert_int_equal (asked.code, 0);
    } else {
      assert_int_not_equal (asked.code, 0);
      assert_says (asked.message, behaviours[i].words);
    }
    if (asked.lost != behaviours[i].lost)
      fail_msg ("one that %s: lost is %d", behaviours[i].name, asked.lost);
    g_free (asked.message);
  }
}

static void
who_wants_to_know_who_we_are (G_GNUC_UNUSED void **state)
{
  Peer peer = { .behave = answer_it, .answers = TRUE, .authentication = 1 };
  Asked asked;

  peer_start (&peer);
  asked = ask (peer.uri, GENEROUS, GENEROUS);
  peer_end (&peer);
  assert_int_equal (asked.code, VIR_ERR_AUTH_FAILED);
  assert_says (asked.message, "asks for an authentication");
  g_free (asked.message);
}

/* However long the job may take. */
static void
who_says_nothing_at_all (G_GNUC_UNUSED void **state)
{
  Peer peer = { .behave = answer_it };
  Asked asked;

  peer_start (&peer);
  asked = ask (peer.uri, SHORT, GENEROUS);
  peer_end (&peer);
  assert_int_equal (asked.code, VIR_ERR_OPERATION_TIMEOUT);
  assert_says (asked.message, "has said nothing for 1 seconds");
  g_free (asked.message);
}

static void
ways_that_are_none (G_GNUC_UNUSED void **state)
{
  static const struct {
    const char *uri;
    int code;
  } rows[] = {
    { "", VIR_ERR_INVALID_ARG },
    { "xen:///system", VIR_ERR_INVALID_ARG },
    { "qemu+ssh://there/system", VIR_ERR_INVALID_ARG },
    { "qemu+tls://there/system", VIR_ERR_INVALID_ARG },
    { "qemu+tcp:///system", VIR_ERR_INVALID_ARG },
    { "qemu://there/system", VIR_ERR_INVALID_ARG },
    { "qemu+unix:///system?socket=/no/such/socket", VIR_ERR_OPERATION_FAILED },
    { "qemu+tcp://127.0.0.1:1/system", VIR_ERR_OPERATION_FAILED },
  };

  for (guint i = 0; i < G_N_ELEMENTS (rows); i++) {
    Asked asked = ask (rows[i].uri, GENEROUS, GENEROUS);

    if (asked.code != rows[i].code)
      fail_msg ("'%s': %d, %s", rows[i].uri, asked.code, asked.message);
    g_free (asked.message);
  }
}

int
main (void)
{
  const struct CMUnitTest tests[] = {
    cmocka_unit_test (each_behaviour),
    cmocka_unit_test (who_wants_to_know_who_we_are),
    cmocka_unit_test (who_says_nothing_at_all),
    cmocka_unit_test (ways_that_are_none),
  };

  return cmocka_run_group_tests (tests, NULL, NULL);
}
