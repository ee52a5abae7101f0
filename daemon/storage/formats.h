/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "base/virt-error.h"

/*
 * Which volumes are raw because they were made so here. A guest can write any header into such a disk, and
 * what the header says must not become the volume's format when its pool is looked at again. Kept on disk in
 * the daemon's state, by path, inode and time of birth: a file that somebody put in its place is another.
 * Any thread.
 */

/* Main loop, once: read what is known. Until then nothing is, and what is noted is only in memory. */
void storage_formats_open (const char *state_directory);

/* Of the file @fd at @path. */
gboolean storage_format_is_raw (int fd, const char *path);
/* Noted on disk when this returns TRUE. */
gboolean storage_format_note_raw (int fd, const char *path, GError **error);
/* What is at @path is not what it was: removed, or filled with an image by a client. */
void storage_format_forget (const char *path);
