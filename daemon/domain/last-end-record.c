/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * From a machine's end to its record: what is known is written at once, the log and the kernel's messages are
 * read by a job, which completes it.
 */
#include "daemon/domain/last-end-record.h"

#include "daemon/core/job.h"
#include "daemon/core/main-loop.h"

#include <libvirt/libvirt.h>
#include <signal.h>

/* What a job adds to it. */
typedef struct {
  const Settings *settings;
  char *uuid, *name;
  LastEnd *end;
} Finishing;

static void
finishing_free (gpointer data)
{
  Finishing *finishing = data;

  last_end_free (finishing->end);
  g_free (finishing->uuid);
  g_free (finishing->name);
  g_free (finishing);
}

static gpointer
complete (G_GNUC_UNUSED Job *job, gpointer data, G_GNUC_UNUSED GError **error)
{
  Finishing *finishing = data;
  LastEnd *end = finishing->end;
  gboolean is_killed = !end->exit.known || (end->exit.signalled && end->exit.code == SIGKILL);

  if (end->words == NULL)
    end->words = last_end_words (finishing->settings, finishing->name);
  end->memory = is_killed && end->pid > 0 && last_end_was_oom (end->pid);
  last_end_complete (finishing->settings, finishing->uuid, end);
  return JOB_OK;
}

static void
finished (G_GNUC_UNUSED gpointer result, G_GNUC_UNUSED const GError *error, G_GNUC_UNUSED gpointer data)
{
}

void
last_end_record (const Settings *settings, const char *uuid, const char *name, LastEnd *end)
{
  Finishing *finishing = g_new0 (Finishing, 1);

  MAIN_LOOP_ONLY ();
  last_end_save (settings, uuid, end);
  last_end_unmark_running (settings, uuid);
  *finishing = (Finishing){ settings, g_strdup (uuid), g_strdup (name), end };
  job_start ("last-end", complete, finishing, finishing_free, 0, finished, NULL);
}

void
last_end_record_failed_start (const Settings *settings, const char *uuid, const char *name,
                              const GError *error)
{
  LastEnd *end = last_end_new ();

  end->ended = g_get_real_time ();
  end->reason = VIR_DOMAIN_SHUTOFF_FAILED;
  end->words = g_strdup (error->message);
  last_end_record (settings, uuid, name, end);
}

void
last_end_record_unseen (const Settings *settings, const MachineStatus *status)
{
  LastEnd *end;

  if (status->transient)
    return;
  end = last_end_new ();
  end->started = status->started;
  end->reason = status->starting ? VIR_DOMAIN_SHUTOFF_FAILED : VIR_DOMAIN_SHUTOFF_CRASHED;
  end->pid = status->pid;
  end->unseen = TRUE;
  end->ended = g_get_real_time ();
  end_asked_copy (&end->asked, &status->asked);
  last_end_record (settings, status->uuid, status->name, end);
}
