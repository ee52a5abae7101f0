/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "network/network-def.h"

/*
 * What the tables cannot say of a network, in libvirt's words. Mistakes go to the reader's diagnostics with
 * their places. Parts can be checked by themselves: an update gives one. Pure.
 */
typedef struct {
  const FieldReader *reader;
  const char *network; /* its name, for messages */
  gboolean is_live;    /* it runs: what was found on the host is in it */
} NetworkCheck;

/* At @member's place, or @fallback's; from VIR_FROM_NETWORK. */
void network_refuse (const NetworkCheck *check, gconstpointer member, gconstpointer fallback,
                     virErrorNumber code, const char *format, ...) G_GNUC_PRINTF (5, 6);
/* From a part of libvirt that is not the networks'. */
void network_refuse_from (const NetworkCheck *check, gconstpointer member, gconstpointer fallback,
                          virErrorDomain origin, virErrorNumber code, const char *format, ...)
    G_GNUC_PRINTF (6, 7);

/* A network as the DocumentKind asks it; @flags: DocumentReadFlags. */
void network_validate (gconstpointer def, const FieldReader *reader, guint flags);

/* Forward and bridge, and what goes with which mode. */
void network_check_forward (const NetworkCheck *check, const NetworkDef *def);

/* @partial: of an update, which may say less of what it means. */
void network_check_dhcp_host (const NetworkCheck *check, const NetworkDhcpHost *host, IpFamily family,
                              gboolean partial);
void network_check_dhcp_range (const NetworkCheck *check, const NetworkDhcpRange *range, const NetworkIp *ip);
/* A host in its subnet: inside of it, and not at the network's own address. */
void network_check_host_inside (const NetworkCheck *check, const NetworkDhcpHost *host, const NetworkIp *ip);
void network_check_addresses (const NetworkCheck *check, const NetworkDef *def);

void network_check_dns_txt (const NetworkCheck *check, const NetworkDnsTxt *txt, gboolean partial);
void network_check_dns_srv (const NetworkCheck *check, const NetworkDnsSrv *srv, gboolean partial);
void network_check_dns_host (const NetworkCheck *check, const NetworkDnsHost *host, gboolean partial);
void network_check_dns (const NetworkCheck *check, const NetworkDef *def);

void network_check_portgroup (const NetworkCheck *check, const NetworkPortgroup *group, int mode);
void network_check_virtual_port (const NetworkCheck *check, const InterfaceVirtualPort *port,
                                 gconstpointer fallback);
void network_check_vlan (const NetworkCheck *check, const InterfaceVlan *vlan);
/* @has_floor: where one may be said. */
void network_check_rates (const NetworkCheck *check, const InterfaceRate *inbound,
                          const InterfaceRate *outbound, gboolean has_floor);
