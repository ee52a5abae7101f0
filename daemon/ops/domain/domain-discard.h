/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "daemon/call/call.h"

/* The domain of the call is removed to the trash, with its state unless @flags (VIR_DOMAIN_UNDEFINE_KEEP_...)
 * say otherwise; the answer is the entry's number. */
void domain_discard (Call *call, guint flags);
/* In a job: the snapshots and checkpoints that are on disk of it. (ChildFamily, transfer full) */
GPtrArray *domain_read_children (const Settings *settings, const char *uuid);
/* The definition of one that was discarded is on disk again, with all it had; @families: what was read of its
 * snapshots and checkpoints then. One that went on without a definition has them still. */
Domain *domain_commit_return (Manager *manager, DomainDef *def, const GPtrArray *families);
