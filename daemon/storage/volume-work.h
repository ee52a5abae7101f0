/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "daemon/storage/make.h"
#include "daemon/storage/pools.h"

/*
 * One job that makes, changes or removes a volume: what it is about, kept while it has the pool's lock, and
 * what is seen afterwards brought into the registry. Main loop, but for the function that does it.
 */
typedef struct VolumeWork VolumeWork;
typedef gboolean (*VolumeFunction) (Job *job, VolumeWork *work, GError **error);

struct VolumeWork {
  StoragePool *pool; /* its lock is shared */
  Call *call;
  char *pool_path, *name;
  VolumeFunction function;  /* in the job's thread */
  StorageVolumeDef *volume; /* as it was, or as it is wanted */
  StorageMake make;
  StoragePool *from_pool; /* of what is copied: NULL, or its lock is shared too */
  char *from_name;
  guint64 capacity; /* bytes */
  guint flags;
  guint64 offset, length; /* bytes: of what is streamed */
  int stream;             /* its socket, closed in the end; -1: none */
  gboolean refreshes;     /* notified as a refresh of the pool, as libvirt does for an upload */
  StorageVolumeDef *seen; /* afterwards; NULL: it is gone */
  StorageScan *sizes;     /* of the pool, afterwards; NULL: not known */
  gboolean makes;         /* the volume, and answers with it */
  gboolean removes;       /* the volume */
};

/* With @pool's lock, shared. */
VolumeWork *volume_work_new (StoragePool *pool, Call *call, const char *name, VolumeFunction function);
/* The volume of the call's first argument, now that the pool's lock is shared. NULL, with it given back and
 * the call failed: it is not there, or somebody else works on it. */
VolumeWork *volume_work_of_call (StoragePool *pool, Call *call, VolumeFunction function);
/* The job; @seconds bounds it. */
void volume_work_start (VolumeWork *work, const char *thread, guint seconds);
/* Without a job: locks are given back, and the call is failed. Takes @error. */
void volume_work_refuse (VolumeWork *work, GError *error);
