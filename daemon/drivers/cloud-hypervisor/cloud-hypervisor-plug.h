/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "daemon/drivers/driver.h"

#include <json-glib/json-glib.h>

/* What comes and goes in a machine of Cloud Hypervisor, and what it counts: functions of its Driver. */
#define CLOUD_HYPERVISOR_API "/api/v1/"

/* The daemon has given the taps their addresses, and the hypervisor has no right to. */
void cloud_hypervisor_forget_addresses (JsonObject *config);

gboolean cloud_hypervisor_can_plug (const Driver *driver, const Device *device, GError **error);
gboolean
cloud_hypervisor_plug (const DriverMachine *machine, Job *job, const DomainDef *def, const Device *device,
                       const char *text, const Settings *settings, GError **error);
gboolean
cloud_hypervisor_unplug (const DriverMachine *machine, Job *job, const Device *device, GError **error);
gboolean
cloud_hypervisor_list_devices (const DriverMachine *machine, Job *job, GHashTable *ids, GError **error);
const char *cloud_hypervisor_device_id (const Device *device);
gboolean
cloud_hypervisor_count_disks (const DriverMachine *machine, Job *job, GHashTable *counters, GError **error);
