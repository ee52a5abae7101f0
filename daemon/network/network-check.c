/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Why a network does not work though it runs: what others have done since its start, or do beside it. All of
 * it is looked up now.
 */
#include "daemon/host/firewall.h"
#include "daemon/host/link.h"
#include "daemon/host/sysctl.h"
#include "daemon/network/network-dnsmasq.h"
#include "daemon/network/network-filter.h"
#include "daemon/network/network-run.h"
#include "network/dnsmasq-config.h"
#include "network/firewall-check.h"
#include "network/network-firewall.h"

static void add (GPtrArray *findings, const char *cure, const char *format, ...) G_GNUC_PRINTF (3, 4);

/* Takes nothing; @cure NULL: there is no line for it. */
static void
add (GPtrArray *findings, const char *cure, const char *format, ...)
{
  FirewallFinding *finding = g_new0 (FirewallFinding, 1);
  va_list values;

  va_start (values, format);
  finding->what = g_strdup_vprintf (format, values);
  va_end (values);
  finding->cure = g_strdup (cure);
  g_ptr_array_add (findings, finding);
}

static void
check_forwarding (const NetworkDef *def, GPtrArray *findings)
{
  static const struct {
    IpFamily family;
    const char *name, *cure;
  } switches[] = {
    { IP_V4, "net/ipv4/ip_forward", "sysctl -w net.ipv4.ip_forward=1" },
    { IP_V6, "net/ipv6/conf/all/forwarding", "sysctl -w net.ipv6.conf.all.forwarding=1" },
  };

  for (guint s = 0; s < G_N_ELEMENTS (switches); s++) {
    gboolean is_needed = FALSE;
    g_autofree char *value = sysctl_get (switches[s].name);

    for (guint i = 0; def->ips != NULL && i < def->ips->len; i++) {
      IpAddress address;
      guint prefix;

      is_needed = is_needed
                  || (network_ip_address (g_ptr_array_index (def->ips, i), &address, &prefix)
                      && address.family == switches[s].family);
    }
    if (is_needed && g_strcmp0 (value, "0") == 0)
      add (findings, switches[s].cure, "the host does not forward packets (%s is 0)", switches[s].name);
  }
}

static void
check_service (const NetworkInput *input, GPtrArray *findings)
{
  g_autofree char *name = input->status != NULL ? network_dnsmasq_name (input->status) : NULL;
  g_autoptr (GPtrArray) found = helpers_find (input->directory);
  gboolean runs = FALSE;

  for (guint i = 0; i < found->len; i++) {
    Helper *helper = g_ptr_array_index (found, i);

    runs = runs || (g_strcmp0 (helper_name (helper), name) == 0 && helper_pid (helper) != 0);
  }
  if (dnsmasq_is_needed (input->def) && !runs)
    add (findings, NULL, "dnsmasq does not run: there is no DHCP and no DNS; the daemon's log says why");
}

GPtrArray *
network_run_check (G_GNUC_UNUSED Job *job, const NetworkInput *input, GError **error)
{
  const NetworkDef *def = input->def;
  g_autoptr (JsonArray) objects = NULL;
  GPtrArray *findings;
  LinkInfo info;

  if (!network_forward_has_own_bridge (def->forward.mode))
    return g_ptr_array_new_with_free_func ((GDestroyNotify)firewall_finding_free);
  if (!firewall_list_all (&objects, error))
    return NULL;
  findings = firewall_check (objects, def);
  if (!link_query (def->bridge, "find bridge", &info, NULL))
    add (findings, NULL, "the bridge '%s' is gone: the network has to be stopped and started", def->bridge);
  else if (!info.up)
    add (findings, NULL, "the bridge '%s' is down: 'ip link set %s up' sets it up", def->bridge, def->bridge);
  if (def->forward.mode != NETWORK_FORWARD_NONE)
    check_forwarding (def, findings);
  check_service (input, findings);
  if (network_firewall_is_needed (def) && !network_filter_is_set (def, FALSE))
    add (findings, NULL, "rules of the network are missing in the table '%s %s'", NETWORK_FIREWALL_FAMILY,
         NETWORK_FIREWALL_TABLE);
  return findings;
}
