/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What a machine's policy asks for when its guest has crashed or shut down: the dump of its memory, and the
 * start anew in the same process. Neither takes the lock: the guest is dead, and what else is going on with
 * the machine has only to do with its devices. A destroy ends both like any other conversation.
 */
#include "daemon/domain/machine-crash.h"

#include "daemon/drivers/qemu/control.h"
#include "daemon/drivers/qemu/dump.h"

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

typedef struct {
  Manager *manager;
  char *uuid;
  int id;
} Restart;

/* A machine that does not come up again is ended: nothing else would ever get it out of its shutdown. */
static void
restarted (G_GNUC_UNUSED gpointer result, const GError *error, gpointer data)
{
  Restart *restart = data;
  Domain *domain = manager_find_uuid (restart->manager, restart->uuid, NULL);
  /* It may have been destroyed, and started again. */
  Machine *machine = domain != NULL && domain->id == restart->id ? domain->machine : NULL;

  if (machine != NULL && error == NULL) {
    machine_save_status (machine);
  } else if (machine != NULL && virt_error_code (error) != VIR_ERR_OPERATION_ABORTED) {
    g_warning ("domain '%s' could not be restarted and is ended: %s", domain->name, error->message);
    control_end (machine->process, FALSE);
  }
  g_free (restart->uuid);
  g_free (restart);
}

void
machine_restart (Machine *machine)
{
  Domain *domain = machine->domain;
  Restart *restart = g_new0 (Restart, 1);

  *restart = (Restart){ domain->manager, g_strdup (domain->uuid), domain->id };
  job_start ("restart", control_restart, control_request_new (machine->qmp), control_request_free,
             domain->manager->settings->call_timeout, restarted, restart);
}
