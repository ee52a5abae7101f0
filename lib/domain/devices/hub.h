/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "domain/devices/device.h"

typedef enum { HUB_NONE, HUB_USB } HubType;

#define USB_HUB_PORTS 8 /* QEMU's usb-hub */

typedef struct {
  Device device;
  int type; /* HubType */
} DeviceHub;

extern const DeviceKind hub_kind;
