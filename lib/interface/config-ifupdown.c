/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Definitions as files of Debian's ifupdown in /etc/network/interfaces.d: a stanza for each family of an
 * interface, and one for each interface that a bridge or a bond consists of and that has to be made. Bridges,
 * bonds and VLANs are made by the hooks of bridge-utils, ifenslave and vlan, whose options these are.
 */
#include "interface/interface-config.h"

static void
add_bond (GString *text, const HostBond *bond)
{
  const HostMiimon *miimon = bond->miimon;
  const HostArpmon *arpmon = bond->arpmon;

  g_string_append (text, "    bond-slaves");
  for (guint i = 0; bond->ports != NULL && i < bond->ports->len; i++)
    g_string_append_printf (text, " %s", ((HostInterfaceDef *)g_ptr_array_index (bond->ports, i))->name);
  g_string_append (text, bond->ports != NULL ? "\n" : " none\n");
  if (bond->mode != HOST_BOND_ABSENT)
    g_string_append_printf (text, "    bond-mode %s\n",
                            enum_table_name (&host_interface_bond_modes, bond->mode));
  if (miimon != NULL) {
    g_string_append_printf (text, "    bond-miimon %" G_GUINT64_FORMAT "\n", miimon->frequency.value);
    if (miimon->down_delay.set)
      g_string_append_printf (text, "    bond-downdelay %" G_GUINT64_FORMAT "\n", miimon->down_delay.value);
    if (miimon->up_delay.set)
      g_string_append_printf (text, "    bond-updelay %" G_GUINT64_FORMAT "\n", miimon->up_delay.value);
    if (miimon->carrier != HOST_CARRIER_ABSENT)
      g_string_append_printf (text, "    bond-use-carrier %d\n", miimon->carrier == HOST_CARRIER_NETIF);
  }
  if (arpmon != NULL) {
    g_string_append_printf (text, "    bond-arp-interval %" G_GUINT64_FORMAT "\n    bond-arp-ip-target %s\n",
                            arpmon->interval.value, arpmon->target);
    if (arpmon->validate != 0)
      g_string_append_printf (text, "    bond-arp-validate %s\n",
                              enum_table_name (&host_interface_arp_validations, arpmon->validate));
  }
}

static void
add_bridge (GString *text, const HostBridge *bridge)
{
  g_string_append (text, "    bridge_ports");
  for (guint i = 0; bridge->ports != NULL && i < bridge->ports->len; i++)
    g_string_append_printf (text, " %s", ((HostInterfaceDef *)g_ptr_array_index (bridge->ports, i))->name);
  g_string_append (text, bridge->ports != NULL ? "\n" : " none\n");
  if (bridge->stp != TRISTATE_ABSENT)
    g_string_append_printf (text, "    bridge_stp %s\n", bridge->stp == TRISTATE_YES ? "on" : "off");
  if (bridge->delay != NULL)
    g_string_append_printf (text, "    bridge_fd %s\n", bridge->delay);
}

/* What is said once of an interface, in its first stanza. */
static void
add_options (GString *text, const HostInterfaceDef *def)
{
  if (def->mtu.set)
    g_string_append_printf (text, "    mtu %" G_GUINT64_FORMAT "\n", def->mtu.value);
  if (def->bridge != NULL)
    add_bridge (text, def->bridge);
  if (def->bond != NULL)
    add_bond (text, def->bond);
  if (def->vlan != NULL)
    g_string_append_printf (text, "    vlan-raw-device %s\n", def->vlan->parent);
}

static void
add_family (GString *text, const HostInterfaceDef *def, const HostProtocol *protocol, gboolean *first)
{
  gboolean ipv6 = protocol->family == HOST_IPV6;
  guint count = protocol->addresses != NULL ? protocol->addresses->len : 0;

  if (protocol->dhcp != NULL || protocol->autoconf || count == 0) {
    g_string_append_printf (text, "iface %s %s %s\n", def->name, ipv6 ? "inet6" : "inet",
                            protocol->dhcp != NULL ? "dhcp"
                            : protocol->autoconf   ? "auto"
                                                   : "manual");
    if (*first)
      add_options (text, def);
    *first = FALSE;
  }
  for (guint i = 0; i < count; i++) {
    const HostAddress *address = g_ptr_array_index (protocol->addresses, i);

    g_string_append_printf (text, "iface %s %s static\n    address %s", def->name, ipv6 ? "inet6" : "inet",
                            address->address);
    if (address->prefix.set)
      g_string_append_printf (text, "/%" G_GUINT64_FORMAT, address->prefix.value);
    g_string_append_c (text, '\n');
    if (i == 0 && protocol->gateway != NULL)
      g_string_append_printf (text, "    gateway %s\n", protocol->gateway);
    if (*first)
      add_options (text, def);
    *first = FALSE;
  }
}

/* The hook tells a VLAN by its name, and takes the tag from there. */
static gboolean
check_vlan (const HostInterfaceDef *def, GError **error)
{
  g_autofree char *dotted = NULL, *plain = NULL;

  if (def->vlan == NULL)
    return TRUE;
  dotted = g_strdup_printf ("%s.%" G_GUINT64_FORMAT, def->vlan->parent, def->vlan->tag.value);
  plain = g_strdup_printf ("vlan%" G_GUINT64_FORMAT, def->vlan->tag.value);
  if (g_str_equal (def->name, dotted) || g_str_equal (def->name, plain))
    return TRUE;
  return config_refuse (error, &config_ifupdown, def,
                        "make a VLAN of that name; 'PARENT.TAG' and 'vlanTAG' it can");
}

static gboolean
write_def (const HostInterfaceDef *def, GPtrArray *files, GError **error)
{
  g_autoptr (GPtrArray) masters = NULL;
  g_autoptr (GPtrArray) parts = config_parts (def, &masters);
  GString *text = config_text_new (def);

  if (def->start == HOST_START_ONBOOT)
    g_string_append_printf (text, "auto %s\n", def->name);
  else if (def->start == HOST_START_HOTPLUG)
    g_string_append_printf (text, "allow-hotplug %s\n", def->name);
  for (guint i = 0; i < parts->len; i++) {
    const HostInterfaceDef *part = g_ptr_array_index (parts, i);
    gboolean first = TRUE;

    if (!check_vlan (part, error)) {
      g_string_free (text, TRUE);
      return FALSE;
    }
    for (guint p = 0; part->protocols != NULL && p < part->protocols->len; p++)
      add_family (text, part, g_ptr_array_index (part->protocols, p), &first);
    if (first) {
      g_string_append_printf (text, "iface %s inet manual\n", part->name);
      add_options (text, part);
    }
  }
  config_file_add (files, &config_ifupdown, def->name, "", 0644, text);
  return TRUE;
}

static gboolean
write_all (GPtrArray *defs, GPtrArray *files, GError **error)
{
  for (guint i = 0; i < defs->len; i++)
    if (!write_def (g_ptr_array_index (defs, i), files, error))
      return FALSE;
  return TRUE;
}

static const char *const signs[] = { "/etc/network/interfaces", NULL };
static const char *const start[] = { "ifup", "--force", "%s", NULL };
static const char *const stop[] = { "ifdown", "--force", "%s", NULL };

const NetworkConfig config_ifupdown = {
  .name = "ifupdown",
  .signs = signs,
  .file_prefix = "/etc/network/interfaces.d/domaind-",
  .write = write_all,
  .start = start,
  .stop = stop,
};
