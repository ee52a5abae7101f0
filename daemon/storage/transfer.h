/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "daemon/core/job.h"

/*
 * A volume's bytes to or from a stream (daemon/core/stream-message.h), in a job's thread. They take as long
 * as the client takes; the job's cancellation, and the other end's going away, end them.
 */

/* @length 0: to the file's end. @sparse: holes are told as such. */
gboolean storage_download (Job *job, int file, const char *path, guint64 offset, guint64 length,
                           gboolean sparse, int stream, GError **error);
/* @length 0: as much as comes. FALSE also when the stream is given up half way. */
gboolean storage_upload (Job *job, int file, const char *path, guint64 offset, guint64 length, int stream,
                         GError **error);
/* Tells the other end that all is done, or (@error) that it has failed. Main loop, once the volume is free
 * again: the functions above leave room for it. */
void storage_stream_end (int stream, const GError *error);
