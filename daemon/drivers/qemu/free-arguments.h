/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "daemon/host/account.h"
#include "domain/domain-def.h"

/*
 * What a document's own words for QEMU's command line name on the host. QEMU opens it itself, as its account
 * and confined: whether it can is found out before the start, so that the refusal says what would help.
 */
#define FREE_PATHS_MAX 256 /* that one machine's words may name */

/* The absolute paths in <qemu:commandline>. (transfer full), NULL-terminated */
GStrv free_argument_paths (const DomainDef *def);
/* FALSE: @account cannot open one of them that exists. Adds to @groups, of which there are *@count and room
 * for
 * @room, those through which it can use device nodes. In a job; a file that cannot be looked at is left
 * behind with it. */
gboolean free_arguments_check (const DomainDef *def, const Account *account, gid_t *groups, guint *count,
                               guint room, GError **error);
