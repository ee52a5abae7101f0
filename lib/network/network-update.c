/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Updates. Each section is a list somewhere in the definition, whose members are added, taken out, or some of
 * them replaced: one row says where the list is, what makes two members the same, and libvirt's words. The
 * definition that comes out is written and read again, so that it is checked as any other.
 */
#include "network/network-update.h"

#include "network/network-validate.h"

#include <libvirt/libvirt.h>
#include <string.h>

typedef struct Section Section;

typedef struct {
  const NetworkUpdate *update;
  const Section *section;
  NetworkDef *def; /* a copy, which is changed */
  NetworkIp *ip;   /* of sections inside of one */
  gpointer given;  /* the element */
} Change;

struct Section {
  const char *name, *element; /* element NULL: libvirt cannot change it, and nor do we */
  const FieldTable *table;
  GPtrArray **(*list) (Change *change, GError **error);
  void (*check) (const NetworkCheck *check, const Change *change);
  /* Is @member meant? Of an addition: does it stand in the way? */
  gboolean (*matches) (const Change *change, gconstpointer member);
  const char *fixed; /* why members cannot be modified; NULL: they can */
  char *(*exists) (const Change *change);
  char *(*missing) (const Change *change);
  const char *many; /* several are meant; NULL: the first is */
  gboolean (*may_go) (const Change *change, gconstpointer member, GError **error); /* or NULL */
  gboolean (*may_come) (const Change *change, GError **error);                     /* or NULL */
};

static gboolean
is_command (const Change *change, guint command)
{
  return change->update->command == command;
}

static gboolean
adds (const Change *change)
{
  return is_command (change, VIR_NETWORK_UPDATE_COMMAND_ADD_FIRST)
         || is_command (change, VIR_NETWORK_UPDATE_COMMAND_ADD_LAST);
}

static gboolean
same_address (const char *a, const char *b)
{
  IpAddress one, other;

  return ip_address_parse (a, &one) && ip_address_parse (b, &other) && ip_address_compare (&one, &other) == 0;
}

/* What was not said is no difference. */
static gboolean
same_if_said (const char *said, const char *value)
{
  return said == NULL || g_strcmp0 (said, value) == 0;
}

/* DHCP. */

static NetworkIp *
ip_at (const NetworkDef *def, int index)
{
  return index >= 0 && def->ips != NULL && (guint)index < def->ips->len ? g_ptr_array_index (def->ips, index)
                                                                        : NULL;
}

static NetworkIp *
fitting_ip (const NetworkDef *def)
{
  static const IpFamily families[] = { IP_V4, IP_V6 };

  for (guint i = 0; def->ips != NULL && i < def->ips->len; i++) {
    NetworkIp *ip = g_ptr_array_index (def->ips, i);

    if (ip->dhcp != NULL)
      return ip;
  }
  for (guint f = 0; f < G_N_ELEMENTS (families); f++)
    for (guint i = 0; def->ips != NULL && i < def->ips->len; i++) {
      NetworkIp *ip = g_ptr_array_index (def->ips, i);
      IpAddress address;

      if (ip_address_parse (ip->address, &address) && address.family == families[f])
        return ip;
    }
  return NULL;
}

static gboolean
find_ip (Change *change, GError **error)
{
  int index = change->update->parent_index;

  change->ip = index >= 0 ? ip_at (change->def, index) : fitting_ip (change->def);
  if (change->ip == NULL && index >= 0)
    virt_error_set_from (
        error, VIR_FROM_NETWORK, VIR_ERR_OPERATION_INVALID,
        "couldn't update dhcp host entry - no <ip> element found at index %d in network '%s'", index,
        change->def->name);
  else if (change->ip == NULL)
    virt_error_set_from (error, VIR_FROM_NETWORK, VIR_ERR_OPERATION_INVALID,
                         "couldn't update dhcp host entry - no <ip> element found in network '%s'",
                         change->def->name);
  else if (change->ip->dhcp == NULL)
    change->ip->dhcp = field_new (&network_dhcp_table);
  return change->ip != NULL;
}

static GPtrArray **
dhcp_hosts (Change *change, GError **error)
{
  return find_ip (change, error) ? &change->ip->dhcp->hosts : NULL;
}

static void
check_dhcp_host (const NetworkCheck *check, const Change *change)
{
  IpAddress address;

  if (ip_address_parse (change->ip->address, &address))
    network_check_dhcp_host (check, change->given, address.family,
                             is_command (change, VIR_NETWORK_UPDATE_COMMAND_DELETE));
}

static gboolean
same_mac (const char *a, const char *b)
{
  guint8 one[MAC_BYTES], other[MAC_BYTES];

  return mac_parse (a, one) && mac_parse (b, other) && memcmp (one, other, MAC_BYTES) == 0;
}

static gboolean
matches_dhcp_host (const Change *change, gconstpointer member)
{
  const NetworkDhcpHost *given = change->given, *host = member;
  gboolean by_mac = given->mac != NULL && same_mac (given->mac, host->mac);
  gboolean by_name = given->name != NULL && g_strcmp0 (given->name, host->name) == 0;
  gboolean by_id = given->id != NULL && g_strcmp0 (given->id, host->id) == 0;

  if (is_command (change, VIR_NETWORK_UPDATE_COMMAND_DELETE))
    return (given->mac == NULL || by_mac) && (given->name == NULL || by_name) && (given->id == NULL || by_id)
           && (given->ip == NULL || same_address (given->ip, host->ip));
  return by_mac || by_name || by_id || same_address (given->ip, host->ip);
}

static const char *
or_unknown (const char *text)
{
  return text != NULL ? text : "unknown";
}

static char *
dhcp_host_exists (const Change *change)
{
  const NetworkDhcpHost *given = change->given;

  return g_strdup_printf (
      "there is an existing dhcp host entry in network '%s' that matches \"<host mac='%s' "
      "name='%s' ip='%s'/>\"",
      change->def->name, or_unknown (given->mac), or_unknown (given->name), or_unknown (given->ip));
}

static char *
dhcp_host_missing (const Change *change)
{
  const NetworkDhcpHost *given = change->given;

  if (is_command (change, VIR_NETWORK_UPDATE_COMMAND_DELETE))
    return g_strdup_printf ("couldn't locate a matching dhcp host entry in network '%s'", change->def->name);
  return g_strdup_printf ("couldn't locate an existing dhcp host entry with \"mac='%s'\" \"name='%s'\" "
                          "\"ip='%s'\" in network '%s'",
                          or_unknown (given->mac), or_unknown (given->name), or_unknown (given->ip),
                          change->def->name);
}

static GPtrArray **
dhcp_ranges (Change *change, GError **error)
{
  return find_ip (change, error) ? &change->ip->dhcp->ranges : NULL;
}

static void
check_dhcp_range (const NetworkCheck *check, const Change *change)
{
  network_check_dhcp_range (check, change->given, change->ip);
}

static gboolean
matches_dhcp_range (const Change *change, gconstpointer member)
{
  const NetworkDhcpRange *given = change->given, *range = member;

  return same_address (given->start, range->start) && same_address (given->end, range->end);
}

static char *
dhcp_range_exists (const Change *change)
{
  const NetworkDhcpRange *given = change->given;

  return g_strdup_printf (
      "there is an existing dhcp range entry in network '%s' that matches \"<range start='%s' end='%s'/>\"",
      change->def->name, or_unknown (given->start), or_unknown (given->end));
}

static char *
dhcp_range_missing (const Change *change)
{
  return g_strdup_printf ("couldn't locate a matching dhcp range entry in network '%s'", change->def->name);
}

/* Interfaces of the host. */

static GPtrArray **
forward_interfaces (Change *change, G_GNUC_UNUSED GError **error)
{
  return &change->def->forward.interfaces;
}

static void
check_forward_interface (const NetworkCheck *check, const Change *change)
{
  const NetworkForwardInterface *given = change->given;

  if (given->dev == NULL)
    network_refuse (check, given, given, VIR_ERR_XML_ERROR,
                    "Missing required dev attribute in <forward> <interface> element of network %s",
                    check->network);
}

static gboolean
matches_forward_interface (const Change *change, gconstpointer member)
{
  return g_strcmp0 (((const NetworkForwardInterface *)change->given)->dev,
                    ((const NetworkForwardInterface *)member)->dev)
         == 0;
}

static char *
forward_interface_exists (const Change *change)
{
  return g_strdup_printf (
      "there is an existing interface entry in network '%s' that matches \"<interface dev='%s'>\"",
      change->def->name, ((const NetworkForwardInterface *)change->given)->dev);
}

static char *
forward_interface_missing (const Change *change)
{
  return g_strdup_printf ("couldn't find an interface entry in network '%s' matching <interface dev='%s'>",
                          change->def->name, ((const NetworkForwardInterface *)change->given)->dev);
}

static gboolean
forward_interface_may_go (const Change *change, gconstpointer member, GError **error)
{
  const NetworkForwardInterface *interface = member;

  if (!interface->connections.set)
    return TRUE;
  virt_error_set_from (
      error, VIR_FROM_NETWORK, VIR_ERR_OPERATION_INVALID,
      "unable to delete interface '%s' in network '%s'. It is currently being used by %u domains.",
      interface->dev, change->def->name, (guint)interface->connections.value);
  return FALSE;
}

static gboolean
forward_interface_may_come (const Change *change, GError **error)
{
  if (change->def->forward.mode != NETWORK_FORWARD_NONE)
    return TRUE;
  virt_error_set_from (error, VIR_FROM_NETWORK, VIR_ERR_OPERATION_UNSUPPORTED,
                       "network '%s' has no <forward> that could have an interface", change->def->name);
  return FALSE;
}

/* Portgroups. */

static GPtrArray **
portgroups (Change *change, G_GNUC_UNUSED GError **error)
{
  return &change->def->portgroups;
}

static void
check_portgroup (const NetworkCheck *check, const Change *change)
{
  network_check_portgroup (check, change->given, change->def->forward.mode);
}

static gboolean
matches_portgroup (const Change *change, gconstpointer member)
{
  return g_strcmp0 (((const NetworkPortgroup *)change->given)->name, ((const NetworkPortgroup *)member)->name)
         == 0;
}

static char *
portgroup_exists (const Change *change)
{
  return g_strdup_printf (
      "there is an existing portgroup entry in network '%s' that matches \"<portgroup name='%s'>\"",
      change->def->name, ((const NetworkPortgroup *)change->given)->name);
}

static char *
portgroup_missing (const Change *change)
{
  return g_strdup_printf ("couldn't find a portgroup entry in network '%s' matching <portgroup name='%s'>",
                          change->def->name, ((const NetworkPortgroup *)change->given)->name);
}

static gboolean
portgroup_may_come (const Change *change, GError **error)
{
  const NetworkPortgroup *given = change->given;
  const NetworkPortgroup *other = network_def_find_portgroup (change->def, NULL);

  if (given->is_default != TRISTATE_YES || other == NULL || g_strcmp0 (other->name, given->name) == 0)
    return TRUE;
  virt_error_set_from (error, VIR_FROM_NETWORK, VIR_ERR_OPERATION_INVALID,
                       "a different portgroup entry in network '%s' is already set as the default. Only one "
                       "default is allowed.",
                       change->def->name);
  return FALSE;
}

/* Names. */

static GPtrArray **
dns_hosts (Change *change, G_GNUC_UNUSED GError **error)
{
  return &change->def->dns.hosts;
}

static void
check_dns_host (const NetworkCheck *check, const Change *change)
{
  network_check_dns_host (check, change->given, is_command (change, VIR_NETWORK_UPDATE_COMMAND_DELETE));
}

static gboolean
have_one_name (const GPtrArray *some, const GPtrArray *others)
{
  for (guint i = 0; some != NULL && i < some->len; i++)
    for (guint j = 0; others != NULL && j < others->len; j++)
      if (g_str_equal (g_ptr_array_index (some, i), g_ptr_array_index (others, j)))
        return TRUE;
  return FALSE;
}

/* One name can have several addresses: what names an address is known by it. */
static gboolean
matches_dns_host (const Change *change, gconstpointer member)
{
  const NetworkDnsHost *given = change->given, *host = member;

  return same_address (given->ip, host->ip)
         || (is_command (change, VIR_NETWORK_UPDATE_COMMAND_DELETE)
             && have_one_name (given->hostnames, host->hostnames));
}

static char *
dns_host_exists (const Change *change)
{
  return g_strdup_printf ("there is already at least one DNS HOST record with a matching field in network %s",
                          change->def->name);
}

static char *
dns_host_missing (const Change *change)
{
  return g_strdup_printf ("couldn't locate a matching DNS HOST record in network %s", change->def->name);
}

static GPtrArray **
dns_txts (Change *change, G_GNUC_UNUSED GError **error)
{
  return &change->def->dns.txts;
}

static void
check_dns_txt (const NetworkCheck *check, const Change *change)
{
  const NetworkDnsTxt *given = change->given;

  network_check_dns_txt (check, given, !adds (change));
  if (is_command (change, VIR_NETWORK_UPDATE_COMMAND_MODIFY) && given->value == NULL)
    network_refuse (check, given, given, VIR_ERR_XML_DETAIL,
                    "missing value of modifying DNS TXT record in network %s", check->network);
}

static gboolean
matches_dns_txt (const Change *change, gconstpointer member)
{
  return g_strcmp0 (((const NetworkDnsTxt *)change->given)->name, ((const NetworkDnsTxt *)member)->name) == 0;
}

static char *
dns_txt_exists (const Change *change)
{
  return g_strdup_printf ("there is already a DNS TXT record with name '%s' in network %s",
                          ((const NetworkDnsTxt *)change->given)->name, change->def->name);
}

static char *
dns_txt_missing (const Change *change)
{
  return g_strdup_printf ("couldn't locate a matching DNS TXT record in network %s", change->def->name);
}

static GPtrArray **
dns_srvs (Change *change, G_GNUC_UNUSED GError **error)
{
  return &change->def->dns.srvs;
}

static void
check_dns_srv (const NetworkCheck *check, const Change *change)
{
  network_check_dns_srv (check, change->given, is_command (change, VIR_NETWORK_UPDATE_COMMAND_DELETE));
}

static gboolean
same_number_if_said (const Number *said, const Number *value)
{
  return !said->set || (value->set && said->value == value->value);
}

static gboolean
matches_dns_srv (const Change *change, gconstpointer member)
{
  const NetworkDnsSrv *given = change->given, *srv = member;

  return same_if_said (given->domain, srv->domain) && same_if_said (given->service, srv->service)
         && same_if_said (given->protocol, srv->protocol) && same_if_said (given->target, srv->target)
         && same_number_if_said (&given->port, &srv->port)
         && same_number_if_said (&given->priority, &srv->priority)
         && same_number_if_said (&given->weight, &srv->weight);
}

static char *
dns_srv_exists (const Change *change)
{
  return g_strdup_printf (
      "there is already at least one DNS SRV record matching all specified fields in network %s",
      change->def->name);
}

static char *
dns_srv_missing (const Change *change)
{
  return g_strdup_printf ("couldn't locate a matching DNS SRV record in network %s", change->def->name);
}

static const Section sections[] = {
  [VIR_NETWORK_SECTION_BRIDGE] = { .name = "bridge" },
  [VIR_NETWORK_SECTION_DOMAIN] = { .name = "domain" },
  [VIR_NETWORK_SECTION_IP] = { .name = "ip" },
  [VIR_NETWORK_SECTION_IP_DHCP_HOST] = { "ip-dhcp-host", "host", &network_dhcp_host_table, dhcp_hosts,
                                         check_dhcp_host, matches_dhcp_host, NULL, dhcp_host_exists,
                                         dhcp_host_missing, NULL, NULL, NULL },
  [VIR_NETWORK_SECTION_IP_DHCP_RANGE] = { "ip-dhcp-range", "range", &network_dhcp_range_table, dhcp_ranges,
                                          check_dhcp_range, matches_dhcp_range,
                                          "dhcp ranges cannot be modified, only added or deleted",
                                          dhcp_range_exists, dhcp_range_missing, NULL, NULL, NULL },
  [VIR_NETWORK_SECTION_FORWARD] = { .name = "forward" },
  [VIR_NETWORK_SECTION_FORWARD_INTERFACE] = { "forward-interface", "interface",
                                              &network_forward_interface_table, forward_interfaces,
                                              check_forward_interface, matches_forward_interface,
                                              "forward interface entries cannot be modified, only added or "
                                              "deleted",
                                              forward_interface_exists, forward_interface_missing, NULL,
                                              forward_interface_may_go, forward_interface_may_come },
  [VIR_NETWORK_SECTION_FORWARD_PF] = { .name = "forward pf" },
  [VIR_NETWORK_SECTION_PORTGROUP] = { "portgroup", "portgroup", &network_portgroup_table, portgroups,
                                      check_portgroup, matches_portgroup, NULL, portgroup_exists,
                                      portgroup_missing, NULL, NULL, portgroup_may_come },
  [VIR_NETWORK_SECTION_DNS_HOST] = { "dns-host", "host", &network_dns_host_table, dns_hosts, check_dns_host,
                                     matches_dns_host, NULL, dns_host_exists, dns_host_missing,
                                     "multiple matching DNS HOST records were found in network %s", NULL,
                                     NULL },
  [VIR_NETWORK_SECTION_DNS_TXT] = { "dns-txt", "txt", &network_dns_txt_table, dns_txts, check_dns_txt,
                                    matches_dns_txt, NULL, dns_txt_exists, dns_txt_missing, NULL, NULL,
                                    NULL },
  [VIR_NETWORK_SECTION_DNS_SRV] = { "dns-srv", "srv", &network_dns_srv_table, dns_srvs, check_dns_srv,
                                    matches_dns_srv,
                                    "DNS SRV records cannot be modified, only added or deleted",
                                    dns_srv_exists, dns_srv_missing,
                                    "multiple DNS SRV records matching all specified fields were found in "
                                    "network %s",
                                    NULL, NULL },
};

const char *
network_section_name (guint section)
{
  return section < G_N_ELEMENTS (sections) ? sections[section].name : NULL;
}

static gboolean
find_member (const Change *change, const GPtrArray *list, guint *ret_place, GError **error)
{
  guint found = 0;

  for (guint i = 0; list != NULL && i < list->len; i++)
    if (change->section->matches (change, g_ptr_array_index (list, i)) && found++ == 0)
      *ret_place = i;
  if (found > 1 && change->section->many != NULL) {
    g_autofree char *start =
        g_strndup (change->section->many, strlen (change->section->many) - strlen ("%s"));

    virt_error_set_from (error, VIR_FROM_NETWORK, VIR_ERR_OPERATION_INVALID, "%s%s", start,
                         change->def->name);
  } else if (found == 0) {
    g_autofree char *words = change->section->missing (change);

    virt_error_set_from (error, VIR_FROM_NETWORK, VIR_ERR_OPERATION_INVALID, "%s", words);
  } else
    return TRUE;
  return FALSE;
}

static gboolean
add (Change *change, GPtrArray **list, GError **error)
{
  gboolean is_first = is_command (change, VIR_NETWORK_UPDATE_COMMAND_ADD_FIRST);

  for (guint i = 0; *list != NULL && i < (*list)->len; i++)
    if (change->section->matches (change, g_ptr_array_index (*list, i))) {
      g_autofree char *words = change->section->exists (change);

      virt_error_set_from (error, VIR_FROM_NETWORK, VIR_ERR_OPERATION_INVALID, "%s", words);
      return FALSE;
    }
  if (change->section->may_come != NULL && !change->section->may_come (change, error))
    return FALSE;
  if (*list == NULL)
    *list = g_ptr_array_new ();
  g_ptr_array_insert (*list, is_first ? 0 : -1, g_steal_pointer (&change->given));
  return TRUE;
}

static gboolean
take_out (Change *change, GPtrArray **list, GError **error)
{
  guint place;

  if (!find_member (change, *list, &place, error)
      || (change->section->may_go != NULL
          && !change->section->may_go (change, g_ptr_array_index (*list, place), error)))
    return FALSE;
  field_free (change->section->table, g_ptr_array_index (*list, place));
  g_ptr_array_remove_index (*list, place);
  return TRUE;
}

static gboolean
modify (Change *change, GPtrArray **list, GError **error)
{
  guint place;

  if (change->section->fixed != NULL) {
    virt_error_set_from (error, VIR_FROM_NETWORK, VIR_ERR_OPERATION_UNSUPPORTED, "%s",
                         change->section->fixed);
    return FALSE;
  }
  if (!find_member (change, *list, &place, error)
      || (change->section->may_come != NULL && !change->section->may_come (change, error)))
    return FALSE;
  field_free (change->section->table, g_ptr_array_index (*list, place));
  g_ptr_array_index (*list, place) = g_steal_pointer (&change->given);
  return TRUE;
}

/* The element. FALSE with @error. */
static gboolean
read_given (Change *change, GError **error)
{
  g_autoptr (Diagnostics) diagnostics = diagnostics_new ("(network_update_xml)");
  g_autoptr (XmlDocument) document = xml_document_parse (change->update->xml, -1, diagnostics);
  g_autoptr (SourceMap) map = source_map_new ();
  FieldReader reader = { document, diagnostics, map, TRUE, network_document.value_errors };
  NetworkCheck check = { &reader, change->def->name, FALSE };
  const char *name;

  if (document == NULL)
    return diagnostics_check (diagnostics, error);
  name = (const char *)xml_document_root (document)->name;
  if (!g_str_equal (name, change->section->element)) {
    virt_error_set_from (error, VIR_FROM_NETWORK, VIR_ERR_XML_ERROR,
                         "unexpected element <%s>, expecting <%s>, while updating network '%s'", name,
                         change->section->element, change->def->name);
    return FALSE;
  }
  change->given = field_new (change->section->table);
  field_read (&reader, change->section->table, change->given, xml_document_root (document));
  change->section->check (&check, change);
  return diagnostics_check (diagnostics, error);
}

static gboolean
apply (Change *change, GError **error)
{
  GPtrArray **list = change->section->list (change, error);

  if (list == NULL || !read_given (change, error))
    return FALSE;
  switch (change->update->command) {
    case VIR_NETWORK_UPDATE_COMMAND_MODIFY:
      return modify (change, list, error);
    case VIR_NETWORK_UPDATE_COMMAND_DELETE:
      return take_out (change, list, error);
    case VIR_NETWORK_UPDATE_COMMAND_ADD_LAST:
    case VIR_NETWORK_UPDATE_COMMAND_ADD_FIRST:
      return add (change, list, error);
    default:
      virt_error_set_from (error, VIR_FROM_NETWORK, VIR_ERR_NO_SUPPORT,
                           "unrecognized network update command code %u", change->update->command);
      return FALSE;
  }
}

static NetworkDef *
read_again (const NetworkDef *def, GError **error)
{
  g_autofree char *xml = network_def_to_xml (def, TRUE);
  g_autoptr (Diagnostics) diagnostics = diagnostics_new (NULL);
  g_autoptr (NetworkDef) changed = network_def_parse (xml, -1, DOCUMENT_LAX | NETWORK_READ_LIVE, diagnostics);

  if (changed == NULL) {
    const Diagnostic *first = diagnostics_get (diagnostics, 0);

    /* Its place is in a text that nobody has seen. */
    virt_error_set_from (error, first->origin >= 0 ? (virErrorDomain)first->origin : VIR_FROM_NETWORK,
                         first->code, "%s", first->message);
  }
  return g_steal_pointer (&changed);
}

/* What follows from the first interface is said anew. */
static void
forget_dev (Change *change)
{
  g_clear_pointer (&change->def->forward.dev, g_free);
}

NetworkDef *
network_update (const NetworkDef *def, const NetworkUpdate *update, GError **error)
{
  g_autoptr (NetworkDef) copy = network_def_copy (def);
  Change change = { update, NULL, copy, NULL, NULL };
  gboolean is_applied;

  if (network_section_name (update->section) == NULL) {
    virt_error_set_from (error, VIR_FROM_NETWORK, VIR_ERR_NO_SUPPORT,
                         "can't update unrecognized section of network");
    return NULL;
  }
  change.section = &sections[update->section];
  if (change.section->element == NULL) {
    virt_error_set_from (error, VIR_FROM_NETWORK, VIR_ERR_OPERATION_UNSUPPORTED,
                         "can't update '%s' section of network '%s'", change.section->name, def->name);
    return NULL;
  }
  is_applied = apply (&change, error);
  field_free (change.section->table, change.given);
  if (!is_applied)
    return NULL;
  forget_dev (&change);
  return read_again (copy, error);
}
