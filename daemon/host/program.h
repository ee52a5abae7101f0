/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "base/virt-error.h"
#include "daemon/core/job.h"

/*
 * A program run for its effect, and waited for: qemu-img, ovs-vsctl, a script that a document names. Any
 * thread but the main loop's; in a job's, the job's deadline and cancellation end it as well.
 */
#define PROGRAM_WORDS_MAX 4096 /* bytes kept of what it says, the last ones */
#define PROGRAM_FD        3    /* the number the first of ProgramRun.files has in it; the next ones follow */
#define PROGRAM_FILES_MAX 128

typedef struct {
  const char *const *arguments; /* NULL-terminated; the first is a path or is looked up in PATH */
  const int *files;             /* what PROGRAM_FD and the next are; they stay the caller's */
  guint file_count;             /* at most PROGRAM_FILES_MAX */
  guint seconds;                /* that it may take; 0: as long as its job */
  GSpawnChildSetupFunc confine; /* in the child, where only system calls are safe; or NULL */
  gpointer confine_data;
} ProgramRun;

/* FALSE when it could not be started (VIR_ERR_OPERATION_UNSUPPORTED: it is not installed) or did not end:
 * then it has been killed (VIR_ERR_OPERATION_ABORTED, VIR_ERR_OPERATION_TIMEOUT). How it ended is in
 * @ret_status, as waitpid says it, and what it said on its standard error in @ret_words (transfer full,
 * without the last line's end). */
gboolean program_run (const ProgramRun *run, int *ret_status, char **ret_words, GError **error);

/* The same for a program of which nothing but success is wanted: FALSE as well when it ended otherwise, with
 * its words, or how it ended, as the error's text (VIR_ERR_OPERATION_FAILED). */
gboolean program_succeeds (const ProgramRun *run, GError **error);
