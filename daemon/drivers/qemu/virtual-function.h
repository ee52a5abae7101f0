/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "daemon/drivers/qemu/host-record.h"
#include "domain/devices/interface.h"

/*
 * What a network card is told of a virtual function that becomes a machine's interface. Blocking; a job's
 * thread.
 */

/* Where the function at @name is on its card, and what the card has of it till now, into @record. FALSE when
 * it is no virtual function, or @interface wants what no card can. */
gboolean virtual_function_find (const Settings *settings, const DeviceInterface *interface, const char *name,
                                HostRecord *record, GError **error);
/* It has the interface's MAC address and VLAN. */
gboolean virtual_function_set (const HostRecord *record, const DeviceInterface *interface, GError **error);
/* And what it had before. What fails is logged. */
void virtual_function_restore (const HostRecord *record);
