/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Running qemu-img: confined, and its words made those of people. Whatever it does to an image can take
 * hours, so it is waited for with the job's own deadline and cancellation.
 */
#include "daemon/storage/tool.h"

#include "daemon/host/confinement.h"
#include "daemon/host/program.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

G_STATIC_ASSERT (TOOL_FILES_MAX >= 2 * PROGRAM_FILES_MAX);

struct ToolFiles {
  GArray *fds;      /* int */
  GPtrArray *names; /* char *, of each */
};

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

/* Files. */

static void
close_descriptor (gpointer fd)
{
  close (*(int *)fd);
}

ToolFiles *
tool_files_new (void)
{
  ToolFiles *files = g_new0 (ToolFiles, 1);

  files->fds = g_array_new (FALSE, FALSE, sizeof (int));
  g_array_set_clear_func (files->fds, close_descriptor);
  files->names = g_ptr_array_new_with_free_func (g_free);
  return files;
}

void
tool_files_free (ToolFiles *files)
{
  if (files == NULL)
    return;
  g_array_unref (files->fds);
  g_ptr_array_unref (files->names);
  g_free (files);
}

static char *
path_of (guint index)
{
  return g_strdup_printf ("/proc/self/fd/%u", PROGRAM_FD + index);
}

char *
tool_files_add (ToolFiles *files, int fd, const char *name)
{
  g_array_append_val (files->fds, fd);
  g_ptr_array_add (files->names, g_strdup (name));
  return path_of (files->fds->len - 1);
}

char *
tool_files_open (ToolFiles *files, const char *name, GError **error)
{
  int fd = open (name, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
  struct stat status;

  if (fd >= 0 && fstat (fd, &status) == 0 && (S_ISREG (status.st_mode) || S_ISBLK (status.st_mode)))
    return tool_files_add (files, fd, name);
  if (fd < 0)
    virt_error_set (error, VIR_ERR_SYSTEM_ERROR, "cannot open '%s': %s", name, g_strerror (errno));
  else
    virt_error_set (error, VIR_ERR_OPERATION_INVALID, "'%s' is neither a file nor a block device", name);
  if (fd >= 0)
    close (fd);
  return NULL;
}

/* Running. */

/* In the child, before the program: an image made by someone else must not take the host's memory through the
 * program that reads it, nor reach anything but itself. Only system calls: other threads' locks are held for
 * ever here. */
static void
confine (gpointer confinement)
{
  const struct rlimit memory = { TOOL_MEMORY_MAX, TOOL_MEMORY_MAX };
  const struct rlimit core = { 0, 0 };
  const struct rlimit files = { TOOL_FILES_MAX, TOOL_FILES_MAX };

  setrlimit (RLIMIT_AS, &memory);
  setrlimit (RLIMIT_CORE, &core);
  setrlimit (RLIMIT_NOFILE, &files);
  confinement_enter (confinement);
}

/* What it said, with names that people know: the last files first, as one's path begins with another's.
 * (transfer full) */
static char *
words_for_people (const char *said, const ToolFiles *files, const char *source)
{
  g_autoptr (GString) words = g_string_new (said);

  if (source != NULL)
    g_string_replace (words, source, g_ptr_array_index (files->names, 0), 0);
  for (guint i = files != NULL ? files->fds->len : 0; i > 0; i--) {
    g_autofree char *path = path_of (i - 1);

    g_string_replace (words, path, g_ptr_array_index (files->names, i - 1), 0);
  }
  return g_string_free (g_steal_pointer (&words), FALSE);
}

gboolean
tool_run (const char *const *arguments, const ToolFiles *files, const char *source, GError **error)
{
  g_autofree char *program = g_find_program_in_path (arguments[0]);
  const int *fds = files != NULL ? (const int *)files->fds->data : NULL;
  guint count = files != NULL ? files->fds->len : 0;
  g_autoptr (Confinement) confinement =
      confinement_new (program != NULL ? program : arguments[0], fds, count);
  const ProgramRun run = {
    .arguments = arguments, .files = fds, .file_count = count, .confine = confine, .confine_data = confinement
  };
  g_autofree char *said = NULL, *words = NULL;
  int status;

  if (!program_run (&run, &status, &said, error))
    return FALSE;
  if (WIFEXITED (status) && WEXITSTATUS (status) == 0)
    return TRUE;
  words = words_for_people (said, files, source);
  if (WIFSIGNALED (status))
    virt_error_set (error, VIR_ERR_OPERATION_FAILED, "%s was ended by signal %d: %s", arguments[0],
                    WTERMSIG (status), words);
  else
    virt_error_set (error, VIR_ERR_OPERATION_FAILED, "%s ended with status %d: %s", arguments[0],
                    WEXITSTATUS (status), words);
  return FALSE;
}
