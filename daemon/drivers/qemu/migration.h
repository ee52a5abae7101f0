/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "daemon/core/progress.h"
#include "daemon/drivers/qemu/qmp.h"

/*
 * A machine's state out of QEMU into a file, and back. Job's thread. A transfer has no deadline of its own (a
 * terabyte takes its time), but each answer of QEMU's has: @patience seconds. @progress is told, and asked
 * whether it is to be given up (VIR_ERR_OPERATION_ABORTED then).
 */

/* Can its state be written at all? FALSE and VIR_ERR_OPERATION_INVALID with QEMU's reasons when a device has
 * none, or one that only this host has. To be asked before anything is stopped. */
gboolean migration_check (Qmp *qmp, Job *job, GError **error);
/* Out, into @fd (borrowed) from its offset on. The CPUs must be stopped. When it fails QEMU has let go of the
 * file, and the machine can run on. */
gboolean migration_write (Qmp *qmp, Job *job, int fd, Progress *progress, guint patience, GError **error);
/* In, from @fd (borrowed): QEMU was started with "-incoming defer". When it fails QEMU ends. */
gboolean migration_read (Qmp *qmp, Job *job, int fd, Progress *progress, guint patience, GError **error);
/* No transfer runs any more when this returns TRUE; nothing happens where there was none. */
gboolean migration_stop (Qmp *qmp, Job *job, guint patience, GError **error);

/* What migrations between hosts are made of as well. */
/* "completed", "failed", "cancelled", "active"...; "none" when there never was one. @progress and @ret_reason
 * (the first reason QEMU has told; transfer full) may be NULL. (transfer full) */
char *migration_ask (Qmp *qmp, Job *job, Progress *progress, char **ret_reason, GError **error);
gboolean migration_is_over (const char *status);
/* TRUE with VIR_ERR_OPERATION_ABORTED. */
gboolean migration_was_given_up (Progress *progress, GError **error);
/* ms until the next question: after a pause of so many, 0 for the first one. */
guint migration_next_pause (guint pause);

/* A descriptor QEMU knows by @name from now on. */
gboolean give_descriptor (Qmp *qmp, Job *job, int fd, const char *name, GError **error);
