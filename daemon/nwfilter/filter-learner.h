/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "daemon/core/settings.h"
#include "nwfilter/filter-packet.h"

/*
 * Which IPv4 addresses the machine behind a network device has, by what is seen there: the first one it uses
 * (libvirt's learning "any"), or those that DHCP servers lease it, as long as they do ("dhcp"). What is
 * learnt goes to filter_binding_learnt in a job. Made and freed in any thread; at work in the main loop.
 */
typedef struct FilterLearner FilterLearner;

/* @servers: IPv4 addresses (char *) of the servers that are trusted, NULL: all. @lines: what an earlier one
 * has learnt, or NULL. */
FilterLearner *filter_learner_new (const Settings *settings, const char *port, const char *mac, gboolean dhcp,
                                   const GPtrArray *servers, const char *lines, GError **error);
void filter_learner_free (FilterLearner *learner);
/* The addresses in @lines that still are the machine's. (transfer full) */
GPtrArray *filter_learner_addresses (const char *lines);
