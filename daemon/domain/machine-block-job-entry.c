/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What is known of the block jobs of a machine: the list, what stands in a job's way, and what clients see of
 * one, in the document and by events. How a job moves is in machine-block-jobs.c.
 */
#include "daemon/domain/machine-block-job-entry.h"

#include "daemon/domain/machine-backup.h"

gboolean
machine_block_job_is_owned (const MachineBlockJob *entry)
{
  return entry->job->owner != NULL;
}

static void
entry_free (gpointer data)
{
  MachineBlockJob *entry = data;

  block_job_free (entry->job);
  g_free (entry->problem);
  g_ptr_array_unref (entry->waiters);
  g_free (entry);
}

MachineBlockJob *
machine_block_job_new (Machine *machine, BlockJob *job)
{
  MachineBlockJob *entry = g_new0 (MachineBlockJob, 1);

  entry->machine = machine;
  entry->job = job;
  entry->waiters = g_ptr_array_new ();
  if (machine->block_jobs == NULL)
    machine->block_jobs = g_ptr_array_new_with_free_func (entry_free);
  g_ptr_array_add (machine->block_jobs, entry);
  return entry;
}

MachineBlockJob *
machine_find_block_job_id (const Machine *machine, const char *id)
{
  for (guint i = 0; machine->block_jobs != NULL && i < machine->block_jobs->len; i++) {
    MachineBlockJob *entry = g_ptr_array_index (machine->block_jobs, i);

    if (g_strcmp0 (entry->job->id, id) == 0)
      return entry;
  }
  return NULL;
}

MachineBlockJob *
machine_find_block_job (const Machine *machine, const char *target)
{
  for (guint i = 0; machine->block_jobs != NULL && i < machine->block_jobs->len; i++) {
    MachineBlockJob *entry = g_ptr_array_index (machine->block_jobs, i);

    if (target == NULL || g_str_equal (entry->job->target, target))
      return entry;
  }
  return NULL;
}

const BlockJob *
machine_block_job_record (const MachineBlockJob *job)
{
  return job->job;
}

gboolean
machine_check_no_block_job (const Machine *machine, const char *target, GError **error)
{
  const MachineBlockJob *entry = machine_find_block_job (machine, target);

  if (entry == NULL && target != NULL && machine_backup_has_disk (machine, target)) {
    virt_error_set (error, VIR_ERR_OPERATION_UNSUPPORTED, "disk '%s' already in active block job", target);
    return FALSE;
  }
  if (entry == NULL)
    return TRUE;
  if (target == NULL)
    virt_error_set (error, VIR_ERR_OPERATION_INVALID, "domain has active block job");
  else
    virt_error_set (error,
                    entry->job->kind->pivots ? VIR_ERR_BLOCK_COPY_ACTIVE : VIR_ERR_OPERATION_UNSUPPORTED,
                    "disk '%s' already in active block job", target);
  return FALSE;
}

gboolean
machine_check_device_free (const Machine *machine, const char *alias, GError **error)
{
  for (guint i = 0; alias != NULL && machine->block_jobs != NULL && i < machine->block_jobs->len; i++) {
    const MachineBlockJob *entry = g_ptr_array_index (machine->block_jobs, i);

    if (g_str_equal (entry->job->alias, alias))
      return machine_check_no_block_job (machine, entry->job->target, error);
  }
  return TRUE;
}

DeviceDisk *
block_job_disk (const DomainDef *def, const BlockJob *job)
{
  Device *device = domain_def_find_alias ((DomainDef *)def, job->alias);

  return device != NULL && device->kind == &disk_kind ? (DeviceDisk *)device : NULL;
}

void
machine_block_job_set_ready (Machine *machine, const BlockJob *job, int ready)
{
  DomainDef *def = domain_def_copy (machine->def);
  DeviceDisk *disk = block_job_disk (def, job);

  if (disk == NULL || disk->mirror == NULL || disk->mirror->ready == ready) {
    domain_def_unref (def);
    return;
  }
  disk->mirror->ready = ready;
  machine_replace_def (machine, def);
}

void
machine_block_job_emit (Machine *machine, const BlockJob *job, int status)
{
  const DeviceDisk *disk = block_job_disk (machine->def, job);
  Events *events = machine->domain->manager->events;
  const char *path = disk != NULL ? disk_source_text (disk) : NULL;

  if (job->kind->type == 0)
    return;
  events_domain (events, machine->domain, VIR_DOMAIN_EVENT_ID_BLOCK_JOB,
                 g_variant_new ("(sii)", path != NULL ? path : "", job->kind->type, status));
  events_domain (events, machine->domain, VIR_DOMAIN_EVENT_ID_BLOCK_JOB_2,
                 g_variant_new ("(sii)", job->target, job->kind->type, status));
}
