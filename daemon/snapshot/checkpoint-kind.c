/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The row of checkpoints. libvirt-dbus has none of them, so their interface on the bus is ours. */
#include "daemon/snapshot/checkpoint-kind.h"

#include "daemon/domain/domain-kind.h"
#include "daemon/domain/domain.h"

gboolean
checkpoint_follow_current (const ChildTree *tree, CheckpointDef *def, GError **error)
{
  if (g_hash_table_contains (tree->by_name, def->name)) {
    virt_error_set (error, VIR_ERR_OPERATION_FAILED, "domain moment %s already exists", def->name);
    return FALSE;
  }
  g_free (def->parent);
  def->parent = tree->current != NULL ? g_strdup (tree->current->name) : NULL;
  return TRUE;
}

static const ChildKind child = {
  .owner = &domain_kind,
  .tree = G_STRUCT_OFFSET (Domain, checkpoints),
  .before = G_STRUCT_OFFSET (CheckpointDef, parent),
  .created = G_STRUCT_OFFSET (CheckpointDef, created),
  .folder = "checkpoint",
  .list_flags = VIR_DOMAIN_CHECKPOINT_LIST_ROOTS | VIR_DOMAIN_CHECKPOINT_LIST_TOPOLOGICAL
                | VIR_DOMAIN_CHECKPOINT_LIST_LEAVES | VIR_DOMAIN_CHECKPOINT_LIST_NO_LEAVES,
  .roots = VIR_DOMAIN_CHECKPOINT_LIST_ROOTS,
  .leaves = VIR_DOMAIN_CHECKPOINT_LIST_LEAVES,
  .no_leaves = VIR_DOMAIN_CHECKPOINT_LIST_NO_LEAVES,
};

static const char *const interfaces[] = { "org.domaind1.DomainCheckpoint", NULL };

const ObjectKind checkpoint_kind = {
  .letter = 'C',
  .name = "domain checkpoint",
  .short_name = "checkpoint",
  .missing = VIR_ERR_NO_DOMAIN_CHECKPOINT,
  .origin = VIR_FROM_QEMU,
  .path_element = "domaincheckpoint",
  .interfaces = interfaces,
  .document = &checkpoint_document,
  .child = &child,
};
