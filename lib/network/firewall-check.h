/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "network/network-def.h"
#include <json-glib/json-glib.h>

/*
 * Does somebody else's packet filter stop what a running network lets pass? Every table of nf_tables has its
 * say, so that a policy of dropping (Docker's, ufw's, a firewall's of one's own) counts whatever our table
 * accepts. Pure.
 */
#define FIREWALL_FINDINGS_MAX 64

typedef struct {
  char *what; /* "table ip filter drops what is forwarded (chain FORWARD) ..." */
  char *cure; /* a line for the host's shell that lets the network's packets pass */
} FirewallFinding;
void firewall_finding_free (FirewallFinding *finding);

/* @objects: as firewall_list_all() says them, untrusted. Each chain that drops by policy, or rejects at its
 * end, what @def needs (forwarding; DHCP and DNS to the host), unless a rule of that table names the bridge.
 * (transfer full), of FirewallFinding */
GPtrArray *firewall_check (JsonArray *objects, const NetworkDef *def);
