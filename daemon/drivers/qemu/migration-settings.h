/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "daemon/drivers/qemu/qmp.h"

/*
 * How a machine is to be migrated, as QEMU's migration capabilities and parameters. The same settings make
 * both sides: each takes those that are its own.
 */
typedef enum { MIGRATION_SOURCE = 1 << 0, MIGRATION_TARGET = 1 << 1 } MigrationSide;

typedef enum {
  MIGRATION_XBZRLE = 1 << 0,
  MIGRATION_ZLIB = 1 << 1, /* these two of parallel connections */
  MIGRATION_ZSTD = 1 << 2,
} MigrationCompression;

/* 0 and NULL: as QEMU has it by itself. */
typedef struct {
  guint64 flags;     /* VIR_MIGRATE_* */
  guint compression; /* MigrationCompression */
  guint64 bandwidth; /* MiB a second, as are the next two */
  guint64 postcopy_bandwidth;
  guint64 switchover_bandwidth;
  guint64 xbzrle_cache;                       /* bytes */
  guint throttle_initial, throttle_increment; /* percent */
  guint channels;
  int zlib_level, zstd_level; /* -1: as QEMU has it */
  char *tls_directory;        /* of the certificates, with VIR_MIGRATE_TLS */
  char *tls_host;             /* that the target's certificate is for; NULL: the one that is connected to */
} MigrationSettings;

void migration_settings_init (MigrationSettings *settings);
void migration_settings_clear (MigrationSettings *settings);
void migration_settings_copy (MigrationSettings *to, const MigrationSettings *from);

#define MIGRATION_BANDWIDTH_MAX ((guint64)G_MAXINT64 / (1024 * 1024)) /* MiB a second: no limit */

/* Set them all, and take back what an earlier migration has set: job's thread. VIR_ERR_ARGUMENT_UNSUPPORTED
 * names what this QEMU does not have. */
gboolean migration_settings_apply (const MigrationSettings *settings, MigrationSide side, Qmp *qmp, Job *job,
                                   GError **error);
/* The migration capabilities that this QEMU has, by name (char *). (transfer full) */
GPtrArray *migration_capabilities (Qmp *qmp, Job *job, GError **error);
