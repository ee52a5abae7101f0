/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "daemon/helper/helper.h"
#include "domain/devices/filesystem.h"
#include "domain/domain-def.h"

/* The directories that a machine has by virtiofs: virtiofsd beside it, one for each. */

/* In the start's job: starts those that the devices of @def need, and adds them to @helpers (Helper).
 * @directory: the machine's run directory; @qemu_directory: where QEMU's sockets are. */
gboolean virtiofs_start (const DomainDef *def, const Account *account, const char *directory,
                         const char *qemu_directory, GPtrArray *helpers, Job *job, GError **error);

/* Could that one be shared: its directory, virtiofsd, what is asked of it? */
gboolean virtiofs_check (const DeviceFilesystem *filesystem, GError **error);
/* One of them; does it have one at all, and its name. (transfer full) */
Helper *virtiofs_start_device (const DeviceFilesystem *filesystem, const Account *account,
                               const char *directory, const char *qemu_directory, Job *job, GError **error);
gboolean virtiofs_is_needed (const DeviceFilesystem *filesystem);
char *virtiofs_helper_name (const Device *device);
