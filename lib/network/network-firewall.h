/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "base/virt-error.h"
#include "network/network-def.h"
#include <json-glib/json-glib.h>

/*
 * The packet filter of virtual networks: one table of nf_tables for all of them, in which each network has
 * chains of its own that are found by its bridge's name, so that a packet passes the rules of one network
 * whatever their number. Pure: what comes out are commands for firewall_apply(), one transaction a network.
 */
#define NETWORK_FIREWALL_FAMILY "inet"
#define NETWORK_FIREWALL_TABLE  "domaind_network"

/* Is there anything to filter? Not of networks without a bridge of ours, nor of mode "open". */
gboolean network_firewall_is_needed (const NetworkDef *def);

/* Everything of @def, whose bridge has its name: what the table says of that bridge before is replaced.
 * NULL with @error for a name or an address that no rule can say. (transfer full) */
JsonArray *network_firewall_add (const NetworkDef *def, GError **error);

/* Nothing of the bridge of that name is left; it may be that nothing was there. NULL with @error. (transfer
 * full) */
JsonArray *network_firewall_remove (const char *bridge, GError **error);

/* What is in the table, by name: made once of what firewall_list_table() says of it, and asked for each
 * network. */
typedef struct NetworkFirewallState NetworkFirewallState;
NetworkFirewallState *network_firewall_state_new (JsonArray *objects);
void network_firewall_state_free (NetworkFirewallState *state);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (NetworkFirewallState, network_firewall_state_free)
/* Are all rules of @def there? */
gboolean network_firewall_is_whole (const NetworkFirewallState *state, const NetworkDef *def);
/* Is no network left in it? */
gboolean network_firewall_is_idle (const NetworkFirewallState *state);

/* Can it be the name of a network device in rules and settings? Letters, digits and "_.:-", at most 15. */
gboolean network_link_name_is_plain (const char *name);
