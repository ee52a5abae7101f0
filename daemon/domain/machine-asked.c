/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Who asked for a machine's end: noted when it is asked, for the record of the end (last-end.h). */
#include "daemon/domain/machine-asked.h"

#include "daemon/call/operation.h"
#include "daemon/core/main-loop.h"

/* ":1.42" is a name on the bus; "unix:17" a connection. */
static char *
wire_of (const Client *client)
{
  const char *who = client->who != NULL ? client->who : "";

  if (*who == ':')
    return g_strdup_printf ("D-Bus (%s)", who);
  if (g_str_has_prefix (who, "unix"))
    return g_strdup ("libvirt's RPC");
  return g_strdup (who);
}

void
machine_note_asked (Machine *machine, const Call *call, const char *what)
{
  EndAsked *asked = &machine->asked;

  MAIN_LOOP_ONLY ();
  end_asked_clear (asked);
  *asked = (EndAsked){ .at = g_get_real_time () };
  if (call != NULL) {
    asked->wire = wire_of (call->client);
    asked->call = g_strdup (call->operation->name);
    asked->uid = call->client->uid;
    asked->pid = call->client->pid;
  } else {
    asked->wire = g_strdup (what);
  }
  machine_save_status (machine);
}
