/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "daemon/core/settings.h"
#include "storage/storage-pool.h"

/* storage/NAME.xml below the run directory for each pool that is active, so that a daemon that comes back
 * finds it active. */

/* That it is active (@xml) or no longer (NULL). Not for longer than the host runs; what goes wrong is logged.
 */
void pool_files_save_status (const Settings *settings, const char *name, const char *xml);
/* StoragePoolDef of every pool that was active, as it was. Broken files are logged and skipped. (transfer
 * full) */
GPtrArray *pool_files_load (const Settings *settings);
