/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Quoting for dnsmasq. Quotes hide what separates fields, but not words: a host called "ignore" or "1h" is no
 * host in a line of DHCP's, quoted or not, so that names are checked and not quoted.
 */
#include "network/dnsmasq-text.h"

#include <string.h>

/* What may stand without quotes in a field. ':' and '.' are separators to some settings and parts of the
 * value to others, which find them when they are not hidden. */
#define PLAIN_MARKS "-_./:=@+*[]"

static gboolean
has_control (const char *text)
{
  for (const char *c = text; *c != '\0'; c++)
    if (g_ascii_iscntrl (*c))
      return TRUE;
  return FALSE;
}

static gboolean
is_plain (const char *text)
{
  for (const char *c = text; *c != '\0'; c++)
    if (!g_ascii_isalnum (*c) && strchr (PLAIN_MARKS, *c) == NULL)
      return FALSE;
  return *text != '\0';
}

static void
append_quoted (GString *line, const char *text)
{
  if (is_plain (text)) {
    g_string_append (line, text);
    return;
  }
  g_string_append_c (line, '"');
  for (const char *c = text; *c != '\0'; c++) {
    if (*c == '"' || *c == '\\')
      g_string_append_c (line, '\\');
    g_string_append_c (line, *c);
  }
  g_string_append_c (line, '"');
}

char *
dnsmasq_quote (const char *text)
{
  GString *line;

  if (has_control (text))
    return NULL;
  line = g_string_new (NULL);
  append_quoted (line, text);
  return g_string_free (line, FALSE);
}

/* What dnsmasq takes for one field from *@at on, as it means it. A quote without its end is a character. */
static char *
next_field (const char **at)
{
  GString *field = g_string_new (NULL);
  const char *c = *at;

  while (*c != '\0' && *c != ',') {
    const char *end = *c == '"' ? c + 1 : NULL;

    while (end != NULL && *end != '"' && *end != '\0')
      end += *end == '\\' && end[1] != '\0' ? 2 : 1;
    if (end == NULL || *end == '\0') {
      g_string_append_c (field, *c++);
      continue;
    }
    for (c++; c < end; c++) {
      if (*c == '\\' && (c[1] == '"' || c[1] == '\\'))
        c++;
      g_string_append_c (field, *c);
    }
    c = end + 1;
  }
  *at = c;
  return g_string_free (field, FALSE);
}

char *
dnsmasq_quote_list (const char *text)
{
  GString *line;
  const char *at = text;

  if (has_control (text))
    return NULL;
  line = g_string_new (NULL);
  for (;;) {
    g_autofree char *field = next_field (&at);

    append_quoted (line, field);
    if (*at == '\0')
      return g_string_free (line, FALSE);
    g_string_append_c (line, ',');
    at++;
  }
}

gboolean
dnsmasq_is_domain (const char *text)
{
  for (const char *c = text; *c != '\0'; c++)
    if (!g_ascii_isalnum (*c) && strchr ("-_.", *c) == NULL)
      return FALSE;
  return *text != '\0';
}

/* "infinite", "90", "20m": how long a lease holds. */
static gboolean
is_time (const char *text)
{
  gsize digits = strspn (text, "0123456789");

  return digits > 0
         && (text[digits] == '\0' || (strchr ("smhdwSMHDW", text[digits]) && text[digits + 1] == '\0'));
}

gboolean
dnsmasq_is_host (const char *text)
{
  if (!g_ascii_isalpha (*text) && (guchar)*text < 0x80)
    return FALSE;
  for (const char *c = text; *c != '\0'; c++)
    if (!g_ascii_isalnum (*c) && (guchar)*c < 0x80 && strchr ("-_.", *c) == NULL)
      return FALSE;
  return !is_time (text) && strcmp (text, "ignore") != 0 && strcmp (text, "infinite") != 0;
}
