/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "model/domain.h"

/*
 * The firmware a host has for its machines, as descriptor files say it (QEMU's docs/interop/firmware.json):
 * in /usr/share/qemu/firmware, /etc/qemu/firmware, $XDG_CONFIG_HOME/qemu/firmware, in the order of their file
 * names, a later directory's file standing for an earlier one's of the same name. Immutable once loaded; any
 * thread.
 */
typedef struct QemuFirmware QemuFirmware;

/* What one machine gets. Strings belong to the QemuFirmware, or to the definition. */
typedef struct {
  const char *code;        /* the read-only executable */
  const char *code_format; /* "raw" */
  const char *variables;   /* the template of its variable store; NULL: it has none */
  const char *variables_format;
  gboolean secure; /* needs SMM */
} FirmwareChoice;

#define FIRMWARE_MAX_FILES 100         /* descriptors; Debian has three */
#define FIRMWARE_MAX_BYTES (64 * 1024) /* of one */

/* @directories: NULL-terminated, later ones win; NULL: the usual ones. Broken descriptors are passed over.
 * Never NULL. */
QemuFirmware *qemu_firmware_load (const char *const *directories);
void qemu_firmware_free (QemuFirmware *firmware);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (QemuFirmware, qemu_firmware_free)

/* The first that fits <os firmware='efi'>, its features, <loader secure=> and the machine; FALSE: none. */
gboolean qemu_firmware_choose (const QemuFirmware *firmware, const DomainDef *def, FirmwareChoice *ret);
/* The descriptor whose executable is @path, for <loader> with no <nvram template=>; FALSE: none. */
gboolean qemu_firmware_find (const QemuFirmware *firmware, const char *path, FirmwareChoice *ret);
/* Executables fit for @machine: NULL-terminated paths, for the domain capabilities. (transfer container) */
const char **qemu_firmware_paths (const QemuFirmware *firmware, const char *arch, const char *machine);
/* Is any of them for Secure Boot? */
gboolean qemu_firmware_has_secure (const QemuFirmware *firmware, const char *arch, const char *machine);
