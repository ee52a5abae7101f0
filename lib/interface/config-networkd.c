/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Definitions as systemd-networkd's files: a .netdev for what has to be made, a .network for what every
 * interface is given. Whose port an interface is stands in the port's file, and that a VLAN is above it in
 * that of the interface below; so the whole set is written at once.
 */
#include "interface/interface-config.h"

static void
add_netdev (GPtrArray *files, const HostInterfaceDef *def, const char *kind, const char *section,
            GString *lines)
{
  GString *text = config_text_new (def);

  g_string_append_printf (text, "[NetDev]\nName=%s\nKind=%s\n", def->name, kind);
  if (lines->len > 0)
    g_string_append_printf (text, "\n[%s]\n%s", section, lines->str);
  config_file_add (files, &config_networkd, def->name, ".netdev", 0644, text);
}

static void
add_milliseconds (GString *lines, const char *key, const Number *number)
{
  if (number->set)
    g_string_append_printf (lines, "%s=%" G_GUINT64_FORMAT "ms\n", key, number->value);
}

static void
add_bond (GString *lines, const HostBond *bond)
{
  if (bond->mode != HOST_BOND_ABSENT)
    g_string_append_printf (lines, "Mode=%s\n", enum_table_name (&host_interface_bond_modes, bond->mode));
  if (bond->miimon != NULL) {
    add_milliseconds (lines, "MIIMonitorSec", &bond->miimon->frequency);
    add_milliseconds (lines, "DownDelaySec", &bond->miimon->down_delay);
    add_milliseconds (lines, "UpDelaySec", &bond->miimon->up_delay);
  }
  if (bond->arpmon != NULL) {
    add_milliseconds (lines, "ARPIntervalSec", &bond->arpmon->interval);
    g_string_append_printf (lines, "ARPIPTargets=%s\n", bond->arpmon->target);
    if (bond->arpmon->validate != 0)
      g_string_append_printf (lines, "ARPValidate=%s\n",
                              enum_table_name (&host_interface_arp_validations, bond->arpmon->validate));
  }
}

static gboolean
write_netdev (const HostInterfaceDef *def, GPtrArray *files, GError **error)
{
  g_autoptr (GString) lines = g_string_new (NULL);

  if (def->bridge != NULL) {
    if (def->bridge->stp != TRISTATE_ABSENT)
      g_string_append_printf (lines, "STP=%s\n", def->bridge->stp == TRISTATE_YES ? "yes" : "no");
    if (def->bridge->delay != NULL)
      g_string_append_printf (lines, "ForwardDelaySec=%s\n", def->bridge->delay);
    add_netdev (files, def, "bridge", "Bridge", lines);
  } else if (def->bond != NULL) {
    if (def->bond->miimon != NULL && def->bond->miimon->carrier == HOST_CARRIER_IOCTL)
      return config_refuse (error, &config_networkd, def, "watch a bond's carrier by 'ioctl'");
    add_bond (lines, def->bond);
    add_netdev (files, def, "bond", "Bond", lines);
  } else if (def->vlan != NULL) {
    g_string_append_printf (lines, "Id=%" G_GUINT64_FORMAT "\n", def->vlan->tag.value);
    add_netdev (files, def, "vlan", "VLAN", lines);
  }
  return TRUE;
}

static void
add_protocol (GString *text, const HostProtocol *protocol)
{
  for (guint i = 0; protocol->addresses != NULL && i < protocol->addresses->len; i++) {
    const HostAddress *address = g_ptr_array_index (protocol->addresses, i);
    guint64 whole = protocol->family == HOST_IPV6 ? 128 : 32;

    g_string_append_printf (text, "Address=%s/%" G_GUINT64_FORMAT "\n", address->address,
                            address->prefix.set ? address->prefix.value : whole);
  }
  if (protocol->gateway != NULL)
    g_string_append_printf (text, "Gateway=%s\n", protocol->gateway);
}

static void
add_protocols (GString *text, const HostInterfaceDef *def)
{
  const HostProtocol *ipv4 = host_interface_protocol (def, HOST_IPV4);
  const HostProtocol *ipv6 = host_interface_protocol (def, HOST_IPV6);
  gboolean dhcp4 = ipv4 != NULL && ipv4->dhcp != NULL, dhcp6 = ipv6 != NULL && ipv6->dhcp != NULL;

  g_string_append_printf (text, "DHCP=%s\n", dhcp4 && dhcp6 ? "yes" : dhcp4 ? "ipv4" : dhcp6 ? "ipv6" : "no");
  g_string_append_printf (text, "IPv6AcceptRA=%s\n",
                          ipv6 != NULL && (dhcp6 || ipv6->autoconf) ? "yes" : "no");
  g_string_append_printf (text, "LinkLocalAddressing=%s\n", ipv6 != NULL ? "ipv6" : "no");
  if (ipv4 != NULL)
    add_protocol (text, ipv4);
  if (ipv6 != NULL)
    add_protocol (text, ipv6);
}

static void
add_dns (GString *text, const char *section, const HostProtocol *protocol)
{
  if (protocol != NULL && protocol->dhcp != NULL && protocol->dhcp->peerdns != TRISTATE_ABSENT)
    g_string_append_printf (text, "\n[%s]\nUseDNS=%s\n", section,
                            protocol->dhcp->peerdns == TRISTATE_YES ? "yes" : "no");
}

/* The VLANs above it, of all definitions. */
static void
add_vlans (GString *text, const HostInterfaceDef *def, GPtrArray *all)
{
  for (guint i = 0; i < all->len; i++) {
    const HostInterfaceDef *other = g_ptr_array_index (all, i);

    if (other->vlan != NULL && g_str_equal (other->vlan->parent, def->name))
      g_string_append_printf (text, "VLAN=%s\n", other->name);
  }
}

static void
write_network (const HostInterfaceDef *def, const HostInterfaceDef *master, GPtrArray *all, GPtrArray *files)
{
  GString *text = config_text_new (def);

  g_string_append_printf (text, "[Match]\nName=%s\n", def->name);
  if (def->mtu.set || (master == NULL && def->start < HOST_START_ONBOOT)) {
    g_string_append (text, "\n[Link]\n");
    if (def->mtu.set)
      g_string_append_printf (text, "MTUBytes=%" G_GUINT64_FORMAT "\n", def->mtu.value);
    if (master == NULL && def->start < HOST_START_ONBOOT)
      g_string_append (text, "ActivationPolicy=manual\n");
  }
  g_string_append (text, "\n[Network]\n");
  if (master != NULL)
    g_string_append_printf (text, "%s=%s\nLinkLocalAddressing=no\n",
                            master->bridge != NULL ? "Bridge" : "Bond", master->name);
  else
    add_protocols (text, def);
  add_vlans (text, def, all);
  add_dns (text, "DHCPv4", host_interface_protocol (def, HOST_IPV4));
  add_dns (text, "DHCPv6", host_interface_protocol (def, HOST_IPV6));
  config_file_add (files, &config_networkd, def->name, ".network", 0644, text);
}

/* Its file says that a VLAN is above it, so it must be one of ours. */
static gboolean
check_parent (const HostInterfaceDef *def, GPtrArray *all, GError **error)
{
  g_autofree char *what = NULL;

  if (def->vlan == NULL)
    return TRUE;
  for (guint i = 0; i < all->len; i++)
    if (g_str_equal (((HostInterfaceDef *)g_ptr_array_index (all, i))->name, def->vlan->parent))
      return TRUE;
  what = g_strdup_printf ("make a VLAN above '%s' unless that is defined here too", def->vlan->parent);
  return config_refuse (error, &config_networkd, def, what);
}

static gboolean
write_all (GPtrArray *defs, GPtrArray *files, GError **error)
{
  g_autoptr (GPtrArray) all = g_ptr_array_new (), all_masters = g_ptr_array_new ();

  for (guint i = 0; i < defs->len; i++) {
    g_autoptr (GPtrArray) masters = NULL;
    g_autoptr (GPtrArray) parts = config_parts (g_ptr_array_index (defs, i), &masters);

    g_ptr_array_extend (all, parts, NULL, NULL);
    g_ptr_array_extend (all_masters, masters, NULL, NULL);
  }
  for (guint i = 0; i < all->len; i++) {
    const HostInterfaceDef *def = g_ptr_array_index (all, i);

    if (!check_parent (def, all, error) || !write_netdev (def, files, error))
      return FALSE;
    write_network (def, g_ptr_array_index (all_masters, i), all, files);
  }
  return TRUE;
}

static const char *const signs[] = { "/run/systemd/netif/state", NULL };
static const char *const reload[] = { "networkctl", "reload", NULL };
static const char *const start[] = { "networkctl", "up", "%s", NULL };
static const char *const stop[] = { "networkctl", "down", "%s", NULL };

const NetworkConfig config_networkd = {
  .name = "systemd-networkd",
  .signs = signs,
  .file_prefix = "/etc/systemd/network/10-domaind-",
  .write = write_all,
  .reload = reload,
  .start = start,
  .stop = stop,
};
