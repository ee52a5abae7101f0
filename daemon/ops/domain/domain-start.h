/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "daemon/ops/ops.h"
#include "daemon/drivers/qemu/restore.h"

/* Ways to a start that do not begin with a stored definition. Both answer the call when the machine runs.
 * @flags: VIR_DOMAIN_START_PAUSED, _RESET_NVRAM, _AUTODESTROY; others mean nothing here. */

/* The call holds its domain's turn. @restore (taken, may be NULL): the state to start from. */
void start_from (Call *call, DomainDef *def, Restore *restore, guint flags);
/* The domain of that name and UUID, or a new, transient one. @def is referenced, @messages (char *) and
 * @restore are taken, both may be NULL. */
void start_definition (Call *call, DomainDef *def, GPtrArray *messages, Restore *restore, guint flags);
