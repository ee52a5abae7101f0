/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Definitions as NetworkManager's keyfiles: a connection profile for each interface and each port. The
 * profile's name is "domaind-NAME", so that it is told from those that people made.
 */
#include "interface/interface-config.h"

#define DELAY_MOST      30 /* seconds: what the kernel lets a bridge wait */
#define DELAY_LEAST_STP 2

static const char *const types[] = {
  [HOST_ETHERNET] = "ethernet", [HOST_BRIDGE] = "bridge", [HOST_BOND] = "bond", [HOST_VLAN] = "vlan"
};

static gboolean
add_bridge (GString *text, const HostInterfaceDef *def, GError **error)
{
  const HostBridge *bridge = def->bridge;
  guint64 delay = 0, least = bridge->stp == TRISTATE_NO ? 0 : DELAY_LEAST_STP;
  g_autofree char *what = NULL;

  g_string_append (text, "\n[bridge]\n");
  if (bridge->stp != TRISTATE_ABSENT)
    g_string_append_printf (text, "stp=%s\n", bridge->stp == TRISTATE_YES ? "true" : "false");
  if (bridge->delay == NULL)
    return TRUE;
  if (parse_uint (bridge->delay, DELAY_MOST, &delay) && delay >= least) {
    g_string_append_printf (text, "forward-delay=%" G_GUINT64_FORMAT "\n", delay);
    return TRUE;
  }
  what = g_strdup_printf ("delay forwarding by '%s' seconds; whole numbers from %" G_GUINT64_FORMAT
                          " to %d it can",
                          bridge->delay, least, DELAY_MOST);
  return config_refuse (error, &config_network_manager, def, what);
}

static void
add_number (GString *text, const char *key, const Number *number)
{
  if (number->set)
    g_string_append_printf (text, "%s=%" G_GUINT64_FORMAT "\n", key, number->value);
}

static void
add_bond (GString *text, const HostBond *bond)
{
  g_string_append (text, "\n[bond]\n");
  if (bond->mode != HOST_BOND_ABSENT)
    g_string_append_printf (text, "mode=%s\n", enum_table_name (&host_interface_bond_modes, bond->mode));
  if (bond->miimon != NULL) {
    add_number (text, "miimon", &bond->miimon->frequency);
    add_number (text, "downdelay", &bond->miimon->down_delay);
    add_number (text, "updelay", &bond->miimon->up_delay);
    if (bond->miimon->carrier != HOST_CARRIER_ABSENT)
      g_string_append_printf (text, "use_carrier=%d\n", bond->miimon->carrier == HOST_CARRIER_NETIF);
  }
  if (bond->arpmon != NULL) {
    add_number (text, "arp_interval", &bond->arpmon->interval);
    g_string_append_printf (text, "arp_ip_target=%s\n", bond->arpmon->target);
    if (bond->arpmon->validate != 0)
      g_string_append_printf (text, "arp_validate=%s\n",
                              enum_table_name (&host_interface_arp_validations, bond->arpmon->validate));
  }
}

static void
add_protocol (GString *text, const HostInterfaceDef *def, HostFamily family)
{
  const HostProtocol *protocol = host_interface_protocol (def, family);
  gboolean ipv6 = family == HOST_IPV6;
  guint count = protocol != NULL && protocol->addresses != NULL ? protocol->addresses->len : 0;
  const char *method = "disabled";

  if (protocol != NULL && (protocol->autoconf || (protocol->dhcp != NULL && !ipv6)))
    method = "auto";
  else if (protocol != NULL && protocol->dhcp != NULL)
    method = "dhcp";
  else if (count > 0)
    method = "manual";
  g_string_append_printf (text, "\n[%s]\nmethod=%s\n", ipv6 ? "ipv6" : "ipv4", method);
  for (guint i = 0; i < count; i++) {
    const HostAddress *address = g_ptr_array_index (protocol->addresses, i);

    g_string_append_printf (text, "address%u=%s/%" G_GUINT64_FORMAT "\n", i + 1, address->address,
                            address->prefix.set ? address->prefix.value
                            : ipv6              ? 128
                                                : 32);
  }
  if (protocol != NULL && protocol->gateway != NULL)
    g_string_append_printf (text, "gateway=%s\n", protocol->gateway);
  if (protocol != NULL && protocol->dhcp != NULL && protocol->dhcp->peerdns == TRISTATE_NO)
    g_string_append (text, "ignore-auto-dns=true\n");
}

static gboolean
write_profile (const HostInterfaceDef *def, const HostInterfaceDef *master, GPtrArray *files, GError **error)
{
  g_autoptr (GString) text = config_text_new (def);

  g_string_append_printf (text, "[connection]\nid=domaind-%s\ntype=%s\ninterface-name=%s\n", def->name,
                          types[def->type], def->name);
  if (master == NULL)
    g_string_append_printf (text, "autoconnect=%s\n", def->start >= HOST_START_ONBOOT ? "true" : "false");
  else
    g_string_append_printf (text, "master=%s\nslave-type=%s\n", master->name, types[master->type]);
  if (def->mtu.set)
    g_string_append_printf (text, "\n[ethernet]\nmtu=%" G_GUINT64_FORMAT "\n", def->mtu.value);
  if (def->bridge != NULL && !add_bridge (text, def, error))
    return FALSE;
  if (def->bond != NULL)
    add_bond (text, def->bond);
  if (def->vlan != NULL)
    g_string_append_printf (text, "\n[vlan]\nid=%" G_GUINT64_FORMAT "\nparent=%s\n", def->vlan->tag.value,
                            def->vlan->parent);
  if (master == NULL) {
    add_protocol (text, def, HOST_IPV4);
    add_protocol (text, def, HOST_IPV6);
  }
  config_file_add (files, &config_network_manager, def->name, ".nmconnection", 0600, g_steal_pointer (&text));
  return TRUE;
}

static gboolean
write_all (GPtrArray *defs, GPtrArray *files, GError **error)
{
  for (guint i = 0; i < defs->len; i++) {
    g_autoptr (GPtrArray) masters = NULL;
    g_autoptr (GPtrArray) parts = config_parts (g_ptr_array_index (defs, i), &masters);

    for (guint p = 0; p < parts->len; p++)
      if (!write_profile (g_ptr_array_index (parts, p), g_ptr_array_index (masters, p), files, error))
        return FALSE;
  }
  return TRUE;
}

static const char *const signs[] = { "/run/NetworkManager/state", "/run/NetworkManager/devices", NULL };
static const char *const reload[] = { "nmcli", "connection", "reload", NULL };
static const char *const start[] = { "nmcli", "connection", "up", "domaind-%s", NULL };
static const char *const stop[] = { "nmcli", "connection", "down", "domaind-%s", NULL };

const NetworkConfig config_network_manager = {
  .name = "NetworkManager",
  .signs = signs,
  .file_prefix = "/etc/NetworkManager/system-connections/domaind-",
  .write = write_all,
  .reload = reload,
  .start = start,
  .stop = stop,
};
