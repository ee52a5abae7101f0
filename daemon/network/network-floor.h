/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "network/network-def.h"
#include "network/network-port.h"

/*
 * Floors: what of a network's inbound bandwidth one machine has for sure, however much the others take. A
 * port with one has a class of the bridge's traffic (its class_id), to which the packet filter leads what is
 * for its MAC address. Jobs' threads.
 */

/* The bridge's limits, with the classes of those of @ports (NetworkPortDef) that have a floor. */
gboolean network_floor_set_bridge (const NetworkDef *def, const GPtrArray *ports, GError **error);
/* One more, or one less, than @ports are; nothing is to be done for a port without a class. */
gboolean
network_floor_add (const NetworkDef *def, const GPtrArray *ports, const NetworkPortDef *port, GError **error);
gboolean network_floor_remove (const NetworkDef *def, const GPtrArray *ports, const NetworkPortDef *port,
                               GError **error);
/* Nothing is left of them: the bridge goes. */
gboolean network_floor_clear (const char *bridge, GError **error);
