/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * A checkpoint's document, with or without the domain's of its time, and on demand with what has changed on
 * each disk since, which a running QEMU has to count.
 */
#include "daemon/domain/machine.h"
#include "daemon/drivers/qemu/checkpoint.h"
#include "daemon/ops/object/object-children.h"
#include "daemon/ops/ops.h"
#include "daemon/snapshot/checkpoint-kind.h"
#include "snapshot/checkpoint-complete.h"

#include <string.h>

#define AT_ONCE_MAX (64 * 1024) /* bytes of a definition without secrets, as those of snapshots */

#define SECURE    VIR_DOMAIN_CHECKPOINT_XML_SECURE
#define NO_DOMAIN VIR_DOMAIN_CHECKPOINT_XML_NO_DOMAIN
#define SIZE      VIR_DOMAIN_CHECKPOINT_XML_SIZE

typedef struct {
  Call *call;
  CheckpointHost host;
  CheckpointDef *def;
} Measurement;

static void
measurement_free (gpointer data)
{
  Measurement *measurement = data;

  checkpoint_host_clear (&measurement->host);
  document_unref (&checkpoint_document, measurement->def);
  g_free (measurement);
}

static void
unref_def (gpointer def)
{
  document_unref (&checkpoint_document, def);
}

static GVariant *
make_xml (const Call *call, gpointer data, GError **error)
{
  guint flags = call_uint (call, 1);
  CheckpointDef *shown = flags & NO_DOMAIN ? checkpoint_without_domain (data)
                         : flags & SECURE || !checkpoint_has_secrets (data)
                             ? document_ref (&checkpoint_document, data)
                             : checkpoint_without_secrets (data, call->manager->platform, error);
  g_autofree char *xml = NULL;

  if (shown == NULL)
    return NULL;
  xml = document_to_xml (&checkpoint_document, shown, flags & SECURE ? FIELD_WRITE_SECURE : 0);
  document_unref (&checkpoint_document, shown);
  return g_variant_new ("(s)", xml);
}

static void
answer (Call *call, CheckpointDef *def)
{
  gsize bytes = def->domain != NULL ? strlen (def->domain) : 0;

  if (bytes <= AT_ONCE_MAX && !checkpoint_has_secrets (def))
    call_answer (call, make_xml (call, def, NULL));
  else
    call_make (call, bytes, "checkpoint-xml", make_xml, document_ref (&checkpoint_document, def), unref_def);
}

static gpointer
measure_job (Job *job, gpointer data, GError **error)
{
  const Measurement *measurement = data;

  return checkpoint_measure (job, &measurement->host, measurement->def, error) ? JOB_OK : NULL;
}

static void
measured (gpointer result, const GError *error, gpointer data)
{
  const Measurement *measurement = data;
  Call *call = measurement->call;
  Domain *domain = manager_find_uuid (call->manager, call->domain_uuid, NULL);

  if (domain != NULL)
    domain->job = NULL;
  if (result != NULL)
    answer (call, measurement->def);
  else
    call_fail (call, g_error_copy (error));
}

static void
measure_begin (Domain *domain, Call *call)
{
  g_autofree char *directory = store_run_directory (call->manager->store, domain->uuid);
  Measurement *measurement;

  if (call_find_child_again (call) == NULL || !call_check_monitor (call))
    return;
  measurement = g_new0 (Measurement, 1);
  measurement->call = call;
  measurement->def = document_copy (&checkpoint_document, call->child->def);
  checkpoint_host_init (&measurement->host, &checkpoint_kind, call->manager->settings, domain->uuid,
                        domain->machine->qmp, call->manager->caps, domain->machine->def, directory);
  call->user_data = measurement;
  call->user_free = measurement_free;
  domain->job = job_start ("checkpoint", measure_job, measurement, NULL, measurement->host.patience, measured,
                           measurement);
}

void
op_domain_checkpoint_get_xml_desc (Call *call)
{
  guint flags = call_uint (call, 1);
  GError *error = NULL;

  if (!call_check_flags (call, flags, SECURE | NO_DOMAIN | SIZE))
    return;
  if ((flags & SIZE) == 0)
    answer (call, call->child->def);
  else if (domain_check_active (call->domain, &error))
    domain_lock (call->domain, "checkpoint-size", call, measure_begin);
  else
    call_fail (call, error);
}
