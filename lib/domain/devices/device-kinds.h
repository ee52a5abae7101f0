/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "domain/devices/device.h"

/* All kinds, in the order libvirt writes devices; NULL ends it. */
extern const DeviceKind *const device_kinds[];
const DeviceKind *device_kind_by_element (const char *element);
