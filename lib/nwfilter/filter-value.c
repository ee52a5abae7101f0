/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * The values of rules as libvirt reads and writes them: numbers keep their base, numbers with names are
 * written by name, masks of addresses as the length of their prefix.
 */
#include "nwfilter/filter-value.h"

#include <arpa/inet.h>
#include <string.h>

#define MAX_IPSET_NAME      31
#define MAX_COMMENT         256 /* characters; the rest is cut off, as libvirt does */
#define MAX_IPSET_FLAGS     6
#define IPSET_CHARACTERS    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.:-+ "
#define VARIABLE_CHARACTERS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_"
#define ALL_TCP_FLAGS       0x3f
#define BITS                8

static FilterVariable *
parse_variable (const char *text)
{
  gsize length = strspn (text, VARIABLE_CHARACTERS);
  const char *rest = text + length;
  FilterVariable *variable;
  guint64 index = 0;
  gboolean element = FALSE;

  if (*rest == '[') {
    g_autofree char *inside = NULL;

    element = rest[1] != '@';
    rest += element ? 1 : 2;
    if (!g_str_has_suffix (rest, "]"))
      return NULL;
    inside = g_strndup (rest, strlen (rest) - 1);
    g_strchomp (inside);
    if (!parse_uint (inside, FILTER_MAX_ITERATOR, &index))
      return NULL;
  } else if (*rest != '\0') {
    return NULL;
  }
  variable = g_new0 (FilterVariable, 1);
  variable->name = g_strndup (text, length);
  variable->element = element;
  variable->index = (guint)index;
  return variable;
}

static gboolean
parse_number (FilterValue *value, const char *text)
{
  const FilterAttribute *attribute = value->attribute;

  for (const FilterWord *word = attribute->words; word != NULL && word->name != NULL; word++)
    if (g_ascii_strcasecmp (word->name, text) == 0) {
      value->number = word->number;
      return TRUE;
    }
  value->hexadecimal = g_ascii_strncasecmp (text, "0x", 2) == 0;
  return (attribute->type == FILTER_TYPE_DECIMAL ? parse_uint : parse_uint_any_base) (
             text, attribute->maximum, &value->number)
         && value->number >= attribute->minimum;
}

/* The length of the prefix that the mask in @bytes is; FALSE: it is none. */
static gboolean
prefix_of (const guint8 *bytes, guint count, guint64 *ret)
{
  guint prefix = 0;

  while (prefix < count * BITS && (bytes[prefix / BITS] >> (BITS - 1 - prefix % BITS) & 1) != 0)
    prefix++;
  for (guint bit = prefix; bit < count * BITS; bit++)
    if ((bytes[bit / BITS] >> (BITS - 1 - bit % BITS) & 1) != 0)
      return FALSE;
  *ret = prefix;
  return TRUE;
}

/* IPv4 in the forms that inet_aton() knows, as libvirt's resolver does. */
static gboolean
parse_address (int family, const char *text, guint8 bytes[FILTER_IPV6_BYTES])
{
  struct in_addr address;

  if (family == AF_INET6)
    return inet_pton (AF_INET6, text, bytes) == 1;
  if (text[strspn (text, "0123456789.")] != '\0')
    return FALSE;
  if (inet_pton (AF_INET, text, bytes) == 1)
    return TRUE;
  if (inet_aton (text, &address) == 0)
    return FALSE;
  memcpy (bytes, &address, FILTER_IPV4_BYTES);
  return TRUE;
}

static gboolean
parse_mask (int family, const char *text, guint64 *ret)
{
  guint count = family == AF_INET ? FILTER_IPV4_BYTES : FILTER_IPV6_BYTES;
  guint8 bytes[FILTER_IPV6_BYTES];

  return parse_uint (text, count * BITS, ret)
         || (parse_address (family, text, bytes) && prefix_of (bytes, count, ret));
}

/* Words from @words between commas, in any case; "" is none of them. */
static gboolean
parse_words (const FilterWord *words, const char *text, guint64 *ret)
{
  g_auto (GStrv) parts = g_strsplit (text, ",", -1);

  *ret = 0;
  for (guint i = 0; parts[i] != NULL; i++) {
    const FilterWord *word = words;

    if (parts[i][0] == '\0')
      continue;
    while (word->name != NULL && g_ascii_strcasecmp (word->name, parts[i]) != 0)
      word++;
    if (word->name == NULL)
      return FALSE;
    *ret |= word->number;
  }
  return TRUE;
}

static gboolean
parse_tcp_side (const char *text, guint64 *ret)
{
  if (g_ascii_strcasecmp (text, "ALL") == 0)
    *ret = ALL_TCP_FLAGS;
  else if (g_ascii_strcasecmp (text, "NONE") == 0)
    *ret = 0;
  else
    return parse_words (filter_tcp_words, text, ret);
  return TRUE;
}

static gboolean
parse_tcp_flags (const char *text, guint64 *ret)
{
  const char *slash = strchr (text, '/');
  g_autofree char *mask_text = slash != NULL ? g_strndup (text, (gsize)(slash - text)) : NULL;
  guint64 mask, flags;

  if (slash == NULL || !parse_tcp_side (mask_text, &mask) || !parse_tcp_side (slash + 1, &flags))
    return FALSE;
  *ret = mask << FILTER_TCP_MASK_SHIFT | flags;
  return TRUE;
}

static gboolean
is_ipset_flags (const char *text)
{
  g_auto (GStrv) parts = g_strsplit (text, ",", MAX_IPSET_FLAGS + 1);
  guint count = g_strv_length (parts);

  for (guint i = 0; i < count; i++)
    if (g_ascii_strcasecmp (parts[i], "src") != 0 && g_ascii_strcasecmp (parts[i], "dst") != 0)
      return FALSE;
  return count > 0 && count <= MAX_IPSET_FLAGS;
}

static gboolean
parse_text (FilterValue *value, const char *text)
{
  gsize length = strlen (text);

  if (value->attribute->type == FILTER_TYPE_IPSET
      && (length == 0 || length > MAX_IPSET_NAME || strspn (text, IPSET_CHARACTERS) != length))
    return FALSE;
  if (value->attribute->type == FILTER_TYPE_IPSET_FLAGS && !is_ipset_flags (text))
    return FALSE;
  value->text = value->attribute->type == FILTER_TYPE_IPSET_FLAGS
                    ? g_ascii_strdown (text, -1)
                    : g_utf8_substring (text, 0, MIN (g_utf8_strlen (text, -1), MAX_COMMENT));
  return TRUE;
}

static gboolean
parse_plain (FilterValue *value, const char *text)
{
  switch (value->attribute->type) {
    case FILTER_TYPE_NUMBER:
    case FILTER_TYPE_DECIMAL:
      return parse_number (value, text);
    case FILTER_TYPE_MAC:
      return mac_parse (text, value->bytes);
    case FILTER_TYPE_IPV4:
      return parse_address (AF_INET, text, value->bytes);
    case FILTER_TYPE_IPV6:
      return parse_address (AF_INET6, text, value->bytes);
    case FILTER_TYPE_IPV4_MASK:
      return parse_mask (AF_INET, text, &value->number);
    case FILTER_TYPE_IPV6_MASK:
      return parse_mask (AF_INET6, text, &value->number);
    case FILTER_TYPE_BOOLEAN: /* what is none of the words for yes is no */
      value->number = g_str_equal (text, "1") || g_str_equal (text, "yes") || g_str_equal (text, "true");
      return TRUE;
    case FILTER_TYPE_STATE:
      return parse_words (filter_state_words, text, &value->number);
    case FILTER_TYPE_TCP_FLAGS:
      return parse_tcp_flags (text, &value->number);
    default:
      return parse_text (value, text);
  }
}

static gboolean
may_be_variable (FilterType type)
{
  return type <= FILTER_TYPE_IPV6_MASK || type == FILTER_TYPE_IPSET;
}

FilterValue *
filter_value_parse_plain (const FilterAttribute *attribute, const char *text)
{
  g_autoptr (FilterValue) value = g_new0 (FilterValue, 1);

  value->attribute = attribute;
  return parse_plain (value, text) ? g_steal_pointer (&value) : NULL;
}

FilterValue *
filter_value_parse (const FilterAttribute *attribute, const char *text)
{
  g_autoptr (FilterValue) value = NULL;

  if (text[0] != '$' || !may_be_variable (attribute->type))
    return filter_value_parse_plain (attribute, text);
  value = g_new0 (FilterValue, 1);
  value->attribute = attribute;
  value->variable = parse_variable (text + 1);
  return value->variable != NULL ? g_steal_pointer (&value) : NULL;
}

static char *
format_variable (const FilterVariable *variable)
{
  if (variable->element)
    return g_strdup_printf ("$%s[%u]", variable->name, variable->index);
  if (variable->index != 0)
    return g_strdup_printf ("$%s[@%u]", variable->name, variable->index);
  return g_strdup_printf ("$%s", variable->name);
}

static char *
format_number (const FilterValue *value)
{
  for (const FilterWord *word = value->attribute->words; word != NULL && word->name != NULL; word++)
    if (word->number == value->number)
      return g_strdup (word->name);
  return g_strdup_printf (value->hexadecimal ? "0x%" G_GINT64_MODIFIER "x" : "%" G_GUINT64_FORMAT,
                          value->number);
}

static void
append_words (GString *text, const FilterWord *words, guint64 bits)
{
  gsize start = text->len;

  for (; words->name != NULL; words++)
    if ((bits & words->number) != 0)
      g_string_append_printf (text, "%s%s", text->len > start ? "," : "", words->name);
}

static void
append_tcp_side (GString *text, guint64 bits)
{
  if (bits == ALL_TCP_FLAGS)
    g_string_append (text, "ALL");
  else if (bits == 0)
    g_string_append (text, "NONE");
  else
    append_words (text, filter_tcp_words, bits);
}

static char *
format_bits (const FilterValue *value)
{
  GString *text = g_string_new (NULL);

  if (value->attribute->type == FILTER_TYPE_STATE) {
    append_words (text, filter_state_words, value->number);
  } else {
    append_tcp_side (text, value->number >> FILTER_TCP_MASK_SHIFT);
    g_string_append_c (text, '/');
    append_tcp_side (text, value->number & ALL_TCP_FLAGS);
  }
  return g_string_free (text, FALSE);
}

char *
filter_value_format (const FilterValue *value)
{
  char text[INET6_ADDRSTRLEN];

  if (value->variable != NULL)
    return format_variable (value->variable);
  switch (value->attribute->type) {
    case FILTER_TYPE_NUMBER:
    case FILTER_TYPE_DECIMAL:
      return format_number (value);
    case FILTER_TYPE_MAC:
      mac_format (value->bytes, text);
      return g_strdup (text);
    case FILTER_TYPE_IPV4:
      return g_strdup (inet_ntop (AF_INET, value->bytes, text, sizeof (text)));
    case FILTER_TYPE_IPV6:
      return g_strdup (inet_ntop (AF_INET6, value->bytes, text, sizeof (text)));
    case FILTER_TYPE_IPV4_MASK:
    case FILTER_TYPE_IPV6_MASK:
      return g_strdup_printf ("%" G_GUINT64_FORMAT, value->number);
    case FILTER_TYPE_BOOLEAN:
      return g_strdup (value->number != 0 ? "true" : "false");
    case FILTER_TYPE_STATE:
    case FILTER_TYPE_TCP_FLAGS:
      return format_bits (value);
    default:
      return g_strdup (value->text);
  }
}

FilterValue *
filter_value_copy (const FilterValue *value)
{
  FilterValue *copy = g_memdup2 (value, sizeof (*value));

  copy->text = g_strdup (value->text);
  if (value->variable != NULL) {
    copy->variable = g_memdup2 (value->variable, sizeof (*value->variable));
    copy->variable->name = g_strdup (value->variable->name);
  }
  return copy;
}

void
filter_value_free (FilterValue *value)
{
  if (value == NULL)
    return;
  if (value->variable != NULL)
    g_free (value->variable->name);
  g_free (value->variable);
  g_free (value->text);
  g_free (value);
}
