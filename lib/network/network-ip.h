/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "base/field.h"
#include "network/ip-address.h"

/* Subnets, what DHCP gives in them, and static routes: <ip> and <route>. Pure. Texts of addresses are, after
 * completion, in their usual spelling. */

typedef enum { LEASE_UNIT_NONE, LEASE_SECONDS, LEASE_MINUTES, LEASE_HOURS } NetworkLeaseUnit;

/* <lease expiry='1' unit='hours'/> */
typedef struct {
  Number expiry; /* 0: for ever */
  int unit;      /* NetworkLeaseUnit; after completion set, but when expiry is 0 */
} NetworkLeaseTime;

typedef struct {
  char *start, *end;
  NetworkLeaseTime *lease; /* NULL: as dnsmasq does it */
} NetworkDhcpRange;

typedef struct {
  char *mac, *id, *name, *ip; /* as written; NULL: not said */
  NetworkLeaseTime *lease;
} NetworkDhcpHost;

typedef struct {
  char *file, *server; /* server NULL: the bridge's own */
} NetworkBootp;

typedef struct {
  GPtrArray *ranges; /* NetworkDhcpRange; NULL: none */
  GPtrArray *hosts;  /* NetworkDhcpHost */
  NetworkBootp *bootp;
} NetworkDhcp;

typedef struct {
  char *family;  /* "ipv4" or "ipv6" as written; NULL: IPv4, ask network_ip_address() */
  char *address; /* of the host in it */
  char *netmask; /* IPv4 only; either this or prefix */
  Number prefix;
  int local_ptr; /* Tristate */
  char *tftp_root;
  NetworkDhcp *dhcp;
} NetworkIp;

typedef struct {
  char *family, *address, *netmask;
  Number prefix;
  char *gateway;
  Number metric; /* 1 when not set */
} NetworkRoute;

extern const FieldTable network_ip_table, network_route_table, network_dhcp_table, network_dhcp_range_table,
    network_dhcp_host_table;

/* The host's address and how many bits are the network's: by prefix, by netmask, or by the class of the
 * address as libvirt takes it. FALSE when the document lacks what is needed. */
gboolean network_ip_address (const NetworkIp *ip, IpAddress *ret_address, guint *ret_prefix);
gboolean network_route_destination (const NetworkRoute *route, IpAddress *ret_network, guint *ret_prefix);
/* Seconds; 0: for ever. */
guint64 network_lease_seconds (const NetworkLeaseTime *lease);

/* Addresses in their usual spelling, and the units of lease times. */
void network_ip_complete (NetworkIp *ip);
void network_route_complete (NetworkRoute *route);
void network_dhcp_range_complete (NetworkDhcpRange *range);
void network_dhcp_host_complete (NetworkDhcpHost *host);
