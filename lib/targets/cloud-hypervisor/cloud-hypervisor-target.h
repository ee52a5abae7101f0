/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "targets/target.h"

#include <json-glib/json-glib.h>

/*
 * Cloud Hypervisor among the targets: the body of its vm.create, which is its whole config. The sockets
 * beside it are where the driver has them.
 */
#define CLOUD_HYPERVISOR_PROGRAM     "cloud-hypervisor"
#define CLOUD_HYPERVISOR_CONFIG_NAME "cloud-hypervisor.json"
#define CLOUD_HYPERVISOR_API_SOCKET \
  "cloud-hypervisor.sock" /* in the machine's run directory, like the next */
#define CLOUD_HYPERVISOR_VSOCK "vsock.sock"

extern const Target cloud_hypervisor_target;

/* "cpus", "memory" and "numa" of @object. */
void cloud_hypervisor_add_processors (JsonObject *object, const DomainDef *def, TargetLosses *losses);
void cloud_hypervisor_add_memory (JsonObject *object, const DomainDef *def, TargetLosses *losses);
/* Its devices. */
void cloud_hypervisor_add_disks (JsonObject *object, const DomainDef *def, TargetLosses *losses);
void cloud_hypervisor_add_devices (JsonObject *object, const TargetRequest *request, TargetConfig *config,
                                   TargetLosses *losses);
