/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Subnets, DHCP and routes. libvirt accepts ranges that overlap, hosts outside of their subnet and two hosts
 * with one address, and dnsmasq then gives addresses that nobody meant; they are refused here.
 */
#include "network/network-validate.h"

#include <string.h>

#define RANGE_MAX         65535 /* addresses of one DHCP range */
#define LEASE_SECONDS_MIN 120   /* what dnsmasq makes of less */
#define IPV4_BITS         32
#define IPV6_BITS         128

/* Subnets. */

static gboolean
check_family (const NetworkCheck *check, const NetworkIp *ip, const IpAddress *address)
{
  const char *family = ip->family;

  if (family == NULL || g_str_equal (family, "ipv4")) {
    if (address->family == IP_V4)
      return TRUE;
    network_refuse (check, &ip->address, ip, VIR_ERR_CONFIG_UNSUPPORTED,
                    "%s family specified for non-IPv4 address '%s' in network '%s'",
                    family != NULL ? family : "no", ip->address, check->network);
  } else if (g_str_equal (family, "ipv6")) {
    if (address->family == IP_V6)
      return TRUE;
    network_refuse (check, &ip->address, ip, VIR_ERR_CONFIG_UNSUPPORTED,
                    "Family 'ipv6' specified for non-IPv6 address '%s' in network '%s'", ip->address,
                    check->network);
  } else
    network_refuse (check, &ip->family, ip, VIR_ERR_XML_ERROR, "Unrecognized family '%s' in network '%s'",
                    family, check->network);
  return FALSE;
}

static gboolean
check_netmask (const NetworkCheck *check, const NetworkIp *ip, const IpAddress *address)
{
  IpAddress mask;

  if (ip->netmask == NULL)
    return TRUE;
  if (!ip_address_parse (ip->netmask, &mask))
    network_refuse (check, &ip->netmask, ip, VIR_ERR_XML_ERROR, "Invalid netmask '%s' in network '%s'",
                    ip->netmask, check->network);
  else if (address->family == IP_V6)
    network_refuse (check, &ip->netmask, ip, VIR_ERR_CONFIG_UNSUPPORTED,
                    "netmask not allowed for IPv6 address '%s' in network '%s'", ip->address, check->network);
  else if (mask.family != IP_V4)
    network_refuse (check, &ip->netmask, ip, VIR_ERR_CONFIG_UNSUPPORTED,
                    "Invalid netmask '%s' for address '%s' in network '%s' (both must be IPv4)", ip->netmask,
                    ip->address, check->network);
  else if (ip->prefix.value > 0)
    network_refuse (check, &ip->prefix, ip, VIR_ERR_CONFIG_UNSUPPORTED,
                    "Network '%s' IP address cannot have both a prefix and a netmask", check->network);
  else
    return TRUE;
  return FALSE;
}

static gboolean
check_ip (const NetworkCheck *check, const NetworkIp *ip, IpAddress *ret_address)
{
  if (ip->address == NULL) {
    network_refuse (check, ip, ip, VIR_ERR_XML_ERROR, "Missing required address attribute in network '%s'",
                    check->network);
    return FALSE;
  }
  if (!ip_address_parse (ip->address, ret_address)) {
    network_refuse (check, &ip->address, ip, VIR_ERR_XML_ERROR, "Invalid address '%s' in network '%s'",
                    ip->address, check->network);
    return FALSE;
  }
  if (!check_family (check, ip, ret_address) || !check_netmask (check, ip, ret_address))
    return FALSE;
  if (ip->prefix.value > ip_address_bits (ret_address)) {
    network_refuse (check, &ip->prefix, ip, VIR_ERR_CONFIG_UNSUPPORTED,
                    "Invalid %s prefix '%u' in network '%s'", ret_address->family == IP_V4 ? "IPv4" : "IPv6",
                    (guint)ip->prefix.value, check->network);
    return FALSE;
  }
  if (ret_address->family == IP_V6 && ip->tftp_root != NULL)
    network_refuse (check, &ip->tftp_root, ip, VIR_ERR_CONFIG_UNSUPPORTED,
                    "Unsupported <tftp> element in an IPv6 element in network '%s'", check->network);
  return TRUE;
}

/* DHCP. */

static void
check_lease (const NetworkCheck *check, const NetworkLeaseTime *lease)
{
  if (lease != NULL && lease->expiry.set && lease->expiry.value != 0
      && !source_map_is_invalid (check->reader->map, &lease->unit)
      && network_lease_seconds (lease) < LEASE_SECONDS_MIN)
    network_refuse (check, &lease->expiry, lease, VIR_ERR_CONFIG_UNSUPPORTED,
                    "The minimum lease time should be greater than 2 minutes");
}

#define REFUSE_RANGE(...) \
  network_refuse_from (check, &range->start, range, VIR_FROM_NONE, VIR_ERR_INTERNAL_ERROR, __VA_ARGS__)

static void
check_range_inside (const NetworkCheck *check, const NetworkDhcpRange *range, const NetworkIp *ip,
                    const IpAddress *start, const IpAddress *end)
{
  IpAddress address, first, last;
  guint prefix;

  if (!network_ip_address (ip, &address, &prefix))
    return;
  if (address.family != start->family) {
    REFUSE_RANGE ("mismatch of address family in range %s - %s for network %s", range->start, range->end,
                  ip->address);
    return;
  }
  ip_network_first (&address, prefix, &first);
  ip_network_last (&address, prefix, &last);
  if (!ip_network_contains (&address, prefix, start) || !ip_network_contains (&address, prefix, end))
    REFUSE_RANGE ("range %s - %s is not entirely within network %s/%u", range->start, range->end, ip->address,
                  prefix);
  else if (address.family == IP_V4 && ip_address_compare (start, &first) == 0)
    REFUSE_RANGE ("start of range %s - %s in network %s/%u is the network address", range->start, range->end,
                  ip->address, prefix);
  else if (address.family == IP_V4 && ip_address_compare (end, &last) == 0)
    REFUSE_RANGE ("end of range %s - %s in network %s/%u is the broadcast address", range->start, range->end,
                  ip->address, prefix);
}

void
network_check_dhcp_range (const NetworkCheck *check, const NetworkDhcpRange *range, const NetworkIp *ip)
{
  IpAddress start, end;
  const char *missing = range->start == NULL ? "start" : range->end == NULL ? "end" : NULL;

  if (missing != NULL) {
    network_refuse (check, range, range, VIR_ERR_XML_ERROR,
                    "Missing '%s' attribute in dhcp range for network '%s'", missing, check->network);
    return;
  }
  for (guint i = 0; i < 2; i++)
    if (!ip_address_parse (i == 0 ? range->start : range->end, i == 0 ? &start : &end)) {
      network_refuse_from (
          check, i == 0 ? &range->start : &range->end, range, VIR_FROM_NONE, VIR_ERR_SYSTEM_ERROR,
          "Cannot parse socket address '%s': Name or service not known", i == 0 ? range->start : range->end);
      return;
    }
  if (start.family != end.family)
    REFUSE_RANGE ("mismatch of address family in range %s - %s", range->start, range->end);
  else if (ip_range_size (&start, &end) == 0)
    REFUSE_RANGE ("range %s - %s is reversed ", range->start, range->end);
  else if (ip_range_size (&start, &end) - 1 > RANGE_MAX)
    REFUSE_RANGE ("range %s - %s is too large (> %d)", range->start, range->end, RANGE_MAX);
  else
    check_range_inside (check, range, ip, &start, &end);
  check_lease (check, range->lease);
}

typedef struct {
  const NetworkDhcpRange *range;
  IpAddress start, end;
} Bounds;

static int
compare_starts (gconstpointer a, gconstpointer b)
{
  return ip_address_compare (&((const Bounds *)a)->start, &((const Bounds *)b)->start);
}

static void
check_overlaps (const NetworkCheck *check, const GPtrArray *ranges)
{
  g_autoptr (GArray) sorted = g_array_new (FALSE, FALSE, sizeof (Bounds));

  for (guint i = 0; i < ranges->len; i++) {
    Bounds bounds = { .range = g_ptr_array_index (ranges, i) };

    if (ip_address_parse (bounds.range->start, &bounds.start)
        && ip_address_parse (bounds.range->end, &bounds.end) && bounds.start.family == bounds.end.family)
      g_array_append_val (sorted, bounds);
  }
  g_array_sort (sorted, compare_starts);
  for (guint i = 1; i < sorted->len; i++) {
    const Bounds *one = &g_array_index (sorted, Bounds, i - 1), *other = &g_array_index (sorted, Bounds, i);

    if (one->start.family == other->start.family && ip_address_compare (&other->start, &one->end) <= 0)
      network_refuse (check, other->range, other->range, VIR_ERR_CONFIG_UNSUPPORTED,
                      "dhcp range %s - %s overlaps range %s - %s in network '%s'", other->range->start,
                      other->range->end, one->range->start, one->range->end, check->network);
  }
}

static gboolean
check_host_mac (const NetworkCheck *check, const NetworkDhcpHost *host, IpFamily family)
{
  guint8 mac[MAC_BYTES];

  if (host->mac == NULL)
    return TRUE;
  if (family == IP_V6)
    network_refuse (check, &host->mac, host, VIR_ERR_XML_ERROR,
                    "Invalid to specify MAC address '%s' in network '%s' IPv6 static host definition",
                    host->mac, check->network);
  else if (!mac_parse (host->mac, mac))
    network_refuse (check, &host->mac, host, VIR_ERR_XML_ERROR,
                    "Cannot parse MAC address '%s' in network '%s'", host->mac, check->network);
  else if (mac_is_multicast (mac))
    network_refuse (check, &host->mac, host, VIR_ERR_XML_ERROR,
                    "expected unicast mac address, found multicast '%s' in network '%s'", host->mac,
                    check->network);
  else
    return TRUE;
  return FALSE;
}

/* dnsmasq's line for a host is parts with commas between; a name can be none of its own words. */
static gboolean
check_host_name (const NetworkCheck *check, const NetworkDhcpHost *host)
{
  if (host->name == NULL || (host->name[0] != '\0' && strpbrk (host->name, ",\r\n \t#\"") == NULL))
    return TRUE;
  network_refuse (check, &host->name, host, VIR_ERR_XML_ERROR, "Cannot use host name '%s' in network '%s'",
                  host->name, check->network);
  return FALSE;
}

void
network_check_dhcp_host (const NetworkCheck *check, const NetworkDhcpHost *host, IpFamily family,
                         gboolean partial)
{
  IpAddress address;
  const char *wrong = host->id != NULL ? host->id + strspn (host->id, "0123456789abcdefABCDEF:") : "";

  if (!check_host_mac (check, host, family) || !check_host_name (check, host))
    return;
  if (*wrong != '\0')
    network_refuse (check, &host->id, host, VIR_ERR_XML_ERROR,
                    "Invalid character '%c' in id '%s' of network '%s'", *wrong, host->id, check->network);
  else if (host->ip != NULL && !ip_address_parse (host->ip, &address))
    network_refuse (check, &host->ip, host, VIR_ERR_XML_ERROR,
                    "Invalid IP address in static host definition for network '%s'", check->network);
  else if (partial && host->mac == NULL && host->name == NULL && host->ip == NULL && host->id == NULL)
    network_refuse (check, host, host, VIR_ERR_XML_ERROR,
                    "At least one of name, mac, or ip attribute must be specified for static host definition "
                    "in network '%s'",
                    check->network);
  else if (!partial && family == IP_V6 && host->id == NULL && host->name == NULL)
    network_refuse (check, host, host, VIR_ERR_XML_ERROR,
                    "Static host definition in IPv6 network '%s' must have id or name attribute",
                    check->network);
  else if (!partial && family != IP_V6 && host->mac == NULL && host->name == NULL)
    network_refuse (check, host, host, VIR_ERR_XML_ERROR,
                    "Static host definition in IPv4 network '%s' must have mac or name attribute",
                    check->network);
  else if (!partial && host->ip == NULL)
    network_refuse (check, host, host, VIR_ERR_XML_ERROR,
                    "Missing IP address in static host definition for network '%s'", check->network);
  check_lease (check, host->lease);
}

void
network_check_host_inside (const NetworkCheck *check, const NetworkDhcpHost *host, const NetworkIp *ip)
{
  IpAddress address, own;
  guint prefix;

  if (!ip_address_parse (host->ip, &address) || !network_ip_address (ip, &own, &prefix))
    return;
  if (address.family != own.family || !ip_network_contains (&own, prefix, &address))
    network_refuse (check, &host->ip, host, VIR_ERR_CONFIG_UNSUPPORTED,
                    "static host address '%s' is not within network %s/%u of network '%s'", host->ip,
                    ip->address, prefix, check->network);
  else if (ip_address_compare (&address, &own) == 0)
    network_refuse (check, &host->ip, host, VIR_ERR_CONFIG_UNSUPPORTED,
                    "static host address '%s' is the address of network '%s' itself", host->ip,
                    check->network);
}

static void
check_hosts (const NetworkCheck *check, const NetworkIp *ip, IpFamily family)
{
  g_autoptr (GHashTable) seen = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);

  for (guint i = 0; ip->dhcp->hosts != NULL && i < ip->dhcp->hosts->len; i++) {
    const NetworkDhcpHost *host = g_ptr_array_index (ip->dhcp->hosts, i);
    char *address = ip_address_normalize (host->ip);
    guint8 mac[MAC_BYTES];

    network_check_dhcp_host (check, host, family, FALSE);
    network_check_host_inside (check, host, ip);
    if (address != NULL && !g_hash_table_add (seen, address))
      network_refuse (check, &host->ip, host, VIR_ERR_CONFIG_UNSUPPORTED,
                      "two static host definitions have the address '%s' in network '%s'", host->ip,
                      check->network);
    if (mac_parse (host->mac, mac)) {
      char *text = g_malloc (MAC_TEXT);

      mac_format (mac, text);
      if (!g_hash_table_add (seen, text))
        network_refuse (check, &host->mac, host, VIR_ERR_CONFIG_UNSUPPORTED,
                        "two static host definitions have the MAC address '%s' in network '%s'", host->mac,
                        check->network);
    }
  }
}

static void
check_bootp (const NetworkCheck *check, const NetworkBootp *bootp)
{
  IpAddress server;

  if (bootp->file == NULL)
    network_refuse_from (check, bootp, bootp, VIR_FROM_XML, VIR_ERR_XML_ERROR,
                         "Missing required attribute 'file' in element 'bootp'");
  else if (strpbrk (bootp->file, ",\r\n") != NULL)
    network_refuse (check, &bootp->file, bootp, VIR_ERR_XML_ERROR,
                    "the file of <bootp> in network '%s' cannot contain a comma or a line break",
                    check->network);
  if (bootp->server != NULL && !ip_address_parse (bootp->server, &server)
      && bootp->server[strspn (bootp->server,
                               "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-")]
             != '\0')
    network_refuse_from (check, &bootp->server, bootp, VIR_FROM_NONE, VIR_ERR_SYSTEM_ERROR,
                         "Cannot parse socket address '%s': Name or service not known", bootp->server);
}

static void
check_dhcp (const NetworkCheck *check, const NetworkIp *ip, IpFamily family)
{
  for (guint i = 0; ip->dhcp->ranges != NULL && i < ip->dhcp->ranges->len; i++)
    network_check_dhcp_range (check, g_ptr_array_index (ip->dhcp->ranges, i), ip);
  if (ip->dhcp->ranges != NULL)
    check_overlaps (check, ip->dhcp->ranges);
  check_hosts (check, ip, family);
  if (family == IP_V4 && ip->dhcp->bootp != NULL)
    check_bootp (check, ip->dhcp->bootp);
}

/* Routes. */

#define REFUSE_ROUTE(member, format, ...) \
  network_refuse (check, &route->member, route, VIR_ERR_XML_ERROR, "%s: " format, check->network, __VA_ARGS__)

static gboolean
check_route_family (const NetworkCheck *check, const NetworkRoute *route, const IpAddress *address,
                    const IpAddress *gateway)
{
  const char *family = route->family;
  gboolean is_v6 = g_strcmp0 (family, "ipv6") == 0;
  IpFamily wanted = is_v6 ? IP_V6 : IP_V4;
  const char *word = family == NULL ? "No" : is_v6 ? "ipv6" : "IPv4", *version = is_v6 ? "IPv6" : "IPv4";

  if (family != NULL && !is_v6 && !g_str_equal (family, "ipv4"))
    REFUSE_ROUTE (family, "Unrecognized family '%s' in route definition", family);
  else if (address->family != wanted)
    REFUSE_ROUTE (address, "%s family specified for non-%s address '%s' in route definition", word, version,
                  route->address);
  else if (gateway->family != wanted)
    REFUSE_ROUTE (gateway, "%s family specified for non-%s gateway '%s' in route definition", word, version,
                  route->address);
  else
    return TRUE;
  return FALSE;
}

static gboolean
check_route_size (const NetworkCheck *check, const NetworkRoute *route, IpFamily family)
{
  IpAddress mask;
  guint bits = family == IP_V6 ? IPV6_BITS : IPV4_BITS;

  if (route->netmask != NULL && family == IP_V6)
    REFUSE_ROUTE (netmask, "Specifying netmask invalid for IPv6 address '%s' in route definition",
                  route->address);
  else if (route->netmask != NULL && (!ip_address_parse (route->netmask, &mask) || mask.family != IP_V4))
    REFUSE_ROUTE (netmask, "Bad netmask address '%s' in route definition", route->netmask);
  else if (route->netmask != NULL && route->prefix.set)
    REFUSE_ROUTE (netmask, "Route definition cannot have both a prefix and a netmask%s", "");
  else if (route->prefix.set && route->prefix.value > bits)
    REFUSE_ROUTE (prefix, "Invalid prefix %u specified in route definition, must be 0 - %u",
                  (guint)route->prefix.value, bits);
  else
    return TRUE;
  return FALSE;
}

static gboolean
check_route (const NetworkCheck *check, const NetworkRoute *route, IpAddress *ret_gateway)
{
  IpAddress address, network;
  guint prefix;

  if (route->address == NULL)
    REFUSE_ROUTE (address, "Missing required address attribute in route definition%s", "");
  else if (route->gateway == NULL)
    REFUSE_ROUTE (gateway, "Missing required gateway attribute in route definition%s", "");
  else if (!ip_address_parse (route->address, &address))
    REFUSE_ROUTE (address, "Bad network address '%s' in route definition", route->address);
  else if (!ip_address_parse (route->gateway, ret_gateway))
    REFUSE_ROUTE (gateway, "Bad gateway address '%s' in route definition", route->gateway);
  else if (check_route_family (check, route, &address, ret_gateway)
           && check_route_size (check, route, address.family)) {
    /* Without a size, an address stands for itself: it is no network. */
    gboolean is_sized = (route->prefix.set || route->netmask != NULL || ip_address_is_any (&address))
                        && network_route_destination (route, &network, &prefix);

    if (is_sized)
      ip_network_first (&address, prefix, &network);
    if (is_sized && ip_address_compare (&address, &network) == 0)
      return TRUE;
    REFUSE_ROUTE (address, "Address '%s' in route definition is not a network address", route->address);
  }
  return FALSE;
}

static gboolean
is_reachable (const NetworkDef *def, const IpAddress *gateway)
{
  for (guint i = 0; def->ips != NULL && i < def->ips->len; i++) {
    IpAddress address;
    guint prefix;

    if (network_ip_address (g_ptr_array_index (def->ips, i), &address, &prefix)
        && address.family == gateway->family && ip_network_contains (&address, prefix, gateway))
      return TRUE;
  }
  return FALSE;
}

static void
check_second_dhcp (const NetworkCheck *check, const NetworkIp *ip, IpFamily family, gboolean *had)
{
  if (ip->dhcp->ranges == NULL && ip->dhcp->hosts == NULL)
    return;
  if (*had)
    network_refuse (check, ip->dhcp, ip, VIR_ERR_CONFIG_UNSUPPORTED,
                    "Multiple %s dhcp sections found -- dhcp is supported only for a single %s address on "
                    "each network",
                    family == IP_V6 ? "IPv6" : "IPv4", family == IP_V6 ? "IPv6" : "IPv4");
  *had = TRUE;
}

/* Two subnets of one network cannot share addresses: which of them a machine is in would be chance. */
static void
check_subnets (const NetworkCheck *check, const NetworkDef *def)
{
  g_autoptr (GHashTable) seen = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);

  for (guint i = 0; i < def->ips->len; i++) {
    const NetworkIp *ip = g_ptr_array_index (def->ips, i);
    char *address = ip_address_normalize (ip->address);

    if (address != NULL && !g_hash_table_add (seen, address))
      network_refuse (check, &ip->address, ip, VIR_ERR_CONFIG_UNSUPPORTED,
                      "address '%s' is listed twice in network '%s'", ip->address, check->network);
  }
}

void
network_check_addresses (const NetworkCheck *check, const NetworkDef *def)
{
  gboolean had[IP_V6 + 1] = { FALSE };
  IpAddress address;

  for (guint i = 0; def->ips != NULL && i < def->ips->len; i++) {
    const NetworkIp *ip = g_ptr_array_index (def->ips, i);

    if (!check_ip (check, ip, &address) || ip->dhcp == NULL)
      continue;
    check_dhcp (check, ip, address.family);
    check_second_dhcp (check, ip, address.family, &had[address.family]);
  }
  if (def->ips != NULL)
    check_subnets (check, def);
  for (guint i = 0; def->routes != NULL && i < def->routes->len; i++) {
    const NetworkRoute *route = g_ptr_array_index (def->routes, i);

    if (check_route (check, route, &address) && !is_reachable (def, &address))
      network_refuse (check, &route->gateway, route, VIR_ERR_CONFIG_UNSUPPORTED,
                      "unreachable static route gateway '%s' specified for network '%s'", route->gateway,
                      check->network);
  }
}
