/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "daemon/core/job.h"
#include "network/network-def.h"

/*
 * systemd-resolved is told that a network's domain is known to its dnsmasq (<domain register='yes'>), so that
 * the host itself finds machines by name. It forgets that with the bridge. In a job's thread.
 */
#define NETWORK_RESOLVER_TIMEOUT 5000 /* ms of one call */

/* VIR_ERR_SYSTEM_ERROR where it does not run or does not want to. */
gboolean network_resolver_register (Job *job, const NetworkDef *def, GError **error);
