/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The old lists of snapshots, whose shapes do not say what they are of. */
#include "daemon/ops/object/object-children.h"
#include "daemon/ops/ops.h"
#include "daemon/snapshot/snapshot-kind.h"

void
op_domain_snapshot_num (Call *call)
{
  children_answer_count (call, &snapshot_kind);
}

void
op_domain_snapshot_list_names (Call *call)
{
  children_answer_names (call, &snapshot_kind);
}

void
op_domain_has_current_snapshot (Call *call)
{
  children_answer_has_current (call, &snapshot_kind);
}
