/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "daemon/call/call.h"
#include "daemon/storage/scan.h"

/*
 * The registry of storage pools and what is known of each: main loop only. Whatever touches a disk is a job.
 * A pool has either one job of its own (start, refresh, delete...: exclusive) or any number about its volumes
 * (shared); its volumes are what the last scan and the jobs since then have seen.
 */
typedef struct StoragePools StoragePools;
typedef struct StoragePool StoragePool;

#define STORAGE_WAITING_MAX 256 /* calls that wait for one pool */

struct StoragePool {
  Manager *manager;
  StoragePoolDef *def;  /* the one in use; its sizes are those last seen */
  StoragePoolDef *next; /* in use after the next stop; NULL: the same */
  gboolean active, persistent, autostart;
  GPtrArray *volumes; /* StorageVolumeDef, ordered by name; empty while inactive */
  GHashTable *in_use; /* names of volumes that are made, changed or read now → how often */
  gboolean exclusive; /* its own job runs */
  guint shared;       /* jobs about its volumes */
  guint looking;      /* jobs that only look: see storage_volume_look */
  GQueue waiting;
};

StoragePools *storage_pools_new (void);
void storage_pools_free (StoragePools *pools);
/* load.c: everything on disk: those that were active, and at the host's start those marked for it, are
 * started. Runs the main loop for a moment: before anybody is served. */
void storage_pools_load (Manager *manager);

/* NULL with VIR_ERR_NO_STORAGE_POOL in libvirt's words. */
StoragePool *storage_pool_find_name (Manager *manager, const char *name, GError **error);
StoragePool *storage_pool_find_uuid (Manager *manager, const char *uuid, GError **error);
/* All, ordered by name. (transfer container) */
GPtrArray *storage_pool_list (Manager *manager);
/* May @def be defined, or (@active) started as it is? VIR_ERR_OPERATION_FAILED in libvirt's words when its
 * name, UUID or directory is another pool's. @ret_pool: the pool of that name and UUID, or NULL. */
gboolean storage_pools_check (Manager *manager, const StoragePoolDef *def, gboolean active,
                              StoragePool **ret_pool, GError **error);
/* Takes @def. Neither active nor persistent yet. */
StoragePool *storage_pool_add (Manager *manager, StoragePoolDef *def);
/* Forgets a pool that is neither, and answers who waits for it. */
void storage_pool_remove (StoragePool *pool);

/* FALSE and VIR_ERR_OPERATION_INVALID, in libvirt's words, unless it is active. */
gboolean storage_pool_check_active (const StoragePool *pool, GError **error);
gboolean storage_pool_check_inactive (const StoragePool *pool, GError **error);
/* What a scan saw: the pool is active with it. Takes @scan's volumes, if it has looked for them. */
void storage_pool_commit_scan (StoragePool *pool, StorageScan *scan);
/* It is active now, or no longer: told of, and remembered. A transient pool that stops is forgotten (and
 * freed). */
void storage_pool_started (StoragePool *pool);
void storage_pool_stopped (StoragePool *pool);
/* It was to be active and cannot: it is what it was before, or forgotten (and freed) when it was nothing. */
void storage_pool_start_failed (StoragePool *pool);
void storage_pool_event (const StoragePool *pool, int event);

/* Volumes of an active pool. NULL with VIR_ERR_NO_STORAGE_VOL. */
StorageVolumeDef *storage_pool_find_volume (const StoragePool *pool, const char *name, GError **error);
/* Among all active pools, by its path, which is its key; NULL: none has it. */
StorageVolumeDef *storage_volume_find_path (Manager *manager, const char *path, StoragePool **ret_pool);
/* Takes @volume; replaces the one of its name. */
void storage_pool_put_volume (StoragePool *pool, StorageVolumeDef *volume);
void storage_pool_drop_volume (StoragePool *pool, const char *name);
/* Made, changed or read by a job. */
void storage_volume_use (StoragePool *pool, const char *name);
void storage_volume_release (StoragePool *pool, const char *name);
gboolean storage_volume_is_used (const StoragePool *pool, const char *name);

/*
 * pool-lock.c: @begin runs when the pool is free for it, perhaps at once, and must check again what it needs
 * to be true. Its turn ends with storage_pool_*_done. An exclusive turn is refused while volumes are worked
 * on, as libvirt refuses it. A turn that never comes answers the call.
 */
typedef void (*StorageTurn) (StoragePool *pool, Call *call);
void storage_pool_exclusive (StoragePool *pool, Call *call, StorageTurn begin);
void storage_pool_shared (StoragePool *pool, Call *call, StorageTurn begin);
void storage_pool_exclusive_done (Manager *manager, const char *uuid); /* the pool may be gone by then */
void storage_pool_shared_done (StoragePool *pool);
void storage_pool_fail_waiting (StoragePool *pool);

/*
 * pool.c: what is done with a pool as a whole. Each has the exclusive turn when it begins, gives it back and
 * answers the call. Flags have been checked, states are checked here.
 */
/* Starts it, @flags as virStoragePoolCreateFlags; the answer is @answer (NULL: nothing). Without a call the
 * outcome is logged. A pool that is not persistent and cannot start is forgotten. */
void storage_pool_start (StoragePool *pool, Call *call, guint flags, GVariant *answer);
void storage_pool_build (StoragePool *pool, Call *call);
void storage_pool_refresh (StoragePool *pool, Call *call);
void storage_pool_destroy (StoragePool *pool, Call *call);
void storage_pool_delete (StoragePool *pool, Call *call);
