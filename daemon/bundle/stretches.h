/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "base/virt-error.h"

/* Where a file has data, and where holes. */
#define STRETCHES_MAX 8192 /* of one file in an archive: holes between further ones are taken for data */
#define STRETCHES_GAP (64 * 1024) /* bytes: a hole that is smaller is no hole */

typedef struct {
  guint64 offset, length; /* bytes */
} Stretch;

/* (transfer full) Of Stretch, in order, with gaps between them. @path is for messages. */
GArray *stretches_read (int fd, guint64 size, const char *path, GError **error);
guint64 stretches_total (const GArray *stretches); /* bytes */
