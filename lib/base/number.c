/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Numbers as documents write them, read strictly: what strtoull() forgives (signs, leading spaces, a tail,
 * silent wrap-around) is how a typing mistake becomes another machine.
 */
#include "base/scalars.h"

static gboolean
parse_digits (const char *text, guint base, guint64 max, guint64 *ret)
{
  guint64 value = 0;

  if (*text == '\0')
    return FALSE;
  for (; *text != '\0'; text++) {
    int digit = g_ascii_xdigit_value (*text);

    if (digit < 0 || (guint)digit >= base)
      return FALSE;
    if (value > (G_MAXUINT64 - (guint64)digit) / base)
      return FALSE;
    value = value * base + (guint64)digit;
  }
  if (value > max)
    return FALSE;
  *ret = value;
  return TRUE;
}

gboolean
parse_uint (const char *text, guint64 max, guint64 *ret)
{
  return text != NULL && parse_digits (text, 10, max, ret);
}

gboolean
parse_uint_any_base (const char *text, guint64 max, guint64 *ret)
{
  if (text == NULL)
    return FALSE;
  if (text[0] == '0' && (text[1] == 'x' || text[1] == 'X'))
    return parse_digits (text + 2, 16, max, ret);
  return parse_digits (text, 10, max, ret);
}
