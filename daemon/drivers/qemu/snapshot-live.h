/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "daemon/drivers/qemu/attach.h"

/* Disks of a running QEMU that go on in new images. Conversations of a job's thread. */

/* New images, made already, are opened: disks of @def, a copy of the live definition that nobody else has,
 * with the new images in it. Nothing is below them yet. What is chosen (source_index) is set in them. On an
 * error none is open. */
typedef struct SnapshotOverlays SnapshotOverlays;
SnapshotOverlays *snapshot_overlays_open (Job *job, const Hotplug *plug, DomainDef *def,
                                          const GPtrArray *targets, GError **error);
/* All disks go on in them, or none does. @live: as QEMU has them now. */
gboolean snapshot_overlays_switch (SnapshotOverlays *overlays, const DomainDef *live, GError **error);
/* Closed again, unless they were switched to. */
void snapshot_overlays_free (SnapshotOverlays *overlays);

/* The number of the image each of the disks has (in the order of @targets; 0: none that has a number). */
GArray *snapshot_live_images (Job *job, const Hotplug *plug, const DomainDef *def, const GPtrArray *targets,
                              GError **error);
