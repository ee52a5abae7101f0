/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A block job that has begun, to its end, as the main loop sees it. QEMU's events move it: each says what is
 * to be done next, and it is done in a job of its own when the domain's lock is had. What is remembered is in
 * the record; a step that finds its machine or its job gone does nothing.
 */
#include "daemon/domain/machine-block-jobs.h"

#include "daemon/call/call.h"
#include "daemon/core/main-loop.h"
#include "daemon/domain/machine-block-job-entry.h"
#include "daemon/domain/machine-devices.h"
#include "daemon/domain/source-follow.h"
#include "daemon/drivers/qemu/adopt.h"

#define STATUS_READY 3 /* VIR_DOMAIN_BLOCK_JOB_READY; outcomes have the numbers below */

static void advance (MachineBlockJob *entry);
static void end_owned (MachineBlockJob *entry, gboolean pivot);

/* One step, in a job's thread. */

typedef struct {
  Manager *manager;
  char *uuid;
  int id;
  Hotplug plug;
  DomainDef *def;
  BlockJob *job; /* a copy */
  const char *command;
  char *problem;
} JobStep;

static void
step_free (gpointer data)
{
  JobStep *step = data;

  machine_hotplug_clear (&step->plug);
  g_clear_pointer (&step->def, domain_def_unref);
  block_job_free (step->job);
  g_free (step->uuid);
  g_free (step->problem);
  g_free (step);
}

static JobStep *
step_new (const MachineBlockJob *entry)
{
  Machine *machine = entry->machine;
  Domain *domain = machine->domain;
  JobStep *step = g_new0 (JobStep, 1);

  step->manager = domain->manager;
  step->uuid = g_strdup (domain->uuid);
  step->id = domain->id;
  machine_hotplug_init (machine, &step->plug);
  step->def = domain_def_ref (machine->def);
  step->job = block_job_copy_of (entry->job);
  return step;
}

/* NULL: it is gone, and so is all that was to be done. */
static MachineBlockJob *
find_entry (const JobStep *step)
{
  const Machine *machine = manager_find_machine (step->manager, step->uuid, step->id);

  return machine != NULL ? machine_find_block_job_id (machine, step->job->id) : NULL;
}

static void
run_step (MachineBlockJob *entry, JobFunction function, JobDone done, const char *command)
{
  Domain *domain = entry->machine->domain;
  JobStep *step = step_new (entry);
  Job *job;

  entry->busy = TRUE;
  step->command = command;
  job =
      job_start ("block-job", function, step, step_free, domain->manager->settings->call_timeout, done, step);
  if (entry->holding || machine_block_job_is_owned (entry))
    domain->job = job;
}

static MachineBlockJob *
step_over (const JobStep *step)
{
  MachineBlockJob *entry = find_entry (step);

  if (entry == NULL)
    return NULL;
  entry->busy = FALSE;
  if (entry->holding || machine_block_job_is_owned (entry))
    entry->machine->domain->job = NULL;
  return entry;
}

static void
release (MachineBlockJob *entry)
{
  entry->holding = FALSE;
  lock_release (entry->machine->domain->lock, entry);
}

/* The lock. */

static void
lock_had (gpointer data)
{
  JobStep *step = data;
  MachineBlockJob *entry = find_entry (step);

  /* lock_check has just seen it. */
  entry->locking = FALSE;
  entry->holding = TRUE;
  step_free (step);
  advance (entry);
}

static gboolean
lock_check (gpointer data, GError **error)
{
  if (find_entry (data) != NULL)
    return TRUE;
  virt_error_set (error, VIR_ERR_OPERATION_INVALID, "domain is not running");
  return FALSE;
}

static void
lock_failed (gpointer data, GError *error)
{
  MachineBlockJob *entry = find_entry (data);

  if (entry != NULL)
    entry->locking = FALSE;
  g_error_free (error);
  step_free (data);
}

static void
want_lock (MachineBlockJob *entry)
{
  const LockRequest request = {
    .name = "block-job",
    .holder = entry,
    .check = lock_check,
    .begin = lock_had,
    .fail = lock_failed,
    .data = step_new (entry),
  };

  entry->locking = TRUE;
  lock_acquire (entry->machine->domain->lock, &request);
}

/* Its end. */

static void
answer_waiters (GPtrArray *waiters, const BlockJob *job, BlockJobOutcome outcome, const char *problem)
{
  for (guint i = 0; i < waiters->len; i++) {
    Call *call = g_ptr_array_index (waiters, i);

    if (job->state == BLOCK_JOB_PIVOTING && outcome != BLOCK_JOB_COMPLETED)
      call_fail_with (call, VIR_ERR_OPERATION_FAILED, "block job '%s' failed while pivoting: %s", job->id,
                      problem != NULL ? problem : "it was cancelled");
    else if (problem != NULL && outcome != BLOCK_JOB_COMPLETED && job->state != BLOCK_JOB_ABORTING)
      call_fail_with (call, VIR_ERR_OPERATION_FAILED, "block job '%s' failed: %s", job->id, problem);
    else
      call_answer_nothing (call);
  }
}

/* QEMU has let go of all; the documents follow. */
static void
commit (MachineBlockJob *entry, const JobStep *done)
{
  Machine *machine = entry->machine;
  g_autoptr (BlockJob) job = block_job_copy_of (entry->job);
  g_autoptr (GPtrArray) waiters = g_ptr_array_ref (entry->waiters);
  g_autofree char *problem = g_strdup (done->problem != NULL ? done->problem : entry->problem);
  const BlockJobOutcome outcome = done->job->outcome;
  BlockJobEnded ended = entry->ended;
  gpointer ended_data = entry->ended_data;

  machine_replace_def (machine, block_job_apply (job, outcome, machine->def));
  store_remove_record (done->manager->store, done->uuid, BLOCK_JOB_RECORD, job->id);
  g_info ("domain '%s': block job '%s' has ended (%d)", machine->domain->name, job->id, (int)outcome);
  machine_block_job_emit (machine, job, (int)outcome);
  release (entry);
  g_ptr_array_remove (machine->block_jobs, entry);
  answer_waiters (waiters, job, outcome, problem);
  if (ended != NULL)
    ended (machine, job, outcome, problem, ended_data);
}

/* It cannot be ended now: its owner need not wait for that, and another daemon will. */
static void
give_up (MachineBlockJob *entry, const char *problem)
{
  g_autoptr (BlockJob) job = block_job_copy_of (entry->job);
  BlockJobEnded ended = entry->ended;

  entry->ended = NULL;
  g_clear_pointer (&entry->job->owner, g_free);
  if (ended != NULL)
    ended (entry->machine, job, BLOCK_JOB_FAILED, problem, entry->ended_data);
}

static void
conclude_done (G_GNUC_UNUSED gpointer result, const GError *error, gpointer data)
{
  JobStep *step = data;
  MachineBlockJob *entry = step_over (step);
  g_autoptr (GPtrArray) waiters = NULL;

  if (entry == NULL)
    return;
  if (error == NULL) {
    commit (entry, step);
    return;
  }
  /* The record stays: the next daemon ends it. */
  g_warning ("domain '%s': the end of block job '%s' is not done: %s", entry->machine->domain->name,
             entry->job->id, error->message);
  waiters = g_ptr_array_ref (entry->waiters);
  entry->waiters = g_ptr_array_new ();
  entry->concluded = FALSE;
  release (entry);
  for (guint i = 0; i < waiters->len; i++)
    call_fail (g_ptr_array_index (waiters, i), g_error_copy (error));
  if (machine_block_job_is_owned (entry))
    give_up (entry, error->message);
}

static gpointer
conclude_job (Job *thread, gpointer data, GError **error)
{
  JobStep *step = data;

  return block_job_conclude (thread, &step->plug, step->def, step->job, &step->problem, error) ? JOB_OK
                                                                                               : NULL;
}

/* Finalizing: of a job that pivots the stored definition comes first. */

static void
told (G_GNUC_UNUSED gpointer result, const GError *error, gpointer data)
{
  JobStep *step = data;
  MachineBlockJob *entry = step_over (step);

  if (entry == NULL)
    return;
  if (error != NULL)
    g_warning ("domain '%s': block job '%s': %s", entry->machine->domain->name, entry->job->id,
               error->message);
  advance (entry);
}

static gpointer
tell_job (Job *thread, gpointer data, GError **error)
{
  JobStep *step = data;
  const DeviceDisk *disk = block_job_disk (step->def, step->job);
  g_autoptr (GError) problem = NULL;

  /* The guest's requests are held: what is carried over now is exact. */
  if (g_str_equal (step->command, "job-finalize") && step->job->state == BLOCK_JOB_PIVOTING && disk != NULL)
    block_job_before_pivot (thread, &step->plug, step->def, disk, step->job);
  if (g_str_equal (step->command, "job-finalize") && disk != NULL
      && !block_job_flush (thread, &step->plug, step->def, disk, step->job, &problem)) {
    g_warning ("block job '%s' is given up: %s", step->job->id, problem->message);
    step->command = "job-cancel";
  }
  return block_job_tell (thread, &step->plug, step->command, step->job->id, error) ? JOB_OK : NULL;
}

static void
followed (G_GNUC_UNUSED Domain *domain, const GError *error, gpointer data)
{
  JobStep *step = data;
  MachineBlockJob *entry = find_entry (step);

  if (entry != NULL && error != NULL) {
    g_warning ("domain '%s': disk '%s' keeps its image: %s", entry->machine->domain->name, entry->job->target,
               error->message);
    entry->problem = g_strdup (error->message);
  }
  if (entry != NULL)
    run_step (entry, tell_job, told, error != NULL ? "job-cancel" : "job-finalize");
  step_free (step);
}

static void
finalize (MachineBlockJob *entry)
{
  Machine *machine = entry->machine;
  const DeviceDisk *disk = block_job_disk (machine->def, entry->job);
  g_autoptr (DomainDef) after = NULL;

  entry->pending = FALSE;
  if (entry->job->state != BLOCK_JOB_PIVOTING || disk == NULL) {
    run_step (entry, tell_job, told, "job-finalize");
    return;
  }
  after = block_job_apply (entry->job, BLOCK_JOB_COMPLETED, machine->def);
  entry->busy = TRUE;
  source_follow (machine->domain, disk, block_job_disk (after, entry->job), followed, step_new (entry));
}

static void
advance (MachineBlockJob *entry)
{
  if (entry->busy || entry->locking || (!entry->pending && !entry->concluded))
    return;
  if (!entry->holding && !machine_block_job_is_owned (entry))
    want_lock (entry);
  else if (entry->concluded)
    run_step (entry, conclude_job, conclude_done, NULL);
  else
    finalize (entry);
}

void
machine_block_job_go_on (MachineBlockJob *entry)
{
  if (machine_block_job_is_owned (entry) && entry->job->state == BLOCK_JOB_READY && !entry->busy
      && !entry->concluded)
    end_owned (entry, TRUE);
  else
    advance (entry);
}

static void
monitor_event (Machine *machine, const char *name, JsonObject *arguments)
{
  const char *status = untrusted_text (arguments, "status");
  MachineBlockJob *entry = NULL;

  if (g_str_equal (name, "JOB_STATUS_CHANGE"))
    entry = machine_find_block_job_id (machine, untrusted_text (arguments, "id"));
  if (entry == NULL || status == NULL)
    return;
  if (g_str_equal (status, "ready") && entry->job->state < BLOCK_JOB_READY) {
    entry->job->state = BLOCK_JOB_READY;
    machine_block_job_set_ready (machine, entry->job, MIRROR_READY_YES);
    machine_block_job_emit (machine, entry->job, STATUS_READY);
  }
  entry->pending = entry->pending || g_str_equal (status, "pending");
  entry->concluded = entry->concluded || g_str_equal (status, "concluded");
  if (entry->begun)
    machine_block_job_go_on (entry);
}

/* Asking for the end. */

typedef struct {
  JobStep *step;
  Call *call; /* NULL: the owner's */
  BlockJobState before;
  gboolean asynchronous;
} Ending;

static void
ending_free (gpointer data)
{
  Ending *ending = data;

  step_free (ending->step);
  g_free (ending);
}

static gpointer
end_job (Job *thread, gpointer data, GError **error)
{
  JobStep *step = ((Ending *)data)->step;
  g_autofree char *json = block_job_to_json (step->job);
  gboolean good;

  if (!store_save_record (step->plug.store, step->uuid, BLOCK_JOB_RECORD, step->job->id, json, error))
    return NULL;
  good = step->job->state == BLOCK_JOB_PIVOTING
             ? block_job_tell (thread, &step->plug, "job-complete", step->job->id, error)
             : block_job_cancel (thread, &step->plug, step->job, error);
  return good ? JOB_OK : NULL;
}

/* An owner's job that does not pivot is given up; one that does not even do that stays QEMU's. */
static void
end_failed (MachineBlockJob *entry, const GError *error)
{
  if (entry->job->state != BLOCK_JOB_PIVOTING) {
    give_up (entry, error->message);
    return;
  }
  if (entry->problem == NULL)
    entry->problem = g_strdup (error->message);
  end_owned (entry, FALSE);
}

static void
end_told (G_GNUC_UNUSED gpointer result, const GError *error, gpointer data)
{
  Ending *ending = data;
  MachineBlockJob *entry = step_over (ending->step);

  if (entry == NULL)
    return; /* the machine has ended, and the call was answered then */
  /* It may be over by itself, in the moment it was asked to end. */
  if (error != NULL && !entry->concluded && ending->call == NULL) {
    end_failed (entry, error);
    return;
  }
  if (error != NULL && !entry->concluded) {
    entry->job->state = ending->before;
    machine_block_job_set_ready (entry->machine, entry->job,
                                 ending->before == BLOCK_JOB_READY ? MIRROR_READY_YES : MIRROR_READY_NONE);
    g_ptr_array_remove (entry->waiters, ending->call);
    release (entry);
    call_fail (ending->call, g_error_copy (error));
  } else if (ending->asynchronous) {
    g_ptr_array_remove (entry->waiters, ending->call);
    call_answer_nothing (ending->call);
  }
  advance (entry);
}

/* Takes @ending, which says the rest. */
static void
start_ending (MachineBlockJob *entry, gboolean pivot, Ending *ending)
{
  Domain *domain = entry->machine->domain;

  ending->before = entry->job->state;
  entry->busy = TRUE;
  entry->job->state = pivot ? BLOCK_JOB_PIVOTING : BLOCK_JOB_ABORTING;
  machine_block_job_set_ready (entry->machine, entry->job, pivot ? MIRROR_READY_PIVOT : MIRROR_READY_ABORT);
  ending->step = step_new (entry);
  domain->job = job_start ("block-job-end", end_job, ending, ending_free,
                           domain->manager->settings->call_timeout, end_told, ending);
}

static void
end_owned (MachineBlockJob *entry, gboolean pivot)
{
  start_ending (entry, pivot, g_new0 (Ending, 1));
}

void
machine_block_job_end (Machine *machine, MachineBlockJob *entry, gboolean pivot, gboolean asynchronous,
                       Call *call)
{
  MAIN_LOOP_ONLY ();

  Ending *ending = g_new0 (Ending, 1);

  ending->call = call;
  ending->asynchronous = asynchronous;
  lock_pass (machine->domain->lock, call, entry, "block-job");
  entry->holding = TRUE;
  g_ptr_array_add (entry->waiters, call);
  start_ending (entry, pivot, ending);
}

void
machine_block_job_resume (MachineBlockJob *entry, BlockJobEnded ended, gpointer data)
{
  MAIN_LOOP_ONLY ();

  entry->ended = ended;
  entry->ended_data = data;
  entry->begun = TRUE;
  machine_block_job_go_on (entry);
}

static void
machine_ended (Machine *machine)
{
  g_autoptr (GPtrArray) entries = g_steal_pointer (&machine->block_jobs);

  for (guint i = 0; entries != NULL && i < entries->len; i++) {
    MachineBlockJob *entry = g_ptr_array_index (entries, i);

    release (entry);
    for (guint k = 0; k < entry->waiters->len; k++)
      call_fail_with (g_ptr_array_index (entry->waiters, k), VIR_ERR_OPERATION_FAILED,
                      "domain is no longer running");
    if (entry->ended != NULL && entry->begun)
      entry->ended (machine, entry->job, BLOCK_JOB_FAILED, "domain is no longer running", entry->ended_data);
  }
}

/* Found again. */

static void
found_again (Machine *machine, const AdoptedMachine *adopted)
{
  const GPtrArray *found = adopted->block_jobs;

  for (guint i = 0; i < found->len; i++) {
    const AdoptedBlockJob *one = g_ptr_array_index (found, i);
    const char *status = one->report.status != NULL ? one->report.status : "";
    MachineBlockJob *entry;

    if (machine_find_block_job_id (machine, one->job->id) != NULL)
      continue; /* asked again */
    entry = machine_block_job_new (machine, block_job_copy_of (one->job));
    entry->begun = !machine_block_job_is_owned (entry);
    entry->pending = g_str_equal (status, "pending");
    entry->concluded = !one->report.exists || g_str_equal (status, "concluded");
    g_message ("domain '%s': block job '%s' was %s when the daemon ended; it is %s", machine->domain->name,
               one->job->id, one->job->state == BLOCK_JOB_STARTING ? "beginning" : "running",
               one->report.exists ? status : "gone");
    /* What was to be asked of it was not. */
    if (g_str_equal (status, "ready"))
      entry->job->state = BLOCK_JOB_READY;
    else if (g_str_equal (status, "running") || g_str_equal (status, "paused"))
      entry->job->state = BLOCK_JOB_RUNNING;
    machine_block_job_set_ready (machine, entry->job,
                                 entry->job->state == BLOCK_JOB_READY ? MIRROR_READY_YES : MIRROR_READY_NONE);
    if (entry->begun)
      advance (entry);
  }
}

const MachineWatcher machine_block_jobs_watcher = { monitor_event, found_again, machine_ended };
