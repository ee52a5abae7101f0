/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "daemon/core/settings.h"
#include "storage/storage-pool.h"

/* storage/NAME.xml below the run directory for each pool that is active, so that a daemon that comes back
 * finds it active. */

/* In a job's thread. That @def's pool is active: written before it is, so that a success stays true after a
 * restart of the daemon. FALSE with @error: there is no such file, or the one before. */
gboolean pool_files_save_status (const Settings *settings, const StoragePoolDef *def, GError **error);
/* In a job's thread. That it is active no longer. FALSE with @error: the file is still there. */
gboolean pool_files_remove_status (const Settings *settings, const char *name, GError **error);
/* StoragePoolDef of every pool that was active, as it was. Broken files are logged and skipped. (transfer
 * full) */
GPtrArray *pool_files_load (const Settings *settings);
