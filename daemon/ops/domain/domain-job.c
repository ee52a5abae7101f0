/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The long jobs as clients see them: how far they are, how the last one went, and giving one up. None of it
 * waits for the job: the figures are those it last told.
 */
#include "daemon/core/progress-parameters.h"
#include "daemon/ops/ops.h"

#define STATS_KNOWN_FLAGS (VIR_DOMAIN_JOB_STATS_COMPLETED | VIR_DOMAIN_JOB_STATS_KEEP_COMPLETED)

static gboolean
must_run (Call *call)
{
  GError *error = NULL;

  if (call->domain->progress != NULL || domain_check_active (call->domain, &error))
    return TRUE;
  call_fail (call, error);
  return FALSE;
}

void
op_domain_get_job_info (Call *call)
{
  Progress *progress = call->domain->progress;
  ProgressFigures figures = { 0 };
  guint64 memory[3] = { 0 }, file[3] = { 0 };

  if (!must_run (call))
    return;
  if (progress != NULL)
    progress_get (progress, &figures);
  guint64 *kind = figures.is_memory ? memory : file;
  figures.total += figures.temporary_total;
  figures.processed += figures.temporary_used;
  figures.remaining += figures.temporary_total - figures.temporary_used;
  kind[0] = figures.total;
  kind[1] = figures.processed;
  kind[2] = figures.remaining;
  call_answer (call, g_variant_new ("(ittttttttttt)",
                                    progress != NULL ? (int)progress_type (progress) : VIR_DOMAIN_JOB_NONE,
                                    progress != NULL ? progress_milliseconds (progress) : 0, (guint64)0,
                                    figures.total, figures.processed, figures.remaining, memory[0], memory[1],
                                    memory[2], file[0], file[1], file[2]));
}

static GVariant *
job_stats (Progress *progress)
{
  return g_variant_new ("(i@a{sv})", progress != NULL ? (int)progress_type (progress) : VIR_DOMAIN_JOB_NONE,
                        progress_to_parameters (progress));
}

void
op_domain_get_job_stats (Call *call)
{
  guint flags = call_uint (call, 1);
  Domain *domain = call->domain;

  if (!call_check_flags (call, flags, STATS_KNOWN_FLAGS))
    return;
  if (!(flags & VIR_DOMAIN_JOB_STATS_COMPLETED)) {
    if (must_run (call))
      call_answer (call, job_stats (domain->progress));
    return;
  }
  if (!(flags & VIR_DOMAIN_JOB_STATS_KEEP_COMPLETED)) {
    g_autoptr (Progress) told = g_steal_pointer (&domain->completed);

    call_answer (call, job_stats (told));
  } else {
    call_answer (call, job_stats (domain->completed));
  }
}

void
op_domain_abort_job (Call *call)
{
  guint flags = g_variant_n_children (call->arguments) > 1 ? call_uint (call, 1) : 0;

  if (!call_check_flags (call, flags, 0) || !must_run (call))
    return;
  if (call->domain->progress == NULL) {
    call_fail_with (call, VIR_ERR_OPERATION_INVALID, "no job is active on the domain");
    return;
  }
  if (progress_why_not_give_up (call->domain->progress) != NULL) {
    call_fail_with (call, VIR_ERR_OPERATION_INVALID, "%s", progress_why_not_give_up (call->domain->progress));
    return;
  }
  progress_give_up (call->domain->progress);
  call_answer_nothing (call);
}
