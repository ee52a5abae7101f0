/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

/*
 * The name of a listening socket in the file system. Another daemon may put a socket of its own in its place
 * at any time, as libvirtd does at its start. That is noticed and logged, once, and what is not ours any more
 * is never removed. Main loop only.
 */
typedef struct SocketFile SocketFile;

/* @path: where a socket was just bound. NULL with errno when it is not there any more. */
SocketFile *socket_file_new (const char *path);
/* Does @path still lead to the socket that was bound there? */
gboolean socket_file_is_ours (const SocketFile *file);
/* Removes the name when it is still ours. */
void socket_file_free (SocketFile *file);
