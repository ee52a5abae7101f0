/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Subnets that are there twice. Without this a network would start, and the host would lose its gateway to
 * it: the usual case is a guest that is a host itself, whose own default network is the one it lives in.
 */
#include "daemon/network/network-clash.h"

#include "base/virt-error.h"
#include "daemon/host/host-networks.h"

#include <string.h>

typedef struct {
  IpAddress address;
  guint prefix;
} Subnet;

/* "192.168.122.0/24" (transfer full) */
static char *
subnet_text (const Subnet *subnet)
{
  IpAddress first;
  char text[IP_TEXT_MAX];

  ip_network_first (&subnet->address, subnet->prefix, &first);
  ip_address_format (&first, text);
  return g_strdup_printf ("%s/%u", text, subnet->prefix);
}

static IpAddress
address_of (const HostNetwork *network, const guint8 *bytes)
{
  IpAddress address = { network->is_v6 ? IP_V6 : IP_V4, { 0 } };

  memcpy (address.bytes, bytes, network->is_v6 ? 16 : 4);
  return address;
}

static gboolean
is_same (const Subnet *subnet, const Subnet *other)
{
  return subnet->prefix == other->prefix
         && ip_networks_overlap (&subnet->address, subnet->prefix, &other->address, other->prefix);
}

/* @bridge: the network's own, which an earlier start may have left. */
static gboolean
is_in_the_way (const HostNetwork *network, const Subnet *subnet, const char *bridge)
{
  Subnet other = { address_of (network, network->address), network->prefix };
  IpAddress gateway = address_of (network, network->gateway);

  if (other.address.family != subnet->address.family || g_strcmp0 (network->link, bridge) == 0)
    return FALSE;
  if (network->has_gateway && ip_network_contains (&subnet->address, subnet->prefix, &gateway))
    return TRUE;
  if (network->is_route && network->prefix == 0)
    return FALSE;
  return is_same (subnet, &other)
         || (!network->is_route && ip_network_contains (&subnet->address, subnet->prefix, &other.address));
}

static gboolean
refuse_host (const NetworkDef *def, const Subnet *subnet, const HostNetwork *network, GError **error)
{
  g_autofree char *text = subnet_text (subnet);
  IpAddress address =
      address_of (network, network->is_route && network->has_gateway ? network->gateway : network->address);
  char host[IP_TEXT_MAX];

  ip_address_format (&address, host);
  if (network->is_route && network->has_gateway)
    virt_error_set (
        error, VIR_ERR_INTERNAL_ERROR,
        "Network is already in use by interface %s: the host's gateway %s lies in %s of network '%s'",
        network->link, host, text, def->name);
  else
    virt_error_set (error, VIR_ERR_INTERNAL_ERROR,
                    "Network is already in use by interface %s: its %s/%u and %s of network '%s' overlap",
                    network->link, host, network->prefix, text, def->name);
  return FALSE;
}

static gboolean
check_host (const NetworkDef *def, const Subnet *subnet, const GArray *host, GError **error)
{
  for (guint i = 0; i < host->len; i++) {
    const HostNetwork *network = &g_array_index (host, HostNetwork, i);

    if (is_in_the_way (network, subnet, def->bridge))
      return refuse_host (def, subnet, network, error);
  }
  return TRUE;
}

static gboolean
check_other (const NetworkDef *def, const Subnet *subnet, const NetworkDef *other, GError **error)
{
  if (!network_forward_has_own_bridge (other->forward.mode))
    return TRUE;
  for (guint i = 0; other->ips != NULL && i < other->ips->len; i++) {
    Subnet taken;
    g_autofree char *text = NULL, *taken_text = NULL;

    if (!network_ip_address (g_ptr_array_index (other->ips, i), &taken.address, &taken.prefix)
        || taken.address.family != subnet->address.family
        || !ip_networks_overlap (&subnet->address, subnet->prefix, &taken.address, taken.prefix))
      continue;
    text = subnet_text (subnet);
    taken_text = subnet_text (&taken);
    virt_error_set (
        error, VIR_ERR_INTERNAL_ERROR,
        "Network is already in use by interface %s: %s of network '%s' and %s of network '%s' overlap",
        other->bridge, taken_text, other->name, text, def->name);
    return FALSE;
  }
  return TRUE;
}

/* A static route of the network's to where the host has one already, or is itself. */
static gboolean
check_route (const NetworkDef *def, const NetworkRoute *route, const GArray *host, GError **error)
{
  Subnet destination;
  g_autofree char *text = NULL;

  if (!network_route_destination (route, &destination.address, &destination.prefix))
    return TRUE;
  for (guint i = 0; i < host->len; i++) {
    const HostNetwork *network = &g_array_index (host, HostNetwork, i);
    Subnet other = { address_of (network, network->address), network->prefix };

    if (other.address.family != destination.address.family || !is_same (&destination, &other))
      continue;
    text = subnet_text (&destination);
    virt_error_set (error, VIR_ERR_INTERNAL_ERROR,
                    "Route address '%s' conflicts with IP address for '%s': network '%s' has a <route> to %s",
                    route->address, network->link, def->name, text);
    return FALSE;
  }
  return TRUE;
}

gboolean
network_clash_check (const NetworkDef *def, const GPtrArray *others, const GArray *host, GError **error)
{
  for (guint i = 0; def->ips != NULL && i < def->ips->len; i++) {
    Subnet subnet;

    if (!network_ip_address (g_ptr_array_index (def->ips, i), &subnet.address, &subnet.prefix))
      continue;
    for (guint o = 0; others != NULL && o < others->len; o++)
      if (!check_other (def, &subnet, g_ptr_array_index (others, o), error))
        return FALSE;
    if (!check_host (def, &subnet, host, error))
      return FALSE;
  }
  for (guint i = 0; def->routes != NULL && i < def->routes->len; i++)
    if (!check_route (def, g_ptr_array_index (def->routes, i), host, error))
      return FALSE;
  return TRUE;
}
