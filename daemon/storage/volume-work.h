/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "daemon/storage/make.h"
#include "daemon/storage/pools.h"

/*
 * One job that makes, changes or removes a volume: what it is about, kept through the pool's turn, and what
 * is seen afterwards brought into the registry. Main loop, but for the function that does it.
 */
typedef struct VolumeWork VolumeWork;
typedef gboolean (*VolumeFunction) (Job *job, VolumeWork *work, GError **error);

struct VolumeWork {
  StoragePool *pool; /* has a shared turn of it */
  Call *call;
  char *pool_path, *name;
  VolumeFunction function;  /* in the job's thread */
  StorageVolumeDef *volume; /* as it was, or as it is wanted */
  StorageMake make;
  StoragePool *from_pool; /* of what is copied: NULL, or a shared turn of it too */
  char *from_name;
  guint64 capacity; /* bytes */
  guint flags;
  guint64 offset, length; /* bytes: of what is streamed */
  int stream;             /* its socket, closed in the end; -1: none */
  gboolean refreshes;     /* told of as a refresh of the pool, as libvirt tells of an upload */
  StorageVolumeDef *seen; /* afterwards; NULL: it is gone */
  StorageScan *sizes;     /* of the pool, afterwards; NULL: not known */
  gboolean makes;         /* the volume, and answers with it */
  gboolean removes;       /* the volume */
};

/* With a shared turn of @pool. */
VolumeWork *volume_work_new (StoragePool *pool, Call *call, const char *name, VolumeFunction function);
/* The volume of the call's first argument, now that it has its turn. NULL, with the turn given back and the
 * call failed: it is not there, or somebody else works on it. */
VolumeWork *volume_work_of_call (StoragePool *pool, Call *call, VolumeFunction function);
/* The job; @seconds bounds it. */
void volume_work_start (VolumeWork *work, const char *thread, guint seconds);
/* Without a job: turns are given back, and the call is failed. Takes @error. */
void volume_work_refuse (VolumeWork *work, GError *error);
