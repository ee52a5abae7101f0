/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "daemon/snapshot/snapshot-steps.h"

/*
 * Files that a snapshot has made are removed only when nothing needs them any more: no machine's definition,
 * no definition inside of a snapshot, no memory of one, and no image whose header names them. In a job's
 * thread, when what is on disk of definitions and snapshots is as it will stay.
 */

/* Each of @paths (char *) that nothing refers to; why one stays is said in the log. */
void snapshot_remove_unused (const SnapshotPlace *place, const GPtrArray *paths);
/* What refers to @path ("the image '/srv/b.qcow2'"); NULL: nothing. (transfer full) */
char *snapshot_find_reference (const SnapshotPlace *place, const char *path);

/* The images in the folder of @path whose headers say that they stand on it. (char *, transfer full); NULL
 * with
 * @error: that cannot be told. */
GPtrArray *snapshot_images_on (const char *path, GError **error);
/* An external snapshot of the domain, but @except, which is the image at @path as it is: it must not be
 * written. NULL: none. (transfer full) */
char *snapshot_find_frozen (const SnapshotPlace *place, const char *path, const char *except);
