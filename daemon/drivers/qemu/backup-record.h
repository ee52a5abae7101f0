/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "base/virt-error.h"
#include "snapshot/backup-document.h"

/*
 * What is written down of a machine's backup job before its first step, in the machine's run directory: what
 * was made for it, and how far it has come. A daemon that is started anew goes on with one that runs, and
 * undoes one that was only being prepared; when the machine has ended, what must not stay is removed.
 */
typedef enum {
  BACKUP_PREPARING, /* nobody was told that it has begun */
  BACKUP_RUNNING,
  BACKUP_OVER /* its stores are whole, where they are kept; the rest is being taken away */
} BackupPhase;

typedef struct {
  BackupDef *def; /* with the indexes of the stores' nodes */
  gboolean pull;  /* its stores are scratch files */
  BackupPhase phase;
  gint64 started;  /* g_get_real_time */
  GPtrArray *made; /* char *: files that were made for it */
  char *socket;    /* the unix socket that was made for its server, or NULL */
  char *tls;       /* the id of the object with the server's keys, or NULL */
  /* Of each disk that is copied, in the order of the document; see BackupNode. */
  GPtrArray *disks; /* BackupTrace */
} BackupRecord;

typedef struct {
  char *target, *node, *job, *storage, *top;
  char *bitmap; /* to be removed from @node; NULL: none */
} BackupTrace;

BackupRecord *backup_record_new (BackupDef *def); /* references it */
void backup_record_free (BackupRecord *record);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (BackupRecord, backup_record_free)
void backup_record_add_disk (BackupRecord *record, const char *target, const char *node, const char *job,
                             const char *storage, const char *top, const char *bitmap);

/* Any thread; blocking. On the disk when it returns TRUE. */
gboolean backup_record_save (const BackupRecord *record, const char *directory, GError **error);
/* NULL without @error: there is none. What is read is untrusted. */
BackupRecord *backup_record_load (const char *directory, GError **error);
gboolean backup_record_remove (const char *directory, GError **error);

/* Are the files that were made for it to be removed at its end? */
gboolean backup_record_is_scratch (const BackupRecord *record);
/* The machine has ended, or the backup is undone: its files, where they are not the backup itself, and its
 * socket go. */
void backup_record_remove_files (const BackupRecord *record);
/* The machine whose run directory this is has ended. */
void backup_clean_up (const char *directory);
