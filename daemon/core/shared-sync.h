/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "base/virt-error.h"

/*
 * Many files written at once share their syncs. Between begin and end, what this thread writes durably
 * (daemon/core/file.h) is written but not waited for; a flush waits for all of it, once for each file system.
 * What must be on the disk before the next step is taken has a flush between them. Not nested.
 */
void shared_sync_begin (void);
/* FALSE: what was written since the last flush may not be on the disk. */
gboolean shared_sync_flush (GError **error);
void shared_sync_end (void);

/* As fsync, or, between begin and end, a note that @fd's file system is to be flushed. */
int shared_sync (int fd);
