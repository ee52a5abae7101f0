/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Between the job of a backup and the domain. The job's thread lives as long as the backup; the domain's lock
 * is held only until it has begun, for a backup may run for hours in which a machine is still to be changed.
 */
#include "daemon/domain/machine-backup.h"

#include "daemon/call/call.h"
#include "daemon/core/main-loop.h"
#include "domain/devices/disk.h"
#include "snapshot/backup-complete.h"

struct MachineBackup {
  Manager *manager;
  char *uuid;
  int id;     /* of the running machine */
  Call *call; /* who waits for its beginning; NULL: it has begun */
  Job *job;
  Progress *progress;
  BackupDef *def;            /* once it has begun */
  CheckpointDef *checkpoint; /* of it, until then */
};

static void
backup_free (MachineBackup *backup)
{
  document_unref (&backup_document, backup->def);
  document_unref (&checkpoint_document, backup->checkpoint);
  progress_unref (backup->progress);
  g_free (backup->uuid);
  g_free (backup);
}

gboolean
domain_check_no_backup (const Domain *domain, GError **error)
{
  if (domain->machine == NULL || domain->machine->backup == NULL)
    return TRUE;
  virt_error_set (error, VIR_ERR_OPERATION_TIMEOUT,
                  "cannot acquire state change lock (held by monitor=remoteDispatchDomainBackupBegin)");
  return FALSE;
}

gboolean
machine_backup_has_disk (const Machine *machine, const char *target)
{
  const BackupDisk *disk =
      machine->backup != NULL ? backup_def_find_disk (machine->backup->def, target) : NULL;

  return disk != NULL && backup_disk_is_copied (disk);
}

const BackupDef *
machine_backup_def (const Machine *machine)
{
  return machine->backup != NULL ? machine->backup->def : NULL;
}

/* The machine it is of; NULL: that has ended. */
static Machine *
find_machine (const MachineBackup *backup)
{
  Domain *domain = manager_find_uuid (backup->manager, backup->uuid, NULL);

  return domain != NULL && domain->id == backup->id ? domain->machine : NULL;
}

static void
begun (BackupRequest *request, gpointer data)
{
  MachineBackup *backup = data;
  Machine *machine = find_machine (backup);
  Call *call = g_steal_pointer (&backup->call);

  if (machine == NULL) {
    call_fail_with (call, VIR_ERR_OPERATION_FAILED, "domain is no longer running");
    return;
  }
  backup->def = document_ref (&backup_document, request->def);
  machine->backup = backup;
  machine->domain->job = NULL;
  if (backup->checkpoint != NULL) {
    ChildTree *tree = machine->domain->checkpoints;

    tree->current = child_tree_put (tree, backup->checkpoint);
  }
  call_answer_nothing (call);
}

/* As libvirt tells of them: by the image's path, and by the disk's target. */
static void
disk_done (BackupRequest *request G_GNUC_UNUSED, const char *target, BackupDiskEnd end, gpointer data)
{
  static const int statuses[] = { [BACKUP_DISK_COMPLETED] = VIR_DOMAIN_BLOCK_JOB_COMPLETED,
                                  [BACKUP_DISK_CANCELED] = VIR_DOMAIN_BLOCK_JOB_CANCELED,
                                  [BACKUP_DISK_FAILED] = VIR_DOMAIN_BLOCK_JOB_FAILED };
  const MachineBackup *backup = data;
  Machine *machine = find_machine (backup);
  const DeviceDisk *disk = machine != NULL ? domain_def_find_disk (machine->def, target) : NULL;
  const char *path = disk != NULL ? disk_source_text (disk) : NULL;

  if (disk == NULL)
    return;
  events_domain (
      backup->manager->events, machine->domain, VIR_DOMAIN_EVENT_ID_BLOCK_JOB,
      g_variant_new ("(sii)", path != NULL ? path : "", VIR_DOMAIN_BLOCK_JOB_TYPE_BACKUP, statuses[end]));
  events_domain (backup->manager->events, machine->domain, VIR_DOMAIN_EVENT_ID_BLOCK_JOB_2,
                 g_variant_new ("(sii)", target, VIR_DOMAIN_BLOCK_JOB_TYPE_BACKUP, statuses[end]));
}

static void
done (gpointer result G_GNUC_UNUSED, const GError *error, gpointer data)
{
  MachineBackup *backup = data;
  Machine *machine = find_machine (backup);
  Domain *domain = manager_find_uuid (backup->manager, backup->uuid, NULL);

  if (machine != NULL && machine->backup == backup)
    machine->backup = NULL;
  if (domain != NULL && domain->job == backup->job)
    domain->job = NULL;
  if (domain != NULL && domain->progress == backup->progress) {
    if (backup->call == NULL)
      domain_end_progress (domain, error);
    else /* it never began: nobody is told */
      g_clear_pointer (&domain->progress, progress_unref);
  }
  if (backup->call != NULL)
    call_fail (backup->call, g_error_copy (error));
  else if (error != NULL && virt_error_code (error) != VIR_ERR_OPERATION_ABORTED)
    g_warning ("domain %s: %s", backup->uuid, error->message);
  backup_free (backup);
}

static GHashTable *
names_of (const ChildTree *tree)
{
  GHashTable *names = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);

  for (const Child *child = child_next (tree, NULL, NULL); child != NULL;
       child = child_next (tree, NULL, child))
    g_hash_table_add (names, g_strdup (child->name));
  return names;
}

static MachineBackup *
backup_new (const Machine *machine, BackupRequest *request)
{
  Domain *domain = machine->domain;
  Manager *manager = domain->manager;
  g_autofree char *directory = store_run_directory (manager->store, domain->uuid);
  MachineBackup *backup = g_new0 (MachineBackup, 1);

  backup->manager = manager;
  backup->uuid = g_strdup (domain->uuid);
  backup->id = domain->id;
  backup->progress = progress_new (VIR_DOMAIN_JOB_OPERATION_BACKUP);
  checkpoint_host_init (&request->host, domain->checkpoints->kind, manager->settings, domain->uuid,
                        machine->qmp, manager->caps, machine->def, directory);
  request->checkpoints = names_of (domain->checkpoints);
  request->progress = progress_ref (backup->progress);
  request->begun = begun;
  request->disk_done = disk_done;
  request->data = backup;
  progress_unref (domain->progress);
  domain->progress = progress_ref (backup->progress);
  return backup;
}

void
machine_backup_begin (Call *call, BackupDef *def, CheckpointDef *checkpoint, gboolean reuse)
{
  MAIN_LOOP_ONLY ();

  BackupRequest *request = g_new0 (BackupRequest, 1);
  Domain *domain = call->domain;
  MachineBackup *backup = backup_new (domain->machine, request);

  request->def = def;
  request->checkpoint = checkpoint;
  request->reuse = reuse;
  request->owner = call->client->uid;
  backup->call = call;
  backup->checkpoint = checkpoint != NULL ? document_ref (&checkpoint_document, checkpoint) : NULL;
  backup->job = job_start ("backup", backup_job, request, backup_request_free,
                           call->manager->settings->call_timeout, done, backup);
  domain->job = backup->job;
}

void
machine_backup_found (Machine *machine, BackupRecord *record)
{
  MAIN_LOOP_ONLY ();

  BackupRequest *request = g_new0 (BackupRequest, 1);
  MachineBackup *backup = backup_new (machine, request);

  backup->def = document_ref (&backup_document, record->def);
  request->record = record;
  machine->backup = backup;
  progress_set_started (backup->progress, record->started);
  backup->job = job_start ("backup", backup_job, request, backup_request_free,
                           machine->domain->manager->settings->call_timeout, done, backup);
}

void
machine_backup_end (Machine *machine)
{
  MachineBackup *backup = g_steal_pointer (&machine->backup);
  g_autoptr (GError) error = NULL;

  if (backup == NULL)
    return;
  virt_error_set (&error, VIR_ERR_OPERATION_ABORTED, "backup job: the machine has ended");
  if (machine->domain->progress == backup->progress)
    domain_end_progress (machine->domain, error);
  job_cancel (backup->job);
}
