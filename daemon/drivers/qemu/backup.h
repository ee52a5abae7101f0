/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "daemon/core/progress.h"
#include "daemon/drivers/qemu/backup-record.h"
#include "daemon/drivers/qemu/checkpoint.h"

#include <sys/types.h>

/*
 * A backup of a running machine's disks, from its first step to its end, as one conversation: the stores are
 * made, all disks begin at one instant, and what was made for it is taken away when they are done. It is
 * written down (backup-record.h) before it is begun; the same conversation goes on with one that an earlier
 * daemon has begun. The job ends when the backup does.
 */
typedef enum { BACKUP_DISK_COMPLETED, BACKUP_DISK_CANCELED, BACKUP_DISK_FAILED } BackupDiskEnd;

typedef struct BackupRequest BackupRequest;
struct BackupRequest {
  CheckpointHost host;
  BackupDef *def;            /* completed, and the job's alone until it has begun; NULL: @record says it */
  CheckpointDef *checkpoint; /* the one that begins with it, or NULL */
  GHashTable *checkpoints;   /* names of those there are */
  gboolean reuse;            /* the stores are there, in the format that is said */
  uid_t owner;               /* who asked for it */
  Progress *progress;
  BackupRecord *record; /* what an earlier daemon has written down; NULL: it is a new one */

  /* In the main loop. It has begun: @def is immutable from now on. A disk is done. */
  void (*begun) (BackupRequest *request, gpointer data);
  void (*disk_done) (BackupRequest *request, const char *target, BackupDiskEnd end, gpointer data);
  gpointer data;
};

void backup_request_free (gpointer request);

/* JOB_OK: all of it is done, or was given up as a pull is at its end. VIR_ERR_OPERATION_ABORTED: a push was
 * given up. */
gpointer backup_job (Job *job, gpointer request, GError **error);
