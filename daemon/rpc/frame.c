/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * The outermost layer of the RPC protocol: words and headers, no meaning.
 */

#include "daemon/rpc/frame.h"

#include <string.h>

guint32
rpc_word (const guint8 *bytes)
{
  guint32 word;

  memcpy (&word, bytes, sizeof word);
  return GUINT32_FROM_BE (word);
}

void
rpc_append_word (GByteArray *bytes, guint32 word)
{
  word = GUINT32_TO_BE (word);
  g_byte_array_append (bytes, (const guint8 *)&word, sizeof word);
}

void
rpc_header_decode (const guint8 *bytes, RpcHeader *ret_header)
{
  const guint8 *header = bytes + RPC_WORD;

  *ret_header = (RpcHeader){
    .program = rpc_word (header),
    .version = rpc_word (header + 1 * RPC_WORD),
    .procedure = (gint32)rpc_word (header + 2 * RPC_WORD),
    .type = rpc_word (header + 3 * RPC_WORD),
    .serial = rpc_word (header + 4 * RPC_WORD),
    .status = rpc_word (header + 5 * RPC_WORD),
  };
}

GByteArray *
rpc_frame_new (const RpcHeader *header)
{
  GByteArray *frame = g_byte_array_sized_new (RPC_FRAME_MINIMUM);

  rpc_append_word (frame, 0);
  rpc_append_word (frame, header->program);
  rpc_append_word (frame, header->version);
  rpc_append_word (frame, (guint32)header->procedure);
  rpc_append_word (frame, header->type);
  rpc_append_word (frame, header->serial);
  rpc_append_word (frame, header->status);
  return frame;
}

void
rpc_frame_finish (GByteArray *frame)
{
  guint32 length = GUINT32_TO_BE (frame->len);

  memcpy (frame->data, &length, sizeof length);
}
