/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "daemon/core/progress.h"
#include "daemon/core/settings.h"
#include "daemon/drivers/qemu/qmp.h"

/*
 * A machine's memory into a file, for a debugger or a later look: with its devices' state, as migration
 * writes it, or the memory alone in a format that debuggers read. When the job succeeds the file is whole and
 * on the disk; when it fails there is none. Either way the CPUs run again if they did, unless the machine is
 * to end.
 */
typedef struct {
  Qmp *qmp;
  char *path;
  gboolean make_directory; /* that of @path, where it is not there */
  gboolean memory_only;
  virDomainCoreDumpFormat format; /* of memory alone */
  gboolean running;               /* its CPUs run */
  gboolean live;                  /* they go on meanwhile, as far as QEMU can do that */
  gboolean reset;                 /* the machine is reset afterwards */
  gboolean leave_stopped;         /* it is ended afterwards */
  gboolean drop_cache;            /* leave nothing of the file in the host's cache */
  Progress *progress;
  guint patience; /* seconds for each answer of QEMU's */
} DumpRequest;

/* @qmp and @progress are referenced. The rest is set by the caller. */
DumpRequest *dump_request_new (Qmp *qmp, const char *path, Progress *progress, guint patience);
void dump_request_free (gpointer request);

/* Of the memory alone, which QEMU writes without asking whether to go on. */
Progress *dump_progress_new (gboolean memory_only);

gpointer dump_job (Job *job, gpointer request, GError **error); /* JOB_OK */

/* Where a crashed machine is dumped: "ID-NAME-TIME" in the settings' directory. @now: g_get_real_time.
 * (transfer full) */
char *crash_dump_path (const Settings *settings, const char *name, int id, gint64 now);
