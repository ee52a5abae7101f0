/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* UUIDs in libvirt's spelling: read with dashes between any two octets or none, written lower case in groups.
 */
#include "base/scalars.h"

#include <sys/random.h>

gboolean
uuid_parse (const char *text, guint8 ret[UUID_BYTES])
{
  guint8 uuid[UUID_BYTES];

  if (text == NULL)
    return FALSE;
  while (g_ascii_isspace (*text))
    text++;
  for (guint i = 0; i < UUID_BYTES; i++) {
    int high, low;

    while (i > 0 && *text == '-')
      text++;
    high = g_ascii_xdigit_value (text[0]);
    low = high >= 0 ? g_ascii_xdigit_value (text[1]) : -1;
    if (low < 0)
      return FALSE;
    uuid[i] = (guint8)(high << 4 | low);
    text += 2;
  }
  while (g_ascii_isspace (*text))
    text++;
  if (*text != '\0')
    return FALSE;
  for (guint i = 0; i < UUID_BYTES; i++)
    ret[i] = uuid[i];
  return TRUE;
}

void
uuid_format (const guint8 uuid[UUID_BYTES], char ret[UUID_TEXT])
{
  g_snprintf (ret, UUID_TEXT, "%02x%02x%02x%02x-%02x%02x-%02x%02x-%02x%02x-%02x%02x%02x%02x%02x%02x", uuid[0],
              uuid[1], uuid[2], uuid[3], uuid[4], uuid[5], uuid[6], uuid[7], uuid[8], uuid[9], uuid[10],
              uuid[11], uuid[12], uuid[13], uuid[14], uuid[15]);
}

void
uuid_generate (guint8 ret[UUID_BYTES])
{
  if (getrandom (ret, UUID_BYTES, 0) != UUID_BYTES)
    g_error ("the kernel gives no random bytes");
  ret[6] = (guint8)((ret[6] & 0x0f) | 0x40); /* version 4 */
  ret[8] = (guint8)((ret[8] & 0x3f) | 0x80); /* the variant of RFC 4122 */
}
