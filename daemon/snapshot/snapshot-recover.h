/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "daemon/drivers/qemu/attach.h"
#include "daemon/snapshot/snapshot-merge.h"

/*
 * What a daemon that was killed had written down and not ended. In a job's thread, before anybody else does
 * anything with the domain; what cannot be ended stays written down, and is said in the log.
 */

/* Is anything written down of the domain's snapshots? */
gboolean snapshot_recovery_is_needed (const Settings *settings, const char *uuid);
/* Of a domain whose machine does not run; its definitions are not in memory yet. */
void snapshot_recover (const SnapshotPlace *place);
/* Of one that runs; @live: its definition. The live definition as it is after all (transfer full), or NULL:
 * it stays. Set (transfer full) is @ret_deletion, which is NULL before, where images are still to be merged
 * by the machine (snapshot-merge-live.h), and the rest is to be done then. */
DomainDef *snapshot_recover_running (Job *job, const SnapshotPlace *place, const Hotplug *plug,
                                     guint patience, DomainDef *live, SnapshotDelete **ret_deletion);
