/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "base/virt-error.h"
#include <gio/gio.h>

/*
 * A job: one conversation with the outside (QEMU, disks) as a plain function in a thread of its own. It gets
 * immutable input, returns a result, and never touches what the main loop owns; the main loop commits the
 * result. Every wait in it has a deadline, and job_cancel wakes it from every wait.
 */
typedef struct Job Job;

/* In the job's thread. Return the result (transfer full) or NULL with @error set; jobs with nothing to return
 * return JOB_OK. */
#define JOB_OK ((gpointer)(gsize)1)
typedef gpointer (*JobFunction) (Job *job, gpointer input, GError **error);
/* In the main loop, exactly once. @result or @error, never both. */
typedef void (*JobDone) (gpointer result, const GError *error, gpointer data);

/* Main loop only. Starts at once. @input is handed to the thread and freed by @free_input in the main loop
 * after
 * @done has run. @deadline_seconds bounds the whole job (0: no bound). The name is the thread's (15
 * characters shown). */
Job *job_start (const char *name, JobFunction function, gpointer input, GDestroyNotify free_input,
                guint deadline_seconds, JobDone done, gpointer data);
/* Any thread: wakes the job from its wait with VIR_ERR_OPERATION_ABORTED. */
void job_cancel (Job *job);

/* In the job's thread. */
gint64 job_deadline (const Job *job); /* g_get_monotonic_time units; G_MAXINT64 when unbounded */
/* A long job that has come further: its deadline is so far from now. */
void job_extend_deadline (Job *job, guint seconds);
GCancellable *job_cancellable (Job *job);
gboolean job_check (Job *job, GError **error); /* FALSE once cancelled or late */
/* Run @function in the main loop and wait for it to have run: how a job publishes something half way. */
void job_in_main_loop (Job *job, void (*function) (gpointer), gpointer data);

/* The job whose thread this is; NULL in any other thread. */
Job *job_current (void);

/* How many jobs are running: the daemon waits for none at its end, tests look at it. */
guint job_count (void);
