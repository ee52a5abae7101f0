/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "base/scalars.h"
#include "network/ip-address.h"

/*
 * The file in which dnsmasq remembers what it gave. Pure; the text is untrusted, for guests choose parts of
 * it: a line that is none is passed over.
 */
#define DNSMASQ_LEASES_MAX      65536
#define DNSMASQ_LEASES_FILE_MAX (32 * 1024 * 1024) /* bytes */
#define DNSMASQ_LEASE_NAME_MAX  255                /* bytes of a host's name */
#define DNSMASQ_LEASE_ID_MAX    1024               /* bytes of a client's identifier, as text */

typedef struct {
  gint64 expiry; /* seconds since 1970; 0: for ever */
  IpAddress address;
  guint8 mac[MAC_BYTES]; /* of IPv6, taken from the client's identifier where that has one */
  gboolean has_mac;
  char *iaid;                 /* IPv6: decimal; NULL with IPv4 */
  char *hostname, *client_id; /* NULL: not said */
} DnsmasqLease;
void dnsmasq_lease_free (DnsmasqLease *lease);

/* Those that hold at @now (seconds since 1970), in the order of the file. (transfer full), of DnsmasqLease */
GPtrArray *dnsmasq_leases_parse (const char *text, gsize length, gint64 now);
