/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "daemon/call/operation.h"
#include "daemon/dbus/adapter.h"

/*
 * Values between D-Bus members and operations. Both sides are GVariant; the operation's is in its RPC shape,
 * the member's in the signature that libvirt-dbus gave it. Pure.
 */
#define DBUS_CODEC_ARGUMENTS_MAX 16 /* members of one operation's shape, either way */

/* The operation's arguments from the tuple @parameters of a D-Bus call about @object (a (sayi), (say) or
 * (sss), as its path says; NULL on the root). NULL with VIR_ERR_INVALID_ARG for a value that does not fit.
 * (transfer full) */
GVariant *
dbus_codec_arguments (const Operation *operation, GVariant *object, GVariant *parameters, GError **error);

/* The D-Bus answer of type @out (a tuple) from the operation's @results. (transfer full) */
GVariant *
dbus_codec_answer (const Operation *operation, GVariant *results, const GVariantType *out, GError **error);

/* The arguments of a signal, of type @out (a tuple), from an event's @payload of @signature. (transfer full)
 */
GVariant *
dbus_codec_payload (const char *signature, GVariant *payload, const GVariantType *out, GError **error);

/* Whether every call of @operation through a member with arguments @in and answer @out (tuples) can be
 * converted: FALSE says which argument or result has no rule. */
gboolean dbus_codec_agrees (const Operation *operation, const GVariantType *in, const GVariantType *out,
                            GError **error);
