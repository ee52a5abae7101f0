/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Jobs. Each has a thread of its own rather than a place in a pool: a pool is full as soon as enough guests
 * are silent, and then nobody's call is answered. A thread that sleeps costs a few kilobytes, and its stack
 * says in plain function names what it waits for.
 *
 * The thread is joined by the main loop when it has handed over its result, so nothing of a job is left when
 * its JobDone runs.
 */
#include "daemon/job.h"

struct Job {
  GThread *thread;
  JobFunction function;
  gpointer input;
  GDestroyNotify free_input;
  JobDone done;
  gpointer data;
  gint64 deadline;
  GCancellable *cancellable;
  gpointer result;
  GError *error;
};

/* A function of a job's that the main loop runs, and the job's wait for it. */
typedef struct {
  GMutex lock;
  GCond finished_changed;
  gboolean finished;
  void (*function) (gpointer);
  gpointer data;
} MainLoopCall;

static guint running_jobs; /* main loop only */

static gboolean
job_finish (gpointer data)
{
  Job *job = data;

  if (job->thread != NULL)
    g_thread_join (job->thread);
  running_jobs--;
  if (job->done != NULL)
    job->done (job->result, job->error, job->data);

  if (job->free_input != NULL)
    job->free_input (job->input);
  g_clear_error (&job->error);
  g_object_unref (job->cancellable);
  g_free (job);
  return G_SOURCE_REMOVE;
}

static void
main_loop_run (GSourceFunc function, gpointer data)
{
  g_autoptr (GSource) source = g_idle_source_new ();

  g_source_set_priority (source, G_PRIORITY_DEFAULT);
  g_source_set_callback (source, function, data, NULL);
  g_source_attach (source, NULL);
}

static gpointer
job_thread (gpointer data)
{
  Job *job = data;

  job->result = job->function (job, job->input, &job->error);
  if (job->result == NULL && job->error == NULL)
    virt_error_set (&job->error, VIR_ERR_INTERNAL_ERROR, "a job ended with neither a result nor an error");

  main_loop_run (job_finish, job);
  return NULL;
}

Job *
job_start (const char *name, JobFunction function, gpointer input, GDestroyNotify free_input,
           guint deadline_seconds, JobDone done, gpointer data)
{
  Job *job = g_new0 (Job, 1);
  g_autoptr (GError) refused = NULL;

  job->function = function;
  job->input = input;
  job->free_input = free_input;
  job->done = done;
  job->data = data;
  job->deadline = deadline_seconds == 0 ? G_MAXINT64
                                        : g_get_monotonic_time () + (gint64)deadline_seconds * G_USEC_PER_SEC;
  job->cancellable = g_cancellable_new ();

  running_jobs++;
  /* job_finish, in this same loop, is the only other reader of job->thread. */
  job->thread = g_thread_try_new (name, job_thread, job, &refused);
  if (job->thread == NULL) {
    virt_error_set (&job->error, VIR_ERR_OPERATION_FAILED,
                    "cannot begin '%s': the host gives the daemon no more threads (%u jobs run): %s", name,
                    running_jobs - 1, refused->message);
    main_loop_run (job_finish, job);
  }
  return job;
}

void
job_cancel (Job *job)
{
  g_cancellable_cancel (job->cancellable);
}

gint64
job_deadline (const Job *job)
{
  return job->deadline;
}

void
job_extend_deadline (Job *job, guint seconds)
{
  job->deadline = g_get_monotonic_time () + (gint64)seconds * G_USEC_PER_SEC;
}

GCancellable *
job_cancellable (Job *job)
{
  return job->cancellable;
}

gboolean
job_check (Job *job, GError **error)
{
  if (g_cancellable_is_cancelled (job->cancellable)) {
    virt_error_set (error, VIR_ERR_OPERATION_ABORTED, "the machine is being ended");
    return FALSE;
  }
  if (g_get_monotonic_time () >= job->deadline) {
    virt_error_set (error, VIR_ERR_OPERATION_TIMEOUT, "the machine did not answer in time");
    return FALSE;
  }
  return TRUE;
}

static gboolean
main_loop_call (gpointer data)
{
  MainLoopCall *call = data;

  call->function (call->data);

  g_mutex_lock (&call->lock);
  call->finished = TRUE;
  g_cond_signal (&call->finished_changed);
  g_mutex_unlock (&call->lock);
  return G_SOURCE_REMOVE;
}

void
job_in_main_loop (Job *job G_GNUC_UNUSED, void (*function) (gpointer), gpointer data)
{
  MainLoopCall call = { .function = function, .data = data };

  g_mutex_init (&call.lock);
  g_cond_init (&call.finished_changed);
  main_loop_run (main_loop_call, &call);

  /* Not bounded: the main loop never waits, and @data is only ours to give away until it has run. */
  g_mutex_lock (&call.lock);
  while (!call.finished)
    g_cond_wait (&call.finished_changed, &call.lock);
  g_mutex_unlock (&call.lock);

  g_cond_clear (&call.finished_changed);
  g_mutex_clear (&call.lock);
}

guint
job_count (void)
{
  return running_jobs;
}
