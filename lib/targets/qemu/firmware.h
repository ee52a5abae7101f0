/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "domain/domain-def.h"

/*
 * The firmware a host has for its machines, as descriptor files say it (QEMU's docs/interop/firmware.json):
 * in /usr/share/qemu/firmware, /etc/qemu/firmware, $XDG_CONFIG_HOME/qemu/firmware, in the order of their file
 * names, a later directory's file standing for an earlier one's of the same name. Immutable once loaded; any
 * thread.
 */
typedef struct QemuFirmware QemuFirmware;

#define FIRMWARE_MAX_FILES 100         /* descriptors; Debian has three */
#define FIRMWARE_MAX_BYTES (64 * 1024) /* of one */

/* @directories: NULL-terminated, later ones win; NULL: the usual ones. Broken descriptors are passed over.
 * Never NULL. */
QemuFirmware *qemu_firmware_load (const char *const *directories);
void qemu_firmware_free (QemuFirmware *firmware);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (QemuFirmware, qemu_firmware_free)

/*
 * What libvirt does to <os> when a machine is defined. Firmware asked for by <os firmware=>, or named by
 * <loader type='pflash'>, is looked for among the descriptors; of the first that fits (file names' order) all
 * is written down: executable, formats, template of the variables, the features it has, and SMM where it
 * needs that. Flash firmware gets its variable store NAME_VARS.fd (or .qcow2) in @variables_directory.
 *
 * @def: machine type and architecture are known, and what it says of firmware agrees with itself. Gives NULL,
 * or why nothing fits <os firmware=>; @def is then as it was. (transfer full)
 */
char *qemu_firmware_complete (const QemuFirmware *firmware, DomainDef *def, const char *variables_directory);
/* Executables fit for @machine: NULL-terminated paths, for the domain capabilities. (transfer container) */
const char **qemu_firmware_paths (const QemuFirmware *firmware, const char *arch, const char *machine);
/* Is any of them for Secure Boot? */
gboolean qemu_firmware_has_secure (const QemuFirmware *firmware, const char *arch, const char *machine);
