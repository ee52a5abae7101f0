/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * A machine into a file of a client's. The call has the machine's lock until the last byte is written, so
 * that nobody starts or changes it meanwhile, and its progress is the machine's, so that every client of
 * libvirt's sees how far it is and can give it up. That the machine stands still for it is written into its
 * state as for a save whose file never comes: a daemon that is killed meanwhile lets it run on when it is
 * back.
 */
#include "daemon/bundle/export.h"
#include "daemon/bundle/transfers.h"
#include "daemon/domain/machine.h"
#include "daemon/drivers/qemu/save.h"
#include "daemon/ops/bundle/transfer-call.h"
#include "daemon/ops/domain/parameters.h"
#include "daemon/ops/ops.h"

#define NOT_SAVED "export" /* in the state's directory: no file is ever called so */

typedef struct {
  const char *transfer; /* the client's name of it; NULL: none. Lives as long as the call */
  Progress *progress;
} Export;

static void
export_free (gpointer data)
{
  Export *export = data;

  if (export->transfer != NULL)
    transfers_remove (export->transfer);
  progress_unref (export->progress);
  g_free (export);
}

static void
export_done (gpointer result, const GError *error, gpointer data)
{
  ExportRequest *request = data;
  Call *call = request->user_data;
  Domain *domain = manager_find_uuid (call->manager, call->domain_uuid, NULL);
  GVariantBuilder notes;

  if (domain != NULL) {
    domain->job = NULL;
    domain_end_progress (domain, error);
    if (domain->machine != NULL)
      machine_set_saving (domain->machine, NULL, NULL);
  }
  if (result == NULL) {
    call_fail (call, g_error_copy (error));
    return;
  }
  g_variant_builder_init (&notes, G_VARIANT_TYPE_STRING_ARRAY);
  for (guint i = 0; i < request->notes->len; i++)
    g_variant_builder_add (&notes, "s", g_ptr_array_index (request->notes, i));
  call_answer (call, g_variant_new ("(as)", &notes));
}

/* The CPUs will stand still, and run again. */
static void
expect_pause (Domain *domain)
{
  g_autofree char *path = g_build_filename (domain->manager->settings->state_directory, NOT_SAVED, NULL);
  g_autofree char *id = g_uuid_string_random ();

  machine_set_saving (domain->machine, path, id);
  machine_events_expect_pause (domain->machine->events, VIR_DOMAIN_PAUSED_SAVE,
                               VIR_DOMAIN_EVENT_SUSPENDED_PAUSED);
  machine_events_expect_run (domain->machine->events, VIR_DOMAIN_RUNNING_UNPAUSED,
                             VIR_DOMAIN_EVENT_RESUMED_UNPAUSED);
}

/* The domain's lock is this call's. */
static void
export_with (Call *call, DomainDef *def)
{
  Domain *domain = call->domain;
  Machine *machine = domain->machine;
  Export *export = call->user_data;
  ExportRequest *request = g_new0 (ExportRequest, 1);
  GError *error = NULL;

  request->user_data = call;
  request->settings = call->manager->settings;
  request->store = domain->persistent ? call->manager->store : NULL;
  request->flags = call_uint (call, 2);
  request->archive = transfer_descriptor (call, 0);
  request->signer = transfer_descriptor (call, 1);
  request->def = domain_def_ref (def);
  request->progress = progress_ref (export->progress);
  request->patience = call->manager->settings->call_timeout;
  if (machine != NULL && !domain_check_monitor (domain, &error)) {
    export_request_free (request);
    call_fail (call, error);
    return;
  }
  if (machine != NULL) {
    request->live = domain_def_ref (machine->def);
    request->qmp = qmp_ref (machine->qmp);
    request->running = domain->state == VIR_DOMAIN_RUNNING;
  } else if (domain->managed_save && (request->flags & EXPORT_MEMORY)) {
    request->managed_save = managed_save_path (request->settings, domain->uuid);
  }
  if (request->running)
    expect_pause (domain);
  progress_unref (domain->progress);
  domain->progress = progress_ref (export->progress);
  domain->job = job_start ("export", export_job, request, export_request_free, 0, export_done, request);
}

static void
export_begin (Domain *domain G_GNUC_UNUSED, Call *call)
{
  call_with_definition (call, DEFINITION_CONFIG, export_with);
}

void
op_domain_export (Call *call)
{
  g_autoptr (GVariant) parameters = g_variant_get_child_value (call->arguments, 1);
  const char *transfer = NULL;
  GError *error = NULL;
  Export *export;

  if (!call_check_flags (call, call_uint (call, 2), EXPORT_KNOWN_FLAGS)
      || !call_take_strings (call, parameters,
                             (const CallString[]){ { "transfer", &transfer }, { NULL, NULL } })
      || !transfer_check_descriptors (call))
    return;
  export = g_new0 (Export, 1);
  export->progress = progress_new (VIR_DOMAIN_JOB_OPERATION_BACKUP);
  call->user_data = export;
  call->user_free = export_free;
  if (transfer != NULL && !transfers_add (transfer, export->progress, &error)) {
    call_fail (call, error);
    return;
  }
  export->transfer = transfer;
  domain_lock (call->domain, "export", call, export_begin);
}
