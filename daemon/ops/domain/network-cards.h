/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "daemon/domain/manager.h"
#include "domain/devices/interface.h"

/*
 * Machines' interfaces on virtual networks. A definition keeps the network's name; a machine that starts, or
 * gets such a card, has a port on the network, and its card is what the port is plugged into. A port belongs
 * to its machine by the machine's UUID, and is there as long as a card of the running machine has it.
 */

/* In a job: @interface, a card of type 'network' of @def, becomes what a port made for it is plugged into;
 * others stay as they are. @before: what the card is in the running machine now, whose port it keeps unless
 * it changes its network; NULL: it is new. VIR_ERR_NO_NETWORK, or VIR_ERR_OPERATION_INVALID of a network that
 * is not active, and what the network refuses. Whether the card came to be or not, network_cards_settle
 * follows. */
gboolean network_card_resolve (Job *job, Manager *manager, const DomainDef *def, DeviceInterface *interface,
                               const DeviceInterface *before, GError **error);
/* The same for all cards of a definition that starts: another one, or a reference to @def if none is on a
 * network. */
DomainDef *network_cards_resolve (Job *job, Manager *manager, DomainDef *def, GError **error);

/* In a job: the port of @interface, a card on a network, gets these rates, with its share of the network's
 * bandwidth (its floor), where they are others than the card's. What the link itself lets pass is the
 * caller's to change. */
gboolean
network_card_change_rates (Job *job, Manager *manager, const DeviceInterface *interface,
                           const InterfaceRate *inbound, const InterfaceRate *outbound, GError **error);

/* What the same would make of it, as things are now: no port comes to be, and nothing follows. @ret_findings
 * (NULL: not wanted): what keeps packets of that network from passing (FirewallFinding); transfer full, and
 * NULL where nobody looked. */
gboolean network_card_preview (Job *job, Manager *manager, const DomainDef *def, DeviceInterface *interface,
                               GPtrArray **ret_findings, GError **error);
/* Main loop: the job that resolved cards of that domain is over, and what came of it is committed. Ports that
 * no card of its running machine has are deleted. */
void network_cards_settle (Manager *manager, const char *uuid);
/* Main loop, once everything is loaded: ports of machines that are gone go, a running machine whose network
 * was started anew is connected again, and from now on ports go with their machines and cards. */
void network_cards_begin (Manager *manager);
