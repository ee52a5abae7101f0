/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * A backup job begun, and the document of the one that runs. How it goes and how it is given up are those of
 * every long job (domain-job.c).
 */
#include "daemon/domain/machine-backup.h"
#include "daemon/domain/machine-block-jobs.h"
#include "daemon/object/child-store.h"
#include "daemon/ops/object/object-children.h"
#include "daemon/ops/ops.h"
#include "daemon/snapshot/checkpoint-kind.h"
#include "snapshot/backup-complete.h"
#include "snapshot/checkpoint-complete.h"

#include <string.h>

typedef struct {
  Call *call;
  DomainDef *live;
  gint64 now;
  BackupDef *def;
  CheckpointDef *checkpoint; /* or NULL */
} Begin;

static void
begin_free (gpointer data)
{
  Begin *begin = data;

  g_clear_pointer (&begin->live, domain_def_unref);
  document_unref (&backup_document, begin->def);
  document_unref (&checkpoint_document, begin->checkpoint);
  g_free (begin);
}

static BackupDef *
read_backup (const char *text, GError **error)
{
  g_autoptr (Diagnostics) diagnostics = diagnostics_new (NULL);
  BackupDef *def = document_read (&backup_document, text, -1, 0, diagnostics);

  if (diagnostics_check (diagnostics, error))
    return def;
  document_unref (&backup_document, def);
  return NULL;
}

static gboolean
read_checkpoint (Begin *begin, GError **error)
{
  const char *text = call_maybe_string (begin->call, 2);

  if (text == NULL)
    return TRUE;
  begin->checkpoint = checkpoint_read (text, error);
  return begin->checkpoint != NULL && checkpoint_complete (begin->checkpoint, begin->live, begin->now, error)
         && checkpoint_check_formats (begin->checkpoint, begin->live, error)
         && child_store_check_name (&checkpoint_kind, begin->checkpoint->name, error);
}

/* Stores that the document does not name get the name of the checkpoint, or the time. */
static gpointer
read_job (G_GNUC_UNUSED Job *job, gpointer data, GError **error)
{
  Begin *begin = data;
  g_autofree char *suffix = NULL;

  begin->def = read_backup (call_string (begin->call, 1), error);
  if (begin->def == NULL || !read_checkpoint (begin, error))
    return NULL;
  suffix = begin->checkpoint != NULL ? g_strdup (begin->checkpoint->name)
                                     : g_strdup_printf ("%" G_GINT64_FORMAT, begin->now);
  return backup_complete (begin->def, begin->live, suffix, error) ? JOB_OK : NULL;
}

static gboolean
check_block_jobs (const Machine *machine, const BackupDef *def, GError **error)
{
  for (guint i = 0; i < def->disks->len; i++) {
    const BackupDisk *disk = g_ptr_array_index (def->disks, i);

    if (backup_disk_is_copied (disk) && !machine_check_no_block_job (machine, disk->name, error))
      return FALSE;
  }
  return TRUE;
}

static void
read_done (gpointer result, const GError *error, gpointer data)
{
  Begin *begin = data;
  Call *call = begin->call;
  GError *problem = NULL;
  Domain *domain;

  if (result == NULL) {
    call_fail (call, g_error_copy (error));
    return;
  }
  domain = call_find_domain_again (call);
  if (domain == NULL || !call_check_monitor (call))
    return;
  if (!check_block_jobs (domain->machine, begin->def, &problem))
    call_fail (call, problem);
  else if (begin->checkpoint == NULL
           || checkpoint_follow_current (domain->checkpoints, begin->checkpoint, &problem))
    machine_backup_begin (call, g_steal_pointer (&begin->def), g_steal_pointer (&begin->checkpoint),
                          (call_uint (call, 3) & VIR_DOMAIN_BACKUP_BEGIN_REUSE_EXTERNAL) != 0);
  else
    call_fail (call, problem);
}

static void
begin_now (Domain *domain, Call *call)
{
  Begin *begin;

  if (!call_check_monitor (call))
    return;
  if (domain->machine->backup != NULL) {
    call_fail_with (call, VIR_ERR_OPERATION_INVALID, "another backup job is already running");
    return;
  }
  begin = g_new0 (Begin, 1);
  begin->call = call;
  begin->live = domain_def_ref (domain->machine->def);
  begin->now = g_get_real_time () / G_USEC_PER_SEC;
  call->user_data = begin;
  call->user_free = begin_free;
  call_work (call, strlen (call_string (call, 1)), "backup", read_job, begin, NULL, read_done);
}

void
op_domain_backup_begin (Call *call)
{
  if (!call_check_flags (call, call_uint (call, 3), VIR_DOMAIN_BACKUP_BEGIN_REUSE_EXTERNAL))
    return;
  if (call->domain->machine == NULL)
    call_fail_with (call, VIR_ERR_OPERATION_UNSUPPORTED, "cannot perform disk backup for inactive domain");
  else
    domain_lock (call->domain, "backup", call, begin_now);
}

void
op_domain_backup_get_xml_desc (Call *call)
{
  const BackupDef *def = call->domain->machine != NULL ? machine_backup_def (call->domain->machine) : NULL;
  g_autofree char *xml = NULL;

  if (!call_check_flags (call, call_uint (call, 1), 0))
    return;
  if (def == NULL) {
    call_fail_with (call, VIR_ERR_NO_DOMAIN_BACKUP, "no domain backup job present");
    return;
  }
  xml = document_to_xml (&backup_document, def, FIELD_WRITE_LIVE);
  call_answer (call, g_variant_new ("(s)", xml));
}
