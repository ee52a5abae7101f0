/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * <interface>: what libvirt's format says of an interface of the host. A bridge's ports are interfaces in it,
 * a bond's too, and no deeper: each level has a table of its own, with the members of the same struct.
 * Definitions become lines of the host's network configuration, so no text in them may be more than it seems:
 * names, addresses and numbers are checked here, and nothing else of a document gets there.
 */
#include "interface/interface-document.h"

#include <arpa/inet.h>
#include <string.h>

static const EnumTable types = { "interface type", { NULL, "ethernet", "bridge", "bond", "vlan" } };
static const EnumTable start_modes = { "interface startmode", { NULL, "none", "onboot", "hotplug" } };
static const EnumTable families = { "protocol family", { NULL, "ipv4", "ipv6" } };
static const EnumTable states = {
  "link state", { NULL, "unknown", "notpresent", "down", "lowerlayerdown", "testing", "dormant", "up" }
};
static const EnumTable carriers = { "mii bonding carrier", { NULL, "ioctl", "netif" } };
const EnumTable host_interface_bond_modes = { "bonding mode",
                                              { NULL, "balance-rr", "active-backup", "balance-xor",
                                                "broadcast", "802.3ad", "balance-tlb", "balance-alb" } };
const EnumTable host_interface_arp_validations = { "arp bonding validate",
                                                   { NULL, "none", "active", "backup", "all" } };

static const FieldRange prefix_range = { 0, 128 };
static const FieldRange tag_range = { 0, HOST_VLAN_TAG_MAX };
static const FieldRange number_range = { 0, G_MAXINT32 };

static const Field address_fields[] = {
  FIELD_WITH (HostAddress, address, "@address", field_text, NULL, FIELD_REQUIRED),
  FIELD (HostAddress, prefix, "@prefix", field_number, &prefix_range),
  FIELD_END,
};
static const FieldTable address_table = { sizeof (HostAddress), address_fields };

static const Field dhcp_fields[] = {
  FIELD (HostDhcp, peerdns, "@peerdns", field_yes_no, NULL),
  FIELD_END,
};
static const FieldTable dhcp_table = { sizeof (HostDhcp), dhcp_fields };

static const Field protocol_fields[] = {
  FIELD_WITH (HostProtocol, family, "@family", field_enum, &families, FIELD_REQUIRED),
  FIELD (HostProtocol, autoconf, "autoconf", field_flag, NULL),
  FIELD (HostProtocol, dhcp, "dhcp", field_optional, &dhcp_table),
  FIELD (HostProtocol, addresses, "ip", field_list, &address_table),
  FIELD (HostProtocol, gateway, "route/@gateway", field_text, NULL),
  FIELD_END,
};
static const FieldTable protocol_table = { sizeof (HostProtocol), protocol_fields };

static const Field link_fields[] = {
  FIELD (HostLink, speed, "@speed", field_number, &number_range),
  FIELD (HostLink, state, "@state", field_enum, &states),
  FIELD_END,
};
static const FieldTable link_table = { sizeof (HostLink), link_fields };

static const Field miimon_fields[] = {
  FIELD_WITH (HostMiimon, frequency, "@freq", field_number, &number_range, FIELD_REQUIRED),
  FIELD (HostMiimon, down_delay, "@downdelay", field_number, &number_range),
  FIELD (HostMiimon, up_delay, "@updelay", field_number, &number_range),
  FIELD (HostMiimon, carrier, "@carrier", field_enum, &carriers),
  FIELD_END,
};
static const FieldTable miimon_table = { sizeof (HostMiimon), miimon_fields };

static const Field arpmon_fields[] = {
  FIELD_WITH (HostArpmon, interval, "@interval", field_number, &number_range, FIELD_REQUIRED),
  FIELD_WITH (HostArpmon, target, "@target", field_text, NULL, FIELD_REQUIRED),
  FIELD (HostArpmon, validate, "@validate", field_enum, &host_interface_arp_validations),
  FIELD_END,
};
static const FieldTable arpmon_table = { sizeof (HostArpmon), arpmon_fields };

#define PORT_FIELDS                                                                   \
  FIELD_WITH (HostInterfaceDef, type, "@type", field_enum, &types, FIELD_REQUIRED),   \
      FIELD_WITH (HostInterfaceDef, name, "@name", field_text, NULL, FIELD_REQUIRED), \
      FIELD (HostInterfaceDef, link, "link", field_struct, &link_table),              \
      FIELD (HostInterfaceDef, mac, "mac/@address", field_text, NULL)

static const Field bond_port_fields[] = { PORT_FIELDS, FIELD_END };
static const FieldTable bond_port_table = { sizeof (HostInterfaceDef), bond_port_fields };

static const Field bond_fields[] = {
  FIELD (HostBond, mode, "@mode", field_enum, &host_interface_bond_modes),
  FIELD (HostBond, miimon, "miimon", field_optional, &miimon_table),
  FIELD (HostBond, arpmon, "arpmon", field_optional, &arpmon_table),
  FIELD (HostBond, ports, "interface", field_open_list, &bond_port_table),
  FIELD_END,
};
static const FieldTable bond_table = { sizeof (HostBond), bond_fields };

static const Field vlan_fields[] = {
  FIELD_WITH (HostVlan, tag, "@tag", field_number, &tag_range, FIELD_REQUIRED),
  FIELD_WITH (HostVlan, parent, "interface/@name", field_text, NULL, FIELD_REQUIRED),
  FIELD_END,
};
static const FieldTable vlan_table = { sizeof (HostVlan), vlan_fields };

#define BOND_FIELD \
  FIELD_WHEN (HostInterfaceDef, bond, "bond", field_open_optional, &bond_table, type, FIELD_VALUE (HOST_BOND))
#define VLAN_FIELD \
  FIELD_WHEN (HostInterfaceDef, vlan, "vlan", field_optional, &vlan_table, type, FIELD_VALUE (HOST_VLAN))

static const Field bridge_port_fields[] = { PORT_FIELDS, BOND_FIELD, VLAN_FIELD, FIELD_END };
static const FieldTable bridge_port_table = { sizeof (HostInterfaceDef), bridge_port_fields };

static const Field bridge_fields[] = {
  FIELD (HostBridge, stp, "@stp", field_on_off, NULL),
  FIELD (HostBridge, delay, "@delay", field_text, NULL),
  FIELD (HostBridge, ports, "interface", field_open_list, &bridge_port_table),
  FIELD_END,
};
static const FieldTable bridge_table = { sizeof (HostBridge), bridge_fields };

static const Field interface_fields[] = {
  FIELD_WITH (HostInterfaceDef, type, "@type", field_enum, &types, FIELD_REQUIRED),
  FIELD (HostInterfaceDef, name, "@name", field_text, NULL),
  FIELD (HostInterfaceDef, start, "start/@mode", field_enum, &start_modes),
  FIELD (HostInterfaceDef, mtu, "mtu/@size", field_number, &number_range),
  FIELD (HostInterfaceDef, protocols, "protocol", field_open_list, &protocol_table),
  FIELD (HostInterfaceDef, link, "link", field_struct, &link_table),
  FIELD (HostInterfaceDef, mac, "mac/@address", field_text, NULL),
  FIELD_WHEN (HostInterfaceDef, bridge, "bridge", field_open_optional, &bridge_table, type,
              FIELD_VALUE (HOST_BRIDGE)),
  BOND_FIELD,
  VLAN_FIELD,
  FIELD_END,
};
static const FieldTable interface_table = { sizeof (HostInterfaceDef), interface_fields };

static const ValueError value_errors[] = {
  { "interface", "type", VIR_ERR_XML_ERROR, VIR_FROM_INTERFACE },
  { "start", "mode", VIR_ERR_XML_ERROR, VIR_FROM_INTERFACE },
  { "protocol", "family", VIR_ERR_XML_ERROR, VIR_FROM_INTERFACE },
  { "bond", "mode", VIR_ERR_XML_ERROR, VIR_FROM_INTERFACE },
  { NULL, NULL, VIR_ERR_OK, VIR_FROM_NONE },
};

gboolean
host_interface_name_is_valid (const char *name)
{
  gsize length = strlen (name);

  for (gsize i = 0; i < length; i++)
    if (!g_ascii_isalnum (name[i]) && strchr ("-_.", name[i]) == NULL)
      return FALSE;
  /* A name that begins with '-' would be an option of the programs that are told of it. */
  return length > 0 && length <= HOST_INTERFACE_NAME_MAX && name[0] != '-' && !g_str_equal (name, ".")
         && !g_str_equal (name, "..");
}

static void refuse (const FieldReader *reader, gconstpointer member, gconstpointer around, const char *format,
                    ...) G_GNUC_PRINTF (4, 5);

static void
refuse (const FieldReader *reader, gconstpointer member, gconstpointer around, const char *format, ...)
{
  g_autofree char *text = NULL;
  va_list arguments;

  if (source_map_is_invalid (reader->map, member))
    return;
  va_start (arguments, format);
  text = g_strdup_vprintf (format, arguments);
  va_end (arguments);
  diagnostics_error_from (reader->diagnostics, source_map_find (reader->map, member, around),
                          VIR_FROM_INTERFACE, VIR_ERR_XML_ERROR, "%s", text);
}

static void
check_name (const FieldReader *reader, char *const *name, gconstpointer around)
{
  if (*name != NULL && !host_interface_name_is_valid (*name))
    refuse (reader, name, around,
            "'%s' cannot be the name of an interface: 1 to %d letters, digits, '-', '_' and '.'", *name,
            HOST_INTERFACE_NAME_MAX);
}

static void
check_address (const FieldReader *reader, char *const *text, gconstpointer around, int family)
{
  unsigned char bytes[sizeof (struct in6_addr)];

  if (*text != NULL && inet_pton (family == HOST_IPV6 ? AF_INET6 : AF_INET, *text, bytes) != 1)
    refuse (reader, text, around, "'%s' is no %s address", *text, family == HOST_IPV6 ? "IPv6" : "IPv4");
}

static void
check_protocol (const FieldReader *reader, const HostProtocol *protocol)
{
  guint64 bits = protocol->family == HOST_IPV6 ? 128 : 32;
  guint count = protocol->addresses != NULL ? protocol->addresses->len : 0;

  if (protocol->family == HOST_FAMILY_ABSENT)
    return;
  if (count > HOST_ADDRESS_MAX)
    refuse (reader, &protocol->addresses, protocol, "more than %d addresses", HOST_ADDRESS_MAX);
  for (guint i = 0; i < MIN (count, HOST_ADDRESS_MAX); i++) {
    const HostAddress *address = g_ptr_array_index (protocol->addresses, i);

    check_address (reader, &address->address, address, protocol->family);
    if (address->prefix.value > bits)
      refuse (reader, &address->prefix, address,
              "the prefix %" G_GUINT64_FORMAT " is more than %" G_GUINT64_FORMAT, address->prefix.value,
              bits);
  }
  check_address (reader, &protocol->gateway, protocol, protocol->family);
  if (protocol->autoconf && protocol->family == HOST_IPV4)
    refuse (reader, &protocol->autoconf, protocol, "only IPv6 configures itself: <autoconf/>");
}

static void
check_bond (const FieldReader *reader, const HostBond *bond, gconstpointer around)
{
  if (bond->arpmon != NULL)
    check_address (reader, &bond->arpmon->target, bond->arpmon, HOST_IPV4);
  if (bond->arpmon != NULL && bond->miimon != NULL)
    refuse (reader, bond->arpmon, around, "a bond is watched by miimon or by arpmon, not by both");
}

static void
check_delay (const FieldReader *reader, const HostBridge *bridge)
{
  const char *text = bridge->delay;
  char *end = NULL;

  if (text == NULL)
    return;
  if (text[0] != '\0' && strspn (text, "0123456789.") == strlen (text))
    g_ascii_strtod (text, &end);
  if (end == NULL || *end != '\0')
    refuse (reader, &bridge->delay, bridge, "'%s' is no number of seconds", text);
}

/* The element that the type asks for is there. */
static void
check_type (const FieldReader *reader, const HostInterfaceDef *def)
{
  if (def->type == HOST_BRIDGE && def->bridge == NULL)
    refuse (reader, &def->bridge, def, "bridge interface misses the bridge element");
  if (def->type == HOST_BOND && def->bond == NULL)
    refuse (reader, &def->bond, def, "bond interface misses the bond element");
  if (def->type == HOST_VLAN && def->vlan == NULL)
    refuse (reader, &def->vlan, def, "vlan interface misses the vlan element");
}

/* @allowed: the types that may be here. */
static void
check_ports (const FieldReader *reader, GPtrArray *const *ports, gconstpointer around, guint64 allowed)
{
  g_autoptr (GHashTable) names = g_hash_table_new (g_str_hash, g_str_equal);
  guint count = *ports != NULL ? (*ports)->len : 0;

  if (count > HOST_PORTS_MAX)
    refuse (reader, ports, around, "more than %d interfaces in one", HOST_PORTS_MAX);
  for (guint i = 0; i < MIN (count, HOST_PORTS_MAX); i++) {
    const HostInterfaceDef *port = g_ptr_array_index (*ports, i);

    check_name (reader, &port->name, port);
    if (port->name != NULL && !g_hash_table_add (names, port->name))
      refuse (reader, &port->name, port, "the interface '%s' is named twice", port->name);
    if (port->type != HOST_TYPE_ABSENT && (allowed & FIELD_VALUE (port->type)) == 0)
      refuse (reader, &port->type, port, "interface has unsupported type '%s'",
              enum_table_name (&types, port->type));
    else
      check_type (reader, port);
    if (port->bond != NULL) {
      check_bond (reader, port->bond, port);
      check_ports (reader, &port->bond->ports, port->bond, FIELD_VALUE (HOST_ETHERNET));
    }
    if (port->vlan != NULL)
      check_name (reader, &port->vlan->parent, port->vlan);
  }
}

static void
validate (gconstpointer data, const FieldReader *reader, guint flags G_GNUC_UNUSED)
{
  const HostInterfaceDef *def = data;
  guint8 mac[MAC_BYTES];

  if (def->name == NULL)
    refuse (reader, &def->name, def, "interface has no name");
  check_name (reader, &def->name, def);
  check_type (reader, def);
  if (def->mac != NULL && !mac_parse (def->mac, mac))
    refuse (reader, &def->mac, def, "'%s' is no MAC address", def->mac);
  for (guint i = 0; def->protocols != NULL && i < def->protocols->len; i++) {
    const HostProtocol *protocol = g_ptr_array_index (def->protocols, i);

    check_protocol (reader, protocol);
    if (host_interface_protocol (def, (HostFamily)protocol->family) != protocol)
      refuse (reader, protocol, def, "more than one <protocol> of that family");
  }
  if (def->bridge != NULL) {
    check_delay (reader, def->bridge);
    check_ports (reader, &def->bridge->ports, def->bridge,
                 FIELD_VALUE (HOST_ETHERNET) | FIELD_VALUE (HOST_BOND) | FIELD_VALUE (HOST_VLAN));
  }
  if (def->bond != NULL) {
    check_bond (reader, def->bond, def);
    check_ports (reader, &def->bond->ports, def->bond, FIELD_VALUE (HOST_ETHERNET));
  }
  if (def->vlan != NULL)
    check_name (reader, &def->vlan->parent, def->vlan);
}

const DocumentKind host_interface_document = {
  .root = "interface",
  .schema = SCHEMA_INTERFACE,
  .table = &interface_table,
  .value_errors = value_errors,
  .ref_count = G_STRUCT_OFFSET (HostInterfaceDef, ref_count),
  .name = G_STRUCT_OFFSET (HostInterfaceDef, name),
  .uuid = DOCUMENT_NO_MEMBER,
  .validate = validate,
  .open = TRUE,
};

HostInterfaceDef *
host_interface_port_new (void)
{
  return field_new (&bridge_port_table);
}

void
host_interface_port_free (HostInterfaceDef *port)
{
  field_free (&bridge_port_table, port);
}

const HostProtocol *
host_interface_protocol (const HostInterfaceDef *def, HostFamily family)
{
  for (guint i = 0; def->protocols != NULL && i < def->protocols->len; i++) {
    const HostProtocol *protocol = g_ptr_array_index (def->protocols, i);

    if (protocol->family == (int)family)
      return protocol;
  }
  return NULL;
}

GPtrArray *
host_interface_ports (const HostInterfaceDef *def)
{
  return def->bridge != NULL ? def->bridge->ports : def->bond != NULL ? def->bond->ports : NULL;
}
