/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "daemon/ops/ops.h"
#include "daemon/storage/pools.h"

/* What the operations on storage share. */

/* The pool of the first argument. */
StoragePool *call_storage_pool (Call *call);
/* The volume of argument @index and its active pool; NULL, and the call failed, when one is not there. */
StorageVolumeDef *call_storage_volume (Call *call, guint index, StoragePool **ret_pool);
/* virStoragePoolCreateFlags that a directory can follow; fails the call otherwise. */
gboolean call_check_pool_create_flags (Call *call, const char *name, guint flags);
/* Fails the call unless the pool is active. */
gboolean call_check_pool_active (Call *call, const StoragePool *pool);
