/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * The table of the kinds of object. Each row lies in its kind's folder; of kinds that are not kept yet only
 * their names on the wires are known, here: lists of them are empty, and nothing is found.
 */
#include "daemon/domain/domain-kind.h"
#include "daemon/interface/host-interfaces.h"
#include "daemon/network/networks.h"
#include "daemon/nwfilter/filters.h"
#include "daemon/secret/secrets.h"
#include "daemon/snapshot/checkpoint-kind.h"
#include "daemon/snapshot/snapshot-kind.h"
#include "daemon/storage/pools.h"

static const ObjectKind node_device_kind = {
  .letter = 'E',
  .name = "node device",
  .short_name = "node device",
  .missing = VIR_ERR_NO_NODE_DEVICE,
  .origin = VIR_FROM_NODEDEV,
  .family = EVENT_NODE_DEVICE,
  .path_element = "nodedev",
  .lifecycle_signal = "NodeDeviceEvent",
  .key = 0,
};

const ObjectKind *const object_kinds[] = {
  &domain_kind,       &network_kind,        &network_port_kind, &filter_kind,
  &storage_pool_kind, &storage_volume_kind, &node_device_kind,  &host_interface_kind,
  &secret_kind,       &snapshot_kind,       &checkpoint_kind,   NULL,
};
