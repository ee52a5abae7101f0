/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "domain/policy.h"

/*
 * The order in which machines start, as their policies say it. A set of machines is a table of names (char *)
 * to policies (Policy *, NULL: none); names in a policy that are not in the set say nothing of the order.
 * Pure.
 */

/* The machines of the set that start before one with @policy: names, borrowed from it. (transfer container)
 */
GPtrArray *start_order_before (const Policy *policy, GHashTable *set);

/* Machines that wait for each other: "'a' → 'b' → 'a'"; their names are added to @ret_names (transfer full).
 * NULL: there are none. */
char *start_order_find_cycle (GHashTable *set, GPtrArray *ret_names);
/* Where in the document @text its <start> names that machine; 0:0: it does not. */
Position start_order_place (const char *text, gssize length, const char *name);
