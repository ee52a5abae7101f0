/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "daemon/core/progress.h"
#include "daemon/drivers/qemu/migration-settings.h"
#include "domain/domain-def.h"

/*
 * The source's half of a migration, as conversations with its QEMU in a job's thread. Each of them leaves a
 * machine that either runs here or can be continued by the other side, and says which.
 */
typedef struct {
  Qmp *qmp;       /* a reference */
  DomainDef *def; /* live; a reference */
  MigrationSettings settings;
  char *uri;       /* of the target's QEMU */
  char *disks_uri; /* where it serves its disks; NULL: on disks_port of the host that is in uri */
  guint disks_port;
  GStrv disks; /* targets of those to be copied, with VIR_MIGRATE_NON_SHARED_*; NULL: all that can be */
  Progress *progress;
  guint patience;    /* seconds for each answer of QEMU's */
  gboolean ran;      /* its CPUs ran when it was begun */
  gboolean postcopy; /* set: the other side is to run now, and the rest of the memory follows it */
} MigrateOut;

MigrateOut *migrate_out_new (Qmp *qmp, DomainDef *def, const MigrationSettings *settings, Progress *progress,
                             guint patience);
void migrate_out_free (gpointer out);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (MigrateOut, migrate_out_free)

/* Everything is with the other side when this returns TRUE, and the machine stands still here. FALSE: the
 * machine goes on here as it did before. */
gboolean migrate_out_perform (MigrateOut *out, Job *job, GError **error);
/* It runs on here, as the other side has not taken it. */
gboolean migrate_out_take_back (MigrateOut *out, Job *job, GError **error);
/* After post-copy: all of its memory is with the other side. */
gboolean migrate_out_wait (MigrateOut *out, Job *job, GError **error);
