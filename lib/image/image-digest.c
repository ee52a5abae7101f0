/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Digests of container images. An image's documents name their parts by digest and every part is summed
 * before it is believed, so a mirror or an archive can withhold a part and never change one.
 */
#include "image/image-digest.h"

#include "base/virt-error.h"

#include <string.h>

#define SHOWN_MAX 100 /* characters of a bad digest in an error */

const char *
image_digest_hex (const char *text, GError **error)
{
  const char *hex = text != NULL && g_str_has_prefix (text, IMAGE_DIGEST_PREFIX)
                        ? text + strlen (IMAGE_DIGEST_PREFIX)
                        : NULL;

  if (hex != NULL && strlen (hex) == IMAGE_DIGEST_HEX && strspn (hex, "0123456789abcdef") == IMAGE_DIGEST_HEX)
    return hex;
  virt_error_set (error, VIR_ERR_INVALID_ARG,
                  "the image has the digest '%.*s': expected 'sha256:' and %d hexadecimal digits", SHOWN_MAX,
                  text != NULL ? text : "", IMAGE_DIGEST_HEX);
  return NULL;
}

gboolean
image_digest_check (const char *digest, GChecksum *sum, const char *what, GError **error)
{
  const char *hex = image_digest_hex (digest, error);

  if (hex == NULL)
    return FALSE;
  if (g_str_equal (hex, g_checksum_get_string (sum)))
    return TRUE;
  virt_error_set (error, VIR_ERR_OPERATION_FAILED,
                  "the image's %s is damaged: its SHA-256 is %s, expected %s", what,
                  g_checksum_get_string (sum), hex);
  return FALSE;
}

char *
image_digest_of (const char *bytes, gsize length)
{
  g_autofree char *hex = g_compute_checksum_for_data (G_CHECKSUM_SHA256, (const guchar *)bytes, length);

  return g_strconcat (IMAGE_DIGEST_PREFIX, hex, NULL);
}
