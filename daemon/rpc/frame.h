/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

/*
 * Frames of libvirt's RPC protocol: a length word (which counts itself), a header of six words, and the
 * payload; all words big-endian.
 */
#define RPC_WORD          4
#define RPC_HEADER_BYTES  24
#define RPC_FRAME_MINIMUM (RPC_WORD + RPC_HEADER_BYTES)
#define RPC_FRAME_MAX     (33554432 + RPC_WORD) /* VIR_NET_MESSAGE_MAX and the length word */
#define RPC_LOGIN_FRAME_MAX \
  (64 * 1024)          /* bytes, before a client has logged in: nothing that it says then has a tenth */
#define RPC_FDS_MAX 32 /* descriptors with one message; VIR_NET_MESSAGE_NUM_FDS_MAX */

enum { RPC_PROGRAM_REMOTE = 0x20008086, RPC_PROGRAM_QEMU = 0x20008087, RPC_PROGRAM_KEEPALIVE = 0x6b656570 };
enum { RPC_VERSION = 1 };

typedef enum {
  RPC_CALL,
  RPC_REPLY,
  RPC_MESSAGE,
  RPC_STREAM,
  RPC_CALL_WITH_FDS,
  RPC_REPLY_WITH_FDS,
  RPC_STREAM_HOLE,
} RpcType;

typedef enum { RPC_OK, RPC_ERROR, RPC_CONTINUE } RpcStatus;

typedef struct {
  guint32 program, version;
  gint32 procedure;
  guint32 type; /* RpcType, as the peer says it */
  guint32 serial;
  guint32 status; /* RpcStatus, as the peer says it */
} RpcHeader;

/* @bytes: at least RPC_FRAME_MINIMUM of them, from the length word on. */
void rpc_header_decode (const guint8 *bytes, RpcHeader *ret_header);
/* A frame of @header, for a payload to be appended to and rpc_frame_finish to give its length. (transfer
 * full) */
GByteArray *rpc_frame_new (const RpcHeader *header);
void rpc_frame_finish (GByteArray *frame);

guint32 rpc_word (const guint8 *bytes);
void rpc_append_word (GByteArray *bytes, guint32 word);
