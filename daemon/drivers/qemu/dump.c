/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Dumping: a file aside, the CPUs stopped unless the dump is live, the memory written by QEMU through a
 * descriptor, the file's name, the CPUs again. Memory alone is written by a thread of QEMU's, which is asked
 * how far it is; why it failed is said by its last event only.
 */
#include "daemon/drivers/qemu/dump.h"

#include "daemon/core/atomic-file.h"
#include "daemon/drivers/qemu/migration.h"
#include "targets/qemu/recipe.h"

#include <fcntl.h>
#include <string.h>

#define DUMP_DESCRIPTOR  "domaind-dump"
#define FIRST_QUESTION   10   /* ms */
#define LAST_QUESTION    250  /* ms between two questions, in the end */
#define LAST_EVENT_WAIT  1000 /* ms: QEMU's event comes at once when the dump has failed */
#define CRASH_NAME_BYTES 80   /* of the machine's name in a file's */

/* By virDomainCoreDumpFormat: as QEMU has them. */
static const char *const formats[] = { "elf", "kdump-zlib", "kdump-lzo", "kdump-snappy", "win-dmp" };

DumpRequest *
dump_request_new (Qmp *qmp, const char *path, Progress *progress, guint patience)
{
  DumpRequest *request = g_new0 (DumpRequest, 1);

  request->qmp = qmp_ref (qmp);
  request->path = g_strdup (path);
  request->progress = progress_ref (progress);
  request->patience = patience;
  return request;
}

void
dump_request_free (gpointer data)
{
  DumpRequest *request = data;

  if (request == NULL)
    return;
  qmp_unref (request->qmp);
  progress_unref (request->progress);
  g_free (request->path);
  g_free (request);
}

Progress *
dump_progress_new (gboolean memory_only)
{
  Progress *progress = progress_new (VIR_DOMAIN_JOB_OPERATION_DUMP);

  if (memory_only)
    progress_forbid_giving_up (progress, "cannot abort memory-only dump");
  return progress;
}

static gboolean
tell (const DumpRequest *request, Job *job, const char *command, JsonObject *arguments, GError **error)
{
  g_autoptr (JsonNode) answer = NULL;

  job_extend_deadline (job, request->patience);
  answer = qmp_call (request->qmp, job, command, arguments, error);
  return answer != NULL;
}

/* { "formats": [ "elf", "kdump-zlib" ] } */
static gboolean
lists_format (JsonNode *answer, const char *format)
{
  JsonArray *list = untrusted_list (untrusted_object_of (answer), "formats");

  for (guint i = 0; list != NULL && i < json_array_get_length (list); i++)
    if (g_strcmp0 (untrusted_text_of (json_array_get_element (list, i)), format) == 0)
      return TRUE;
  return FALSE;
}

static gboolean
check_format (const DumpRequest *request, Job *job, GError **error)
{
  g_autoptr (JsonNode) answer = NULL;

  if (!request->memory_only || request->format == VIR_DOMAIN_CORE_DUMP_FORMAT_RAW)
    return TRUE;
  job_extend_deadline (job, request->patience);
  answer = qmp_call (request->qmp, job, "query-dump-guest-memory-capability", NULL, error);
  if (answer == NULL)
    return FALSE;
  if (lists_format (answer, formats[request->format]))
    return TRUE;
  virt_error_set (error, VIR_ERR_INVALID_ARG, "unsupported dumpformat '%s' for this QEMU binary",
                  formats[request->format]);
  return FALSE;
}

/* "active", "completed", "failed"; its figures go to the progress. (transfer full) */
static char *
ask_dump (const DumpRequest *request, Job *job, GError **error)
{
  g_autoptr (JsonNode) answer = NULL;

  job_extend_deadline (job, request->patience);
  answer = qmp_call (request->qmp, job, "query-dump", NULL, error);
  if (answer == NULL)
    return NULL;
  JsonObject *object = untrusted_object_of (answer);
  const char *status = untrusted_text (object, "status");
  guint64 total = untrusted_count (object, "total");
  guint64 processed = MIN (untrusted_count (object, "completed"), total);
  const ProgressFigures figures = { .total = total, .processed = processed, .remaining = total - processed };
  progress_set (request->progress, &figures);
  return g_strdup (status != NULL ? status : "failed");
}

static gboolean
wait_for_dump (const DumpRequest *request, Job *job, GError **error)
{
  for (guint pause = FIRST_QUESTION;; pause = MIN (pause * 2, LAST_QUESTION)) {
    g_autofree char *status = ask_dump (request, job, error);

    if (status == NULL)
      return FALSE;
    if (g_str_equal (status, "completed"))
      return TRUE;
    if (!g_str_equal (status, "active")) {
      g_autofree char *problem = progress_wait_for_problem (request->progress, LAST_EVENT_WAIT);

      virt_error_set (error, VIR_ERR_OPERATION_FAILED, "memory-only dump failed: %s",
                      problem != NULL ? problem : "unknown error");
      return FALSE;
    }
    progress_wait (request->progress, pause);
  }
}

static gboolean
write_memory (const DumpRequest *request, Job *job, int fd, GError **error)
{
  job_extend_deadline (job, request->patience);
  return give_descriptor (request->qmp, job, fd, DUMP_DESCRIPTOR, error)
         && tell (request, job, "dump-guest-memory",
                  props ("paging", "b", FALSE, "protocol", "s", "fd:" DUMP_DESCRIPTOR, "detach", "b", TRUE,
                         "format", "s", formats[request->format], NULL),
                  error)
         && wait_for_dump (request, job, error);
}

static gboolean
write_file (const DumpRequest *request, Job *job, AtomicFile *aside, GError **error)
{
  gboolean written = request->memory_only ? write_memory (request, job, aside->fd, error)
                                          : migration_write (request->qmp, job, aside->fd, request->progress,
                                                             request->patience, error);

  if (!written)
    return FALSE;
  if (request->drop_cache)
    posix_fadvise (aside->fd, 0, 0, POSIX_FADV_DONTNEED);
  return atomic_file_commit (aside, error);
}

gpointer
dump_job (Job *job, gpointer data, GError **error)
{
  const DumpRequest *request = data;
  g_autofree char *directory = g_path_get_dirname (request->path);
  gboolean done;

  if (!request->memory_only && !migration_check (request->qmp, job, error))
    return NULL;
  if (request->make_directory)
    g_mkdir_with_parents (directory, 0700);
  g_autoptr (AtomicFile) aside = atomic_file_open (request->path, error);

  if (aside == NULL || !check_format (request, job, error)
      || (request->running && !request->live && !tell (request, job, "stop", NULL, error)))
    return NULL;
  if (request->running && !request->live)
    progress_tell_stopped (request->progress);
  done = write_file (request, job, aside, error)
         && (!request->reset || tell (request, job, "system_reset", NULL, error));
  /* Migration leaves them stopped, a live one too. */
  if (request->running && !(done && request->leave_stopped))
    done = tell (request, job, "cont", NULL, done ? error : NULL) && done;
  return done ? JOB_OK : NULL;
}

char *
crash_dump_path (const Settings *settings, const char *name, int id, gint64 now)
{
  g_autoptr (GDateTime) time = g_date_time_new_from_unix_local (now / G_USEC_PER_SEC);
  g_autofree char *stamp = g_date_time_format (time, "%Y-%m-%d-%H:%M:%S");
  const char *end = NULL;
  g_autofree char *file = NULL;

  g_utf8_validate (name, (gssize)MIN (strlen (name), CRASH_NAME_BYTES), &end);
  file = g_strdup_printf ("%d-%.*s-%s", id, (int)(end - name), name, stamp);
  return g_build_filename (settings->dump_directory, file, NULL);
}
