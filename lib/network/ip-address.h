/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

/* Addresses of the internet protocol, their networks and ranges. Pure; any thread. */
#define IP_BYTES_MAX 16
#define IP_TEXT_MAX  46 /* bytes of an address as text, its NUL too */

typedef enum { IP_NONE, IP_V4, IP_V6 } IpFamily;

typedef struct {
  IpFamily family;
  guint8 bytes[IP_BYTES_MAX]; /* in network order; of IPv4 the first four */
} IpAddress;

/* FALSE for what is no address of its own: names, scopes and ports are none. @text may be NULL. */
gboolean ip_address_parse (const char *text, IpAddress *ret);
void ip_address_format (const IpAddress *address, char ret[IP_TEXT_MAX]);
/* The same address in its usual spelling, NULL for what is none. (transfer full) */
char *ip_address_normalize (const char *text);

guint ip_address_bits (const IpAddress *address); /* 32 or 128 */
/* < 0, 0 or > 0; of two families, IPv4 is less. */
int ip_address_compare (const IpAddress *a, const IpAddress *b);
gboolean ip_address_is_any (const IpAddress *address);      /* all bits 0 */
gboolean ip_address_is_wildcard (const IpAddress *address); /* not set, or all bits 0 */

/* The leading ones of a netmask; FALSE when zeros stand between them. */
gboolean ip_netmask_prefix (const IpAddress *netmask, guint *ret);
void ip_netmask_of_prefix (IpFamily family, guint prefix, IpAddress *ret);
/* The first and the last address of the network of @prefix bits in which @address is. */
void ip_network_first (const IpAddress *address, guint prefix, IpAddress *ret);
void ip_network_last (const IpAddress *address, guint prefix, IpAddress *ret);
gboolean ip_network_contains (const IpAddress *network, guint prefix, const IpAddress *address);
/* Have two networks an address in common? */
gboolean ip_networks_overlap (const IpAddress *a, guint a_prefix, const IpAddress *b, guint b_prefix);
/* How many addresses lie from @start to @end, both with them; G_MAXUINT64 when there are more, 0 when @end is
 * before @start. */
guint64 ip_range_size (const IpAddress *start, const IpAddress *end);
