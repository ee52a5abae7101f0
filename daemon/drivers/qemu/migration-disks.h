/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "daemon/drivers/qemu/migrate-out.h"
#include "domain/devices/disk.h"
#include "domain/migration-cookie.h"

/*
 * The disks of a machine that migrates without shared storage: each is mirrored into one of the same name
 * that the target's QEMU serves over NBD, from before its memory is sent until it stands still.
 */
typedef struct MigrationDisks MigrationDisks;

/* Is it one of those? @targets: those that were named; NULL: all that are written by this machine alone. */
gboolean migration_disk_is_copied (const DeviceDisk *disk, const char *const *targets);
/* Names that the machine has no disk for: VIR_ERR_INVALID_ARG. */
gboolean migration_disks_check_names (const DomainDef *def, const char *const *targets, GError **error);
/* The name under which it is served: libvirt's. (transfer full) */
char *migration_disk_export (const DeviceDisk *disk);

/* The node that is in its drive, of what "query-block" has answered; NULL: none is. (borrowed) */
const char *migration_disk_node (JsonNode *drives, const DeviceDisk *disk);

/* The source's half: job's thread. */
MigrationDisks *migration_disks_new (Qmp *qmp, Progress *progress, guint patience);
void migration_disks_free (MigrationDisks *disks);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (MigrationDisks, migration_disks_free)
/* Begin to copy those of @out, and wait until the copies follow. @host: the target's; NULL: a socket.
 * Nothing to do without VIR_MIGRATE_NON_SHARED_*. */
gboolean migration_disks_copy (MigrationDisks *disks, const MigrateOut *out, const char *host, Job *job,
                               GError **error);
/* Do all copies still follow? */
gboolean migration_disks_check (MigrationDisks *disks, Job *job, GError **error);
/* The machine stands still: the copies are what its disks are, and nothing is copied any more. */
gboolean migration_disks_finish (MigrationDisks *disks, Job *job, GError **error);
void migration_disks_cancel (MigrationDisks *disks, Job *job);

/* Those that another daemon has begun to copy, which has ended: nothing is left of them. */
gboolean migration_disks_forget (Qmp *qmp, guint patience, Job *job, GError **error);

/* Those that would be copied, with their sizes, into @cookie. */
gboolean migration_disks_measure (const DomainDef *def, const char *const *targets, Qmp *qmp, Job *job,
                                  MigrationCookie *cookie, GError **error);
