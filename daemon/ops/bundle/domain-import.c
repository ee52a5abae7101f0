/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * A machine out of a file of a client's. A job reads all of it; what it leaves, files beside their places, is
 * committed as every definition is: in turn, with the name and UUID found free at the last moment.
 */
#include "daemon/bundle/import.h"
#include "daemon/bundle/transfers.h"
#include "daemon/object/change.h"
#include "daemon/object/child.h"
#include "daemon/ops/bundle/transfer-call.h"
#include "daemon/ops/domain/parameters.h"
#include "daemon/ops/ops.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#define DESCRIPTORS_MAX 2

int
transfer_descriptor (Call *call, guint index)
{
  return index < call_file_count (call) ? g_unix_fd_list_get (call->files, (int)index, NULL) : -1;
}

static gboolean
is_a (Call *call, guint index, gboolean (*fits) (mode_t mode))
{
  int fd = transfer_descriptor (call, index);
  struct stat status;
  gboolean good = fd >= 0 && fstat (fd, &status) == 0 && fits (status.st_mode);

  if (fd >= 0)
    close (fd);
  return good;
}

static gboolean
fits_archive (mode_t mode)
{
  return S_ISREG (mode) || S_ISFIFO (mode) || S_ISSOCK (mode) || S_ISBLK (mode) || S_ISCHR (mode);
}

static gboolean
fits_conversation (mode_t mode)
{
  return S_ISSOCK (mode);
}

gboolean
transfer_check_descriptors (Call *call)
{
  guint count = call_file_count (call);

  if (count < 1 || count > DESCRIPTORS_MAX || !is_a (call, 0, fits_archive))
    call_fail_with (call, VIR_ERR_INVALID_ARG,
                    "the call must come with the descriptor of an archive, and may with that of a socket");
  else if (count > 1 && !is_a (call, 1, fits_conversation))
    call_fail_with (call, VIR_ERR_INVALID_ARG, "the second descriptor must be a socket");
  else
    return TRUE;
  return FALSE;
}

/* The call's own, until it is answered. */
typedef struct {
  ImportRequest *request;
  const char *transfer; /* or NULL */
} Import;

static void
import_free (gpointer data)
{
  Import *import = data;

  if (import->transfer != NULL)
    transfers_remove (import->transfer);
  import_request_free (import->request);
  g_free (import);
}

static void
answer (Call *call, const ImportRequest *request, const char *uuid)
{
  GVariantBuilder findings;

  g_variant_builder_init (&findings, G_VARIANT_TYPE ("a(ss)"));
  for (guint i = 0; i < request->findings->len; i++) {
    const ImportFinding *finding = g_ptr_array_index (request->findings, i);

    g_variant_builder_add (&findings, "(ss)", finding->kind, finding->text);
  }
  call_answer (call, g_variant_new ("(sa(ss))", uuid, &findings));
}

static ImportRequest *
request_of (gpointer call)
{
  return ((Import *)((Call *)call)->user_data)->request;
}

static gboolean
commit_check (Manager *manager, gpointer call, GError **error)
{
  const DomainDef *def = request_of (call)->plan->def;
  Domain *same = NULL;

  if (!manager_check_identity (manager, def->name, def->uuid, &same, error))
    return FALSE;
  if (same != NULL)
    virt_error_set (error, VIR_ERR_OPERATION_FAILED, "domain '%s' was defined meanwhile", def->name);
  return same == NULL;
}

static gboolean
commit_write (Store *store, gpointer call, GError **error)
{
  ImportRequest *request = request_of (call);

  gboolean done =
      import_journal_commit (request->journal, store, request->plan->source, request->completed, error);

  g_clear_pointer (&request->journal, import_journal_free);
  return done;
}

/* What was read is removed in a job, before the client is told. */
typedef struct {
  Call *call;
  GError *error;
} Removal;

static gpointer
remove_job (G_GNUC_UNUSED Job *job, gpointer removal, G_GNUC_UNUSED GError **error)
{
  g_clear_pointer (&request_of (((Removal *)removal)->call)->journal, import_journal_free);
  return JOB_OK;
}

static void
removed (G_GNUC_UNUSED gpointer result, G_GNUC_UNUSED const GError *error, gpointer data)
{
  Removal *removal = data;

  call_fail (removal->call, g_steal_pointer (&removal->error));
}

static void
commit_done (Manager *manager, gpointer data, const GError *error)
{
  Call *call = data;
  ImportRequest *request = request_of (call);
  Domain *domain;

  if (error != NULL && request->journal != NULL) { /* it was not even begun */
    Removal *removal = g_new0 (Removal, 1);

    *removal = (Removal){ call, g_error_copy (error) };
    job_start ("import-remove", remove_job, removal, g_free, 0, removed, removal);
    return;
  }
  if (error != NULL) {
    call_fail (call, g_error_copy (error));
    return;
  }
  domain = manager_commit_definition (manager, request->plan->def, g_ptr_array_new_with_free_func (g_free));
  domain->managed_save = request->has_memory;
  child_tree_fill (domain->snapshots, request->snapshots, request->snapshot);
  answer (call, request, domain->uuid);
}

static const ChangeKind import_change = { "import", commit_check, commit_write, commit_done };

static void
import_done (gpointer result, const GError *error, gpointer data)
{
  Call *call = data;

  if (result == NULL)
    call_fail (call, g_error_copy (error));
  else if (request_of (call)->flags & IMPORT_CHECK)
    answer (call, request_of (call), "");
  else
    change_start (call->manager, &import_change, call, NULL);
}

void
op_domain_import (Call *call)
{
  g_autoptr (GVariant) parameters = g_variant_get_child_value (call->arguments, 0);
  g_autoptr (GVariant) maps = g_variant_get_child_value (call->arguments, 1);
  const char *transfer = NULL, *name = NULL, *directory = NULL;
  GError *error = NULL;
  Import *import;
  ImportRequest *request;

  if (!call_check_flags (call, call_uint (call, 2), IMPORT_KNOWN_FLAGS)
      || !call_take_strings (
          call, parameters,
          (const CallString[]){
              { "transfer", &transfer }, { "name", &name }, { "directory", &directory }, { NULL, NULL } })
      || !transfer_check_descriptors (call))
    return;
  import = g_new0 (Import, 1);
  import->request = request = g_new0 (ImportRequest, 1);
  call->user_data = import;
  call->user_free = import_free;
  request->manager = call->manager;
  request->flags = call_uint (call, 2);
  request->author = call_author (call);
  request->archive = transfer_descriptor (call, 0);
  request->verifier = transfer_descriptor (call, 1);
  request->directory = g_strdup (directory);
  request->name = g_strdup (name);
  request->maps = g_variant_dup_strv (maps, NULL);
  request->progress = progress_new (VIR_DOMAIN_JOB_OPERATION_UNKNOWN);
  request->patience = call->manager->settings->call_timeout;
  if (directory != NULL && directory[0] != '/') {
    call_fail_with (call, VIR_ERR_INVALID_ARG, "the directory '%s' is no absolute path", directory);
    return;
  }
  if (transfer != NULL && !transfers_add (transfer, request->progress, &error)) {
    call_fail (call, error);
    return;
  }
  import->transfer = transfer;
  job_start ("import", import_job, request, NULL, 0, import_done, call);
}

/* How far one is. */

static Progress *
find_transfer (Call *call)
{
  Progress *progress = transfers_find (call_string (call, 0));

  if (progress == NULL)
    call_fail_with (call, VIR_ERR_OPERATION_INVALID, "there is no transfer '%s'", call_string (call, 0));
  return progress;
}

void
op_transfer_progress (Call *call)
{
  Progress *progress = find_transfer (call);
  ProgressFigures figures = { 0 };

  if (progress == NULL)
    return;
  progress_get (progress, &figures);
  call_answer (call, g_variant_new ("(tt)", figures.processed, figures.total));
}

void
op_transfer_abort (Call *call)
{
  Progress *progress = find_transfer (call);

  if (progress == NULL)
    return;
  progress_give_up (progress);
  call_answer_nothing (call);
}
