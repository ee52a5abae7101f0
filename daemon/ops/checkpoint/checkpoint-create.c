/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * A new checkpoint of a running machine, or one that was there before and is told of again by its whole
 * document: after a domain was undefined and defined. Of that one the bitmaps are looked for only where the
 * client says so.
 */
#include "daemon/call/libvirt-names.h"
#include "daemon/domain/definition.h"
#include "daemon/domain/machine.h"
#include "daemon/drivers/qemu/checkpoint.h"
#include "daemon/object/child-store.h"
#include "daemon/ops/object/object-children.h"
#include "daemon/ops/ops.h"
#include "daemon/snapshot/checkpoint-kind.h"
#include "snapshot/checkpoint-complete.h"

#include <string.h>

#define REDEFINE VIR_DOMAIN_CHECKPOINT_CREATE_REDEFINE
#define VALIDATE VIR_DOMAIN_CHECKPOINT_CREATE_REDEFINE_VALIDATE

typedef struct {
  Call *call;
  CheckpointHost host;
  const Platform *platform;
  guint flags;
  gint64 now;
  DomainDef *domain;
  CheckpointDef *def;
  gboolean current; /* it becomes the current one */
} Create;

static void
create_free (gpointer data)
{
  Create *create = data;

  checkpoint_host_clear (&create->host);
  document_unref (&checkpoint_document, create->def);
  g_clear_pointer (&create->domain, domain_def_unref);
  g_free (create);
}

static gboolean
complete (Create *create, GError **error)
{
  if (create->flags & REDEFINE)
    return checkpoint_complete_redefined (create->def, create->domain, create->platform, error);
  return checkpoint_complete (create->def, create->domain, create->now, error)
         && checkpoint_check_formats (create->def, create->domain, error);
}

static gpointer
read_job (G_GNUC_UNUSED Job *job, gpointer data, GError **error)
{
  Create *create = data;

  create->def = checkpoint_read (call_string (create->call, 1), error);
  return create->def != NULL && complete (create, error)
                 && child_store_check_name (&checkpoint_kind, create->def->name, error)
             ? JOB_OK
             : NULL;
}

static gpointer
create_job (Job *job, gpointer data, GError **error)
{
  const Create *create = data;

  if ((create->flags & REDEFINE) == 0)
    return checkpoint_create (job, &create->host, create->def, error) ? JOB_OK : NULL;
  return ((create->flags & VALIDATE) == 0
          || checkpoint_check_bitmaps (job, &create->host, create->def, error))
                 && child_store_save (&checkpoint_kind, create->host.directory, create->def, error)
                 && (!create->current
                     || child_store_set_current (create->host.directory, create->def->name, error))
             ? JOB_OK
             : NULL;
}

static void
created (gpointer result, const GError *error, gpointer data)
{
  const Create *create = data;
  Call *call = create->call;
  Domain *domain = manager_find_uuid (call->manager, call->domain_uuid, NULL);
  Child *child;

  if (domain != NULL)
    domain->job = NULL;
  if (result == NULL) {
    call_fail (call, g_error_copy (error));
    return;
  }
  domain = call_find_domain_again (call);
  if (domain == NULL)
    return;
  child = child_tree_put (domain->checkpoints, create->def);
  if (create->current)
    domain->checkpoints->current = child;
  child_answer (call, child, NULL);
}

static gboolean
check_redefined (const ChildTree *tree, Create *create, GError **error)
{
  const char *name = create->def->name, *before = create->def->parent;
  const Child *self = g_hash_table_lookup (tree->by_name, name);

  create->current =
      tree->current == NULL || tree->current == self || g_strcmp0 (tree->current->name, before) == 0;
  return child_tree_check_parent (tree, name, before, error);
}

static void
read_done (gpointer result, const GError *error, gpointer data)
{
  Create *create = data;
  Call *call = create->call;
  GError *problem = NULL;
  Domain *domain;
  gboolean good;

  if (result == NULL) {
    call_fail (call, g_error_copy (error));
    return;
  }
  domain = call_find_domain_again (call);
  if (domain == NULL)
    return;
  if (create->flags & REDEFINE) {
    good = check_redefined (domain->checkpoints, create, &problem);
  } else {
    good = checkpoint_follow_current (domain->checkpoints, create->def, &problem);
    create->current = TRUE;
  }
  if (good)
    domain->job = job_start ("checkpoint", create_job, create, NULL, create->host.patience, created, create);
  else
    call_fail (call, problem);
}

static void
create_with (Call *call, DomainDef *def)
{
  Domain *domain = call->domain;
  Machine *machine = domain->machine;
  guint flags = call_uint (call, 2);
  g_autofree char *directory = store_run_directory (call->manager->store, domain->uuid);
  Create *create;

  if ((machine != NULL || (flags & REDEFINE) == 0) && !call_check_monitor (call))
    return;
  create = g_new0 (Create, 1);
  create->call = call;
  create->platform = call->manager->platform;
  create->flags = flags;
  create->now = g_get_real_time () / G_USEC_PER_SEC;
  create->domain = domain_def_ref (def);
  checkpoint_host_init (&create->host, &checkpoint_kind, call->manager->settings, domain->uuid,
                        machine != NULL ? machine->qmp : NULL, call->manager->caps, def, directory);
  call->user_data = create;
  call->user_free = create_free;
  call_work (call, strlen (call_string (call, 1)), "checkpoint", read_job, create, NULL, read_done);
}

static void
create_begin (Domain *domain, Call *call)
{
  guint flags = call_uint (call, 2);

  if (domain->machine == NULL && (flags & REDEFINE) == 0)
    call_fail_with (call, VIR_ERR_OPERATION_UNSUPPORTED, "cannot create checkpoint for inactive domain");
  else if (domain->machine == NULL && (flags & VALIDATE) != 0)
    call_fail_with (call, VIR_ERR_OPERATION_UNSUPPORTED, "cannot validate checkpoint for inactive domain");
  else
    call_with_definition (call, DEFINITION_CURRENT, create_with);
}

void
op_domain_checkpoint_create_xml (Call *call)
{
  guint flags = call_uint (call, 2);

  if (!call_check_flags (call, flags, REDEFINE | VALIDATE))
    return;
  if ((flags & VALIDATE) && !(flags & REDEFINE))
    call_fail_with (call, VIR_ERR_INVALID_ARG,
                    "Flag 'VIR_DOMAIN_CHECKPOINT_CREATE_REDEFINE' is required by flag "
                    "'VIR_DOMAIN_CHECKPOINT_CREATE_REDEFINE_VALIDATE'");
  else
    domain_lock (call->domain, "checkpoint", call, create_begin);
}
