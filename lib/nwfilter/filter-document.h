/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "document/document-kind.h"
#include "nwfilter/filter-value.h"

/*
 * The document of a network filter: a chain's name and priority, rules, and references to other filters.
 * Pure; immutable once made, shared by reference, any thread.
 */
#define FILTER_MIN_PRIORITY     (-1000)
#define FILTER_MAX_PRIORITY     1000
#define FILTER_DEFAULT_PRIORITY 500 /* of rules */
#define FILTER_MAX_CHAIN_NAME   12
#define FILTER_ROOT_CHAIN       "root"
#define FILTER_MAX_DEVICE_NAME  16 /* IFNAMSIZ */

typedef enum {
  FILTER_ACTION_ABSENT,
  FILTER_DROP,
  FILTER_ACCEPT,
  FILTER_REJECT,
  FILTER_CONTINUE,
  FILTER_RETURN
} FilterAction;

typedef enum {
  FILTER_DIRECTION_ABSENT,
  FILTER_IN, /* to the machine */
  FILTER_OUT,
  FILTER_INOUT
} FilterDirection;

/* What a rule says of its protocol: each value once, in the order of the protocol's attributes. */
typedef struct {
  const FilterProtocol *protocol;
  gboolean negated;  /* match='no' */
  GPtrArray *values; /* of FilterValue */
} FilterDetails;

typedef struct {
  int action, direction;  /* FilterAction, FilterDirection */
  SignedNumber priority;  /* after reading: set */
  char *state_match;      /* after reading: "false" or NULL */
  FilterDetails *details; /* NULL: every packet */
} FilterRule;

typedef struct {
  char *name, *value;
} FilterParameter;

typedef struct {
  char *filter;
  GPtrArray *parameters; /* of FilterParameter, ordered by name; NULL: none */
} FilterReference;

typedef struct { /* one of both */
  FilterRule *rule;
  FilterReference *reference;
} FilterEntry;

typedef struct {
  char *name, *chain, *uuid;
  SignedNumber priority; /* of the chain; after reading: not set when 0 */
  GPtrArray *entries;    /* of FilterEntry, NULL: none */
  gint ref_count;
} FilterDef;

typedef struct {
  char *owner_name, *owner_uuid;
  char *port, *link, *mac; /* network devices by name; @link: NULL, or the one below a macvtap */
  FilterReference reference;
  gint ref_count;
} FilterBindingDef;

extern const DocumentKind filter_document;
extern const DocumentKind filter_binding_document;

/* The prefix of the names of chains for one protocol, as "arp"; NULL: no chain may have this name. */
const char *filter_chain_protocol (const char *chain);
/* What the rule says of @id; NULL: nothing. */
const FilterValue *filter_rule_value (const FilterRule *rule, FilterAttributeId id);
