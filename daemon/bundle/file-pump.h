/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "base/virt-error.h"
#include "daemon/bundle/bundle-sum.h"

/*
 * The data of a file, read and summed in a thread of its own while another one compresses what was read
 * before. One pump, one reader.
 */
typedef struct FilePump FilePump;

typedef struct {
  guint64 offset;
  gsize length;
  guint8 *bytes;
} FilePiece;

/* @fd, @stretches (of Stretch) and @sum stay the caller's, and are the pump's until it is ended. @path is for
 * messages. */
FilePump *file_pump_start (int fd, const char *path, const GArray *stretches, BundleSum *sum);
/* The next piece, until the next call; NULL at the end, or with @error. */
const FilePiece *file_pump_next (FilePump *pump, GError **error);
/* Ends the thread, wherever it is. */
void file_pump_free (FilePump *pump);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (FilePump, file_pump_free)
