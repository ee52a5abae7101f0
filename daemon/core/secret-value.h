/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

/*
 * The value of a secret in memory of its own: locked, so that it is never swapped out, left out of core dumps
 * and of child processes, and cleared before it is given back. Immutable once filled, shared by reference,
 * any thread.
 */
#define SECRET_VALUE_MAX 65536 /* bytes; libvirt's own limit */

typedef struct SecretValue SecretValue;

SecretValue *secret_value_new (gconstpointer bytes, gsize length);
/* To be filled through secret_value_room, once. */
SecretValue *secret_value_new_empty (gsize capacity);
guint8 *secret_value_room (SecretValue *value);
void secret_value_set_length (SecretValue *value, gsize length);

SecretValue *secret_value_ref (SecretValue *value);
void secret_value_unref (SecretValue *value);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (SecretValue, secret_value_unref)
const guint8 *secret_value_bytes (const SecretValue *value);
gsize secret_value_length (const SecretValue *value);
