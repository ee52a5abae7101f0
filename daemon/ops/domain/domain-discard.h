/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "daemon/call/call.h"

/* The domain of the call is removed to the trash, with its state unless @flags (VIR_DOMAIN_UNDEFINE_KEEP_...)
 * say otherwise; the answer is the entry's number. */
void domain_discard (Call *call, guint flags);
/* The definition of one that was discarded is on disk again, with all it had. */
Domain *domain_commit_return (Manager *manager, DomainDef *def);
