/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "domain/devices/chardev.h"

typedef enum {
  SMARTCARD_MODE_NONE,
  SMARTCARD_HOST,
  SMARTCARD_CERTIFICATES,
  SMARTCARD_PASSTHROUGH
} SmartcardMode;

#define SMARTCARD_CERTIFICATES_COUNT 3

typedef struct {
  Device device;
  int mode;                /* SmartcardMode */
  GPtrArray *certificates; /* names in the host's NSS database */
  char *database;          /* its directory */
  Chardev source;          /* passthrough: where the card is */
} DeviceSmartcard;

extern const DeviceKind smartcard_kind;
extern const EnumTable smartcard_modes;
