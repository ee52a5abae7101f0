/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * One lease a line, five words each:
 *
 *   1700000000 52:54:00:aa:bb:cc 192.168.122.10 web 01:52:54:00:aa:bb:cc
 *   duid 00:01:00:01:...                                 the server's own, and from here on IPv6:
 *   1700000000 12345678 fd00::10 web 00:01:00:01:2c:...:52:54:00:aa:bb:cc
 *
 * with "*" for what was not said. An IPv6 lease has the client's identifier and no MAC address, but most
 * identifiers are made from one.
 */
#include "network/dnsmasq-leases.h"

#include <stdlib.h>
#include <string.h>

#define WORDS          5
#define DUID_LINK_TIME "00:01:00:01:" /* then 4 bytes of time, then the MAC address */
#define DUID_LINK      "00:03:00:01:"
#define TIME_TEXT      12
#define ETHERNET       "01-" /* before a MAC address, where the kind of hardware is said */

void
dnsmasq_lease_free (DnsmasqLease *lease)
{
  if (lease == NULL)
    return;
  g_free (lease->iaid);
  g_free (lease->hostname);
  g_free (lease->client_id);
  g_free (lease);
}

/* "*" is nothing, and so is what is too long or not printable. (transfer full) */
static char *
said (const char *word, gsize limit)
{
  if (strcmp (word, "*") == 0 || strlen (word) > limit || !g_utf8_validate (word, -1, NULL))
    return NULL;
  for (const char *c = word; *c != '\0'; c++)
    if (g_ascii_iscntrl (*c))
      return NULL;
  return g_strdup (word);
}

static gboolean
mac_of_duid (const char *duid, guint8 mac[MAC_BYTES])
{
  gsize length = strlen (duid);

  if (g_str_has_prefix (duid, DUID_LINK_TIME) && length > strlen (DUID_LINK_TIME) + TIME_TEXT)
    return mac_parse (duid + strlen (DUID_LINK_TIME) + TIME_TEXT, mac);
  return g_str_has_prefix (duid, DUID_LINK) && mac_parse (duid + strlen (DUID_LINK), mac);
}

/* A temporary address has a 'T' before its number. */
static char *
iaid_of (const char *word)
{
  guint64 number;

  return parse_uint (word + (*word == 'T'), G_MAXUINT32, &number) ? g_strdup (word + (*word == 'T')) : NULL;
}

static DnsmasqLease *
parse_line (char *line, gint64 now)
{
  g_autofree DnsmasqLease *lease = g_new0 (DnsmasqLease, 1);
  char *words[WORDS], *rest = line;
  guint64 expiry;

  for (guint i = 0; i < WORDS; i++) {
    words[i] = strsep (&rest, " ");
    if (words[i] == NULL || *words[i] == '\0')
      return NULL;
  }
  if (!parse_uint (words[0], G_MAXINT64, &expiry) || (expiry != 0 && (gint64)expiry <= now)
      || !ip_address_parse (words[2], &lease->address))
    return NULL;
  lease->expiry = (gint64)expiry;
  if (lease->address.family == IP_V6) {
    lease->iaid = iaid_of (words[1]);
    lease->has_mac = mac_of_duid (words[4], lease->mac);
    if (lease->iaid == NULL)
      return NULL;
  } else {
    const char *mac = g_str_has_prefix (words[1], ETHERNET) ? words[1] + strlen (ETHERNET) : words[1];

    lease->has_mac = mac_parse (mac, lease->mac);
  }
  lease->hostname = said (words[3], DNSMASQ_LEASE_NAME_MAX);
  lease->client_id = said (words[4], DNSMASQ_LEASE_ID_MAX);
  return g_steal_pointer (&lease);
}

GPtrArray *
dnsmasq_leases_parse (const char *text, gsize length, gint64 now)
{
  GPtrArray *leases = g_ptr_array_new_with_free_func ((GDestroyNotify)dnsmasq_lease_free);
  g_autofree char *copy = g_strndup (text, MIN (length, DNSMASQ_LEASES_FILE_MAX));
  char *rest = copy, *line;

  while (leases->len < DNSMASQ_LEASES_MAX && (line = strsep (&rest, "\n")) != NULL) {
    DnsmasqLease *lease = parse_line (line, now);

    if (lease != NULL)
      g_ptr_array_add (leases, lease);
  }
  return leases;
}
