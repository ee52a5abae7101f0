/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "domain/devices/device-models.h"
#include "domain/devices/device.h"

typedef struct {
  Device device;
  int model; /* PanicModel */
} DevicePanic;

extern const DeviceKind panic_kind;
extern const EnumTable panic_models;
