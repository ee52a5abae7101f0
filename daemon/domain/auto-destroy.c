/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A machine remembers its owner's id and nothing else, so that a client that goes leaves nothing behind that
 * points at it. That a machine has an owner is in its status file: one that outlives the daemon is ended when
 * it is found again, for its client's connection has ended as well.
 */
#include "daemon/domain/auto-destroy.h"

#include "daemon/domain/machine-asked.h"
#include "daemon/domain/machine.h"

static void
end_machine (Machine *machine)
{
  g_message ("domain '%s' ends with its client", machine->domain->name);
  machine_note_asked (machine, NULL, "the end of the client that started it");
  machine_end (machine, FALSE, VIR_DOMAIN_SHUTOFF_DESTROYED, VIR_DOMAIN_EVENT_STOPPED_DESTROYED);
}

void
auto_destroy_bind (Machine *machine, Client *client)
{
  machine->owner = g_strdup (client->id);
  machine_save_status (machine);
  if (client->ended)
    end_machine (machine);
  else if (client->watch != NULL)
    client->watch (client);
}

/* @id: NULL: every owner's. */
static void
end_machines_of (Manager *manager, const char *id)
{
  g_autoptr (GPtrArray) domains = manager_list (manager);

  for (guint i = 0; i < domains->len; i++) {
    Machine *machine = ((Domain *)g_ptr_array_index (domains, i))->machine;

    if (machine != NULL && machine->owner != NULL && !machine->ended
        && (id == NULL || g_str_equal (machine->owner, id)))
      end_machine (machine);
  }
}

void
auto_destroy_client_ended (Manager *manager, const char *id)
{
  end_machines_of (manager, id);
}

void
auto_destroy_all (Manager *manager)
{
  end_machines_of (manager, NULL);
}
