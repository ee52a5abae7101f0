/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "daemon/core/job.h"

/*
 * Jobs that cost processor time and memory rather than wait for somebody: documents of clients are parsed,
 * completed, compared and written in them. A user has few at a time, whose documents have so many bytes
 * together, and so have all users; the others wait, and users take turns. Root and the daemon's own user
 * (owners) wait for nobody but themselves. Main loop only.
 */
#define WORK_USER_SHARE 4 /* a user has at most one of so many at a time, and at least one */
#define WORK_USER_BYTES_MAX \
  (16 * 1024 * 1024)          /* of their documents; reading one takes about 30 times as much */
#define WORK_ALL_DEFAULT   16 /* at a time, of all users but the owners */
#define WORK_ALL_BYTES_MAX (32 * 1024 * 1024)

/* As job_start. @user: whose it is; @bytes: of the documents it reads. One that is larger than all bytes that
 * may be is done alone. */
void work_start (const char *user, gboolean owner, gsize bytes, const char *name, JobFunction function,
                 gpointer input, GDestroyNotify free_input, JobDone done, gpointer data);
/* How many there are at a time of all users but the owners: before the first. */
void work_set_limit (guint all);
/* Those that wait and those that run, for tests. */
guint work_waiting (void);
guint work_running (void);
