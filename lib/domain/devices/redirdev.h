/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "domain/devices/chardev.h"

typedef enum { REDIRDEV_BUS_NONE, REDIRDEV_BUS_USB } RedirdevBus;

typedef struct {
  Device device;
  int bus; /* RedirdevBus */
  Chardev source;
} DeviceRedirdev;

extern const DeviceKind redirdev_kind;
