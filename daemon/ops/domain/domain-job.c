/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The long jobs as clients see them: how far they are, how the last one went, and giving one up. None of it
 * waits for the job: the figures are those it last told.
 */
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
  kind[0] = figures.total;
  kind[1] = figures.processed;
  kind[2] = figures.remaining;
  call_answer (call, g_variant_new ("(ittttttttttt)",
                                    progress != NULL ? (int)progress_type (progress) : VIR_DOMAIN_JOB_NONE,
                                    progress != NULL ? progress_milliseconds (progress) : 0, (guint64)0,
                                    figures.total, figures.processed, figures.remaining, memory[0], memory[1],
                                    memory[2], file[0], file[1], file[2]));
}

static void
add_number (GVariantBuilder *list, const char *name, guint64 value)
{
  g_variant_builder_add (list, "{sv}", name, g_variant_new_uint64 (value));
}

static void
add_memory (GVariantBuilder *list, const ProgressFigures *figures)
{
  add_number (list, VIR_DOMAIN_JOB_MEMORY_TOTAL, figures->total);
  add_number (list, VIR_DOMAIN_JOB_MEMORY_PROCESSED, figures->processed);
  add_number (list, VIR_DOMAIN_JOB_MEMORY_REMAINING, figures->remaining);
  add_number (list, VIR_DOMAIN_JOB_MEMORY_BPS, figures->bytes_per_second);
  add_number (list, VIR_DOMAIN_JOB_MEMORY_CONSTANT, figures->constant);
  add_number (list, VIR_DOMAIN_JOB_MEMORY_NORMAL, figures->normal);
  add_number (list, VIR_DOMAIN_JOB_MEMORY_NORMAL_BYTES, figures->normal_bytes);
  add_number (list, VIR_DOMAIN_JOB_MEMORY_DIRTY_RATE, figures->dirty_pages_per_second);
  add_number (list, VIR_DOMAIN_JOB_MEMORY_ITERATION, figures->iteration);
  add_number (list, VIR_DOMAIN_JOB_MEMORY_POSTCOPY_REQS, figures->postcopy_requests);
  add_number (list, VIR_DOMAIN_JOB_MEMORY_PAGE_SIZE, figures->page_size);
}

/* (floating) a{sv} */
static GVariant *
job_parameters (Progress *progress)
{
  GVariantBuilder list;
  ProgressFigures figures;

  g_variant_builder_init (&list, G_VARIANT_TYPE ("a{sv}"));
  if (progress == NULL)
    return g_variant_builder_end (&list);
  progress_get (progress, &figures);
  g_variant_builder_add (&list, "{sv}", VIR_DOMAIN_JOB_OPERATION,
                         g_variant_new_int32 (progress_operation (progress)));
  add_number (&list, VIR_DOMAIN_JOB_TIME_ELAPSED, progress_milliseconds (progress));
  if (figures.is_memory) {
    add_number (&list, VIR_DOMAIN_JOB_DOWNTIME, progress_milliseconds_stopped (progress, figures.downtime));
    add_number (&list, VIR_DOMAIN_JOB_SETUP_TIME, figures.setup_time);
  }
  add_number (&list, VIR_DOMAIN_JOB_DATA_TOTAL, figures.total);
  add_number (&list, VIR_DOMAIN_JOB_DATA_PROCESSED, figures.processed);
  add_number (&list, VIR_DOMAIN_JOB_DATA_REMAINING, figures.remaining);
  if (figures.is_memory)
    add_memory (&list, &figures);
  return g_variant_builder_end (&list);
}

static GVariant *
job_stats (Progress *progress)
{
  return g_variant_new ("(i@a{sv})", progress != NULL ? (int)progress_type (progress) : VIR_DOMAIN_JOB_NONE,
                        job_parameters (progress));
}

/* As libvirt does, of what migration has written only. */
static void
tell_completed (Domain *domain)
{
  Progress *progress = domain->completed;
  ProgressFigures figures;

  progress_get (progress, &figures);
  if (progress_type (progress) == VIR_DOMAIN_JOB_COMPLETED && figures.is_memory
      && progress_operation (progress) != VIR_DOMAIN_JOB_OPERATION_RESTORE)
    events_domain (domain->manager->events, domain, VIR_DOMAIN_EVENT_ID_JOB_COMPLETED,
                   g_variant_new ("(@a{sv})", job_parameters (progress)));
}

void
domain_end_progress (Domain *domain, const GError *error)
{
  virDomainJobType how = error == NULL                                          ? VIR_DOMAIN_JOB_COMPLETED
                         : virt_error_code (error) == VIR_ERR_OPERATION_ABORTED ? VIR_DOMAIN_JOB_CANCELLED
                                                                                : VIR_DOMAIN_JOB_FAILED;
  ProgressFigures figures;

  if (domain->progress == NULL)
    return;
  progress_end (domain->progress, how);
  progress_unref (domain->completed);
  domain->completed = g_steal_pointer (&domain->progress);
  progress_get (domain->completed, &figures);
  if (error == NULL && !figures.is_memory)
    g_clear_pointer (&domain->completed, progress_unref); /* as libvirt, which forgets such a dump's */
  else
    tell_completed (domain);
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
