/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "daemon/core/settings.h"
#include "network/network-def.h"

/*
 * The devices of the host that a network hands out, where its document names a physical function (<pf>) and
 * not each: its virtual functions, as interfaces, or with mode "hostdev" as PCI devices.
 */
#define NETWORK_POOL_MAX 4096 /* virtual functions of one card */

/* *ret_def: a copy of @def with them (transfer full), NULL where there is nothing to find. FALSE with @error,
 * in libvirt's words, when there are none. In a job's thread: reads /sys. */
gboolean
network_pool_fill (const Settings *settings, const NetworkDef *def, NetworkDef **ret_def, GError **error);
