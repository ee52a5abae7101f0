/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "daemon/core/settings.h"
#include "storage/storage-pool.h"

/*
 * Pools on disk: storage/NAME.xml below the configuration for those that are defined, a link beside it in
 * storage/autostart for those that start by themselves, and storage/NAME.xml below the run directory for
 * those that are active, so that a daemon that comes back finds them active.
 */

/* Durable: written aside, fsynced, renamed. In a job. */
gboolean pool_files_save (const Settings *settings, const char *name, const char *xml, GError **error);
gboolean pool_files_remove (const Settings *settings, const char *name, GError **error);
gboolean
pool_files_set_autostart (const Settings *settings, const char *name, gboolean autostart, GError **error);

/* That it is active (@xml) or no longer (NULL). Not for longer than the host runs; what goes wrong is logged.
 */
void pool_files_save_status (const Settings *settings, const char *name, const char *xml);

typedef struct {
  StoragePoolDef *def;    /* defined, or NULL */
  StoragePoolDef *active; /* as it was active, or NULL */
  gboolean autostart;
} PoolFiles;

/* Of every pool that is on disk, by name. Broken files are logged and skipped. (transfer full) */
GHashTable *pool_files_load (const Settings *settings);
