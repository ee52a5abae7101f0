/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "domain/devices/device.h"

typedef enum { SHMEM_IVSHMEM = 1, SHMEM_PLAIN, SHMEM_DOORBELL } ShmemModel;
typedef enum { SHMEM_ROLE_NONE, SHMEM_MASTER, SHMEM_PEER } ShmemRole;

typedef struct {
  Device device;
  char *name;
  int model, role;   /* ShmemModel, ShmemRole */
  Number size;       /* bytes; not set: QEMU's choice, or its server's */
  gboolean server;   /* there is a server that also passes interrupts on */
  char *server_path; /* its socket */
  gboolean msi;
  Number msi_vectors;
  int msi_ioeventfd; /* Tristate */
} DeviceShmem;

extern const DeviceKind shmem_kind;
extern const EnumTable shmem_models, shmem_roles;
