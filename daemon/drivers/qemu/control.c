/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * The small conversations of a running machine, and its end. The end is no conversation: it goes through the
 * pidfd alone, so that it works on a process that answers nothing.
 */
#include "daemon/drivers/qemu/control.h"

#include <signal.h>
#include <sys/syscall.h>
#include <unistd.h>

#define CONTROL_KILL_WAIT 10000 /* ms: after SIGKILL only the kernel can hold a process */

ControlRequest *
control_request_new (Qmp *qmp)
{
  ControlRequest *request = g_new0 (ControlRequest, 1);

  request->qmp = qmp_ref (qmp);
  return request;
}

void
control_request_free (gpointer data)
{
  ControlRequest *request = data;

  if (request == NULL)
    return;
  qmp_unref (request->qmp);
  g_free (request);
}

static gpointer
command (Job *job, ControlRequest *request, const char *name, GError **error)
{
  g_autoptr (JsonNode) answer = qmp_call (request->qmp, job, name, NULL, error);

  return answer != NULL ? JOB_OK : NULL;
}

gpointer
control_shutdown (Job *job, gpointer request, GError **error)
{
  return command (job, request, "system_powerdown", error);
}

gpointer
control_reset (Job *job, gpointer request, GError **error)
{
  return command (job, request, "system_reset", error);
}

gpointer
control_suspend (Job *job, gpointer request, GError **error)
{
  return command (job, request, "stop", error);
}

gpointer
control_resume (Job *job, gpointer request, GError **error)
{
  return command (job, request, "cont", error);
}

gpointer
control_wakeup (Job *job, gpointer request, GError **error)
{
  return command (job, request, "system_wakeup", error);
}

gpointer
control_nmi (Job *job, gpointer request, GError **error)
{
  return command (job, request, "inject-nmi", error);
}

gpointer
control_restart (Job *job, gpointer request, GError **error)
{
  return command (job, request, "system_reset", error) != NULL ? command (job, request, "cont", error) : NULL;
}

/* The process may be forgotten before the time is over; the descriptor still means it and nobody else. */
static gboolean
grace_is_over (gpointer data)
{
  int pidfd = GPOINTER_TO_INT (data);

  syscall (SYS_pidfd_send_signal, pidfd, SIGKILL, NULL, 0);
  close (pidfd);
  return G_SOURCE_REMOVE;
}

void
control_end (Process *process, gboolean graceful)
{
  process_signal (process, SIGTERM);
  process_signal (process, SIGCONT); /* a stopped process cannot take the first */
  if (graceful)
    return;

  int pidfd = process_dup_pidfd (process);
  if (pidfd >= 0)
    g_timeout_add (CONTROL_END_GRACE, grace_is_over, GINT_TO_POINTER (pidfd));
  else
    process_signal (process, SIGKILL);
}

void
control_kill_and_wait (Process *process)
{
  process_signal (process, SIGKILL);
  process_wait (process, CONTROL_KILL_WAIT, NULL);
}
