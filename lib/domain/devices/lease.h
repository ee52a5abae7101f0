/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "domain/devices/device.h"

/* <lease>: a lock that the machine holds while it runs. The guest sees nothing of it. */
typedef struct {
  Device device;
  char *lockspace, *key, *path;
  Number offset; /* bytes into @path */
} DeviceLease;

extern const DeviceKind lease_kind;
