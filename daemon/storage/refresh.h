/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "daemon/storage/pools.h"

/*
 * A volume as it is now: files grow, and others change them too. It is looked at in a job, and when the disk
 * does not say within LOOK_MILLISECONDS, or too many already look, the answer is what was last known.
 */
#define LOOK_MILLISECONDS 1000
#define LOOKING_MAX       16 /* at one pool at once */

/* @volume is borrowed. Takes @call over. Exactly once, perhaps before storage_volume_look returns; the call
 * is failed instead when the volume is gone. */
typedef void (*StorageLooked) (Call *call, const StorageVolumeDef *volume);
void storage_volume_look (StoragePool *pool, StorageVolumeDef *volume, Call *call, StorageLooked then);
