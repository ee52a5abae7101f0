/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The row of snapshots, and the filters of their lists. */
#include "daemon/snapshot/snapshot-kind.h"

#include "daemon/domain/domain-kind.h"
#include "daemon/domain/domain.h"
#include "daemon/snapshot/snapshot-adopt.h"

#define WHEN_FLAGS \
  (VIR_DOMAIN_SNAPSHOT_LIST_INACTIVE | VIR_DOMAIN_SNAPSHOT_LIST_ACTIVE | VIR_DOMAIN_SNAPSHOT_LIST_DISK_ONLY)

static gboolean
passes (const Child *child, guint flags)
{
  const SnapshotDef *def = child->def;
  guint when = def->state == SNAPSHOT_STATE_DISKS     ? VIR_DOMAIN_SNAPSHOT_LIST_DISK_ONLY
               : def->state == SNAPSHOT_STATE_SHUTOFF ? VIR_DOMAIN_SNAPSHOT_LIST_INACTIVE
                                                      : VIR_DOMAIN_SNAPSHOT_LIST_ACTIVE;

  return object_flag_passes (flags, VIR_DOMAIN_SNAPSHOT_LIST_METADATA, VIR_DOMAIN_SNAPSHOT_LIST_NO_METADATA,
                             TRUE)
         && ((flags & WHEN_FLAGS) == 0 || (flags & when) != 0)
         && object_flag_passes (flags, VIR_DOMAIN_SNAPSHOT_LIST_EXTERNAL, VIR_DOMAIN_SNAPSHOT_LIST_INTERNAL,
                                snapshot_is_external (def));
}

static const ChildKind child = {
  .owner = &domain_kind,
  .tree = G_STRUCT_OFFSET (Domain, snapshots),
  .before = G_STRUCT_OFFSET (SnapshotDef, parent),
  .created = G_STRUCT_OFFSET (SnapshotDef, created),
  .folder = "snapshot",
  .list_flags = VIR_DOMAIN_SNAPSHOT_LIST_ROOTS | VIR_DOMAIN_SNAPSHOT_LIST_METADATA
                | VIR_DOMAIN_SNAPSHOT_LIST_NO_METADATA | VIR_DOMAIN_SNAPSHOT_LIST_LEAVES
                | VIR_DOMAIN_SNAPSHOT_LIST_NO_LEAVES | WHEN_FLAGS | VIR_DOMAIN_SNAPSHOT_LIST_INTERNAL
                | VIR_DOMAIN_SNAPSHOT_LIST_EXTERNAL | VIR_DOMAIN_SNAPSHOT_LIST_TOPOLOGICAL,
  .roots = VIR_DOMAIN_SNAPSHOT_LIST_ROOTS,
  .leaves = VIR_DOMAIN_SNAPSHOT_LIST_LEAVES,
  .no_leaves = VIR_DOMAIN_SNAPSHOT_LIST_NO_LEAVES,
  .passes = passes,
  .is_unfinished = snapshot_is_unfinished,
  .finish = snapshot_finish_stopped,
  .finish_running = snapshot_finish_running,
};

static const char *const interfaces[] = { "org.libvirt.DomainSnapshot", NULL };

const ObjectKind snapshot_kind = {
  .letter = 'Z',
  .name = "domain snapshot",
  .short_name = "snapshot",
  .missing = VIR_ERR_NO_DOMAIN_SNAPSHOT,
  .origin = VIR_FROM_QEMU,
  .path_element = "domainsnapshot",
  .interfaces = interfaces,
  .document = &snapshot_document,
  .child = &child,
};
