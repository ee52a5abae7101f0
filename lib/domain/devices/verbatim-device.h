/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "domain/devices/device.h"

/*
 * The kinds of device that are kept and written back as they stand until a target can make them; a
 * translation refuses them by name.
 */
typedef struct {
  Device device;
  char *xml; /* the whole element */
} DeviceVerbatim;

extern const DeviceKind lease_kind, redirfilter_kind;

gboolean device_is_verbatim (const Device *device);
void verbatim_device_read (FieldReader *reader, Device *device, xmlNode *element);
