/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "daemon/call/call.h"
#include "daemon/object/registry.h"
#include "daemon/storage/scan.h"

/*
 * Storage pools and what is known of each: main loop only. Whatever touches a disk is a job. A pool has
 * either one job of its own (start, refresh, delete...: its lock is held) or any number about its volumes (it
 * is shared); its volumes are what the last scan and the jobs since then have seen.
 */
typedef struct StoragePool StoragePool;

extern const ObjectKind storage_pool_kind, storage_volume_kind;

struct StoragePool {
  union {
    Object object;
    struct {
      OBJECT_MEMBERS
    };
  };
  StoragePoolDef *def;  /* the one in use; its sizes are those last seen; NULL until it is defined */
  StoragePoolDef *next; /* in use after the next stop; NULL: the same */
  GPtrArray *volumes;   /* StorageVolumeDef, ordered by name; empty while inactive */
  GHashTable *in_use;   /* names of volumes that are made, changed or read now → how often */
  guint refreshing;     /* jobs of storage_volume_refresh */
};

/* load.c, the kind's: those that were active, and at the host's start those marked for it, are started. Runs
 * the main loop for a moment: before anybody is served. */
void storage_pools_loaded (Registry *registry, RegistrySettled settled, gpointer data);

/* NULL with VIR_ERR_NO_STORAGE_POOL in libvirt's words. */
StoragePool *storage_pool_find_name (Manager *manager, const char *name, GError **error);
StoragePool *storage_pool_find_uuid (Manager *manager, const char *uuid, GError **error);
/* All, ordered by name. (transfer container) */
GPtrArray *storage_pool_list (Manager *manager);
/* May @def be started as it is? VIR_ERR_OPERATION_FAILED in libvirt's words when its name, UUID or directory
 * is another pool's. @ret_pool: the pool of that name and UUID, or NULL. */
gboolean storage_pools_check_create (Manager *manager, const StoragePoolDef *def, StoragePool **ret_pool,
                                     GError **error);
/* Takes @def. Neither active nor persistent yet. */
StoragePool *storage_pool_add (Manager *manager, StoragePoolDef *def);

/* FALSE and VIR_ERR_OPERATION_INVALID, in libvirt's words, unless it is active. */
gboolean storage_pool_check_active (const StoragePool *pool, GError **error);
gboolean storage_pool_check_inactive (const StoragePool *pool, GError **error);
/* What a scan saw: the pool is active with it. Takes @scan's volumes, if it has any. */
void storage_pool_commit_scan (StoragePool *pool, StorageScan *scan);
/* It is active now, or no longer: listeners are notified. A transient pool that stops is forgotten (and
 * freed). */
void storage_pool_started (StoragePool *pool);
void storage_pool_stopped (StoragePool *pool);
/* It was to be active and cannot: it is what it was before, or forgotten (and freed) when it was nothing. */
void storage_pool_start_failed (StoragePool *pool);
/* A volume as it stands in answers: (sss). (floating) */
GVariant *storage_volume_value (const StoragePool *pool, const StorageVolumeDef *volume);
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
 * pool-lock.c: @begin runs with the pool's lock, perhaps at once, and must check again what it needs to be
 * true. Who has the lock gives it back. A call for the lock that is not shared is failed while volumes are
 * worked on, as libvirt does; so is one that never gets it.
 */
typedef void (*StoragePoolBegin) (StoragePool *pool, Call *call);
void storage_pool_lock (StoragePool *pool, Call *call, StoragePoolBegin begin);
void storage_pool_lock_shared (StoragePool *pool, Call *call, StoragePoolBegin begin);
void storage_pool_unlock (Manager *manager, const char *uuid); /* the pool may be gone by then */
void storage_pool_unlock_shared (StoragePool *pool);
/* Its lock is held from now on, of a pool that nobody else has yet; FALSE: somebody has. */
gboolean storage_pool_try_lock (StoragePool *pool, const char *name);

/*
 * pool.c: what is done with a pool as a whole. Each has the lock when it begins, gives it back and answers
 * the call. Flags have been checked, states are checked here.
 */
/* Starts it, @flags as virStoragePoolCreateFlags; the answer is @answer (NULL: nothing). Without a call the
 * outcome is logged. A pool that is not persistent and cannot start is forgotten. */
void storage_pool_start (StoragePool *pool, Call *call, guint flags, GVariant *answer);
void storage_pool_build (StoragePool *pool, Call *call);
void storage_pool_refresh (StoragePool *pool, Call *call);
void storage_pool_destroy (StoragePool *pool, Call *call);
void storage_pool_delete (StoragePool *pool, Call *call);
