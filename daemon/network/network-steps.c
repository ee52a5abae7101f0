/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * The steps of a start. Most of what they make hangs on the bridge and goes with it; the packet filter,
 * firewalld's zone and dnsmasq do not, and are undone one by one. Switches of the kernel stay as they are:
 * once the host forwards, others may rely on it.
 */
#include "daemon/network/network-steps.h"

#include "daemon/host/bridge.h"
#include "daemon/host/host-networks.h"
#include "daemon/host/link.h"
#include "daemon/host/sysctl.h"
#include "daemon/network/network-dnsmasq.h"
#include "daemon/network/network-filter.h"
#include "daemon/network/network-floor.h"
#include "daemon/network/network-resolver.h"
#include "daemon/network/network-zone.h"
#include "network/dnsmasq-config.h"
#include "network/network-firewall.h"

#include <string.h>

#define MILLISECONDS 1000
#define FORWARD_V4   "net/ipv4/ip_forward"
#define FORWARD_V6   "net/ipv6/conf/all/forwarding"

static gboolean
has_bridge (const NetworkDef *def)
{
  return network_forward_has_own_bridge (def->forward.mode);
}

static gboolean
has_family (const NetworkDef *def, IpFamily family)
{
  for (guint i = 0; def->ips != NULL && i < def->ips->len; i++) {
    IpAddress address;
    guint prefix;

    if (network_ip_address (g_ptr_array_index (def->ips, i), &address, &prefix) && address.family == family)
      return TRUE;
  }
  return FALSE;
}

/* The bridge. */

static gboolean
make_bridge (NetworkRun *run, GError **error)
{
  const NetworkDef *def = run->input->def;
  BridgePlan plan = { .name = def->bridge,
                      .spanning_tree = def->stp != TRISTATE_NO,
                      .delay = (guint)MIN (def->delay.value, G_MAXINT32 / MILLISECONDS) * MILLISECONDS,
                      .filters_vlans = def->mac_table_manager == MAC_TABLE_LIBVIRT };

  memcpy (plan.mac, run->status->mac, MAC_BYTES);
  return bridge_add (&plan, error)
         && (!def->mtu.set || def->mtu.value == 0
             || link_set_mtu (def->bridge, (guint)def->mtu.value, error));
}

static gboolean
remove_bridge (NetworkRun *run, GError **error)
{
  return run->status->bridge == NULL || bridge_remove (run->status->bridge, run->status->mac, error);
}

gboolean
network_steps_hold (const NetworkStatus *status)
{
  return status->bridge == NULL || bridge_is (status->bridge, status->mac);
}

/* What the kernel does on it by itself: it is a router's end, and takes no advice from guests. */

static gboolean
set_for_bridge (const char *bridge, const char *name, const char *value, GError **error)
{
  g_autofree char *path = g_strdup_printf ("net/ipv6/conf/%s/%s", bridge, name);
  g_autofree char *present = sysctl_get (path);

  /* A kernel without IPv6 has none of it. */
  return present == NULL || sysctl_set (path, value, NULL, error);
}

static gboolean
set_kernel (NetworkRun *run, GError **error)
{
  const NetworkDef *def = run->input->def;
  gboolean has_v6 = has_family (def, IP_V6);

  return set_for_bridge (def->bridge, "disable_ipv6", has_v6 ? "0" : "1", error)
         && set_for_bridge (def->bridge, "accept_ra", "0", error)
         && set_for_bridge (def->bridge, "autoconf", "0", error);
}

/* Addresses and routes. */

static gboolean
has_addresses (const NetworkDef *def)
{
  return has_bridge (def) && def->ips != NULL && def->ips->len > 0;
}

static gboolean
add_addresses (NetworkRun *run, GError **error)
{
  const NetworkDef *def = run->input->def;

  for (guint i = 0; i < def->ips->len; i++) {
    IpAddress address;
    guint prefix;

    if (!network_ip_address (g_ptr_array_index (def->ips, i), &address, &prefix)) {
      virt_error_set (error, VIR_ERR_XML_ERROR, "network '%s' has an <ip> without an address", def->name);
      return FALSE;
    }
    if (!bridge_add_address (def->bridge, &address, prefix, error))
      return FALSE;
  }
  return TRUE;
}

static gboolean
set_up (NetworkRun *run, GError **error)
{
  return link_set_up (run->input->def->bridge, TRUE, error);
}

static gboolean
has_routes (const NetworkDef *def)
{
  return has_bridge (def) && def->routes != NULL && def->routes->len > 0;
}

static gboolean
add_routes (NetworkRun *run, GError **error)
{
  const NetworkDef *def = run->input->def;

  for (guint i = 0; i < def->routes->len; i++) {
    const NetworkRoute *route = g_ptr_array_index (def->routes, i);
    IpAddress destination;
    char text[IP_TEXT_MAX];
    guint prefix;

    if (!network_route_destination (route, &destination, &prefix)) {
      virt_error_set (error, VIR_ERR_XML_ERROR, "network '%s' has a <route> without a destination",
                      def->name);
      return FALSE;
    }
    ip_address_format (&destination, text);
    if (!link_add_route (def->bridge, text, prefix, route->gateway,
                         route->metric.set ? (guint)route->metric.value : 1, error))
      return FALSE;
  }
  return TRUE;
}

/* Forwarding: the host's own, switched on where it is off. */

static gboolean
has_forwarding (const NetworkDef *def)
{
  return has_bridge (def) && def->forward.mode != NETWORK_FORWARD_NONE;
}

static gboolean
set_forwarding (const NetworkDef *def, const char *name, GError **error)
{
  gboolean is_changed = FALSE;

  if (!sysctl_set (name, "1", &is_changed, error))
    return FALSE;
  if (is_changed)
    g_message ("network '%s': the host forwards packets from now on (%s = 1)", def->name, name);
  return TRUE;
}

/* A host that forwards believes no router, unless it is told to: it would lose the routes it has. */
static gboolean
check_advertised_routes (GError **error)
{
  g_autoptr (GArray) networks = host_networks_list (error);

  for (guint i = 0; networks != NULL && i < networks->len; i++) {
    const HostNetwork *network = &g_array_index (networks, HostNetwork, i);
    g_autofree char *name = g_strdup_printf ("net/ipv6/conf/%s/accept_ra", network->link), *value = NULL;

    if (!network->is_from_ra)
      continue;
    value = sysctl_get (name);
    if (g_strcmp0 (value, "1") != 0)
      continue;
    virt_error_set (error, VIR_ERR_INTERNAL_ERROR,
                    "Check the host setup: interface %s has kernel autoconfigured IPv6 routes and enabling "
                    "forwarding without accept_ra set to 2 will cause the kernel to flush them, breaking "
                    "networking.",
                    network->link);
    return FALSE;
  }
  return networks != NULL;
}

static gboolean
forward (NetworkRun *run, GError **error)
{
  const NetworkDef *def = run->input->def;
  g_autofree char *present = sysctl_get (FORWARD_V6);

  if (has_family (def, IP_V4) && !set_forwarding (def, FORWARD_V4, error))
    return FALSE;
  return !has_family (def, IP_V6)
         || ((g_strcmp0 (present, "1") == 0 || check_advertised_routes (error))
             && set_forwarding (def, FORWARD_V6, error));
}

/* The packet filter, and firewalld's opinion. */

static gboolean
filter (NetworkRun *run, GError **error)
{
  return network_filter_set (run->input->def, error);
}

gboolean
network_step_filter (const NetworkDef *def, GError **error)
{
  return !network_firewall_is_needed (def) || network_filter_set (def, error);
}

static gboolean
remove_filter (NetworkRun *run, GError **error)
{
  gboolean is_last = run->input->others == NULL || run->input->others->len == 0;

  return run->status->bridge == NULL || network_filter_clear (run->status->bridge, is_last, error);
}

static gboolean
join_zone (NetworkRun *run, GError **error)
{
  return network_zone_join (run->job, run->input->def, &run->status->zone, error);
}

static gboolean
leave_zone (NetworkRun *run, G_GNUC_UNUSED GError **error)
{
  if (run->status->zone != NULL && run->status->bridge != NULL)
    network_zone_leave (run->job, run->status->bridge, run->status->zone);
  return TRUE;
}

/* Bandwidth. */

static gboolean
has_limit (const NetworkDef *def)
{
  return has_bridge (def) && (def->inbound != NULL || def->outbound != NULL);
}

static gboolean
limit (NetworkRun *run, GError **error)
{
  return network_floor_set_bridge (run->input->def, run->input->ports, error);
}

static gboolean
remove_floors (NetworkRun *run, GError **error)
{
  return run->status->bridge == NULL || network_floor_clear (run->status->bridge, error);
}

/* Names and addresses for the machines. */

static gboolean
has_service (const NetworkDef *def)
{
  return has_bridge (def) && dnsmasq_is_needed (def);
}

static gboolean
serve (NetworkRun *run, GError **error)
{
  return network_dnsmasq_update (run->job, run->input, run->status, error);
}

static gboolean
stop_service (NetworkRun *run, G_GNUC_UNUSED GError **error)
{
  network_dnsmasq_stop (run->input->directory);
  return TRUE;
}

/* The host's own resolver. */

static gboolean
has_registration (const NetworkDef *def)
{
  return has_service (def) && def->domain != NULL && def->domain_register == TRISTATE_YES;
}

static gboolean
register_domain (NetworkRun *run, GError **error)
{
  return network_resolver_register (run->job, run->input->def, error);
}

/* A step's number is its bit in status files: a new order is a new format of theirs. */
const NetworkStep network_steps[] = {
  { "bridge", has_bridge, make_bridge, remove_bridge },
  { "kernel", has_bridge, set_kernel, NULL },
  { "filter", network_firewall_is_needed, filter, remove_filter },
  { "zone", has_bridge, join_zone, leave_zone },
  { "addresses", has_addresses, add_addresses, NULL },
  { "up", has_bridge, set_up, NULL },
  { "routes", has_routes, add_routes, NULL },
  { "forwarding", has_forwarding, forward, NULL },
  { "bandwidth", has_limit, limit, remove_floors },
  { "service", has_service, serve, stop_service },
  { "resolver", has_registration, register_domain, NULL },
};
const guint network_step_count = G_N_ELEMENTS (network_steps);
G_STATIC_ASSERT (G_N_ELEMENTS (network_steps) <= NETWORK_STEPS_MAX);
