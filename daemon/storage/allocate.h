/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "daemon/core/job.h"

/* Blocks of a file, piece by piece: between two of them the job's deadline and cancellation are looked at. */

/* The first @bytes of @fd take their place on the disk now; its size does not change. */
gboolean storage_allocate (Job *job, int fd, const char *path, guint64 bytes, GError **error);
/* Zeros written over all that is not a hole, and on the disk when this returns. */
gboolean storage_overwrite (Job *job, int fd, const char *path, GError **error);
