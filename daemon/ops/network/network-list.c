/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The old lists of networks, in two calls: how many, and their names. */
#include "daemon/network/networks.h"
#include "daemon/ops/object/object-list.h"
#include "daemon/ops/ops.h"

void
op_connect_num_of_networks (Call *call)
{
  object_answer_count (call, &network_kind, VIR_CONNECT_LIST_NETWORKS_ACTIVE);
}

void
op_connect_num_of_defined_networks (Call *call)
{
  object_answer_count (call, &network_kind, VIR_CONNECT_LIST_NETWORKS_INACTIVE);
}

void
op_connect_list_networks (Call *call)
{
  object_answer_names (call, &network_kind, VIR_CONNECT_LIST_NETWORKS_ACTIVE);
}

void
op_connect_list_defined_networks (Call *call)
{
  object_answer_names (call, &network_kind, VIR_CONNECT_LIST_NETWORKS_INACTIVE);
}
