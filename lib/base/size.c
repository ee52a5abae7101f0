/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Units of memory and storage sizes. libvirt's rule, which surprises: a bare letter and the "iB" form are
 * powers of 1024, the "B" form is powers of 1000.
 */
#include "base/scalars.h"

#include <string.h>

gboolean
size_unit (const char *unit, guint64 fallback, guint64 *ret_bytes)
{
  static const char powers[] = "kmgtpe";
  const char *power;
  guint64 base, bytes = 1;

  if (unit == NULL || *unit == '\0') {
    *ret_bytes = fallback;
    return TRUE;
  }
  if (g_ascii_strcasecmp (unit, "b") == 0 || g_ascii_strcasecmp (unit, "byte") == 0
      || g_ascii_strcasecmp (unit, "bytes") == 0) {
    *ret_bytes = 1;
    return TRUE;
  }

  power = strchr (powers, g_ascii_tolower (unit[0]));
  if (power == NULL)
    return FALSE;
  if (unit[1] == '\0' || g_ascii_strcasecmp (unit + 1, "ib") == 0)
    base = 1024;
  else if (g_ascii_strcasecmp (unit + 1, "b") == 0)
    base = 1000;
  else
    return FALSE;

  for (const char *p = powers; p <= power; p++)
    bytes *= base;
  *ret_bytes = bytes;
  return TRUE;
}
