/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Calls that a job can leave behind. The two sides share a small record that the last of them frees: the
 * thread when it was left behind, the job otherwise.
 */
#include "daemon/core/blocking.h"

typedef struct {
  gpointer (*function) (gpointer input, GError **error);
  gpointer input;
  GDestroyNotify free_input, free_result;

  GMutex lock;
  GCond changed;
  gboolean done, left;
  gpointer result;
  GError *error;
} BlockingWork;

static gint stuck; /* atomic */

static void
blocking_free (BlockingWork *work)
{
  if (work->result != NULL && work->free_result != NULL)
    work->free_result (work->result);
  g_clear_error (&work->error);
  g_mutex_clear (&work->lock);
  g_cond_clear (&work->changed);
  g_free (work);
}

static gpointer
blocking_thread (gpointer data)
{
  BlockingWork *work = data;
  GError *error = NULL;
  gpointer result = work->function (work->input, &error);
  gboolean left;

  if (work->free_input != NULL)
    work->free_input (work->input);
  g_mutex_lock (&work->lock);
  work->result = result;
  work->error = error;
  work->done = TRUE;
  left = work->left;
  g_cond_signal (&work->changed);
  g_mutex_unlock (&work->lock);
  if (left) {
    g_atomic_int_add (&stuck, -1);
    blocking_free (work);
  }
  return NULL;
}

static void
wake (G_GNUC_UNUSED GCancellable *cancellable, gpointer data)
{
  BlockingWork *work = data;

  g_mutex_lock (&work->lock);
  g_cond_signal (&work->changed);
  g_mutex_unlock (&work->lock);
}

static gboolean
check_time (const Job *job, gint64 longest, GError **error)
{
  if (job_deadline (job) != G_MAXINT64 || g_get_monotonic_time () < longest)
    return TRUE;
  virt_error_set (error, VIR_ERR_OPERATION_TIMEOUT,
                  "a file was not opened within %d seconds; is a network file system gone?",
                  BLOCKING_SECONDS);
  return FALSE;
}

/* Until it is done, or the job has to go on without it. */
static gboolean
wait_for (BlockingWork *work, Job *job, GError **error)
{
  gulong handler = g_cancellable_connect (job_cancellable (job), G_CALLBACK (wake), work, NULL);
  gint64 longest = g_get_monotonic_time () + BLOCKING_SECONDS * G_USEC_PER_SEC;
  g_autoptr (GError) why = NULL;
  gboolean done;

  g_mutex_lock (&work->lock);
  while (!work->done && job_check (job, &why) && check_time (job, longest, &why))
    g_cond_wait_until (&work->changed, &work->lock,
                       job_deadline (job) == G_MAXINT64 ? longest : job_deadline (job));
  g_mutex_unlock (&work->lock);
  g_cancellable_disconnect (job_cancellable (job), handler); /* before it may be freed by the thread */

  g_mutex_lock (&work->lock);
  done = work->done;
  work->left = !done;
  if (!done)
    g_atomic_int_inc (&stuck);
  g_mutex_unlock (&work->lock);
  if (!done)
    g_propagate_error (error, g_steal_pointer (&why));
  return done;
}

static gpointer
run_here (gpointer (*function) (gpointer input, GError **error), gpointer input, GDestroyNotify free_input,
          GError **error)
{
  gpointer result = function (input, error);

  if (free_input != NULL)
    free_input (input);
  return result;
}

gpointer
blocking_run (gpointer (*function) (gpointer input, GError **error), gpointer input,
              GDestroyNotify free_input, GDestroyNotify free_result, GError **error)
{
  Job *job = job_current ();
  BlockingWork *work;
  GThread *thread;
  gpointer result;

  if (job == NULL)
    return run_here (function, input, free_input, error);
  if (g_atomic_int_get (&stuck) >= BLOCKING_STUCK_MAX) {
    virt_error_set (error, VIR_ERR_OPERATION_FAILED,
                    "%d files stand still while they are opened; is a network file system gone?",
                    BLOCKING_STUCK_MAX);
    if (free_input != NULL)
      free_input (input);
    return NULL;
  }
  work = g_new0 (BlockingWork, 1);
  *work = (BlockingWork){
    .function = function, .input = input, .free_input = free_input, .free_result = free_result
  };
  g_mutex_init (&work->lock);
  g_cond_init (&work->changed);
  thread = g_thread_try_new ("blocking", blocking_thread, work, NULL);
  if (thread == NULL) { /* no thread to be had: rather at a risk than not at all */
    blocking_free (work);
    return run_here (function, input, free_input, error);
  }
  g_thread_unref (thread);
  if (!wait_for (work, job, error))
    return NULL;
  result = g_steal_pointer (&work->result);
  if (work->error != NULL)
    g_propagate_error (error, g_steal_pointer (&work->error));
  blocking_free (work);
  return result;
}

guint
blocking_stuck (void)
{
  return (guint)g_atomic_int_get (&stuck);
}
