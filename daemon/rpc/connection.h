/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "daemon/rpc/frame.h"

/*
 * One socket of the RPC protocol: frames in, frames out, descriptors with either. It knows lengths and
 * limits, no meaning. Main loop only; it never waits. What is read in one go is handled in one go, and what
 * that answers is written in one go.
 */
typedef struct RpcConnection RpcConnection;

typedef struct {
  /* One whole frame. @payload is the connection's, for the time of the call; @fds are the handler's to close.
   */
  void (*frame) (RpcConnection *connection, const RpcHeader *header, const guint8 *payload, gsize length,
                 const int *fds, guint fd_count, gpointer data);
  /* So many bytes are kept now, received or to be sent. FALSE: that is too much, and the connection is to
   * end. */
  gboolean (*keeps) (RpcConnection *connection, gsize bytes, gpointer data);
  /* Everything has been sent: who held back may go on. */
  void (*drained) (RpcConnection *connection, gpointer data);
  /* The peer is gone or broke the protocol: the last call. The connection may be freed in it. */
  void (*closed) (RpcConnection *connection, gpointer data);
} RpcConnectionHandlers;

#define RPC_OUTPUT_MAX \
  (8 * 1024 * 1024) /* bytes waiting to be sent, beyond which nothing more is read from the peer */

/* Takes the connected socket @fd. Frames of more than RPC_LOGIN_FRAME_MAX bytes end it until
 * rpc_connection_admit. */
RpcConnection *rpc_connection_new (int fd, const RpcConnectionHandlers *handlers, gpointer data);
/* The peer has logged in: frames may be as long as the protocol has them. */
void rpc_connection_admit (RpcConnection *connection);
void rpc_connection_free (RpcConnection *connection);

/* Send a frame (from rpc_frame_new; taken) and copies of the descriptors. */
void rpc_connection_send (RpcConnection *connection, GByteArray *frame, const int *fds, guint fd_count);
/* Bytes not sent yet. */
gsize rpc_connection_queued (const RpcConnection *connection);
/* Bytes kept for sending: those, and as many again at most that were sent and are not given back yet. */
gsize rpc_connection_output_bytes (const RpcConnection *connection);
/* While held, nothing more is read: the peer has enough calls in flight. Counted. */
void rpc_connection_hold (RpcConnection *connection);
void rpc_connection_release (RpcConnection *connection);
gboolean rpc_connection_is_held (const RpcConnection *connection);
/* Send what is queued, then close; frames that still come, or are to be sent, are dropped. `closed` is
 * called. */
void rpc_connection_finish (RpcConnection *connection);
/* Close at the main loop's next turn, without waiting for what is queued to be read. */
void rpc_connection_break (RpcConnection *connection);
/* The same at once: what the socket does not take now is lost. */
void rpc_connection_end (RpcConnection *connection);
