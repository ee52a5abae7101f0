/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Machines marked to start with the host, every time or the next time only. The mark for the next time is
 * taken away before the machine is started, so that a start that brings the host down is not tried again.
 */
#include "daemon/call/operation.h"
#include "daemon/core/service.h"
#include "daemon/object/change.h"
#include "daemon/ops/ops.h"

#define START_PROCEDURE 9 /* DOMAIN_CREATE */

typedef struct {
  Call *call; /* NULL: nobody's who would be answered */
  char *uuid, *name;
  StoreAutostart which;
  gboolean on;
} Marking;

static void
marking_free (gpointer data)
{
  Marking *marking = data;

  g_free (marking->uuid);
  g_free (marking->name);
  g_free (marking);
}

static gboolean
marking_check (Manager *manager, gpointer data, GError **error)
{
  Marking *marking = data;
  Domain *domain = manager_find_uuid (manager, marking->uuid, error);

  if (domain == NULL)
    return FALSE;
  if (!domain->persistent) {
    virt_error_set (error, VIR_ERR_OPERATION_INVALID, "cannot set autostart for transient domain");
    return FALSE;
  }
  marking->name = g_strdup (domain->name);
  return TRUE;
}

static gboolean
marking_write (Store *store, gpointer data, GError **error)
{
  Marking *marking = data;

  return store_set_autostart (store, marking->name, marking->which, marking->on, error);
}

static void
marking_done (Manager *manager, gpointer data, const GError *error)
{
  Marking *marking = data;
  Domain *domain = manager_find_uuid (manager, marking->uuid, NULL);

  if (error != NULL) {
    if (marking->call != NULL)
      call_fail (marking->call, g_error_copy (error));
    else
      g_warning ("autostart: %s", error->message);
    return;
  }
  if (domain != NULL) {
    *(marking->which == STORE_AUTOSTART ? &domain->autostart : &domain->autostart_once) = marking->on;
    events_domain (manager->events, domain, EVENT_DOMAIN_CHANGED, g_variant_new_tuple (NULL, 0));
  }
  if (marking->call != NULL)
    call_answer_nothing (marking->call);
}

static const ChangeKind marking_change = { "autostart", marking_check, marking_write, marking_done };

static void
mark (Manager *manager, Call *call, const char *uuid, StoreAutostart which, gboolean on)
{
  Marking *marking = g_new0 (Marking, 1);

  marking->call = call;
  marking->uuid = g_strdup (uuid);
  marking->which = which;
  marking->on = on;
  change_start (manager, &marking_change, marking, marking_free);
}

void
op_domain_get_autostart_once (Call *call)
{
  call_answer (call, g_variant_new ("(i)", call->domain->autostart_once ? 1 : 0));
}

void
op_domain_set_autostart (Call *call)
{
  mark (call->manager, call, call->domain->uuid, STORE_AUTOSTART, call_int (call, 1) != 0);
}

void
op_domain_set_autostart_once (Call *call)
{
  mark (call->manager, call, call->domain->uuid, STORE_AUTOSTART_ONCE, call_int (call, 1) != 0);
}

/* The same call a client would make, answered into the log. */

static void
respond (G_GNUC_UNUSED Call *call, G_GNUC_UNUSED GVariant *answer, const GError *error)
{
  if (error != NULL)
    g_warning ("autostart: %s", error->message);
}

static void
start (Manager *manager, Domain *domain)
{
  static Client ourselves = { .who = (char *)"autostart" };
  Call *call = g_new0 (Call, 1);

  call->operation = operation_by_procedure (0, START_PROCEDURE);
  call->manager = manager;
  call->client = &ourselves;
  call->arguments = g_variant_ref_sink (g_variant_new ("(@(sayi))", call_domain_value (domain)));
  call->respond = respond;
  operation_dispatch (call);
}

void
manager_autostart (Manager *manager)
{
  g_autoptr (GPtrArray) domains = manager_list (manager);

  if (!service_first_since_boot (manager->settings->run_directory, "domains"))
    return;
  for (guint i = 0; i < domains->len; i++) {
    Domain *domain = g_ptr_array_index (domains, i);
    gboolean wanted = domain->autostart || domain->autostart_once;

    if (domain->autostart_once)
      mark (manager, NULL, domain->uuid, STORE_AUTOSTART_ONCE, FALSE);
    if (wanted && !domain_is_active (domain))
      start (manager, domain);
  }
}
