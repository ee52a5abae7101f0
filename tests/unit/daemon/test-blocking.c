/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * What stands still outside: opening a FIFO that nobody writes to, as a file of a dead network file system
 * would. A job that is cancelled or late goes on without it, and what was left behind cleans up after itself.
 * With it what else keeps the outside in bounds: the memory of a program that reads images, the size of a
 * machine's log.
 */
#include "daemon/core/blocking.h"
#include "daemon/drivers/qemu/machine-log.h"
#include "daemon/host/files.h"
#include "daemon/storage/tool.h"

#include "cmocka-glib.h"
#include "main-loop.h"
#include "temporary.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

typedef struct {
  gboolean done;
  int code;
} Outcome;

static gint freed; /* atomic */

static void
take (gpointer result G_GNUC_UNUSED, const GError *error, gpointer data)
{
  Outcome *outcome = data;

  outcome->done = TRUE;
  outcome->code = error != NULL ? error->code : 0;
}

static void
free_path (gpointer path)
{
  g_atomic_int_inc (&freed);
  g_free (path);
}

static gpointer
open_path (gpointer path, GError **error)
{
  int fd = open (path, O_RDONLY | O_CLOEXEC);

  if (fd < 0)
    virt_error_set (error, VIR_ERR_SYSTEM_ERROR, "cannot open '%s'", (const char *)path);
  else
    close (fd);
  return fd >= 0 ? JOB_OK : NULL;
}

static gpointer
open_outside (Job *job G_GNUC_UNUSED, gpointer path, GError **error)
{
  return blocking_run (open_path, g_strdup (path), free_path, NULL, error);
}

static Outcome
run (const char *path, guint seconds, gboolean cancel)
{
  Outcome outcome = { 0 };
  Job *job = job_start ("test", open_outside, g_strdup (path), g_free, seconds, take, &outcome);

  if (cancel)
    job_cancel (job);
  assert_true (run_main_loop_until (&outcome.done));
  return outcome;
}

static void
a_stuck_file_holds_up_nobody (void **state G_GNUC_UNUSED)
{
  char *directory = temporary_directory ();
  g_autofree char *fifo = g_build_filename (directory, "fifo", NULL);
  int writer;

  assert_int_equal (mkfifo (fifo, 0600), 0);
  assert_int_equal (run (fifo, 0, TRUE).code, VIR_ERR_OPERATION_ABORTED);
  assert_int_equal (run (fifo, 1, FALSE).code, VIR_ERR_OPERATION_TIMEOUT);
  assert_int_equal (run (directory, 10, FALSE).code, 0);
  assert_int_equal (run ("/nonexistent", 10, FALSE).code, VIR_ERR_SYSTEM_ERROR);

  /* Now it comes back, and both threads that were left end. */
  writer = open (fifo, O_WRONLY | O_CLOEXEC);
  assert_true (writer >= 0);
  while (g_atomic_int_get (&freed) < 4)
    g_thread_yield ();
  close (writer);
  temporary_remove (directory);
}

static gpointer
run_tool (G_GNUC_UNUSED Job *job, gpointer script, GError **error)
{
  const char *const arguments[] = { "sh", "-c", script, NULL };

  return tool_run (arguments, NULL, NULL, error) ? JOB_OK : NULL;
}

/* The shell waits for the limit, which is set just after its start. */
static void
a_program_has_bounded_memory (void **state G_GNUC_UNUSED)
{
  Outcome outcome = { 0 };

  job_start ("tool", run_tool,
             g_strdup ("while [ $(ulimit -v) = unlimited ]; do :; done; [ $(ulimit -v) -eq 4194304 ]"),
             g_free, TEST_PATIENCE, take, &outcome);
  assert_true (run_main_loop_until (&outcome.done));
  assert_int_equal (outcome.code, 0);
}

static goffset
size_of (const char *directory, const char *name)
{
  g_autofree char *path = g_build_filename (directory, name, NULL);
  struct stat status;

  return stat (path, &status) == 0 ? status.st_size : -1;
}

static void
a_log_is_bounded (void **state G_GNUC_UNUSED)
{
  char *root = temporary_directory ();
  g_autofree char *much = g_strnfill (MACHINE_LOG_MAX, 'x');
  Settings *settings = settings_load (FALSE, root, NULL, NULL);
  const char *directory = settings->log_directory;

  /* While the machine runs: five times too much. */
  for (guint i = 0; i < 5; i++) {
    g_auto (MachineLog) log = { .fd = -1 };
    g_autofree char *words = NULL;

    assert_true (machine_log_open (&log, settings, "m", NULL));
    machine_log_line (&log, much);
    assert_true (size_of (directory, "m.log") > MACHINE_LOG_MAX);
    machine_logs_rotate (directory);
    assert_int_equal (size_of (directory, "m.log"), 0);
    machine_log_line (&log, "the last words");
    words = machine_log_last_words (&log);
    assert_true (g_str_has_suffix (words, ": the last words"));
  }
  assert_true (size_of (directory, "m.log.2") >= MACHINE_LOG_MAX);
  assert_int_equal (size_of (directory, "m.log.3"), -1);

  /* Before it starts: the whole file moves. */
  for (guint i = 0; i < 2; i++) {
    g_auto (MachineLog) log = { .fd = -1 };

    assert_true (machine_log_open (&log, settings, "other", NULL));
    if (i == 0)
      machine_log_line (&log, much);
  }
  assert_int_equal (size_of (directory, "other.log"), 0);
  assert_true (size_of (directory, "other.log.0") > MACHINE_LOG_MAX);
  settings_free (settings);
  temporary_remove (root);
}

int
main (void)
{
  const struct CMUnitTest tests[] = {
    cmocka_unit_test (a_stuck_file_holds_up_nobody),
    cmocka_unit_test (a_program_has_bounded_memory),
    cmocka_unit_test (a_log_is_bounded),
  };

  return cmocka_run_group_tests (tests, NULL, NULL);
}
