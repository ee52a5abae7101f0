/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "domain/devices/interface.h"

/*
 * Limits of a tap's traffic, by the kernel's traffic control. As the machine sees it: @inbound is what it
 * receives, so what the host sends. NULL: no limit; what was there before goes.
 */
gboolean
traffic_set (const char *name, const InterfaceRate *inbound, const InterfaceRate *outbound, GError **error);
