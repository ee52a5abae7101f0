/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Block jobs as clients see them: how far one is, how fast it may be, its end; and pulls. What a job does,
 * and what is left of it when it ends, is in daemon/domain/machine-block-jobs.c.
 */
#include "daemon/ops/domain/block-job-call.h"

#include "daemon/domain/machine-devices.h"
#include "targets/qemu/recipe.h"

#define MIB (1024 * 1024)

/* What is asked of a disk that should have a job. NULL: the call has been answered; @ret_disk is set where
 * only the job is missing. */
static MachineBlockJob *
find_job (Call *call, const char **ret_target)
{
  const Machine *machine = call->domain->machine;
  const DeviceDisk *disk = domain_def_find_disk (machine->def, call_string (call, 1));

  *ret_target = disk != NULL ? disk->target : NULL;
  if (disk == NULL) {
    call_fail_with (call, VIR_ERR_INVALID_ARG, "disk '%s' not found in domain", call_string (call, 1));
    return NULL;
  }
  return machine_find_block_job (machine, disk->target);
}

static MachineBlockJob *
require_job (Call *call)
{
  const char *target;
  MachineBlockJob *job = find_job (call, &target);

  if (job == NULL && target != NULL)
    call_fail_with (call, VIR_ERR_INVALID_ARG, "disk %s does not have an active block job", target);
  return job;
}

/* How far it is. */

typedef struct {
  char *id;
  int type;
} Asked;

static void
asked_free (gpointer data)
{
  Asked *asked = data;

  g_free (asked->id);
  g_free (asked);
}

static JsonObject *
find_report (JsonNode *answer, const char *id)
{
  JsonArray *list = untrusted_list_of (answer);

  for (guint i = 0; list != NULL && i < json_array_get_length (list); i++) {
    JsonObject *item = untrusted_object_of (json_array_get_element (list, i));

    if (g_strcmp0 (untrusted_text (item, "device"), id) == 0)
      return item;
  }
  return NULL;
}

/* One that has all, but has not ended, is not told as one that has. */
static void
answer_info (Call *call, JsonObject *report, int type, gboolean bytes)
{
  guint64 current = untrusted_count (report, "offset"), end = untrusted_count (report, "len");
  guint64 speed = untrusted_count (report, "speed");

  if (!untrusted_switch (report, "ready") && current == end) {
    if (current > 0)
      current--;
    else
      end++;
  }
  if (!bytes)
    speed = speed / MIB + (speed % MIB != 0);
  call_answer (call, g_variant_new ("(iittt)", 1, type, speed, current, end));
}

static void
answer_no_job (Call *call)
{
  call_answer (call, g_variant_new ("(iittt)", 0, 0, (guint64)0, (guint64)0, (guint64)0));
}

static void
jobs_said (JsonNode *answer, const GError *error, gpointer data)
{
  Call *call = data;
  const Asked *asked = call->user_data;
  JsonObject *report = find_report (answer, asked->id);

  if (error != NULL)
    call_fail (call, g_error_copy (error));
  else if (report == NULL)
    answer_no_job (call);
  else
    answer_info (call, report, asked->type,
                 (call_uint (call, 2) & VIR_DOMAIN_BLOCK_JOB_INFO_BANDWIDTH_BYTES) != 0);
}

void
op_domain_get_block_job_info (Call *call)
{
  MachineBlockJob *job;
  const char *target;
  GError *error = NULL;
  Asked *asked;

  if (!call_check_flags (call, call_uint (call, 2), VIR_DOMAIN_BLOCK_JOB_INFO_BANDWIDTH_BYTES))
    return;
  if (!domain_check_active (call->domain, &error)) {
    call_fail (call, error);
    return;
  }
  job = find_job (call, &target);
  if (job == NULL) {
    if (target != NULL)
      answer_no_job (call);
    return;
  }
  if (!call_check_monitor (call))
    return;
  asked = g_new0 (Asked, 1);
  asked->id = g_strdup (machine_block_job_record (job)->id);
  asked->type = machine_block_job_record (job)->kind->type;
  call->user_data = asked;
  call->user_free = asked_free;
  qmp_query (call->domain->machine->qmp, "query-block-jobs", NULL, call->manager->settings->call_timeout,
             jobs_said, call);
}

/* How fast it may be. */

static void
speed_told (G_GNUC_UNUSED JsonNode *answer, const GError *error, gpointer data)
{
  if (error != NULL)
    call_fail (data, g_error_copy (error));
  else
    call_answer_nothing (data);
}

static void
set_speed (Domain *domain, Call *call)
{
  gboolean bytes = (call_uint (call, 3) & VIR_DOMAIN_BLOCK_JOB_SPEED_BANDWIDTH_BYTES) != 0;
  MachineBlockJob *job;
  guint64 speed;

  if (!call_check_monitor (call) || !block_job_call_speed (call, call_ulong (call, 2), bytes, &speed))
    return;
  job = require_job (call);
  if (job == NULL)
    return;
  qmp_query (domain->machine->qmp, "block-job-set-speed",
             props ("device", "s", machine_block_job_record (job)->id, "speed", "t", speed, NULL),
             call->manager->settings->call_timeout, speed_told, call);
}

void
op_domain_block_job_set_speed (Call *call)
{
  GError *error = NULL;

  if (!call_check_flags (call, call_uint (call, 3), VIR_DOMAIN_BLOCK_JOB_SPEED_BANDWIDTH_BYTES))
    return;
  if (!domain_check_active (call->domain, &error))
    call_fail (call, error);
  else
    domain_lock (call->domain, "block-job-speed", call, set_speed);
}

/* Its end. */

static void
end_it (Domain *domain, Call *call)
{
  guint flags = call_uint (call, 2);
  gboolean pivot = (flags & VIR_DOMAIN_BLOCK_JOB_ABORT_PIVOT) != 0;
  MachineBlockJob *job;
  const BlockJob *record;

  if (!call_check_monitor (call))
    return;
  job = require_job (call);
  if (job == NULL)
    return;
  record = machine_block_job_record (job);
  if (record->state == BLOCK_JOB_PIVOTING || record->state == BLOCK_JOB_ABORTING)
    call_fail_with (call, VIR_ERR_OPERATION_INVALID, "block job on disk '%s' is still being ended",
                    record->target);
  else if (pivot && record->state != BLOCK_JOB_READY)
    call_fail_with (call, VIR_ERR_BLOCK_COPY_ACTIVE, "block job '%s' not ready for pivot yet", record->id);
  else
    machine_block_job_end (domain->machine, job, pivot, (flags & VIR_DOMAIN_BLOCK_JOB_ABORT_ASYNC) != 0,
                           call);
}

void
op_domain_block_job_abort (Call *call)
{
  GError *error = NULL;

  if (!call_check_flags (call, call_uint (call, 2),
                         VIR_DOMAIN_BLOCK_JOB_ABORT_ASYNC | VIR_DOMAIN_BLOCK_JOB_ABORT_PIVOT))
    return;
  if (!domain_check_active (call->domain, &error))
    call_fail (call, error);
  else
    domain_lock (call->domain, "block-job-abort", call, end_it);
}

/* Pulls. */

typedef struct {
  char *name;   /* of the base; NULL: everything comes in */
  guint64 base; /* 0: all */
  guint64 bytes_per_second;
  gboolean relative;
} Pull;

static void
pull_free (gpointer data)
{
  Pull *pull = data;

  g_free (pull->name);
  g_free (pull);
}

static gboolean
prepare_pull (G_GNUC_UNUSED Job *thread, BlockJobRequest *request, GError **error)
{
  const Pull *pull = request->data;
  guint64 top = request->start.disk->source_index.value;

  if (!block_job_call_prepare (request, &block_job_pull, top, error))
    return FALSE;
  request->start.job->base = pull->base;
  return pull->base == 0 || block_job_call_backing (request, top, pull->base, pull->relative, error);
}

static gboolean
begin_pull (Job *thread, const Hotplug *plug, BlockJobStart *start, GError **error)
{
  return block_job_start_pull (thread, plug, start, error);
}

static void
pull_begin (Call *call, Machine *machine, const DeviceDisk *disk, gpointer data)
{
  Pull *pull = data;
  BlockJobRequest *request;
  GError *error = NULL;

  if (pull->name != NULL
      && (pull->base = disk_find_image (disk, disk->source_index.value, pull->name, &error)) == 0) {
    call_fail (call, error);
    return;
  }
  request = block_job_call_request (call, disk);
  request->prepare = prepare_pull;
  request->begin = begin_pull;
  request->start.bytes_per_second = pull->bytes_per_second;
  machine_block_job_begin (machine, request);
}

/* @base: "" is as good as none, for a bus that knows no absent text. */
static void
pull (Call *call, const char *base, guint64 bandwidth, guint flags)
{
  g_autofree Pull *it = g_new0 (Pull, 1);

  it->relative = (flags & VIR_DOMAIN_BLOCK_REBASE_RELATIVE) != 0;
  if (!block_job_call_speed (call, bandwidth, (flags & VIR_DOMAIN_BLOCK_REBASE_BANDWIDTH_BYTES) != 0,
                             &it->bytes_per_second))
    return;
  if (base != NULL && *base != '\0')
    it->name = g_strdup (base);
  if (it->relative && it->name == NULL)
    call_fail_with (call, VIR_ERR_INVALID_ARG,
                    "flag VIR_DOMAIN_BLOCK_REBASE_RELATIVE is valid only with non-null base");
  else
    block_job_call (call, "block-pull", pull_begin, g_steal_pointer (&it), pull_free);
}

void
op_domain_block_pull (Call *call)
{
  if (call_check_flags (call, call_uint (call, 3), VIR_DOMAIN_BLOCK_PULL_BANDWIDTH_BYTES))
    pull (call, NULL, call_ulong (call, 2), call_uint (call, 3));
}

#define REBASE_COPY_FLAGS                                                                                 \
  (VIR_DOMAIN_BLOCK_REBASE_SHALLOW | VIR_DOMAIN_BLOCK_REBASE_REUSE_EXT | VIR_DOMAIN_BLOCK_REBASE_COPY_RAW \
   | VIR_DOMAIN_BLOCK_REBASE_COPY_DEV)

void
op_domain_block_rebase (Call *call)
{
  guint flags = call_uint (call, 4);

  if (!call_check_flags (call, flags,
                         REBASE_COPY_FLAGS | VIR_DOMAIN_BLOCK_REBASE_COPY | VIR_DOMAIN_BLOCK_REBASE_RELATIVE
                             | VIR_DOMAIN_BLOCK_REBASE_BANDWIDTH_BYTES))
    return;
  if (flags & VIR_DOMAIN_BLOCK_REBASE_COPY)
    block_copy_of_rebase (call);
  else if (flags & REBASE_COPY_FLAGS)
    call_fail_with (call, VIR_ERR_INVALID_ARG, "use of flags in virDomainBlockRebase requires a copy job");
  else
    pull (call, call_maybe_string (call, 2), call_ulong (call, 3), flags);
}
