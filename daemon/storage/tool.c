/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Running qemu-img: confined, and its words made those of people. Whatever it does to an image can take
 * hours, so it is waited for with the job's own deadline and cancellation.
 */
#include "daemon/storage/tool.h"

#include "daemon/host/program.h"

#include <sched.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>

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

/* What it said, with names that people know. (transfer full) */
static char *
words_for_people (const char *said, const ToolName *names)
{
  g_autoptr (GString) words = g_string_new (said);

  for (; names != NULL && names->text != NULL; names++)
    g_string_replace (words, names->text, names->name, 0);
  return g_string_free (g_steal_pointer (&words), FALSE);
}

gboolean
tool_run (const char *const *arguments, int file, const ToolName *names, GError **error)
{
  const ProgramRun run = { .arguments = arguments, .file = file, .confine = confine };
  g_autofree char *said = NULL, *words = NULL;
  int status;

  if (!program_run (&run, &status, &said, error))
    return FALSE;
  if (WIFEXITED (status) && WEXITSTATUS (status) == 0)
    return TRUE;
  words = words_for_people (said, names);
  if (WIFSIGNALED (status))
    virt_error_set (error, VIR_ERR_OPERATION_FAILED, "%s was ended by signal %d: %s", arguments[0],
                    WTERMSIG (status), words);
  else
    virt_error_set (error, VIR_ERR_OPERATION_FAILED, "%s ended with status %d: %s", arguments[0],
                    WEXITSTATUS (status), words);
  return FALSE;
}
