/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "daemon/core/progress.h"

/*
 * Exports and imports under way, by a name that their client chose, so that it can ask how far its own is, or
 * give it up, while its call waits for the answer. Main loop only.
 */
#define TRANSFER_NAME_MAX 64 /* bytes */

/* FALSE with VIR_ERR_INVALID_ARG for a name that is empty, too long or taken. */
gboolean transfers_add (const char *name, Progress *progress, GError **error);
void transfers_remove (const char *name);
Progress *transfers_find (const char *name); /* (borrowed) NULL: there is none */
