/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "wire/shape.h"

/*
 * The rules by which one value changes between an RPC shape and a D-Bus type. A rule is found for a pair of
 * types and can then convert any value of them: so whether a member and an operation fit together is known
 * without calling either.
 */

/* Makes a @shape value of the D-Bus @value. NULL and VIR_ERR_INVALID_ARG when it does not fit. (transfer
 * full) */
typedef GVariant *(*DbusFromClient) (const Shape *shape, GVariant *value, GError **error);
DbusFromClient dbus_from_client (const Shape *shape, const GVariantType *type);

/* Makes a D-Bus value of @type of @value in @shape. NULL and VIR_ERR_INTERNAL_ERROR when a number does not
 * fit. (transfer full) */
typedef GVariant *(*DbusToClient) (const Shape *shape, GVariant *value, const GVariantType *type,
                                   GError **error);
DbusToClient dbus_to_client (const Shape *shape, const GVariantType *type);

/* A CPU map's bits, lowest first, as a list of b; @count of them. (floating) */
GVariant *dbus_bits_to_client (const guint8 *map, gsize length, gsize count);
