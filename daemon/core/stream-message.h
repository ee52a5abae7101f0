/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

/*
 * How a job and a wire talk about a file that is streamed: packets of a SOCK_SEQPACKET pair, each beginning
 * with this. Whoever reads a stream's descriptor knows by the socket's type whether it carries these or
 * plain bytes. The socket's buffers are the back-pressure, both ways.
 *
 *   download   the job sends data and holes, then the end or an error; it has shut its reading side
 *   upload     the job gets data and holes and the end; it answers the end with the end, or sends an error
 */
#define STREAM_MESSAGE_DATA_MAX (64 * 1024) /* bytes behind the header of one packet */

typedef enum {
  STREAM_MESSAGE_DATA,  /* bytes follow */
  STREAM_MESSAGE_HOLE,  /* @length zeros, not sent */
  STREAM_MESSAGE_END,   /* there is no more; or: all is on the disk */
  STREAM_MESSAGE_ERROR, /* the text follows, @code is a virErrorNumber; it is over */
} StreamMessageKind;

typedef struct {
  guint32 kind, code;
  guint64 length; /* bytes that follow; of a hole: that are meant */
} StreamMessage;
