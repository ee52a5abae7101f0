/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "base/virt-error.h"

#include <sys/types.h>

/*
 * The ends of QEMU's character devices that are on the host: the ptys and sockets it says it has, which a
 * client or the daemon then opens. What QEMU says is not believed: it may be in the guest's hands, and the
 * daemon opens with root's rights. Any thread; none of these calls waits, but where it says so.
 */

/* Is @path "/dev/pts/N" and nothing else? */
gboolean endpoint_is_pty_path (const char *path);
/* The pty @path, opened for reading and writing, non-blocking. It must be a pty whose other end the process
 * @owner holds. -1 with @error. */
int endpoint_open_pty (const char *path, pid_t owner, GError **error);
/* A connection to the socket @path, non-blocking, also where the path is longer than a socket's address may
 * be. It must be a socket, no link to one, on which the process @owner listens; 0: anybody may, and links are
 * followed. @patience: seconds to wait while the connections made before fill its queue, which QEMU empties
 * one at a time; 0: none. -1 with @error and errno set, EAGAIN when the queue stayed full. */
int endpoint_connect (const char *path, pid_t owner, guint patience, GError **error);
