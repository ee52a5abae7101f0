/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

/*
 * "sha256:HEX", the name of everything in a container image. Only SHA-256 is read: it is what images have,
 * and a name whose sum cannot be checked says nothing.
 */
#define IMAGE_DIGEST_PREFIX "sha256:"
#define IMAGE_DIGEST_HEX    64 /* digits behind the prefix */

/* The digits of @text, a part of it; NULL with @error for anything else, so that they are safe in a path. */
const char *image_digest_hex (const char *text, GError **error);
/* Whether what was summed is what @digest says; @what it is, for the error. */
gboolean image_digest_check (const char *digest, GChecksum *sum, const char *what, GError **error);
/* "sha256:HEX" of some bytes. (transfer full) */
char *image_digest_of (const char *bytes, gsize length);
