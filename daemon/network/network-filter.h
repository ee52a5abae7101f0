/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "network/network-def.h"

/*
 * The rules of networks in the kernel: network-firewall.h says which, and each of these is one transaction.
 * Jobs' threads.
 */
gboolean network_filter_set (const NetworkDef *def, GError **error);
/* Nothing of the bridge of that name is left. @is_last: no other network is known to run, so that the table
 * may go as well, if none has come meanwhile. */
gboolean network_filter_clear (const char *bridge, gboolean is_last, GError **error);
/* Are all of them there? What cannot be asked is said to be. @recently: what was there a second ago will do,
 * for many networks that ask at once. */
gboolean network_filter_is_set (const NetworkDef *def, gboolean recently);
