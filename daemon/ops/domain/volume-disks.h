/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "daemon/domain/manager.h"
#include "domain/devices/disk.h"

/*
 * In a job. A disk of type 'volume' becomes one of type 'file': the volume's. VIR_ERR_NO_STORAGE_POOL,
 * VIR_ERR_NO_STORAGE_VOL, or VIR_ERR_CONFIG_UNSUPPORTED for a pool that is not active and for a volume that
 * is a directory. Other disks stay as they are.
 */
gboolean volume_disk_translate (Job *job, Manager *manager, DeviceDisk *disk, GError **error);
/* The same for all disks of a definition: another one, or a reference to @def if there are none of volumes.
 */
DomainDef *volume_disks_translate (Job *job, Manager *manager, DomainDef *def, GError **error);
