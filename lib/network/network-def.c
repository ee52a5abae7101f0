/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * <network>: the table of the document's own level, and what is filled in. The parts that are stories of
 * their own (forward, dns, ip) have files of their own; what a document must not say is in
 * network-validate.c. The name of a bridge is not chosen here: which are free only the host knows.
 */
#include "network/network-def.h"

#include "network/network-validate.h"

#include <string.h>

#define BRIDGE_PREFIX "virbr"
#define NAME_NUMBER   "%d" /* in a name: one that is free */

const FieldTable network_portgroup_table = {
  sizeof (NetworkPortgroup),
  (const Field[]){
      FIELD (NetworkPortgroup, name, "@name", field_text, NULL),
      FIELD (NetworkPortgroup, is_default, "@default", field_yes_no, NULL),
      FIELD (NetworkPortgroup, trust_guest_rx_filters, "@trustGuestRxFilters", field_yes_no, NULL),
      FIELD (NetworkPortgroup, vlan, "vlan", field_optional, &interface_vlan_table),
      FIELD (NetworkPortgroup, virtualport, "virtualport", field_optional, &interface_virtual_port_table),
      FIELD (NetworkPortgroup, class_id, "bandwidth/@classID", field_number, NULL),
      FIELD (NetworkPortgroup, inbound, "bandwidth/inbound", field_optional, &interface_rate_table),
      FIELD (NetworkPortgroup, outbound, "bandwidth/outbound", field_optional, &interface_rate_table),
      FIELD_END,
  },
};

static const FieldTable option_table = {
  sizeof (NetworkOption),
  (const Field[]){
      FIELD (NetworkOption, value, "@value", field_text, NULL),
      FIELD_END,
  },
};

static const FieldRange range_32 = { 0, G_MAXUINT32 }, mtu_range = { 0, 65535 }, port_range = { 0, 65535 };

static const Field network_fields[] = {
  FIELD (NetworkDef, dnsmasq_namespace, "@xmlns:dnsmasq", field_text, NULL),
  FIELD_WITH (NetworkDef, connections, "@connections", field_number, &range_32, FIELD_LIVE),
  FIELD (NetworkDef, ipv6, "@ipv6", field_yes_no, NULL),
  FIELD (NetworkDef, trust_guest_rx_filters, "@trustGuestRxFilters", field_yes_no, NULL),
  FIELD (NetworkDef, name, "name", field_text, NULL),
  FIELD (NetworkDef, uuid, "uuid", field_uuid, NULL),
  FIELD (NetworkDef, title, "title", field_text, NULL),
  FIELD (NetworkDef, description, "description", field_text, NULL),
  FIELD (NetworkDef, metadata, "metadata", field_foreign, NULL),
  FIELD (NetworkDef, forward.said, "forward", field_flag, NULL),
  FIELD (NetworkDef, forward.dev, "forward/@dev", field_text, NULL),
  FIELD (NetworkDef, forward.mode, "forward/@mode", field_enum, &network_forward_modes),
  FIELD (NetworkDef, forward.managed, "forward/@managed", field_yes_no, NULL),
  FIELD (NetworkDef, forward.driver, "forward/driver/@name", field_enum, &network_forward_drivers),
  FIELD (NetworkDef, forward.driver_model, "forward/driver/@model", field_text, NULL),
  FIELD (NetworkDef, forward.nat_said, "forward/nat", field_flag, NULL),
  FIELD (NetworkDef, forward.nat_ipv6, "forward/nat/@ipv6", field_yes_no, NULL),
  FIELD (NetworkDef, forward.nat_address_start, "forward/nat/address/@start", field_text, NULL),
  FIELD (NetworkDef, forward.nat_address_end, "forward/nat/address/@end", field_text, NULL),
  FIELD (NetworkDef, forward.nat_port_start, "forward/nat/port/@start", field_number, &port_range),
  FIELD (NetworkDef, forward.nat_port_end, "forward/nat/port/@end", field_number, &port_range),
  FIELD (NetworkDef, forward.pfs, "forward/pf", field_list, &network_forward_pf_table),
  FIELD (NetworkDef, forward.interfaces, "forward/interface", field_list, &network_forward_interface_table),
  FIELD (NetworkDef, forward.addresses, "forward/address", field_list, &network_forward_address_table),
  FIELD (NetworkDef, bridge, "bridge/@name", field_text, NULL),
  FIELD (NetworkDef, bridge_zone, "bridge/@zone", field_text, NULL),
  FIELD (NetworkDef, stp, "bridge/@stp", field_on_off, NULL),
  FIELD (NetworkDef, delay, "bridge/@delay", field_number, NULL),
  FIELD (NetworkDef, mac_table_manager, "bridge/@macTableManager", field_enum, &mac_table_managers),
  FIELD (NetworkDef, mtu, "mtu/@size", field_number, &mtu_range),
  FIELD (NetworkDef, mac, "mac/@address", field_text, NULL),
  FIELD (NetworkDef, domain, "domain/@name", field_text, NULL),
  FIELD (NetworkDef, domain_local_only, "domain/@localOnly", field_yes_no, NULL),
  FIELD (NetworkDef, domain_register, "domain/@register", field_yes_no, NULL),
  FIELD (NetworkDef, dns, "dns", field_struct, &network_dns_table),
  FIELD (NetworkDef, vlan, "vlan", field_optional, &interface_vlan_table),
  FIELD (NetworkDef, class_id, "bandwidth/@classID", field_number, NULL),
  FIELD (NetworkDef, inbound, "bandwidth/inbound", field_optional, &interface_rate_table),
  FIELD (NetworkDef, outbound, "bandwidth/outbound", field_optional, &interface_rate_table),
  FIELD (NetworkDef, port_isolated, "port/@isolated", field_yes_no, NULL),
  FIELD (NetworkDef, ips, "ip", field_open_list, &network_ip_table),
  FIELD (NetworkDef, routes, "route", field_list, &network_route_table),
  FIELD (NetworkDef, virtualport, "virtualport", field_optional, &interface_virtual_port_table),
  FIELD (NetworkDef, portgroups, "portgroup", field_open_list, &network_portgroup_table),
  FIELD (NetworkDef, options, "dnsmasq:options/dnsmasq:option", field_list, &option_table),
  FIELD_END,
};

static const FieldTable network_table = { sizeof (NetworkDef), network_fields };

/* Values that libvirt refuses in words of its own. */
static const ValueError value_errors[] = {
  { "uuid", NULL, VIR_ERR_INTERNAL_ERROR, VIR_FROM_NETWORK, "malformed uuid element" },
  { "network", "ipv6", VIR_ERR_XML_ERROR, VIR_FROM_NETWORK,
    "Invalid ipv6 setting '{value}' in network '{name}'" },
  { "forward", "mode", VIR_ERR_CONFIG_UNSUPPORTED, VIR_FROM_NETWORK, "unknown forwarding type '{value}'" },
  { "bridge", "delay", VIR_ERR_XML_ERROR, VIR_FROM_NETWORK, "Invalid delay value in network '{name}'" },
  { "bridge", "macTableManager", VIR_ERR_XML_ERROR, VIR_FROM_NETWORK,
    "Invalid macTableManager setting '{value}' in network '{name}'" },
  { "mtu", "size", VIR_ERR_XML_ERROR, VIR_FROM_NETWORK, "Invalid mtu size '{value}' in network '{name}'" },
  { "port", "start", VIR_ERR_XML_DETAIL, VIR_FROM_NETWORK,
    "Missing or invalid 'start' attribute in <port> in <nat> in <forward> in network {name}" },
  { "port", "end", VIR_ERR_XML_DETAIL, VIR_FROM_NETWORK,
    "Missing or invalid 'end' attribute in <port> in <nat> in <forward> in network {name}" },
  { "srv", "port", VIR_ERR_XML_DETAIL, VIR_FROM_NETWORK,
    "invalid DNS SRV port attribute for service '{service}' in network '{name}'" },
  { "srv", "priority", VIR_ERR_XML_DETAIL, VIR_FROM_NETWORK,
    "Invalid DNS SRV priority attribute for service '{service}' in network '{name}'" },
  { "srv", "weight", VIR_ERR_XML_DETAIL, VIR_FROM_NETWORK,
    "invalid DNS SRV weight attribute for service '{service}' in network '{name}'" },
  { "address", "slot", VIR_ERR_XML_ERROR, VIR_FROM_NONE,
    "Invalid PCI address slot='{value}', must be <= 0x1F" },
  { "tag", "id", VIR_ERR_XML_ERROR, VIR_FROM_NONE, "vlan tag id {value} too large (maximum 4095)" },
  { "vlan", "trunk", VIR_ERR_XML_ERROR, VIR_FROM_NONE,
    "invalid \"trunk='{value}'\" in <vlan> - trunk='yes' is required for more than one vlan tag" },
  { "virtualport", "type", VIR_ERR_CONFIG_UNSUPPORTED, VIR_FROM_NONE, "unknown virtualport type {value}" },
  { "parameters", "managerid", VIR_ERR_XML_ERROR, VIR_FROM_NONE, "value of managerid out of range" },
  { "parameters", "typeid", VIR_ERR_XML_ERROR, VIR_FROM_NONE, "value of typeid out of range" },
  { "parameters", "typeidversion", VIR_ERR_XML_ERROR, VIR_FROM_NONE, "value of typeidversion out of range" },
  { "parameters", "instanceid", VIR_ERR_XML_ERROR, VIR_FROM_NONE,
    "cannot parse instanceid parameter as a uuid" },
  { "parameters", "interfaceid", VIR_ERR_XML_ERROR, VIR_FROM_NONE,
    "cannot parse interfaceid parameter as a uuid" },
  { NULL, NULL, VIR_ERR_OK, VIR_FROM_NONE, NULL },
};

static void
complete_bridge (NetworkDef *def)
{
  guint8 mac[MAC_BYTES];
  char text[MAC_TEXT];

  if (!network_forward_has_own_bridge (def->forward.mode))
    return;
  if (def->stp == TRISTATE_ABSENT)
    def->stp = TRISTATE_YES;
  def->delay.set = TRUE;
  if (!mac_parse (def->mac, mac))
    mac_generate (mac);
  mac_format (mac, text);
  g_free (def->mac);
  def->mac = g_strdup (text);
}

static void
complete_portgroups (NetworkDef *def)
{
  for (guint i = 0; def->portgroups != NULL && i < def->portgroups->len; i++)
    network_portgroup_complete (g_ptr_array_index (def->portgroups, i));
}

void
network_portgroup_complete (NetworkPortgroup *group)
{
  if (group->is_default != TRISTATE_YES)
    group->is_default = TRISTATE_ABSENT;
  interface_vlan_complete (group->vlan);
  interface_rate_complete (&group->inbound);
  interface_rate_complete (&group->outbound);
}

static void
complete (gpointer data)
{
  NetworkDef *def = data;

  def->connections.set = FALSE;
  if (def->ipv6 != TRISTATE_YES)
    def->ipv6 = TRISTATE_ABSENT;
  if (def->domain == NULL)
    def->domain_local_only = def->domain_register = TRISTATE_ABSENT;
  if (def->bridge != NULL && def->bridge[0] == '\0')
    g_clear_pointer (&def->bridge, g_free);
  network_forward_complete (&def->forward);
  complete_bridge (def);
  network_dns_complete (&def->dns);
  for (guint i = 0; def->ips != NULL && i < def->ips->len; i++)
    network_ip_complete (g_ptr_array_index (def->ips, i));
  for (guint i = 0; def->routes != NULL && i < def->routes->len; i++)
    network_route_complete (g_ptr_array_index (def->routes, i));
  interface_vlan_complete (def->vlan);
  interface_rate_complete (&def->inbound);
  interface_rate_complete (&def->outbound);
  complete_portgroups (def);
  if (def->mtu.value == 0)
    def->mtu.set = FALSE;
  g_clear_pointer (&def->dnsmasq_namespace, g_free);
  if (def->options != NULL)
    def->dnsmasq_namespace = g_strdup (NETWORK_DNSMASQ_NAMESPACE);
}

/* The table writes it where libvirt does, before the other attributes. */
static const DocumentNamespace namespaces[] = { { "dnsmasq", NETWORK_DNSMASQ_NAMESPACE, NULL },
                                                { NULL, NULL, NULL } };

const DocumentKind network_document = {
  .root = "network",
  .schema = SCHEMA_NETWORK,
  .table = &network_table,
  .ref_count = G_STRUCT_OFFSET (NetworkDef, ref_count),
  .name = G_STRUCT_OFFSET (NetworkDef, name),
  .uuid = G_STRUCT_OFFSET (NetworkDef, uuid),
  .value_errors = value_errors,
  .namespaces = namespaces,
  .validate = network_validate,
  .complete = complete,
};

NetworkDef *
network_def_parse (const char *text, gssize length, guint flags, Diagnostics *diagnostics)
{
  return document_read (&network_document, text, length, flags, diagnostics);
}

NetworkDef *
network_def_ref (NetworkDef *def)
{
  return document_ref (&network_document, def);
}

void
network_def_unref (NetworkDef *def)
{
  document_unref (&network_document, def);
}

NetworkDef *
network_def_copy (const NetworkDef *def)
{
  return document_copy (&network_document, def);
}

/* What a <pf> has beside it is found again with each start. */
static void
forget_pool (NetworkForward *forward)
{
  const Field interfaces =
      FIELD (NetworkForward, interfaces, "", field_list, &network_forward_interface_table);
  const Field addresses = FIELD (NetworkForward, addresses, "", field_list, &network_forward_address_table);

  field_list.clear (&interfaces, &forward->interfaces);
  field_list.clear (&addresses, &forward->addresses);
}

char *
network_def_to_xml (const NetworkDef *def, gboolean live)
{
  g_autoptr (NetworkDef) stored = NULL;

  if (live || def->forward.pfs == NULL)
    return document_to_xml (&network_document, def, live ? FIELD_WRITE_LIVE : 0);
  stored = network_def_copy (def);
  forget_pool (&stored->forward);
  return document_to_xml (&network_document, stored, 0);
}

gboolean
network_def_needs_bridge_name (const NetworkDef *def)
{
  return network_forward_has_own_bridge (def->forward.mode)
         && (def->bridge == NULL || def->bridge[0] == '\0' || strstr (def->bridge, NAME_NUMBER) != NULL);
}

char *
network_def_bridge_name (const NetworkDef *def, guint number)
{
  const char *place = def->bridge != NULL ? strstr (def->bridge, NAME_NUMBER) : NULL;

  if (place == NULL || strchr (place + 1, '%') != NULL || strchr (def->bridge, '%') != place)
    return g_strdup_printf (BRIDGE_PREFIX "%u", number);
  return g_strdup_printf ("%.*s%u%s", (int)(place - def->bridge), def->bridge, number,
                          place + strlen (NAME_NUMBER));
}

const NetworkPortgroup *
network_def_find_portgroup (const NetworkDef *def, const char *name)
{
  for (guint i = 0; def->portgroups != NULL && i < def->portgroups->len; i++) {
    const NetworkPortgroup *group = g_ptr_array_index (def->portgroups, i);

    if (name != NULL ? g_strcmp0 (group->name, name) == 0 : group->is_default == TRISTATE_YES)
      return group;
  }
  return NULL;
}

const NetworkIp *
network_def_dhcp_ip (const NetworkDef *def, IpFamily family)
{
  for (guint i = 0; def->ips != NULL && i < def->ips->len; i++) {
    const NetworkIp *ip = g_ptr_array_index (def->ips, i);
    IpAddress address;

    if (ip->dhcp != NULL && (ip->dhcp->ranges != NULL || ip->dhcp->hosts != NULL)
        && ip_address_parse (ip->address, &address) && address.family == family)
      return ip;
  }
  return NULL;
}
