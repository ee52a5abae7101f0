/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A block job begins: what it needs is checked and made in a thread, its record is written, and only then
 * does the disk have a job and QEMU hear of it. Of one that does not begin nothing is left.
 */
#include "daemon/call/call.h"
#include "daemon/core/main-loop.h"
#include "daemon/domain/machine-block-job-entry.h"
#include "daemon/domain/machine-devices.h"
#include "daemon/host/named-file.h"

static void
request_free (gpointer data)
{
  BlockJobRequest *request = data;

  machine_hotplug_clear (&request->plug);
  g_clear_pointer (&request->start.def, domain_def_unref);
  block_job_free (request->start.job);
  g_free (request->start.backing);
  g_free (request->target);
  g_free (request->uuid);
  g_free (request->made_file);
  if (request->free_data != NULL)
    request->free_data (request->data);
  g_free (request);
}

/* The record is written: from now on the disk has a job. */
static void
publish (gpointer data)
{
  BlockJobRequest *request = data;
  Machine *machine = manager_find_machine (request->manager, request->uuid, request->id);
  MachineBlockJob *entry;
  DomainDef *def;
  DeviceDisk *disk;

  if (machine == NULL)
    return;
  entry = machine_block_job_new (machine, block_job_copy_of (request->start.job));
  entry->ended = request->ended;
  entry->ended_data = request->ended_data;
  if (request->start.disk->mirror == NULL)
    return;
  def = domain_def_copy (machine->def);
  disk = block_job_disk (def, entry->job);
  if (disk != NULL)
    disk->mirror = field_copy (&disk_mirror_table, request->start.disk->mirror);
  machine_replace_def (machine, def);
}

/* What was made for it, when it does not begin. */
static void
undo (Job *thread, BlockJobRequest *request)
{
  BlockJobStart *start = &request->start;
  g_autofree char *problem = NULL;
  g_autoptr (GError) error = NULL;

  if (start->job != NULL
      && !block_job_conclude (thread, &request->plug, start->def, start->job, &problem, &error))
    g_warning ("what was made for block job '%s' may still be there: %s", start->job->id, error->message);
  if (request->made_file != NULL)
    named_file_unlink (request->made_file);
}

static gpointer
begin_job (Job *thread, gpointer data, GError **error)
{
  BlockJobRequest *request = data;
  BlockJobStart *start = &request->start;
  g_autofree char *json = NULL;

  if (request->prepare (thread, request, error)) {
    json = block_job_to_json (start->job);
    if (store_save_record (request->plug.store, request->uuid, BLOCK_JOB_RECORD, start->job->id, json,
                           error)) {
      job_in_main_loop (thread, publish, request);
      if (request->begin (thread, &request->plug, start, error))
        return JOB_OK;
    }
  }
  undo (thread, request);
  return NULL;
}

static void
begin_done (G_GNUC_UNUSED gpointer result, const GError *error, gpointer data)
{
  BlockJobRequest *request = data;
  const BlockJob *job = request->start.job;
  Machine *machine = manager_find_machine (request->manager, request->uuid, request->id);
  MachineBlockJob *entry =
      machine != NULL && job != NULL ? machine_find_block_job_id (machine, job->id) : NULL;

  if (machine != NULL)
    machine->domain->job = NULL;
  if (entry != NULL && error != NULL) {
    machine_replace_def (machine, block_job_apply (job, BLOCK_JOB_CANCELED, machine->def));
    store_remove_record (request->manager->store, request->uuid, BLOCK_JOB_RECORD, job->id);
    g_ptr_array_remove (machine->block_jobs, entry);
    entry = NULL;
  }
  if (entry != NULL) {
    entry->begun = TRUE;
    if (entry->job->state == BLOCK_JOB_STARTING)
      entry->job->state = BLOCK_JOB_RUNNING;
  }
  request->done (request, error);
  if (entry != NULL)
    machine_block_job_go_on (entry);
}

void
machine_block_job_begin (Machine *machine, BlockJobRequest *request)
{
  MAIN_LOOP_ONLY ();

  Domain *domain = machine->domain;

  request->manager = domain->manager;
  request->uuid = g_strdup (domain->uuid);
  request->id = domain->id;
  machine_hotplug_init (machine, &request->plug);
  request->start.def = domain_def_copy (machine->def);
  DOMAIN_FOREACH_DEVICE (request->start.def, disk_kind, DeviceDisk, disk) {
    if (g_strcmp0 (disk->target, request->target) == 0)
      request->start.disk = disk;
  }
  domain->job = job_start ("block-job", begin_job, request, request_free,
                           domain->manager->settings->call_timeout, begin_done, request);
}
