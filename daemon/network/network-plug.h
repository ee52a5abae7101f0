/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "daemon/network/networks.h"

/* What a new port is plugged into: chosen from the network's live definition and the ports there are. Main
 * loop only. */

/*
 * The port as it will be: what it leaves open comes from its portgroup and the network, and it gets a plug
 * and where it has a floor a traffic class. @reclaim: it has its plug already, which must be free. NULL with
 * @error in libvirt's words. (transfer full)
 */
NetworkPortDef *
network_plug (const Network *network, const NetworkPortDef *wanted, gboolean reclaim, GError **error);

/* @port, one of the network's, with these rates instead of its own; each may be NULL. NULL with @error where
 * the network has not so much to give. (transfer full) */
NetworkPortDef *
network_port_with_rates (const Network *network, const NetworkPortDef *port, const InterfaceRate *inbound,
                         const InterfaceRate *outbound, GError **error);

/* Can a port of that MAC have these rates? @except: the port whose rates they replace, or NULL. */
gboolean network_check_floor (const Network *network, const InterfaceRate *inbound, const char *mac,
                              const NetworkPortDef *except, GError **error);
