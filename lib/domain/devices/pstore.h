/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "domain/devices/device.h"

typedef struct {
  Device device;
  int backend; /* "acpi-erst" */
  char *path;  /* NULL: a file of the machine's own state, chosen by completion */
  Number size; /* KiB */
} DevicePstore;

extern const DeviceKind pstore_kind;
