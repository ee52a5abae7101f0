/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "daemon/helper/helper.h"
#include "daemon/network/network-input.h"

/*
 * dnsmasq beside a network: its files in the network's directory, its leases below the daemon's lasting state
 * (they hold longer than the network runs), and the process. Jobs' threads.
 */

/* Is it installed? VIR_ERR_CONFIG_UNSUPPORTED with the package's name. TRUE where @def needs none. */
gboolean network_dnsmasq_check (const NetworkDef *def, GError **error);

/*
 * Make it serve @input->def: it is started, started anew, told to read its files again, stopped, or left
 * alone, whichever is the least that suffices. @status gets which one it is, and is saved before a new one is
 * begun. On failure it serves what it did before.
 */
gboolean network_dnsmasq_update (Job *job, const NetworkInput *input, NetworkStatus *status, GError **error);
/* It has gone when this returns, and so have its files; the leases stay. */
void network_dnsmasq_stop (const char *directory);

/* Which helper of the directory is the one @status means? "dnsmasq-3". (transfer full) */
char *network_dnsmasq_name (const NetworkStatus *status);
/* (transfer full) */
char *network_dnsmasq_leases_path (const Settings *settings, const char *uuid);
/* (transfer full), of DnsmasqLease; no file is no lease. */
GPtrArray *network_dnsmasq_leases (const Settings *settings, const char *uuid, GError **error);
