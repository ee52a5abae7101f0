/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>
#include <sys/stat.h>

/*
 * Files that a document or a client names: they may be on a file system that does not answer any more. In a
 * job, each of these calls gives up with ETIMEDOUT when the job is late or was cancelled (see
 * daemon/core/blocking.h); they are not for the main loop. Otherwise as the system's calls: -1 with errno
 * set.
 */
int named_file_open (const char *path, int flags, mode_t mode);
int named_file_stat (const char *path, struct stat *ret_status);
int named_file_unlink (const char *path);
