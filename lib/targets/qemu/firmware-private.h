/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "targets/qemu/firmware.h"

/*
 * One firmware descriptor (QEMU's docs/interop/firmware.json), as far as it decides who gets the firmware.
 */
typedef enum {
  FIRMWARE_FLASH,     /* program and variables in two chips */
  FIRMWARE_STATELESS, /* a chip with the program, and no variables */
  FIRMWARE_COMBINED,  /* both in one writable chip: libvirt gives it to nobody */
  FIRMWARE_MEMORY,    /* a plain ROM */
} FirmwareMapping;

typedef struct {
  FirmwareMapping mapping;
  char *code, *code_format, *variables, *variables_format;
  GPtrArray *architectures, *machines; /* in step: libvirt's name, and one pattern of a machine each */
  gboolean bios, uefi;
  gboolean secure_boot, enrolled_keys, requires_smm;
  gboolean sleeps, hibernates; /* ACPI S3 and S4 */
} FirmwareDescriptor;

const GPtrArray *firmware_descriptors (const QemuFirmware *firmware);
gboolean
firmware_descriptor_is_for (const FirmwareDescriptor *descriptor, const char *arch, const char *machine);
