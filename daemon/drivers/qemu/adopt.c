/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Finding machines again. The process's pid and start time tell it from any other; its monitor socket stands
 * in the run directory, where QEMU still listens. It is asked for its status, and for its devices
 * (adopt-devices.c): everything else of the machine is in its files.
 */
#include "daemon/drivers/qemu/adopt.h"

#include "daemon/drivers/qemu/machine-events.h"
#include "daemon/drivers/qemu/migration-disks.h"
#include "daemon/drivers/qemu/migration.h"
#include "daemon/drivers/qemu/monitor-socket.h"
#include "daemon/drivers/qemu/save-image.h"
#include "daemon/drivers/qemu/save.h"

#include <unistd.h>

struct AdoptRequest {
  MachineStatus *status;
  DomainDef *live;
  const Platform *platform;
  Hotplug plug; /* its monitor is the job's own */
  const ObjectKind *checkpoints;
  char *run_directory, *managed_save;
  guint patience; /* seconds for each answer of QEMU's */
};

/* A monitor on its way into the main loop. */
typedef struct {
  int fd;
  Qmp *qmp;
} MonitorOpening;

Process *
adopt_process (const MachineStatus *status)
{
  return process_adopt (status->pid, status->start_time);
}

AdoptRequest *
adopt_request_new (const MachineStatus *status, DomainDef *live, const Platform *platform,
                   const Hotplug *plug, const ObjectKind *checkpoints)
{
  AdoptRequest *request = g_new0 (AdoptRequest, 1);

  request->status = machine_status_copy (status);
  request->live = domain_def_ref (live);
  request->platform = platform;
  request->plug = *plug;
  request->checkpoints = checkpoints;
  request->run_directory = store_run_directory (plug->store, status->uuid);
  request->managed_save = managed_save_path (plug->settings, status->uuid);
  request->patience = plug->settings->call_timeout;
  return request;
}

void
adopt_request_free (AdoptRequest *request)
{
  if (request == NULL)
    return;
  machine_status_free (request->status);
  domain_def_unref (request->live);
  g_free (request->run_directory);
  g_free (request->managed_save);
  g_free (request);
}

void
adopted_machine_free (AdoptedMachine *adopted)
{
  if (adopted == NULL)
    return;
  qmp_unref (adopted->qmp);
  g_ptr_array_unref (adopted->added);
  g_ptr_array_unref (adopted->updated);
  g_ptr_array_unref (adopted->removed);
  g_ptr_array_unref (adopted->block_jobs);
  g_array_unref (adopted->vcpus);
  g_clear_pointer (&adopted->iothreads, g_array_unref);
  backup_record_free (adopted->backup);
  checkpoint_note_free (adopted->checkpoints);
  g_free (adopted);
}

static void
open_monitor (gpointer data)
{
  MonitorOpening *opening = data;

  opening->qmp = qmp_new (opening->fd, qmp_any_id (), NULL, NULL);
}

static void
close_monitor (gpointer data)
{
  qmp_close (data);
}

/* (transfer full) */
static char *
ask_status (Qmp *qmp, Job *job, GError **error)
{
  g_autoptr (JsonNode) answer =
      qmp_wait_ready (qmp, job, error) ? qmp_call (qmp, job, "query-status", NULL, error) : NULL;

  if (answer == NULL)
    return NULL;
  const char *status = untrusted_text (untrusted_object_of (answer), "status");
  if (status == NULL)
    virt_error_set (error, VIR_ERR_OPERATION_FAILED, "QEMU's answer to 'query-status' has no status");
  return g_strdup (status);
}

/* The daemon ended while it was being saved. The file has its name only when it is whole: then it counts, and
 * otherwise the machine does. */
static gboolean
was_saved (const MachineStatus *status)
{
  g_autoptr (SaveImage) image = save_image_open (status->save_path, FALSE, NULL);

  return image != NULL && g_strcmp0 (image->id, status->save_id) == 0;
}

/* As if it had never been begun. (transfer full): what QEMU says now. */
static char *
take_save_back (AdoptRequest *request, Qmp *qmp, Job *job, GError **error)
{
  MachineStatus *status = request->status;
  gboolean ran = status->state == VIR_DOMAIN_RUNNING
                 || (status->state == VIR_DOMAIN_PAUSED && status->reason == VIR_DOMAIN_PAUSED_SAVE);
  g_autoptr (JsonNode) answer = NULL;

  if (!migration_stop (qmp, job, request->patience, error))
    return NULL;
  if (ran && (answer = qmp_call (qmp, job, "cont", NULL, error)) == NULL)
    return NULL;
  if (ran) {
    status->state = VIR_DOMAIN_RUNNING;
    status->reason = VIR_DOMAIN_RUNNING_SAVE_CANCELED;
  }
  return ask_status (qmp, job, error);
}

/* It was being sent to another host, whose QEMU was not told to run: it runs on here. What is on its way by
 * post-copy is not: that QEMU runs. */
static gboolean
is_to_be_taken_back (const MachineStatus *status)
{
  static const char *const phases[] = { "perform", "take-back", NULL };

  return status->migration_phase != NULL && g_strv_contains (phases, status->migration_phase);
}

/* (transfer full): what QEMU says now. */
static char *
take_migration_back (AdoptRequest *request, Qmp *qmp, Job *job, GError **error)
{
  MachineStatus *status = request->status;
  g_autofree char *transfer = migration_ask (qmp, job, NULL, NULL, error);
  g_autoptr (JsonNode) answer = NULL;

  if (transfer == NULL)
    return NULL;
  if (g_str_has_prefix (transfer, "postcopy-"))
    return ask_status (qmp, job, error);
  if (!migration_stop (qmp, job, request->patience, error)
      || !migration_disks_forget (qmp, request->patience, job, error))
    return NULL;
  if (status->migration_ran && (answer = qmp_call (qmp, job, "cont", NULL, error)) == NULL)
    return NULL;
  if (status->migration_ran) {
    status->state = VIR_DOMAIN_RUNNING;
    status->reason = VIR_DOMAIN_RUNNING_MIGRATION_CANCELED;
  }
  return ask_status (qmp, job, error);
}

/* A half-started one has not executed anything: QEMU waits for its saved state, or for its CPUs to be
 * started. With its state restored it says "paused", from whichever file that came. */
static gboolean
is_half_started (const MachineStatus *status, const char *said)
{
  return status->starting
         && (g_str_equal (said, "prelaunch") || g_str_equal (said, "inmigrate")
             || g_str_equal (said, "paused") || g_str_equal (said, "restore-vm"));
}

static void
adopted_block_job_free (gpointer data)
{
  AdoptedBlockJob *found = data;

  block_job_free (found->job);
  block_job_report_clear (&found->report);
  g_free (found);
}

/* What the records say, and QEMU. */
static void
find_block_jobs (const Hotplug *plug, Job *job, const char *uuid, GPtrArray *ret_found)
{
  g_autoptr (GPtrArray) names = store_list_records (plug->store, uuid, BLOCK_JOB_RECORD);

  for (guint i = 0; i < MIN (names->len, BLOCK_JOBS_MAX); i++) {
    const char *name = g_ptr_array_index (names, i);
    g_autoptr (GError) problem = NULL;
    g_autofree char *json = store_load_record (plug->store, uuid, BLOCK_JOB_RECORD, name, &problem);
    AdoptedBlockJob *found = g_new0 (AdoptedBlockJob, 1);

    found->job = json != NULL ? block_job_from_json (json, &problem) : NULL;
    if (found->job != NULL && block_job_ask (job, plug, found->job->id, &found->report, &problem)) {
      g_ptr_array_add (ret_found, found);
      continue;
    }
    g_warning ("what became of the block job '%s' cannot be told: %s", name, problem->message);
    adopted_block_job_free (found);
  }
}

/* A machine whose devices cannot be told is a machine all the same. */
static void
find_devices (AdoptRequest *request, Qmp *qmp, Job *job, AdoptedMachine *adopted)
{
  Hotplug plug = request->plug;
  g_autoptr (GError) problem = NULL;

  plug.qmp = qmp;
  if (!adopt_devices (job, &plug, request->live, request->platform, adopted, &problem)
      || !adopt_processors (job, &plug, request->live, adopted, &problem))
    g_warning ("domain '%s': what became of its devices cannot be told: %s", request->status->name,
               problem->message);
  find_block_jobs (&plug, job, request->status->uuid, adopted->block_jobs);
}

/* A backup that goes on, and checkpoints that were being made or removed. */
static void
find_backup (AdoptRequest *request, Qmp *qmp, Job *job, AdoptedMachine *adopted)
{
  g_autofree char *directory = store_run_directory (request->plug.store, request->status->uuid);
  g_autoptr (GError) problem = NULL;
  CheckpointHost host;

  checkpoint_host_init (&host, request->checkpoints, request->plug.settings, request->status->uuid, qmp,
                        request->plug.caps, request->live, directory);
  adopted->backup = backup_record_load (directory, &problem);
  if (problem != NULL
      || !checkpoint_settle (job, &host,
                             adopted->backup != NULL && adopted->backup->phase != BACKUP_PREPARING,
                             &adopted->checkpoints, &problem))
    g_warning ("domain '%s': what became of its checkpoints cannot be told: %s", request->status->name,
               problem->message);
  checkpoint_host_clear (&host);
}

AdoptedMachine *
adopted_machine_new (void)
{
  AdoptedMachine *adopted = g_new0 (AdoptedMachine, 1);

  adopted->added = g_ptr_array_new_with_free_func ((GDestroyNotify)device_free);
  adopted->updated = g_ptr_array_new_with_free_func ((GDestroyNotify)device_free);
  adopted->removed = g_ptr_array_new_with_free_func (g_free);
  adopted->block_jobs = g_ptr_array_new_with_free_func (adopted_block_job_free);
  adopted->vcpus = g_array_new (FALSE, FALSE, sizeof (guint));
  return adopted;
}

gpointer
adopt_job (Job *job, gpointer data, GError **error)
{
  AdoptRequest *request = data;
  MonitorOpening opening = { monitor_socket_connect (request->run_directory, error), NULL };

  if (opening.fd < 0)
    return NULL;
  job_in_main_loop (job, open_monitor, &opening);

  g_autoptr (Qmp) qmp = opening.qmp;
  g_autofree char *said = ask_status (qmp, job, error);
  if (said == NULL) {
    job_in_main_loop (job, close_monitor, qmp);
    return NULL;
  }

  gboolean saved = request->status->save_path != NULL && was_saved (request->status);
  if ((request->status->save_path != NULL && !saved) || is_to_be_taken_back (request->status)) {
    g_autofree char *before G_GNUC_UNUSED = said;

    said = is_to_be_taken_back (request->status) ? take_migration_back (request, qmp, job, error)
                                                 : take_save_back (request, qmp, job, error);
    if (said == NULL) {
      job_in_main_loop (job, close_monitor, qmp);
      return NULL;
    }
  }
  gboolean image_gone = g_strcmp0 (request->status->restored_path, request->managed_save) == 0
                        && !is_half_started (request->status, said);
  if (image_gone)
    unlink (request->managed_save);

  AdoptedMachine *adopted = adopted_machine_new ();
  adopted->half_started = is_half_started (request->status, said);
  adopted->saved = saved;
  if (!saved && !adopted->half_started) {
    find_devices (request, qmp, job, adopted);
    find_backup (request, qmp, job, adopted);
  }
  adopted->image_gone = image_gone;
  adopted->qmp = g_steal_pointer (&qmp);
  adopted->state = request->status->state;
  adopted->reason = request->status->reason;
  machine_state_from_qemu (said, &adopted->state, &adopted->reason);
  return adopted;
}
