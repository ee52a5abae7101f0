/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "daemon/core/job.h"
#include "daemon/helper/helper.h"
#include "domain/domain-def.h"

/*
 * The helper for persistent SCSI reservations, where a disk of the machine has <reservations managed='yes'/>:
 * one for all of its disks. In a job; what was started is added to @helpers (Helper). @directory: the
 * machine's run directory; @qemu_directory: where QEMU's sockets are.
 */
#define PR_HELPER_NAME "pr-helper0"

/* Is it installed, where @def needs it? */
gboolean pr_helper_check (const DomainDef *def, GError **error);
gboolean pr_helper_start (const DomainDef *def, const Account *account, const char *directory,
                          const char *qemu_directory, GPtrArray *helpers, Job *job, GError **error);
