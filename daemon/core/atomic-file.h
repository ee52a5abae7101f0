/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "base/virt-error.h"

/*
 * A large file written aside: it has no name until it is whole, so that neither a full disk nor a daemon that
 * dies leaves half of one. Any thread.
 */
typedef struct {
  int fd;             /* for reading and writing, empty at first */
  char *path;         /* the name it will have */
  char *named;        /* the name it has meanwhile, where the file system knows no files without one */
  gboolean keeps;     /* committed */
  gboolean is_device; /* a block device, written to in place */
} AtomicFile;

/* In the directory of @path, or of what a link there leads to, mode 0600. What stands at @path must be a
 * regular file, a block device, or nothing. In a job it is given up when the job is late. */
AtomicFile *atomic_file_open (const char *path, GError **error);
/* It takes the place of what has that name. On the disk when this returns. */
gboolean atomic_file_commit (AtomicFile *aside, GError **error);
/* What was not committed is gone. */
void atomic_file_free (AtomicFile *aside);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (AtomicFile, atomic_file_free)
