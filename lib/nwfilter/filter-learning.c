/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * While a machine's address is not known, its filter cannot be applied. Until then the device has a filter of
 * ours: with DHCP, one that lets pass what a client and a server of it have to say to each other; else one
 * that lets the machine use IPv4 and ARP from its own MAC address, so that it shows its address at all.
 */
#include "nwfilter/filter-learning.h"

static const char any_document[] =
    "<filter name='learning'>"
    "<rule action='drop' direction='out' priority='-1000'><mac match='no' srcmacaddr='$MAC'/></rule>"
    "<rule action='accept' direction='out' priority='-900'><mac protocolid='ipv4'/></rule>"
    "<rule action='accept' direction='out' priority='-900'><mac protocolid='arp'/></rule>"
    "<rule action='drop' direction='out' priority='1000'/>"
    "</filter>";

#define DHCP_BEGIN                                                                    \
  "<filter name='learning'>"                                                          \
  "<rule action='accept' direction='out' priority='-1000'>"                           \
  "<ip srcmacaddr='$MAC' protocol='udp' srcportstart='68' dstportstart='67'/></rule>" \
  "<rule action='accept' direction='in' priority='-1000'><ip "
#define DHCP_END                                                \
  "protocol='udp' srcportstart='67' dstportstart='68'/></rule>" \
  "<rule action='drop' direction='inout' priority='1000'/>"     \
  "</filter>"

static const char dhcp_document[] = DHCP_BEGIN DHCP_END;
static const char dhcp_server_document[] = DHCP_BEGIN "srcipaddr='$DHCPSERVER' " DHCP_END;

static const FilterDef *
find_own (const char *name G_GNUC_UNUSED, gpointer def)
{
  return def;
}

static FilterInstance *
instantiate_own (const char *document, GHashTable *variables, GError **error)
{
  g_autoptr (Diagnostics) diagnostics = diagnostics_new ("learning");
  FilterDef *def = document_read (&filter_document, document, -1, 0, diagnostics);
  FilterInstance *instance =
      def != NULL ? filter_instantiate (def->name, variables, find_own, def, NULL, error) : NULL;

  diagnostics_check (diagnostics, def == NULL ? error : NULL);
  document_unref (&filter_document, def);
  return instance;
}

static gboolean
read_method (const char *text, const char *filter, FilterLearnMethod *ret, GError **error)
{
  if (text == NULL || g_ascii_strcasecmp (text, "any") == 0)
    *ret = FILTER_LEARN_ANY;
  else if (g_ascii_strcasecmp (text, "dhcp") == 0)
    *ret = FILTER_LEARN_DHCP;
  else if (g_ascii_strcasecmp (text, "none") == 0)
    *ret = FILTER_LEARN_NOTHING;
  else {
    virt_error_set_from (error, VIR_FROM_NWFILTER, VIR_ERR_PARSE_FAILED,
                         "filter '%s' learning value '%s' invalid: expected any, dhcp or none", filter, text);
    return FALSE;
  }
  return TRUE;
}

/* The address is missing: rules for the time until it is known, or an error where it is not to be learnt. */
static FilterInstance *
instantiate_unknown (const FilterBindingDef *def, GHashTable *variables, FilterLookup lookup, gpointer data,
                     FilterLearning *learning, GError **error)
{
  const GPtrArray *servers = g_hash_table_lookup (variables, FILTER_VARIABLE_DHCP_SERVER);

  if (learning->method == FILTER_LEARN_NOTHING)
    return filter_instantiate (def->reference.filter, variables, lookup, data, NULL, error);
  if (learning->method == FILTER_LEARN_ANY)
    return instantiate_own (any_document, variables, error);
  return instantiate_own (servers != NULL ? dhcp_server_document : dhcp_document, variables, error);
}

FilterInstance *
filter_learning_instantiate (const FilterBindingDef *def, const GPtrArray *addresses, FilterLookup lookup,
                             gpointer data, FilterLearning *ret_learning, GError **error)
{
  g_autoptr (GHashTable) variables = filter_variables_new (def->reference.parameters);
  g_autoptr (GError) problem = NULL;
  FilterInstance *instance;
  GPtrArray *servers;
  gboolean needs_ip;

  *ret_learning = (FilterLearning){ FILTER_LEARN_NOTHING, NULL };
  if (!g_hash_table_contains (variables, FILTER_VARIABLE_MAC))
    filter_variables_add (variables, FILTER_VARIABLE_MAC, def->mac);
  instance = filter_instantiate (def->reference.filter, variables, lookup, data, &needs_ip, &problem);
  if (instance != NULL || !needs_ip) {
    if (problem != NULL)
      g_propagate_error (error, g_steal_pointer (&problem));
    return instance;
  }
  if (!read_method (filter_variables_first (variables, FILTER_VARIABLE_LEARNING), def->reference.filter,
                    &ret_learning->method, error))
    return NULL;
  if (addresses == NULL || addresses->len == 0 || ret_learning->method == FILTER_LEARN_NOTHING) {
    instance = instantiate_unknown (def, variables, lookup, data, ret_learning, error);
  } else {
    for (guint i = 0; i < addresses->len; i++)
      filter_variables_add (variables, FILTER_VARIABLE_IP, g_ptr_array_index (addresses, i));
    instance = filter_instantiate (def->reference.filter, variables, lookup, data, NULL, error);
    if (ret_learning->method == FILTER_LEARN_ANY)
      ret_learning->method = FILTER_LEARN_NOTHING;
  }
  servers = g_hash_table_lookup (variables, FILTER_VARIABLE_DHCP_SERVER);
  ret_learning->servers = servers != NULL ? g_ptr_array_ref (servers) : NULL;
  return instance;
}

void
filter_learning_clear (FilterLearning *learning)
{
  g_clear_pointer (&learning->servers, g_ptr_array_unref);
}
