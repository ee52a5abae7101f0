/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "base/virt-error.h"

/*
 * What the two sides of a migration tell each other between its phases: libvirt's <qemu-migration>. The
 * client, or the source's daemon, carries it from one to the other without looking into it.
 */
#define MIGRATION_COOKIE_MAX  (4 * 1024 * 1024) /* bytes; REMOTE_MIGRATE_COOKIE_MAX */
#define MIGRATION_COOKIE_LIST 1024              /* entries read of each of its lists */

/* A disk whose content is sent over NBD. */
typedef struct {
  char *target;     /* "vda" */
  guint64 capacity; /* bytes */
} MigrationDisk;

/* Those of a job that libvirt has in <statistics>, in its order. */
typedef enum {
  MIGRATION_TIME_ELAPSED, /* ms, as are the next three */
  MIGRATION_TIME_REMAINING,
  MIGRATION_DOWNTIME,
  MIGRATION_SETUP_TIME,
  MIGRATION_MEMORY_TOTAL, /* bytes, as are the next two; then bytes a second */
  MIGRATION_MEMORY_PROCESSED,
  MIGRATION_MEMORY_REMAINING,
  MIGRATION_MEMORY_BPS,
  MIGRATION_MEMORY_CONSTANT, /* pages */
  MIGRATION_MEMORY_NORMAL,
  MIGRATION_MEMORY_NORMAL_BYTES,
  MIGRATION_MEMORY_DIRTY_RATE,
  MIGRATION_MEMORY_ITERATION,
  MIGRATION_MEMORY_POSTCOPY_REQS,
  MIGRATION_MEMORY_PAGE_SIZE,
  MIGRATION_DISK_TOTAL,
  MIGRATION_DISK_PROCESSED,
  MIGRATION_DISK_REMAINING,
  MIGRATION_STATISTICS
} MigrationStatistic;

typedef struct {
  char *name, *uuid;           /* of the machine */
  char *host_name, *host_uuid; /* of whoever wrote it */
  GPtrArray
      *capabilities; /* char *: QEMU's migration capabilities that the writer's QEMU has; NULL: unsaid */
  char *document;    /* what is to be defined on the other side; or NULL */
  char *processor;   /* <cpu>: what the guest has, where the machine's document says what was asked for */
  gboolean has_nbd;
  guint nbd_port;   /* where the other side serves its disks; 0: it does not, or on a socket of its own */
  GPtrArray *disks; /* MigrationDisk; NULL: unsaid */
  gboolean has_statistics;
  guint64 statistics[MIGRATION_STATISTICS];
} MigrationCookie;

MigrationCookie *migration_cookie_new (void);
void migration_cookie_free (MigrationCookie *cookie);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (MigrationCookie, migration_cookie_free)
void migration_cookie_add_disk (MigrationCookie *cookie, const char *target, guint64 capacity);

/* (transfer full) */
char *migration_cookie_to_xml (const MigrationCookie *cookie);
/* NULL with VIR_ERR_INTERNAL_ERROR in libvirt's words when it is none, or one that asks for what is not known
 * here. Untrusted. */
MigrationCookie *migration_cookie_parse (const char *text, gsize length, GError **error);
/* Whether it came from another host and is about this machine: VIR_ERR_INTERNAL_ERROR otherwise. @host_uuid:
 * this host's; @name: the machine's on the other side, or NULL. */
gboolean migration_cookie_check (const MigrationCookie *cookie, const char *uuid, const char *name,
                                 const char *host_uuid, GError **error);
