/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "daemon/drivers/qemu/probe.h"
#include "daemon/drivers/qemu/qmp.h"
#include "domain/domain-def.h"

/*
 * Snapshots that QEMU keeps inside of disks, with the memory of its machine: "snapshot-save", "snapshot-load"
 * or "snapshot-delete" of the snapshot @tag of the disks of @def with these targets (char *). The CPUs are
 * stopped by the caller. A job's thread; each question has @patience seconds, and the transfer as long as it
 * takes.
 */
gboolean snapshot_job_run (Job *job, Qmp *qmp, CapsCache *caps, guint patience, const char *command,
                           const char *tag, const DomainDef *def, const GPtrArray *targets, GError **error);
