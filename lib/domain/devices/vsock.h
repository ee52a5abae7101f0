/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "domain/devices/virtio.h"

/* The first number a guest can have; those before it are the host's. */
#define VSOCK_FIRST_CID 3

typedef struct {
  Device device;
  int model;    /* VirtioModel */
  int auto_cid; /* Tristate: its number is chosen when the machine starts */
  Number cid;
  VirtioOptions virtio;
} DeviceVsock;

extern const DeviceKind vsock_kind;
