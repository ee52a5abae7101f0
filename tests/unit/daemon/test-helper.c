/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Helpers that behave, die, hang and flood; found again and ended. */
#include "daemon/helper/helper.h"
#include "main-loop.h"
#include "temporary.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#define SOON_SECONDS  2
#define FLOOD_SECONDS 2
#define EARLY_END     20000 /* ms: far more than it takes */

typedef struct {
  const char *script, *socket;
  char *directory;
  gboolean runs_once;
  guint early_end; /* ms */
} Input;

typedef struct {
  gboolean done;
  Helper *helper;
  gboolean succeeded;
  GError *error;
} Outcome;

static gpointer
start_shell (Job *job, gpointer data, GError **error)
{
  const Input *input = data;
  char *argv[] = { (char *)"/bin/sh", (char *)"-c", (char *)input->script, NULL };
  const HelperPlan plan = {
    .name = "test", .argv = argv, .ready_socket = input->socket, .early_end = input->early_end
  };

  if (input->runs_once)
    return helper_run (&plan, input->directory, job, error) ? JOB_OK : NULL;
  return helper_start (&plan, input->directory, job, error);
}

static void
take (gpointer result, const GError *error, gpointer data)
{
  Outcome *outcome = data;

  outcome->done = TRUE;
  outcome->succeeded = result != NULL;
  outcome->helper = result == JOB_OK ? NULL : result;
  outcome->error = error != NULL ? g_error_copy (error) : NULL;
}

static Outcome
run (Input input, guint seconds)
{
  Outcome outcome = { 0 };

  job_start ("helper", start_shell, &input, NULL, seconds, take, &outcome);
  assert_true (run_main_loop_until (&outcome.done));
  return outcome;
}

typedef struct {
  gboolean told;
  char *words;
} End;

static void
note_end (Helper *helper, const char *last_words, gpointer data)
{
  End *end = data;

  assert_int_equal (helper_pid (helper), 0);
  end->told = TRUE;
  end->words = g_strdup (last_words);
}

static guint
count_files (const char *directory)
{
  g_autoptr (GDir) files = g_dir_open (directory, 0, NULL);
  guint count = 0;

  while (g_dir_read_name (files) != NULL)
    count++;
  return count;
}

static void
one_that_dies_is_told_with_its_last_words (void **state G_GNUC_UNUSED)
{
  char *directory = temporary_directory ();
  Outcome outcome =
      run ((Input){ "echo first; read x < /dev/null; sleep 0.2; echo the disk is on fire >&2; exit 3", NULL,
                    directory, FALSE },
           0);
  End end = { 0 };

  assert_non_null (outcome.helper);
  assert_true (helper_pid (outcome.helper) > 1);
  helper_watch (outcome.helper, note_end, &end);
  assert_true (run_main_loop_until (&end.told));
  assert_string_equal (end.words, "first\nthe disk is on fire");
  assert_int_equal (count_files (directory), 0);
  helper_free (outcome.helper);
  g_free (end.words);
  temporary_remove (directory);
}

static void
one_that_dies_before_it_is_ready_is_an_error (void **state G_GNUC_UNUSED)
{
  char *directory = temporary_directory ();
  Outcome outcome = run ((Input){ "echo no such key; exit 7", "/nonexistent/socket", directory, FALSE }, 20);

  assert_null (outcome.helper);
  assert_int_equal (outcome.error->code, VIR_ERR_INTERNAL_ERROR);
  assert_string_equal (
      outcome.error->message,
      "internal error: Could not start '/bin/sh' (test): it ended with status 7: no such key");
  assert_int_equal (count_files (directory), 0);
  g_clear_error (&outcome.error);
  temporary_remove (directory);
}

static void
one_that_hangs_is_given_up_in_time (void **state G_GNUC_UNUSED)
{
  char *directory = temporary_directory ();
  Outcome outcome =
      run ((Input){ "echo waiting; exec sleep 1000", "/nonexistent/socket", directory, FALSE }, SOON_SECONDS);

  assert_null (outcome.helper);
  assert_int_equal (outcome.error->code, VIR_ERR_OPERATION_TIMEOUT);
  assert_non_null (strstr (outcome.error->message, "it said: waiting"));
  assert_int_equal (count_files (directory), 0);
  g_clear_error (&outcome.error);
  temporary_remove (directory);
}

static void
one_that_floods_is_bounded_and_not_held_up (void **state G_GNUC_UNUSED)
{
  char *directory = temporary_directory ();
  g_autofree char *mark = g_build_filename (directory, "done", NULL);
  g_autofree char *script = g_strdup_printf (
      "head -c 8000000 /dev/zero | tr '\\0' x 2>/dev/null; echo done > %s; exec sleep 1000", mark);
  Outcome outcome = run ((Input){ script, NULL, directory, FALSE }, 0);
  gint64 until = g_get_monotonic_time () + TEST_PATIENCE * G_USEC_PER_SEC;
  End end = { 0 };

  assert_non_null (outcome.helper);
  helper_watch (outcome.helper, note_end, &end);
  while (!g_file_test (mark, G_FILE_TEST_EXISTS) && g_get_monotonic_time () < until)
    g_main_context_iteration (NULL, FALSE);
  assert_true (g_file_test (mark, G_FILE_TEST_EXISTS));
  kill (helper_pid (outcome.helper), SIGKILL);
  assert_true (run_main_loop_until (&end.told));
  assert_true (strlen (end.words) <= HELPER_LAST_WORDS);
  helper_free (outcome.helper);
  g_free (end.words);
  temporary_remove (directory);
}

static gboolean
runs_sleep (GPid pid)
{
  g_autofree char *path = g_strdup_printf ("/proc/%d/comm", pid);
  g_autofree char *name = NULL;

  return g_file_get_contents (path, &name, NULL, NULL) && g_str_equal (name, "sleep\n");
}

static void
it_is_found_again_and_stopped (void **state G_GNUC_UNUSED)
{
  char *directory = temporary_directory ();
  Outcome outcome = run ((Input){ "echo still here; exec sleep 1000", NULL, directory, FALSE }, 0);
  GPid pid = helper_pid (outcome.helper);
  End end = { 0 };

  while (!runs_sleep (pid)) /* it has spoken before */
    g_usleep (1000);
  helper_free (outcome.helper); /* as if the daemon had ended */
  {
    g_autoptr (GPtrArray) found = helpers_find (directory);

    assert_int_equal (found->len, 1);
    assert_string_equal (helper_name (g_ptr_array_index (found, 0)), "test");
    assert_int_equal (helper_pid (g_ptr_array_index (found, 0)), pid);
    helper_watch (g_ptr_array_index (found, 0), note_end, &end);
    kill (pid, SIGTERM);
    assert_true (run_main_loop_until (&end.told));
    assert_string_equal (end.words, "still here");
  }
  g_free (end.words);
  temporary_remove (directory);
}

static void
one_that_ended_meanwhile_is_told (void **state G_GNUC_UNUSED)
{
  char *directory = temporary_directory ();
  g_autofree char *record = g_build_filename (directory, "helper-gone.json", NULL);
  End end = { 0 };

  /* Process 2 is no child of ours, and did not start then. */
  assert_true (g_file_set_contents (record, "{\"format\":1,\"pid\":2,\"start-time\":1}", -1, NULL));
  {
    g_autoptr (GPtrArray) found = helpers_find (directory);

    assert_int_equal (found->len, 1);
    helper_watch (g_ptr_array_index (found, 0), note_end, &end);
    assert_true (run_main_loop_until (&end.told));
  }
  assert_int_equal (count_files (directory), 0);
  g_free (end.words);
  temporary_remove (directory);
}

static gboolean
nobody_owns (const char *name G_GNUC_UNUSED, gpointer data G_GNUC_UNUSED)
{
  return FALSE;
}

static void
strays_are_stopped_and_stopping_is_not_told (void **state G_GNUC_UNUSED)
{
  char *parent = temporary_directory ();
  g_autofree char *directory = g_build_filename (parent, "owner", NULL);
  Outcome outcome;
  End end = { 0 };

  assert_int_equal (g_mkdir (directory, 0700), 0);
  outcome = run ((Input){ "exec sleep 1000", NULL, directory, FALSE }, 0);
  GPid pid = helper_pid (outcome.helper);
  helper_watch (outcome.helper, note_end, &end);
  helpers_stop_strays (parent, nobody_owns, NULL);
  assert_true (run_main_loop_until (&end.told)); /* another one's watch sees the end */
  assert_int_equal (helper_pid (outcome.helper), 0);
  assert_int_equal (kill (pid, 0), -1);
  helper_free (outcome.helper);
  g_free (end.words);

  outcome = run ((Input){ "exec sleep 1000", NULL, directory, FALSE }, 0);
  end = (End){ 0 };
  helper_watch (outcome.helper, note_end, &end);
  helper_stop (outcome.helper);
  assert_int_equal (count_files (directory), 0);
  assert_false (end.told);
  helper_free (outcome.helper);
  temporary_remove (parent);
}

/* Without a socket to wait for it is ready when it executes, and found out if it ends soon. */
static void
one_that_ends_early_is_an_error (void **state G_GNUC_UNUSED)
{
  char *directory = temporary_directory ();
  Outcome outcome = run ((Input){ "echo no such interface; exit 1", NULL, directory, FALSE, EARLY_END }, 20);

  assert_null (outcome.helper);
  assert_string_equal (
      outcome.error->message,
      "internal error: Could not start '/bin/sh' (test): it ended with status 1: no such interface");
  assert_int_equal (count_files (directory), 0);
  g_clear_error (&outcome.error);
  temporary_remove (directory);
}

static void
one_shot_programs_are_waited_for (void **state G_GNUC_UNUSED)
{
  char *directory = temporary_directory ();
  Outcome good = run ((Input){ "sleep 0.1", NULL, directory, TRUE }, 20);
  Outcome bad = run ((Input){ "echo cannot; exit 1", NULL, directory, TRUE }, 20);
  Outcome late = run ((Input){ "exec sleep 1000", NULL, directory, TRUE }, SOON_SECONDS);

  assert_true (good.succeeded);
  assert_false (bad.succeeded);
  assert_string_equal (bad.error->message,
                       "internal error: Could not start '/bin/sh' (test): it ended with status 1: cannot");
  assert_false (late.succeeded);
  assert_int_equal (count_files (directory), 0);
  g_clear_error (&bad.error);
  g_clear_error (&late.error);
  temporary_remove (directory);
}

int
main (void)
{
  const struct CMUnitTest tests[] = {
    cmocka_unit_test (one_that_dies_is_told_with_its_last_words),
    cmocka_unit_test (one_that_dies_before_it_is_ready_is_an_error),
    cmocka_unit_test (one_that_hangs_is_given_up_in_time),
    cmocka_unit_test (one_that_floods_is_bounded_and_not_held_up),
    cmocka_unit_test (it_is_found_again_and_stopped),
    cmocka_unit_test (one_that_ended_meanwhile_is_told),
    cmocka_unit_test (strays_are_stopped_and_stopping_is_not_told),
    cmocka_unit_test (one_that_ends_early_is_an_error),
    cmocka_unit_test (one_shot_programs_are_waited_for),
  };

  return cmocka_run_group_tests_name ("helper", tests, NULL, NULL);
}
