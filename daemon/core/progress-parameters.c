/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* A long job's figures under libvirt's names, which differ with what the job is. */
#include "daemon/core/progress-parameters.h"

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

/* A backup says what there is to be copied, or what its scratch files may grow to, where there is any; and
 * when it is over, how it went. */
static void
add_backup (GVariantBuilder *list, Progress *progress, const ProgressFigures *figures)
{
  virDomainJobType type = progress_type (progress);
  g_autofree char *problem = NULL;

  if (figures->total > 0) {
    add_number (list, VIR_DOMAIN_JOB_DISK_TOTAL, figures->total);
    add_number (list, VIR_DOMAIN_JOB_DISK_PROCESSED, figures->processed);
    add_number (list, VIR_DOMAIN_JOB_DISK_REMAINING, figures->remaining);
  }
  if (figures->temporary_total > 0) {
    add_number (list, VIR_DOMAIN_JOB_DISK_TEMP_USED, figures->temporary_used);
    add_number (list, VIR_DOMAIN_JOB_DISK_TEMP_TOTAL, figures->temporary_total);
  }
  if (type == VIR_DOMAIN_JOB_UNBOUNDED)
    return;
  g_variant_builder_add (list, "{sv}", VIR_DOMAIN_JOB_SUCCESS,
                         g_variant_new_boolean (type == VIR_DOMAIN_JOB_COMPLETED));
  problem = progress_wait_for_problem (progress, 0);
  if (problem != NULL)
    g_variant_builder_add (list, "{sv}", VIR_DOMAIN_JOB_ERRMSG, g_variant_new_string (problem));
}

GVariant *
progress_to_parameters (Progress *progress)
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
  if (progress_operation (progress) == VIR_DOMAIN_JOB_OPERATION_BACKUP) {
    add_backup (&list, progress, &figures);
    return g_variant_builder_end (&list);
  }
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
