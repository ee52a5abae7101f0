/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "domain/devices/device.h"

/* <redirfilter>: which USB devices a <redirdev> takes, the first rule that fits decides. What a rule leaves
 * out fits any. */
typedef struct {
  Number class_code, vendor, product;
  Number version; /* binary coded decimal: 2.56 is 0x0256 */
  int allow;      /* Tristate, yes/no */
} RedirfilterRule;

typedef struct {
  Device device;
  GPtrArray *rules; /* RedirfilterRule */
} DeviceRedirfilter;

extern const DeviceKind redirfilter_kind;
