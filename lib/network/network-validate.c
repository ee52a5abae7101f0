/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * The checks of a whole network: who it is, its portgroups, and what a switch is told. Those of forward,
 * addresses and names are files of their own.
 */
#include "network/network-validate.h"

#include <string.h>

void
network_refuse (const NetworkCheck *check, gconstpointer member, gconstpointer fallback, virErrorNumber code,
                const char *format, ...)
{
  g_autofree char *words = NULL;
  va_list arguments;

  va_start (arguments, format);
  words = g_strdup_vprintf (format, arguments);
  va_end (arguments);
  diagnostics_error_from (check->reader->diagnostics, source_map_find (check->reader->map, member, fallback),
                          VIR_FROM_NETWORK, code, "%s", words);
}

void
network_refuse_from (const NetworkCheck *check, gconstpointer member, gconstpointer fallback,
                     virErrorDomain origin, virErrorNumber code, const char *format, ...)
{
  g_autofree char *words = NULL;
  va_list arguments;

  va_start (arguments, format);
  words = g_strdup_vprintf (format, arguments);
  va_end (arguments);
  diagnostics_error_from (check->reader->diagnostics, source_map_find (check->reader->map, member, fallback),
                          origin, code, "%s", words);
}

static void
check_name (const NetworkCheck *check, const NetworkDef *def)
{
  static const char *const prohibited = "/\n";
  const char *found;

  if (def->name == NULL || def->name[0] == '\0')
    network_refuse (check, &def->name, def, VIR_ERR_NO_NAME, "<network> without a <name>");
  else if ((found = strpbrk (def->name, prohibited)) != NULL)
    network_refuse_from (check, &def->name, def, VIR_FROM_XML, VIR_ERR_XML_DETAIL, "invalid char in name: %c",
                         *found);
  else if (strlen (def->name) > NETWORK_NAME_MAX)
    network_refuse (check, &def->name, def, VIR_ERR_XML_ERROR, "name of network is longer than %d bytes",
                    NETWORK_NAME_MAX);
  if (def->title != NULL && strchr (def->title, '\n') != NULL)
    network_refuse (check, &def->title, def, VIR_ERR_XML_ERROR, "Network title can't contain newlines");
}

void
network_check_virtual_port (const NetworkCheck *check, const InterfaceVirtualPort *port,
                            gconstpointer fallback)
{
  const struct {
    const char *name;
    gboolean said;
    guint64 types;
  } parameters[] = {
    { "managerid", port->manager_id.set, FIELD_VALUE (VIRTUAL_PORT_802_1QBG) },
    { "typeid", port->type_id.set, FIELD_VALUE (VIRTUAL_PORT_802_1QBG) },
    { "typeidversion", port->type_id_version.set, FIELD_VALUE (VIRTUAL_PORT_802_1QBG) },
    { "instanceid", port->instance_id != NULL, FIELD_VALUE (VIRTUAL_PORT_802_1QBG) },
    { "profileid", port->profile_id != NULL,
      FIELD_VALUE (VIRTUAL_PORT_802_1QBH) | FIELD_VALUE (VIRTUAL_PORT_OPENVSWITCH) },
    { "interfaceid", port->interface_id != NULL,
      FIELD_VALUE (VIRTUAL_PORT_OPENVSWITCH) | FIELD_VALUE (VIRTUAL_PORT_MIDONET) },
  };

  if (port->type == VIRTUAL_PORT_NONE) {
    if (!source_map_is_invalid (check->reader->map, &port->type))
      network_refuse_from (check, port, fallback, VIR_FROM_NONE, VIR_ERR_XML_ERROR,
                           "missing required virtualport type");
    return;
  }
  for (guint i = 0; i < G_N_ELEMENTS (parameters); i++)
    if (parameters[i].said && (parameters[i].types & FIELD_VALUE (port->type)) == 0)
      network_refuse_from (check, port, fallback, VIR_FROM_NET, VIR_ERR_XML_ERROR,
                           "extra %s unsupported in <virtualport type='%s'>", parameters[i].name,
                           enum_table_name (&virtual_port_types, port->type));
}

void
network_check_vlan (const NetworkCheck *check, const InterfaceVlan *vlan)
{
  guint tags = vlan->tags != NULL ? vlan->tags->len : 0, native = 0;

  if (tags == 0)
    network_refuse_from (check, vlan, vlan, VIR_FROM_NONE, VIR_ERR_XML_ERROR,
                         "missing tag id - each <vlan> must have at least one <tag id='n'/> subelement");
  for (guint i = 0; i < tags; i++)
    if (((const InterfaceVlanTag *)g_ptr_array_index (vlan->tags, i))->native_mode != 0)
      native++;
  if (native > 1)
    network_refuse_from (check, vlan, vlan, VIR_FROM_NONE, VIR_ERR_XML_ERROR,
                         "duplicate native vlan setting");
  if (vlan->trunk == TRISTATE_NO)
    network_refuse_from (check, &vlan->trunk, vlan, VIR_FROM_NONE, VIR_ERR_XML_ERROR,
                         tags > 1
                             ? "invalid \"trunk='%s'\" in <vlan> - trunk='yes' is required for more than "
                               "one vlan tag"
                             : "invalid \"trunk='%s'\" in <vlan> - must be yes or no",
                         "no");
}

static void
check_rate (const NetworkCheck *check, const InterfaceRate *rate, gboolean has_floor)
{
  if (rate == NULL)
    return;
  if (rate->floor.set && !has_floor)
    network_refuse_from (check, &rate->floor, rate, VIR_FROM_NONE, VIR_ERR_CONFIG_UNSUPPORTED,
                         "floor attribute is not supported for this config");
  else if (!rate->average.set && !rate->floor.set)
    network_refuse_from (check, rate, rate, VIR_FROM_NONE, VIR_ERR_XML_DETAIL,
                         "Missing mandatory average or floor attributes");
}

void
network_check_rates (const NetworkCheck *check, const InterfaceRate *inbound, const InterfaceRate *outbound,
                     gboolean has_floor)
{
  check_rate (check, inbound, has_floor);
  if (has_floor && outbound != NULL && outbound->floor.set)
    network_refuse_from (check, &outbound->floor, outbound, VIR_FROM_NONE, VIR_ERR_CONFIG_UNSUPPORTED,
                         "'floor' attribute allowed only in <inbound> element");
  else
    check_rate (check, outbound, has_floor);
}

static void
check_class (const NetworkCheck *check, const Number *class_id, gconstpointer fallback)
{
  if (class_id->set)
    network_refuse_from (check, class_id, fallback, VIR_FROM_NONE, VIR_ERR_XML_DETAIL,
                         "classID attribute not supported on <bandwidth> in this usage context");
}

static gboolean
can_have_vlan (const NetworkDef *def, const InterfaceVirtualPort *port)
{
  int mode = def->forward.mode;

  return mode == NETWORK_FORWARD_HOSTDEV || mode == NETWORK_FORWARD_PASSTHROUGH
         || mode == NETWORK_FORWARD_BRIDGE || (port != NULL && port->type == VIRTUAL_PORT_OPENVSWITCH);
}

static gboolean
is_direct (int mode)
{
  return mode == NETWORK_FORWARD_PASSTHROUGH || mode == NETWORK_FORWARD_PRIVATE
         || mode == NETWORK_FORWARD_VEPA || mode == NETWORK_FORWARD_HOSTDEV;
}

static void
check_vlan_allowed (const NetworkCheck *check, const NetworkDef *def, const InterfaceVlan *vlan,
                    const InterfaceVirtualPort *port)
{
  if (vlan != NULL && !can_have_vlan (def, port))
    network_refuse (check, vlan, def, VIR_ERR_CONFIG_UNSUPPORTED,
                    "<vlan> element specified for network %s, whose type doesn't support vlan configuration",
                    check->network);
}

void
network_check_portgroup (const NetworkCheck *check, const NetworkPortgroup *group, int mode)
{
  if (group->name == NULL)
    network_refuse (check, group, group, VIR_ERR_XML_ERROR, "Missing required name attribute in portgroup");
  if (group->virtualport != NULL)
    network_check_virtual_port (check, group->virtualport, group);
  if (group->vlan != NULL)
    network_check_vlan (check, group->vlan);
  check_class (check, &group->class_id, group);
  network_check_rates (check, group->inbound, group->outbound, FALSE);
  if ((group->inbound != NULL || group->outbound != NULL) && is_direct (mode) && group->name != NULL)
    network_refuse (
        check, group, group, VIR_ERR_CONFIG_UNSUPPORTED,
        "Unsupported <bandwidth> element in network '%s' in portgroup '%s' with forward mode='%s'",
        check->network, group->name, network_forward_name (mode));
}

static void
check_portgroups (const NetworkCheck *check, const NetworkDef *def)
{
  g_autoptr (GHashTable) names = g_hash_table_new (g_str_hash, g_str_equal);
  const char *default_name = NULL;

  for (guint i = 0; def->portgroups != NULL && i < def->portgroups->len; i++) {
    const NetworkPortgroup *group = g_ptr_array_index (def->portgroups, i);

    network_check_portgroup (check, group, def->forward.mode);
    check_vlan_allowed (check, def, group->vlan,
                        group->virtualport != NULL ? group->virtualport : def->virtualport);
    if (group->name == NULL)
      continue;
    if (!g_hash_table_add (names, group->name))
      network_refuse (check, &group->name, group, VIR_ERR_CONFIG_UNSUPPORTED,
                      "multiple <portgroup> elements with the same name (%s) in network '%s'", group->name,
                      check->network);
    if (group->is_default != TRISTATE_YES)
      continue;
    if (default_name != NULL)
      network_refuse (check, &group->is_default, group, VIR_ERR_CONFIG_UNSUPPORTED,
                      "network '%s' has multiple default <portgroup> elements (%s and %s), but only one "
                      "default is allowed",
                      check->network, default_name, group->name);
    default_name = group->name;
  }
}

static void
check_options (const NetworkCheck *check, const NetworkDef *def)
{
  for (guint i = 0; def->options != NULL && i < def->options->len; i++) {
    const NetworkOption *option = g_ptr_array_index (def->options, i);

    if (option->value == NULL)
      network_refuse (check, option, def, VIR_ERR_INTERNAL_ERROR, "No dnsmasq options value specified");
    else if (strpbrk (option->value, "\r\n") != NULL)
      network_refuse (check, &option->value, option, VIR_ERR_XML_ERROR,
                      "a dnsmasq option cannot contain a line break: it would be two");
  }
}

void
network_validate (gconstpointer data, const FieldReader *reader, guint flags)
{
  const NetworkDef *def = data;
  NetworkCheck check = { reader, def->name != NULL ? def->name : "", (flags & NETWORK_READ_LIVE) != 0 };

  check_name (&check, def);
  network_check_forward (&check, def);
  network_check_addresses (&check, def);
  network_check_dns (&check, def);
  if (def->virtualport != NULL)
    network_check_virtual_port (&check, def->virtualport, def);
  if (def->vlan != NULL)
    network_check_vlan (&check, def->vlan);
  check_vlan_allowed (&check, def, def->vlan, def->virtualport);
  check_class (&check, &def->class_id, def);
  network_check_rates (&check, def->inbound, def->outbound, FALSE);
  if ((def->inbound != NULL || def->outbound != NULL) && is_direct (def->forward.mode))
    network_refuse (&check, def->inbound != NULL ? def->inbound : def->outbound, def,
                    VIR_ERR_CONFIG_UNSUPPORTED,
                    "Unsupported network-wide <bandwidth> element in network %s with forward mode='%s'",
                    check.network, network_forward_name (def->forward.mode));
  check_portgroups (&check, def);
  check_options (&check, def);
}
