/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "nwfilter/filter-instance.h"

#include <json-glib/json-glib.h>

/*
 * What a rule's values ask of a packet, as expressions of libnftables-json(5). Pure; any thread.
 */
typedef enum {
  FILTER_MATCHES,  /* the expressions were added */
  FILTER_NEVER,    /* no packet can be meant: the rule is left out */
  FILTER_TOO_MUCH, /* nf_tables cannot ask that; the error says so */
} FilterMatch;

/*
 * Add to @expressions what @rule asks. @reversed: the packet flows the other way than the rule says, so that
 * what it says of sources is asked of destinations. What is said of states is no part of it. @set: the name
 * of a set for the addresses of gratuitous ARP packets, which the rule may need (filter_rule_needs_set).
 */
FilterMatch filter_match (const FilterRuleInstance *rule, gboolean reversed, const char *set,
                          JsonArray *expressions, GError **error);
gboolean filter_rule_needs_set (const FilterRuleInstance *rule);

/* The pieces, for who asks more. (transfer full) */
JsonNode *filter_payload (const char *protocol, const char *field);
JsonNode *filter_raw (const char *base, guint offset, guint length); /* bits */
JsonNode *filter_meta (const char *key);
JsonNode *filter_integer (gint64 number);
JsonNode *filter_text (const char *text);
JsonNode *filter_pair (const char *name, JsonNode *first, JsonNode *second); /* {@name: [@first, @second]} */
/* {"match": ...}. @operator: "==", "!=", "in". Takes both sides. */
void filter_add_match (JsonArray *expressions, const char *operator, JsonNode * left, JsonNode *right);
void filter_add_ether_type (JsonArray *expressions, int type);

#define FILTER_STP_ADDRESS "01:80:c2:00:00:00"
