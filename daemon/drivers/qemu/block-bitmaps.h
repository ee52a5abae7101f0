/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "daemon/drivers/qemu/attach.h"
#include "domain/devices/disk.h"

/*
 * What becomes of the bitmaps of checkpoints when a disk's images change: what was noted is never lost, and
 * where it cannot be kept the checkpoint's bitmap is missing, which a backup refuses. A job's thread; @disk
 * is of @def, the live definition as it is before the change.
 */

/* Images below the topmost will go: what they have noted is noted in the topmost. */
gboolean block_bitmaps_gather (Job *job, const Hotplug *plug, const DomainDef *def, const DeviceDisk *disk,
                               GError **error);
/* The topmost image will be written into that of index @base, which is open for writing and takes its place.
 */
gboolean block_bitmaps_commit (Job *job, const Hotplug *plug, const DomainDef *def, const DeviceDisk *disk,
                               guint64 base, GError **error);
/* @mirror, a copy of the disk whose writes are held, takes its place. */
gboolean block_bitmaps_copy (Job *job, const Hotplug *plug, const DomainDef *def, const DeviceDisk *disk,
                             const DeviceDisk *mirror, GError **error);
