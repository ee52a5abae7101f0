/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "wire/shape.h"

/*
 * XDR (RFC 4506) as libvirt's RPC protocol uses it: big-endian, in units of four bytes, nothing said about
 * types: the shape says it. Bytes are hostile. Nothing is allocated for items that are not there, and the
 * depth of the reading is the shape's, not the input's. Pure: no sockets. Any thread.
 */
#define XDR_MESSAGE_MAX 33554408 /* bytes of one message's payload; VIR_NET_MESSAGE_PAYLOAD_MAX */

/* The value of @shape that @bytes begin with; surplus bytes are ignored, as libvirt does. NULL with
 * VIR_ERR_RPC, naming the place, when they are too short or break a limit. (transfer full) */
GVariant *xdr_decode (const Shape *shape, const guint8 *bytes, gsize length, GError **error);

/* The same, and how many bytes were taken: for what follows the value. */
GVariant *
xdr_decode_prefix (const Shape *shape, const guint8 *bytes, gsize length, gsize *ret_taken, GError **error);

/* Append @value, which must have the shape's type, to @bytes. FALSE with VIR_ERR_RPC, and @bytes as they
 * were, when it breaks a limit of the shape or @bytes would be longer than XDR_MESSAGE_MAX. */
gboolean xdr_encode (const Shape *shape, GVariant *value, GByteArray *bytes, GError **error);
