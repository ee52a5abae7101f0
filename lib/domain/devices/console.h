/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "domain/devices/chardev.h"

typedef enum {
  CONSOLE_NONE,
  CONSOLE_SERIAL,
  CONSOLE_XEN,
  CONSOLE_UML,
  CONSOLE_VIRTIO,
  CONSOLE_LXC,
  CONSOLE_OPENVZ,
  CONSOLE_SCLP,
  CONSOLE_SCLPLM
} ConsoleTarget;

/* A console with target serial is the first serial device seen from the other side: it has no hardware of its
 * own. */
typedef struct {
  Device device;
  Chardev source;
  int target;  /* ConsoleTarget */
  Number port; /* set by completion */
} DeviceConsole;

extern const DeviceKind console_kind;
extern const EnumTable console_targets;
