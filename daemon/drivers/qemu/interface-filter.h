/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "daemon/core/settings.h"
#include "domain/devices/interface.h"
#include "domain/domain-def.h"

/*
 * The network filter of a machine's card, bound to the host's end of it. Jobs' threads. Nothing happens with
 * a card that has none.
 */

/* @port: the tap. Before it is up, so that no packet passes unfiltered. */
gboolean interface_filter_bind (const Settings *settings, const DomainDef *def,
                                const DeviceInterface *interface, const char *port, GError **error);
/* Unless the tap's name is another machine's by now. */
void interface_filter_unbind (const Settings *settings, const DomainDef *def,
                              const DeviceInterface *interface, const char *port);
/* The bindings of all cards of @def, as they are now: any thread; and their removal, if they still are. */
GPtrArray *interface_filters_find (const DomainDef *def);
void interface_filters_unbind (const Settings *settings, const GPtrArray *bindings);
/* @updated's filter in place of @interface's, which has the name of the tap; on an error it is as it was. */
gboolean
interface_filter_change (const Settings *settings, const DomainDef *def, const DeviceInterface *interface,
                         const DeviceInterface *updated, GError **error);
