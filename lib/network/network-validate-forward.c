/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * <forward> and <bridge>, and which parts of a network go with which mode: only a bridge of our own has
 * addresses, names and a MAC.
 */
#include "network/network-validate.h"

#include <string.h>

#define NAT_RANGE_MAX 65535 /* addresses */

/* The mode as it will be. */
static int
mode_of (const NetworkDef *def)
{
  return def->forward.said && def->forward.mode == NETWORK_FORWARD_NONE ? NETWORK_FORWARD_NAT
                                                                        : def->forward.mode;
}

static void
check_interfaces (const NetworkCheck *check, const NetworkForward *forward)
{
  g_autoptr (GHashTable) names = g_hash_table_new (g_str_hash, g_str_equal);

  for (guint i = 0; forward->interfaces != NULL && i < forward->interfaces->len; i++) {
    const NetworkForwardInterface *interface = g_ptr_array_index (forward->interfaces, i);

    if (interface->dev == NULL)
      network_refuse (check, interface, forward, VIR_ERR_XML_ERROR,
                      "Missing required dev attribute in <forward> <interface> element of network %s",
                      check->network);
    else if (i == 0 && forward->dev != NULL && !g_str_equal (forward->dev, interface->dev))
      network_refuse (check, &forward->dev, interface, VIR_ERR_XML_ERROR,
                      "<forward dev='%s'> must match first <interface dev='%s'/> in network %s", forward->dev,
                      interface->dev, check->network);
    else if (!g_hash_table_add (names, interface->dev))
      network_refuse (check, &interface->dev, interface, VIR_ERR_XML_ERROR,
                      "interface '%s' can only be listed once in network %s", interface->dev, check->network);
  }
}

static void
check_pci_addresses (const NetworkCheck *check, const NetworkForward *forward)
{
  g_autoptr (GHashTable) places = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);

  for (guint i = 0; forward->addresses != NULL && i < forward->addresses->len; i++) {
    const NetworkForwardAddress *address = g_ptr_array_index (forward->addresses, i);
    char *place =
        g_strdup_printf ("%04x:%02x:%02x.%x", (guint)address->domain.value, (guint)address->bus.value,
                         (guint)address->slot.value, (guint)address->function.value);

    if (!g_hash_table_add (places, place))
      network_refuse (check, address, forward, VIR_ERR_XML_ERROR,
                      "PCI device '%s' can only be listed once in network %s", place, check->network);
    if (address->type == NULL)
      network_refuse (check, address, forward, VIR_ERR_XML_ERROR, "missing address type in network %s",
                      check->network);
    else if (!g_str_equal (address->type, "pci"))
      network_refuse (check, &address->type, address, VIR_ERR_CONFIG_UNSUPPORTED,
                      "unknown address type '%s' in network %s", address->type, check->network);
  }
}

static void
check_pool (const NetworkCheck *check, const NetworkDef *def)
{
  const NetworkForward *forward = &def->forward;
  gboolean has_pf = forward->pfs != NULL, has_addresses = forward->addresses != NULL,
           has_interfaces = forward->interfaces != NULL;
  int mode = mode_of (def);

  if (check->is_live && has_pf)
    return;
  if (has_pf && forward->pfs->len > 1)
    network_refuse (check, &forward->pfs, def, VIR_ERR_XML_ERROR,
                    "Only one <pf> element is allowed in <forward> of network %s", check->network);
  else if (has_pf && ((const NetworkForwardPf *)g_ptr_array_index (forward->pfs, 0))->dev == NULL)
    network_refuse (check, &forward->pfs, def, VIR_ERR_XML_ERROR,
                    "Missing required dev attribute in <pf> element of network '%s'", check->network);
  if (forward->dev != NULL && (has_addresses || has_pf))
    network_refuse (check, &forward->dev, def, VIR_ERR_XML_ERROR,
                    "the <forward> 'dev' attribute cannot be used when <address> or <pf> sub-elements are "
                    "present in network %s",
                    check->network);
  check_interfaces (check, forward);
  check_pci_addresses (check, forward);
  if (mode == NETWORK_FORWARD_HOSTDEV && has_interfaces) {
    const NetworkForwardInterface *first = g_ptr_array_index (forward->interfaces, 0);

    network_refuse (check, first, def, VIR_ERR_CONFIG_UNSUPPORTED,
                    "hostdev network '%s' lists '%s' in the device pool, but hostdev networks require all "
                    "devices to be listed by PCI address, not network device name",
                    check->network, first->dev != NULL ? first->dev : "");
  } else if (mode != NETWORK_FORWARD_HOSTDEV && has_addresses)
    network_refuse (
        check, &forward->addresses, def, VIR_ERR_CONFIG_UNSUPPORTED,
        "network '%s' has forward mode '%s' but lists a device by PCI address in the device pool. "
        "This is only supported for networks with forward mode 'hostdev'",
        check->network, network_forward_name (mode));
  else if (has_pf + has_addresses + has_interfaces > 1)
    network_refuse (check, &forward->pfs, def, VIR_ERR_XML_ERROR,
                    "<address>, <interface>, and <pf> elements of <forward> in network %s are mutually "
                    "exclusive",
                    check->network);
}

static void
check_nat_address (const NetworkCheck *check, const NetworkForward *forward)
{
  IpAddress start, end;
  const char *const texts[] = { forward->nat_address_start, forward->nat_address_end };
  static const char *const words[] = { "start", "end" };
  gconstpointer members[] = { &forward->nat_address_start, &forward->nat_address_end };

  if (texts[0] == NULL && texts[1] == NULL)
    return;
  for (guint i = 0; i < G_N_ELEMENTS (texts); i++) {
    IpAddress address;

    if (texts[i] == NULL) {
      network_refuse (check, members[1 - i], forward, VIR_ERR_XML_ERROR,
                      "missing '%s' attribute in <address> element in <nat> in <forward> in network %s",
                      words[i], check->network);
      return;
    }
    if (!ip_address_parse (texts[i], &address) || address.family != IP_V4) {
      network_refuse (check, members[i], forward, VIR_ERR_XML_ERROR,
                      "Bad ipv4 %s address '%s' in <nat> in <forward> in network '%s'", words[i], texts[i],
                      check->network);
      return;
    }
  }
  if (!ip_address_parse (texts[0], &start) || !ip_address_parse (texts[1], &end))
    return;
  if (ip_range_size (&start, &end) == 0)
    network_refuse_from (check, members[0], forward, VIR_FROM_NONE, VIR_ERR_INTERNAL_ERROR,
                         "range %s - %s is reversed ", texts[0], texts[1]);
  else if (ip_range_size (&start, &end) > NAT_RANGE_MAX)
    network_refuse_from (check, members[0], forward, VIR_FROM_NONE, VIR_ERR_INTERNAL_ERROR,
                         "range %s - %s is too large (> %d)", texts[0], texts[1], NAT_RANGE_MAX);
}

static void
check_nat_port (const NetworkCheck *check, const NetworkForward *forward)
{
  const Number *start = &forward->nat_port_start, *end = &forward->nat_port_end;
  const char *wrong = NULL;

  if (source_map_is_invalid (check->reader->map, start) || source_map_is_invalid (check->reader->map, end))
    return;
  if (end->set && !start->set)
    wrong = "start";
  else if (start->set && (!end->set || end->value < start->value))
    wrong = "end";
  if (wrong != NULL)
    network_refuse (check, start->set ? start : end, forward, VIR_ERR_XML_DETAIL,
                    "Missing or invalid '%s' attribute in <port> in <nat> in <forward> in network %s", wrong,
                    check->network);
}

static xmlNode *
child_of (xmlNode *parent, const char *name, guint *ret_count)
{
  xmlNode *first = NULL;

  *ret_count = 0;
  for (xmlNode *node = parent != NULL ? parent->children : NULL; node != NULL; node = node->next)
    if (node->type == XML_ELEMENT_NODE && g_str_equal ((const char *)node->name, name)) {
      first = first != NULL ? first : node;
      (*ret_count)++;
    }
  return first;
}

/* What the tables read once. */
static void
check_nat_parts (const NetworkCheck *check, const NetworkForward *forward)
{
  guint count, nats, addresses, ports;
  xmlNode *root = xml_document_root (check->reader->document);
  xmlNode *nat = child_of (child_of (root, "forward", &count), "nat", &nats);

  child_of (nat, "address", &addresses);
  child_of (nat, "port", &ports);
  if (nats > 1)
    network_refuse (check, &forward->nat_said, forward, VIR_ERR_XML_ERROR,
                    "Only one <nat> element is allowed in <forward> of network %s", check->network);
  if (addresses > 1)
    network_refuse (check, &forward->nat_said, forward, VIR_ERR_XML_ERROR,
                    "Only one <address> element is allowed in <nat> in <forward> in network %s",
                    check->network);
  if (ports > 1)
    network_refuse (check, &forward->nat_said, forward, VIR_ERR_XML_ERROR,
                    "Only one <port> element is allowed in <nat> in <forward> in network %s", check->network);
}

static void
check_nat (const NetworkCheck *check, const NetworkDef *def)
{
  if (!def->forward.nat_said)
    return;
  if (mode_of (def) != NETWORK_FORWARD_NAT) {
    network_refuse (check, &def->forward.nat_said, def, VIR_ERR_XML_ERROR,
                    "The <nat> element can only be used when <forward> 'mode' is 'nat' in network %s",
                    check->network);
    return;
  }
  check_nat_parts (check, &def->forward);
  check_nat_address (check, &def->forward);
  check_nat_port (check, &def->forward);
}

static void
check_own_bridge (const NetworkCheck *check, const NetworkDef *def, int mode)
{
  guint8 mac[MAC_BYTES];
  guint interfaces = def->forward.interfaces != NULL ? def->forward.interfaces->len : 0;

  if ((mode == NETWORK_FORWARD_NAT || mode == NETWORK_FORWARD_ROUTE) && def->ips == NULL)
    network_refuse (check, &def->forward.mode, &def->forward.said, VIR_ERR_XML_ERROR,
                    "%s forwarding requested, but no IP address provided for network '%s'",
                    network_forward_name (mode), check->network);
  if ((mode == NETWORK_FORWARD_NAT || mode == NETWORK_FORWARD_ROUTE) && interfaces > 1)
    network_refuse (check, &def->forward.interfaces, def, VIR_ERR_XML_ERROR,
                    "multiple forwarding interfaces specified for network '%s', only one is supported",
                    check->network);
  if (mode == NETWORK_FORWARD_OPEN && (def->forward.dev != NULL || interfaces > 0))
    network_refuse (check, &def->forward.dev, def, VIR_ERR_XML_ERROR,
                    "forward dev not allowed for network '%s' with forward mode='%s'", check->network,
                    network_forward_name (mode));
  if (def->mac == NULL)
    return;
  if (!mac_parse (def->mac, mac))
    network_refuse (check, &def->mac, def, VIR_ERR_XML_ERROR,
                    "Invalid bridge mac address '%s' in network '%s'", def->mac, check->network);
  else if (mac_is_multicast (mac))
    network_refuse (check, &def->mac, def, VIR_ERR_XML_ERROR,
                    "Invalid multicast bridge mac address '%s' in network '%s'", def->mac, check->network);
}

/* What only a bridge of ours has. */
static void
check_unsupported_parts (const NetworkCheck *check, const NetworkDef *def, int mode)
{
  const struct {
    const char *element;
    gconstpointer member;
    gboolean said;
  } parts[] = {
    { "mac", &def->mac, def->mac != NULL },
    { "ip", &def->ips, def->ips != NULL },
    { "dns", &def->dns, !field_table_is_empty (&network_dns_table, &def->dns) },
    { "domain", &def->domain, def->domain != NULL },
  };

  for (guint i = 0; i < G_N_ELEMENTS (parts); i++)
    if (parts[i].said)
      network_refuse (check, parts[i].member, def, VIR_ERR_CONFIG_UNSUPPORTED,
                      "Unsupported <%s> element in network %s with forward mode='%s'", parts[i].element,
                      check->network, network_forward_name (mode));
}

static void
check_foreign_bridge (const NetworkCheck *check, const NetworkDef *def, int mode)
{
  const char *word = network_forward_name (mode);
  gboolean is_bridge = mode == NETWORK_FORWARD_BRIDGE;

  if (!is_bridge && def->bridge != NULL)
    network_refuse (check, &def->bridge, def, VIR_ERR_XML_ERROR,
                    "bridge name not allowed in %s mode (network '%s')", word, check->network);
  if (!is_bridge && def->bridge_zone != NULL)
    network_refuse (check, &def->bridge_zone, def, VIR_ERR_XML_ERROR,
                    "bridge zone not allowed in %s mode (network '%s')", word, check->network);
  else if (!is_bridge && def->mac_table_manager != 0)
    network_refuse (check, &def->mac_table_manager, def, VIR_ERR_XML_ERROR,
                    "bridge macTableManager setting not allowed in %s mode (network '%s')", word,
                    check->network);
  else if (def->delay.set || def->stp != TRISTATE_ABSENT || def->bridge_zone != NULL)
    network_refuse (
        check,
        def->delay.set                ? (gconstpointer)&def->delay
        : def->stp != TRISTATE_ABSENT ? (gconstpointer)&def->stp
                                      : (gconstpointer)&def->bridge_zone,
        def, VIR_ERR_XML_ERROR,
        "bridge delay/stp/zone options only allowed in open, route, nat, and isolated mode, not in "
        "%s (network '%s')",
        word, check->network);
  if (is_bridge && def->bridge != NULL
      && (def->forward.dev != NULL || def->forward.interfaces != NULL || def->forward.pfs != NULL))
    network_refuse (
        check, &def->bridge, def, VIR_ERR_XML_ERROR,
        "A network with forward mode='%s' can specify a bridge name or a forward dev, but not both "
        "(network '%s')",
        word, check->network);
  if (def->mtu.set && def->mtu.value != 0)
    network_refuse (check, &def->mtu, def, VIR_ERR_XML_ERROR,
                    "mtu size only allowed in open, route, nat, and isolated mode, not in %s (network '%s')",
                    word, check->network);
  check_unsupported_parts (check, def, mode);
}

void
network_check_forward (const NetworkCheck *check, const NetworkDef *def)
{
  int mode = mode_of (def);

  if (source_map_is_invalid (check->reader->map, &def->forward.mode))
    return;
  check_pool (check, def);
  check_nat (check, def);
  if (network_forward_has_own_bridge (mode))
    check_own_bridge (check, def, mode);
  else
    check_foreign_bridge (check, def, mode);
}
