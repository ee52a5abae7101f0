/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "nwfilter/filter-document.h"

/*
 * A filter with all it refers to, for one network device: its references resolved, its variables replaced.
 * Pure; any thread.
 */
#define FILTER_MAX_DEPTH 64    /* of references; more than any chain of filters that a person keeps in mind */
#define FILTER_MAX_RULES 65536 /* of one device, once lists of values have become a rule each */

#define FILTER_VARIABLE_MAC         "MAC"
#define FILTER_VARIABLE_IP          "IP"
#define FILTER_VARIABLE_IPV6        "IPV6"
#define FILTER_VARIABLE_DHCP_SERVER "DHCPSERVER"
#define FILTER_VARIABLE_LEARNING    "CTRL_IP_LEARNING"

/* Where references lead: filters by name. (borrowed) */
typedef const FilterDef *(*FilterLookup) (const char *name, gpointer data);

typedef struct {
  FilterAction action;
  FilterDirection direction;
  gint priority;
  gboolean stateless;             /* statematch='false' */
  const FilterProtocol *protocol; /* NULL: every packet */
  gboolean negated;
  GPtrArray *values; /* of FilterValue without variables */
  const char *chain; /* in the instance's chains */
} FilterRuleInstance;

typedef struct {
  char *name;
  gint priority;
} FilterChain;

typedef struct {
  GPtrArray *rules;  /* of FilterRuleInstance, in the order in which packets meet them */
  GPtrArray *chains; /* of FilterChain, without the root, by priority */
} FilterInstance;

/* The values of variables: char * → GPtrArray of char *. */
GHashTable *filter_variables_new (const GPtrArray *parameters);
/* One more value; @value NULL: nothing. */
void filter_variables_add (GHashTable *variables, const char *name, const char *value);
/* The first value; NULL: none. */
const char *filter_variables_first (GHashTable *variables, const char *name);

/*
 * Errors: a filter that is missing, one that refers to itself, variables that have no value
 * (VIR_ERR_INTERNAL_ERROR, in libvirt's words), values that are none. *ret_needs_ip, unless NULL: nothing but
 * an address of the machine is missing, which is to be learnt; then there is no error, and NULL is returned.
 */
FilterInstance *filter_instantiate (const char *filter, GHashTable *variables, FilterLookup lookup,
                                    gpointer data, gboolean *ret_needs_ip, GError **error);
void filter_instance_free (FilterInstance *instance);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (FilterInstance, filter_instance_free)

/* Does @filter refer to @name, directly or by others? */
gboolean filter_refers_to (const FilterDef *filter, const char *name, FilterLookup lookup, gpointer data);
/* VIR_ERR_OPERATION_FAILED when defining @filter would close a loop of references. */
gboolean filter_check_loop (const FilterDef *filter, FilterLookup lookup, gpointer data, GError **error);

const FilterValue *filter_rule_instance_value (const FilterRuleInstance *rule, FilterAttributeId id);
