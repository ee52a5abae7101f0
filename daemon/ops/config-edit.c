/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Changing one element of a stored definition: both texts are written in the change's job, and the caller
 * commits in the main loop.
 */
#include "daemon/ops/config-edit.h"

#include "daemon/change.h"
#include "daemon/source-edit.h"

typedef struct {
  Call *call;
  DomainDef *def;
  char *uuid, *old_name, *element, *replacement, *completed;
  guint definition_count;
  void (*done) (Call *call, DomainDef *def);
} ConfigEdit;

static void
edit_free (gpointer data)
{
  ConfigEdit *edit = data;

  domain_def_unref (edit->def);
  g_free (edit->uuid);
  g_free (edit->old_name);
  g_free (edit->element);
  g_free (edit->replacement);
  g_free (edit->completed);
  g_free (edit);
}

static gboolean
edit_check (Manager *manager, gpointer data, GError **error)
{
  ConfigEdit *edit = data;
  Domain *domain = manager_find_uuid (manager, edit->uuid, error);

  if (domain == NULL)
    return FALSE;
  if (domain->definition_count != edit->definition_count) {
    virt_error_set (error, VIR_ERR_OPERATION_FAILED, "domain '%s' was defined again meanwhile", domain->name);
    return FALSE;
  }
  if (g_str_equal (edit->def->name, domain->name))
    return TRUE;
  domain = manager_find_name (manager, edit->def->name, NULL);
  if (domain != NULL)
    virt_error_set (error, VIR_ERR_OPERATION_INVALID, "domain with name '%s' already exists",
                    edit->def->name);
  return domain == NULL;
}

static gboolean
edit_write (Store *store, gpointer data, GError **error)
{
  ConfigEdit *edit = data;
  g_autofree char *source = store_load_source (store, edit->old_name, error);
  g_autofree char *edited =
      source != NULL ? source_edit (source, edit->element, edit->replacement, error) : NULL;

  if (edited == NULL)
    return FALSE;
  edit->completed = domain_def_to_xml (edit->def, DOMAIN_WRITE_SECURE);
  if (g_str_equal (edit->old_name, edit->def->name))
    return store_save (store, edit->uuid, edit->old_name, edited, edit->completed, error);
  return store_rename (store, edit->uuid, edit->old_name, edit->def->name, edited, edit->completed, error);
}

static void
edit_done (Manager *manager, gpointer data, const GError *error)
{
  ConfigEdit *edit = data;

  if (error != NULL) {
    call_fail (edit->call, g_error_copy (error));
    return;
  }
  edit->call->domain = manager_find_uuid (manager, edit->uuid, NULL);
  edit->done (edit->call, edit->def);
}

static const ChangeKind edit_change = { "edit", edit_check, edit_write, edit_done };

void
config_edit (Call *call, DomainDef *def, const char *element, const char *replacement,
             void (*done) (Call *call, DomainDef *def))
{
  ConfigEdit *edit = g_new0 (ConfigEdit, 1);

  edit->call = call;
  edit->def = def;
  edit->uuid = g_strdup (call->domain->uuid);
  edit->old_name = g_strdup (call->domain->name);
  edit->element = g_strdup (element);
  edit->replacement = g_strdup (replacement);
  edit->definition_count = call->domain->definition_count;
  edit->done = done;
  change_start (call->manager, &edit_change, edit, edit_free);
}
