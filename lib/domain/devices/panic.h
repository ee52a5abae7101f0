/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "domain/devices/device.h"

typedef enum { PANIC_NONE, PANIC_ISA, PANIC_PSERIES, PANIC_HYPERV, PANIC_S390, PANIC_PVPANIC } PanicModel;

typedef struct {
  Device device;
  int model; /* PanicModel */
} DevicePanic;

extern const DeviceKind panic_kind;
extern const EnumTable panic_models;
