/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * A snapshot inside of disks is a job of QEMU's, which is asked how far it is: often at first, for a small
 * machine takes a moment, and then less so.
 */
#include "daemon/drivers/qemu/snapshot-job.h"

#include "domain/devices/disk.h"
#include "targets/qemu/recipe.h"
#include "targets/qemu/throttle.h"

#define JOB_ID         "domaind-snapshot"
#define FIRST_QUESTION 10  /* ms */
#define LAST_QUESTION  250 /* ms between two questions, in the end */
#define JOBS_MAX       65536

/* Of "query-jobs": { "id": ..., "status": "concluded", "error": "..." }. */
typedef struct {
  gboolean there, concluded;
  char *problem;
} Report;

static gboolean
ask (Qmp *qmp, Job *job, Report *report, GError **error)
{
  g_autoptr (JsonNode) answer = qmp_call (qmp, job, "query-jobs", NULL, error);
  JsonArray *list = answer != NULL ? untrusted_list_of (answer) : NULL;

  for (guint i = 0; list != NULL && i < MIN (json_array_get_length (list), JOBS_MAX); i++) {
    JsonObject *item = untrusted_object_of (json_array_get_element (list, i));

    if (item == NULL || g_strcmp0 (untrusted_text (item, "id"), JOB_ID) != 0)
      continue;
    report->there = TRUE;
    report->concluded = g_strcmp0 (untrusted_text (item, "status"), "concluded") == 0;
    g_free (report->problem);
    report->problem = g_strdup (untrusted_text (item, "error"));
  }
  return answer != NULL;
}

static gboolean
wait_for_end (Qmp *qmp, Job *job, guint patience, const char *command, GError **error)
{
  guint pause = FIRST_QUESTION;

  for (;;) {
    Report report = { FALSE, FALSE, NULL };
    g_autofree char *problem = NULL;

    job_extend_deadline (job, patience);
    if (!ask (qmp, job, &report, error))
      return FALSE;
    problem = report.problem;
    if (!report.there || report.concluded) {
      if (report.there)
        qmp_run (qmp, job, "job-dismiss", props ("id", "s", JOB_ID, NULL), NULL);
      if (problem != NULL)
        virt_error_set (error, VIR_ERR_OPERATION_FAILED, "QEMU's %s failed: %s", command, problem);
      return problem == NULL;
    }
    if (!job_check (job, error))
      return FALSE;
    g_usleep ((gulong)pause * 1000);
    pause = MIN (pause * 2, LAST_QUESTION);
  }
}

gboolean
snapshot_job_run (Job *job, Qmp *qmp, CapsCache *caps, guint patience, const char *command, const char *tag,
                  const DomainDef *def, const GPtrArray *targets, GError **error)
{
  g_autoptr (QemuCaps) known = caps_cache_get (caps, def->emulator, error);
  g_autofree char *first = NULL;
  JsonObject *arguments;
  JsonArray *devices;

  if (known == NULL)
    return FALSE;
  devices = json_array_new ();
  for (guint i = 0; i < targets->len; i++) {
    const DeviceDisk *disk = domain_def_find_disk (def, g_ptr_array_index (targets, i));
    g_autofree char *node = disk != NULL ? qemu_disk_node (known, disk) : NULL;

    if (node == NULL)
      continue;
    if (first == NULL)
      first = g_strdup (node);
    json_array_add_string_element (devices, node);
  }
  arguments = props ("job-id", "s", JOB_ID, "tag", "s", tag, "devices", "a", devices, NULL);
  if (!g_str_equal (command, "snapshot-delete") && first != NULL)
    json_object_set_string_member (arguments, "vmstate", first);
  job_extend_deadline (job, patience);
  return qmp_run (qmp, job, command, arguments, error) && wait_for_end (qmp, job, patience, command, error);
}
