/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* MAC addresses: octets of one or two hexadecimal digits, as libvirt reads them, written as two. */
#include "base/scalars.h"

#include <string.h>
#include <sys/random.h>

gboolean
mac_parse (const char *text, guint8 ret[MAC_BYTES])
{
  guint8 mac[MAC_BYTES];

  if (text == NULL)
    return FALSE;
  for (guint i = 0; i < MAC_BYTES; i++) {
    int digit = g_ascii_xdigit_value (*text);

    if (digit < 0)
      return FALSE;
    mac[i] = (guint8)digit;
    digit = g_ascii_xdigit_value (*++text);
    if (digit >= 0) {
      mac[i] = (guint8)(mac[i] << 4 | digit);
      text++;
    }
    if (*text != (i + 1 < MAC_BYTES ? ':' : '\0'))
      return FALSE;
    text++;
  }
  memcpy (ret, mac, MAC_BYTES);
  return TRUE;
}

void
mac_format (const guint8 mac[MAC_BYTES], char ret[MAC_TEXT])
{
  g_snprintf (ret, MAC_TEXT, "%02x:%02x:%02x:%02x:%02x:%02x", mac[0], mac[1], mac[2], mac[3], mac[4], mac[5]);
}

gboolean
mac_is_multicast (const guint8 mac[MAC_BYTES])
{
  return (mac[0] & 1) != 0;
}

void
mac_generate (guint8 ret[MAC_BYTES])
{
  static const guint8 prefix[] = { 0x52, 0x54, 0x00 };

  memcpy (ret, prefix, sizeof (prefix));
  if (getrandom (ret + sizeof (prefix), MAC_BYTES - sizeof (prefix), 0) != MAC_BYTES - sizeof (prefix))
    g_error ("the kernel gives no random bytes");
}
