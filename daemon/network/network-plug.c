/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Choosing a port's plug. Bridges serve all; of a pool of interfaces the one with the fewest users is taken,
 * or, where a machine must have it alone, one that is free.
 */
#include "daemon/network/network-plug.h"

#include <string.h>

#define CLASS_MIN 3 /* 1 and 2 are the network's own */
#define CLASS_MAX 65535

#define REFUSE(number, ...) virt_error_set_from (error, VIR_FROM_NETWORK, (number), __VA_ARGS__)

gboolean
network_check_floor (const Network *network, const InterfaceRate *inbound, const char *mac,
                     const NetworkPortDef *except, GError **error)
{
  const NetworkDef *def = network->def;
  const InterfaceRate *limits = def->inbound;
  guint64 sum = interface_rate_floor (inbound);

  if (sum == 0)
    return TRUE;
  if (!network_forward_has_own_bridge (def->forward.mode)) {
    REFUSE (
        VIR_ERR_OPERATION_UNSUPPORTED,
        "Invalid use of 'floor' on interface with MAC address %s - 'floor' is only supported for interface "
        "type 'network' with forward type 'nat', 'route', 'open' or none",
        mac);
    return FALSE;
  }
  if (limits == NULL) {
    REFUSE (VIR_ERR_OPERATION_UNSUPPORTED,
            "Invalid use of 'floor' on interface with MAC address %s - network '%s' has no inbound QoS set",
            mac, network->name);
    return FALSE;
  }
  for (guint i = 0; i < network->ports->len; i++) {
    const NetworkPortDef *other = g_ptr_array_index (network->ports, i);

    sum += other != except ? interface_rate_floor (other->inbound) : 0;
  }
  for (guint i = 0; i < 2; i++) {
    const Number *limit = i == 0 ? &limits->peak : &limits->average;

    if (limit->set && sum > limit->value) {
      REFUSE (VIR_ERR_OPERATION_INVALID,
              "Cannot plug '%s' interface into '%s' because new combined inbound floor=%" G_GUINT64_FORMAT
              " would overcommit %s=%" G_GUINT64_FORMAT " on network '%s'",
              mac, def->bridge, sum, i == 0 ? "peak" : "average", limit->value, network->name);
      return FALSE;
    }
    if (limit->set)
      break; /* the peak, where there is one, is the limit */
  }
  return TRUE;
}

/* The traffic class of a port with these rates: the one it has, a free one, or 0: it needs none. */
static guint
choose_class (const Network *network, const NetworkPortDef *port)
{
  g_autoptr (GHashTable) taken = g_hash_table_new (NULL, NULL);

  if (interface_rate_floor (port->inbound) == 0)
    return 0;
  if (port->class_id.set)
    return (guint)port->class_id.value;
  for (guint i = 0; i < network->ports->len; i++)
    g_hash_table_add (
        taken,
        GUINT_TO_POINTER (((const NetworkPortDef *)g_ptr_array_index (network->ports, i))->class_id.value));
  for (guint id = CLASS_MIN; id < CLASS_MAX; id++)
    if (!g_hash_table_contains (taken, GUINT_TO_POINTER (id)))
      return id;
  return 0;
}

static void
set_class (const Network *network, NetworkPortDef *port)
{
  guint class_id = choose_class (network, port);

  port->class_id = class_id > 0 ? NUMBER (class_id) : (Number){ FALSE, 0 };
}

static void
replace_rate (InterfaceRate **rate, const InterfaceRate *by)
{
  field_free (&interface_rate_table, *rate);
  *rate = by != NULL ? field_copy (&interface_rate_table, by) : NULL;
}

NetworkPortDef *
network_port_with_rates (const Network *network, const NetworkPortDef *port, const InterfaceRate *inbound,
                         const InterfaceRate *outbound, GError **error)
{
  g_autoptr (NetworkPortDef) changed = NULL;

  if (!network_check_active (network, error)
      || !network_check_floor (network, inbound, port->mac, port, error))
    return NULL;
  changed = network_port_def_copy (port);
  replace_rate (&changed->inbound, inbound);
  replace_rate (&changed->outbound, outbound);
  set_class (network, changed);
  return g_steal_pointer (&changed);
}

/* What the port leaves open. */

static gboolean
merge_virtual_port (InterfaceVirtualPort **port, const InterfaceVirtualPort *from, GError **error)
{
  InterfaceVirtualPort *merged;
  Number *numbers[3];
  const Number *others[3];

  if (from == NULL)
    return TRUE;
  if (*port == NULL) {
    *port = field_copy (&interface_virtual_port_table, from);
    return TRUE;
  }
  merged = *port;
  if (merged->type != VIRTUAL_PORT_NONE && from->type != VIRTUAL_PORT_NONE && merged->type != from->type) {
    REFUSE (VIR_ERR_XML_ERROR, "attempt to merge virtualports with mismatched types (%s and %s)",
            enum_table_name (&virtual_port_types, merged->type),
            enum_table_name (&virtual_port_types, from->type));
    return FALSE;
  }
  if (merged->type == VIRTUAL_PORT_NONE)
    merged->type = from->type;
  numbers[0] = &merged->manager_id, numbers[1] = &merged->type_id, numbers[2] = &merged->type_id_version;
  others[0] = &from->manager_id, others[1] = &from->type_id, others[2] = &from->type_id_version;
  for (guint i = 0; i < G_N_ELEMENTS (numbers); i++)
    if (!numbers[i]->set)
      *numbers[i] = *others[i];
  if (merged->instance_id == NULL)
    merged->instance_id = g_strdup (from->instance_id);
  if (merged->interface_id == NULL)
    merged->interface_id = g_strdup (from->interface_id);
  if (merged->profile_id == NULL)
    merged->profile_id = g_strdup (from->profile_id);
  return TRUE;
}

static InterfaceRate *
copy_rate (const InterfaceRate *rate)
{
  return rate != NULL ? field_copy (&interface_rate_table, rate) : NULL;
}

static gboolean
inherit (const NetworkDef *def, NetworkPortDef *port, GError **error)
{
  const NetworkPortgroup *group = network_def_find_portgroup (def, port->group);
  const InterfaceVlan *vlan = group != NULL && group->vlan != NULL ? group->vlan : def->vlan;

  if (group != NULL && port->inbound == NULL && port->outbound == NULL) {
    port->inbound = copy_rate (group->inbound);
    port->outbound = copy_rate (group->outbound);
  }
  if (port->vlan == NULL && vlan != NULL)
    port->vlan = field_copy (&interface_vlan_table, vlan);
  if (port->trust_guest_rx_filters == TRISTATE_ABSENT && group != NULL)
    port->trust_guest_rx_filters = group->trust_guest_rx_filters;
  if (port->trust_guest_rx_filters == TRISTATE_ABSENT)
    port->trust_guest_rx_filters = def->trust_guest_rx_filters;
  if (port->isolated == TRISTATE_ABSENT)
    port->isolated = def->port_isolated;
  return merge_virtual_port (&port->virtualport, def->virtualport, error)
         && merge_virtual_port (&port->virtualport, group != NULL ? group->virtualport : NULL, error);
}

/* The plug. */

static gboolean
check_virtual_port (const Network *network, const NetworkPortDef *port, guint64 types, const char *what,
                    GError **error)
{
  int type = port->virtualport != NULL ? port->virtualport->type : VIRTUAL_PORT_NONE;

  if (type == VIRTUAL_PORT_NONE || (types & FIELD_VALUE (type)) != 0)
    return TRUE;
  REFUSE (VIR_ERR_CONFIG_UNSUPPORTED, "<virtualport type='%s'> not supported for network '%s' which uses %s",
          enum_table_name (&virtual_port_types, type), network->name, what);
  return FALSE;
}

static gboolean
plug_bridge (const Network *network, NetworkPortDef *port, gboolean is_own, GError **error)
{
  static const guint64 switches = FIELD_VALUE (VIRTUAL_PORT_OPENVSWITCH) | FIELD_VALUE (VIRTUAL_PORT_MIDONET);

  port->plug.type = is_own ? NETWORK_PLUG_NETWORK : NETWORK_PLUG_BRIDGE;
  port->plug.bridge = g_strdup (network->def->bridge);
  port->plug.mac_table_manager = network->def->mac_table_manager;
  return check_virtual_port (network, port, is_own ? 0 : switches,
                             is_own ? "IP forwarding" : "a bridge device", error);
}

static int
direct_mode (int forward)
{
  switch (forward) {
    case NETWORK_FORWARD_BRIDGE:
      return NETWORK_DIRECT_BRIDGE;
    case NETWORK_FORWARD_PRIVATE:
      return NETWORK_DIRECT_PRIVATE;
    case NETWORK_FORWARD_PASSTHROUGH:
      return NETWORK_DIRECT_PASSTHROUGH;
    default:
      return NETWORK_DIRECT_VEPA;
  }
}

static gboolean
none_available (const Network *network, GError **error)
{
  REFUSE (VIR_ERR_INTERNAL_ERROR,
          "network '%s' requires exclusive access to interfaces, but none are available", network->name);
  return FALSE;
}

static gboolean
plug_direct (const Network *network, NetworkPortDef *port, GError **error)
{
  const NetworkForward *forward = &network->def->forward;
  gboolean is_802_1qbh = port->virtualport != NULL && port->virtualport->type == VIRTUAL_PORT_802_1QBH;
  gboolean is_exclusive = forward->mode == NETWORK_FORWARD_PASSTHROUGH
                          || (forward->mode == NETWORK_FORWARD_PRIVATE && is_802_1qbh);
  guint fewest = G_MAXUINT;

  port->plug.type = NETWORK_PLUG_DIRECT;
  port->plug.mode = direct_mode (forward->mode);
  if (!check_virtual_port (network, port,
                           FIELD_VALUE (VIRTUAL_PORT_802_1QBG) | FIELD_VALUE (VIRTUAL_PORT_802_1QBH),
                           "a macvtap device", error))
    return FALSE;
  if (forward->interfaces == NULL) {
    REFUSE (VIR_ERR_INTERNAL_ERROR,
            "network '%s' uses a direct mode, but has no forward dev and no interface pool", network->name);
    return FALSE;
  }
  for (guint i = 0; i < forward->interfaces->len && fewest > 0; i++) {
    const NetworkForwardInterface *interface = g_ptr_array_index (forward->interfaces, i);
    guint users = network_count_users (network, interface->dev);

    if (users >= fewest || (is_exclusive && users > 0))
      continue;
    fewest = users;
    g_free (port->plug.dev);
    port->plug.dev = g_strdup (interface->dev);
  }
  return port->plug.dev != NULL || none_available (network, error);
}

static gboolean
plug_hostdev (const Network *network, NetworkPortDef *port, GError **error)
{
  const NetworkForward *forward = &network->def->forward;

  if (!check_virtual_port (network, port, FIELD_VALUE (VIRTUAL_PORT_802_1QBH),
                           "an SR-IOV Virtual Function via PCI passthrough", error))
    return FALSE;
  if (forward->addresses == NULL) {
    REFUSE (VIR_ERR_INTERNAL_ERROR,
            "network '%s' uses a hostdev mode, but has no forward dev and no interface pool", network->name);
    return FALSE;
  }
  for (guint i = 0; i < forward->addresses->len; i++) {
    const NetworkForwardAddress *address = g_ptr_array_index (forward->addresses, i);
    g_autofree char *place =
        g_strdup_printf ("%04x:%02x:%02x.%x", (guint)address->domain.value, (guint)address->bus.value,
                         (guint)address->slot.value, (guint)address->function.value);

    if (network_count_users (network, place) > 0)
      continue;
    port->plug.type = NETWORK_PLUG_HOSTDEV_PCI;
    port->plug.managed = forward->managed;
    port->plug.driver = forward->driver;
    port->plug.driver_model = g_strdup (forward->driver_model);
    port->plug.domain = address->domain;
    port->plug.bus = address->bus;
    port->plug.slot = address->slot;
    port->plug.function = address->function;
    return TRUE;
  }
  return none_available (network, error);
}

static gboolean
choose_plug (const Network *network, NetworkPortDef *port, GError **error)
{
  int mode = network->def->forward.mode;

  if (network_forward_has_own_bridge (mode))
    return plug_bridge (network, port, TRUE, error);
  if (mode == NETWORK_FORWARD_HOSTDEV)
    return plug_hostdev (network, port, error);
  if (mode == NETWORK_FORWARD_BRIDGE && network->def->bridge != NULL)
    return plug_bridge (network, port, FALSE, error);
  return plug_direct (network, port, error);
}

static gboolean
has_dev (const NetworkDef *def, const char *dev)
{
  for (guint i = 0; def->forward.interfaces != NULL && i < def->forward.interfaces->len; i++)
    if (g_strcmp0 (((NetworkForwardInterface *)g_ptr_array_index (def->forward.interfaces, i))->dev, dev)
        == 0)
      return TRUE;
  return FALSE;
}

/* A port that was there before, with what it was plugged into. */
static gboolean
check_plug (const Network *network, const NetworkPortDef *port, GError **error)
{
  if (port->plug.type == NETWORK_PLUG_NONE) {
    REFUSE (VIR_ERR_INVALID_ARG, "Port reclaim requested but plug type is none");
    return FALSE;
  }
  if (port->plug.type == NETWORK_PLUG_DIRECT && !has_dev (network->def, port->plug.dev)) {
    REFUSE (VIR_ERR_INTERNAL_ERROR, "network '%s' doesn't have dev='%s' in use by network port '%s'",
            network->name, port->plug.dev, port->uuid);
    return FALSE;
  }
  if (port->plug.type == NETWORK_PLUG_DIRECT && port->plug.mode == NETWORK_DIRECT_PASSTHROUGH
      && network_count_users (network, port->plug.dev) > 0) {
    REFUSE (VIR_ERR_INTERNAL_ERROR, "network '%s' claims dev='%s' is already in use by a different port",
            network->name, port->plug.dev);
    return FALSE;
  }
  return TRUE;
}

NetworkPortDef *
network_plug (const Network *network, const NetworkPortDef *wanted, gboolean reclaim, GError **error)
{
  g_autoptr (NetworkPortDef) port = network_port_def_copy (wanted);

  if (!reclaim && port->plug.type != NETWORK_PLUG_NONE) {
    REFUSE (VIR_ERR_INVALID_ARG, "Port reclaim not requested but plug type is not none");
    return NULL;
  }
  if (reclaim ? !check_plug (network, port, error)
              : !inherit (network->def, port, error) || !choose_plug (network, port, error))
    return NULL;
  if (!network_check_floor (network, port->inbound, port->mac, NULL, error))
    return NULL;
  set_class (network, port);
  return g_steal_pointer (&port);
}
