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
} Outside;

static gint stuck; /* atomic */

static void
outside_free (Outside *outside)
{
  if (outside->result != NULL && outside->free_result != NULL)
    outside->free_result (outside->result);
  g_clear_error (&outside->error);
  g_mutex_clear (&outside->lock);
  g_cond_clear (&outside->changed);
  g_free (outside);
}

static gpointer
outside_thread (gpointer data)
{
  Outside *outside = data;
  GError *error = NULL;
  gpointer result = outside->function (outside->input, &error);
  gboolean left;

  if (outside->free_input != NULL)
    outside->free_input (outside->input);
  g_mutex_lock (&outside->lock);
  outside->result = result;
  outside->error = error;
  outside->done = TRUE;
  left = outside->left;
  g_cond_signal (&outside->changed);
  g_mutex_unlock (&outside->lock);
  if (left) {
    g_atomic_int_add (&stuck, -1);
    outside_free (outside);
  }
  return NULL;
}

static void
wake (G_GNUC_UNUSED GCancellable *cancellable, gpointer data)
{
  Outside *outside = data;

  g_mutex_lock (&outside->lock);
  g_cond_signal (&outside->changed);
  g_mutex_unlock (&outside->lock);
}

static gboolean
check_time (const Job *job, gint64 longest, GError **error)
{
  if (job_deadline (job) != G_MAXINT64 || g_get_monotonic_time () < longest)
    return TRUE;
  virt_error_set (error, VIR_ERR_OPERATION_TIMEOUT,
                  "a file was not opened within %d seconds; is a network file system gone?", OUTSIDE_SECONDS);
  return FALSE;
}

/* Until it is done, or the job has to go on without it. */
static gboolean
wait_for (Outside *outside, Job *job, GError **error)
{
  gulong handler = g_cancellable_connect (job_cancellable (job), G_CALLBACK (wake), outside, NULL);
  gint64 longest = g_get_monotonic_time () + OUTSIDE_SECONDS * G_USEC_PER_SEC;
  g_autoptr (GError) why = NULL;
  gboolean done;

  g_mutex_lock (&outside->lock);
  while (!outside->done && job_check (job, &why) && check_time (job, longest, &why))
    g_cond_wait_until (&outside->changed, &outside->lock,
                       job_deadline (job) == G_MAXINT64 ? longest : job_deadline (job));
  g_mutex_unlock (&outside->lock);
  g_cancellable_disconnect (job_cancellable (job), handler); /* before it may be freed by the thread */

  g_mutex_lock (&outside->lock);
  done = outside->done;
  outside->left = !done;
  if (!done)
    g_atomic_int_inc (&stuck);
  g_mutex_unlock (&outside->lock);
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
outside_run (gpointer (*function) (gpointer input, GError **error), gpointer input, GDestroyNotify free_input,
             GDestroyNotify free_result, GError **error)
{
  Job *job = job_current ();
  Outside *outside;
  GThread *thread;
  gpointer result;

  if (job == NULL)
    return run_here (function, input, free_input, error);
  if (g_atomic_int_get (&stuck) >= OUTSIDE_STUCK_MAX) {
    virt_error_set (error, VIR_ERR_OPERATION_FAILED,
                    "%d files stand still while they are opened; is a network file system gone?",
                    OUTSIDE_STUCK_MAX);
    free_input (input);
    return NULL;
  }
  outside = g_new0 (Outside, 1);
  *outside =
      (Outside){ .function = function, .input = input, .free_input = free_input, .free_result = free_result };
  g_mutex_init (&outside->lock);
  g_cond_init (&outside->changed);
  thread = g_thread_try_new ("outside", outside_thread, outside, NULL);
  if (thread == NULL) { /* no thread to be had: rather at a risk than not at all */
    outside_free (outside);
    return run_here (function, input, free_input, error);
  }
  g_thread_unref (thread);
  if (!wait_for (outside, job, error))
    return NULL;
  result = g_steal_pointer (&outside->result);
  if (outside->error != NULL)
    g_propagate_error (error, g_steal_pointer (&outside->error));
  outside_free (outside);
  return result;
}

guint
outside_stuck (void)
{
  return (guint)g_atomic_int_get (&stuck);
}
