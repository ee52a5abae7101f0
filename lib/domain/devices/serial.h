/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "domain/devices/chardev.h"

typedef enum {
  SERIAL_NONE,
  SERIAL_ISA,
  SERIAL_USB,
  SERIAL_PCI,
  SERIAL_SPAPR_VIO,
  SERIAL_SYSTEM,
  SERIAL_SCLP,
  SERIAL_ISA_DEBUG
} SerialTarget;
typedef enum {
  SERIAL_MODEL_NONE,
  SERIAL_MODEL_ISA_SERIAL,
  SERIAL_MODEL_USB_SERIAL,
  SERIAL_MODEL_PCI_SERIAL,
  SERIAL_MODEL_SPAPR_VTY,
  SERIAL_MODEL_PL011,
  SERIAL_MODEL_SCLPCONSOLE,
  SERIAL_MODEL_SCLPLMCONSOLE,
  SERIAL_MODEL_16550A,
  SERIAL_MODEL_ISA_DEBUGCON
} SerialModel;

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
