/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * The table of the kinds of object. Each row lies in its kind's folder; of kinds that are not kept yet only
 * their names on the wires are known, here: lists of them are empty, and nothing is found.
 */
#include "daemon/domain/domain-kind.h"
#include "daemon/nwfilter/filters.h"
#include "daemon/secret/secrets.h"
#include "daemon/storage/pools.h"

static const ObjectKind network_kind = {
  .letter = 'N',
  .name = "network",
  .short_name = "network",
  .missing = VIR_ERR_NO_NETWORK,
  .origin = VIR_FROM_NETWORK,
  .family = EVENT_NETWORK,
  .path_element = "network",
  .lifecycle_signal = "NetworkEvent",
  .key = 1,
};

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

static const ObjectKind interface_kind = {
  .letter = 'I',
  .name = "interface",
  .short_name = "interface",
  .missing = VIR_ERR_NO_INTERFACE,
  .origin = VIR_FROM_INTERFACE,
  .path_element = "interface",
  .key = 1, /* its MAC address */
};

const ObjectKind *const object_kinds[] = {
  &domain_kind,    &network_kind, &filter_kind, &storage_pool_kind, &storage_volume_kind, &node_device_kind,
  &interface_kind, &secret_kind,  NULL,
};
