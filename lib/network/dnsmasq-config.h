/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "base/virt-error.h"
#include "network/network-def.h"

/*
 * What dnsmasq reads to serve a network: its settings, the machines it knows by name for DHCP, and the names
 * DNS has. Pure. No text of the document can become a line or a field of its own: it is quoted, or refused
 * with what is wrong about it. The exception is the document's own way past this: <dnsmasq:option>, each of
 * which is one line as it stands.
 */
#define DNSMASQ_LINE_MAX 1000 /* bytes; of a longer one dnsmasq would read the rest as the next line */

/* Where it finds the rest, and who it is. All are absolute paths without control characters. */
typedef struct {
  const char *hosts;        /* the machines for DHCP: read again on SIGHUP */
  const char *names;        /* the names for DNS: the same */
  const char *leases;       /* what it gave, and remembers */
  const char *user, *group; /* whom it becomes; NULL: nobody else */
} DnsmasqPlaces;

typedef struct {
  char *settings, *hosts, *names;
} DnsmasqConfig;

/* Has it anything to do: a subnet, and either DNS or DHCP in one? */
gboolean dnsmasq_is_needed (const NetworkDef *def);
/* NULL with VIR_ERR_CONFIG_UNSUPPORTED or VIR_ERR_XML_ERROR. (transfer full) */
DnsmasqConfig *dnsmasq_config_new (const NetworkDef *def, const DnsmasqPlaces *places, GError **error);
void dnsmasq_config_free (DnsmasqConfig *config);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (DnsmasqConfig, dnsmasq_config_free)
