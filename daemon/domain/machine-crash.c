/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The dump of a machine whose guest has crashed. It takes no turn: the guest is dead, and what else is going
 * on with the machine has only to do with its devices. A destroy ends it like any other conversation.
 */
#include "daemon/domain/machine-crash.h"

#include "daemon/drivers/qemu/dump.h"
#include "daemon/ops/ops.h"

typedef struct {
  Manager *manager;
  char *uuid, *name, *path;
  int id;
  Progress *progress;
} CrashDump;

static void
crash_dump_free (CrashDump *dump)
{
  progress_unref (dump->progress);
  g_free (dump->uuid);
  g_free (dump->name);
  g_free (dump->path);
  g_free (dump);
}

static void
dumped (G_GNUC_UNUSED gpointer result, const GError *error, gpointer data)
{
  CrashDump *dump = data;
  Domain *domain = manager_find_uuid (dump->manager, dump->uuid, NULL);
  /* It may have been destroyed, and started again. */
  Machine *machine = domain != NULL && domain->id == dump->id ? domain->machine : NULL;

  if (domain != NULL && domain->progress == dump->progress)
    domain_end_progress (domain, error);
  if (error != NULL)
    g_warning ("domain '%s' has crashed and could not be dumped to '%s': %s", dump->name, dump->path,
               error->message);
  else
    g_message ("domain '%s' has crashed; its memory is in '%s'", dump->name, dump->path);
  if (error == NULL && machine != NULL)
    machine_events_crash_dumped (machine->events);
  crash_dump_free (dump);
}

void
machine_dump_crashed (Machine *machine)
{
  Domain *domain = machine->domain;
  Manager *manager = domain->manager;
  guint patience = manager->settings->call_timeout;
  CrashDump *dump;
  DumpRequest *request;

  if (machine->qmp == NULL)
    return;
  dump = g_new0 (CrashDump, 1);
  dump->manager = manager;
  dump->uuid = g_strdup (domain->uuid);
  dump->name = g_strdup (domain->name);
  dump->id = domain->id;
  dump->path = crash_dump_path (manager->settings, domain->name, domain->id, g_get_real_time ());
  dump->progress = dump_progress_new (TRUE);
  if (domain->progress == NULL)
    domain->progress = progress_ref (dump->progress);
  request = dump_request_new (machine->qmp, dump->path, dump->progress, patience);
  request->make_directory = TRUE;
  request->memory_only = TRUE;
  job_start ("crash-dump", dump_job, request, dump_request_free, patience, dumped, dump);
}
