/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * The end of a backup, however it came: jobs that still run are cancelled, the server stops before the nodes
 * it exports go, and the files of a pull, or of a push that is not whole, are removed. The same undoes one
 * that was only half prepared, so each thing may be there or not; what is asked of QEMU for nothing is not
 * said.
 */
#include "daemon/drivers/qemu/backup-private.h"

#include "targets/qemu/recipe.h"

#include <string.h>

#define CANCEL_PAUSE     10 /* ms between two questions, doubled each time up to: */
#define CANCEL_PAUSE_MAX 500
#define CANCEL_SECONDS   60 /* for all jobs to end after they were cancelled */
#define SETS_MAX         65536
#define BUSY_TRIES       50 /* a node is let go of a moment after its export is said to be gone */
#define BUSY_WAIT        40 /* ms between two of them */

/* How many of its jobs QEMU still has; those that are over are dismissed. -1: it does not say. */
static int
count_jobs (const Backup *backup)
{
  g_autoptr (JsonNode) answer = backup_ask (backup, "query-jobs", NULL, NULL);
  int running = 0;

  for (guint i = 0; answer != NULL && i < backup->record->disks->len; i++) {
    const BackupTrace *trace = g_ptr_array_index (backup->record->disks, i);
    g_autofree char *creation = g_strconcat (BACKUP_CREATE_PREFIX, trace->top, NULL);
    const char *const ids[] = { trace->job, creation };

    for (guint j = 0; j < G_N_ELEMENTS (ids); j++) {
      g_auto (BackupJobState) state = { 0 };

      backup_find_job (answer, ids[j], &state);
      if (state.found && state.over)
        backup_tell (backup, "job-dismiss", props ("id", "s", ids[j], NULL), NULL);
      else if (state.found) {
        backup_tell (backup, "job-cancel", props ("id", "s", ids[j], NULL), NULL);
        running++;
      }
    }
  }
  return answer != NULL ? running : -1;
}

static void
end_jobs (const Backup *backup)
{
  gint64 until = g_get_monotonic_time () + (gint64)CANCEL_SECONDS * G_USEC_PER_SEC;

  for (guint pause = CANCEL_PAUSE; count_jobs (backup) > 0 && g_get_monotonic_time () < until;
       pause = MIN (pause * 2, CANCEL_PAUSE_MAX)) {
    if (!job_check (backup->job, NULL))
      return;
    g_usleep ((gulong)pause * 1000);
  }
}

/* Those that carry the name of one of its jobs. */
static void
remove_sets (const Backup *backup)
{
  g_autoptr (JsonNode) answer = backup_ask (backup, "query-fdsets", NULL, NULL);
  JsonArray *list = untrusted_list_of (answer);

  for (guint i = 0; list != NULL && i < MIN (json_array_get_length (list), SETS_MAX); i++) {
    JsonObject *set = untrusted_object_of (json_array_get_element (list, i));
    JsonArray *files = untrusted_list (set, "fds");
    JsonObject *file = files != NULL && json_array_get_length (files) > 0
                           ? untrusted_object_of (json_array_get_element (files, 0))
                           : NULL;
    const char *opaque = untrusted_text (file, "opaque");

    for (guint j = 0; opaque != NULL && j < backup->record->disks->len; j++)
      if (g_str_equal (opaque, ((BackupTrace *)g_ptr_array_index (backup->record->disks, j))->job)) {
        backup_tell (backup, "remove-fd", props ("fdset-id", "t", untrusted_count (set, "fdset-id"), NULL),
                     NULL);
        break;
      }
  }
}

static void
remove_node (const Backup *backup, const char *name)
{
  for (guint i = 0; i < BUSY_TRIES; i++) {
    g_autoptr (GError) problem = NULL;

    if (backup_tell (backup, "blockdev-del", props ("node-name", "s", name, NULL), &problem)
        || strstr (problem->message, "in use") == NULL || !job_check (backup->job, NULL))
      return;
    g_usleep (BUSY_WAIT * 1000);
  }
  g_warning ("the node '%s' of a backup stays, as it is in use", name);
}

static void
remove_nodes (const Backup *backup)
{
  for (guint i = 0; i < backup->record->disks->len; i++) {
    const BackupTrace *trace = g_ptr_array_index (backup->record->disks, i);

    remove_node (backup, trace->top);
    if (!g_str_equal (trace->top, trace->storage))
      remove_node (backup, trace->storage);
    if (trace->bitmap != NULL)
      backup_tell (backup, "block-dirty-bitmap-remove",
                   props ("node", "s", trace->node, "name", "s", trace->bitmap, NULL), NULL);
  }
}

void
backup_take_apart (Backup *backup)
{
  BackupRecord *record = backup->record;
  g_autoptr (GError) problem = NULL;

  end_jobs (backup);
  if (record->pull && backup->server)
    backup_tell (backup, "nbd-server-stop", NULL, NULL);
  remove_nodes (backup);
  remove_sets (backup);
  if (record->tls != NULL)
    backup_tell (backup, "object-del", props ("id", "s", record->tls, NULL), NULL);
  if (!job_check (backup->job, NULL))
    return; /* the machine is ending, and takes its files along */
  backup_record_remove_files (record);
  if (!backup_record_remove (backup->request->host.run_directory, &problem))
    g_warning ("%s", problem->message);
}
