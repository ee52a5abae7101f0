/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * <ip> and <route>. Addresses are kept as texts, as they are shown; what is calculated with them is
 * calculated when asked for.
 */
#include "network/network-ip.h"

#include <string.h>

#define IPV4_BITS 32
#define IPV6_BITS 128

static const EnumTable lease_units = { "lease time unit", { NULL, "seconds", "minutes", "hours" } };

static const FieldTable lease_table = {
  sizeof (NetworkLeaseTime),
  (const Field[]){
      FIELD_WITH (NetworkLeaseTime, expiry, "@expiry", field_number, NULL, FIELD_REQUIRED),
      FIELD (NetworkLeaseTime, unit, "@unit", field_enum, &lease_units),
      FIELD_END,
  },
};

const FieldTable network_dhcp_range_table = {
  sizeof (NetworkDhcpRange),
  (const Field[]){
      FIELD (NetworkDhcpRange, start, "@start", field_text, NULL),
      FIELD (NetworkDhcpRange, end, "@end", field_text, NULL),
      FIELD (NetworkDhcpRange, lease, "lease", field_optional, &lease_table),
      FIELD_END,
  },
};

const FieldTable network_dhcp_host_table = {
  sizeof (NetworkDhcpHost),
  (const Field[]){
      FIELD (NetworkDhcpHost, mac, "@mac", field_text, NULL),
      FIELD (NetworkDhcpHost, id, "@id", field_text, NULL),
      FIELD (NetworkDhcpHost, name, "@name", field_text, NULL),
      FIELD (NetworkDhcpHost, ip, "@ip", field_text, NULL),
      FIELD (NetworkDhcpHost, lease, "lease", field_optional, &lease_table),
      FIELD_END,
  },
};

static const FieldTable bootp_table = {
  sizeof (NetworkBootp),
  (const Field[]){
      FIELD (NetworkBootp, file, "@file", field_text, NULL),
      FIELD (NetworkBootp, server, "@server", field_text, NULL),
      FIELD_END,
  },
};

const FieldTable network_dhcp_table = {
  sizeof (NetworkDhcp),
  (const Field[]){
      FIELD (NetworkDhcp, ranges, "range", field_list, &network_dhcp_range_table),
      FIELD (NetworkDhcp, hosts, "host", field_list, &network_dhcp_host_table),
      FIELD (NetworkDhcp, bootp, "bootp", field_optional, &bootp_table),
      FIELD_END,
  },
};

const FieldTable network_ip_table = {
  sizeof (NetworkIp),
  (const Field[]){
      FIELD (NetworkIp, family, "@family", field_text, NULL),
      FIELD (NetworkIp, address, "@address", field_text, NULL),
      FIELD (NetworkIp, netmask, "@netmask", field_text, NULL),
      FIELD (NetworkIp, prefix, "@prefix", field_number, NULL),
      FIELD (NetworkIp, local_ptr, "@localPtr", field_yes_no, NULL),
      FIELD (NetworkIp, tftp_root, "tftp/@root", field_text, NULL),
      FIELD (NetworkIp, dhcp, "dhcp", field_optional, &network_dhcp_table),
      FIELD_END,
  },
};

static const FieldRange metric_range = { 1, G_MAXUINT32 };

const FieldTable network_route_table = {
  sizeof (NetworkRoute),
  (const Field[]){
      FIELD (NetworkRoute, family, "@family", field_text, NULL),
      FIELD (NetworkRoute, address, "@address", field_text, NULL),
      FIELD (NetworkRoute, netmask, "@netmask", field_text, NULL),
      FIELD (NetworkRoute, prefix, "@prefix", field_number, NULL),
      FIELD (NetworkRoute, gateway, "@gateway", field_text, NULL),
      FIELD (NetworkRoute, metric, "@metric", field_number, &metric_range),
      FIELD_END,
  },
};

/* The bits of an IPv4 network whose size nobody said: by the class of old. */
static guint
class_prefix (const IpAddress *address)
{
  static const struct {
    guint8 below;
    guint prefix;
  } classes[] = { { 128, 8 }, { 192, 16 }, { 224, 24 } };

  for (guint i = 0; i < G_N_ELEMENTS (classes); i++)
    if (address->bytes[0] < classes[i].below)
      return classes[i].prefix;
  return 0;
}

static gboolean
prefix_of (const IpAddress *address, const char *netmask, const Number *prefix, guint *ret)
{
  IpAddress mask;

  if (prefix->set && prefix->value > 0)
    *ret = (guint)MIN (prefix->value, IPV6_BITS);
  else if (netmask != NULL)
    return ip_address_parse (netmask, &mask) && mask.family == address->family
           && ip_netmask_prefix (&mask, ret);
  else if (address->family == IP_V6)
    *ret = 64;
  else
    *ret = class_prefix (address);
  return *ret <= ip_address_bits (address);
}

gboolean
network_ip_address (const NetworkIp *ip, IpAddress *ret_address, guint *ret_prefix)
{
  return ip_address_parse (ip->address, ret_address)
         && prefix_of (ret_address, ip->netmask, &ip->prefix, ret_prefix);
}

gboolean
network_route_destination (const NetworkRoute *route, IpAddress *ret_network, guint *ret_prefix)
{
  if (!ip_address_parse (route->address, ret_network))
    return FALSE;
  /* All addresses there are: its prefix is 0 and not that of a class. */
  if (ip_address_is_any (ret_network) && (!route->prefix.set || route->prefix.value == 0)) {
    *ret_prefix = 0;
    return TRUE;
  }
  return prefix_of (ret_network, route->netmask, &route->prefix, ret_prefix);
}

guint64
network_lease_seconds (const NetworkLeaseTime *lease)
{
  guint64 unit = lease->unit == LEASE_HOURS ? 3600 : lease->unit == LEASE_SECONDS ? 1 : 60;

  return lease->expiry.value > G_MAXUINT32 / unit ? G_MAXUINT32 : lease->expiry.value * unit;
}

static void
normalize (char **address)
{
  char *spelling = ip_address_normalize (*address);

  if (spelling == NULL)
    return;
  g_free (*address);
  *address = spelling;
}

static void
complete_lease (NetworkLeaseTime *lease)
{
  if (lease == NULL)
    return;
  if (lease->expiry.value == 0)
    lease->unit = LEASE_UNIT_NONE;
  else if (lease->unit == LEASE_UNIT_NONE)
    lease->unit = LEASE_MINUTES;
}

void
network_dhcp_range_complete (NetworkDhcpRange *range)
{
  normalize (&range->start);
  normalize (&range->end);
  complete_lease (range->lease);
}

void
network_dhcp_host_complete (NetworkDhcpHost *host)
{
  normalize (&host->ip);
  complete_lease (host->lease);
}

void
network_ip_complete (NetworkIp *ip)
{
  NetworkDhcp *dhcp = ip->dhcp;

  normalize (&ip->address);
  normalize (&ip->netmask);
  if (ip->prefix.value == 0)
    ip->prefix.set = FALSE;
  /* As libvirt does: without anybody to serve there is no DHCP. */
  if (dhcp != NULL && dhcp->ranges == NULL && dhcp->hosts == NULL) {
    field_free (&network_dhcp_table, dhcp);
    dhcp = ip->dhcp = NULL;
  }
  for (guint i = 0; dhcp != NULL && dhcp->ranges != NULL && i < dhcp->ranges->len; i++)
    network_dhcp_range_complete (g_ptr_array_index (dhcp->ranges, i));
  for (guint i = 0; dhcp != NULL && dhcp->hosts != NULL && i < dhcp->hosts->len; i++)
    network_dhcp_host_complete (g_ptr_array_index (dhcp->hosts, i));
}

void
network_route_complete (NetworkRoute *route)
{
  normalize (&route->address);
  normalize (&route->netmask);
  normalize (&route->gateway);
}
