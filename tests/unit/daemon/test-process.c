/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Processes, with real ones: what they are given, how they end, how they are found again. */
#include "daemon/host/process.h"
#include "main-loop.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#define PATIENCE_MS (TEST_PATIENCE * 1000)

static Process *
spawn_shell (const char *script, ProcessLaunch launch, GError **error)
{
  char *argv[] = { (char *)"/bin/sh", (char *)"-c", (char *)script, NULL };

  launch.argv = argv;
  if (launch.output_fd == 0)
    launch.output_fd = -1;
  return process_spawn (&launch, error);
}

/* What the script writes before it ends. */
static char *
shell_output (const char *script, ProcessLaunch launch)
{
  g_autoptr (GString) text = g_string_new (NULL);
  char buffer[512];
  int ends[2];
  ssize_t got;

  assert_int_equal (pipe2 (ends, O_CLOEXEC), 0);
  launch.output_fd = ends[1];
  g_autoptr (GError) error = NULL;
  g_autoptr (Process) process = spawn_shell (script, launch, &error);
  assert_null (error);
  close (ends[1]);
  while ((got = read (ends[0], buffer, sizeof buffer)) > 0)
    g_string_append_len (text, buffer, got);
  close (ends[0]);
  assert_true (process_wait (process, PATIENCE_MS, NULL));
  return g_string_free (g_steal_pointer (&text), FALSE);
}

typedef struct {
  gboolean ended;
  ProcessExit how;
} End;

static void
note_end (Process *process, ProcessExit how, gpointer data)
{
  End *end = data;

  assert_false (process_is_alive (process));
  end->how = how;
  end->ended = TRUE;
}

static void
end_is_told_with_its_status (void **state)
{
  static const struct {
    const char *script;
    gboolean signalled;
    int code;
  } rows[] = {
    { "exit 0", FALSE, 0 },
    { "exit 7", FALSE, 7 },
    { "kill -9 $$", TRUE, SIGKILL },
    { "kill -15 $$", TRUE, SIGTERM },
  };

  (void)state;
  for (guint i = 0; i < G_N_ELEMENTS (rows); i++) {
    End end = { 0 };
    g_autoptr (Process) process = spawn_shell (rows[i].script, (ProcessLaunch){ 0 }, NULL);
    assert_non_null (process);
    process_watch (process, note_end, &end);
    assert_true (run_main_loop_until (&end.ended));
    assert_true (end.how.known);
    assert_int_equal (end.how.signalled, rows[i].signalled);
    assert_int_equal (end.how.code, rows[i].code);
    assert_int_equal (waitpid (process_pid (process), NULL, WNOHANG), -1); /* nothing is left to reap */
  }
}

static void
process_has_its_own_session_and_nothing_of_ours (void **state)
{
  int low = open ("/dev/null", O_RDONLY);
  int inherited = fcntl (low, F_DUPFD, 77); /* deliberately without close-on-exec; no shell uses it itself */

  (void)state;
  g_autofree char *script = g_strdup_printf (
      "test -e /proc/$$/fd/%d && echo leaked || cut -d' ' -f6 /proc/$$/stat; echo $$; pwd; umask; "
      "env | sort | tr '\\n' ' '",
      inherited);
  g_autofree char *text = shell_output (script, (ProcessLaunch){ 0 });
  g_auto (GStrv) lines = g_strsplit (text, "\n", -1);
  close (low);
  close (inherited);
  assert_string_equal (lines[0], lines[1]); /* session == pid */
  assert_string_equal (lines[2], "/");
  assert_string_equal (lines[3], "0002");
  assert_non_null (strstr (lines[4], "PATH="));
  assert_null (strstr (lines[4], "HOME="));
}

static void
descriptors_arrive_under_their_numbers (void **state)
{
  char first[] = "/tmp/test-process-XXXXXX", second[] = "/tmp/test-process-XXXXXX";
  int fds[2] = { g_mkstemp (first), g_mkstemp (second) };
  const int crossed[2] = { fds[1], fds[0] }; /* each is wanted at the other's number */

  (void)state;
  assert_int_equal (write (fds[0], "first", 5), 5);
  assert_int_equal (write (fds[1], "second", 6), 6);
  assert_int_equal (lseek (fds[0], 0, SEEK_SET) + lseek (fds[1], 0, SEEK_SET), 0);
  g_autofree char *script = g_strdup_printf ("cat <&%d; echo; cat <&%d", crossed[0], crossed[1]);
  g_autofree char *text =
      shell_output (script, (ProcessLaunch){ .fds = fds, .fds_as = crossed, .fd_count = 2 });
  assert_string_equal (text, "first\nsecond");
  for (guint i = 0; i < 2; i++)
    close (fds[i]);
  unlink (first);
  unlink (second);
}

static void
no_privileges_are_left (void **state)
{
  const gid_t groups[] = { 12345 };

  (void)state;
  if (geteuid () != 0)
    skip ();
  g_autofree char *text = shell_output (
      "id -u; id -G; grep -E 'Cap(Prm|Eff|Bnd|Amb)|NoNewPrivs' /proc/self/status | tr -d '\\n\\t '",
      (ProcessLaunch){ .user = "nobody", .groups = groups, .group_count = 1 });
  assert_string_equal (text, "65534\n65534 12345\nCapPrm:0000000000000000CapEff:0000000000000000CapBnd:"
                             "0000000000000000CapAmb:0000000000000000NoNewPrivs:1");
}

static void
launch_errors_name_the_program_and_the_reason (void **state)
{
  static const struct {
    const char *program, *user, *directory, *text;
  } rows[] = {
    { "/nonexistent/qemu", NULL, NULL, "cannot start '/nonexistent/qemu': there is no such program" },
    { "/etc/passwd", NULL, NULL, "cannot start '/etc/passwd': failed to execute: Permission denied" },
    { "/bin/true", "no-such-user", NULL, "cannot run '/bin/true' as 'no-such-user': there is no such user" },
    { "/bin/true", NULL, "/nonexistent",
      "cannot start '/bin/true': failed to enter its directory: No such file or directory" },
  };

  (void)state;
  for (guint i = 0; i < G_N_ELEMENTS (rows); i++) {
    g_autoptr (GError) error = NULL;
    char *argv[] = { (char *)rows[i].program, NULL };
    ProcessLaunch launch = {
      .argv = argv, .user = rows[i].user, .directory = rows[i].directory, .output_fd = -1
    };
    assert_null (process_spawn (&launch, &error));
    assert_non_null (error);
    assert_non_null (strstr (error->message, rows[i].text));
    assert_int_equal (waitpid (-1, NULL, WNOHANG), -1);
  }
}

typedef struct {
  gboolean answer;
  GPid pid;
  guint64 start_time;
  char program[64]; /* what the process is while it waits: still a copy of us */
} Created;

static gboolean
note_created (GPid pid, guint64 start_time, gpointer data, GError **error)
{
  Created *created = data;
  g_autofree char *link = g_strdup_printf ("/proc/%d/exe", pid);
  g_autofree char *program = g_file_read_link (link, NULL);

  created->pid = pid;
  created->start_time = start_time;
  g_strlcpy (created->program, strrchr (program, '/') + 1, sizeof created->program);
  if (!created->answer)
    virt_error_set (error, VIR_ERR_OPERATION_FAILED, "the disk is full");
  return created->answer;
}

static void
nothing_executes_before_it_is_written_down (void **state)
{
  Created created = { .answer = TRUE };

  (void)state;
  g_autoptr (Process) process =
      spawn_shell ("sleep 100", (ProcessLaunch){ .created = note_created, .created_data = &created }, NULL);
  assert_non_null (process);
  assert_string_equal (created.program, "test-process");
  assert_int_equal (created.pid, process_pid (process));
  assert_int_equal (created.start_time, process_start_time (process));
  assert_true (process_signal (process, SIGKILL));
  assert_true (process_wait (process, PATIENCE_MS, NULL));

  g_autoptr (GError) error = NULL;
  created.answer = FALSE;
  assert_null (spawn_shell ("sleep 100", (ProcessLaunch){ .created = note_created, .created_data = &created },
                            &error));
  assert_non_null (strstr (error->message, "the disk is full"));
  assert_int_equal (kill (created.pid, 0), -1);
}

static gboolean
die_here (GPid pid, guint64 start_time, gpointer data, GError **error)
{
  (void)start_time;
  (void)error;
  if (write (*(int *)data, &pid, sizeof pid) == sizeof pid)
    kill (getpid (), SIGKILL);
  return FALSE;
}

/* It saw the gate close, or was told by the kernel first. */
static gboolean
never_became_the_program (int status)
{
  return WIFEXITED (status) ? WEXITSTATUS (status) == 127
                            : WIFSIGNALED (status) && WTERMSIG (status) == SIGKILL;
}

/* The daemon is killed before it could write down what it started: the child never becomes the program. */
static void
nothing_executes_when_the_daemon_dies (void **state)
{
  int ends[2], status;
  GPid orphan;

  (void)state;
  assert_int_equal (pipe2 (ends, O_CLOEXEC), 0);
  pid_t daemon = fork ();
  if (daemon == 0) {
    spawn_shell ("sleep 100", (ProcessLaunch){ .created = die_here, .created_data = &ends[1] }, NULL);
    _exit (1);
  }
  assert_int_equal (read (ends[0], &orphan, sizeof orphan), sizeof orphan);
  assert_int_equal (waitpid (daemon, &status, 0), daemon);
  assert_true (WIFSIGNALED (status));
  assert_int_equal (waitpid (orphan, &status, 0), orphan); /* ours to reap: we are its subreaper */
  assert_true (never_became_the_program (status));
  close (ends[0]);
  close (ends[1]);
}

/* Another machine is being started at the same moment: its child has copies of all the daemon has open. */
static gboolean
fork_another_and_die (GPid pid, guint64 start_time, gpointer data, GError **error)
{
  GPid other = fork ();

  if (other == 0) {
    pause ();
    _exit (1);
  }
  assert_int_equal (write (*(int *)data, &other, sizeof other), sizeof other);
  return die_here (pid, start_time, data, error);
}

static void
nothing_executes_when_another_child_holds_the_gate (void **state)
{
  int ends[2], status = 0;
  GPid children[2]; /* the other one, and the one that was to become a program */
  gboolean ended = FALSE;

  (void)state;
  assert_int_equal (pipe2 (ends, O_CLOEXEC), 0);
  pid_t daemon = fork ();
  if (daemon == 0) {
    spawn_shell ("sleep 100", (ProcessLaunch){ .created = fork_another_and_die, .created_data = &ends[1] },
                 NULL);
    _exit (1);
  }
  assert_int_equal (read (ends[0], &children[0], sizeof children[0]), sizeof children[0]);
  assert_int_equal (read (ends[0], &children[1], sizeof children[1]), sizeof children[1]);
  assert_int_equal (waitpid (daemon, &status, 0), daemon);
  for (gint64 deadline = g_get_monotonic_time () + PATIENCE_MS * 1000;
       !ended && g_get_monotonic_time () < deadline; g_usleep (1000))
    ended = waitpid (children[1], &status, WNOHANG) == children[1];
  kill (children[0], SIGKILL);
  assert_int_equal (waitpid (children[0], NULL, 0), children[0]);
  assert_true (ended);
  assert_true (never_became_the_program (status));
  close (ends[0]);
  close (ends[1]);
}

static void
adopted_is_the_same_process_or_none (void **state)
{
  End end = { 0 };

  (void)state;
  g_autoptr (Process) process = spawn_shell ("x=$(head -c 16000000 /dev/zero | tr '\\0' x); sleep 100; : $x",
                                             (ProcessLaunch){ 0 }, NULL);
  GPid pid = process_pid (process);
  guint64 start_time = process_start_time (process);
  gint64 deadline = g_get_monotonic_time () + PATIENCE_MS * 1000;

  assert_null (process_adopt (pid, start_time + 1));
  assert_null (process_adopt (1, 1));
  g_autoptr (Process) adopted = process_adopt (pid, start_time);
  assert_non_null (adopted);
  process_watch (adopted, note_end, &end);

  guint64 cpu, user, system, resident;
  /* The kernel counts resident pages loosely: the shell takes 16 MB, and is asked until some of it shows. */
  do
    assert_true (process_usage (adopted, &cpu, &user, &system, &resident));
  while (resident == 0 && g_get_monotonic_time () < deadline);
  assert_int_equal (cpu, user + system);
  assert_true (resident > 0);

  assert_true (process_signal (adopted, SIGKILL));
  assert_true (run_main_loop_until (&end.ended));
  assert_true (process_wait (process, PATIENCE_MS, NULL));
  assert_null (process_adopt (pid, start_time));
  assert_false (process_usage (adopted, &cpu, &user, &system, &resident));
}

/* A dead process that its parent has not waited for is dead. */
static void
zombie_is_not_alive (void **state)
{
  siginfo_t info;

  (void)state;
  g_autoptr (Process) process = spawn_shell ("sleep 100", (ProcessLaunch){ 0 }, NULL);
  assert_true (process_is_alive (process));
  assert_true (process_signal (process, SIGKILL));
  assert_int_equal (waitid (P_PID, (id_t)process_pid (process), &info, WEXITED | WNOWAIT), 0);
  assert_int_equal (kill (process_pid (process), 0), 0);
  assert_false (process_is_alive (process));
  assert_null (process_adopt (process_pid (process), process_start_time (process)));
}

/* The end may come before anybody watches. */
static void
earlier_end_is_told_too (void **state)
{
  End end = { 0 };

  (void)state;
  g_autoptr (Process) process = spawn_shell ("exit 3", (ProcessLaunch){ 0 }, NULL);
  assert_true (process_wait (process, PATIENCE_MS, NULL));
  process_watch (process, note_end, &end);
  assert_true (run_main_loop_until (&end.ended));
  assert_int_equal (end.how.code, 3);
}

int
main (void)
{
  const struct CMUnitTest tests[] = {
    cmocka_unit_test (end_is_told_with_its_status),
    cmocka_unit_test (process_has_its_own_session_and_nothing_of_ours),
    cmocka_unit_test (descriptors_arrive_under_their_numbers),
    cmocka_unit_test (no_privileges_are_left),
    cmocka_unit_test (launch_errors_name_the_program_and_the_reason),
    cmocka_unit_test (nothing_executes_before_it_is_written_down),
    cmocka_unit_test (nothing_executes_when_the_daemon_dies),
    cmocka_unit_test (nothing_executes_when_another_child_holds_the_gate),
    cmocka_unit_test (adopted_is_the_same_process_or_none),
    cmocka_unit_test (zombie_is_not_alive),
    cmocka_unit_test (earlier_end_is_told_too),
  };

  process_become_subreaper ();
  return cmocka_run_group_tests (tests, NULL, NULL);
}
