/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "domain/devices/interface.h"

/*
 * Ports of Open vSwitch bridges, by its own tool, which has a deadline of OPENVSWITCH_SECONDS. Jobs' threads.
 */
#define OPENVSWITCH_TOOL    "ovs-vsctl"
#define OPENVSWITCH_SECONDS 5 /* the tool's own deadline */

gboolean openvswitch_add_port (const char *bridge, const char *name, const DeviceInterface *interface,
                               const char *uuid, GError **error);
/* One that is gone already is no error. */
gboolean openvswitch_remove_port (const char *name, GError **error);
