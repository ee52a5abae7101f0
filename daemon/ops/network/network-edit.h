/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "daemon/network/networks.h"

/* A change of a network's definitions: the one that runs, the stored one, or both. The call has the lock. */

/* The definitions that flags of virNetworkUpdateFlags mean: those that become another one. FALSE, and the
 * call failed in libvirt's words, when the network has not what is meant. (borrowed) */
gboolean network_edit_which (Call *call, guint flags, NetworkDef **ret_live, NetworkDef **ret_config);

/* Both taken; NULL: not meant. @parts: what of the running network becomes another. Either both are as they
 * should be when @done answers the call, or the call is failed and both are as they were. */
void network_edit (Call *call, NetworkDef *live, NetworkDef *config, NetworkParts parts,
                   void (*done) (Call *call));
