/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "daemon/storage/pools.h"

/*
 * A volume as it is now: files grow, and others change them too. A job reads it; when the disk does not
 * answer within VOLUME_REFRESH_MILLISECONDS, or too many are being read, the answer is what was last known.
 */
#define VOLUME_REFRESH_MILLISECONDS 1000
#define VOLUME_REFRESHES_MAX        16 /* at one pool at once */

/* @volume is borrowed. Takes @call over. Exactly once, perhaps before storage_volume_refresh returns; the
 * call is failed instead when the volume is gone. */
typedef void (*StorageVolumeRefreshed) (Call *call, const StorageVolumeDef *volume);
void
storage_volume_refresh (StoragePool *pool, StorageVolumeDef *volume, Call *call, StorageVolumeRefreshed then);
