/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "daemon/core/job.h"
#include "network/network-def.h"

/*
 * firewalld's zones, over the system bus, where it runs: a bridge in no zone is in the default one, which on
 * most hosts refuses DHCP. Jobs' threads.
 */
#define NETWORK_ZONE_TIMEOUT 5000 /* ms of one call */

/* Put the bridge of @def into the zone the document names, or into firewalld's for such networks where it
 * knows one. *ret_zone: which (transfer full), NULL where firewalld does not run or has none. A zone the
 * document names and nobody knows is VIR_ERR_INTERNAL_ERROR in libvirt's words. */
gboolean network_zone_join (Job *job, const NetworkDef *def, char **ret_zone, GError **error);
/* Take it out again; what fails is gone already. */
void network_zone_leave (Job *job, const char *bridge, const char *zone);
