/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "domain/devices/chardev.h"
#include "domain/devices/device-models.h"

typedef struct {
  Device device;
  Chardev source;
  int target;  /* SerialTarget */
  Number port; /* set by completion */
  int model;   /* SerialModel */
} DeviceSerial;

typedef struct {
  Device device;
  Chardev source;
  Number port; /* set by completion */
} DeviceParallel;

extern const DeviceKind serial_kind, parallel_kind;
extern const EnumTable serial_targets, serial_models;
