/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Arithmetic on addresses as strings of bits, so that both families are one case. Text is read by
 * inet_pton(), which asks nobody.
 */
#include "network/ip-address.h"

#include <arpa/inet.h>
#include <string.h>

static guint
length_of (IpFamily family)
{
  return family == IP_V4 ? sizeof (struct in_addr) : family == IP_V6 ? sizeof (struct in6_addr) : 0;
}

gboolean
ip_address_parse (const char *text, IpAddress *ret)
{
  IpAddress address = { IP_NONE, { 0 } };

  if (text == NULL)
    return FALSE;
  address.family = strchr (text, ':') != NULL ? IP_V6 : IP_V4;
  if (inet_pton (address.family == IP_V6 ? AF_INET6 : AF_INET, text, address.bytes) != 1)
    return FALSE;
  *ret = address;
  return TRUE;
}

void
ip_address_format (const IpAddress *address, char ret[IP_TEXT_MAX])
{
  ret[0] = '\0';
  if (address->family != IP_NONE)
    inet_ntop (address->family == IP_V6 ? AF_INET6 : AF_INET, address->bytes, ret, IP_TEXT_MAX);
}

char *
ip_address_normalize (const char *text)
{
  IpAddress address;
  char spelling[IP_TEXT_MAX];

  if (!ip_address_parse (text, &address))
    return NULL;
  ip_address_format (&address, spelling);
  return g_strdup (spelling);
}

guint
ip_address_bits (const IpAddress *address)
{
  return length_of (address->family) * 8;
}

int
ip_address_compare (const IpAddress *a, const IpAddress *b)
{
  if (a->family != b->family)
    return (int)a->family - (int)b->family;
  return memcmp (a->bytes, b->bytes, length_of (a->family));
}

gboolean
ip_address_is_any (const IpAddress *address)
{
  for (guint i = 0; i < length_of (address->family); i++)
    if (address->bytes[i] != 0)
      return FALSE;
  return TRUE;
}

gboolean
ip_address_is_wildcard (const IpAddress *address)
{
  return address->family == IP_NONE || ip_address_is_any (address);
}

gboolean
ip_netmask_prefix (const IpAddress *netmask, guint *ret)
{
  guint bits = ip_address_bits (netmask), prefix = 0;
  IpAddress expected;

  while (prefix < bits && (netmask->bytes[prefix / 8] & (0x80 >> prefix % 8)) != 0)
    prefix++;
  ip_netmask_of_prefix (netmask->family, prefix, &expected);
  if (ip_address_compare (netmask, &expected) != 0)
    return FALSE;
  *ret = prefix;
  return TRUE;
}

void
ip_netmask_of_prefix (IpFamily family, guint prefix, IpAddress *ret)
{
  *ret = (IpAddress){ family, { 0 } };
  for (guint i = 0; i < MIN (prefix, length_of (family) * 8); i++)
    ret->bytes[i / 8] |= (guint8)(0x80 >> i % 8);
}

/* The bits behind @prefix become those of @fill. */
static void
fill_behind (const IpAddress *address, guint prefix, guint8 fill, IpAddress *ret)
{
  IpAddress mask;

  ip_netmask_of_prefix (address->family, prefix, &mask);
  *ret = *address;
  for (guint i = 0; i < length_of (address->family); i++)
    ret->bytes[i] = (guint8)((address->bytes[i] & mask.bytes[i]) | (fill & ~mask.bytes[i]));
}

void
ip_network_first (const IpAddress *address, guint prefix, IpAddress *ret)
{
  fill_behind (address, prefix, 0, ret);
}

void
ip_network_last (const IpAddress *address, guint prefix, IpAddress *ret)
{
  fill_behind (address, prefix, 0xff, ret);
}

gboolean
ip_network_contains (const IpAddress *network, guint prefix, const IpAddress *address)
{
  IpAddress first, other;

  ip_network_first (network, prefix, &first);
  ip_network_first (address, prefix, &other);
  return ip_address_compare (&first, &other) == 0;
}

gboolean
ip_networks_overlap (const IpAddress *a, guint a_prefix, const IpAddress *b, guint b_prefix)
{
  return ip_network_contains (a, MIN (a_prefix, b_prefix), b);
}

guint64
ip_range_size (const IpAddress *start, const IpAddress *end)
{
  guint64 low = 0;
  guint length = length_of (start->family);
  int borrow = 0;

  if (ip_address_compare (start, end) > 0)
    return 0;
  for (guint i = 0; i < length; i++) {
    guint at = length - 1 - i;
    int difference = end->bytes[at] - start->bytes[at] - borrow;

    borrow = difference < 0;
    difference += borrow * 256;
    if (i < sizeof low)
      low |= (guint64)difference << 8 * i;
    else if (difference != 0)
      return G_MAXUINT64;
  }
  return low == G_MAXUINT64 ? low : low + 1;
}
