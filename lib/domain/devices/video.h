/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "domain/devices/device.h"
#include "domain/devices/virtio.h"

typedef enum {
  VIDEO_NONE,
  VIDEO_VGA,
  VIDEO_CIRRUS,
  VIDEO_VMVGA,
  VIDEO_XEN,
  VIDEO_VBOX,
  VIDEO_QXL,
  VIDEO_PARALLELS,
  VIDEO_VIRTIO,
  VIDEO_GOP,
  VIDEO_MODEL_DISABLED /* "none" */,
  VIDEO_BOCHS,
  VIDEO_RAMFB
} VideoModel;
typedef enum { VIDEO_BACKEND_NONE, VIDEO_BACKEND_QEMU, VIDEO_BACKEND_VHOST_USER } VideoBackend;

typedef struct {
  Device device;
  VirtioOptions virtio;
  int backend;                      /* VideoBackend: driver/@name */
  int vgaconf;                      /* 1 io 2 on 3 off */
  int model;                        /* VideoModel */
  Number ram, vram, vram64, vgamem; /* KiB */
  Number heads;
  int primary;          /* Tristate */
  int blob;             /* Tristate, on/off */
  int accel2d, accel3d; /* Tristate */
  char *rendernode;
  Number resolution_x, resolution_y;
} DeviceVideo;

extern const DeviceKind video_kind;
extern const EnumTable video_models;
