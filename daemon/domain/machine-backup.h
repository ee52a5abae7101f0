/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "daemon/domain/machine.h"
#include "daemon/drivers/qemu/backup.h"

/*
 * A running machine's backup job as the domain sees it: at most one, its progress is the domain's, and its
 * end is told in events. Main loop only.
 */

/* It may take long, and must not meet what else may: VIR_ERR_OPERATION_TIMEOUT in libvirt's words while a
 * backup runs. TRUE while the machine is off. */
gboolean domain_check_no_backup (const Domain *domain, GError **error);
/* Is the disk of that target being copied? */
gboolean machine_backup_has_disk (const Machine *machine, const char *target);
/* The document of the one that runs; NULL: none does. (borrowed) */
const BackupDef *machine_backup_def (const Machine *machine);

/* Begin one. @call, which has the domain's lock, is answered when it has begun. Takes @def and @checkpoint
 * (or NULL), both completed. @reuse: see BackupRequest. */
void machine_backup_begin (Call *call, BackupDef *def, CheckpointDef *checkpoint, gboolean reuse);
/* One that an earlier daemon has written down; takes @record. */
void machine_backup_found (Machine *machine, BackupRecord *record);
/* The machine has ended. */
void machine_backup_end (Machine *machine);
