/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Saving a machine, into a client's file or the domain's own place (a managed save, from which the next start
 * goes on). The job is daemon/drivers/qemu/save.h's; what it leaves, a file and a stopped machine, is
 * committed here by ending the machine.
 */
#include "daemon/domain/machine-asked.h"
#include "daemon/domain/machine-backup.h"
#include "daemon/domain/machine-block-jobs.h"
#include "daemon/drivers/qemu/restore.h"
#include "daemon/drivers/qemu/save.h"
#include "daemon/ops/domain/parameters.h"
#include "daemon/ops/ops.h"

#define SAVE_KNOWN_FLAGS (VIR_DOMAIN_SAVE_BYPASS_CACHE | VIR_DOMAIN_SAVE_RUNNING | VIR_DOMAIN_SAVE_PAUSED)
#define END_SECONDS      15 /* a killed process that is not gone by then is stuck in the kernel */

typedef struct {
  Call *call;
  char *path;        /* NULL: managed */
  char *replacement; /* a document for the image, or NULL */
  guint flags;
  DomainDef *def; /* what it became */
} Save;

static void
save_free (gpointer data)
{
  Save *save = data;

  g_free (save->path);
  g_free (save->replacement);
  g_clear_pointer (&save->def, domain_def_unref);
  g_free (save);
}

static void
save_done (gpointer result, const GError *error, gpointer data)
{
  Call *call = data;
  const Save *save = call->user_data;
  Domain *domain = manager_find_uuid (call->manager, call->domain_uuid, NULL);
  Machine *machine = domain != NULL ? domain->machine : NULL;

  if (domain != NULL) {
    domain->job = NULL;
    domain_end_progress (domain, error);
  }
  if (result != NULL && save->path == NULL && domain != NULL)
    domain->managed_save = TRUE;
  if (result == NULL) {
    if (machine != NULL)
      machine_set_saving (machine, NULL, NULL);
    call_fail (call, g_error_copy (error));
  } else if (machine == NULL) {
    call_answer_nothing (call);
  } else {
    machine_answer_at_end (machine, call, END_SECONDS);
    machine_end (machine, FALSE, VIR_DOMAIN_SHUTOFF_SAVED, VIR_DOMAIN_EVENT_STOPPED_SAVED);
  }
}

/* The domain's lock is this call's, and the machine runs. */
static void
save_now (Call *call, Domain *domain)
{
  Machine *machine = domain->machine;
  const Settings *settings = call->manager->settings;
  Save *save = call->user_data;
  g_autofree char *managed = managed_save_path (settings, domain->uuid);
  Progress *progress = progress_new (VIR_DOMAIN_JOB_OPERATION_SAVE);
  gboolean running = domain->state == VIR_DOMAIN_RUNNING;
  SaveRequest *request =
      save_request_new (machine->qmp, save->path != NULL ? save->path : managed,
                        save->def != NULL ? save->def : machine->def, progress, settings->call_timeout);

  request->managed = save->path == NULL;
  request->running = running;
  request->run_again =
      (save->flags & VIR_DOMAIN_SAVE_RUNNING) || (running && !(save->flags & VIR_DOMAIN_SAVE_PAUSED));
  request->drop_cache = (save->flags & VIR_DOMAIN_SAVE_BYPASS_CACHE) != 0;
  machine_note_asked (machine, call, NULL);
  machine_set_saving (machine, request->path, request->id);
  if (running) {
    machine_events_expect_pause (machine->events, VIR_DOMAIN_PAUSED_SAVE, VIR_DOMAIN_EVENT_SUSPENDED_PAUSED);
    machine_events_expect_run (machine->events, VIR_DOMAIN_RUNNING_SAVE_CANCELED,
                               VIR_DOMAIN_EVENT_RESUMED_UNPAUSED);
  }
  progress_unref (domain->progress); /* of a dump after a crash */
  domain->progress = progress;
  domain->job =
      job_start ("save", save_job, request, save_request_free, settings->call_timeout, save_done, call);
}

static gpointer
read_replacement (Job *job, gpointer input, GError **error)
{
  Call *call = input;
  Save *save = call->user_data;
  g_autoptr (DomainDef) live = save->def; /* the machine's, until it is replaced */

  (void)job;
  save->def = restore_replacement (save->replacement, live, call->manager->platform, error);
  return save->def != NULL ? JOB_OK : NULL;
}

static gboolean
may_save (Call *call, Domain *domain)
{
  GError *error = NULL;

  if (domain_check_active (domain, &error) && domain_check_monitor (domain, &error)
      && domain_check_no_backup (domain, &error)
      && machine_check_no_block_job (domain->machine, NULL, &error))
    return TRUE;
  call_fail (call, error);
  return FALSE;
}

static void
replacement_read (gpointer result, const GError *error, gpointer data)
{
  Call *call = data;
  Domain *domain;

  if (result == NULL) {
    call_fail (call, g_error_copy (error));
    return;
  }
  domain = call_find_domain_again (call);
  if (domain != NULL && may_save (call, domain))
    save_now (call, domain);
}

static void
save_begin (Domain *domain, Call *call)
{
  Save *save = call->user_data;

  if (!may_save (call, domain))
    return;
  if (save->path == NULL && !domain->persistent) {
    call_fail_with (call, VIR_ERR_OPERATION_INVALID, "cannot do managed save for transient domain");
  } else if (save->replacement == NULL) {
    save_now (call, domain);
  } else {
    save->def = domain_def_ref (domain->machine->def);
    job_start ("save-xml", read_replacement, call, NULL, 0, replacement_read, call);
  }
}

/* @path NULL: managed. */
static void
save_call (Call *call, const char *path, const char *replacement, guint flags)
{
  GError *error = NULL;
  Save *save;

  if (!call_check_flags (call, flags, SAVE_KNOWN_FLAGS))
    return;
  if ((flags & VIR_DOMAIN_SAVE_RUNNING) && (flags & VIR_DOMAIN_SAVE_PAUSED)) {
    call_fail_with (call, VIR_ERR_INVALID_ARG,
                    "Flags 'VIR_DOMAIN_SAVE_RUNNING' and 'VIR_DOMAIN_SAVE_PAUSED' are mutually exclusive");
    return;
  }
  if (!domain_check_active (call->domain, &error)) {
    call_fail (call, error);
    return;
  }
  save = g_new0 (Save, 1);
  save->call = call;
  save->path = g_strdup (path);
  save->replacement = g_strdup (replacement);
  save->flags = flags;
  call->user_data = save;
  call->user_free = save_free;
  domain_lock (call->domain, "save", call, save_begin);
}

void
op_domain_save (Call *call)
{
  gboolean with_flags = g_variant_n_children (call->arguments) > 2;

  save_call (call, call_string (call, 1), with_flags ? call_maybe_string (call, 2) : NULL,
             with_flags ? call_uint (call, 3) : 0);
}

/* Without a file it is a managed save, as libvirt has it. */
void
op_domain_save_params (Call *call)
{
  g_autoptr (GVariant) parameters = g_variant_get_child_value (call->arguments, 1);
  const char *path = NULL, *replacement = NULL;

  if (!call_take_strings (call, parameters,
                          (const CallString[]){ { VIR_DOMAIN_SAVE_PARAM_FILE, &path },
                                                { VIR_DOMAIN_SAVE_PARAM_DXML, &replacement },
                                                { NULL, NULL } }))
    return;
  if (path == NULL && replacement != NULL)
    call_fail_with (call, VIR_ERR_ARGUMENT_UNSUPPORTED,
                    "a document of its own is for a save into a file (parameter '%s')",
                    VIR_DOMAIN_SAVE_PARAM_FILE);
  else
    save_call (call, path, replacement, call_uint (call, 2));
}

void
op_domain_managed_save (Call *call)
{
  save_call (call, NULL, NULL, call_uint (call, 1));
}

/* Taking a managed save away. */

static gpointer
remove_job (G_GNUC_UNUSED Job *job, gpointer path, GError **error)
{
  if (access (path, F_OK) == 0)
    return managed_save_remove (path, error) ? JOB_OK : NULL;
  virt_error_set (error, VIR_ERR_SYSTEM_ERROR, "Failed to remove managed save file '%s': %s",
                  (const char *)path, g_strerror (errno));
  return NULL;
}

static void
removed (gpointer result, const GError *error, gpointer data)
{
  Call *call = data;
  Domain *domain;

  if (result == NULL) {
    call_fail (call, g_error_copy (error));
    return;
  }
  domain = call_find_domain_again (call);
  if (domain == NULL)
    return;
  domain->managed_save = FALSE;
  call_answer_nothing (call);
}

static void
remove_begin (Domain *domain, Call *call)
{
  job_start ("save-remove", remove_job, managed_save_path (call->manager->settings, domain->uuid), g_free, 0,
             removed, call);
}

void
op_domain_managed_save_remove (Call *call)
{
  if (call_check_flags (call, call_uint (call, 1), 0))
    domain_lock (call->domain, "save-remove", call, remove_begin);
}
