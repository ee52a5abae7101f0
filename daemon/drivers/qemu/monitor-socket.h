/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "base/virt-error.h"

/*
 * A machine's monitor socket, machines/UUID/monitor.sock. The daemon makes it and passes it to QEMU
 * listening, so nobody polls for a file to appear; a later daemon connects to its path. Any thread. -1 with
 * @error set.
 */
#define MONITOR_SOCKET "monitor.sock"
int monitor_socket_listen (const char *run_directory, GError **error);
/* At once: QEMU accepts when it is ready, or its end is seen as a hang-up. */
int monitor_socket_connect (const char *run_directory, GError **error);
/* Does a process listen there? */
gboolean monitor_socket_is_held (const char *run_directory);
