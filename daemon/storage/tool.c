/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Running qemu-img. Whatever it does to an image can take hours, so it is waited for with the job's own
 * deadline and cancellation, by the descriptor of its process: no signal handler, no global state.
 */
#include "daemon/storage/tool.h"

#include <errno.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

typedef struct {
  const char *name;
  GPid pid;
  int pidfd, words_fd;
  GString *words; /* the last TOOL_WORDS_MAX bytes */
} Tool;

gboolean
storage_job_check (Job *job, const char *path, GError **error)
{
  if (g_cancellable_is_cancelled (job_cancellable (job))) {
    virt_error_set (error, VIR_ERR_OPERATION_ABORTED, "the work on '%s' was given up", path);
    return FALSE;
  }
  if (g_get_monotonic_time () >= job_deadline (job)) {
    virt_error_set (error, VIR_ERR_OPERATION_TIMEOUT, "the work on '%s' took too long", path);
    return FALSE;
  }
  return TRUE;
}

/* In the child, before the program: an image made by someone else must not take the host's memory through the
 * program that reads it, nor reach anything by network. Only system calls: other threads' locks are held for
 * ever here. */
static void
confine (gpointer data G_GNUC_UNUSED)
{
  const struct rlimit memory = { TOOL_MEMORY_MAX, TOOL_MEMORY_MAX };
  const struct rlimit core = { 0, 0 };
  const struct rlimit files = { TOOL_FILES_MAX, TOOL_FILES_MAX };

  setrlimit (RLIMIT_AS, &memory);
  setrlimit (RLIMIT_CORE, &core);
  setrlimit (RLIMIT_NOFILE, &files);
  prctl (PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
  unshare (CLONE_NEWNET | CLONE_NEWIPC); /* takes root, and a container may forbid it to root */
}

static gboolean
tool_start (Tool *tool, const char *const *arguments, int file, GError **error)
{
  static const char *const environment[] = {
    "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL=C", NULL
  };
  g_autofree char *program = g_find_program_in_path (arguments[0]);
  g_autoptr (GError) problem = NULL;
  g_autofree const char **argv = NULL;
  guint count = g_strv_length ((char **)arguments);
  const int target = 3;

  if (program == NULL) {
    virt_error_set (error, VIR_ERR_OPERATION_UNSUPPORTED, "the program '%s' is not installed", arguments[0]);
    return FALSE;
  }
  argv = g_new0 (const char *, count + 1);
  memcpy (argv, arguments, count * sizeof *argv);
  argv[0] = program;
  if (!g_spawn_async_with_pipes_and_fds (
          "/", argv, environment,
          G_SPAWN_DO_NOT_REAP_CHILD | G_SPAWN_CLOEXEC_PIPES | G_SPAWN_STDOUT_TO_DEV_NULL, confine, NULL, -1,
          -1, -1, &file, &target, file >= 0 ? 1 : 0, &tool->pid, NULL, NULL, &tool->words_fd, &problem)) {
    virt_error_set (error, VIR_ERR_OPERATION_FAILED, "cannot start '%s': %s", program, problem->message);
    return FALSE;
  }
  /* Our own child, not yet waited for: the number is its. */
  tool->pidfd = (int)syscall (SYS_pidfd_open, tool->pid, 0);
  return TRUE;
}

/* FALSE at the end of what it says. */
static gboolean
hear (Tool *tool)
{
  char text[1024];
  ssize_t count = read (tool->words_fd, text, sizeof text);

  if (count < 0 && errno == EINTR)
    return TRUE;
  if (count <= 0)
    return FALSE;
  g_string_append_len (tool->words, text, count);
  if (tool->words->len > TOOL_WORDS_MAX)
    g_string_erase (tool->words, 0, (gssize)(tool->words->len - TOOL_WORDS_MAX));
  return TRUE;
}

static int
milliseconds_left (Job *job)
{
  gint64 left = (job_deadline (job) - g_get_monotonic_time ()) / 1000 + 1;

  return job_deadline (job) == G_MAXINT64 ? -1 : (int)CLAMP (left, 0, G_MAXINT);
}

/* Until its process has ended. */
static gboolean
tool_wait (Job *job, Tool *tool, GError **error)
{
  GPollFD cancelled = { .fd = -1 };
  gboolean watched = g_cancellable_make_pollfd (job_cancellable (job), &cancelled);
  gboolean hears = TRUE, ended = FALSE;

  while (!ended && storage_job_check (job, tool->name, error)) {
    struct pollfd fds[] = { { tool->pidfd, POLLIN, 0 },
                            { watched ? cancelled.fd : -1, POLLIN, 0 },
                            { hears ? tool->words_fd : -1, POLLIN, 0 } };

    if (poll (fds, G_N_ELEMENTS (fds), milliseconds_left (job)) < 0 && errno != EINTR)
      break;
    if (fds[2].revents != 0)
      hears = hear (tool);
    else
      ended = fds[0].revents != 0;
  }
  if (watched)
    g_cancellable_release_fd (job_cancellable (job));
  return ended;
}

/* Its words, with names that people know. (transfer full) */
static char *
words_for_people (const Tool *tool, const ToolName *names)
{
  g_autoptr (GString) words = g_string_new (g_strchomp (tool->words->str));

  for (; names != NULL && names->text != NULL; names++)
    g_string_replace (words, names->text, names->name, 0);
  return g_string_free (g_steal_pointer (&words), FALSE);
}

static gboolean
tool_end (Tool *tool, gboolean ended, const ToolName *names, GError **error)
{
  g_autofree char *words = NULL;
  int status;

  if (!ended)
    kill (tool->pid, SIGKILL);
  while (waitpid (tool->pid, &status, 0) < 0 && errno == EINTR)
    ;
  if (tool->pidfd >= 0)
    close (tool->pidfd);
  close (tool->words_fd);
  if (!ended || (WIFEXITED (status) && WEXITSTATUS (status) == 0))
    return ended;
  words = words_for_people (tool, names);
  if (WIFSIGNALED (status))
    virt_error_set (error, VIR_ERR_OPERATION_FAILED, "%s was ended by signal %d: %s", tool->name,
                    WTERMSIG (status), words);
  else
    virt_error_set (error, VIR_ERR_OPERATION_FAILED, "%s ended with status %d: %s", tool->name,
                    WEXITSTATUS (status), words);
  return FALSE;
}

gboolean
tool_run (Job *job, const char *const *arguments, int file, const ToolName *names, GError **error)
{
  Tool tool = { .name = arguments[0], .pidfd = -1, .words_fd = -1 };
  g_autoptr (GString) words = g_string_new (NULL);
  gboolean ended;

  tool.words = words;
  if (!tool_start (&tool, arguments, file, error))
    return FALSE;
  ended = tool.pidfd >= 0 && tool_wait (job, &tool, error);
  if (tool.pidfd < 0)
    virt_error_set (error, VIR_ERR_SYSTEM_ERROR, "cannot watch '%s': %s", tool.name, g_strerror (errno));
  return tool_end (&tool, ended, names, error);
}
