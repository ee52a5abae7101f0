/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "base/scalars.h"
#include "nwfilter/filter-protocols.h"

/*
 * One value of a rule, or the variable it will be. Pure; any thread.
 */
#define FILTER_MAX_ITERATOR 1000 /* as libvirt's */
#define FILTER_IPV4_BYTES   4
#define FILTER_IPV6_BYTES   16

typedef struct {
  char *name;
  gboolean element; /* $X[2]: that one of its values; else $X[@2]: each of them, with iterator 2 */
  guint index;
} FilterVariable;

typedef struct {
  const FilterAttribute *attribute;
  FilterVariable *variable;        /* NULL: the value is here */
  gboolean hexadecimal;            /* as it was written, so it is again */
  guint64 number;                  /* numbers, masks' prefixes, bits */
  guint8 bytes[FILTER_IPV6_BYTES]; /* addresses, in network order */
  char *text;
} FilterValue;

/* What @text says of @attribute; NULL: nothing it can be. (transfer full) */
FilterValue *filter_value_parse (const FilterAttribute *attribute, const char *text);
/* The same where no variable may stand any more: what a variable was replaced with. */
FilterValue *filter_value_parse_plain (const FilterAttribute *attribute, const char *text);
/* As libvirt writes it. (transfer full) */
char *filter_value_format (const FilterValue *value);
FilterValue *filter_value_copy (const FilterValue *value);
void filter_value_free (FilterValue *value);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (FilterValue, filter_value_free)
