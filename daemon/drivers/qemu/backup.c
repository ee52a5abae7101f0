/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * The life of a backup. Its thread waits for QEMU's jobs by asking for them, as that answer has the progress
 * as well; how often depends on how long it has run. A pull ends when it is given up: that is its success.
 */
#include "daemon/drivers/qemu/backup-private.h"

#include "snapshot/backup-complete.h"
#include "targets/qemu/recipe.h"

#define ASK_PAUSE     20 /* ms between two questions, doubled each time up to: */
#define ASK_PAUSE_MAX 500
#define JOBS_MAX      65536
#define FIGURE_MAX    ((guint64)1 << 56) /* bytes of one disk */

void
backup_request_free (gpointer data)
{
  BackupRequest *request = data;

  checkpoint_host_clear (&request->host);
  document_unref (&backup_document, request->def);
  document_unref (&checkpoint_document, request->checkpoint);
  g_clear_pointer (&request->checkpoints, g_hash_table_unref);
  progress_unref (request->progress);
  backup_record_free (request->record);
  g_free (request);
}

JsonNode *
backup_ask (const Backup *backup, const char *command, JsonObject *arguments, GError **error)
{
  job_extend_deadline (backup->job, backup->request->host.patience);
  return qmp_call (backup->request->host.qmp, backup->job, command, arguments, error);
}

gboolean
backup_tell (const Backup *backup, const char *command, JsonObject *arguments, GError **error)
{
  g_autoptr (JsonNode) answer = backup_ask (backup, command, arguments, error);

  return answer != NULL;
}

gboolean
backup_write_down (const Backup *backup, BackupPhase phase, GError **error)
{
  backup->record->phase = phase;
  return backup_record_save (backup->record, backup->request->host.run_directory, error);
}

void
backup_job_state_clear (BackupJobState *state)
{
  g_clear_pointer (&state->problem, g_free);
}

void
backup_find_job (JsonNode *answer, const char *id, BackupJobState *ret_state)
{
  JsonArray *list = untrusted_list_of (answer);

  for (guint i = 0; list != NULL && i < MIN (json_array_get_length (list), JOBS_MAX); i++) {
    JsonObject *job = untrusted_object_of (json_array_get_element (list, i));
    const char *status = untrusted_text (job, "status");

    if (g_strcmp0 (untrusted_text (job, "id"), id) != 0)
      continue;
    ret_state->found = TRUE;
    ret_state->over = g_strcmp0 (status, "concluded") == 0;
    ret_state->current = untrusted_count (job, "current-progress");
    ret_state->total = untrusted_count (job, "total-progress");
    ret_state->problem = g_strdup (untrusted_text (job, "error"));
    return;
  }
}

/* While it runs. */

typedef struct {
  guint64 current, total; /* bytes */
} DiskProgress;

typedef struct {
  Backup *backup;
  GHashTable *done; /* BackupTrace: those that are */
  GArray *figures;  /* DiskProgress: what was last said of each disk */
  gboolean canceled, failed;
  char *problem; /* the first of a disk that failed */
} Watch;

typedef struct {
  BackupRequest *request;
  const char *target;
  BackupDiskEnd end;
} Announcement;

static void
announce_disk (gpointer data)
{
  const Announcement *announcement = data;

  announcement->request->disk_done (announcement->request, announcement->target, announcement->end,
                                    announcement->request->data);
}

static void
announce_begun (gpointer data)
{
  BackupRequest *request = data;

  request->begun (request, request->data);
}

static void
disk_over (Watch *watch, const BackupTrace *trace, const BackupJobState *state)
{
  Backup *backup = watch->backup;
  Announcement announcement = { backup->request, trace->target, BACKUP_DISK_COMPLETED };

  g_hash_table_add (watch->done, (gpointer)trace);
  if (state->problem != NULL)
    announcement.end = watch->canceled ? BACKUP_DISK_CANCELED : BACKUP_DISK_FAILED;
  if (announcement.end == BACKUP_DISK_FAILED && !watch->failed) {
    watch->failed = TRUE;
    watch->problem = g_strdup (state->problem);
    progress_give_up (backup->request->progress); /* the others have no use without it */
  }
  backup_tell (backup, "job-dismiss", props ("id", "s", trace->job, NULL), NULL);
  job_in_main_loop (backup->job, announce_disk, &announcement);
}

static void
set_figures (const Watch *watch)
{
  guint64 processed = 0, total = 0;
  ProgressFigures figures = { 0 };

  for (guint i = 0; i < watch->figures->len; i++) {
    const DiskProgress *disk = &g_array_index (watch->figures, DiskProgress, i);

    processed += MIN (disk->current, disk->total);
    total += disk->total;
  }
  if (watch->backup->record->def->mode == BACKUP_PULL) {
    figures.temporary_used = processed;
    figures.temporary_total = total;
  } else {
    figures.total = total;
    figures.processed = processed;
    figures.remaining = total - processed;
  }
  progress_set (watch->backup->request->progress, &figures);
}

/* What the job of the disk of that number says now. */
static void
note_figures (Watch *watch, guint number, const BackupJobState *state)
{
  if (!state->found || watch->canceled)
    return;
  g_array_index (watch->figures, DiskProgress, number) =
      (DiskProgress){ MIN (state->current, FIGURE_MAX), MIN (state->total, FIGURE_MAX) };
  set_figures (watch);
}

/* Before anybody is told that it has begun, so that whoever asks at once is answered. */
static void
look_first (Watch *watch)
{
  const BackupRecord *record = watch->backup->record;
  g_autoptr (JsonNode) answer = backup_ask (watch->backup, "query-jobs", NULL, NULL);

  g_array_set_size (watch->figures, record->disks->len);
  for (guint i = 0; answer != NULL && i < record->disks->len; i++) {
    const BackupTrace *trace = g_ptr_array_index (record->disks, i);
    g_auto (BackupJobState) state = { 0 };

    backup_find_job (answer, trace->job, &state);
    note_figures (watch, i, &state);
  }
}

/* FALSE: QEMU does not answer any more. */
static gboolean
look (Watch *watch, GError **error)
{
  Backup *backup = watch->backup;
  g_autoptr (JsonNode) answer = backup_ask (backup, "query-jobs", NULL, error);

  if (answer == NULL)
    return FALSE;
  for (guint i = 0; i < backup->record->disks->len; i++) {
    const BackupTrace *trace = g_ptr_array_index (backup->record->disks, i);
    g_auto (BackupJobState) state = { 0 };

    backup_find_job (answer, trace->job, &state);
    note_figures (watch, i, &state);
    if (g_hash_table_contains (watch->done, trace))
      continue;
    if (!state.found)
      state.problem = g_strdup ("its job is not there any more");
    if (!state.found || state.over)
      disk_over (watch, trace, &state);
  }
  return TRUE;
}

static void
cancel (Watch *watch)
{
  const Backup *backup = watch->backup;

  for (guint i = 0; i < backup->record->disks->len; i++) {
    const BackupTrace *trace = g_ptr_array_index (backup->record->disks, i);

    if (!g_hash_table_contains (watch->done, trace))
      backup_tell (backup, "block-job-cancel", props ("device", "s", trace->job, "force", "b", TRUE, NULL),
                   NULL);
  }
  watch->canceled = TRUE;
}

static gboolean
run (Watch *watch, GError **error)
{
  Progress *progress = watch->backup->request->progress;
  guint pause = ASK_PAUSE;

  g_array_set_size (watch->figures, watch->backup->record->disks->len);
  while (g_hash_table_size (watch->done) < watch->backup->record->disks->len) {
    if (!look (watch, error))
      return FALSE;
    if (g_hash_table_size (watch->done) == watch->backup->record->disks->len)
      break;
    if (progress_is_given_up (progress) && !watch->canceled)
      cancel (watch);
    if (watch->canceled)
      g_usleep ((gulong)ASK_PAUSE * 1000);
    else
      progress_wait (progress, pause);
    pause = MIN (pause * 2, ASK_PAUSE_MAX);
    if (!job_check (watch->backup->job, error))
      return FALSE;
  }
  return TRUE;
}

/* All of it is done, or was ended. */
static gpointer
finish (Watch *watch, GError **error)
{
  Backup *backup = watch->backup;
  gboolean pull = backup->record->def->mode == BACKUP_PULL;
  gboolean whole = !watch->failed && (pull || !watch->canceled);

  if (whole && !backup_write_down (backup, BACKUP_OVER, error))
    return NULL;
  backup_take_apart (backup);
  if (watch->canceled && !watch->failed)
    progress_tell_problem (backup->request->progress, "Operation canceled");
  if (watch->failed) {
    progress_tell_problem (backup->request->progress, watch->problem);
    virt_error_set (error, VIR_ERR_OPERATION_FAILED, "backup job failed: %s", watch->problem);
  } else if (!whole) {
    virt_error_set (error, VIR_ERR_OPERATION_ABORTED, "backup job: canceled by client");
  }
  return whole ? JOB_OK : NULL;
}

/* One that an earlier daemon has begun, or finished, or only prepared. */
static gpointer
go_on (Watch *watch, GError **error)
{
  Backup *backup = watch->backup;
  BackupPhase phase;

  backup->record = g_steal_pointer (&backup->request->record);
  backup->server = TRUE;
  phase = backup->record->phase;
  if (phase == BACKUP_RUNNING)
    return run (watch, error) ? finish (watch, error) : NULL;
  backup_take_apart (backup);
  if (phase == BACKUP_PREPARING)
    virt_error_set (error, VIR_ERR_OPERATION_ABORTED, "the backup job was not begun");
  return phase == BACKUP_OVER ? JOB_OK : NULL;
}

gpointer
backup_job (Job *job, gpointer data, GError **error)
{
  BackupRequest *request = data;
  Backup backup = { .job = job, .request = request };
  g_autoptr (GHashTable) done = g_hash_table_new (NULL, NULL);
  g_autoptr (GArray) figures = g_array_new (FALSE, TRUE, sizeof (DiskProgress));
  Watch watch = { &backup, done, figures, FALSE, FALSE, NULL };
  gpointer result = NULL;

  if (request->record != NULL) {
    result = go_on (&watch, error);
  } else if (backup_begin (&backup, error)) {
    look_first (&watch);
    job_in_main_loop (job, announce_begun, request);
    result = run (&watch, error) ? finish (&watch, error) : NULL;
  }
  g_free (watch.problem);
  backup_record_free (backup.record);
  g_clear_pointer (&backup.nodes, g_ptr_array_unref);
  return result;
}
