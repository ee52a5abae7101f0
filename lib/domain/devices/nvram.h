/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "domain/devices/device.h"

typedef struct {
  Device device;
} DeviceNvram;

extern const DeviceKind nvram_kind;
