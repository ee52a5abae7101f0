/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "daemon/core/job.h"

/*
 * A program run for its effect, in a job's thread: qemu-img. It gets nothing but its arguments and the files
 * that were opened for it, a bounded part of the host's memory, and what daemon/host/confinement.h leaves it;
 * it ends with the job's deadline or cancellation, and its last words are the error's.
 */
#define TOOL_MEMORY_MAX ((guint64)4 << 30) /* bytes of address space it may have */
#define TOOL_FILES_MAX  256                /* descriptors: PROGRAM_FILES_MAX, and its own */

/* Files that are open for the program, each with the name that people know. */
typedef struct ToolFiles ToolFiles;

ToolFiles *tool_files_new (void);
void tool_files_free (ToolFiles *files); /* closes all of them */
G_DEFINE_AUTOPTR_CLEANUP_FUNC (ToolFiles, tool_files_free)
/* Takes @fd. The path by which the program opens it. (transfer full) */
char *tool_files_add (ToolFiles *files, int fd, const char *name);
/* A file or block device of that name, to be read; NULL with @error. */
char *tool_files_open (ToolFiles *files, const char *name, GError **error);

/* @arguments: NULL-terminated, begins with the program's name, which is looked up in PATH. @files: or NULL.
 * @source: a word among the arguments that stands for the first file, or NULL. FALSE with
 * VIR_ERR_OPERATION_FAILED unless it ended with status 0. */
gboolean tool_run (const char *const *arguments, const ToolFiles *files, const char *source, GError **error);
/* job_check, in the words of storage. */
gboolean storage_job_check (Job *job, const char *path, GError **error);
