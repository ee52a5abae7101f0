/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "daemon/drivers/qemu/start.h"
#include "daemon/ops/ops.h"

/* A start that does not begin with a stored definition: the domain of that name and UUID, or a new, transient
 * one. Answers the call when the machine runs. @def is referenced, @messages (char *) and @restore (the state
 * to start from) are taken, both may be NULL. @flags: VIR_DOMAIN_START_PAUSED, _RESET_NVRAM, _AUTODESTROY;
 * others mean nothing here. */
void start_definition (Call *call, DomainDef *def, GPtrArray *messages, Restore *restore, guint flags);
/* The same for the call's domain, whose lock the call has: a snapshot is gone back to. @restore NULL: afresh.
 */
void start_from_snapshot (Call *call, DomainDef *def, Restore *restore, gboolean paused);

/* A start's job: disks that are volumes become files first, cards on networks what their ports are plugged
 * into. */
StartedMachine *start_translated (Job *job, Manager *manager, StartRequest *request, GError **error);
/* Fails the call. A start that failed leaves nothing: a transient domain is forgotten. @domain may be NULL.
 */
void start_failed (Call *call, Domain *domain, const GError *error);
