/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <gio/gio.h>

/* Signatures of archives' manifests, made and checked by ssh-keygen with the user's own keys. */
#define SIGNATURE_NAMESPACE "domaind"

/* The signature of @text by the key in @key (or its public half, of a key that an agent has). NULL with
 * @error. (transfer full) */
char *signature_make (const char *text, gsize length, const char *key, GError **error);
/* Is @signature one of @text by @identity, as the file @allowed (ssh-keygen's allowed signers) has it? */
gboolean signature_check (const char *text, gsize length, const char *signature, const char *allowed,
                          const char *identity, GError **error);
