/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "daemon/core/settings.h"
#include "nwfilter/filter-document.h"

/*
 * The filters of the host's network devices: which definition is bound to which device, and the kernel's
 * rules that follow from it. One in the process, like the kernel's table. What changes rules is for jobs'
 * threads, one change at a time; what only looks is for any thread and waits for no change.
 */

/* The definitions. */
void filter_rules_note (FilterDef *def); /* takes a reference */
void filter_rules_forget (const char *name);
/* Is a device filtered by it, directly or by what refers to it? */
gboolean filter_rules_in_use (const char *name);
/* @def is to be: the rules of all devices that it is in are changed to it in one transaction, or, with
 * @error, none. VIR_ERR_OPERATION_FAILED when it would close a loop. */
gboolean filter_rules_define (const Settings *settings, FilterDef *def, GError **error);
/* It is not to be after all: as before filter_rules_define. */
void filter_rules_undo_define (const Settings *settings, FilterDef *def);

/*
 * The bindings. The rules are there when this returns; with @error nothing has changed. @replace: it takes
 * the place of what is bound to the device, otherwise that is VIR_ERR_OPERATION_FAILED. A machine's address
 * that a rule needs and nobody says is learnt, and the rules follow it.
 */
gboolean
filter_binding_set (const Settings *settings, FilterBindingDef *def, gboolean replace, GError **error);
/* @only: this one (from filter_binding_find) and no other of the device; NULL: any. FALSE with
 * VIR_ERR_NO_NWFILTER_BINDING when there is none. */
gboolean filter_binding_remove (const Settings *settings, const char *port, const FilterBindingDef *only,
                                GError **error);
/* At the daemon's start: those that were there and whose devices are. */
void filter_bindings_adopt (const Settings *settings);
/* The machine behind @port has these IPv4 addresses (char *) now. What cannot be changed is logged. @lines:
 * to be kept for the daemon's next start. @sequence: what is older than the last one is passed over. */
void filter_binding_learnt (const Settings *settings, const char *port, const GPtrArray *addresses,
                            const char *lines, guint64 sequence);

/* (transfer full) */
GPtrArray *filter_bindings_list (void);
FilterBindingDef *filter_binding_find (const char *port); /* NULL: none */
