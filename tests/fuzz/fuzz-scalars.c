/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Any text as each of the small values: what is read and written is read as the same value. */
#include "base/scalars.h"

#include <string.h>

int LLVMFuzzerTestOneInput (const guint8 *data, gsize size);

static void
check_cpu_set (const char *text)
{
  const char *mistake = NULL;
  g_autoptr (CpuSet) set = cpu_set_parse (text, &mistake);
  g_autoptr (CpuSet) again = NULL;
  g_autofree char *written = NULL;
  g_autofree char *written_again = NULL;

  g_assert_true ((set == NULL) == (mistake != NULL));
  if (set == NULL)
    return;
  written = cpu_set_to_string (set);
  again = cpu_set_parse (written, NULL);
  g_assert_nonnull (again);
  written_again = cpu_set_to_string (again);
  g_assert_cmpstr (written, ==, written_again);
}

static void
check_addresses (const char *text)
{
  guint8 uuid[UUID_BYTES], uuid_again[UUID_BYTES], mac[MAC_BYTES], mac_again[MAC_BYTES];
  char uuid_text[UUID_TEXT], mac_text[MAC_TEXT];

  if (uuid_parse (text, uuid)) {
    uuid_format (uuid, uuid_text);
    g_assert_true (uuid_parse (uuid_text, uuid_again));
    g_assert_cmpmem (uuid, UUID_BYTES, uuid_again, UUID_BYTES);
  }
  if (mac_parse (text, mac)) {
    mac_format (mac, mac_text);
    g_assert_true (mac_parse (mac_text, mac_again));
    g_assert_cmpmem (mac, MAC_BYTES, mac_again, MAC_BYTES);
  }
}

int
LLVMFuzzerTestOneInput (const guint8 *data, gsize size)
{
  g_autofree char *text = g_strndup ((const char *)data, size);
  guint64 value;

  check_cpu_set (text);
  check_addresses (text);
  if (parse_uint (text, G_MAXUINT32, &value) || parse_uint_any_base (text, G_MAXUINT32, &value))
    g_assert_cmpuint (value, <=, G_MAXUINT32);
  if (size_unit (text, 1024, &value))
    g_assert_cmpuint (value, >, 0);
  return 0;
}
