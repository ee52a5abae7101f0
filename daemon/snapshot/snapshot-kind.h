/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "daemon/object/child.h"
#include "snapshot/snapshot-document.h"

/* Snapshots: children of domains. Their definitions (SnapshotDef) hold the domain's of that time, secrets and
 * all. Domain.snapshots is their tree. */
extern const ObjectKind snapshot_kind;
