/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "daemon/domain/domain.h"
#include "daemon/snapshot/snapshot-intent.h"

/*
 * Images that a running machine has open are merged by its block jobs, one disk after the other: a commit
 * into the image below, with a pivot where the machine writes to the upper one. Main loop only.
 *
 * Of what was cut short, jobs that are still there go on, and those that are over are not begun again:
 * whether an image has been merged is seen from the machine's disk.
 */
/* Told once. @error: QEMU's words, or that the machine has ended; the merges before it are marked. */
typedef void (*SnapshotMerged) (const GError *error, gpointer data);

/* Those of @merges that are the machine's (SnapshotMerge; they stay until @then is called, and are marked as
 * merged). Nobody but the caller holds @domain's lock until then. */
void snapshot_merge_live (Domain *domain, GPtrArray *merges, SnapshotMerged then, gpointer data);
