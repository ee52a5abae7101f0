/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "daemon/core/job.h"

/*
 * A program run for its effect, in a job's thread: qemu-img. It gets nothing but its arguments and one
 * descriptor, a bounded part of the host's memory, no network where the daemon is root, and no new
 * privileges; it ends with the job's deadline or cancellation, and its last words are the error's.
 */
#define TOOL_MEMORY_MAX ((guint64)4 << 30) /* bytes of address space it may have */
#define TOOL_FILES_MAX  64                 /* descriptors */

/* The path of the one descriptor, as the program sees it. */
#define TOOL_FILE "/proc/self/fd/3"

/* What the program is given in place of a name that people know: replaced in its words. Ends with a NULL
 * text. */
typedef struct {
  const char *text, *name;
} ToolName;

/* @arguments: NULL-terminated, begins with the program's name, which is looked up in PATH. @file: what
 * TOOL_FILE is; -1: nothing. FALSE with VIR_ERR_OPERATION_FAILED unless it ended with status 0. */
gboolean tool_run (const char *const *arguments, int file, const ToolName *names, GError **error);
/* job_check, in the words of storage. */
gboolean storage_job_check (Job *job, const char *path, GError **error);
