/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The one thing a long job and its watchers share: a few numbers behind a lock. */
#include "daemon/core/progress.h"

struct Progress {
  gatomicrefcount references;
  virDomainJobOperation operation;
  const char *why_not_give_up;
  gint64 started; /* g_get_monotonic_time */
  GMutex lock;    /* the rest */
  GCond changed;
  gboolean given_up;
  virDomainJobType type;
  gint64 ended;
  gint64 stopped; /* 0: the guest was never told to stand still */
  ProgressFigures figures;
  char *problem;
};

Progress *
progress_new (virDomainJobOperation operation)
{
  Progress *progress = g_new0 (Progress, 1);

  g_atomic_ref_count_init (&progress->references);
  g_mutex_init (&progress->lock);
  g_cond_init (&progress->changed);
  progress->operation = operation;
  progress->started = g_get_monotonic_time ();
  progress->type = VIR_DOMAIN_JOB_UNBOUNDED;
  return progress;
}

Progress *
progress_ref (Progress *progress)
{
  g_atomic_ref_count_inc (&progress->references);
  return progress;
}

void
progress_unref (Progress *progress)
{
  if (progress == NULL || !g_atomic_ref_count_dec (&progress->references))
    return;
  g_mutex_clear (&progress->lock);
  g_cond_clear (&progress->changed);
  g_free (progress->problem);
  g_free (progress);
}

void
progress_set_started (Progress *progress, gint64 started)
{
  progress->started = g_get_monotonic_time () - MAX (g_get_real_time () - started, 0);
}

virDomainJobOperation
progress_operation (const Progress *progress)
{
  return progress->operation;
}

void
progress_set (Progress *progress, const ProgressFigures *figures)
{
  g_mutex_lock (&progress->lock);
  progress->figures = *figures;
  g_mutex_unlock (&progress->lock);
}

void
progress_get (Progress *progress, ProgressFigures *ret)
{
  g_mutex_lock (&progress->lock);
  *ret = progress->figures;
  g_mutex_unlock (&progress->lock);
}

void
progress_end (Progress *progress, virDomainJobType type)
{
  g_mutex_lock (&progress->lock);
  progress->type = type;
  progress->ended = g_get_monotonic_time ();
  g_mutex_unlock (&progress->lock);
}

virDomainJobType
progress_type (Progress *progress)
{
  g_mutex_lock (&progress->lock);
  virDomainJobType type = progress->type;
  g_mutex_unlock (&progress->lock);
  return type;
}

guint64
progress_milliseconds (Progress *progress)
{
  g_mutex_lock (&progress->lock);
  gint64 end = progress->ended != 0 ? progress->ended : g_get_monotonic_time ();
  g_mutex_unlock (&progress->lock);
  return (guint64)(end - progress->started) / 1000;
}

void
progress_tell_stopped (Progress *progress)
{
  g_mutex_lock (&progress->lock);
  progress->stopped = g_get_monotonic_time ();
  g_mutex_unlock (&progress->lock);
}

guint64
progress_milliseconds_stopped (Progress *progress, guint64 otherwise)
{
  g_mutex_lock (&progress->lock);
  gint64 end = progress->ended != 0 ? progress->ended : g_get_monotonic_time ();
  gint64 stopped = progress->stopped;
  g_mutex_unlock (&progress->lock);
  return stopped != 0 ? (guint64)(end - stopped) / 1000 : otherwise;
}

void
progress_forbid_giving_up (Progress *progress, const char *why)
{
  progress->why_not_give_up = why;
}

const char *
progress_why_not_give_up (const Progress *progress)
{
  return progress->why_not_give_up;
}

void
progress_give_up (Progress *progress)
{
  g_mutex_lock (&progress->lock);
  progress->given_up = TRUE;
  g_cond_broadcast (&progress->changed);
  g_mutex_unlock (&progress->lock);
}

gboolean
progress_is_given_up (Progress *progress)
{
  g_mutex_lock (&progress->lock);
  gboolean given_up = progress->given_up;
  g_mutex_unlock (&progress->lock);
  return given_up;
}

void
progress_wait (Progress *progress, guint milliseconds)
{
  gint64 until = g_get_monotonic_time () + (gint64)milliseconds * 1000;

  g_mutex_lock (&progress->lock);
  while (!progress->given_up && g_cond_wait_until (&progress->changed, &progress->lock, until))
    ;
  g_mutex_unlock (&progress->lock);
}

void
progress_tell_problem (Progress *progress, const char *problem)
{
  g_mutex_lock (&progress->lock);
  g_free (progress->problem);
  progress->problem = g_strdup (problem);
  g_cond_broadcast (&progress->changed);
  g_mutex_unlock (&progress->lock);
}

char *
progress_wait_for_problem (Progress *progress, guint milliseconds)
{
  gint64 until = g_get_monotonic_time () + (gint64)milliseconds * 1000;

  g_mutex_lock (&progress->lock);
  while (progress->problem == NULL && g_cond_wait_until (&progress->changed, &progress->lock, until))
    ;
  char *problem = g_strdup (progress->problem);
  g_mutex_unlock (&progress->lock);
  return problem;
}
