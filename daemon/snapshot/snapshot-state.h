/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "daemon/core/settings.h"
#include "domain/domain-def.h"

/*
 * What a machine keeps beside its disks: the firmware's variables, whatever their format, and the state of
 * its TPM. A snapshot has a copy of them in a directory of its own beside its document. In a job's thread;
 * while the machine runs its CPUs are to be stopped.
 */

/* Has it any? */
gboolean snapshot_state_is_needed (const DomainDef *def);
/* A copy, whole or not at all. @directory: that of the domain's snapshots. */
gboolean snapshot_state_keep (const char *directory, const char *name, const DomainDef *def,
                              const Settings *settings, GError **error);
/* They become what they were; what the snapshot has no copy of stays as it is. Of a machine that does not
 * run. */
gboolean snapshot_state_put_back (const char *directory, const char *name, const DomainDef *def,
                                  const Settings *settings, GError **error);
void snapshot_state_remove (const char *directory, const char *name);
