/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "nwfilter/filter-instance.h"

#include <json-glib/json-glib.h>

/* The rules that flows are judged by (tcp, udp, icmp ...), and the memory of what passed. For filter-table.c.
 */
typedef struct {
  const char *port;
  guint flags;          /* FilterTableFlags */
  JsonArray *from, *to; /* of commands, for the rules of what a machine sends and receives */
} FilterFlowTarget;

/* *ret_tracked: a rule asks for what passed before, so it must be remembered. */
gboolean filter_flow_rules (const FilterInstance *instance, const FilterFlowTarget *target,
                            gboolean *ret_tracked, GError **error);

/* The sets that remember it, by number below this; their names and what they hold. */
#define FILTER_FLOW_SETS 8
char *filter_flow_set (const char *port, guint number); /* (transfer full) */
void filter_flow_declare (guint number, JsonObject *set);
/* The rules that remember what passed @from the machine, or to it. */
void filter_flow_track (const char *port, gboolean from, JsonArray *commands);

/* Shared with filter-table.c. */
#define FILTER_ARP_SECONDS 1
#define FILTER_ARP_MAX     4096
JsonArray *filter_table_add_rule (JsonArray *commands, const char *chain); /* (borrowed) */
void filter_add_verdict (JsonArray *expressions, const char *verdict, const char *target);
void filter_add_action (JsonArray *expressions, FilterAction action, gboolean may_reject);
void filter_rule_comment (JsonArray *commands, const FilterRuleInstance *rule);
