/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "daemon/domain/manager.h"
#include "network/network-port.h"

/*
 * Ports of machines' cards, made and changed by jobs. Networks are named by their names; errors are libvirt's
 * (VIR_ERR_NO_NETWORK, VIR_ERR_OPERATION_INVALID of one that is not active, what the network refuses).
 */
#define NETWORK_CARD_PORT_SECONDS 30 /* that a network's lock is waited for, and that a port may take */

/* The port that @wanted becomes, plugged in: see network_plug. Until network_card_ports_made is called for
 * its owner, whose cards have it then, it is nobody's to delete. (transfer full) */
NetworkPortDef *network_card_port_make (Job *job, Manager *manager, const char *network,
                                        const NetworkPortDef *wanted, gboolean reclaim, GError **error);
/* Give port @uuid these rates; each may be NULL. What it was before (transfer full), and still is when NULL
 * comes back. */
NetworkPortDef *
network_card_port_change_rates (Job *job, Manager *manager, const char *network, const char *uuid,
                                const InterfaceRate *inbound, const InterfaceRate *outbound, GError **error);

/* Main loop: is a job making ports for the domain of that UUID? It no longer is. */
gboolean network_card_ports_are_made_for (const char *uuid);
void network_card_ports_made (const char *uuid);
