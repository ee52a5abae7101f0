/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

/*
 * What on the way to a file does not let the daemon's own user through: the first directory that cannot be
 * entered, or the file itself. "the directory '/home/ann' (mode 0700, of user 'ann') does not let user 'bob'
 * through". NULL when nothing does, or when the reason is another than rights. (transfer full) Blocking.
 */
char *path_obstacle (const char *path, gboolean writes);
/* The line for a shell that takes it away: "setfacl -m u:bob:x /home/ann"; NULL when there is none. (transfer
 * full) */
char *path_obstacle_cure (const char *path, gboolean writes);
