/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Jobs: the result, the error, the deadline, the cancellation, and what a job has done in the main loop. */
#include "daemon/core/job.h"
#include "main-loop.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#define NOBODY       65534
#define JOBS_AT_ONCE 50

typedef struct {
  gboolean done;
  gboolean input_freed_before_done;
  gpointer result;
  int code;
  GThread *ran_in;
} Outcome;

static gboolean input_freed;

static void
free_input (gpointer data)
{
  input_freed = TRUE;
  g_free (data);
}

static void
take_outcome (gpointer result, const GError *error, gpointer data)
{
  Outcome *outcome = data;

  outcome->done = TRUE;
  outcome->input_freed_before_done = input_freed;
  outcome->result = result;
  outcome->code = error != NULL ? error->code : 0;
  outcome->ran_in = g_thread_self ();
}

static Outcome
run_job (JobFunction function, guint deadline_seconds)
{
  Outcome outcome = { 0 };

  input_freed = FALSE;
  job_start ("test", function, g_strdup ("input"), free_input, deadline_seconds, take_outcome, &outcome);
  assert_int_equal (job_count (), 1);
  assert_true (run_main_loop_until (&outcome.done));
  assert_int_equal (job_count (), 0);
  assert_true (input_freed);
  assert_false (outcome.input_freed_before_done);
  assert_ptr_equal (outcome.ran_in, g_thread_self ());
  return outcome;
}

static gpointer
succeed (Job *job, gpointer input, GError **error)
{
  assert_string_equal (input, "input");
  return job_check (job, error) ? JOB_OK : NULL;
}

static void
result_reaches_main_loop (void **state)
{
  (void)state;
  Outcome outcome = run_job (succeed, 10);

  assert_ptr_equal (outcome.result, JOB_OK);
  assert_int_equal (outcome.code, 0);
}

static gpointer
refuse (Job *job, gpointer input, GError **error)
{
  (void)job;
  (void)input;
  virt_error_set (error, VIR_ERR_NO_DOMAIN, "no such one");
  return NULL;
}

static void
error_reaches_main_loop (void **state)
{
  (void)state;
  Outcome outcome = run_job (refuse, 0);

  assert_null (outcome.result);
  assert_int_equal (outcome.code, VIR_ERR_NO_DOMAIN);
}

static gpointer
forget_the_error (Job *job, gpointer input, GError **error)
{
  (void)job;
  (void)input;
  (void)error;
  return NULL;
}

static void
failure_without_error_is_one (void **state)
{
  (void)state;
  assert_int_equal (run_job (forget_the_error, 0).code, VIR_ERR_INTERNAL_ERROR);
}

/* Waits on nothing but its own deadline. */
static gpointer
wait_for_the_deadline (Job *job, gpointer input, GError **error)
{
  GMutex lock;
  GCond never;

  (void)input;
  g_mutex_init (&lock);
  g_cond_init (&never);
  g_mutex_lock (&lock);
  while (g_cond_wait_until (&never, &lock, job_deadline (job)))
    ;
  g_mutex_unlock (&lock);
  g_mutex_clear (&lock);
  g_cond_clear (&never);
  return job_check (job, error) ? JOB_OK : NULL;
}

static void
late_job_is_told (void **state)
{
  (void)state;
  assert_int_equal (run_job (wait_for_the_deadline, 1).code, VIR_ERR_OPERATION_TIMEOUT);
}

static gpointer
wait_for_cancellation (Job *job, gpointer input, GError **error)
{
  GPollFD poll;

  (void)input;
  assert_true (g_cancellable_make_pollfd (job_cancellable (job), &poll));
  g_poll (&poll, 1, TEST_PATIENCE * 1000);
  g_cancellable_release_fd (job_cancellable (job));
  return job_check (job, error) ? JOB_OK : NULL;
}

static void
cancelled_job_wakes (void **state)
{
  Outcome outcome = { 0 };

  (void)state;
  Job *job = job_start ("test", wait_for_cancellation, NULL, NULL, 0, take_outcome, &outcome);
  job_cancel (job);
  assert_true (run_main_loop_until (&outcome.done));
  assert_int_equal (outcome.code, VIR_ERR_OPERATION_ABORTED);
}

static void
note_thread (gpointer data)
{
  *(GThread **)data = g_thread_self ();
}

static gpointer
ask_main_loop (Job *job, gpointer input, GError **error)
{
  GThread *ran_in = NULL;

  (void)input;
  (void)error;
  job_in_main_loop (job, note_thread, &ran_in);
  return ran_in;
}

static void
job_acts_in_main_loop (void **state)
{
  (void)state;
  assert_ptr_equal (run_job (ask_main_loop, 10).result, g_thread_self ());
}

typedef struct {
  GMutex lock;
  GCond arrived;
  guint here;
} Meeting;

/* Until all of them are here. */
static gpointer
meet (Job *job, gpointer input, GError **error)
{
  Meeting *meeting = input;

  g_mutex_lock (&meeting->lock);
  meeting->here++;
  g_cond_broadcast (&meeting->arrived);
  while (meeting->here % JOBS_AT_ONCE != 0
         && g_cond_wait_until (&meeting->arrived, &meeting->lock, job_deadline (job)))
    ;
  g_mutex_unlock (&meeting->lock);
  return job_check (job, error) ? JOB_OK : NULL;
}

/* None waits for another's thread, and the threads that wait for more jobs are as good as new ones. */
static void
many_jobs_run_at_once (void **state)
{
  Meeting meeting = { .here = 0 };

  (void)state;
  g_mutex_init (&meeting.lock);
  g_cond_init (&meeting.arrived);
  for (guint round = 1; round <= 3; round++) {
    Outcome outcomes[JOBS_AT_ONCE] = { 0 };

    for (guint i = 0; i < JOBS_AT_ONCE; i++)
      job_start ("test", meet, &meeting, NULL, TEST_PATIENCE, take_outcome, &outcomes[i]);
    assert_int_equal (job_count (), JOBS_AT_ONCE);
    for (guint i = 0; i < JOBS_AT_ONCE; i++) {
      assert_true (run_main_loop_until (&outcomes[i].done));
      assert_ptr_equal (outcomes[i].result, JOB_OK);
    }
    assert_int_equal (meeting.here, round * JOBS_AT_ONCE);
  }
  g_mutex_clear (&meeting.lock);
  g_cond_clear (&meeting.arrived);
}

/* As many processes and threads as there are already: root is not held to that, an ordinary user is. */
static int
start_where_no_thread_is_to_be_had (void)
{
  const struct rlimit none = { 0, 0 };
  Outcome outcome = { 0 };

  if (setrlimit (RLIMIT_NPROC, &none) != 0 || (geteuid () == 0 && setresuid (NOBODY, NOBODY, NOBODY) != 0))
    return 2;
  job_start ("test", succeed, NULL, NULL, 10, take_outcome, &outcome);
  return run_main_loop_until (&outcome.done) && outcome.result == NULL
                 && outcome.code == VIR_ERR_OPERATION_FAILED && job_count () == 0
             ? 0
             : 1;
}

static void
host_without_threads_is_an_error (void **state)
{
  int status;

  (void)state;
  pid_t child = fork ();
  if (child == 0)
    _exit (start_where_no_thread_is_to_be_had ());
  assert_int_equal (waitpid (child, &status, 0), child);
  assert_true (WIFEXITED (status));
  assert_int_equal (WEXITSTATUS (status), 0);
}

int
main (void)
{
  const struct CMUnitTest tests[] = {
    cmocka_unit_test (host_without_threads_is_an_error), /* first: its child has none that wait for jobs */
    cmocka_unit_test (result_reaches_main_loop),
    cmocka_unit_test (error_reaches_main_loop),
    cmocka_unit_test (failure_without_error_is_one),
    cmocka_unit_test (late_job_is_told),
    cmocka_unit_test (cancelled_job_wakes),
    cmocka_unit_test (job_acts_in_main_loop),
    cmocka_unit_test (many_jobs_run_at_once),
  };

  return cmocka_run_group_tests (tests, NULL, NULL);
}
