/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "domain/domain-def.h"
#include "snapshot/backup-document.h"

/*
 * What a client's document of a backup leaves open, filled in beside the disks of the domain: which are
 * copied, since when, into what, and what their exports are called. Pure; before it is shared. FALSE with an
 * error in libvirt's words. @suffix: what follows the path of a disk in the name of a store that is not said.
 */
gboolean backup_complete (BackupDef *def, const DomainDef *domain, const char *suffix, GError **error);
/* Is the disk to be copied? */
gboolean backup_disk_is_copied (const BackupDisk *disk);
