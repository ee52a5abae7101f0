/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "domain/devices/virtio.h"

typedef enum { CRYPTO_BACKEND_NONE, CRYPTO_BUILTIN, CRYPTO_LKCF } CryptoBackend;

typedef struct {
  Device device;
  int model, type, backend; /* "virtio", "qemu", CryptoBackend */
  Number queues;
  VirtioOptions virtio;
} DeviceCrypto;

extern const DeviceKind crypto_kind;
extern const EnumTable crypto_backends;
