/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * A snapshot that was there before, and is told of again by its whole document: after a domain was undefined
 * and defined, or with another description. No disk is looked at; what the document says is believed, and
 * only what contradicts itself or the tree is refused.
 */
#include "daemon/ops/snapshot/snapshot-redefine.h"

#include "daemon/object/child-store.h"
#include "daemon/ops/object/object-children.h"
#include "daemon/snapshot/snapshot-kind.h"
#include "snapshot/snapshot-align.h"
#include "snapshot/snapshot-complete.h"
#include "snapshot/snapshot-domain.h"

#include <string.h>

typedef struct {
  Call *call;
  const Platform *platform;
  gboolean strict, current;
  char *uuid, *directory;
  SnapshotDef *def;
  DomainDef *domain; /* in it; NULL: it has none */
} Redefine;

static void
redefine_free (gpointer data)
{
  Redefine *redefine = data;

  document_unref (&snapshot_document, redefine->def);
  g_clear_pointer (&redefine->domain, domain_def_unref);
  g_free (redefine->uuid);
  g_free (redefine->directory);
  g_free (redefine);
}

/* Its disks beside those of the definition in it, which is kept as it was understood: what is listed by the
 * thousand is not read again to be shown. */
static gboolean
align (Redefine *redefine, GError **error)
{
  g_autoptr (DomainDef) inactive = NULL;
  g_autoptr (GError) problem = NULL;
  gboolean external = redefine->def->state == SNAPSHOT_STATE_DISKS || snapshot_is_external (redefine->def);

  if (!snapshot_has_domain (redefine->def))
    return TRUE;
  redefine->domain = snapshot_read_domain (redefine->def, redefine->platform, error);
  if (redefine->domain == NULL
      || !snapshot_align_disks (redefine->def, redefine->domain,
                                external ? SNAPSHOT_WHERE_EXTERNAL : SNAPSHOT_WHERE_INTERNAL, !external,
                                error))
    return FALSE;
  inactive = snapshot_read_inactive (redefine->def, redefine->platform, &problem);
  if (problem != NULL) {
    g_propagate_error (error, g_steal_pointer (&problem));
    return FALSE;
  }
  snapshot_set_domain (redefine->def, redefine->domain, inactive);
  return TRUE;
}

static gpointer
read_job (G_GNUC_UNUSED Job *job, gpointer data, GError **error)
{
  Redefine *redefine = data;
  g_autoptr (Diagnostics) diagnostics = diagnostics_new (NULL);

  redefine->def = document_read (&snapshot_document, call_string (redefine->call, 1), -1,
                                 redefine->strict ? 0 : DOCUMENT_LAX, diagnostics);
  return diagnostics_check (diagnostics, error)
                 && snapshot_complete (redefine->def, SNAPSHOT_REDEFINED, 0, error)
                 && snapshot_check_name (redefine->def, error)
                 && child_store_check_name (&snapshot_kind, redefine->def->name, error)
                 && align (redefine, error)
             ? JOB_OK
             : NULL;
}

static gpointer
write_job (G_GNUC_UNUSED Job *job, gpointer data, GError **error)
{
  const Redefine *redefine = data;

  return child_store_save (&snapshot_kind, redefine->directory, redefine->def, error)
                 && (!redefine->current
                     || child_store_set_current (redefine->directory, redefine->def->name, error))
             ? JOB_OK
             : NULL;
}

static void
written (gpointer result, const GError *error, gpointer data)
{
  const Redefine *redefine = data;
  Call *call = redefine->call;
  Domain *domain;
  Child *child;

  if (result == NULL) {
    call_fail (call, g_error_copy (error));
    return;
  }
  domain = call_find_domain_again (call);
  if (domain == NULL)
    return;
  child = child_tree_put (domain->snapshots, redefine->def);
  if (redefine->current)
    domain->snapshots->current = child;
  child_answer (call, child, NULL);
}

static gboolean
check (const Domain *domain, const Redefine *redefine, GError **error)
{
  const Child *old = g_hash_table_lookup (domain->snapshots->by_name, redefine->def->name);

  if (!child_tree_check_parent (domain->snapshots, redefine->def->name, redefine->def->parent, error))
    return FALSE;
  if (redefine->domain == NULL) {
    virt_error_set (error, VIR_ERR_INTERNAL_ERROR, "missing domain in snapshot");
    return FALSE;
  }
  if (!g_str_equal (redefine->domain->uuid, domain->uuid)) {
    virt_error_set (error, VIR_ERR_INVALID_ARG, "definition for snapshot %s must use uuid %s",
                    redefine->def->name, domain->uuid);
    return FALSE;
  }
  return old == NULL || snapshot_check_replacement (redefine->def, old->def, error);
}

static void
read_done (gpointer result, const GError *error, gpointer data)
{
  Redefine *redefine = data;
  Call *call = redefine->call;
  GError *problem = NULL;
  Domain *domain;

  if (result == NULL) {
    call_fail (call, g_error_copy (error));
    return;
  }
  domain = call_find_domain_again (call);
  if (domain == NULL)
    return;
  if (check (domain, redefine, &problem))
    job_start ("snapshot", write_job, redefine, NULL, 0, written, redefine);
  else
    call_fail (call, problem);
}

void
snapshot_redefine (Domain *domain, Call *call)
{
  guint flags = call_uint (call, 2);
  Redefine *redefine = g_new0 (Redefine, 1);

  redefine->call = call;
  redefine->platform = call->manager->platform;
  redefine->strict = (flags & VIR_DOMAIN_SNAPSHOT_CREATE_VALIDATE) != 0;
  redefine->current = (flags & VIR_DOMAIN_SNAPSHOT_CREATE_CURRENT) != 0;
  redefine->uuid = g_strdup (domain->uuid);
  redefine->directory = child_store_directory (&snapshot_kind, call->manager->settings, domain->uuid);
  call->user_data = redefine;
  call->user_free = redefine_free;
  call_work (call, strlen (call_string (call, 1)), "snapshot", read_job, redefine, NULL, read_done);
}
