/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A machine whose guest has shut down and is to start over in the same process. It takes no turn, as the end
 * that comes otherwise takes none: whoever has the domain's turn may be waiting for just this guest.
 */
#include "daemon/domain/machine-restart.h"

#include "daemon/drivers/qemu/control.h"

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
