/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "domain/devices/device.h"
#include "domain/devices/virtio.h"

typedef enum {
  BALLOON_UNSET,
  BALLOON_VIRTIO,
  BALLOON_XEN,
  BALLOON_NONE,
  BALLOON_VIRTIO_TRANSITIONAL,
  BALLOON_VIRTIO_NON_TRANSITIONAL
} BalloonModel;

typedef struct {
  Device device;
  int model;                            /* BalloonModel */
  int autodeflate, free_page_reporting; /* Tristate, on/off */
  Number stats_period;                  /* seconds */
  VirtioOptions virtio;
} DeviceMemballoon;

extern const DeviceKind memballoon_kind;
extern const EnumTable balloon_models;
