/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "daemon/drivers/qemu/backup.h"
#include "targets/qemu/backup-nodes.h"

/* What the parts of a backup's conversation share: backup.c leads it, backup-begin.c has what comes before it
 * runs, backup-end.c what comes after. */
typedef struct {
  Job *job;
  BackupRequest *request;
  BackupRecord *record;
  GPtrArray *nodes; /* BackupNode, of the record's disks; NULL: an earlier daemon's */
  gboolean server;  /* QEMU's NBD server runs for it */
} Backup;

JsonNode *backup_ask (const Backup *backup, const char *command, JsonObject *arguments, GError **error);
/* One command whose answer says nothing. Takes @arguments. */
gboolean backup_tell (const Backup *backup, const char *command, JsonObject *arguments, GError **error);
gboolean backup_write_down (const Backup *backup, BackupPhase phase, GError **error);

/* Where one of its jobs stands, of an answer to "query-jobs". */
typedef struct {
  gboolean found, over;
  guint64 current, total;
  char *problem; /* NULL: none */
} BackupJobState;
void backup_job_state_clear (BackupJobState *state);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (BackupJobState, backup_job_state_clear)
void backup_find_job (JsonNode *answer, const char *id, BackupJobState *ret_state);

/* From nothing to jobs that run. On an error nothing of it is left. */
gboolean backup_begin (Backup *backup, GError **error);
/* Everything that was made for it goes but what it was made for. What is not there is passed over. */
void backup_take_apart (Backup *backup);
