/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Jobs. Each has a thread of its own rather than a place in a pool: a pool is full as soon as enough guests
 * are silent, and then nobody's call is answered. A thread that sleeps costs a few kilobytes, and its stack
 * says in plain function names what it waits for.
 *
 * A thread that has handed over its result waits a while for the next job before it ends, as making a thread
 * costs more than most jobs do. Those that wait are only ever a saving: a job that finds none gets a new one.
 */
#include "daemon/core/job.h"

#include "daemon/core/main-loop.h"

#include <pthread.h>

#define THREADS_KEPT 8  /* that wait for a job */
#define KEPT_SECONDS 10 /* that each of them waits */
#define THREAD_NAME  16 /* bytes that the kernel keeps of a thread's name */

/* A thread that waits, on its own stack. */
typedef struct {
  GCond given;
  Job *job; /* NULL: none yet */
} Waiting;

struct Job {
  char name[THREAD_NAME];
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
static _Thread_local Job *current_job;
static GMutex threads_lock;
static GPtrArray *waiting_threads; /* Waiting, under the lock; the one that has waited least is last */

static gboolean
job_finish (gpointer data)
{
  Job *job = data;

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

/* From here on the job belongs to the main loop. */
static void
run (Job *job)
{
  pthread_setname_np (pthread_self (), job->name);
  current_job = job;
  job->result = job->function (job, job->input, &job->error);
  current_job = NULL;
  if (job->result == NULL && job->error == NULL)
    virt_error_set (&job->error, VIR_ERR_INTERNAL_ERROR, "a job ended with neither a result nor an error");
  main_loop_run (job_finish, job);
}

/* The next job for this thread, or NULL: nobody has one, or enough threads wait already. */
static Job *
wait_for_job (void)
{
  gint64 deadline = g_get_monotonic_time () + (gint64)KEPT_SECONDS * G_USEC_PER_SEC;
  Waiting waiting = { .job = NULL };

  g_cond_init (&waiting.given);
  g_mutex_lock (&threads_lock);
  if (waiting_threads->len < THREADS_KEPT) {
    g_ptr_array_add (waiting_threads, &waiting);
    while (waiting.job == NULL && g_cond_wait_until (&waiting.given, &threads_lock, deadline))
      ;
    if (waiting.job == NULL)
      g_ptr_array_remove (waiting_threads, &waiting);
  }
  g_mutex_unlock (&threads_lock);
  g_cond_clear (&waiting.given);
  return waiting.job;
}

static gpointer
job_thread (gpointer data)
{
  for (Job *job = data; job != NULL; job = wait_for_job ())
    run (job);
  return NULL;
}

/* To a thread that waits. FALSE: there is none. */
static gboolean
give_to_waiting (Job *job)
{
  Waiting *waiting = NULL;

  g_mutex_lock (&threads_lock);
  if (waiting_threads == NULL)
    waiting_threads = g_ptr_array_new ();
  if (waiting_threads->len > 0) {
    waiting = g_ptr_array_steal_index (waiting_threads, waiting_threads->len - 1);
    waiting->job = job;
    g_cond_signal (&waiting->given);
  }
  g_mutex_unlock (&threads_lock);
  return waiting != NULL;
}

static void
give_to_new_thread (Job *job)
{
  g_autoptr (GError) refused = NULL;
  GThread *thread = g_thread_try_new (job->name, job_thread, job, &refused);

  if (thread != NULL) {
    g_thread_unref (thread);
    return;
  }
  virt_error_set (&job->error, VIR_ERR_OPERATION_FAILED,
                  "cannot begin '%s': the host gives the daemon no more threads (%u jobs run): %s", job->name,
                  running_jobs - 1, refused->message);
  main_loop_run (job_finish, job);
}

Job *
job_start (const char *name, JobFunction function, gpointer input, GDestroyNotify free_input,
           guint deadline_seconds, JobDone done, gpointer data)
{
  MAIN_LOOP_ONLY ();

  Job *job = g_new0 (Job, 1);

  g_strlcpy (job->name, name, sizeof job->name);
  job->function = function;
  job->input = input;
  job->free_input = free_input;
  job->done = done;
  job->data = data;
  job->deadline = deadline_seconds == 0 ? G_MAXINT64
                                        : g_get_monotonic_time () + (gint64)deadline_seconds * G_USEC_PER_SEC;
  job->cancellable = g_cancellable_new ();

  running_jobs++;
  if (!give_to_waiting (job))
    give_to_new_thread (job);
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

Job *
job_current (void)
{
  return current_job;
}

guint
job_count (void)
{
  return running_jobs;
}
