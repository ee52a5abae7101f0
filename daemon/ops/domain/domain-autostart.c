/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Machines marked to start with the host, every time or the next time only. The mark for the next time is
 * taken away before the machine is started, so that a start that brings the host down is not tried again.
 */
#include "daemon/core/service.h"
#include "daemon/domain/start-run.h"
#include "daemon/object/change.h"
#include "daemon/ops/ops.h"

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

void
manager_autostart (Manager *manager)
{
  g_autoptr (GPtrArray) domains = manager_list (manager), uuids = start_run_left (manager);

  if (service_first_since_boot (manager->settings->run_directory, "domains")) {
    g_ptr_array_set_size (uuids, 0);
    for (guint i = 0; i < domains->len; i++) {
      const Domain *domain = g_ptr_array_index (domains, i);

      if (domain->autostart || domain->autostart_once)
        g_ptr_array_add (uuids, g_strdup (domain->uuid));
      if (domain->autostart_once)
        mark (manager, NULL, domain->uuid, STORE_AUTOSTART_ONCE, FALSE);
    }
  }
  start_run_begin (manager, uuids, "autostart");
}
