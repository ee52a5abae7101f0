/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "daemon/drivers/qemu/migration-settings.h"
#include "domain/domain-def.h"

/*
 * The target's half of a migration: a machine that is started to be told by another QEMU what it is, as
 * conversations in a job's thread. Nothing of its guest runs before migrate_in_run.
 */
typedef struct {
  MigrationSettings settings;
  char *listen;        /* where QEMU listens, as it takes it: "tcp:[::]:49152", "unix:/run/.../qemu/in" */
  char *link;          /* a name that the socket has besides; NULL: none */
  GStrv disks;         /* targets of those that are received; NULL: all that can be */
  char *disks_address; /* where they are served: an address of TCP, with disks_port, or: */
  char *disks_socket;
  guint disks_port;
  gboolean serves_disks;
  guint patience; /* seconds for each answer of QEMU's */
} MigrateIn;

MigrateIn *migrate_in_new (const MigrationSettings *settings, guint patience);
void migrate_in_free (gpointer in);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (MigrateIn, migrate_in_free)

#define MIGRATE_IN_SOCKET "in" /* in QEMU's own directory: a socket's path may have 107 bytes */

/* QEMU was started with "-incoming defer": it listens, and serves the disks that are copied, when this
 * returns TRUE. */
gboolean migrate_in_listen (MigrateIn *in, const DomainDef *def, Qmp *qmp, Job *job, GError **error);
/* All has come: waits for it. FALSE: it has not, and will not. With @postcopy what is still missing comes
 * while the machine runs. */
gboolean migrate_in_wait (const MigrateIn *in, gboolean postcopy, Qmp *qmp, Job *job, GError **error);
/* Nothing is served any more. */
void migrate_in_close (const MigrateIn *in, Qmp *qmp, Job *job);
