/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "domain/devices/device.h"

typedef enum {
  WATCHDOG_NONE,
  WATCHDOG_I6300ESB,
  WATCHDOG_IB700,
  WATCHDOG_DIAG288,
  WATCHDOG_ITCO
} WatchdogModel;
typedef enum {
  WATCHDOG_ACTION_UNSET,
  WATCHDOG_ACTION_RESET,
  WATCHDOG_ACTION_SHUTDOWN,
  WATCHDOG_ACTION_POWEROFF,
  WATCHDOG_ACTION_PAUSE,
  WATCHDOG_ACTION_DUMP,
  WATCHDOG_ACTION_NONE,
  WATCHDOG_ACTION_INJECT_NMI
} WatchdogAction;

typedef struct {
  Device device;
  int model;  /* WatchdogModel */
  int action; /* WatchdogAction */
} DeviceWatchdog;

extern const DeviceKind watchdog_kind;
extern const EnumTable watchdog_models, watchdog_actions;
