/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "domain/devices/device.h"
#include "domain/devices/virtio.h"

typedef enum {
  INPUT_NONE,
  INPUT_MOUSE,
  INPUT_TABLET,
  INPUT_KEYBOARD,
  INPUT_PASSTHROUGH,
  INPUT_EVDEV
} InputType;
typedef enum {
  INPUT_BUS_NONE,
  INPUT_BUS_PS2,
  INPUT_BUS_USB,
  INPUT_BUS_XEN,
  INPUT_BUS_PARALLELS,
  INPUT_BUS_VIRTIO
} InputBus;

typedef struct {
  Device device;
  int type;              /* InputType */
  int bus;               /* InputBus; evdev has none */
  int model;             /* VirtioModel */
  gboolean bus_was_open; /* the document left it open: libvirt adds the chipset's own of that type too */
  VirtioOptions virtio;
  char *evdev;      /* passthrough: source/@evdev */
  char *source_dev; /* evdev: source/@dev */
  int grab;         /* 1 all */
  int grab_toggle;  /* see input.c */
  int repeat;       /* Tristate, on/off */
} DeviceInput;

extern const DeviceKind input_kind;
extern const EnumTable input_types, input_buses, input_grab_toggles;
