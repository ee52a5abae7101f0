/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Words of a document in a script of PowerShell. In single quotes nothing is filled in, and only a quote ends
 * them; but PowerShell takes four characters beside the apostrophe for one (U+2018 to U+201B), and reads a
 * script without a byte order mark in the host's old code page, in which bytes of other characters are such
 * quotes too. So a quoted text is ASCII alone: apostrophes are doubled, and every other character is written
 * as its number.
 */
#include "targets/hyperv/hyperv-private.h"

static gboolean
is_plain (gunichar character)
{
  return character >= 0x20 && character < 0x7f;
}

/* As UTF-16 has it: a character beyond its first 65536 is two. */
static void
append_number (GString *text, gunichar character)
{
  if (character < 0x10000) {
    g_string_append_printf (text, "[char]0x%04X", character);
    return;
  }
  character -= 0x10000;
  g_string_append_printf (text, "[char]0x%04X+[char]0x%04X", 0xd800 + (character >> 10),
                          0xdc00 + (character & 0x3ff));
}

char *
hyperv_quote (const char *text)
{
  GString *quoted = g_string_new ("'");
  gboolean is_sum = FALSE, is_open = TRUE;

  for (const char *next = text; *next != '\0'; next = g_utf8_next_char (next)) {
    gunichar character = g_utf8_get_char (next);

    if (is_plain (character)) {
      if (!is_open)
        g_string_append (quoted, "+'");
      g_string_append (quoted, character == '\'' ? "''" : "");
      if (character != '\'')
        g_string_append_c (quoted, (char)character);
      is_open = TRUE;
      continue;
    }
    if (is_open)
      g_string_append_c (quoted, '\'');
    g_string_append_c (quoted, '+');
    append_number (quoted, character);
    is_open = FALSE;
    is_sum = TRUE;
  }
  if (is_open)
    g_string_append_c (quoted, '\'');
  if (is_sum) {
    g_string_prepend_c (quoted, '(');
    g_string_append_c (quoted, ')');
  }
  return g_string_free (quoted, FALSE);
}

char *
hyperv_quote_beside (const char *file_name)
{
  g_autofree char *quoted = hyperv_quote (file_name);

  return g_strdup_printf ("(Join-Path $PSScriptRoot %s)", quoted);
}
