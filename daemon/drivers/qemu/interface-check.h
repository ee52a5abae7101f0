/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "base/virt-error.h"
#include "domain/devices/interface.h"

/* What can be told of a card's end on the host before it is made. Jobs' threads. */

/* Does its document ask for what can be made here? Every start looks. */
gboolean interface_check_document (const DeviceInterface *interface, GError **error);
/* The part of it that is about its filter: for one that is changed. */
gboolean interface_check_filter (const DeviceInterface *interface, GError **error);
/* And does the host have what it needs: its bridge, the link below it, a name that is free, the kernel's
 * devices, programs? A start finds that out by making it. */
gboolean interface_check_host (const DeviceInterface *interface, GError **error);
