/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "daemon/drivers/qemu/attach.h"
#include "domain/devices/disk.h"

/* Put the medium of @updated, a device of @def, the live definition with it, in the place of @disk's; either
 * may have none. @force: also where the guest has locked the tray. FALSE: the drive is as it was. The note of
 * the change stays until the live definition that is on disk has it (attach_published). A job's thread. */
gboolean running_medium_change (Job *job, const Hotplug *plug, DomainDef *def, const DeviceDisk *disk,
                                DeviceDisk *updated, gboolean force, GError **error);

/* A change from @disk to @updated was cut short: make the drive whole with the one that QEMU has in it, the
 * old one if it has none, and take the other one away. @ret_changed: it is @updated. */
gboolean running_medium_settle (Job *job, const Hotplug *plug, const char *emulator, const DeviceDisk *disk,
                                const DeviceDisk *updated, gboolean *ret_changed, GError **error);
