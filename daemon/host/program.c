/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Running a program and waiting for its end by the descriptor of its process: no signal handler, no global
 * state, and a deadline on every wait.
 */
#include "daemon/host/program.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

typedef struct {
  const char *name;
  Job *job; /* whose thread this is, or NULL */
  gint64 deadline;
  GPid pid;
  int pidfd, words_fd;
  GString *words; /* the last PROGRAM_WORDS_MAX bytes */
} Program;

static gboolean
program_start (Program *program, const ProgramRun *run, GError **error)
{
  static const char *const environment[] = {
    "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL=C", NULL
  };
  g_autofree char *path = g_find_program_in_path (run->arguments[0]);
  g_autoptr (GError) problem = NULL;
  g_autofree const char **argv = NULL;
  guint count = g_strv_length ((char **)run->arguments);
  int targets[PROGRAM_FILES_MAX];

  if (path == NULL) {
    virt_error_set (error, VIR_ERR_OPERATION_UNSUPPORTED, "the program '%s' is not installed",
                    run->arguments[0]);
    return FALSE;
  }
  g_return_val_if_fail (run->file_count <= PROGRAM_FILES_MAX, FALSE);
  for (guint i = 0; i < run->file_count; i++)
    targets[i] = PROGRAM_FD + (int)i;
  argv = g_new0 (const char *, count + 1);
  memcpy (argv, run->arguments, count * sizeof *argv);
  argv[0] = path;
  if (!g_spawn_async_with_pipes_and_fds (
          "/", argv, environment,
          G_SPAWN_DO_NOT_REAP_CHILD | G_SPAWN_CLOEXEC_PIPES | G_SPAWN_STDOUT_TO_DEV_NULL, run->confine,
          run->confine_data, -1, -1, -1, run->files, targets, run->file_count, &program->pid, NULL, NULL,
          &program->words_fd, &problem)) {
    virt_error_set (error, VIR_ERR_OPERATION_FAILED, "cannot start '%s': %s", path, problem->message);
    return FALSE;
  }
  /* Our own child, not yet waited for: the number is its. */
  program->pidfd = (int)syscall (SYS_pidfd_open, program->pid, 0);
  return TRUE;
}

/* FALSE at the end of what it says. */
static gboolean
read_words (Program *program)
{
  char text[1024];
  ssize_t count = read (program->words_fd, text, sizeof text);

  if (count < 0 && errno == EINTR)
    return TRUE;
  if (count <= 0)
    return FALSE;
  g_string_append_len (program->words, text, count);
  if (program->words->len > PROGRAM_WORDS_MAX)
    g_string_erase (program->words, 0, (gssize)(program->words->len - PROGRAM_WORDS_MAX));
  return TRUE;
}

static gboolean
check_time (const Program *program, GError **error)
{
  if (program->job != NULL && g_cancellable_is_cancelled (job_cancellable (program->job)))
    virt_error_set (error, VIR_ERR_OPERATION_ABORTED, "the work on '%s' was given up", program->name);
  else if (g_get_monotonic_time () >= program->deadline)
    virt_error_set (error, VIR_ERR_OPERATION_TIMEOUT, "the work on '%s' took too long", program->name);
  else
    return TRUE;
  return FALSE;
}

static int
milliseconds_left (const Program *program)
{
  gint64 left = (program->deadline - g_get_monotonic_time ()) / 1000 + 1;

  return program->deadline == G_MAXINT64 ? -1 : (int)CLAMP (left, 0, G_MAXINT);
}

/* Until its process has ended. */
static gboolean
program_wait (Program *program, GError **error)
{
  GPollFD cancelled = { .fd = -1 };
  GCancellable *cancellable = program->job != NULL ? job_cancellable (program->job) : NULL;
  gboolean watched = g_cancellable_make_pollfd (cancellable, &cancelled);
  gboolean speaks = TRUE, ended = FALSE;

  while (!ended && check_time (program, error)) {
    struct pollfd fds[] = { { program->pidfd, POLLIN, 0 },
                            { watched ? cancelled.fd : -1, POLLIN, 0 },
                            { speaks ? program->words_fd : -1, POLLIN, 0 } };

    if (poll (fds, G_N_ELEMENTS (fds), milliseconds_left (program)) < 0 && errno != EINTR)
      break;
    if (fds[2].revents != 0)
      speaks = read_words (program);
    else
      ended = fds[0].revents != 0;
  }
  if (watched)
    g_cancellable_release_fd (cancellable);
  return ended;
}

static void
program_end (const Program *program, gboolean ended, int *ret_status)
{
  if (!ended)
    kill (program->pid, SIGKILL);
  while (waitpid (program->pid, ret_status, 0) < 0 && errno == EINTR)
    ;
  if (program->pidfd >= 0)
    close (program->pidfd);
  close (program->words_fd);
}

gboolean
program_run (const ProgramRun *run, int *ret_status, char **ret_words, GError **error)
{
  Job *job = job_current ();
  g_autoptr (GString) words = g_string_new (NULL);
  Program program = { .name = run->arguments[0], .job = job, .pidfd = -1, .words_fd = -1, .words = words };
  gboolean ended;
  int status = 0;

  program.deadline = job != NULL ? job_deadline (job) : G_MAXINT64;
  if (run->seconds > 0)
    program.deadline = MIN (program.deadline, g_get_monotonic_time () + run->seconds * G_USEC_PER_SEC);
  if (!program_start (&program, run, error))
    return FALSE;
  ended = program.pidfd >= 0 && program_wait (&program, error);
  if (program.pidfd < 0)
    virt_error_set (error, VIR_ERR_SYSTEM_ERROR, "cannot watch '%s': %s", program.name, g_strerror (errno));
  program_end (&program, ended, &status);
  if (!ended)
    return FALSE;
  *ret_status = status;
  *ret_words = g_strdup (g_strchomp (words->str));
  return TRUE;
}

gboolean
program_succeeds (const ProgramRun *run, GError **error)
{
  g_autofree char *words = NULL;
  int status;

  if (!program_run (run, &status, &words, error))
    return FALSE;
  if (WIFEXITED (status) && WEXITSTATUS (status) == 0)
    return TRUE;
  if (words[0] != '\0')
    virt_error_set (error, VIR_ERR_OPERATION_FAILED, "%s", words);
  else if (WIFSIGNALED (status))
    virt_error_set (error, VIR_ERR_OPERATION_FAILED, "it was ended by signal %d", WTERMSIG (status));
  else
    virt_error_set (error, VIR_ERR_OPERATION_FAILED, "it ended with status %d", WEXITSTATUS (status));
  return FALSE;
}
