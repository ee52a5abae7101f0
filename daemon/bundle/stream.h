/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "daemon/core/job.h"
#include "daemon/core/progress.h"

/*
 * One end of a client's file, pipe or socket: waits for it end when the job is cancelled or given up. Job's
 * thread.
 */
typedef struct {
  int fd;   /* (owned) */
  Job *job; /* NULL: nobody cancels it */
  Progress *progress;
  guint64 bytes; /* that have passed */
  GError *error; /* of the last that failed, until it is taken */
} Stream;

/* Takes @fd, which came from a client. @writing: which way the bytes go. */
void stream_init (Stream *stream, int fd, gboolean writing, Job *job, Progress *progress);
void stream_clear (Stream *stream);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Stream, stream_clear)
/* FALSE, and stream->error set, once it is to be given up. */
gboolean stream_check (Stream *stream);
/* All of it; or -1 with stream->error set. */
gssize stream_write (Stream *stream, const void *bytes, gsize length);
/* Some; 0 at the end; -1 with stream->error set. */
gssize stream_read (Stream *stream, void *bytes, gsize room);
