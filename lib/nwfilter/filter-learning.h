/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "nwfilter/filter-instance.h"

/*
 * A binding's rules, whatever is known of the machine's address yet. Pure; any thread.
 */
typedef enum { FILTER_LEARN_NOTHING, FILTER_LEARN_ANY, FILTER_LEARN_DHCP } FilterLearnMethod;

typedef struct {
  FilterLearnMethod method;
  GPtrArray *servers; /* DHCP servers that are trusted (char *), NULL: all */
} FilterLearning;

/*
 * @addresses: what was learnt of the machine behind the device, NULL: nothing. When the filter needs an
 * address that nobody has said, *ret_learning says how it is to be learnt, and as long as it is not, the
 * rules are those under which it can be. Errors: those of filter_instantiate, and VIR_ERR_PARSE_FAILED for a
 * way of learning that there is not.
 */
FilterInstance *
filter_learning_instantiate (const FilterBindingDef *def, const GPtrArray *addresses, FilterLookup lookup,
                             gpointer data, FilterLearning *ret_learning, GError **error);
void filter_learning_clear (FilterLearning *learning);
