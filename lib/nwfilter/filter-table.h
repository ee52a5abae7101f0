/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "nwfilter/filter-instance.h"

#include <json-glib/json-glib.h>

/*
 * An instantiated filter as commands of libnftables-json(5): the one table of all network devices, and each
 * device's chains in it. Pure; any thread.
 */
#define FILTER_FAMILY "bridge"
#define FILTER_TABLE  "domaind-nwfilter"

typedef enum {
  FILTER_TABLE_REJECT = 1 << 0, /* the kernel can refuse packets in bridges; else they are dropped */
} FilterTableFlags;

/* What of a device is in the table, by name: "chain NAME", "set NAME", "map NAME". */
typedef GPtrArray FilterTraces;

/* Empty the table, or make it; @commands is to be done with what brings all devices back. */
void filter_table_begin (JsonArray *commands);
/*
 * Put @instance in place of what @traces (NULL: nothing) names of device @port. *ret_traces: what is there
 * then (transfer full). FALSE with @error, and nothing useful in @commands, when nf_tables cannot do it.
 */
gboolean filter_table_set (JsonArray *commands, const char *port, const FilterInstance *instance, guint flags,
                           const FilterTraces *traces, FilterTraces **ret_traces, GError **error);
void filter_table_remove (JsonArray *commands, const char *port, const FilterTraces *traces);

/*
 * What a listing of the table says is in it: device (char *) → FilterTraces. NULL: the table is not as
 * filter_table_begin makes it. (transfer full)
 */
GHashTable *filter_table_read (JsonArray *objects);
