/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "domain/devices/chardev.h"
#include "domain/devices/virtio.h"

typedef enum { RNG_BACKEND_NONE, RNG_BACKEND_RANDOM, RNG_BACKEND_EGD, RNG_BACKEND_BUILTIN } RngBackend;

typedef struct {
  Device device;
  int model;                      /* VirtioModel */
  Number rate_bytes, rate_period; /* bytes per period; period in milliseconds */
  int backend;                    /* RngBackend */
  char *path;                     /* random: a file, completion's choice when not said */
  int egd_type;                   /* ChardevType, egd */
  GPtrArray *egd_sources;         /* ChardevSource */
  int egd_protocol;               /* ChardevProtocol */
  char *egd_log_file;
  int egd_log_append; /* Tristate, on/off */
  VirtioOptions virtio;
} DeviceRng;

extern const DeviceKind rng_kind;
extern const EnumTable rng_backends;
