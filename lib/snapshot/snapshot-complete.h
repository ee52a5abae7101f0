/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "snapshot/snapshot-document.h"

/* What a client's document leaves open, and what it may not say. Before it is shared; pure. */

typedef enum {
  SNAPSHOT_REDEFINED, /* it was there before: everything must be said */
  SNAPSHOT_DISKS,     /* of a machine that is off, or of the disks of one that runs */
  SNAPSHOT_SYSTEM     /* of a machine that runs, with its memory */
} SnapshotKind;

/* @now: seconds since 1970. In libvirt's words. */
gboolean snapshot_complete (SnapshotDef *def, SnapshotKind kind, gint64 now, GError **error);
/* The name as that of a file: VIR_ERR_XML_DETAIL. */
gboolean snapshot_check_name (const SnapshotDef *def, GError **error);
/* May @def take the place of @old, which has the same name? */
gboolean snapshot_check_replacement (const SnapshotDef *def, const SnapshotDef *old, GError **error);
