/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "daemon/core/job.h"

/*
 * What can stand still in the kernel with no way to wake it: opening a file on a network file system whose
 * server is gone, or a FIFO nobody writes to. It is done in a thread of its own, and a job that is cancelled
 * or late leaves that thread behind.
 */
#define BLOCKING_STUCK_MAX 64 /* threads left behind that still stand; beyond it nothing more is tried */

#define BLOCKING_SECONDS 60 /* what a job without a deadline of its own waits */

/*
 * Run @function with @input and return its result, or NULL with @error set: by the function, or because the
 * job of this thread was cancelled or is late. @input is freed by @free_input when the function has ended,
 * whenever that is, and so is a result that nobody waits for any more. Outside of a job it just runs.
 */
gpointer blocking_run (gpointer (*function) (gpointer input, GError **error), gpointer input,
                       GDestroyNotify free_input, GDestroyNotify free_result, GError **error);
/* Threads that were left behind and still stand. Any thread. */
guint blocking_stuck (void);
