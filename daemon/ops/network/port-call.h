/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "daemon/network/networks.h"

/* The port that the call is about and its network; NULL, and the call failed, when one of them is not there.
 * (borrowed) */
NetworkPortDef *call_network_port (Call *call, Network **ret_network);
